//! What a caller asks for, in the parameters of the API.

use super::alphabet::{CharSet, Class};
use super::presets::Preset;
use super::rules::PasswordRules;

/// What a caller asks for, before anyone has looked whether it fits together.
///
/// `None` means that the caller did not say; [`Policy::new`](super::Policy::new) holds the defaults.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    /// Characters in the password, 4 to 256. Unless given, 16, or what `min_entropy` needs.
    pub length: Option<u16>,
    /// For each class whether it is in use and how many of it there are at least, in the order of
    /// [`Class::ALL`].
    pub classes: [ClassOptions; 4],
    /// Replaces the special characters, and turns the class on. ASCII punctuation only.
    pub symbols: Option<String>,
    /// Characters that must not appear. Any text: characters of no class change nothing.
    pub exclude: Option<String>,
    /// Leaves out `I l 1 | O 0 o`. Off unless given.
    pub exclude_similar: Option<bool>,
    /// At most this many of one character in a row, 1 to the length.
    pub max_consecutive: Option<u16>,
    /// No character twice. Off unless given.
    pub no_repeats: Option<bool>,
    /// What the first character is.
    pub start: Option<Start>,
    /// Characters of at least this many of the classes in use, 1 to 4. Minima not given are 0 then.
    pub min_classes: Option<u16>,
    /// At least so many bits of entropy, 1 to 2048.
    pub min_entropy: Option<u16>,
    /// A site's rules, in place of what is said of classes.
    pub rules: Option<PasswordRules>,
    /// Demands that the others may add to.
    pub preset: Option<&'static Preset>,
}

/// What a caller asks for of one class.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClassOptions {
    /// Whether the class is in use. Lowercase, uppercase and digits are unless given.
    pub in_use: Option<bool>,
    /// At least this many characters of the class. 1 for a class in use unless given, or 0 with
    /// `min_classes`.
    pub minimum: Option<u16>,
}

/// What a password may begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A lowercase or an uppercase letter.
    Letter,
    /// A lowercase letter.
    Lowercase,
    /// An uppercase letter.
    Uppercase,
    /// A digit.
    Digit,
    /// A letter or a digit.
    Alphanumeric,
}

impl Start {
    /// Every value, in the order in which errors name them.
    pub const ALL: [Self; 5] = [Self::Letter, Self::Lowercase, Self::Uppercase, Self::Digit, Self::Alphanumeric];

    /// The value of the parameter `start`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
            Self::Digit => "digit",
            Self::Alphanumeric => "alphanumeric",
        }
    }

    /// The characters that it stands for.
    #[must_use]
    pub fn characters(self) -> CharSet {
        let [lowercase, uppercase, digits] = [Class::Lowercase, Class::Uppercase, Class::Digits].map(Class::characters);
        match self {
            Self::Letter => lowercase.union(uppercase),
            Self::Lowercase => lowercase,
            Self::Uppercase => uppercase,
            Self::Digit => digits,
            Self::Alphanumeric => lowercase.union(uppercase).union(digits),
        }
    }
}
