//! A policy in Vault's language, as far as this service can draw what it says.

use serde_json::{Value, json};

use super::cursor::Cursor;
use super::draft::{Draft, Number};
use super::error::{Fault, HclError, HclErrorKind, MAX_TEXT};
use super::{json as json_form, language};
use crate::password::policy::limits;
use crate::password::spec::Requirement;

/// What a policy in Vault's language says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPolicy {
    /// Characters in a password.
    pub length: u16,
    /// The charsets with their minima, in their order. Together they are the pool.
    pub rules: Vec<Requirement>,
}

impl VaultPolicy {
    /// Reads a text: HCL or its JSON form.
    ///
    /// # Errors
    /// An [`HclError`] with line and column.
    pub fn parse(text: &str) -> Result<Self, HclError> {
        read(&mut Cursor::new(text), text).map_err(|fault| fault.located(text))
    }

    /// The parameters of this service that mean the same, as JSON.
    #[must_use]
    pub fn parameters(&self) -> String {
        let charset = |rule: &Requirement| json!({ "characters": rule.characters.to_string(), "min": rule.min });
        let charsets: Vec<Value> = self.rules.iter().map(charset).collect();
        json!({ "charsets": charsets, "length": self.length }).to_string()
    }
}

pub(super) fn read(cursor: &mut Cursor<'_>, text: &str) -> Result<VaultPolicy, Fault> {
    if text.len() > MAX_TEXT {
        return Err(Fault::new(text.floor_char_boundary(MAX_TEXT), HclErrorKind::TooLong));
    }
    let is_json = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
    check(&if is_json { json_form::read(cursor)? } else { language::read(cursor)? }, text.len())
}

/// Checks a policy as a whole. `end` is the length of its text, where what is missing is reported.
fn check(draft: &Draft, end: usize) -> Result<VaultPolicy, Fault> {
    let (value, at) = draft.length.map_or((0, end), |Number { value, at }| (value, at));
    let length = u16::try_from(value).ok().filter(|length| (limits::MIN_LENGTH..=limits::MAX_LENGTH).contains(length));
    let length = length.ok_or(Fault::new(at, HclErrorKind::Length))?;
    let mut rules = Vec::new();
    let mut needed = 0_u64;
    for rule in &draft.rules {
        let (value, min_at) = rule.min.map_or((0, rule.at), |Number { value, at }| (value, at));
        let min = u64::try_from(value).unwrap_or(0);
        let characters = rule.charset.unwrap_or_default();
        if characters.is_empty() && min > 0 {
            return Err(Fault::new(min_at, HclErrorKind::MinOfEmptySet));
        }
        needed = needed.saturating_add(min);
        if !characters.is_empty() {
            // A larger minimum exceeds the length.
            rules.push(Requirement { characters, min: u16::try_from(min).unwrap_or(u16::MAX) });
        }
        if rules.len() > limits::MAX_SETS {
            return Err(Fault::new(rule.at, HclErrorKind::TooManySets));
        }
    }
    if needed > u64::from(length) {
        return Err(Fault::new(at, HclErrorKind::MinimaAboveLength { needed, length }));
    }
    if rules.is_empty() {
        return Err(Fault::new(end, HclErrorKind::NoCharacters));
    }
    Ok(VaultPolicy { length, rules })
}
