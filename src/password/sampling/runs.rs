//! Counts and draws with limits on runs: identical characters, and neighbours of a-z, A-Z or 0-9, in a row.
//!
//! The pool is divided into *sequences*, as many characters as follow each other: `abcd` and `XY` of the pool `abcdXY!`.
//! A character has neighbours only in its own sequence, so all sequences of one length are alike. The *cell*
//! of a character has the characters at the same position of the sequences of its length, and only cells are counted.
//!
//! A text is a character followed by runs: identical characters, neighbours upwards, neighbours downwards, or a *jump* to
//! any other character. With at most r identical characters and at most q neighbours in a row, let T(m) be the number of
//! ways to fill m more positions after a jump to a character c, R(m) the number of those that do not begin with c itself,
//! U(m) and D(m) of those that do not begin with the neighbour upwards or downwards. A run upwards, for example, is
//! followed by something other than a further neighbour upwards, so that every text has exactly one division into runs.
//! The sums over the lengths of the runs lead to
//!
//! ```text
//! T(m) = S(m-1) - R(m-r) - U'(m-q) - D'(m-q)
//! R(m) = T(m) - T(m-1) + R(m-r)      U(m) = T(m) - T"(m-1) + U'(m-q)      D(m) likewise
//! ```
//!
//! where S is the sum of T over all characters, U' is that of the character q positions up, D' of the one q positions down, and
//! T" that of the neighbour upwards, each 0 where there is no such character.
//!
//! A worked example: 3 characters without neighbours, length 4, r = 1. T(0) = R(0) = 1; T(m) = 3·T(m-1) - R(m-1), and
//! R(m) = T(m), so T(1) = 2, T(2) = 4, T(3) = 8, and there are 3 · T(3) = 24 texts.
//!
//! The sampler leaves requirements to rejection. The first character is exact.

use std::ops::RangeInclusive;

use num_bigint::BigUint;

use super::budget::{BudgetExceeded, WorkBudget};
use super::choices::Choices;
use super::cumulative::{CumulativeTable, PRECISION_BITS};
use crate::password::charset::CharSet;
use crate::password::spec::PasswordSpec;

/// The steps of one entry of the tables, and per machine word of its numbers.
const ENTRY_STEPS: usize = 140;
const ENTRY_WORD_STEPS: usize = 4;
/// The steps of one weight of a draw.
const WEIGHT_STEPS: usize = 50;
/// The memory of one entry, apart from its numbers, in bytes.
const ENTRY_BYTES: usize = 72;

/// The limits on runs of a specification. A limit of the length or more is none.
#[derive(Clone, Copy)]
pub(super) struct RunLimits {
    pub(super) length: usize,
    pub(super) repeating: usize,
    pub(super) sequential: usize,
}

impl RunLimits {
    pub(super) fn of(spec: &PasswordSpec) -> Self {
        Self {
            length: spec.length.into(),
            repeating: spec.longest_repetition(),
            sequential: if spec.limits_sequences() { spec.longest_sequence() } else { spec.length.into() },
        }
    }

    /// Whether neighbours in a row have a limit.
    pub(super) const fn limits_sequences(self) -> bool {
        self.sequential < self.length
    }

    /// The sequences of a set. Without a limit on neighbours every character is one.
    pub(super) fn sequences(self, set: CharSet) -> Vec<Vec<u8>> {
        if self.limits_sequences() { set.sequences() } else { set.bytes().map(|byte| vec![byte]).collect() }
    }
}

/// The tables of one specification without `no_repeats`.
pub(super) struct Runs {
    cells: Vec<Cell>,
    limits: RunLimits,
    first: CharSet,
    /// S(m) of the module documentation.
    sums: Vec<BigUint>,
    total: BigUint,
    bytes: usize,
}

/// The characters at one position of the sequences of one length.
struct Cell {
    /// One character of each sequence.
    characters: Vec<u8>,
    /// The neighbours upwards and downwards.
    above: usize,
    below: usize,
    /// T, R and U of the module documentation. D is the U of the cell as far from the other end.
    ways: Vec<BigUint>,
    not_repeating: Vec<BigUint>,
    not_rising: Vec<BigUint>,
}

/// How the next run continues a text.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Move {
    Jump,
    Repeat,
    Rise,
    Fall,
}

