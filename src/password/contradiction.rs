//! What is wrong with constraints, in the words of their parameters.

use std::fmt;

use super::alphabet::Class;
use super::count::Entropy;
use super::policy::Policy;
use super::rules::RulesError;

/// Why constraints make no policy.
#[derive(Clone, Debug, PartialEq)]
pub enum PolicyError {
    /// A value is out of its range.
    OutOfRange {
        /// The parameter.
        parameter: &'static str,
        /// The smallest good value.
        least: u16,
        /// The largest.
        most: u16,
    },
    /// A site's password rules are no good.
    Rules(RulesError),
    /// A parameter that says something of classes stands beside `passwordrules`.
    BesideRules {
        /// The parameter.
        parameter: &'static str,
    },
    /// `exclude` and `exclude_similar` leave none of a set that `passwordrules` require.
    RequiredExcluded,
    /// `passwordrules` require more sets than are taken.
    TooManyRequired {
        /// The most.
        most: usize,
    },
    /// A length is outside those that rules or a preset leave.
    OutsideLengths {
        /// What leaves them.
        by: &'static str,
        /// The shortest.
        least: u16,
        /// The longest.
        most: u16,
    },
    /// `passwordrules` leave no length that passwords here can have.
    NoLength {
        /// Their `minlength`, or 0.
        least: u16,
        /// Their `maxlength`, or 65535.
        most: u16,
    },
    /// A preset stands beside `passwordrules`.
    PresetBesideRules,
    /// A parameter takes away from what a preset demands.
    Weakens {
        /// The preset.
        preset: &'static str,
        /// The parameter.
        parameter: &'static str,
        /// What it may be.
        demand: String,
    },
    /// Every class is switched off.
    NoClassInUse,
    /// `exclude` and `exclude_similar` leave no character at all.
    AllExcluded,
    /// `exclude` and `exclude_similar` leave none of a class that must appear.
    ClassExcluded {
        /// The class of which nothing is left.
        class: Class,
        /// How many of it there would have to be.
        minimum: u16,
    },
    /// A minimum is given for a class that is not in use.
    MinimumOfUnusedClass {
        /// The class that is not in use.
        class: Class,
        /// How many of it were asked for.
        minimum: u16,
    },
    /// The minima together are more than the length.
    LengthTooShort {
        /// The length asked for.
        length: u16,
        /// What it would have to hold, each in words.
        demands: Vec<String>,
    },
    /// `min_classes` is more than there are classes to draw from.
    TooFewClasses {
        /// `min_classes`.
        wanted: usize,
        /// Classes in use of which a character is left.
        classes: usize,
    },
    /// `start` names no character that is left.
    NoStart {
        /// `start`.
        start: &'static str,
    },
    /// `no_repeats` with fewer characters left than the length.
    TooManyToDiffer {
        /// The length.
        length: u16,
        /// Characters left.
        remain: u32,
    },
    /// `no_repeats` with fewer characters of a class left than there must be.
    TooFewToDiffer {
        /// The class.
        class: Class,
        /// How many of it there must be.
        minimum: u16,
        /// How many of it are left.
        remain: u32,
    },
    /// `max_consecutive` with one character left.
    OneCharacter {
        /// The length.
        length: u16,
        /// `max_consecutive`.
        max_consecutive: u16,
    },
    /// No password of this length satisfies all the constraints together.
    Unsatisfiable {
        /// The length.
        length: u16,
        /// The constraints, each in words.
        constraints: Vec<String>,
    },
    /// Counting the passwords, or drawing one, would take too long.
    TooHard {
        /// The length.
        length: u16,
        /// The constraints, each in words.
        constraints: Vec<String>,
    },
    /// The length asked for has less entropy than `min_entropy`.
    EntropyTooLow {
        /// The length.
        length: u16,
        /// `min_entropy`, in bits.
        min_entropy: u16,
        /// What there is.
        entropy: Entropy,
    },
    /// No length has as much entropy as `min_entropy`.
    EntropyOutOfReach {
        /// `min_entropy`, in bits.
        min_entropy: u16,
        /// The longest password, in characters.
        longest: u16,
    },
    /// `symbols` is given and `special` is switched off.
    SymbolsWithoutSpecial,
    /// `symbols` is empty.
    NoSymbols,
    /// `symbols` holds something that is not ASCII punctuation.
    SymbolsNotPunctuation,
}

