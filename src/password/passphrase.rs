//! Passphrases: words of a list, each equally likely, with something between them.
//!
//! Every choice is independent, and every passphrase is made in one way only, because no word of a
//! list is the beginning of another ([`super::wordlist`]), so that a text can be read word by word; a
//! digit at a word's end stands where no word goes on. So the passphrases are as many as the choices:
//! `size^words`, and ten times the number of words as many with `number`.

use std::fmt;

use num_bigint::BigUint;
use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::count::{Count, Entropy};
use super::secret::Secret;
use super::uniform::Uniform;
use super::wordlist::Wordlist;

/// What a caller asks of a passphrase. `None` means that the caller did not say.
#[derive(Clone, Debug, Default)]
pub struct PhraseConstraints {
    /// Words, 3 to 20. Unless given, 6, or what `min_entropy` needs.
    pub words: Option<u16>,
    /// Where they come from.
    pub wordlist: Option<Wordlist>,
    /// What stands between them: up to 8 printable ASCII characters, a hyphen unless given.
    pub separator: Option<String>,
    /// Whether each word begins with a capital letter.
    pub capitalize: Option<bool>,
    /// Whether a digit stands at the end of one of the words.
    pub number: Option<bool>,
    /// At least so many bits of entropy.
    pub min_entropy: Option<u16>,
}

/// What passphrases are like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Phrase {
    /// How many words.
    pub words: u16,
    /// Where they come from.
    pub wordlist: Wordlist,
    /// What stands between them.
    pub separator: String,
    /// Whether each begins with a capital letter.
    pub capitalize: bool,
    /// Whether a digit stands at the end of one of them, whichever.
    pub number: bool,
}

/// Why constraints make no passphrase.
#[derive(Clone, Debug, PartialEq)]
pub enum PhraseError {
    /// A value is out of its range.
    OutOfRange {
        /// The parameter.
        parameter: &'static str,
        /// The smallest good value.
        least: u16,
        /// The largest.
        most: u16,
    },
    /// The separator is too long, or holds something that is not printable ASCII.
    Separator,
    /// So many words have less entropy than `min_entropy`.
    EntropyTooLow {
        /// How many.
        words: u16,
        /// `min_entropy`, in bits.
        min_entropy: u16,
        /// What there is.
        entropy: Entropy,
    },
    /// Not even the most words have as much entropy as `min_entropy`.
    EntropyOutOfReach {
        /// `min_entropy`, in bits.
        min_entropy: u16,
        /// What the most words have.
        entropy: Entropy,
    },
}

impl PhraseError {
    /// The parameter at fault.
    #[must_use]
    pub const fn parameter(&self) -> &'static str {
        match self {
            Self::OutOfRange { parameter, .. } => parameter,
            Self::Separator => "separator",
            Self::EntropyTooLow { .. } | Self::EntropyOutOfReach { .. } => "min_entropy",
        }
    }
}

impl fmt::Display for PhraseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfRange { parameter, least, most } => {
                write!(f, "{parameter} must be a whole number from {least} to {most}")
            }
            Self::Separator => {
                write!(f, "separator may have up to {} printable ASCII characters", Phrase::MAX_SEPARATOR)
            }
            Self::EntropyTooLow { words, min_entropy, entropy } => write!(
                f,
                "{words} words have {} bits of entropy, less than min_entropy {min_entropy}: ask for more, or leave \
                 words out",
                entropy.rounded_down()
            ),
            Self::EntropyOutOfReach { min_entropy, entropy } => write!(
                f,
                "{} words of this list, the most there are, have {} bits of entropy, less than min_entropy \
                 {min_entropy}",
                Phrase::MAX_WORDS,
                entropy.rounded_down()
            ),
        }
    }
}

impl std::error::Error for PhraseError {}

impl Phrase {
    /// The fewest words.
    pub const MIN_WORDS: u16 = 3;
    /// The most words.
    pub const MAX_WORDS: u16 = 20;
    /// The words when nothing is asked for.
    pub const DEFAULT_WORDS: u16 = 6;
    /// The longest separator, in characters.
    pub const MAX_SEPARATOR: usize = 8;

