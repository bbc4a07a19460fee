//! What a site's password rules say.
//!
//! Several `required` rules require one character each; a comma inside a rule means a character of any of the sets.
//! `allowed` adds characters that may appear. If neither is given, all of printable ASCII may appear. `unicode` is
//! read as `ascii-printable`, because passwords are ASCII.

use crate::password::charset::{CharSet, printable};

/// The class `special` of Apple's documentation, which includes the space. Other implementations count all punctuation,
/// which includes this set, so they accept what is drawn from it.
pub(super) const SPECIAL: &str = "-~!@#$%^&*_+=`|(){}[:;\"'<>,.?] ";

/// A site's password rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordRules {
    /// `minlength`, in characters.
    pub min_length: Option<u16>,
    /// `maxlength`, in characters.
    pub max_length: Option<u16>,
    /// The sets of which at least one character must appear.
    pub required: Vec<CharSet>,
    /// Further characters that may appear.
    pub allowed: CharSet,
    /// `max-consecutive`: the most identical characters in a row.
    pub max_consecutive: Option<u16>,
}

impl PasswordRules {
    /// The characters that may appear.
    #[must_use]
    pub fn pool(&self) -> CharSet {
        let named = self.required.iter().fold(self.allowed, |all, set| all.union(*set));
        if named.is_empty() { printable() } else { named }
    }
}
