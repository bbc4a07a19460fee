//! Why constraints do not make a policy, in the words of their parameters.

use std::fmt;

use super::limits;
use crate::password::charset::Class;
use crate::password::entropy::Entropy;
use crate::password::rules::parse::RulesError;

/// Why constraints do not make a policy.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyError {
    /// A value is out of its range.
    OutOfRange {
        /// The parameter.
        parameter: &'static str,
        /// The smallest valid value.
        min: u16,
        /// The largest valid value.
        max: u16,
    },
    /// A site's password rules are not valid.
    Rules(RulesError),
    /// A parameter of classes is given together with `passwordrules` or `charsets`.
    ClassParameterWith {
        /// The parameter.
        parameter: &'static str,
        /// The other one.
        other: &'static str,
    },
    /// `passwordrules` and `charsets` are given together.
    RulesWithCharsets,
    /// There is no set in `charsets`, or there are too many.
    WrongNumberOfCharsets,
    /// `exclude` and `exclude_similar` remove every character of a set that is required.
    RequiredExcluded {
        /// The parameter that requires it.
        by: &'static str,
    },
    /// `passwordrules` allow only the space and do not require it.
    OnlySpaceAllowed,
    /// `passwordrules` require too many sets.
    TooManyRequired,
    /// The length is not one that rules or a preset allow.
    OutsideLengths {
        /// `passwordrules`, or the name of the preset.
        source: &'static str,
        /// The shortest.
        min: u16,
        /// The longest.
        max: u16,
    },
    /// `passwordrules` allow no length that this service supports.
    NoLength {
        /// Their `minlength`, or 0.
        min: u16,
        /// Their `maxlength`, or 65535.
        max: u16,
    },
    /// A named policy is given together with `passwordrules` or `charsets`.
    PolicyWithCharacters {
        /// The other parameter.
        other: &'static str,
    },
    /// A parameter weakens a requirement of a named policy.
    WeakensPolicy {
        /// The policy.
        policy: String,
        /// The parameter.
        parameter: &'static str,
        /// What it must be.
        requirement: String,
    },
    /// No class is in use.
    NoClassInUse,
    /// `exclude` and `exclude_similar` remove every character.
    AllExcluded,
    /// `exclude` and `exclude_similar` remove every character of a required class.
    ClassExcluded {
        /// The class.
        class: Class,
        /// The fewest characters of it.
        min: u16,
    },
    /// A minimum is given for a class that is not in use.
    MinOfUnusedClass {
        /// The class.
        class: Class,
        /// The minimum.
        min: u16,
    },
    /// The sum of the minima exceeds the length.
    LengthTooShort {
        /// The length.
        length: u16,
        /// The minima, in words.
        minima: Vec<String>,
    },
    /// No length was requested, and the sum of the minima exceeds the longest one.
    MinimaTooLarge {
        /// The parameter of the largest minimum.
        parameter: &'static str,
        /// The characters that the minima need.
        needed: u32,
        /// The longest length.
        longest: u16,
    },
    /// `min_classes` exceeds the number of classes that have characters.
    TooFewClasses {
        /// `min_classes`.
        min: usize,
        /// Classes in use that have characters.
        classes: usize,
    },
    /// No character that remains may be first.
    NoStart {
        /// `start`.
        start: &'static str,
    },
    /// `no_repeats` with fewer characters than the length.
    TooFewCharacters {
        /// The length.
        length: u16,
        /// Characters that remain.
        available: u32,
    },
    /// `no_repeats` with fewer characters of a class than its minimum.
    TooFewOfClass {
        /// The class.
        class: Class,
        /// The fewest characters of it.
        min: u16,
        /// Characters of it that remain.
        available: u32,
    },
    /// `no_repeats` and `max_sequential` are given together.
    NoRepeatsInSequence,
    /// `max_repeating` with only one character.
    OneCharacter {
        /// The length.
        length: u16,
        /// `max_repeating`.
        max_repeating: u16,
    },
    /// No password of this length satisfies all the constraints together.
    Unsatisfiable {
        /// The length.
        length: u16,
        /// The constraints, in words.
        constraints: Vec<String>,
    },
    /// Counting the passwords, or drawing one, would take too long.
    TooExpensive {
        /// The length.
        length: u16,
        /// The constraints, in words.
        constraints: Vec<String>,
    },
    /// The requested length has less entropy than `min_entropy`.
    EntropyTooLow {
        /// The length.
        length: u16,
        /// `min_entropy`, in bits.
        min_entropy: u16,
        /// The entropy of the length.
        entropy: Entropy,
    },
    /// No length has as much entropy as `min_entropy`.
    EntropyOutOfReach {
        /// `min_entropy`, in bits.
        min_entropy: u16,
        /// The longest password, in characters.
        longest: u16,
    },
    /// `symbols` is given and `special` is false.
    SymbolsWithoutSpecial,
    /// `symbols` is empty.
    NoSymbols,
    /// `symbols` has a character that is not ASCII punctuation.
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

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClassInUse => f.write_str(
                "No characters available: at least one of lowercase, uppercase, digits and special must be true",
            ),
            Self::AllExcluded => f.write_str(
                "No characters available: exclude and exclude_similar remove every character; exclude fewer",
            ),
            Self::ClassExcluded { class, min } => {
                let (name, min_name) = (class.name(), class.min_name());
                write!(f, "exclude and exclude_similar remove every character of {name}, but {min_name} is {min}; ")?;
                write!(f, "exclude fewer characters, or set {name} to false")
            }
            Self::MinOfUnusedClass { class, min } => {
                let (name, min_name) = (class.name(), class.min_name());
                write!(f, "{min_name} is {min}, but {name} is false; set {name} to true, or omit {min_name}")
            }
            Self::LengthTooShort { length, minima } => write!(f, "length {length} is too short for {}", list(minima)),
            Self::MinimaTooLarge { needed, longest, .. } => {
                write!(f, "the minimums need {needed} characters, but a password has at most {longest}")
            }
            Self::OutOfRange { parameter, min, max } => {
                write!(f, "{parameter} must be a whole number from {min} to {max}")
            }
            Self::Rules(error) => error.fmt(f),
            Self::ClassParameterWith { parameter, other } => {
                write!(f, "{parameter} cannot be combined with {other}, which define the characters")
            }
            Self::RulesWithCharsets => {
                f.write_str("charsets cannot be combined with passwordrules, which define the characters, too")
            }
            Self::WrongNumberOfCharsets => write!(f, "charsets must have 1 to {} sets", limits::MAX_SETS),
            Self::RequiredExcluded { by } => write!(
                f,
                "exclude and exclude_similar remove every character of a set that {by} require; exclude fewer"
            ),
            Self::OnlySpaceAllowed => f.write_str(
                "passwordrules allow only the space, which is used only if a required set has no other character",
            ),
            Self::TooManyRequired => {
                write!(f, "passwordrules may require at most {} different sets", limits::MAX_SETS)
            }
            Self::OutsideLengths { source, min, max } => {
                write!(f, "length must be a whole number from {min} to {max}, according to {source}")
            }
            Self::NoLength { min, max } => {
                let (shortest, longest) = (limits::MIN_LENGTH, limits::MAX_LENGTH);
                write!(f, "passwordrules require ")?;
                if *min > longest { write!(f, "at least {min}") } else { write!(f, "at most {max}") }?;
                write!(f, " characters, but this service supports {shortest} to {longest}")
            }
            Self::PolicyWithCharacters { other } => {
                write!(f, "policy and {other} cannot be combined; send one of them")
            }
            Self::WeakensPolicy { policy, parameter, requirement } => write!(
                f,
                "policy {policy} requires that {parameter} is {requirement}; parameters may add to a policy, but must \
                 not weaken it"
            ),
            Self::TooFewClasses { min, classes } => {
                write!(f, "min_classes {min} requires characters of {min} classes, but only {classes} remain")
            }
            Self::NoStart { start } => write!(f, "start {start} has no character that remains"),
            Self::TooFewCharacters { length, available } => write!(
                f,
                "no_repeats with length {length} requires {length} different characters, but only {available} remain"
            ),
            Self::TooFewOfClass { class, min, available } => {
                let (name, min_name) = (class.name(), class.min_name());
                write!(f, "no_repeats with {min_name} {min} requires {min} different characters of {name}, ")?;
                write!(f, "but only {available} remain")
            }
            Self::NoRepeatsInSequence => f.write_str("no_repeats cannot be combined with max_sequential; omit one"),
            Self::OneCharacter { length, max_repeating } => write!(
                f,
                "max_repeating {max_repeating} with length {length} requires two different characters, but only 1 \
                 remains"
            ),
            Self::Unsatisfiable { length, constraints } => {
                write!(f, "no password of length {length} satisfies {} together", list(constraints))
            }
            Self::TooExpensive { length, constraints } => write!(
                f,
                "length {length} with {} is too expensive to count; shorten it or relax constraints",
                list(constraints)
            ),
            Self::EntropyTooLow { length, min_entropy, entropy } => write!(
                f,
                "length {length} has {} bits of entropy, less than min_entropy {min_entropy}; increase or omit length",
                entropy.rounded_down()
            ),
            Self::EntropyOutOfReach { min_entropy, longest } => {
                write!(f, "no length up to {longest} has min_entropy {min_entropy} with these constraints")
            }
            Self::SymbolsWithoutSpecial => f.write_str("symbols requires special, but special is false; omit one"),
            Self::NoSymbols => f.write_str("symbols must have at least one character"),
            Self::SymbolsNotPunctuation => {
                f.write_str("symbols must be ASCII punctuation; letters and digits have their own parameters")
            }
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

impl From<RulesError> for PolicyError {
    fn from(error: RulesError) -> Self {
        Self::Rules(error)
    }
}

impl std::error::Error for PolicyError {}
