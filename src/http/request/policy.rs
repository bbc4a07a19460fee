//! The parameters of a policy, which generate, describe and validate share.

use super::error::RequestError;
use super::parameters::Value;
use crate::password::{Constraints, PRESETS, PolicyError, Preset, Start, limits, parse_rules};

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
        MaxConsecutive = "max_consecutive",
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
        /// The name of a preset.
        Policy = "policy",
    }
}

/// What a request says about the policy.
#[derive(Debug, Default)]
pub(super) struct PolicyRequest {
    pub(super) constraints: Constraints,
    pub(super) preset: Option<&'static Preset>,
}

impl PolicyRequest {
    /// Reads one parameter.
    pub(super) fn set(&mut self, parameter: PolicyParameter, value: Value) -> Result<(), RequestError> {
        let name = parameter.name();
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
            PolicyParameter::MaxConsecutive => {
                constraints.max_consecutive = Some(value.integer(name, 1, limits::MAX_LENGTH)?);
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
            PolicyParameter::Policy => {
                self.preset = Some(value.one_of(name, PRESETS.iter().map(|preset| (preset.name, preset)))?);
            }
        }
        Ok(())
    }
}
