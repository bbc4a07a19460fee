//! A typed request for each operation. Unknown names, repeated names and values that are not of their
//! type are refused; nothing is clamped, coerced or ignored.

use super::event::Incoming;
use super::parameters::{Value, parameters};
use crate::password::{
    Constraints, PRESETS, PasswordRules, Phrase, PhraseConstraints, PhraseError, Policy, PolicyError, Secret, Start,
    Wordlist,
};

/// Most passwords in one answer.
pub const MAX_COUNT: u16 = 100;
/// A name that is this close to a parameter's (Damerau-Levenshtein) was probably meant to be it.
const NEAR_MISS: usize = 2;

/// The parameters that say what a password must be like.
pub const POLICY_PARAMETERS: [&str; 19] = [
    "length",
    "lowercase",
    "uppercase",
    "digits",
    "special",
    "min_lowercase",
    "min_uppercase",
    "min_digits",
    "min_special",
    "symbols",
    "exclude",
    "exclude_similar",
    "max_consecutive",
    "no_repeats",
    "start",
    "min_classes",
    "min_entropy",
    "passwordrules",
    "policy",
];
/// The parameters that say what a passphrase must be like.
pub const PHRASE_PARAMETERS: [&str; 6] = ["words", "wordlist", "separator", "capitalize", "number", "min_entropy"];
/// The parameter that asks for several.
pub const COUNT: &str = "count";
/// The parameter that is validated.
pub const PASSWORD: &str = "password";

/// Names that users of other generators bring along.
const ALIASES: [(&str, &str); 2] = [("number", "digits"), ("numbers", "digits")];

/// A request for passwords, or for what their policy amounts to.
#[derive(Debug)]
pub struct Generate {
    /// What they must be like.
    pub policy: Policy,
    /// The preset that was named.
    pub preset: Option<&'static str>,
    /// How many, 1 to 100; `None` asks for one, not in a list.
    pub count: Option<u16>,
}

/// A request for passphrases.
#[derive(Debug)]
pub struct Passphrases {
    /// What they must be like.
    pub phrase: Phrase,
    /// How many, 1 to 100; `None` asks for one, not in a list.
    pub count: Option<u16>,
}

/// A request to look at a password.
#[derive(Debug)]
pub struct Validate {
    /// The password.
    pub password: Secret,
    /// What it must be like.
    pub constraints: Constraints,
}

