//! What a caller requests, in the parameters of the API.

use crate::password::charset::{CharSet, Class, similar};
use crate::password::rules::password_rules::PasswordRules;

/// What a caller requests, before it is checked for contradictions.
///
/// `None` means that the request does not have the parameter.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    /// Characters in the password, 4 to 256. Defaults to 16, or to what `min_entropy` requires.
    pub length: Option<u16>,
    /// The options of each class, in the order of [`Class::ALL`].
    pub classes: [ClassOptions; 4],
    /// Replaces the special characters, and puts the class in use. ASCII punctuation only.
    pub symbols: Option<String>,
    /// Characters that must not appear. Any text: characters that belong to no class have no effect.
    pub exclude: Option<String>,
    /// Excludes `I l 1 | O 0 o`. Defaults to false.
    pub exclude_similar: Option<bool>,
    /// The most identical characters in a row, 1 to the length.
    pub max_consecutive: Option<u16>,
    /// No character appears twice. Defaults to false.
    pub no_repeats: Option<bool>,
    /// The kind of the first character.
    pub start: Option<Start>,
    /// The fewest classes in use that appear, 1 to 4. With it, the minima of classes default to 0.
    pub min_classes: Option<u16>,
    /// The least entropy, in bits, 1 to 2048.
    pub min_entropy: Option<u16>,
    /// A site's rules, instead of classes.
    pub rules: Option<PasswordRules>,
}

impl Constraints {
    /// The characters of `exclude`.
    pub(super) fn excluded_by_name(&self) -> CharSet {
        CharSet::from_text(self.exclude.as_deref().unwrap_or_default())
    }

    /// The characters that `exclude` and `exclude_similar` remove.
    pub(super) fn excluded(&self) -> CharSet {
        let by_name = self.excluded_by_name();
        if self.exclude_similar == Some(true) { by_name.union(similar()) } else { by_name }
    }
}

/// The options of one class.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClassOptions {
    /// Whether the class is in use. Defaults to true for lowercase, uppercase and digits.
    pub in_use: Option<bool>,
    /// The fewest characters of the class. Defaults to 1 for a class in use, or to 0 with `min_classes`.
    pub min: Option<u16>,
}

named_enum! {
    /// The kind of the first character.
    pub enum Start {
        /// A lowercase or an uppercase letter.
        Letter = "letter",
        /// A lowercase letter.
        Lowercase = "lowercase",
        /// An uppercase letter.
        Uppercase = "uppercase",
        /// A digit.
        Digit = "digit",
        /// A letter or a digit.
        Alphanumeric = "alphanumeric",
    }
}

impl Start {
    /// The characters of this kind.
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
