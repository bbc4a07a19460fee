//! Checks a password that a caller sent against constraints, one by one, and estimates its strength.
//!
//! The messages reveal nothing about the password beyond what the constraints ask.

use zxcvbn::feedback::Feedback;
use zxcvbn::zxcvbn;

use super::charset::{CharSet, Class, similar};
use super::entropy::Entropy;
use super::policy::Policy;
use super::policy::constraints::{Constraints, Start};
use super::policy::error::PolicyError;
use super::policy::presets::Preset;
use super::policy::resolve::{ResolvedRules, Spaces, length_range};
use super::sampling::budget::WorkBudget;
use super::sampling::sampler::count;
use super::verify::{SpecViolation, violations};

/// The number of characters whose strength is estimated. The time to estimate grows very fast for text in which many
/// characters can stand for others: such a text takes a tenth of a second at 32 characters and two seconds at 100.
const MAX_ESTIMATED: usize = 32;

/// The constraints that a password violates, and the entropy of a generated one in its place.
#[derive(Debug)]
pub struct Assessment {
    /// The violations.
    pub violations: Vec<Violation>,
    /// The entropy of passwords of this length that are generated under the policy, if there are any.
    pub entropy: Option<Entropy>,
}

/// A constraint that a password violates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The parameter that states it.
    pub constraint: &'static str,
    /// What it requires.
    pub message: String,
}

/// Checks a password against constraints. Without `length`, any length that the other constraints allow is accepted.
///
/// # Errors
/// A [`PolicyError`] when the constraints themselves are not valid, whatever the password.
pub fn assess(constraints: &Constraints, preset: Option<&Preset>, password: &str) -> Result<Assessment, PolicyError> {
    let widened = preset.map(|preset| preset.widen(constraints));
    let constraints = widened.as_ref().unwrap_or(constraints);
    let lengths = length_range(constraints, preset)?;
    let characters = u16::try_from(password.chars().count()).unwrap_or(u16::MAX);
    let of_length =
        |length| Policy::new(&Constraints { length: Some(length), min_entropy: None, ..constraints.clone() }, preset);
    // If the password's own length is too short for the other constraints, the password is wrong and not they.
    let own = constraints.length.unwrap_or(characters.clamp(lengths.min, lengths.max));
    let policy = of_length(own).or_else(|error| {
        let others = [lengths.default_length(), lengths.max].into_iter().filter(|_| constraints.length.is_none());
        others.map(of_length).find_map(Result::ok).ok_or(error)
    })?;
    let length_is_valid = match constraints.length {
        Some(length) => characters == length,
        None => lengths.contains(characters),
    };
    let count = (length_is_valid && policy.length() == characters)
        .then(|| count(policy.spec(), &mut WorkBudget::new()))
        .and_then(Result::ok);

    let mut found = Vec::new();
    if !length_is_valid {
        let message = match constraints.length {
            Some(length) => format!("must have {length} characters"),
            None => format!("must have {} to {} characters", lengths.min, lengths.max),
        };
        found.push(Violation { constraint: "length", message });
    }
    let accepted = match constraints.rules {
        Some(_) => ResolvedRules::new(constraints, Spaces::Accepted)?.spec(policy.length()),
        None => policy.spec().clone(),
    };
    for violation in violations(&accepted, password) {
        match violation {
            // Checked above, because more than one length may be valid.
            SpecViolation::Length => {}
            SpecViolation::Character => {
                let accepts_any =
                    preset.is_some_and(|preset| preset.accepts_any_character) && constraints.symbols.is_none();
                found.extend(disallowed_characters(&policy, accepted.pool, accepts_any, password));
            }
            SpecViolation::Requirement(index) => {
                let characters = accepted.requirements[index].characters;
                found.push(match policy.classes().iter().find(|one| one.allowed == characters) {
                    Some(class) => Violation {
                        constraint: class.class.min_name(),
                        message: format!("must have at least {} of {}", class.min, class.class.name()),
                    },
                    None => {
                        Violation { constraint: "passwordrules", message: format!("must have one of {characters}") }
                    }
                });
            }
            SpecViolation::MinClasses => {
                let min = policy.min_classes().unwrap_or_default();
                let message = format!("must have characters of at least {min} of the classes in use");
                found.push(Violation { constraint: "min_classes", message });
            }
            SpecViolation::MaxConsecutive => {
                let max = accepted.longest_run();
                let by_rules = policy.rules().is_some_and(|rules| rules.max_consecutive.map(usize::from) == Some(max));
                let constraint = if by_rules { "passwordrules" } else { "max_consecutive" };
                let message = format!("must not have one character more than {max} times in a row");
                found.push(Violation { constraint, message });
            }
            SpecViolation::NoRepeats => {
                let message = "must not have a character twice".into();
                found.push(Violation { constraint: "no_repeats", message });
            }
            SpecViolation::Start => {
                let start = policy.start().map(Start::name).unwrap_or_default();
                found.push(Violation { constraint: "start", message: format!("must begin with: {start}") });
            }
        }
    }
    if let (Some(bits), Some(count)) = (constraints.min_entropy, &count)
        && !count.reaches(bits)
    {
        let message = format!("the policy must have {bits} bits of entropy, and has less at this length");
        found.push(Violation { constraint: "min_entropy", message });
    }
    Ok(Assessment { violations: found, entropy: count.map(|count| count.entropy()) })
}

