//! The parameters of a policy, which generate, describe and validate share.

use super::error::RequestError;
use super::parameters::Value;
use crate::access::is_policy_name;
use crate::password::{
    CharSet, Constraints, NamedPolicy, PRESETS, PasswordCheck, Policy, PolicyError, Preset, Requirement, Start,
    WorkBudget, limits, parse_rules,
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
pub struct PolicyRequest {
    /// The parameters that add to a named policy, or that are the policy.
    pub constraints: Constraints,
    /// The named policy.
    pub named: Option<PolicyName>,
    /// The names of the parameters.
    sent: Vec<&'static str>,
}

/// The name of a policy.
#[derive(Clone, Debug)]
pub enum PolicyName {
    /// A preset.
    Preset(&'static Preset),
    /// Perhaps a stored policy.
    Other(String),
}

impl PolicyName {
    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Preset(preset) => preset.name,
            Self::Other(name) => name,
        }
    }

    /// A preset, or a name that a stored policy may have.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let preset = PRESETS.iter().find(|preset| preset.name == text).map(Self::Preset);
        preset.or_else(|| is_policy_name(text).then(|| Self::Other(text.to_owned())))
    }
}

impl PolicyRequest {
    /// Reads one parameter.
    pub(super) fn set(&mut self, parameter: PolicyParameter, value: Value) -> Result<(), RequestError> {
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
                self.named = Some(PolicyName::parse(&text).ok_or_else(|| unknown_policy([]))?);
            }
        }
        Ok(())
    }
}

/// The error for the name of a policy that does not exist, where these stored policies do.
#[must_use]
pub fn unknown_policy<'n>(stored: impl IntoIterator<Item = &'n str>) -> RequestError {
    let names = PRESETS.iter().map(|preset| preset.name).chain(stored).collect::<Vec<_>>().join(", ");
    RequestError::NotAName { parameter: PolicyParameter::Policy.name(), names }
}

impl PolicyRequest {
    /// A request with these constraints, from another API.
    #[must_use]
    pub fn new(constraints: Constraints) -> Self {
        Self { constraints, ..Self::default() }
    }

    /// A request for a named policy.
    #[must_use]
    pub fn of(named: PolicyName) -> Self {
        Self { named: Some(named), ..Self::default() }
    }

    /// Makes a check that needs the named policy, unless that may be a stored one.
    pub(super) fn check_unless_stored(
        &self,
        check: impl FnOnce(Option<&NamedPolicy>) -> Result<(), RequestError>,
    ) -> Result<(), RequestError> {
        match &self.named {
            None => check(None),
            Some(PolicyName::Preset(preset)) => check(Some(&NamedPolicy::preset(preset))),
            Some(PolicyName::Other(_)) => Ok(()),
        }
    }

    /// The policy of a request, which adds to a named one.
    ///
    /// # Errors
    /// A [`RequestError`] that names a parameter that was sent.
    pub fn policy(&self, named: Option<&NamedPolicy>) -> Result<Policy, RequestError> {
        let policy = match named {
            None => Policy::new(&self.constraints, None),
            Some(named) => {
                named.tighten(&self.constraints).and_then(|constraints| Policy::new(&constraints, named.preset))
            }
        };
        policy.map_err(|error| self.blame(error))
    }

    /// The check of passwords against the policy of a request. It is the same for all passwords.
    ///
    /// # Errors
    /// A [`RequestError`] that names a parameter that was sent.
    pub fn password_check(&self, named: Option<&NamedPolicy>) -> Result<PasswordCheck, RequestError> {
        let check = match named {
            None => PasswordCheck::new(&self.constraints, None),
            Some(named) => named
                .tighten_for_check(&self.constraints)
                .and_then(|constraints| PasswordCheck::new(&constraints, named.preset)),
        };
        check.map_err(|error| self.blame(error))
    }

    /// Checks that passwords satisfy the policy of a check.
    ///
    /// # Errors
    /// A [`RequestError`] that names a parameter that was sent.
    pub fn check_satisfiable(&self, check: &PasswordCheck, budget: &mut WorkBudget) -> Result<(), RequestError> {
        check.check_satisfiable(budget).map_err(|error| self.blame(error))
    }

    /// The error of a request. It names a parameter that was sent.
    fn blame(&self, error: PolicyError) -> RequestError {
        let parameter = error.parameters().into_iter().find(|parameter| self.sent.contains(parameter));
        RequestError::Policy { error, parameter }
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