    /// What was asked for, if it can be had.
    ///
    /// # Errors
    /// [`PhraseError`].
    pub fn new(asked: &PhraseConstraints) -> Result<Self, PhraseError> {
        let separator = asked.separator.clone().unwrap_or_else(|| "-".to_owned());
        if separator.len() > Self::MAX_SEPARATOR || !separator.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
            return Err(PhraseError::Separator);
        }
        let mut phrase = Self {
            words: asked.words.unwrap_or(Self::DEFAULT_WORDS),
            wordlist: asked.wordlist.unwrap_or_default(),
            separator,
            capitalize: asked.capitalize.unwrap_or(false),
            number: asked.number.unwrap_or(false),
        };
        if !(Self::MIN_WORDS..=Self::MAX_WORDS).contains(&phrase.words) {
            let (least, most) = (Self::MIN_WORDS, Self::MAX_WORDS);
            return Err(PhraseError::OutOfRange { parameter: "words", least, most });
        }
        let Some(min_entropy) = asked.min_entropy else { return Ok(phrase) };
        if asked.words.is_some() {
            let (words, count) = (phrase.words, phrase.count());
            let entropy = count.entropy();
            let too_low = PhraseError::EntropyTooLow { words, min_entropy, entropy };
            return if count.reaches(min_entropy) { Ok(phrase) } else { Err(too_low) };
        }
        for words in Self::MIN_WORDS..=Self::MAX_WORDS {
            phrase.words = words;
            if phrase.count().reaches(min_entropy) {
                return Ok(phrase);
            }
        }
        Err(PhraseError::EntropyOutOfReach { min_entropy, entropy: phrase.count().entropy() })
    }

    /// How many passphrases there are.
    #[must_use]
    pub fn count(&self) -> Count {
        let texts = BigUint::from(self.wordlist.size()).pow(u32::from(self.words));
        Count::new(if self.number { texts * (10 * self.words) } else { texts })
    }

    /// Draws one, each equally likely.
    ///
    /// # Errors
    /// That of the random source.
    pub fn draw<R: TryCryptoRng>(&self, random: &mut R) -> Result<Secret, R::Error> {
        let words = usize::from(self.words);
        let mut uniform = Uniform::new(random, 3 * words + 8);
        let numbered = if self.number { Some((uniform.below(words)?, uniform.below(10)?)) } else { None };
        // Never grown, so that no part of it is left behind.
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
        Ok(Secret::of_ascii(&text))
    }

    /// Whether a text is one of them: read from the left, word by word, by other means than those of
    /// the draw.
    #[must_use]
    pub fn admits(&self, text: &str) -> bool {
        let mut rest = text;
        let mut numbers = 0;
        for nth in 0..self.words {
            if nth > 0 {
                let Some(behind) = rest.strip_prefix(self.separator.as_str()) else { return false };
                rest = behind;
            }
            let Some(behind) = self.behind_word(rest) else { return false };
            rest = behind;
            // A separator may begin with a digit too; the number stands in front of it.
            let digit = rest.strip_prefix(|first: char| first.is_ascii_digit());
            let goes_on = |rest: &str| {
                if nth + 1 == self.words { rest.is_empty() } else { rest.starts_with(self.separator.as_str()) }
            };
            if let Some(behind) = digit
                && self.number
                && numbers == 0
                && goes_on(behind)
                && (nth + 1 == self.words || self.behind_word(&behind[self.separator.len()..]).is_some())
            {
                rest = behind;
                numbers += 1;
            }
        }
        rest.is_empty() && numbers == u16::from(self.number)
    }

    /// What follows the word that a text begins with.
    fn behind_word<'t>(&self, text: &'t str) -> Option<&'t str> {
        let first = text.bytes().next()?;
        let begins_well = if self.capitalize { first.is_ascii_uppercase() } else { first.is_ascii_lowercase() };
        // Longer than any word.
        let beginning = text.as_bytes().iter().take(16).enumerate();
        let beginning = beginning.map(|(at, byte)| if at == 0 { byte.to_ascii_lowercase() } else { *byte });
        let beginning = Zeroizing::new(beginning.collect::<Vec<u8>>());
        let word = self.wordlist.leading(&beginning).filter(|_| begins_well)?;
        text.get(word.len()..)
    }
}
