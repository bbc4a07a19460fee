//! Blocks of characters, whose successions are the texts with limits on runs.
//!
//! A *sequence* is as many characters of a pool as follow each other, and only its characters are neighbours. A *cell* is
//! a set of sequences that every minimum treats alike. A *block* is a part of a text, of characters of one sequence; blocks
//! side by side may be of the same sequence. Let V(l) be the number of words of length l over a sequence that keep the
//! limits, and V the series of V(l)·x^l. A text is a succession of words, no two of the same sequence side by side. With
//! the signed weights
//!
//! ```text
//! g = V / (1 + V)
//! ```
//!
//! blocks need not see their neighbours: 1/(1 - g) = 1 + V, so all divisions of a word into blocks side by side have the
//! weight 1 together. The weights of a cell are the sum of those of its sequences.
//!
//! The first character of a text may be limited to some. If F counts the words that begin with one of those, the first
//! block of a text has the weight F/(1 + V).
//!
//! A worked example: the sequence `a`, at most one in a row. V = x, so g = x/(1 + x) = x - x² + x³ - …: the text `aa` is two
//! blocks of length 1 with the weight 1·1, or one block of length 2 with the weight -1. The sum is 0.
//!
//! This is the cluster method of Goulden and Jackson ("An inversion theorem for cluster decompositions of sequences with
//! distinguished subsequences", 1979), with the sequences in the place of letters.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::budget::{BudgetExceeded, WorkBudget};
use super::modular::{Field, PRODUCTS_PER_STEP, to_u64};
use super::runs::{RunLimits, Runs};
use crate::password::charset::CharSet;

/// What matters of a sequence: its number of characters, and which of them may be first, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sequence {
    length: usize,
    first: u32,
}

/// What matters of the characters that every minimum treats alike.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Cell {
    /// One bit for each set with a minimum, set if it contains the cell.
    pub(super) sets: u32,
    /// The sequences, and how many are alike.
    pub(super) sequences: BTreeMap<Sequence, u64>,
}

impl Cell {
    /// The cells of a pool. No set cuts a sequence.
    pub(super) fn of_pool(pool: CharSet, sets: &[CharSet], first: CharSet, limits: RunLimits) -> Vec<Self> {
        let mut cells: BTreeMap<u32, BTreeMap<Sequence, u64>> = BTreeMap::new();
        for characters in limits.sequences(pool) {
            let one = characters[0];
            let membership = sets.iter().rev().fold(0, |bits, set| bits << 1 | u32::from(set.contains(one)));
            let bits = characters.iter().rev().fold(0, |bits, byte| bits << 1 | u32::from(first.contains(*byte)));
            let sequence = Sequence { length: characters.len(), first: bits };
            *cells.entry(membership).or_default().entry(sequence).or_default() += 1;
        }
        cells.into_iter().map(|(sets, sequences)| Self { sets, sequences }).collect()
    }

    pub(super) fn remove(&mut self, sequence: Sequence, number: u64) {
        if let Some(left) = self.sequences.get_mut(&sequence) {
            *left -= number;
        }
        self.sequences.retain(|_, number| *number > 0);
    }

    /// The number of characters.
    pub(super) fn size(&self) -> u64 {
        self.sequences.iter().map(|(sequence, number)| number * to_u64(sequence.length)).sum()
    }

    /// The number of characters that may be first.
    pub(super) fn first(&self) -> u64 {
        self.sequences.iter().map(|(sequence, number)| number * u64::from(sequence.first.count_ones())).sum()
    }
}

/// The numbers of words over each sequence.
pub(super) struct Words {
    limits: RunLimits,
    /// For each length from 1: of all words, and of those with a valid first character.
    numbers: BTreeMap<Sequence, Vec<(BigUint, BigUint)>>,
}

impl Words {
    /// Counts the words over sequences. Without a limit on neighbours, all are of one character and need no counting.
    pub(super) fn new<'c>(
        cells: impl Iterator<Item = &'c Cell>,
        limits: RunLimits,
        budget: &mut WorkBudget,
    ) -> Result<Self, BudgetExceeded> {
        let mut numbers = BTreeMap::new();
        for sequence in cells.flat_map(|cell| cell.sequences.keys()) {
            if !numbers.contains_key(sequence) && limits.limits_sequences() {
                // Any characters stand for those of the sequence.
                let characters: Vec<u8> = (0..).take(sequence.length).collect();
                let is_first = |byte: &u8| sequence.first >> *byte & 1 == 1;
                let first = characters.iter().copied().filter(is_first).collect();
                let runs = Runs::of_sequences(vec![characters], first, limits, budget)?;
                let words = runs.totals().map(|(all, valid)| (all.clone(), valid)).collect();
                numbers.insert(*sequence, words);
            }
        }
        Ok(Self { limits, numbers })
    }

    /// The weights of blocks in one field.
    pub(super) fn weights(&self, field: Field) -> Weights {
        let mut of_sequences = BTreeMap::new();
        for (sequence, words) in &self.numbers {
            let residue = |number: &BigUint| (number % field.prime()).iter_u64_digits().next().unwrap_or_default();
            let (all, valid): (Vec<u64>, Vec<u64>) =
                words.iter().map(|(all, valid)| (residue(all), residue(valid))).unzip();
            of_sequences.insert(*sequence, (divided(field, &all, &all), divided(field, &valid, &all)));
        }
        Weights { field, limits: self.limits, of_sequences }
    }

    /// The steps of [`Words::weights`] in one field.
    pub(super) fn steps(&self) -> usize {
        self.numbers.len() * self.limits.length * self.limits.length / PRODUCTS_PER_STEP
    }
}

/// A series divided by 1 + V. The lists begin with the coefficient of x.
fn divided(field: Field, series: &[u64], v: &[u64]) -> Vec<u64> {
    let mut quotient: Vec<u64> = Vec::with_capacity(series.len());
    for (at, coefficient) in series.iter().enumerate() {
        let sum = field.sum_of_products(&quotient, &v[..at]);
        quotient.push(field.subtract(*coefficient, sum));
    }
    quotient
}

/// The weights of blocks in one field.
pub(super) struct Weights {
    field: Field,
    limits: RunLimits,
    of_sequences: BTreeMap<Sequence, (Vec<u64>, Vec<u64>)>,
}

impl Weights {
    /// The weights of the blocks of a cell by length from 1: of all, and of those that may begin a text.
    pub(super) fn of(&self, cell: &Cell) -> (Vec<u64>, Vec<u64>) {
        let (field, length) = (self.field, self.limits.length);
        if !self.limits.limits_sequences() {
            // V = x + x² + … + x^r, so g = (x - x^(r+1)) / (1 - x^(r+1)) for each character.
            let period = self.limits.repeating + 1;
            let weights = |characters: u64| {
                let of_length = |length: usize| match length % period {
                    0 => field.subtract(0, characters),
                    1 => characters,
                    _ => 0,
                };
                (1..=length).map(of_length).collect()
            };
            return (weights(cell.size()), weights(cell.first()));
        }
        let mut sums = (vec![0; length], vec![0; length]);
        for (sequence, number) in &cell.sequences {
            let (all, opening) = &self.of_sequences[sequence];
            for (sums, weights) in [(&mut sums.0, all), (&mut sums.1, opening)] {
                for (sum, weight) in sums.iter_mut().zip(weights) {
                    *sum = field.add(*sum, field.multiply(*number, *weight));
                }
            }
        }
        sums
    }
}
