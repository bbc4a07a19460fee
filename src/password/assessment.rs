//! Checks a password that a caller sent against constraints, one by one.
//!
//! The messages reveal nothing about the password beyond what the constraints ask.

use super::charset::{Class, similar, special};
use super::entropy::Entropy;
use super::policy::Policy;
use super::policy::constraints::{Constraints, Start};
use super::policy::error::PolicyError;
use super::policy::limits::{LengthRange, MAX_LENGTH};
use super::policy::presets::Preset;
use super::policy::resolve::{ClassInUse, Origin, ResolvedRules};
use super::sampling::budget::WorkBudget;
use super::sampling::sampler::count;
use super::spec::PasswordSpec;
use super::verify::{SpecViolation, violations};

/// What a password is checked against: constraints without contradictions.
#[derive(Debug)]
pub struct PasswordCheck {
    /// The policy of all lengths that are accepted.
    policy: Policy,
    /// What is accepted of the longest of them, which may be more than what the policy draws.
    accepted: PasswordSpec,
    /// The classes in use, with all characters that are accepted.
    classes: Vec<ClassInUse>,
    /// Whether the longest length is a limit of the service and not of the policy.
    is_limit_of_service: bool,
    /// Whether only exclusions and classes that are not in use exclude a character.
    accepts_any: bool,
    /// `exclude`, which may name characters beyond ASCII.
    exclude: String,
}

/// The constraints that a password violates, and the entropy of a generated one in its place.
#[derive(Debug)]
pub(crate) struct Assessment {
    /// The violations.
    pub(crate) violations: Vec<Violation>,
    /// The entropy of passwords of this length that are generated under the policy, if there are any, and counting them
    /// is not too expensive.
    pub(crate) entropy: Option<Entropy>,
}

/// A constraint that a password violates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Violation {
    /// The parameter that states it.
    pub(crate) constraint: &'static str,
    /// What it requires.
    pub(crate) message: String,
    /// The least that it requires, if it is a number.
    pub(crate) min: Option<u16>,
    /// The most that it permits, if it is a number.
    pub(crate) max: Option<u16>,
}

impl PasswordCheck {
    /// Resolves constraints, which include those of the preset. Without `length`, any length that the other constraints
    /// permit is accepted. Fails if the constraints themselves are not valid, as far as it shows without counting.
    ///
    /// # Errors
    /// A [`PolicyError`] when the constraints themselves are not valid, as far as it shows without counting.
    pub fn new(constraints: &Constraints, preset: Option<&Preset>) -> Result<Self, PolicyError> {
        let policy = Policy::of_all_lengths(constraints, preset)?;
        let lengths = policy.lengths();
        let accepted = ResolvedRules::new(constraints, Origin::Chosen)?;
        let by_preset = preset.is_some_and(|preset| preset.accepts_any_character) && constraints.symbols.is_none();
        let by_rules = constraints.rules.as_ref().is_some_and(|rules| rules.pool().unicode);
        let longest = constraints.length.or(constraints.rules.as_ref().and_then(|rules| rules.max_length));
        Ok(Self {
            accepts_any: by_preset || by_rules,
            is_limit_of_service: lengths.max == MAX_LENGTH && longest != Some(MAX_LENGTH),
            accepted: accepted.spec(lengths.max),
            exclude: constraints.exclude.clone().unwrap_or_default(),
            classes: accepted.classes,
            policy,
        })
    }

    /// Checks that passwords satisfy the policy, if they can be counted.
    pub(crate) fn check_satisfiable(&self, budget: &mut WorkBudget) -> Result<(), PolicyError> {
        self.policy.check_satisfiable(budget)
    }

    /// Checks a password. Its entropy is unknown if counting takes more than the budget.
    pub(crate) fn assess(&self, password: &str, budget: &mut WorkBudget) -> Assessment {
        let characters = u16::try_from(password.chars().count()).unwrap_or(u16::MAX);
        let lengths = self.policy.lengths();
        let has_length = lengths.contains(characters);
        let of_length = has_length.then(|| self.policy.of_length(characters)).and_then(Result::ok);
        let count = of_length.and_then(|policy| count(policy.spec(), budget).ok());
        let mut found = Vec::new();
        let LengthRange { min, max } = lengths;
        if !has_length {
            let message = match (min == max, self.is_limit_of_service) {
                (true, _) => format!("must have {min} characters"),
                (false, false) => format!("must have {min} to {max} characters"),
                (false, true) => format!("must have {min} characters or more; this service checks at most {max}"),
            };
            found.push(Violation { constraint: "length", message, min: Some(min), max: Some(max) });
        }
        for violation in violations(&self.accepted, password) {
            found.extend(self.explain(violation, password));
        }
        if let (Some(bits), Some(count)) = (self.policy.min_entropy(), &count)
            && !count.reaches(bits)
        {
            let message = format!("the policy must have {bits} bits of entropy, and has less at this length");
            found.push(Violation { constraint: "min_entropy", message, min: Some(bits), max: None });
        }
        Assessment { violations: found, entropy: count.map(|count| count.entropy()) }
    }