impl PolicyError {
    /// The parameter at fault, where it is one.
    #[must_use]
    pub const fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::OutOfRange { parameter, .. } | Self::BesideRules { parameter } | Self::Weakens { parameter, .. } => {
                Some(parameter)
            }
            Self::Rules(_) | Self::NoLength { .. } | Self::TooManyRequired { .. } => Some("passwordrules"),
            Self::PresetBesideRules => Some("policy"),
            Self::LengthTooShort { .. } | Self::OutsideLengths { .. } => Some("length"),
            Self::TooFewClasses { .. } => Some("min_classes"),
            Self::NoStart { .. } => Some("start"),
            Self::TooManyToDiffer { .. } | Self::TooFewToDiffer { .. } => Some("no_repeats"),
            Self::OneCharacter { .. } => Some("max_consecutive"),
            Self::EntropyTooLow { .. } | Self::EntropyOutOfReach { .. } => Some("min_entropy"),
            Self::AllExcluded | Self::ClassExcluded { .. } | Self::RequiredExcluded => Some("exclude"),
            Self::MinimumOfUnusedClass { class, .. } => Some(class.minimum_name()),
            Self::SymbolsWithoutSpecial | Self::NoSymbols | Self::SymbolsNotPunctuation => Some("symbols"),
            Self::NoClassInUse | Self::Unsatisfiable { .. } | Self::TooHard { .. } => None,
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoClassInUse => f.write_str("at least one of lowercase, uppercase, digits and special must be true"),
            Self::AllExcluded => f.write_str("exclude and exclude_similar leave no character to draw from"),
            Self::ClassExcluded { class, minimum } => write!(
                f,
                "exclude and exclude_similar leave none of {}, of which {} is {minimum}: exclude less, or set {} to false",
                class.name(),
                class.minimum_name(),
                class.name(),
            ),
            Self::MinimumOfUnusedClass { class, minimum } => write!(
                f,
                "{} is {minimum}, but {} is not in use: set {} to true, or leave {} out",
                class.minimum_name(),
                class.name(),
                class.name(),
                class.minimum_name(),
            ),
            Self::LengthTooShort { length, demands } => write!(f, "length {length} cannot hold {}", list(demands)),
            Self::OutOfRange { parameter, least, most } => {
                write!(f, "{parameter} must be a whole number from {least} to {most}")
            }
            Self::Rules(error) => error.fmt(f),
            Self::BesideRules { parameter } => {
                write!(f, "{parameter} cannot stand beside passwordrules, which say what characters there are")
            }
            Self::RequiredExcluded => {
                f.write_str("what is excluded leaves none of the characters that passwordrules require")
            }
            Self::TooManyRequired { most } => write!(f, "passwordrules may require {most} different sets at most"),
            Self::OutsideLengths { by, least, most } => {
                write!(f, "length must be a whole number from {least} to {most}, by {by}")
            }
            Self::NoLength { least, most } => {
                let (shortest, longest) = (Policy::MIN_LENGTH, Policy::MAX_LENGTH);
                write!(f, "passwords here have {shortest} to {longest} characters, and passwordrules ask for ")?;
                if *least > longest { write!(f, "{least} at least") } else { write!(f, "{most} at most") }
            }
            Self::PresetBesideRules => f.write_str("policy and passwordrules cannot stand together: give one of them"),
            Self::Weakens { preset, parameter, demand } => {
                write!(
                    f,
                    "policy {preset} demands that {parameter} is {demand}; parameters may add to a policy, not weaken it"
                )
            }
            Self::TooFewClasses { wanted, classes } => {
                write!(f, "min_classes {wanted} needs characters of {wanted} classes, {classes} remain")
            }
            Self::NoStart { start } => write!(f, "start {start} has no character left to begin with"),
            Self::TooManyToDiffer { length, remain } => {
                write!(f, "no_repeats with length {length} needs {length} different characters, {remain} remain")
            }
            Self::TooFewToDiffer { class, minimum, remain } => write!(
                f,
                "no_repeats with {} {minimum} needs {minimum} different characters of {}, {remain} remain",
                class.minimum_name(),
                class.name(),
            ),
            Self::OneCharacter { length, max_consecutive } => {
                write!(
                    f,
                    "max_consecutive {max_consecutive} with length {length} needs two different characters, 1 remains"
                )
            }
            Self::Unsatisfiable { length, constraints } => {
                write!(f, "no password of length {length} satisfies {} together", list(constraints))
            }
            Self::TooHard { length, constraints } => write!(
                f,
                "length {length} with {} is too hard to draw exactly: ask for a shorter password, or for less of these",
                list(constraints)
            ),
            Self::EntropyTooLow { length, min_entropy, entropy } => write!(
                f,
                "length {length} has {} bits of entropy, less than min_entropy {min_entropy}: ask for more, or leave \
                 length out",
                entropy.rounded_down()
            ),
            Self::EntropyOutOfReach { min_entropy, longest } => {
                write!(f, "no length up to {longest} has min_entropy {min_entropy} with these constraints")
            }
            Self::SymbolsWithoutSpecial => {
                f.write_str("symbols turns special on, but special is false: leave one of the two out")
            }
            Self::NoSymbols => f.write_str("symbols must name at least one character"),
            Self::SymbolsNotPunctuation => {
                f.write_str("symbols may hold ASCII punctuation only; letters and digits have parameters of their own")
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
