//! EFF's word lists for passphrases.
//!
//! A list is one text and the positions at which its words end: an array of string slices would be three times as large,
//! and the loader would have to relocate each of its pointers at every start.
//!
//! No word of a list is a prefix of another. So a text of words can be read in only one way, whatever the separator, even
//! an empty one.

use diceware_wordlists::{EFF_LONG_WORDLIST, EFF_SHORT_WORDLIST_1, EFF_SHORT_WORDLIST_2_0};

named_enum! {
    /// A list of words.
    #[derive(Default)]
    pub enum Wordlist {
        /// EFF's large list: 7776 words of 3 to 9 letters.
        #[default]
        EffLarge = "eff-large",
        /// EFF's first short list: 1296 words of 3 to 5 letters.
        EffShort1 = "eff-short-1",
        /// EFF's second short list: 1296 words of 3 to 10 letters, unique in their first three.
        EffShort2 = "eff-short-2",
    }
}

static LARGE: Words<{ letters(&EFF_LONG_WORDLIST) }, 7776> = Words::new(&EFF_LONG_WORDLIST);
static SHORT_1: Words<{ letters(&EFF_SHORT_WORDLIST_1) }, 1296> = Words::new(&EFF_SHORT_WORDLIST_1);
static SHORT_2: Words<{ letters(&EFF_SHORT_WORDLIST_2_0) }, 1296> = Words::new(&EFF_SHORT_WORDLIST_2_0);

impl Wordlist {
    /// The number of words.
    #[must_use]
    pub fn size(self) -> usize {
        self.parts().1.len()
    }

    /// The word with an index below [`size`](Self::size), in ASCII.
    pub(super) fn word(self, index: usize) -> &'static [u8] {
        let (text, ends) = self.parts();
        let end = |index: usize| usize::from(u16::from_le_bytes(ends[index]));
        let begin = index.checked_sub(1).map_or(0, end);
        &text[begin..end(index)]
    }

    /// The word that a text begins with.
    pub(super) fn leading(self, text: &[u8]) -> Option<&'static [u8]> {
        // Words are in alphabetical order and none is a prefix of another: only the last word that does not come after
        // the text can be its beginning.
        let (mut before, mut after) = (0, self.size());
        while before < after {
            let middle = usize::midpoint(before, after);
            if self.word(middle) <= text { before = middle + 1 } else { after = middle }
        }
        before.checked_sub(1).map(|index| self.word(index)).filter(|word| text.starts_with(word))
    }

    fn parts(self) -> (&'static [u8], &'static [[u8; 2]]) {
        match self {
            Self::EffLarge => (&LARGE.text, &LARGE.ends),
            Self::EffShort1 => (&SHORT_1.text, &SHORT_1.ends),
            Self::EffShort2 => (&SHORT_2.text, &SHORT_2.ends),
        }
    }
}

/// The words as one text, and the position at which each ends, as a 16-bit number.
struct Words<const LETTERS: usize, const COUNT: usize> {
    text: [u8; LETTERS],
    ends: [[u8; 2]; COUNT],
}

impl<const LETTERS: usize, const COUNT: usize> Words<LETTERS, COUNT> {
    const fn new(words: &[&str; COUNT]) -> Self {
        assert!(LETTERS < 65_536, "ends are 16-bit numbers");
        let (mut text, mut ends) = ([0; LETTERS], [[0; 2]; COUNT]);
        let (mut at, mut index) = (0, 0);
        while index < COUNT {
            let word = words[index].as_bytes();
            let mut letter = 0;
            while letter < word.len() {
                text[at] = word[letter];
                at += 1;
                letter += 1;
            }
            let end = at.to_le_bytes();
            ends[index] = [end[0], end[1]];
            index += 1;
        }
        Self { text, ends }
    }
}

/// The letters of all words.
const fn letters(words: &[&str]) -> usize {
    let (mut sum, mut index) = (0, 0);
    while index < words.len() {
        sum += words[index].len();
        index += 1;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::Wordlist;

    /// Neighbours suffice: in alphabetical order, a word that begins with another comes directly after it.
    #[test]
    fn words_of_list_are_in_order_and_no_word_is_a_prefix_of_another() {
        for list in Wordlist::ALL {
            let words: Vec<&[u8]> = (0..list.size()).map(|index| list.word(index)).collect();
            for pair in words.windows(2) {
                assert!(pair[0] < pair[1] && !pair[1].starts_with(pair[0]), "{}", list.name());
            }
            assert!(words.iter().all(|word| word.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-')));
        }
    }

    #[test]
    fn wordlist_has_the_words_of_its_source() {
        let word = |list: Wordlist, index| std::str::from_utf8(list.word(index)).unwrap_or_default();
        assert_eq!(Wordlist::ALL.map(Wordlist::size), [7776, 1296, 1296]);
        assert_eq!([word(Wordlist::EffLarge, 0), word(Wordlist::EffLarge, 7775)], ["abacus", "zoom"]);
        assert_eq!([word(Wordlist::EffShort1, 0), word(Wordlist::EffShort1, 1295)], ["acid", "zoom"]);
        assert_eq!([word(Wordlist::EffShort2, 0), word(Wordlist::EffShort2, 1295)], ["aardvark", "zucchini"]);
    }
}
