//! Lists of the characters that some requirements take, by the number of characters and of blocks.

use super::modular::Field;

/// Numbers of sequences of blocks. Entries that are not listed are 0.
pub(super) struct List {
    /// The list holds sequences of fewer characters than this.
    pub(super) size: usize,
    pub(super) blocks: BlockSize,
    pub(super) entries: Vec<Entry>,
}

/// How many characters a block has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockSize {
    /// One, so that a sequence has as many blocks as characters.
    One,
    /// Any number, so that a sequence has at most as many blocks as characters.
    Any,
}

impl BlockSize {
    /// The entries of sequences of fewer characters.
    pub(super) const fn entries(self, characters: usize) -> usize {
        match self {
            Self::One => characters,
            Self::Any => characters * (characters + 1) / 2,
        }
    }

    /// The entries of sequences of fewer characters or, of as many characters, fewer blocks.
    const fn index(self, characters: usize, blocks: usize) -> usize {
        match self {
            Self::One => characters,
            Self::Any => self.entries(characters) + blocks,
        }
    }
}

/// The sequences with a number of characters and a number of blocks.
///
/// They are divided by the factorial of the number of blocks, so that interleaving two lists is a product of polynomials.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) characters: usize,
    pub(super) blocks: usize,
    /// Their number, divided by the factorial of the number of blocks.
    pub(super) all: u64,
    /// The number of those whose first block may begin the text, divided by the factorial of one block fewer.
    pub(super) opening: u64,
}

impl Entry {
    pub(super) fn negative(self, field: Field) -> Self {
        Self { all: field.subtract(0, self.all), opening: field.subtract(0, self.opening), ..self }
    }
}

impl List {
    /// The sequence without blocks.
    pub(super) fn empty(blocks: BlockSize) -> Self {
        Self { size: 1, blocks, entries: vec![Entry { characters: 0, blocks: 0, all: 1, opening: 0 }] }
    }

    /// Every way to interleave a sequence of one list with a sequence of the other, of fewer than `most` characters.
    pub(super) fn interleaved(&self, other: &Self, most: usize, field: Field) -> Self {
        let (size, blocks) = ((self.size + other.size - 1).min(most), self.blocks);
        let mut sums = vec![(0_u128, 0_u128); blocks.entries(size)];
        for first in &self.entries {
            for second in &other.entries {
                let index = blocks.index(first.characters + second.characters, first.blocks + second.blocks);
                let Some((all, opening)) = sums.get_mut(index) else { continue };
                field.accumulate(all, first.all, second.all);
                // The first block is the first of one of the two sequences.
                if first.opening != 0 {
                    field.accumulate(opening, first.opening, second.all);
                }
                if second.opening != 0 {
                    field.accumulate(opening, first.all, second.opening);
                }
            }
        }
        let mut sums = sums.into_iter();
        let mut entries = Vec::new();
        for characters in 0..size {
            let fewest = if blocks == BlockSize::One { characters } else { 0 };
            for (blocks, (all, opening)) in (fewest..=characters).zip(sums.by_ref()) {
                if (all, opening) != (0, 0) {
                    let (all, opening) = (field.finish(all), field.finish(opening));
                    entries.push(Entry { characters, blocks, all, opening });
                }
            }
        }
        Self { size, blocks, entries }
    }
}
