//! Series of blocks, whose sequences are the texts with limits on runs.
//!
//! **Blocks.** Divide a text into blocks, each of characters of one sequence of neighbours; blocks side by side may be of
//! the same sequence. Let V(l) be the number of words of length l over a sequence that keep the limits, and V the series
//! of V(l)·x^l. A text is a succession of words, no two of the same sequence side by side. With the signed weights
//!
//! ```text
//! g = V / (1 + V)
//! ```
//!
//! blocks need not see their neighbours: 1/(1 - g) = 1 + V, so all divisions of a word into blocks side by side have the
//! weight 1 together. So all texts are U = 1/(1 - h), where h is the sum of g over all sequences.
//!
//! A single character has V = x + x^2 + … + x^r, so g = (x - x^(r+1)) / (1 - x^(r+1)), and s of them have U = (1 - x^(r+1))
//! / (1 - s·x + (s-1)·x^(r+1)): a product with either takes a few operations for each coefficient.
//!
//! The first character of a text may be limited to some. Of a sequence, let F be the series of the words that begin with
//! one of those: the texts whose first word is such a word are F/(1 + V)·U.
//!
//! This is the cluster method of Goulden and Jackson ("An inversion theorem for cluster decompositions of sequences with
//! distinguished subsequences", 1979), with the sequences in the place of letters.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::budget::{BudgetExceeded, WorkBudget};
use super::modular::Field;
use super::runs::{RunLimits, Runs};
use crate::password::charset::CharSet;

/// What matters of a sequence: its number of characters, and which of them may be first, one bit each.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Sequence {
    pub(super) length: usize,
    pub(super) first: u32,
}

/// What matters of a set of characters: how many it has of each kind of sequence.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Part(BTreeMap<Sequence, u64>);

impl Part {
    pub(super) fn new(set: CharSet, first: CharSet, limits: RunLimits) -> Self {
        let mut part = Self::default();
        for sequence in limits.sequences(set) {
            let bits = sequence.iter().rev().fold(0, |bits, byte| bits << 1 | u32::from(first.contains(*byte)));
            *part.0.entry(Sequence { length: sequence.len(), first: bits }).or_default() += 1;
        }
        part
    }

    pub(super) fn sequences(&self) -> impl Iterator<Item = (Sequence, u64)> {
        self.0.iter().map(|(sequence, number)| (*sequence, *number))
    }

    pub(super) fn with(&self, other: &Self) -> Self {
        let mut sum = self.clone();
        for (sequence, number) in other.sequences() {
            *sum.0.entry(sequence).or_default() += number;
        }
        sum
    }

    /// The part without another one, which it contains.
    pub(super) fn without(&self, other: &Self) -> Self {
        let mut rest = self.clone();
        for (sequence, number) in other.sequences() {
            if let Some(left) = rest.0.get_mut(&sequence) {
                *left -= number;
            }
        }
        rest.0.retain(|_, number| *number > 0);
        rest
    }

    /// The number of characters.
    pub(super) fn size(&self) -> u64 {
        self.sequences().map(|(sequence, number)| number * to_u64(sequence.length)).sum()
    }

    /// The number of characters that may be first.
    pub(super) fn first(&self) -> u64 {
        self.sequences().map(|(sequence, number)| number * u64::from(sequence.first.count_ones())).sum()
    }
}

/// The numbers of words over each kind of sequence.
pub(super) struct Words {
    limits: RunLimits,
    /// For each length from 1: of all words, and of those with a valid first character.
    numbers: BTreeMap<Sequence, Vec<(BigUint, BigUint)>>,
}

impl Words {
    /// Counts the words over sequences of several characters. Those of one character need no counting.
    pub(super) fn new<'p>(
        parts: impl Iterator<Item = &'p Part>,
        limits: RunLimits,
        budget: &mut WorkBudget,
    ) -> Result<Self, BudgetExceeded> {
        let mut numbers = BTreeMap::new();
        for (sequence, _) in parts.flat_map(Part::sequences) {
            if !numbers.contains_key(&sequence) && limits.limits_sequences() {
                // Any characters stand for those of the sequence.
                let characters: Vec<u8> = (0..).take(sequence.length).collect();
                let is_first = |byte: &u8| sequence.first >> *byte & 1 == 1;
                let first = characters.iter().copied().filter(is_first).collect();
                let runs = Runs::of_sequences(vec![characters], first, limits, budget)?;
                let words = runs.totals().map(|(all, valid)| (all.clone(), valid)).collect();
                numbers.insert(sequence, words);
            }
        }
        Ok(Self { limits, numbers })
    }

    /// The series g and F/(1 + V) of every kind of sequence.
    pub(super) fn blocks(&self, field: Field) -> Blocks {
        let mut series = BTreeMap::new();
        for (sequence, words) in &self.numbers {
            let residue = |number: &BigUint| (number % field.prime()).iter_u64_digits().next().unwrap_or_default();
            let (all, valid): (Vec<u64>, Vec<u64>) =
                words.iter().map(|(all, valid)| (residue(all), residue(valid))).unzip();
            series.insert(*sequence, (divided(field, &all, &all), divided(field, &valid, &all)));
        }
        Blocks { field, limits: self.limits, series }
    }

    /// The steps of [`Words::blocks`] in one field.
    pub(super) fn steps(&self) -> usize {
        self.numbers.len() * self.limits.length * self.limits.length / PRODUCTS_PER_STEP
    }
}

