//! EFF's word lists for passphrases, without the words that contain a hyphen: `-` is the default separator, and a
//! reader who splits a passphrase at it would find too many words.
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
        /// EFF's large list: 7772 words of 3 to 9 letters.
        #[default]
        EffLarge = "eff-large",
        /// EFF's first short list: 1295 words of 3 to 5 letters.
        EffShort1 = "eff-short-1",
        /// EFF's second short list: 1295 words of 3 to 10 letters, unique in their first three.
        EffShort2 = "eff-short-2",
    }
}

static LARGE: Words<54_339, 7772> = Words::new(&EFF_LONG_WORDLIST);
static SHORT_1: Words<5879, 1295> = Words::new(&EFF_SHORT_WORDLIST_1);
static SHORT_2: Words<9477, 1295> = Words::new(&EFF_SHORT_WORDLIST_2_0);

impl Wordlist {
    /// The number of words.
    pub(crate) fn size(self) -> usize {
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
    const fn new(source: &[&str]) -> Self {
        assert!(LETTERS < 65_536, "ends are 16-bit numbers");
        let (mut text, mut ends) = ([0; LETTERS], [[0; 2]; COUNT]);
        let (mut at, mut count, mut index) = (0, 0, 0);
        while index < source.len() {
            let word = source[index].as_bytes();
            index += 1;
            if has_hyphen(word) {
                continue;
            }
            text.split_at_mut(at).1.split_at_mut(word.len()).0.copy_from_slice(word);
            at += word.len();
            let end = at.to_le_bytes();
            ends[count] = [end[0], end[1]];
            count += 1;
        }
        assert!(at == LETTERS && count == COUNT, "the list has this many letters and words without a hyphen");
        Self { text, ends }
    }
}

const fn has_hyphen(word: &[u8]) -> bool {
    let mut index = 0;
    while index < word.len() {
        if word[index] == b'-' {
            return true;
        }
        index += 1;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Neighbours suffice: in alphabetical order, a word that begins with another comes directly after it.
    #[test]
    fn words_of_list_are_in_order_and_no_word_is_a_prefix_of_another() {
        for list in Wordlist::ALL {
            let words: Vec<&[u8]> = (0..list.size()).map(|index| list.word(index)).collect();
            for pair in words.windows(2) {
                assert!(pair[0] < pair[1] && !pair[1].starts_with(pair[0]), "{}", list.name());
            }
            assert!(words.iter().all(|word| word.iter().all(u8::is_ascii_lowercase)), "{}", list.name());
        }
    }

    #[test]
    fn wordlist_has_the_words_of_its_source_without_a_hyphen() {
        for (list, source) in [
            (Wordlist::EffLarge, &EFF_LONG_WORDLIST[..]),
            (Wordlist::EffShort1, &EFF_SHORT_WORDLIST_1[..]),
            (Wordlist::EffShort2, &EFF_SHORT_WORDLIST_2_0[..]),
        ] {
            let words = (0..list.size()).map(|index| list.word(index));
            assert!(words.eq(source.iter().filter(|word| !word.contains('-')).map(|word| word.as_bytes())));
        }
        assert_eq!(Wordlist::ALL.map(Wordlist::size), [7772, 1295, 1295]);
    }
}
