//! What several operations share: the parameters of a policy, a policy as a document, the policy that a request is held
//! to, and the members of answers that describe it.

use std::sync::Arc;

use serde::Serialize;

use crate::access::{MAX_DESCRIPTION, StoredPolicy};
use crate::admission::{Admitted, Failure, FoundPolicy};
use crate::http::parameters::{self, Json, ParameterName, Value};
use crate::http::request_error::RequestError;
use crate::invisible::{self, Invisible};
use crate::password::{
    CharSet, Class, Constraints, NamedPolicy, PasswordCheck, Policy, PolicyError, PolicyName, Requirement, Sampler,
    Start, WorkBudget, limits, parse_rules,
};

named_enum! {
    /// A parameter of a policy.
    pub enum PolicyParameter {
        /// Characters in the password.
        Length = "length",
        /// Whether lowercase letters are used.
        Lowercase = "lowercase",
        /// Whether uppercase letters are used.
        Uppercase = "uppercase",
        /// Whether digits are used.
        Digits = "digits",
        /// Whether special characters are used.
        Special = "special",
        /// The fewest lowercase letters.
        MinLowercase = "min_lowercase",
        /// The fewest uppercase letters.
        MinUppercase = "min_uppercase",
        /// The fewest digits.
        MinDigits = "min_digits",
        /// The fewest special characters.
        MinSpecial = "min_special",
        /// The special characters.
        Symbols = "symbols",
        /// Characters that must not appear.
        Exclude = "exclude",
        /// Whether similar characters are excluded.
        ExcludeSimilar = "exclude_similar",
        /// The most identical characters in a row.
        MaxRepeating = "max_repeating",
        /// The most neighbours of a-z, A-Z or 0-9 in a row.
        MaxSequential = "max_sequential",
        /// Whether no character appears twice.
        NoRepeats = "no_repeats",
        /// The kind of the first character.
        Start = "start",
        /// The fewest classes that appear.
        MinClasses = "min_classes",
        /// The least entropy, in bits.
        MinEntropy = "min_entropy",
        /// A site's password rules.
        PasswordRules = "passwordrules",
        /// Sets of characters with a minimum each.
        Charsets = "charsets",
        /// The name of a preset.
        Policy = "policy",
    }
}

/// What a request says about the policy.
#[derive(Debug, Default)]
pub(crate) struct PolicyRequest {
    /// The parameters that add to a named policy, or that are the policy.
    constraints: Constraints,
    /// The named policy.
    named: Option<PolicyName>,
    /// Whether the name is a part of the path, so that an unknown one is not found.
    is_path: bool,
    /// What an API whose requests say more than what differs from a policy adds to that of a bound key, instead of
    /// `constraints`.
    when_bound: Option<Box<WhenBound>>,
    /// The names of the parameters.
    sent: Vec<&'static str>,
}

/// What a request adds to the policy that its key is bound to.
#[derive(Debug)]
pub(crate) struct WhenBound {
    pub(crate) constraints: Constraints,
    /// Characters that the policy must have, and the error if it does not.
    pub(crate) requires: Option<(CharSet, RequestError)>,
}

/// The policy that an admitted request is held to.
pub(crate) struct HeldTo {
    pub(crate) policy: Policy,
    pub(crate) sampler: Arc<Sampler>,
    pub(crate) named: Option<NamedPolicy>,
}

impl PolicyRequest {
    /// A request for a policy of these constraints. To the policy of a bound key, it adds others.
    pub(crate) fn of_constraints(constraints: Constraints, when_bound: WhenBound) -> Self {
        Self { constraints, when_bound: Some(Box::new(when_bound)), ..Self::default() }
    }

    /// A request for the policy that the path names.
    pub(crate) fn of_path(name: PolicyName) -> Self {
        Self { named: Some(name), is_path: true, ..Self::default() }
    }

