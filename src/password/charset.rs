//! Character classes, similar characters, and sets of characters.

use std::fmt;

named_enum! {
    /// The four classes of characters.
    #[derive(PartialOrd, Ord)]
    pub enum Class {
        /// `a` to `z`.
        Lowercase = "lowercase",
        /// `A` to `Z`.
        Uppercase = "uppercase",
        /// `0` to `9`.
        Digits = "digits",
        /// Punctuation: ``!@#$%^&*()_+-=[]{}|;:,.<>?`` unless the caller names other symbols.
        Special = "special",
    }
}

impl Class {
    /// The parameter that requires a number of characters of the class.
    pub(crate) const fn min_name(self) -> &'static str {
        match self {
            Self::Lowercase => "min_lowercase",
            Self::Uppercase => "min_uppercase",
            Self::Digits => "min_digits",
            Self::Special => "min_special",
        }
    }

    /// The characters of the class before any exclusion.
    #[must_use]
    pub fn characters(self) -> CharSet {
        CharSet::from_text(match self {
            Self::Lowercase => "abcdefghijklmnopqrstuvwxyz",
            Self::Uppercase => "ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            Self::Digits => "0123456789",
            Self::Special => "!@#$%^&*()_+-=[]{}|;:,.<>?",
        })
    }
}

/// Whether `next` follows `one` in a-z, A-Z or 0-9.
pub(super) const fn follows(one: u8, next: u8) -> bool {
    one.is_ascii_alphanumeric() && next.is_ascii_alphanumeric() && next == one + 1
}

/// Every printable ASCII character, including the space.
pub(super) fn printable() -> CharSet {
    (b' '..=b'~').fold(CharSet::default(), CharSet::with)
}

/// The special characters of other people's passwords: all punctuation of ASCII, and the space.
pub(super) fn special() -> CharSet {
    printable().bytes().filter(|byte| !byte.is_ascii_alphanumeric()).collect()
}

/// Characters that are easily confused in print: `I l 1 |` and `O 0 o`.
pub(super) fn similar() -> CharSet {
    CharSet::from_text("Il1|O0o")
}

/// A set of ASCII characters, one bit each.
///
/// Passwords are ASCII, so a length in characters is also a length in bytes, and no system can normalise one password
/// into another.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct CharSet(u128);

impl CharSet {
    /// The ASCII characters in `text`; other characters are ignored, because they belong to no class.
    #[must_use]
    pub fn from_text(text: &str) -> Self {
        Self(text.bytes().filter(u8::is_ascii).fold(0, |bits, byte| bits | 1 << byte))
    }

    /// The set of the space alone.
    #[must_use]
    pub const fn space() -> Self {
        Self(1 << b' ')
    }

    /// All 32 punctuation characters of ASCII.
    pub(crate) fn punctuation() -> Self {
        special().without(Self::space())
    }

    /// The number of characters, 0 to 128.
    #[must_use]
    pub const fn len(self) -> u32 {
        self.0.count_ones()
    }

    /// Whether the set has no character.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The characters in either set.
    pub(crate) const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The characters in both sets.
    pub(crate) const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The characters in this set that are not in the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    /// Whether the set contains a character.
    #[must_use]
    pub const fn contains(self, byte: u8) -> bool {
        byte < 128 && self.0 >> byte & 1 == 1
    }

    /// The set with one more ASCII character.
    pub(crate) const fn with(self, byte: u8) -> Self {
        Self(self.0 | 1 << byte)
    }

    /// The set divided into sequences: as many characters as follow each other in a-z, A-Z or 0-9, in ascending order.
    pub(super) fn sequences(self) -> Vec<Vec<u8>> {
        let bytes: Vec<u8> = self.bytes().collect();
        bytes.chunk_by(|one, next| follows(*one, *next)).map(<[u8]>::to_vec).collect()
    }

    /// The characters as bytes, in ascending order.
    pub fn bytes(self) -> impl Iterator<Item = u8> {
        (0..128).filter(move |&byte| self.contains(byte))
    }
}

impl FromIterator<u8> for CharSet {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        bytes.into_iter().fold(Self::default(), Self::with)
    }
}

impl fmt::Display for CharSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.bytes().try_for_each(|byte| write!(f, "{}", char::from(byte)))
    }
}

/// Shows only the number of characters, because `exclude` and `symbols` must not be logged.
impl fmt::Debug for CharSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CharSet({} characters)", self.len())
    }
}
