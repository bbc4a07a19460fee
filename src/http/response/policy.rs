//! A policy as the parameters that make it: sent back in a request, they make the same policy.

use serde::Serialize;

use crate::password::{Class, Policy, Start};

/// The resolved parameters of a policy.
#[derive(Serialize)]
#[serde(untagged)]
pub(super) enum ResolvedPolicy {
    Classes(ClassParameters),
    Rules(RulesParameters),
}

#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are the parameters")]
pub(super) struct ClassParameters {
    length: u16,
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
    exclude: String,
    exclude_similar: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_consecutive: Option<u16>,
    no_repeats: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_classes: Option<u16>,
}

#[derive(Serialize)]
pub(super) struct RulesParameters {
    length: u16,
    passwordrules: String,
    exclude: String,
    exclude_similar: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_consecutive: Option<u16>,
    no_repeats: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'static str>,
}

impl From<&Policy> for ResolvedPolicy {
    fn from(policy: &Policy) -> Self {
        let length = policy.length();
        let (exclude, exclude_similar) = (policy.exclude().to_string(), policy.exclude_similar());
        let (max_consecutive, no_repeats) = (policy.spec().max_consecutive, policy.spec().no_repeats);
        let start = policy.start().map(Start::name);
        if let Some(rules) = policy.rules() {
            return Self::Rules(RulesParameters {
                length,
                passwordrules: rules.to_string(),
                exclude,
                exclude_similar,
                max_consecutive,
                no_repeats,
                start,
            });
        }
        let min = |class| policy.class(class).map_or(0, |one| one.min);
        let in_use = |class| policy.class(class).is_some();
        Self::Classes(ClassParameters {
            length,
            lowercase: in_use(Class::Lowercase),
            uppercase: in_use(Class::Uppercase),
            digits: in_use(Class::Digits),
            special: in_use(Class::Special),
            min_lowercase: min(Class::Lowercase),
            min_uppercase: min(Class::Uppercase),
            min_digits: min(Class::Digits),
            min_special: min(Class::Special),
            symbols: policy.class(Class::Special).map(|one| one.characters.to_string()),
            exclude,
            exclude_similar,
            max_consecutive,
            no_repeats,
            start,
            min_classes: policy.min_classes(),
        })
    }
}