    /// Reads one parameter.
    pub(crate) fn set(&mut self, parameter: PolicyParameter, value: Value) -> Result<(), RequestError> {
        let name = parameter.name();
        self.sent.push(name);
        let constraints = &mut self.constraints;
        let [lowercase, uppercase, digits, special] = &mut constraints.classes;
        let min = |value: Value| value.integer(name, 0, limits::MAX_LENGTH).map(Some);
        match parameter {
            PolicyParameter::Length => {
                constraints.length = Some(value.integer(name, limits::MIN_LENGTH, limits::MAX_LENGTH)?);
            }
            PolicyParameter::Lowercase => lowercase.in_use = Some(value.boolean(name)?),
            PolicyParameter::Uppercase => uppercase.in_use = Some(value.boolean(name)?),
            PolicyParameter::Digits => digits.in_use = Some(value.boolean(name)?),
            PolicyParameter::Special => special.in_use = Some(value.boolean(name)?),
            PolicyParameter::MinLowercase => lowercase.min = min(value)?,
            PolicyParameter::MinUppercase => uppercase.min = min(value)?,
            PolicyParameter::MinDigits => digits.min = min(value)?,
            PolicyParameter::MinSpecial => special.min = min(value)?,
            PolicyParameter::Symbols => constraints.symbols = Some(value.string(name)?),
            PolicyParameter::Exclude => constraints.exclude = Some(value.string(name)?),
            PolicyParameter::ExcludeSimilar => constraints.exclude_similar = Some(value.boolean(name)?),
            PolicyParameter::MaxRepeating => {
                constraints.max_repeating = Some(value.integer(name, 1, limits::MAX_LENGTH)?);
            }
            PolicyParameter::MaxSequential => {
                constraints.max_sequential = Some(value.integer(name, 1, limits::MAX_LENGTH)?);
            }
            PolicyParameter::NoRepeats => constraints.no_repeats = Some(value.boolean(name)?),
            PolicyParameter::Start => {
                constraints.start = Some(value.one_of(name, Start::ALL.into_iter().map(|one| (one.name(), one)))?);
            }
            PolicyParameter::MinClasses => constraints.min_classes = Some(value.integer(name, 1, 4)?),
            PolicyParameter::MinEntropy => {
                constraints.min_entropy = Some(value.integer(name, 1, limits::MAX_ENTROPY)?);
            }
            PolicyParameter::PasswordRules => {
                constraints.rules = Some(parse_rules(&value.string(name)?).map_err(PolicyError::from)?);
            }
            PolicyParameter::Charsets => constraints.charsets = Some(charsets(value)?),
            PolicyParameter::Policy => {
                let text = value.string(name).unwrap_or_default();
                self.named = Some(PolicyName::parse(&text).ok_or_else(|| RequestError::unknown_policy([]))?);
            }
        }
        Ok(())
    }

    /// Rejects what contradicts itself, if that does not depend on stored policies.
    pub(crate) fn check(&self) -> Result<(), RequestError> {
        self.check_unless_stored(|named| self.policy(named).map(drop))
    }

    /// The same for passwords that are checked.
    pub(crate) fn check_for_passwords(&self) -> Result<(), RequestError> {
        self.check_unless_stored(|named| self.password_check(named).map(drop))
    }

    fn check_unless_stored(
        &self,
        check: impl FnOnce(Option<&NamedPolicy>) -> Result<(), RequestError>,
    ) -> Result<(), RequestError> {
        match &self.named {
            None => check(None),
            Some(PolicyName::Preset(preset)) => check(Some(&NamedPolicy::preset(preset))),
            Some(PolicyName::Other(_)) => Ok(()),
        }
    }

    /// The policy, which adds to a named one.
    fn policy(&self, named: Option<&NamedPolicy>) -> Result<Policy, RequestError> {
        let policy =
            named.map_or_else(|| Policy::new(&self.constraints, None), |named| named.policy(&self.constraints));
        policy.map_err(|error| self.blame(error))
    }

    /// The check of passwords against the policy. It is the same for all passwords.
    pub(crate) fn password_check(&self, named: Option<&NamedPolicy>) -> Result<PasswordCheck, RequestError> {
        let check = match named {
            None => PasswordCheck::new(&self.constraints, None),
            Some(named) => named
                .tighten_for_check(&self.constraints)
                .and_then(|constraints| PasswordCheck::new(&constraints, named.preset)),
        };
        check.map_err(|error| self.blame(error))
    }

    /// The error of a request. It names a parameter that was sent.
    pub(crate) fn blame(&self, error: PolicyError) -> RequestError {
        let parameter = error.parameters().into_iter().find(|parameter| self.sent.contains(parameter));
        RequestError::Policy { error, parameter }
    }

    /// The named policy that the request adds to: the one that its key is bound to, or else that of the request.
    pub(crate) async fn named_policy(&self, admitted: &mut Admitted<'_>) -> Result<Option<NamedPolicy>, Failure> {
        let found = match &self.named {
            Some(name) if self.is_path => Some(admitted.find_policy_in_path(name).await?),
            name => admitted.find_policy(name.as_ref()).await?,
        };
        found.map(|found| record_named(found, admitted)).transpose()
    }

    /// The policy that the request is held to. It has no fewer passwords than its key requires.
    pub(crate) async fn resolve(
        &self,
        admitted: &mut Admitted<'_>,
        budget: &mut WorkBudget,
    ) -> Result<HeldTo, Failure> {
        let named = self.named_policy(admitted).await?;
        let when_bound = self.when_bound.as_deref().filter(|_| admitted.binding().policy.is_some());
        let policy = match (when_bound, &named) {
            (Some(when_bound), Some(named)) => {
                named.policy(&when_bound.constraints).map_err(|error| self.blame(error))?
            }
            _ => self.policy(named.as_ref())?,
        };
        if let Some((characters, error)) = when_bound.and_then(|one| one.requires.as_ref())
            && !characters.without(policy.spec().pool).is_empty()
        {
            return Err(error.clone().into());
        }
        let (policy, sampler) = admitted.sampler(policy, named.as_ref(), budget)?;
        Ok(HeldTo { policy, sampler, named })
    }
}

