//! Vault's language of password policies (<https://developer.hashicorp.com/vault/docs/concepts/password-policies>): the
//! part of HCL 1, and of its JSON form, that such a policy has.
//!
//! Vault ignores names that it does not know, and keeps one of several values. This reader accepts what Vault accepts and
//! reads it as Vault does, except where something would be ignored or lost: it refuses that, and names it.
//!
//! A name that the language does not have ends the reading, so nesting is never deeper than a policy's own. Reading takes
//! time in proportion to the length of the text.

mod reader;
mod scanner;
#[cfg(test)]
mod tests;
mod write;

use serde_json::{Value, json};
use thiserror::Error;

use super::cursor::Fault;
use crate::password::spec::Requirement;
pub use reader::VaultPolicy;
use reader::{Reader, length_out_of_range};
pub(crate) use write::write_hcl;

/// The longest text of a policy, in bytes.
const MAX_TEXT: usize = 4096;

/// What is wrong with a policy in Vault's language, and where. Line and column are counted from 1, in characters.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct HclError {
    pub line: usize,
    pub column: usize,
    message: String,
}

impl VaultPolicy {
    /// Reads a text: HCL or its JSON form.
    ///
    /// # Errors
    /// An error with line and column.
    pub fn parse(text: &str) -> Result<Self, HclError> {
        let read = if text.len() > MAX_TEXT {
            let problem = format!("the policy has more than {MAX_TEXT} bytes");
            Err(Fault::new(text.floor_char_boundary(MAX_TEXT), problem))
        } else {
            Reader::new(text).policy()
        };
        read.map_err(|fault| HclError::new(&fault, text))
    }

    /// The parameters of this service that mean the same, as JSON.
    pub(crate) fn parameters(&self) -> String {
        let charset = |rule: &Requirement| json!({ "characters": rule.characters.to_string(), "min": rule.min });
        let charsets: Vec<Value> = self.rules.iter().map(charset).collect();
        json!({ "charsets": charsets, "length": self.length }).to_string()
    }
}

impl HclError {
    fn new(Fault { at, problem }: &Fault, text: &str) -> Self {
        let before = text.get(..*at).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.chars().rev().take_while(|one| *one != '\n').count() + 1;
        let place = format!("line {line}, column {column}");
        // As in Vault, this error begins with its text.
        let message = if *problem == length_out_of_range() {
            format!("{problem} ({place})")
        } else {
            format!("{place}: {problem}")
        };
        Self { line, column, message }
    }
}
