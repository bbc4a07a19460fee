//! Character classes, look-alikes, and sets of characters.

use std::fmt;

/// The four classes of characters a password is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// `a` to `z`.
    Lowercase,
    /// `A` to `Z`.
    Uppercase,
    /// `0` to `9`.
    Digits,
    /// Punctuation: ``!@#$%^&*()_+-=[]{}|;:,.<>?`` unless the caller names other symbols.
    Special,
}

impl Class {
    /// Every class, in the order in which answers name them.
    pub const ALL: [Self; 4] = [Self::Lowercase, Self::Uppercase, Self::Digits, Self::Special];

    /// The parameter that switches the class on and off.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
            Self::Digits => "digits",
            Self::Special => "special",
        }
    }

    /// The parameter that says how many characters of the class there are at least.
    #[must_use]
    pub const fn minimum_name(self) -> &'static str {
        match self {
            Self::Lowercase => "min_lowercase",
            Self::Uppercase => "min_uppercase",
            Self::Digits => "min_digits",
            Self::Special => "min_special",
        }
    }

    /// The characters of the class before anything is excluded.
    #[must_use]
    pub fn characters(self) -> CharSet {
        CharSet::of(match self {
            Self::Lowercase => "abcdefghijklmnopqrstuvwxyz",
            Self::Uppercase => "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            Self::Digits => "0123456789",
            Self::Special => "!@#$%^&*()_+-=[]{}|;:,.<>?",
        })
    }
}

/// Every printable ASCII character, the space included.
pub(super) fn printable() -> CharSet {
    (b' '..=b'~').fold(CharSet::default(), CharSet::with)
}

/// Characters that are mistaken for one another in print: `I l 1 |` and `O 0 o`.
pub(super) fn similar() -> CharSet {
    CharSet::of("Il1|O0o")
}

/// A set of ASCII characters, one bit each.
///
/// Passwords are ASCII throughout, so that a length in characters is a length in bytes too and no
/// system along the way can normalise one into another.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub struct CharSet(u128);

impl CharSet {
    /// The ASCII characters that occur in `text`; others belong to no class and are left out.
    #[must_use]
    pub fn of(text: &str) -> Self {
        Self(text.bytes().filter(u8::is_ascii).fold(0, |bits, byte| bits | 1 << byte))
    }

    /// The space alone.
    #[must_use]
    pub const fn blank() -> Self {
        Self(1 << b' ')
    }

    /// How many characters the set holds, 0 to 128.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether the set holds no character.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The characters in either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The characters in both sets.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The characters in this set and not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set holds a character.
    #[must_use]
    pub const fn contains(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }

    /// The set with one ASCII character more.
    #[must_use]
    pub const fn with(self, byte: u8) -> Self {
        Self(self.0 | 1 << byte)
    }

    /// The characters in ascending ASCII order, as bytes.
    pub fn bytes(self) -> impl Iterator<Item = u8> {
        (0..128).filter(move |&byte| self.contains(byte))
    }
}

impl fmt::Display for CharSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().try_for_each(|byte| write!(f, "{}", char::from(byte)))
    }
}

/// Says only how many: `exclude` and `symbols` are not for logs.
impl fmt::Debug for CharSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CharSet({} characters)", self.len())
    }
}