/// Why a request is no good.
#[derive(Clone, Debug, PartialEq)]
pub enum RequestError {
    /// No parameter has that name.
    UnknownParameter {
        /// The name.
        name: String,
        /// The parameter whose name is nearly the same.
        meant: Option<&'static str>,
    },
    /// A parameter stands in the request twice.
    RepeatedParameter(&'static str),
    /// The value is not true or false.
    NotABoolean(&'static str),
    /// The value is not a whole number in the range.
    NotInRange {
        /// The parameter.
        parameter: &'static str,
        /// The smallest good value.
        least: u16,
        /// The largest.
        most: u16,
    },
    /// The value is not a string.
    NotAString(&'static str),
    /// The value is none of the names that there are.
    NotAName {
        /// The parameter.
        parameter: &'static str,
        /// The names, separated by commas.
        names: String,
    },
    /// A parameter that the request cannot do without.
    Missing(&'static str),
    /// The query is not UTF-8 in percent-encoding.
    QueryEncoding,
    /// The body is said to be base64 and is not.
    BodyEncoding,
    /// The body is not a JSON object.
    BodyNotAnObject,
    /// A body came with a GET.
    BodyWithGet,
    /// A query came with a POST.
    QueryWithPost,
    /// The body is larger than 16 KiB.
    BodyTooLarge,
    /// The body is not said to be `application/json`.
    MediaType,
    /// Together the parameters make no policy.
    Policy(PolicyError),
    /// Together the parameters make no passphrase.
    Phrase(PhraseError),
}

impl From<PolicyError> for RequestError {
    fn from(error: PolicyError) -> Self {
        Self::Policy(error)
    }
}

impl From<PhraseError> for RequestError {
    fn from(error: PhraseError) -> Self {
        Self::Phrase(error)
    }
}

impl Generate {
    /// Reads the parameters of a GET or a POST.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(incoming: &Incoming) -> Result<Self, RequestError> {
        let mut asked = Constraints::default();
        let mut count = None;
        for (parameter, value) in named(parameters(incoming)?, &[&POLICY_PARAMETERS, &[COUNT]])? {
            match parameter {
                COUNT => count = Some(value.integer(parameter, 1, MAX_COUNT)?),
                _ => constrain(&mut asked, parameter, value)?,
            }
        }
        let policy = Policy::new(&asked)?;
        Ok(Self { policy, preset: asked.preset.map(|preset| preset.name), count })
    }
}

impl Passphrases {
    /// Reads the parameters of a GET or a POST.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(incoming: &Incoming) -> Result<Self, RequestError> {
        let mut asked = PhraseConstraints::default();
        let mut count = None;
        for (parameter, value) in named(parameters(incoming)?, &[&PHRASE_PARAMETERS, &[COUNT]])? {
            match parameter {
                "words" => asked.words = Some(value.integer(parameter, Phrase::MIN_WORDS, Phrase::MAX_WORDS)?),
                "wordlist" => {
                    let lists = Wordlist::ALL.into_iter().map(|list| (list.name(), list));
                    asked.wordlist = Some(value.one_of(parameter, lists)?);
                }
                "separator" => asked.separator = Some(value.string(parameter)?),
                "capitalize" => asked.capitalize = Some(value.boolean(parameter)?),
                "number" => asked.number = Some(value.boolean(parameter)?),
                "min_entropy" => asked.min_entropy = Some(value.integer(parameter, 1, Policy::MAX_ENTROPY)?),
                _ => count = Some(value.integer(parameter, 1, MAX_COUNT)?),
            }
        }
        Ok(Self { phrase: Phrase::new(&asked)?, count })
    }
}

impl Validate {
    /// Reads the parameters of a POST.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(incoming: &Incoming) -> Result<Self, RequestError> {
        let mut constraints = Constraints::default();
        let mut password = None;
        for (parameter, value) in named(parameters(incoming)?, &[&[PASSWORD], &POLICY_PARAMETERS])? {
            match parameter {
                PASSWORD => password = Some(Secret::of_text(value.string(parameter)?)),
                _ => constrain(&mut constraints, parameter, value)?,
            }
        }
        Ok(Self { password: password.ok_or(RequestError::Missing(PASSWORD))?, constraints })
    }
}

/// Takes in one of [`POLICY_PARAMETERS`].
fn constrain(asked: &mut Constraints, parameter: &'static str, value: Value) -> Result<(), RequestError> {
    let [lowercase, uppercase, digits, special] = &mut asked.classes;
    let minimum = |value: Value| value.integer(parameter, 0, Policy::MAX_LENGTH).map(Some);
    match parameter {
        "length" => asked.length = Some(value.integer(parameter, Policy::MIN_LENGTH, Policy::MAX_LENGTH)?),
        "lowercase" => lowercase.in_use = Some(value.boolean(parameter)?),
        "uppercase" => uppercase.in_use = Some(value.boolean(parameter)?),
        "digits" => digits.in_use = Some(value.boolean(parameter)?),
        "special" => special.in_use = Some(value.boolean(parameter)?),
        "min_lowercase" => lowercase.minimum = minimum(value)?,
        "min_uppercase" => uppercase.minimum = minimum(value)?,
        "min_digits" => digits.minimum = minimum(value)?,
        "min_special" => special.minimum = minimum(value)?,
        "symbols" => asked.symbols = Some(value.string(parameter)?),
        "exclude" => asked.exclude = Some(value.string(parameter)?),
        "exclude_similar" => asked.exclude_similar = Some(value.boolean(parameter)?),
        "max_consecutive" => asked.max_consecutive = Some(value.integer(parameter, 1, Policy::MAX_LENGTH)?),
        "no_repeats" => asked.no_repeats = Some(value.boolean(parameter)?),
        "start" => asked.start = Some(value.one_of(parameter, Start::ALL.into_iter().map(|one| (one.name(), one)))?),
        "min_classes" => asked.min_classes = Some(value.integer(parameter, 1, 4)?),
        "min_entropy" => asked.min_entropy = Some(value.integer(parameter, 1, Policy::MAX_ENTROPY)?),
        "passwordrules" => {
            let rules = PasswordRules::parse(&value.string(parameter)?);
            asked.rules = Some(rules.map_err(PolicyError::from)?);
        }
        _ => asked.preset = Some(value.one_of(parameter, PRESETS.iter().map(|preset| (preset.name, preset)))?),
    }
    Ok(())
}

/// The parameters by the names that they have here, each once.
fn named(
    parameters: Vec<(String, Value)>,
    known: &[&[&'static str]],
) -> Result<Vec<(&'static str, Value)>, RequestError> {
    let mut named: Vec<(&'static str, Value)> = Vec::with_capacity(parameters.len());
    for (name, value) in parameters {
        let all = || known.iter().copied().flatten().copied();
        let alias = || ALIASES.into_iter().find(|(alias, meant)| *alias == name && all().any(|one| one == *meant));
        let Some(parameter) = all().find(|one| *one == name).or_else(|| alias().map(|(_, meant)| meant)) else {
            let meant = near_miss(&name, all());
            return Err(RequestError::UnknownParameter { name, meant });
        };
        if named.iter().any(|(seen, _)| *seen == parameter) {
            return Err(RequestError::RepeatedParameter(parameter));
        }
        named.push((parameter, value));
    }
    Ok(named)
}

fn near_miss(name: &str, known: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // Longer names are no slip of the finger, and comparing them would cost time.
    if name.len() > 32 {
        return None;
    }
    let name = name.to_ascii_lowercase().replace('-', "_");
    let distance = |known: &str| strsim::damerau_levenshtein(known, &name);
    known.min_by_key(|known| distance(known)).filter(|known| distance(known) <= NEAR_MISS)
}
