//! What a site's password rules say.
//!
//! Several `required` rules require one character each; a comma inside a rule means a character of any of the sets.
//! `allowed` adds characters that may appear. If neither is given, all of printable ASCII may appear.
//!
//! What is drawn is narrower than what a site accepts: `unicode` is drawn from printable ASCII, because passwords are ASCII,
//! and `special` from the characters that Apple's documentation names, because all implementations accept those.
//!
//! `max-consecutive` means `max-repeating` and `max-sequential` since September 2026, when Apple replaced it by them.

use crate::password::charset::{CharSet, Class, printable, special};

/// The class `special` of Apple's documentation, which includes the space.
const SPECIAL: &str = "-~!@#$%^&*_+=`|(){}[:;\"'<>,.?] ";

/// The classes by name, in the order in which rules are written.
pub(super) fn classes() -> [(&'static str, RuleSet); 6] {
    // Sites accept all punctuation.
    let special = RuleSet { drawn: CharSet::from_text(SPECIAL), accepted: special(), unicode: false };
    [
        ("unicode", RuleSet { unicode: true, ..printable().into() }),
        ("ascii-printable", printable().into()),
        ("lower", Class::Lowercase.characters().into()),
        ("upper", Class::Uppercase.characters().into()),
        ("digit", Class::Digits.characters().into()),
        ("special", special),
    ]
}

/// A site's password rules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PasswordRules {
    /// `minlength`, in characters.
    pub min_length: Option<u16>,
    /// `maxlength`, in characters.
    pub max_length: Option<u16>,
    /// The sets of which at least one character must appear.
    pub required: Vec<RuleSet>,
    /// Further characters that may appear.
    pub allowed: RuleSet,
    /// `max-repeating`: the most identical characters in a row.
    pub max_repeating: Option<u16>,
    /// `max-sequential`: the most neighbours of a-z, A-Z or 0-9 in a row, upwards or downwards.
    pub max_sequential: Option<u16>,
}

/// The characters of one rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RuleSet {
    /// Those that a generated password takes.
    pub drawn: CharSet,
    /// The ASCII characters that the site accepts.
    pub accepted: CharSet,
    /// Whether the site accepts every other character, too.
    pub unicode: bool,
}

impl RuleSet {
    /// Whether the set has all of another one.
    pub(super) fn contains(self, other: Self) -> bool {
        other.without(self) == Self::default()
    }

    pub(super) fn without(self, other: Self) -> Self {
        Self {
            drawn: self.drawn.without(other.drawn),
            accepted: self.accepted.without(other.accepted),
            unicode: self.unicode && !other.unicode,
        }
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self {
            drawn: self.drawn.union(other.drawn),
            accepted: self.accepted.union(other.accepted),
            unicode: self.unicode || other.unicode,
        }
    }
}

impl From<CharSet> for RuleSet {
    fn from(set: CharSet) -> Self {
        Self { drawn: set, accepted: set, unicode: false }
    }
}

impl PasswordRules {
    /// The characters that may appear.
    pub(in crate::password) fn pool(&self) -> RuleSet {
        let named = self.required.iter().fold(self.allowed, |all, set| all.union(*set));
        if named == RuleSet::default() { printable().into() } else { named }
    }
}