/// The constraints that exclude the characters of a password that are not in the pool. `accepts_any` says that only
/// exclusions and classes that are not in use exclude a character.
fn disallowed_characters(policy: &Policy, pool: CharSet, accepts_any: bool, password: &str) -> Vec<Violation> {
    let mut found: Vec<Violation> = Vec::new();
    for character in password.chars() {
        let byte = u8::try_from(character).unwrap_or(u8::MAX);
        if pool.contains(byte) {
            continue;
        }
        let letters_and_digits = [Class::Lowercase, Class::Uppercase, Class::Digits];
        let class = letters_and_digits.into_iter().find(|class| class.characters().contains(byte));
        let class = class.or(byte.is_ascii_punctuation().then_some(Class::Special));
        let (constraint, message) = if policy.exclude().contains(byte) {
            ("exclude", "has an excluded character".to_owned())
        } else if policy.exclude_similar() && similar().contains(byte) {
            ("exclude_similar", "has a character that looks like another".to_owned())
        } else if policy.rules().is_some() {
            ("passwordrules", "has a character that is not allowed".to_owned())
        } else {
            match class {
                Some(class) if accepts_any && policy.class(class).is_some() => continue,
                None if accepts_any => continue,
                Some(class) if policy.class(class).is_none() => {
                    (class.name(), format!("must not have characters of {}", class.name()))
                }
                Some(Class::Special) => ("symbols", "has a special character that is not one of symbols".to_owned()),
                _ => ("special", "has a character that belongs to no class".to_owned()),
            }
        };
        if found.iter().all(|known| known.constraint != constraint) {
            found.push(Violation { constraint, message });
        }
    }
    found
}

/// An estimate of how hard a password is to guess, for an attacker who tries words, names, dates and keyboard patterns
/// first.
#[derive(Clone, Debug, PartialEq)]
pub struct Strength {
    /// 0 to 4: fewer than 10^3, 10^6, 10^8, 10^10 guesses, or more.
    pub score: u8,
    /// The estimated number of guesses.
    pub guesses: u64,
    /// What is wrong with the password.
    pub warning: Option<String>,
    /// What would improve it.
    pub suggestions: Vec<String>,
}

/// Estimates the strength of a password by its first 32 characters. Further characters do not make it weaker.
#[must_use]
pub fn strength(password: &str) -> Strength {
    let end = password.char_indices().nth(MAX_ESTIMATED).map_or(password.len(), |(at, _)| at);
    let estimate = zxcvbn(&password[..end], &[]);
    let feedback = estimate.feedback();
    let suggestions = feedback.map(|feedback| feedback.suggestions().iter().map(ToString::to_string).collect());
    Strength {
        score: estimate.score().into(),
        guesses: estimate.guesses(),
        warning: feedback.and_then(Feedback::warning).map(|warning| warning.to_string()),
        suggestions: suggestions.unwrap_or_default(),
    }
}