/// A policy that was found. The audit line learns which it is.
pub(crate) fn record_named(found: FoundPolicy, admitted: &mut Admitted<'_>) -> Result<NamedPolicy, Failure> {
    let named = match found {
        FoundPolicy::Preset(preset) => NamedPolicy::preset(preset),
        FoundPolicy::Stored { name, policy } => stored(&name, &policy)?,
    };
    let record = admitted.record();
    (record.policy, record.policy_revision) = (Some(named.name.clone()), named.revision);
    Ok(named)
}

/// A stored policy. It is unreadable if this version does not understand it.
pub(crate) fn stored(name: &str, stored: &StoredPolicy) -> Result<NamedPolicy, Failure> {
    let unreadable = |_| Failure::Policies { cause: format!("policy {name} is malformed") };
    let document = PolicyDocument::parse(stored.parameters.as_bytes()).map_err(unreadable)?;
    let has_exact_length = stored.hcl.is_some();
    Ok(NamedPolicy { has_exact_length, revision: Some(stored.revision), ..document.named(name) })
}

/// A parameter of a policy that is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StoredPolicyParameter {
    /// What the policy is for.
    Description,
    /// A parameter of the policy.
    Policy(PolicyParameter),
}

impl ParameterName for StoredPolicyParameter {
    fn all() -> impl Iterator<Item = Self> + Clone {
        [Self::Description].into_iter().chain(PolicyParameter::ALL.into_iter().map(Self::Policy))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Description => "description",
            Self::Policy(parameter) => parameter.name(),
        }
    }
}

/// A policy that an administrator writes.
#[derive(Debug)]
pub(crate) struct PolicyDocument {
    /// What the parameters say. They have no contradiction that shows without counting.
    policy: PolicyRequest,
    /// The parameters as JSON, in the order of their names.
    pub(crate) parameters: String,
    /// What the policy is for.
    pub(crate) description: String,
}

impl PolicyDocument {
    /// Reads a JSON object with the same members.
    pub(crate) fn parse(json: &[u8]) -> Result<Self, RequestError> {
        Self::new(parameters::resolve(parameters::members(json)?)?)
    }

    /// What is stored of it, with its text in Vault's language if it came in that. When and by whom is filled in later.
    pub(crate) fn stored(self, hcl: Option<String>) -> StoredPolicy {
        let Self { parameters, description, .. } = self;
        let (updated_at, updated_by) = (String::new(), String::new());
        StoredPolicy { parameters, description, hcl, revision: 0, updated_at, updated_by }
    }

    /// The policy with its name.
    pub(crate) fn named(&self, name: &str) -> NamedPolicy {
        let preset = match self.policy.named {
            Some(PolicyName::Preset(preset)) => Some(preset),
            _ => None,
        };
        NamedPolicy {
            name: name.to_owned(),
            constraints: Some(self.policy.constraints.clone()),
            preset,
            has_exact_length: false,
            revision: None,
        }
    }

    /// Reads the parameters of a policy.
    pub(crate) fn new(parameters: Vec<(StoredPolicyParameter, Value)>) -> Result<Self, RequestError> {
        let mut policy = PolicyRequest::default();
        let mut description = String::new();
        let mut members = Vec::new();
        for (parameter, value) in parameters {
            match parameter {
                StoredPolicyParameter::Description => {
                    description = value.string(parameter.name())?;
                    if description.chars().count() > MAX_DESCRIPTION {
                        return Err(RequestError::Description);
                    }
                    if let Some(character) = invisible::find_in_line(&description) {
                        return Err(RequestError::Invisible { parameter: parameter.name(), character });
                    }
                }
                StoredPolicyParameter::Policy(name) => {
                    if let Value::Json(json) = &value {
                        if let Some(character) = find_invisible(json) {
                            return Err(RequestError::Invisible { parameter: parameter.name(), character });
                        }
                        members.push((parameter.name().to_owned(), json.clone()));
                    }
                    policy.set(name, value)?;
                }
            }
        }
        // A stored policy is not built on another one, so that a change of one changes no other.
        if let Some(PolicyName::Other(_)) = policy.named {
            return Err(RequestError::unknown_policy([]));
        }
        policy.check()?;
        members.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let parameters = serde_json::to_string(&Json::Object(members)).map_err(|_| RequestError::BodyNotAnObject)?;
        Ok(Self { policy, parameters, description })
    }
}

