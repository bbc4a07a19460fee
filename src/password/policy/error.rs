//! Why constraints do not make a policy, in the words of their parameters.

use thiserror::Error;

use super::limits::{MAX_LENGTH, MAX_SETS, MIN_LENGTH};
use crate::password::charset::Class;
use crate::password::entropy::Entropy;
use crate::password::rules::parse::RulesError;

/// Why constraints do not make a policy.
#[derive(Clone, Debug, Error, PartialEq)]
#[expect(missing_docs, reason = "the text of each variant says what is wrong")]
pub enum PolicyError {
    #[error("{parameter} must be a whole number from {min} to {max}")]
    OutOfRange { parameter: &'static str, min: u16, max: u16 },
    #[error(transparent)]
    Rules(#[from] RulesError),
    #[error("{parameter} cannot be combined with {other}, which define the characters")]
    ClassParameterWith { parameter: &'static str, other: &'static str },
    #[error("charsets cannot be combined with passwordrules, which define the characters, too")]
    RulesWithCharsets,
    #[error("charsets must have 1 to {MAX_SETS} sets")]
    WrongNumberOfCharsets,
    #[error("exclude and exclude_similar remove every character of a set that {by} require; exclude fewer")]
    RequiredExcluded { by: &'static str },
    #[error("passwordrules allow only the space, which is used only if a required set has no other character")]
    OnlySpaceAllowed,
    #[error("passwordrules may require at most {MAX_SETS} different sets")]
    TooManyRequired,
    #[error("length must be a whole number from {min} to {max}, according to {by}")]
    OutsideLengths { by: &'static str, min: u16, max: u16 },
    #[error(
        "passwordrules require {} characters, but this service supports {MIN_LENGTH} to {MAX_LENGTH}",
        if *min > MAX_LENGTH { format!("at least {min}") } else { format!("at most {max}") }
    )]
    NoLength { min: u16, max: u16 },
    #[error("policy and {other} cannot be combined; send one of them")]
    PolicyWithCharacters { other: &'static str },
    #[error(
        "policy {policy} requires that {parameter} is {requirement}; parameters may add to a policy, but must not \
         weaken it"
    )]
    WeakensPolicy { policy: String, parameter: &'static str, requirement: String },
    #[error("No characters available: at least one of lowercase, uppercase, digits and special must be true")]
    NoClassInUse,
    #[error("No characters available: exclude and exclude_similar remove every character; exclude fewer")]
    AllExcluded,
    #[error(
        "exclude and exclude_similar remove every character of {name}, but {} is {min}; exclude fewer characters, or \
         set {name} to false",
        .class.min_name(),
        name = .class.name()
    )]
    ClassExcluded { class: Class, min: u16 },
    #[error(
        "{min_name} is {min}, but {name} is false; set {name} to true, or omit {min_name}",
        min_name = .class.min_name(),
        name = .class.name()
    )]
    MinOfUnusedClass { class: Class, min: u16 },
    #[error("length {length} is too short for {}", list(minima))]
    LengthTooShort { length: u16, minima: Vec<String> },
    /// No length was requested, and the sum of the minima exceeds the longest one.
    #[error("the minimums need {needed} characters, but a password has at most {longest}")]
    MinimaTooLarge { parameter: &'static str, needed: u32, longest: u16 },
    #[error("min_classes {min} requires characters of {min} classes, but only {classes} remain")]
    TooFewClasses { min: usize, classes: usize },
    #[error("start {start} has no character that remains")]
    NoStart { start: &'static str },
    #[error("no_repeats with length {length} requires {length} different characters, but only {available} remain")]
    TooFewCharacters { length: u16, available: u32 },
    #[error(
        "no_repeats with {} {min} requires {min} different characters of {}, but only {available} remain",
        .class.min_name(),
        .class.name()
    )]
    TooFewOfClass { class: Class, min: u16, available: u32 },
    #[error(
        "no_repeats cannot be combined with max_sequential, nor with max-sequential or max-consecutive of passwordrules; \
         omit one"
    )]
    NoRepeatsInSequence,
    #[error("max_repeating {max_repeating} with length {length} requires two different characters, but only 1 remains")]
    OneCharacter { length: u16, max_repeating: u16 },
    #[error("no password of length {length} satisfies {} together", list(constraints))]
    Unsatisfiable { length: u16, constraints: Vec<String> },
    /// Counting the passwords, or drawing one, would take too long.
    #[error("length {length} with {} is too expensive to count; shorten it or relax constraints", list(constraints))]
    TooExpensive { length: u16, constraints: Vec<String> },
    #[error(
        "length {length} has {} bits of entropy, less than min_entropy {min_entropy}; increase or omit length",
        .entropy.rounded_down()
    )]
    EntropyTooLow { length: u16, min_entropy: u16, entropy: Entropy },
    #[error("no length up to {longest} has min_entropy {min_entropy} with these constraints")]
    EntropyOutOfReach { min_entropy: u16, longest: u16 },
    #[error("symbols requires special, but special is false; omit one")]
    SymbolsWithoutSpecial,
    #[error("symbols must have at least one character")]
    NoSymbols,
    #[error("symbols must be ASCII punctuation; letters and digits have their own parameters")]
    SymbolsNotPunctuation,
}

impl PolicyError {
    /// The parameters that may be wrong. The first one that was sent is.
    #[must_use]
    pub fn parameters(&self) -> Vec<&'static str> {
        match self {
            Self::OutOfRange { parameter, .. }
            | Self::ClassParameterWith { parameter, .. }
            | Self::MinimaTooLarge { parameter, .. }
            | Self::WeakensPolicy { parameter, .. } => vec![parameter],
            Self::RulesWithCharsets | Self::WrongNumberOfCharsets => vec!["charsets"],
            Self::Rules(_) | Self::NoLength { .. } | Self::TooManyRequired | Self::OnlySpaceAllowed => {
                vec!["passwordrules"]
            }
            Self::PolicyWithCharacters { .. } => vec!["policy"],
            Self::LengthTooShort { .. } | Self::OutsideLengths { .. } => vec!["length"],
            Self::TooFewClasses { .. } => vec!["min_classes", "policy"],
            Self::NoStart { .. } => vec!["start", "policy"],
            Self::TooFewCharacters { .. } | Self::TooFewOfClass { .. } => vec!["no_repeats"],
            Self::NoRepeatsInSequence => vec!["no_repeats", "max_sequential", "policy"],
            Self::OneCharacter { .. } => vec!["max_repeating", "passwordrules"],
            Self::EntropyTooLow { .. } | Self::EntropyOutOfReach { .. } => vec!["min_entropy"],
            Self::AllExcluded | Self::ClassExcluded { .. } | Self::RequiredExcluded { .. } => {
                vec!["exclude", "exclude_similar"]
            }
            Self::MinOfUnusedClass { class, .. } => vec![class.min_name()],
            Self::SymbolsWithoutSpecial | Self::NoSymbols | Self::SymbolsNotPunctuation => vec!["symbols"],
            Self::NoClassInUse | Self::Unsatisfiable { .. } | Self::TooExpensive { .. } => Vec::new(),
        }
    }
}

/// `a, b and c`.
fn list(items: &[String]) -> String {
    match items {
        [] => "these constraints".to_owned(),
        [one] => one.clone(),
        [others @ .., last] => format!("{} and {last}", others.join(", ")),
    }
}
