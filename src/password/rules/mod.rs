//! Apple's Password Rules, the text that web sites give to password managers
//! (<https://developer.apple.com/password-rules/>).
//!
//! Several `required` mean all of them, each by one character; a comma inside one means any of them.
//! `allowed` adds to the characters that may appear and demands nothing. Where neither is given, all of
//! printable ASCII may appear. `unicode` is taken for `ascii-printable`: passwords here are ASCII.

mod parse;
mod write;

pub use parse::{RulesError, RulesFault};
pub use write::password_rules;

use super::alphabet::{CharSet, printable};

/// The class `special`, as Apple's documentation has it; the space belongs to it. Other implementations
/// count all punctuation, of which this is a part: what is drawn from it satisfies them too.
const SPECIAL: &str = "-~!@#$%^&*_+=`|(){}[:;\"'<>,.?] ";

/// What a site's password rules ask for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordRules {
    /// `minlength`, in characters.
    pub min_length: Option<u16>,
    /// `maxlength`, in characters.
    pub max_length: Option<u16>,
    /// The sets of which a character must appear.
    pub required: Vec<CharSet>,
    /// Characters that may appear beside the required ones.
    pub allowed: CharSet,
    /// `max-consecutive`: at most this many of one character in a row.
    pub max_consecutive: Option<u16>,
}

impl PasswordRules {
    /// Reads password rules.
    ///
    /// # Errors
    /// A [`RulesError`] that names the place and what would be right there.
    pub fn parse(text: &str) -> Result<Self, RulesError> {
        parse::Reader::new(text).rules()
    }

    /// The characters that may appear.
    #[must_use]
    pub fn pool(&self) -> CharSet {
        let named = self.required.iter().fold(self.allowed, |all, set| all.union(*set));
        if named.is_empty() { printable() } else { named }
    }
}
