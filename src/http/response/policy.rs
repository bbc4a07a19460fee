//! A policy as the parameters that make it: sent back in a request, they make the same policy.

use serde::Serialize;

use crate::password::{Class, NamedPolicy, Policy, Requirement, Start};

/// The resolved parameters of a policy.
#[derive(Serialize)]
pub(super) struct ResolvedPolicy {
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
pub(super) struct Title<'a> {
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