/// How many products are added to a sum in a step.
pub(super) const PRODUCTS_PER_STEP: usize = 2;

/// A series divided by 1 + V. The lists begin with the coefficient of x.
fn divided(field: Field, series: &[u64], v: &[u64]) -> Vec<u64> {
    let mut quotient: Vec<u64> = Vec::with_capacity(series.len());
    for (at, coefficient) in series.iter().enumerate() {
        let mut sum = 0;
        quotient.iter().zip(v[..at].iter().rev()).for_each(|(one, other)| field.accumulate(&mut sum, *one, *other));
        quotient.push(field.subtract(*coefficient, field.finish(sum)));
    }
    quotient
}

/// The series of blocks in one field.
pub(super) struct Blocks {
    field: Field,
    limits: RunLimits,
    series: BTreeMap<Sequence, (Vec<u64>, Vec<u64>)>,
}

/// A series as a fraction: `numerator` / (1 - `feedback`), each a list of exponents and coefficients.
pub(super) struct Fraction {
    numerator: Vec<(usize, u64)>,
    feedback: Vec<(usize, u64)>,
}

impl Fraction {
    /// The first coefficients of a series times this one.
    pub(super) fn times(&self, field: Field, series: &[u64]) -> Vec<u64> {
        let mut product: Vec<u64> = Vec::with_capacity(series.len());
        for at in 0..series.len() {
            let mut sum = 0;
            for (terms, values) in [(&self.numerator, series), (&self.feedback, product.as_slice())] {
                for &(exponent, coefficient) in terms.iter().take_while(|(exponent, _)| *exponent <= at) {
                    field.accumulate(&mut sum, coefficient, values[at - exponent]);
                }
            }
            product.push(field.finish(sum));
        }
        product
    }
}

impl Blocks {
    /// The blocks of a part: h.
    pub(super) fn of(&self, part: &Part) -> Fraction {
        self.fraction(part.size(), |blocks| &blocks.0, part)
    }

    /// The blocks of a part that may begin a text.
    pub(super) fn opening(&self, part: &Part) -> Fraction {
        self.fraction(part.first(), |blocks| &blocks.1, part)
    }

    /// All texts over a part: U.
    pub(super) fn texts(&self, part: &Part) -> Fraction {
        let Fraction { numerator: h, feedback } = self.of(part);
        let one = (0, 1);
        let numerator = feedback.iter().map(|&(exponent, decay)| (exponent, self.field.subtract(0, decay)));
        let numerator = [one].into_iter().chain(numerator).collect();
        let mut sum: BTreeMap<usize, u64> = feedback.into_iter().collect();
        for (exponent, coefficient) in h {
            let known = sum.entry(exponent).or_default();
            *known = self.field.add(*known, coefficient);
        }
        Fraction { numerator, feedback: sum.into_iter().collect() }
    }

    fn fraction(&self, characters: u64, series: impl Fn(&(Vec<u64>, Vec<u64>)) -> &Vec<u64>, part: &Part) -> Fraction {
        if !self.limits.limits_sequences() {
            // Single characters: (s·x - s·x^(r+1)) / (1 - x^(r+1)).
            let far = self.limits.repeating + 1;
            let (characters, negative) = (characters, self.field.subtract(0, characters));
            return Fraction { numerator: vec![(1, characters), (far, negative)], feedback: vec![(far, 1)] };
        }
        let mut sums = vec![0; self.limits.length];
        for (sequence, number) in part.sequences() {
            for (sum, coefficient) in sums.iter_mut().zip(series(&self.series[&sequence])) {
                *sum = self.field.add(*sum, self.field.multiply(number, *coefficient));
            }
        }
        let numerator = sums.into_iter().enumerate().map(|(at, coefficient)| (at + 1, coefficient));
        Fraction { numerator: numerator.filter(|(_, coefficient)| *coefficient != 0).collect(), feedback: Vec::new() }
    }
}

pub(super) fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
