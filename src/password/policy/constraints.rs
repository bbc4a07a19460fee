//! What a caller requests, in the parameters of the API.

use crate::password::charset::{CharSet, Class, similar};
use crate::password::rules::password_rules::PasswordRules;
use crate::password::spec::Requirement;

/// What a caller requests, before it is checked for contradictions.
///
/// `None` means that the request does not have the parameter.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    /// Characters in the password, 1 to 4096. Defaults to 16, or to what the minima or `min_entropy` require.
    pub length: Option<u16>,
    /// The length of a stored policy that is built on: the shortest, and the default.
    pub min_length: Option<u16>,
    /// The options of each class, in the order of [`Class::ALL`].
    pub classes: [ClassOptions; 4],
    /// Replaces the special characters, and puts the class in use. ASCII punctuation only.
    pub symbols: Option<String>,
    /// Characters that must not appear. Any text: characters that belong to no class have no effect.
    pub exclude: Option<String>,
    /// Excludes `I l 1 | O 0 o`. Defaults to false.
    pub exclude_similar: Option<bool>,
    /// The most identical characters in a row, 1 to the length.
    pub max_repeating: Option<u16>,
    /// The most neighbours of a-z, A-Z or 0-9 in a row, 1 to the length.
    pub max_sequential: Option<u16>,
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
    /// Sets of characters with a minimum each, instead of classes: 1 to 16. The pool is their union. They may overlap; a
    /// character counts for each set that contains it.
    pub charsets: Option<Vec<Requirement>>,
}

impl Constraints {
    /// The parameter that defines the characters instead of classes.
    pub(super) fn source_of_characters(&self) -> Option<&'static str> {
        let rules = self.rules.as_ref().map(|_| "passwordrules");
        rules.or(self.charsets.as_ref().map(|_| "charsets"))
    }

    /// A parameter of classes.
    pub(super) fn parameter_of_classes(&self) -> Option<&'static str> {
        // Each is named here, so that a new one cannot be forgotten.
        let Self {
            length: _,
            min_length: _,
            classes,
            symbols,
            exclude: _,
            exclude_similar: _,
            max_repeating: _,
            max_sequential: _,
            no_repeats: _,
            start: _,
            min_classes,
            min_entropy: _,
            rules: _,
            charsets: _,
        } = self;
        let of_class = Class::ALL.into_iter().zip(classes).find_map(|(class, options)| {
            let min = options.min.map(|_| class.min_name());
            options.in_use.map(|_| class.name()).or(min)
        });
        let symbols = symbols.as_ref().map(|_| "symbols");
        of_class.or(symbols).or(min_classes.map(|_| "min_classes"))
    }

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
    pub(crate) fn characters(self) -> CharSet {
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