impl Runs {
    /// Computes the tables of a specification.
    pub(super) fn new(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<Self, BudgetExceeded> {
        let limits = RunLimits::of(spec);
        let runs = Self::of_sequences(limits.sequences(spec.pool), spec.first(), limits, budget)?;
        budget.hold(runs.bytes)?;
        Ok(runs)
    }

    /// Computes the tables of texts over some sequences.
    pub(super) fn of_sequences(
        mut sequences: Vec<Vec<u8>>,
        first: CharSet,
        limits: RunLimits,
        budget: &mut WorkBudget,
    ) -> Result<Self, BudgetExceeded> {
        sequences.sort_unstable_by_key(Vec::len);
        let mut cells = Vec::new();
        for alike in sequences.chunk_by(|one, other| one.len() == other.len()) {
            let length = alike[0].len();
            cells.extend((0..length).map(|index| Cell {
                characters: alike.iter().map(|sequence| sequence[index]).collect(),
                above: length - 1 - index,
                below: index,
                ways: Vec::new(),
                not_repeating: Vec::new(),
                not_rising: Vec::new(),
            }));
        }
        let characters: usize = cells.iter().map(|cell| cell.characters.len()).sum();
        let bits = limits.length * usize::try_from(characters.max(1).ilog2() + 1).unwrap_or_default();
        let (entries, words) = (cells.len() * limits.length, bits / 64 + 1);
        budget.spend(entries * (ENTRY_STEPS + ENTRY_WORD_STEPS * words))?;
        // The numbers of an entry have half as many words as the longest ones on average.
        let bytes = entries * (ENTRY_BYTES + 3 * 4 * words);
        budget.lend(bytes)?;
        let mut runs = Self { cells, limits, first, sums: Vec::new(), total: BigUint::ZERO, bytes };
        (0..limits.length).for_each(|left| runs.extend(left));
        runs.total = runs.first_weights().sum();
        Ok(runs)
    }

    /// Computes the entries for `left` more positions from those for fewer.
    fn extend(&mut self, left: usize) {
        let RunLimits { repeating, sequential, .. } = self.limits;
        for index in 0..self.cells.len() {
            let repeated = left.checked_sub(repeating).map(|left| &self.cells[index].not_repeating[left]);
            let risen = left.checked_sub(sequential).and_then(|left| self.not_rising(index, sequential, left));
            let fallen = left.checked_sub(sequential).and_then(|left| self.not_falling(index, sequential, left));
            let mut ways = if left == 0 { BigUint::from(1_u32) } else { self.sums[left - 1].clone() };
            [repeated, risen, fallen].into_iter().flatten().for_each(|excess| ways -= excess);
            let (mut not_repeating, mut not_rising) = (ways.clone(), ways.clone());
            // First the additions, because the numbers are never negative.
            not_repeating += repeated.unwrap_or(&BigUint::ZERO);
            not_rising += risen.unwrap_or(&BigUint::ZERO);
            if left > 0 {
                not_repeating -= &self.cells[index].ways[left - 1];
                if self.cells[index].above > 0 {
                    not_rising -= &self.cells[index + 1].ways[left - 1];
                }
            }
            let cell = &mut self.cells[index];
            cell.ways.push(ways);
            cell.not_repeating.push(not_repeating);
            cell.not_rising.push(not_rising);
        }
        self.sums.push(self.cells.iter().map(|cell| &cell.ways[left] * cell.characters.len()).sum());
    }

    /// U of the cell `distance` above, if there is one.
    fn not_rising(&self, index: usize, distance: usize, left: usize) -> Option<&BigUint> {
        (self.cells[index].above >= distance).then(|| &self.cells[index + distance].not_rising[left])
    }

    /// D of the cell `distance` below, if there is one.
    fn not_falling(&self, index: usize, distance: usize, left: usize) -> Option<&BigUint> {
        let Cell { above, below, .. } = self.cells[index];
        (below >= distance).then(|| &self.cells[index + above + distance - below].not_rising[left])
    }

    /// The number of texts.
    pub(super) const fn total(&self) -> &BigUint {
        &self.total
    }

    /// The number of texts of fewer characters, by length from 1: of all, and of those with a valid first character.
    pub(super) fn totals(&self) -> impl Iterator<Item = (&BigUint, BigUint)> {
        self.sums.iter().enumerate().map(|(left, sum)| {
            let valid = self.cells.iter().map(|cell| &cell.ways[left] * self.valid_first(cell).len());
            (sum, valid.sum())
        })
    }

    fn valid_first(&self, cell: &Cell) -> Vec<usize> {
        (0..cell.characters.len()).filter(|&sequence| self.first.contains(cell.characters[sequence])).collect()
    }

    fn first_weights(&self) -> impl Iterator<Item = BigUint> {
        let left = self.limits.length - 1;
        self.cells.iter().map(move |cell| &cell.ways[left] * self.valid_first(cell).len())
    }

    /// The steps of a draw: every character may need the weights of a jump and of all runs.
    pub(super) fn draw_steps(&self) -> usize {
        let RunLimits { length, repeating, sequential } = self.limits;
        let runs = repeating + if self.limits.limits_sequences() { 2 * sequential } else { 0 };
        let jumps = if self.cells.len() > 1 { self.cells.len() } else { 0 };
        length * WEIGHT_STEPS * (runs + jumps)
    }

    /// Draws a text into `text`: each text with valid runs and a valid start is equally likely.
    pub(super) fn draw<C: Choices>(&self, choices: &mut C, text: &mut Vec<u8>) -> Result<(), C::Error> {
        text.clear();
        let length = self.limits.length;
        let mut index = choose(choices, || self.first_weights())?;
        let first = self.valid_first(&self.cells[index]);
        let mut sequence = first[choices.below(first.len())?];
        text.push(self.cells[index].characters[sequence]);
        let mut last = Move::Jump;
        while text.len() < length {
            let left = length - text.len();
            let options = self.options(index, last, left);
            let (chosen, run, _) = options[choose(choices, || options.iter().map(|(_, _, weight)| weight.clone()))?];
            last = chosen;
            if chosen == Move::Jump {
                (index, sequence) = self.jump(index, sequence, left, choices)?;
                text.push(self.cells[index].characters[sequence]);
            }
            for _ in 0..run {
                match chosen {
                    Move::Jump | Move::Repeat => {}
                    Move::Rise => index += 1,
                    Move::Fall => index -= 1,
                }
                text.push(self.cells[index].characters[sequence]);
            }
        }
        Ok(())
    }

    /// The jump, and each run of a length, with the number of texts that follow.
    fn options(&self, index: usize, last: Move, left: usize) -> Vec<(Move, usize, BigUint)> {
        let RunLimits { repeating, sequential, .. } = self.limits;
        let Cell { above, below, not_repeating, .. } = &self.cells[index];
        let jumps =
            self.near(index).fold(self.sums[left - 1].clone(), |rest, near| rest - &self.cells[near].ways[left - 1]);
        let mut options = vec![(Move::Jump, 0, jumps)];
        if last != Move::Repeat {
            options
                .extend((1..repeating.min(left + 1)).map(|run| (Move::Repeat, run, not_repeating[left - run].clone())));
        }
        for (direction, neighbours) in [(Move::Rise, *above), (Move::Fall, *below)] {
            let runs = if last == direction { 0..0 } else { 1..sequential.min(left + 1).min(neighbours + 1) };
            options.extend(runs.filter_map(|run| {
                let ways = match direction {
                    Move::Rise => self.not_rising(index, run, left - run),
                    _ => self.not_falling(index, run, left - run),
                };
                ways.map(|ways| (direction, run, ways.clone()))
            }));
        }
        options
    }

    /// For each cell, the number of texts that follow a jump to it.
    fn jump_weights(&self, from: usize, left: usize) -> impl Iterator<Item = BigUint> {
        let near = self.near(from);
        let targets = self.cells.iter().enumerate();
        targets.map(move |(index, cell)| {
            &cell.ways[left - 1] * (cell.characters.len() - usize::from(near.contains(&index)))
        })
    }

    /// A cell and its neighbours. A jump does not lead there within its own sequence.
    fn near(&self, index: usize) -> RangeInclusive<usize> {
        let Cell { above, below, .. } = self.cells[index];
        index - below.min(1)..=index + above.min(1)
    }

    /// The cell and the sequence that a jump leads to.
    fn jump<C: Choices>(
        &self,
        from: usize,
        sequence: usize,
        left: usize,
        choices: &mut C,
    ) -> Result<(usize, usize), C::Error> {
        let index = choose(choices, || self.jump_weights(from, left))?;
        let sequences = self.cells[index].characters.len();
        if !self.near(from).contains(&index) {
            return Ok((index, choices.below(sequences)?));
        }
        // Any other sequence: indices from this one on move up by one.
        let other = choices.below(sequences - 1)?;
        Ok((index, if other < sequence { other } else { other + 1 }))
    }
}

/// An index by weight. The weights depend on the text so far, so no table of them is kept.
fn choose<C: Choices, I: Iterator<Item = BigUint>>(
    choices: &mut C,
    weights: impl Fn() -> I,
) -> Result<usize, C::Error> {
    choices.by_weight(&CumulativeTable::new(weights(), PRECISION_BITS), weights)
}
