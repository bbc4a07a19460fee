//! Passphrases: words of a list, each equally likely, with a separator between them.
//!
//! All choices are independent, and no two sequences of choices give the same passphrase: no word of a list is a prefix
//! of another ([`wordlist`]), so a text can be read word by word, and a digit after a word cannot belong to the next. So
//! the number of passphrases is the number of choices: `size^words`, times ten times the number of words with `number`.

pub(super) mod wordlist;

use std::fmt;

use num_bigint::BigUint;
use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::entropy::{Count, Entropy};
use super::sampling::uniform::Uniform;
use super::secret::Secret;
use wordlist::Wordlist;

/// What a caller requests. `None` means that the request does not have the parameter.
#[derive(Clone, Debug, Default)]
pub struct PassphraseConstraints {
    /// The number of words, 3 to 20. Defaults to 6, or to what `min_entropy` requires.
    pub words: Option<u16>,
    /// The list of words.
    pub wordlist: Option<Wordlist>,
    /// The text between two words: up to 8 printable ASCII characters. Defaults to a hyphen.
    pub separator: Option<String>,
    /// Whether each word begins with a capital letter.
    pub capitalize: Option<bool>,
    /// Whether a digit follows one of the words.
    pub number: Option<bool>,
    /// The least entropy, in bits.
    pub min_entropy: Option<u16>,
}

/// A validated description of passphrases.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passphrase {
    /// The number of words.
    pub words: u16,
    /// The list of words.
    pub wordlist: Wordlist,
    /// The text between two words.
    pub separator: String,
    /// Whether each word begins with a capital letter.
    pub capitalize: bool,
    /// Whether a digit follows one of the words.
    pub number: bool,
    min_entropy: Option<u16>,
    chooses_words: bool,
}

/// Why constraints do not make a passphrase.
#[derive(Clone, Debug, PartialEq)]
pub enum PassphraseError {
    /// A value is out of its range.
    OutOfRange {
        /// The parameter.
        parameter: &'static str,
        /// The smallest valid value.
        min: u16,
        /// The largest valid value.
        max: u16,
    },
    /// The separator is too long, or has a character that is not printable ASCII.
    Separator,
    /// The requested number of words has less entropy than `min_entropy`.
    EntropyTooLow {
        /// The number of words.
        words: u16,
        /// `min_entropy`, in bits.
        min_entropy: u16,
        /// Their entropy.
        entropy: Entropy,
    },
    /// Even the largest number of words has less entropy than `min_entropy`.
    EntropyOutOfReach {
        /// `min_entropy`, in bits.
        min_entropy: u16,
        /// The entropy of the largest number of words.
        entropy: Entropy,
    },
}

impl PassphraseError {
    /// The parameter that is wrong.
    #[must_use]
    pub const fn parameter(&self) -> &'static str {
        match self {
            Self::OutOfRange { parameter, .. } => parameter,
            Self::Separator => "separator",
            Self::EntropyTooLow { .. } | Self::EntropyOutOfReach { .. } => "min_entropy",
        }
    }
}

impl fmt::Display for PassphraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { parameter, min, max } => {
                write!(f, "{parameter} must be a whole number from {min} to {max}")
            }
            Self::Separator => {
                write!(f, "separator must have at most {} printable ASCII characters", Passphrase::MAX_SEPARATOR)
            }
            Self::EntropyTooLow { words, min_entropy, entropy } => write!(
                f,
                "{words} words have {} bits of entropy, less than min_entropy {min_entropy}; increase or omit words",
                entropy.rounded_down()
            ),
            Self::EntropyOutOfReach { min_entropy, entropy } => write!(
                f,
                "{} words of this list, the largest number, have {} bits of entropy, less than min_entropy {min_entropy}",
                Passphrase::MAX_WORDS,
                entropy.rounded_down()
            ),
        }
    }
}

impl std::error::Error for PassphraseError {}

impl Passphrase {
    /// The smallest number of words.
    pub const MIN_WORDS: u16 = 3;
    /// The largest number of words.
    pub const MAX_WORDS: u16 = 20;
    /// The number of words if none is requested.
    pub const DEFAULT_WORDS: u16 = 6;
    /// The longest separator, in characters.
    pub const MAX_SEPARATOR: usize = 8;

