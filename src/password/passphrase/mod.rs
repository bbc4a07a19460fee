//! Passphrases: words of a list, each equally likely, with a separator between them.
//!
//! All choices are independent, and no two sequences of choices give the same passphrase: no word of a list is a prefix
//! of another ([`wordlist`]), so a text can be read word by word, and a digit after a word cannot belong to the next. So
//! the number of passphrases is the number of choices: `size^words`, times ten times the number of words with `number`.

pub(super) mod wordlist;

use num_bigint::BigUint;
use rand::TryCryptoRng;
use thiserror::Error;
use zeroize::Zeroizing;

use super::entropy::{Count, Entropy};
use super::sampling::uniform::Uniform;
use super::secret::Secret;
use wordlist::Wordlist;

const MIN_WORDS: u16 = 3;
const MAX_WORDS: u16 = 20;
const DEFAULT_WORDS: u16 = 6;
/// The longest separator, in characters.
const MAX_SEPARATOR: usize = 8;

/// What a caller requests. `None` means that the request does not have the parameter.
#[derive(Clone, Debug, Default)]
pub(crate) struct PassphraseConstraints {
    /// The number of words, 3 to 20. Defaults to 6, or to what `min_entropy` requires.
    pub(crate) words: Option<u16>,
    /// The list of words.
    pub(crate) wordlist: Option<Wordlist>,
    /// The text between two words: up to 8 printable ASCII characters. Defaults to a hyphen.
    pub(crate) separator: Option<String>,
    /// Whether each word begins with a capital letter.
    pub(crate) capitalize: Option<bool>,
    /// Whether a digit follows one of the words.
    pub(crate) number: Option<bool>,
    /// The least entropy, in bits.
    pub(crate) min_entropy: Option<u16>,
}

/// A validated description of passphrases: what was requested, or else the defaults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Passphrase {
    pub(crate) words: u16,
    pub(crate) wordlist: Wordlist,
    pub(crate) separator: String,
    pub(crate) capitalize: bool,
    pub(crate) number: bool,
    min_entropy: Option<u16>,
    chooses_words: bool,
}

/// Why constraints do not make a passphrase.
#[derive(Clone, Debug, Error, PartialEq)]
pub(crate) enum PassphraseError {
    #[error("words must be a whole number from {MIN_WORDS} to {MAX_WORDS}")]
    Words,
    #[error("separator must have at most {MAX_SEPARATOR} printable ASCII characters")]
    Separator,
    #[error(
        "{words} words have {} bits of entropy, less than min_entropy {min_entropy}; increase or omit words",
        .entropy.rounded_down()
    )]
    EntropyTooLow { words: u16, min_entropy: u16, entropy: Entropy },
    /// Even the largest number of words has less entropy than `min_entropy`.
    #[error(
        "{MAX_WORDS} words of this list, the largest number, have {} bits of entropy, less than min_entropy {min_entropy}",
        .entropy.rounded_down()
    )]
    EntropyOutOfReach { min_entropy: u16, entropy: Entropy },
}

impl PassphraseError {
    /// The parameter that is wrong.
    pub(crate) const fn parameter(&self) -> &'static str {
        match self {
            Self::Words => "words",
            Self::Separator => "separator",
            Self::EntropyTooLow { .. } | Self::EntropyOutOfReach { .. } => "min_entropy",
        }
    }
}

impl Passphrase {
    pub(crate) const MIN_WORDS: u16 = MIN_WORDS;
    pub(crate) const MAX_WORDS: u16 = MAX_WORDS;

    /// Validates constraints. With `min_entropy` the number of words is final after [`Passphrase::with_entropy`].
    pub(crate) fn new(constraints: &PassphraseConstraints) -> Result<Self, PassphraseError> {
        let separator = constraints.separator.clone().unwrap_or_else(|| "-".to_owned());
        if separator.len() > MAX_SEPARATOR || !separator.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(PassphraseError::Separator);
        }
        let passphrase = Self {
            words: constraints.words.unwrap_or(DEFAULT_WORDS),
            wordlist: constraints.wordlist.unwrap_or_default(),
            separator,
            capitalize: constraints.capitalize.unwrap_or(false),
            number: constraints.number.unwrap_or(false),
            min_entropy: constraints.min_entropy,
            chooses_words: constraints.words.is_none(),
        };
        if !(MIN_WORDS..=MAX_WORDS).contains(&passphrase.words) {
            return Err(PassphraseError::Words);
        }
        Ok(passphrase)
    }

    /// The passphrase with at least `min_entropy`: with the fewest words that have it, or the requested number of words
    /// if that has it.
    pub(crate) fn with_entropy(mut self) -> Result<Self, PassphraseError> {
        let Some(min_entropy) = self.min_entropy else { return Ok(self) };
        let Self { words, chooses_words, .. } = self;
        if chooses_words {
            self.words = MIN_WORDS;
        }
        self.with_at_least(min_entropy).map_err(|most| match (chooses_words, most.entropy()) {
            (true, entropy) => PassphraseError::EntropyOutOfReach { min_entropy, entropy },
            (false, entropy) => PassphraseError::EntropyTooLow { words, min_entropy, entropy },
        })
    }

    /// The passphrase with at least so many bits of entropy: with its number of words, or with the next one that has them,
    /// if none was requested. Else the number of passphrases of the most words that may be taken.
    pub(crate) fn with_at_least(mut self, bits: u16) -> Result<Self, Count> {
        let most = if self.chooses_words { MAX_WORDS } else { self.words };
        while !self.count().reaches(bits) {
            if self.words == most {
                return Err(self.count());
            }
            self.words += 1;
        }
        Ok(self)
    }

    /// The number of passphrases.
    pub(crate) fn count(&self) -> Count {
        let texts = BigUint::from(self.wordlist.size()).pow(u32::from(self.words));
        Count::new(if self.number { texts * (10 * self.words) } else { texts })
    }

    /// Draws one passphrase; all are equally likely.
    pub(crate) fn draw<R: TryCryptoRng>(&self, random: &mut R) -> Result<Secret, R::Error> {
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
    pub(crate) fn matches(&self, text: &str) -> bool {
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