/// The first invisible character in the texts of a value, except line breaks and tabs.
fn find_invisible(value: &Json) -> Option<Invisible> {
    match value {
        Json::Text(text) => invisible::find_in_text(text),
        Json::List(items) => items.iter().find_map(find_invisible),
        Json::Object(members) => members.iter().find_map(|(_, value)| find_invisible(value)),
        Json::Boolean(_) | Json::Integer(_) | Json::Number(_) | Json::Null => None,
    }
}

/// Sets of characters: `[{"characters": "0123456789", "min": 2}]`.
fn charsets(value: Value) -> Result<Vec<Requirement>, RequestError> {
    let sets = value.list_of_objects(PolicyParameter::Charsets.name())?;
    let charsets = sets.into_iter().enumerate();
    charsets
        .map(|(index, members)| {
            charset(members).map_err(|problem| RequestError::Charset { position: index + 1, problem })
        })
        .collect()
}

fn charset(members: Vec<(String, Value)>) -> Result<Requirement, &'static str> {
    let (mut characters, mut min) = (None, None);
    for (name, value) in members {
        let member = match name.as_str() {
            "characters" => &mut characters,
            "min" => &mut min,
            _ => return Err("unknown member; a set has characters and min"),
        };
        if member.replace(value).is_some() {
            return Err("a member is given more than once");
        }
    }
    let characters = characters.ok_or("characters is missing")?.string("characters").ok();
    let is_printable = |text: &String| !text.is_empty() && text.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    let characters = characters.filter(is_printable).ok_or("characters must be printable ASCII, at least one")?;
    let min = min.map_or(Ok(0), |min| min.integer("min", 0, limits::MAX_LENGTH));
    let min = min.map_err(|_| "min must be a whole number from 0 to 4096")?;
    Ok(Requirement { characters: CharSet::from_text(&characters), min })
}

/// The resolved parameters of a policy.
#[derive(Serialize)]
pub(crate) struct ResolvedPolicy {
    length: u16,
    #[serde(flatten)]
    characters: Characters,
    exclude: String,
    exclude_similar: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_repeating: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_sequential: Option<u16>,
    no_repeats: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'static str>,
}

/// The policy that a request was held to.
#[derive(Serialize)]
pub(crate) struct Title<'a> {
    policy_name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_revision: Option<u64>,
}

impl<'a> From<&'a NamedPolicy> for Title<'a> {
    fn from(policy: &'a NamedPolicy) -> Self {
        Self { policy_name: &policy.name, policy_revision: policy.revision }
    }
}

/// Which characters a password has.
#[derive(Serialize)]
#[serde(untagged)]
enum Characters {
    Classes(Box<ClassParameters>),
    Rules { passwordrules: String },
    Charsets { charsets: Vec<Charset> },
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are the parameters")]
struct ClassParameters {
    lowercase: bool,
    uppercase: bool,
    digits: bool,
    special: bool,
    min_lowercase: u16,
    min_uppercase: u16,
    min_digits: u16,
    min_special: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbols: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_classes: Option<u16>,
}

#[derive(Serialize)]
struct Charset {
    characters: String,
    min: u16,
}

impl From<&Policy> for ResolvedPolicy {
    fn from(policy: &Policy) -> Self {
        let spec = policy.spec();
        Self {
            length: policy.length(),
            characters: policy.into(),
            exclude: policy.exclude().to_string(),
            exclude_similar: policy.exclude_similar(),
            max_repeating: spec.max_repeating,
            max_sequential: spec.max_sequential,
            no_repeats: spec.no_repeats,
            start: policy.start().map(Start::name),
        }
    }
}

impl From<&Policy> for Characters {
    fn from(policy: &Policy) -> Self {
        if let Some(rules) = policy.rules() {
            return Self::Rules { passwordrules: rules.to_string() };
        }
        if let Some(charsets) = policy.charsets() {
            let charset = |one: &Requirement| Charset { characters: one.characters.to_string(), min: one.min };
            return Self::Charsets { charsets: charsets.iter().map(charset).collect() };
        }
        let min = |class| policy.class(class).map_or(0, |one| one.min);
        let in_use = |class| policy.class(class).is_some();
        Self::Classes(Box::new(ClassParameters {
            lowercase: in_use(Class::Lowercase),
            uppercase: in_use(Class::Uppercase),
            digits: in_use(Class::Digits),
            special: in_use(Class::Special),
            min_lowercase: min(Class::Lowercase),
            min_uppercase: min(Class::Uppercase),
            min_digits: min(Class::Digits),
            min_special: min(Class::Special),
            symbols: policy.class(Class::Special).map(|one| one.characters.to_string()),
            min_classes: policy.min_classes(),
        }))
    }
}