    /// The violation in the words of the parameters.
    fn explain(&self, violation: SpecViolation, password: &str) -> Vec<Violation> {
        let one = |constraint, message, min, max| vec![Violation { constraint, message, min, max }];
        let at_least = |constraint, message, min| one(constraint, message, Some(min), None);
        let at_most = |own, message, max: usize, of_rules: Option<u16>| {
            let constraint = if of_rules.map(usize::from) == Some(max) { "passwordrules" } else { own };
            one(constraint, message, None, max.try_into().ok())
        };
        let policy = &self.policy;
        match violation {
            // Checked by `assess`, because more than one length may be valid.
            SpecViolation::Length => Vec::new(),
            SpecViolation::Character => self.disallowed_characters(password),
            SpecViolation::Requirement(index) => {
                let characters = self.accepted.requirements[index].characters;
                match self.classes.iter().find(|one| one.allowed == characters) {
                    Some(class) => {
                        let (name, min) = (class.class.name(), class.min);
                        at_least(class.class.min_name(), format!("must have at least {min} of {name}"), min)
                    }
                    None if policy.charsets().is_some() => {
                        let min = self.accepted.requirements[index].min;
                        at_least("charsets", format!("must have at least {min} of {characters}"), min)
                    }
                    None => at_least("passwordrules", format!("must have one of {characters}"), 1),
                }
            }
            SpecViolation::MinClasses => {
                let min = policy.min_classes().unwrap_or_default();
                at_least("min_classes", format!("must have characters of at least {min} of the classes in use"), min)
            }
            SpecViolation::MaxRepeating => {
                let max = self.accepted.longest_repetition();
                let message = format!("must not have one character more than {max} times in a row");
                at_most("max_repeating", message, max, policy.rules().and_then(|rules| rules.max_repeating))
            }
            SpecViolation::MaxSequential => {
                let max = self.accepted.longest_sequence();
                let message = format!("must not have more than {max} neighbours in a row, such as abc or 321");
                at_most("max_sequential", message, max, policy.rules().and_then(|rules| rules.max_sequential))
            }
            SpecViolation::NoRepeats => one("no_repeats", "must not have a character twice".into(), None, None),
            SpecViolation::Start => {
                let start = policy.start().map(Start::name).unwrap_or_default();
                one("start", format!("must begin with: {start}"), None, None)
            }
        }
    }

    /// The constraints that exclude the characters of a password that are not accepted.
    fn disallowed_characters(&self, password: &str) -> Vec<Violation> {
        let policy = &self.policy;
        let mut found: Vec<Violation> = Vec::new();
        for character in password.chars() {
            let byte = u8::try_from(character).unwrap_or(u8::MAX);
            if self.accepted.pool.contains(byte) {
                continue;
            }
            let letters_and_digits = [Class::Lowercase, Class::Uppercase, Class::Digits];
            let class = letters_and_digits.into_iter().find(|class| class.characters().contains(byte));
            let class = class.or(special().contains(byte).then_some(Class::Special));
            let has_classes = policy.charsets().is_none() && policy.rules().is_none();
            let unused = class.filter(|class| has_classes && policy.class(*class).is_none());
            let (constraint, message) = if self.exclude.contains(character) {
                ("exclude", "has an excluded character")
            } else if policy.exclude_similar() && similar().contains(byte) {
                ("exclude_similar", "has a character that looks like another")
            } else if let Some(class) = unused {
                let message = match class {
                    Class::Lowercase => "must not have lowercase letters",
                    Class::Uppercase => "must not have uppercase letters",
                    Class::Digits => "must not have digits",
                    Class::Special => "must not have special characters",
                };
                (class.name(), message)
            } else if self.accepts_any {
                continue;
            } else if policy.charsets().is_some() {
                ("charsets", "has a character that is in none of charsets")
            } else if policy.rules().is_some() {
                ("passwordrules", "has a character that is not allowed")
            } else if class == Some(Class::Special) {
                ("symbols", "has a special character that is not one of symbols")
            } else {
                ("special", "has a character that belongs to no class")
            };
            if found.iter().all(|known| known.constraint != constraint) {
                found.push(Violation { constraint, message: message.to_owned(), min: None, max: None });
            }
        }
        found
    }
}
