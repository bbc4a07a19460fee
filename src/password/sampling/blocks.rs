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
//! weight 1 together. The weights of a cell are the sum of those of its sequences. The first character of a text may be
//! limited to some: if F counts the words that begin with one of those, the first block of a text has the weight F/(1 + V).
//!
//! A worked example: the sequence `a`, at most one in a row. V = x, so g = x/(1 + x) = x - x² + x³ - …: the text `aa` is two
//! blocks of length 1 with the weight 1·1, or one block of length 2 with the weight -1. The sum is 0.
//!
//! This is the cluster method of Goulden and Jackson ("An inversion theorem for cluster decompositions of sequences with
//! distinguished subsequences", 1979), with the sequences in the place of letters.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::budget::{BudgetExceeded, WorkBudget};
use super::modular::{Field, PRODUCTS_PER_STEP};
use super::runs::{RunLimits, Runs};
use crate::password::charset::CharSet;

/// The steps to add one set to one pool, and the memory of a pool with its cells, in bytes.
const POOL_STEPS: usize = 20;
const POOL_BYTES: usize = 300;

/// The pools in which some sets have no characters, and how often the texts of each count, which may be negative.
///
/// A text without a character of a set is a text over a smaller pool. So the texts that have a character of each set are
/// all texts, minus those over the pool without the first set, minus those without the second, plus those without both.
pub(super) fn pools(
    pool: CharSet,
    sets: &[CharSet],
    budget: &mut WorkBudget,
) -> Result<BTreeMap<CharSet, i64>, BudgetExceeded> {
    let mut pools = BTreeMap::from([(pool, 1)]);
    for set in sets {
        budget.spend(POOL_STEPS * pools.len())?;
        budget.lend(2 * POOL_BYTES * pools.len())?;
        for (pool, sign) in pools.clone() {
            *pools.entry(pool.without(*set)).or_default() -= sign;
        }
        pools.retain(|_, sign| *sign != 0);
    }
    Ok(pools)
}

/// What matters of a sequence: its number of characters, and which of them may be first, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sequence {
    length: usize,
    first: u32,
}

/// What matters of the characters that every minimum treats alike.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
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
            let bits = |bits, is_set| bits << 1 | u32::from(is_set);
            let membership = sets.iter().rev().map(|set| set.contains(characters[0])).fold(0, bits);
            let first = characters.iter().rev().map(|byte| first.contains(*byte)).fold(0, bits);
            let sequence = Sequence { length: characters.len(), first };
            *cells.entry(membership).or_default().entry(sequence).or_default() += 1;
        }
        cells.into_iter().map(|(sets, sequences)| Self { sets, sequences }).collect()
    }
}

/// The numbers of words over each sequence, for each length from 1: of all, and of those with a valid first character.
/// Those over single characters need no counting.
pub(super) struct Words {
    limits: RunLimits,
    numbers: BTreeMap<Sequence, Vec<(BigUint, BigUint)>>,
}

impl Words {
    pub(super) fn new<'c>(
        cells: impl Iterator<Item = &'c Cell>,
        limits: RunLimits,
        budget: &mut WorkBudget,
    ) -> Result<Self, BudgetExceeded> {
        let mut numbers = BTreeMap::new();
        for sequence in cells.flat_map(|cell| cell.sequences.keys()) {
            if sequence.length == 1 {
                numbers.insert(*sequence, Vec::new());
            } else if !numbers.contains_key(sequence) {
                // Any characters stand for those of the sequence.
                let characters: Vec<u8> = (0..).take(sequence.length).collect();
                let is_first = |byte: &u8| sequence.first >> *byte & 1 == 1;
                let first = characters.iter().copied().filter(is_first).collect();
                let runs = Runs::of_sequences(vec![characters], first, limits, budget)?;
                numbers.insert(*sequence, runs.totals().map(|(all, valid)| (all.clone(), valid)).collect());
            }
        }
        Ok(Self { limits, numbers })
    }

    /// The weights of the blocks of every sequence in one field.
    pub(super) fn weights(&self, field: Field) -> BTreeMap<Sequence, Weights> {
        // For a single character V = x + x² + … + x^r, so g = (x - x^(r+1)) / (1 - x^(r+1)).
        let of_one = |length: usize| match length % (self.limits.repeating + 1) {
            0 => field.subtract(0, 1),
            1 => 1,
            _ => 0,
        };
        let weights = |(sequence, words): (&Sequence, &Vec<(BigUint, BigUint)>)| {
            if sequence.length == 1 {
                let all: Vec<u64> = (1..=self.limits.length).map(of_one).collect();
                let opening = all.iter().map(|weight| weight * u64::from(sequence.first)).collect();
                return (*sequence, Weights { all, opening });
            }
            let residue = |number: &BigUint| (number % field.prime()).iter_u64_digits().next().unwrap_or_default();
            let all: Vec<u64> = words.iter().map(|(all, _)| residue(all)).collect();
            let valid: Vec<u64> = words.iter().map(|(_, valid)| residue(valid)).collect();
            (*sequence, Weights { all: divided(field, &all, &all), opening: divided(field, &valid, &all) })
        };
        self.numbers.iter().map(weights).collect()
    }

    /// The steps of [`Words::weights`] in one field.
    pub(super) fn steps(&self) -> usize {
        let several = self.numbers.keys().filter(|sequence| sequence.length > 1).count();
        several * self.limits.length * self.limits.length / PRODUCTS_PER_STEP
    }
}

/// The weights of blocks by length from 1: of all, and of those that may begin a text.
pub(super) struct Weights {
    pub(super) all: Vec<u64>,
    pub(super) opening: Vec<u64>,
}

impl Weights {
    /// The weights of the blocks of a cell.
    pub(super) fn of_cell(cell: &Cell, of_sequences: &BTreeMap<Sequence, Self>, length: usize, field: Field) -> Self {
        let mut sums = Self { all: vec![0; length], opening: vec![0; length] };
        for (sequence, number) in &cell.sequences {
            let Self { all, opening } = &of_sequences[sequence];
            for (sums, weights) in [(&mut sums.all, all), (&mut sums.opening, opening)] {
                sums.iter_mut()
                    .zip(weights)
                    .for_each(|(sum, one)| *sum = field.add(*sum, field.multiply(*number, *one)));
            }
        }
        sums
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