    /// Validates constraints. With `min_entropy` the number of words is final after [`Passphrase::with_entropy`].
    ///
    /// # Errors
    /// [`PassphraseError`] when a value is out of its range.
    pub fn new(constraints: &PassphraseConstraints) -> Result<Self, PassphraseError> {
        let separator = constraints.separator.clone().unwrap_or_else(|| "-".to_owned());
        if separator.len() > Self::MAX_SEPARATOR || !separator.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(PassphraseError::Separator);
        }
        let passphrase = Self {
            words: constraints.words.unwrap_or(Self::DEFAULT_WORDS),
            wordlist: constraints.wordlist.unwrap_or_default(),
            separator,
            capitalize: constraints.capitalize.unwrap_or(false),
            number: constraints.number.unwrap_or(false),
            min_entropy: constraints.min_entropy,
            chooses_words: constraints.words.is_none(),
        };
        if !(Self::MIN_WORDS..=Self::MAX_WORDS).contains(&passphrase.words) {
            let (min, max) = (Self::MIN_WORDS, Self::MAX_WORDS);
            return Err(PassphraseError::OutOfRange { parameter: "words", min, max });
        }
        Ok(passphrase)
    }

    /// The passphrase with at least `min_entropy`: with the fewest words that have it, or the requested number of words
    /// if that has it.
    ///
    /// # Errors
    /// [`PassphraseError`] when the number of words, or every number, has less entropy.
    pub fn with_entropy(mut self) -> Result<Self, PassphraseError> {
        let Some(min_entropy) = self.min_entropy else { return Ok(self) };
        if !self.chooses_words {
            let (words, count) = (self.words, self.count());
            let entropy = count.entropy();
            let too_low = PassphraseError::EntropyTooLow { words, min_entropy, entropy };
            return if count.reaches(min_entropy) { Ok(self) } else { Err(too_low) };
        }
        for words in Self::MIN_WORDS..=Self::MAX_WORDS {
            self.words = words;
            if self.count().reaches(min_entropy) {
                return Ok(self);
            }
        }
        Err(PassphraseError::EntropyOutOfReach { min_entropy, entropy: self.count().entropy() })
    }

    /// The passphrase with at least so many bits of entropy: with its number of words, or with the next one that has them,
    /// if none was requested.
    ///
    /// # Errors
    /// The number of passphrases of the most words that may be taken.
    pub fn with_at_least(mut self, bits: u16) -> Result<Self, Count> {
        let most = if self.chooses_words { Self::MAX_WORDS } else { self.words };
        for words in self.words..=most {
            self.words = words;
            if self.count().reaches(bits) {
                return Ok(self);
            }
        }
        Err(self.count())
    }

    /// The number of passphrases.
    #[must_use]
    pub fn count(&self) -> Count {
        let texts = BigUint::from(self.wordlist.size()).pow(u32::from(self.words));
        Count::new(if self.number { texts * (10 * self.words) } else { texts })
    }

    /// Draws one passphrase; all are equally likely.
    ///
    /// # Errors
    /// The error of the random source.
    pub fn draw<R: TryCryptoRng>(&self, random: &mut R) -> Result<Secret, R::Error> {
        let words = usize::from(self.words);
        let mut uniform = Uniform::new(random, 3 * words + 8);
        let numbered = if self.number { Some((uniform.below(words)?, uniform.below(10)?)) } else { None };
        // The buffer never grows, so no copy of its content is left in memory.
        let mut text = Zeroizing::new(Vec::with_capacity(words * (10 + self.separator.len()) + 1));
        for nth in 0..words {
            if nth > 0 {
                text.extend_from_slice(self.separator.as_bytes());
            }
            let begin = text.len();
            text.extend_from_slice(self.wordlist.word(uniform.below(self.wordlist.size())?));
            if self.capitalize {
                text[begin].make_ascii_uppercase();
            }
            if let Some((place, digit)) = numbered
                && place == nth
            {
                text.extend_from_slice(&b"0123456789"[digit..=digit]);
            }
        }
        Ok(Secret::from_ascii(&text))
    }

    /// Whether a text is such a passphrase. It is read word by word, by code that the draw does not use.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let mut rest = text;
        let mut numbers = 0;
        for nth in 0..self.words {
            if nth > 0 {
                let Some(after) = rest.strip_prefix(self.separator.as_str()) else { return false };
                rest = after;
            }
            let Some(after) = self.after_word(rest) else { return false };
            rest = after;
            // A separator may begin with a digit, too; the number comes before it.
            let digit = rest.strip_prefix(|first: char| first.is_ascii_digit());
            let continues = |rest: &str| {
                if nth + 1 == self.words { rest.is_empty() } else { rest.starts_with(self.separator.as_str()) }
            };
            if let Some(after) = digit
                && self.number
                && numbers == 0
                && continues(after)
                && (nth + 1 == self.words || self.after_word(&after[self.separator.len()..]).is_some())
            {
                rest = after;
                numbers += 1;
            }
        }
        rest.is_empty() && numbers == u16::from(self.number)
    }

    /// The text after the word that it begins with.
    fn after_word<'t>(&self, text: &'t str) -> Option<&'t str> {
        let first = text.bytes().next()?;
        let has_expected_case = if self.capitalize { first.is_ascii_uppercase() } else { first.is_ascii_lowercase() };
        // Longer than any word.
        let beginning = text.as_bytes().iter().take(16).enumerate();
        let beginning = beginning.map(|(at, byte)| if at == 0 { byte.to_ascii_lowercase() } else { *byte });
        let beginning = Zeroizing::new(beginning.collect::<Vec<u8>>());
        let word = self.wordlist.leading(&beginning).filter(|_| has_expected_case)?;
        text.get(word.len()..)
    }
}
