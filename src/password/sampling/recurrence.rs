//! Counts texts with limits on runs, and with minima, by one recurrence over the length.
//!
//! A text is a succession of blocks ([`super::blocks`]), so the texts of length i are those of length i - l, each followed
//! by any block of length l. To fail a minimum of d is to have 0, 1, … or d - 1 characters of its set. So for every minimum
//! we count the texts with exactly j < d characters of the set, and those with any number. Let e be a choice of one of these
//! for each minimum. If the last block is of a cell, the text before it has l characters fewer of the sets that contain
//! the cell:
//!
//! ```text
//! W[e][i] = sum over the cells, and over l, of g_cell[l] · W[e less l in the sets of the cell][i - l]
//! ```
//!
//! where "any number" less l is any number, and the first block has the weight F/(1 + V) in place of g. The texts that meet
//! the minima are the sum of `W[e]` over all e, negative if e has an odd number of exact numbers. The table has all lengths up
//! to the longest.
//!
//! A worked example: `ab` with at least two `a`, length 2, no limit that matters: g = x for each character. `W[any][2]` =
//! 4, `W[0][2]` = 1 (`bb`), and `W[1][2]` = `W[0][1]` + `W[1][1]` = 1 + 1 (`ba`, `ab`). The sum is 4 - 1 - 2 = 1.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::blocks::{Cell, Weights, Words, pools};
use super::budget::{BudgetExceeded, WorkBudget};
use super::modular::{Field, PRODUCTS_PER_STEP, reconstruct, reconstruction_steps};
use super::runs::RunLimits;
use crate::password::charset::CharSet;
use crate::password::spec::{PasswordSpec, Requirement};

/// The steps of one coefficient of a series besides its products, and of a product with one of few blocks.
const COEFFICIENT_STEPS: usize = 8;
const BLOCK_STEPS: usize = 1;

/// Counts the texts of each length from `shortest` to that of a specification without `min_classes` and `no_repeats`, in
/// which no set has two minima.
///
/// # Errors
/// [`BudgetExceeded`], also for a minimum above 1 of a set that cuts a sequence of neighbours: some blocks would be partly
/// inside and partly outside the set.
pub(super) fn count(
    spec: &PasswordSpec,
    shortest: u16,
    budget: &mut WorkBudget,
) -> Result<Vec<BigUint>, BudgetExceeded> {
    let limits = RunLimits::of(spec);
    let sequences: Vec<CharSet> = limits.sequences(spec.pool).into_iter().map(CharSet::from_iter).collect();
    let is_cut =
        |sequence: &CharSet, set: CharSet| !sequence.intersection(set).is_empty() && !sequence.without(set).is_empty();
    let cuts_a_sequence = |one: &&Requirement| sequences.iter().any(|sequence| is_cut(sequence, one.characters));
    let (cutting, others): (Vec<&Requirement>, Vec<&Requirement>) = spec.requirements.iter().partition(cuts_a_sequence);
    if cutting.iter().any(|one| one.min > 1) {
        return Err(BudgetExceeded);
    }
    let sets = |of: &[&Requirement]| of.iter().map(|one| one.characters).collect::<Vec<_>>();
    let mut tables: BTreeMap<Vec<Cell>, i64> = BTreeMap::new();
    for (pool, sign) in pools(spec.pool, &sets(&cutting), budget)? {
        *tables.entry(Cell::of_pool(pool, &sets(&others), spec.first(), limits)).or_default() += sign;
    }
    let minima: Vec<usize> = others.iter().map(|one| usize::from(one.min)).collect();
    let fields = Field::for_texts(spec.length, spec.pool.len()).ok_or(BudgetExceeded)?;
    let words = Words::new(tables.keys().flatten(), limits, budget)?;
    let steps = tables.keys().map(|cells| steps(cells, &minima, limits)).fold(words.steps(), usize::saturating_add);
    let lengths = usize::from(shortest)..=usize::from(spec.length);
    let reconstruction = lengths.clone().count() * reconstruction_steps(fields.len());
    budget.spend(steps.saturating_mul(fields.len()).saturating_add(reconstruction))?;
    let table = states(&minima).saturating_mul(limits.length + 1).saturating_mul(size_of::<u64>());
    budget.lend(table.saturating_add(lengths.clone().count() * fields.len() * size_of::<(Field, u64)>()))?;
    let mut residues: Vec<Vec<(Field, u64)>> = lengths.clone().map(|_| Vec::new()).collect();
    for field in fields {
        let weights = words.weights(field);
        let mut sums = vec![0; limits.length + 1];
        for (cells, sign) in &tables {
            let weights = |cell: &Cell| (cell.sets, Weights::of_cell(cell, &weights, limits.length, field));
            let cells = cells.iter().map(weights).collect();
            let table = Table { field, limits, minima: &minima, cells, texts: Vec::new(), admits_none: Vec::new() };
            let sign = field.signed(*sign);
            let texts = table.texts().into_iter().map(|texts| field.multiply(sign, texts));
            sums.iter_mut().zip(texts).for_each(|(sum, texts)| *sum = field.add(*sum, texts));
        }
        residues.iter_mut().zip(&sums[lengths.clone()]).for_each(|(residues, sum)| residues.push((field, *sum)));
    }
    Ok(residues.iter().map(|residues| reconstruct(residues)).collect())
}

/// The number of choices e.
fn states(minima: &[usize]) -> usize {
    minima.iter().fold(1, |states: usize, min| states.saturating_mul(min + 1))
}

/// The steps of one table in one field.
fn steps(cells: &[Cell], minima: &[usize], limits: RunLimits) -> usize {
    let states = states(minima);
    // With an exact number for every set, no cell is left that may have any number.
    let all_exact = minima.iter().fold(1, |all: usize, min| all.saturating_mul(*min));
    let divided = if cells.iter().all(|cell| cell.sets != 0) { states - all_exact } else { states };
    let division = if limits.limits_sequences() { limits.length / 2 / PRODUCTS_PER_STEP } else { 0 };
    // A cell takes up to j characters of an exact number j, on average over all states.
    let taken = cells.iter().filter_map(|cell| {
        let own = minima.iter().enumerate().filter(|(set, _)| cell.sets >> set & 1 == 1);
        own.map(|(_, min)| states / (min + 1) * (min * (min - 1) / 2)).max()
    });
    let products = taken.fold(0, usize::saturating_add).saturating_mul(BLOCK_STEPS);
    let sequences: usize = cells.iter().map(|cell| cell.sequences.len()).sum();
    let of_length = states.saturating_mul(COEFFICIENT_STEPS).saturating_add(divided.saturating_mul(division));
    of_length.saturating_add(products + COEFFICIENT_STEPS * sequences).saturating_mul(limits.length)
}

/// W in one field, for one pool.
struct Table<'t> {
    field: Field,
    limits: RunLimits,
    minima: &'t [usize],
    /// The sets that contain each cell, and the weights of its blocks.
    cells: Vec<(u32, Weights)>,
    /// For each e, the texts by length. The empty text is not one.
    texts: Vec<Vec<u64>>,
    /// For each e, whether every exact number is 0.
    admits_none: Vec<bool>,
}

impl Table<'_> {
    /// The number of texts that meet the minima, by length.
    fn texts(mut self) -> Vec<u64> {
        let field = self.field;
        let mut sums = vec![0; self.limits.length + 1];
        for state in 0..states(self.minima) {
            // The mixed-radix digits of a state: an exact number, or the minimum for any number.
            let (mut place, mut exact) = (1, Vec::with_capacity(self.minima.len()));
            for (set, min) in self.minima.iter().enumerate() {
                let number = state / place % (min + 1);
                if number < *min {
                    exact.push(Exact { set, number, place });
                }
                place *= min + 1;
            }
            self.admits_none.push(exact.iter().all(|one| one.number == 0));
            let texts = self.of_state(state, &exact);
            for (sum, texts) in sums.iter_mut().zip(&texts) {
                *sum = if exact.len() % 2 == 0 { field.add(*sum, *texts) } else { field.subtract(*sum, *texts) };
            }
            self.texts.push(texts);
        }
        sums
    }

    /// The texts of one e, from those with fewer characters of its sets.
    fn of_state(&self, state: usize, exact: &[Exact]) -> Vec<u64> {
        let (field, length) = (self.field, self.limits.length);
        let add_to = |sums: &mut [u64], numbers: &[u64]| {
            sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum = field.add(*sum, *number));
        };
        let mut texts = vec![0; length + 1];
        // Of single characters, the first weight says all.
        let mut any = vec![0; if self.limits.limits_sequences() { length } else { 1 }];
        let mut blocks = Vec::new();
        for (sets, weights) in &self.cells {
            let own = || exact.iter().filter(|one| sets >> one.set & 1 == 1);
            let Some(most) = own().map(|one| one.number).min() else {
                add_to(&mut any, &weights.all);
                if self.admits_none[state] {
                    add_to(&mut texts[1..], &weights.opening);
                }
                continue;
            };
            let character: usize = own().map(|one| one.place).sum();
            let lengths = (1..=most).zip(&weights.all).zip(&weights.opening).zip(&mut texts[1..]);
            for (((block, all), opening), text) in lengths {
                let before = state - block * character;
                if self.admits_none[before] {
                    *text = field.add(*text, *opening);
                }
                blocks.push((block, *all, &self.texts[before]));
            }
        }
        if !blocks.is_empty() {
            for (at, sum) in texts.iter_mut().enumerate() {
                let blocks = blocks.iter().filter(|(block, weight, _)| *block < at && *weight != 0);
                *sum = field.add(*sum, field.sum(blocks.map(|(block, weight, before)| (*weight, before[at - block]))));
            }
        }
        if any[0] != 0 {
            self.divide(&mut texts, &any);
        }
        texts
    }

    /// Divides a series by 1 - h: adds any number of blocks of the cells whose weights are h.
    fn divide(&self, series: &mut [u64], h: &[u64]) {
        let field = self.field;
        if self.limits.limits_sequences() {
            for at in 1..series.len() {
                series[at] = field.add(series[at], field.sum_of_products(&h[..at], &series[..at]));
            }
            return;
        }
        // For s single characters, 1/(1 - h) = (1 - x^(r+1)) / (1 - s·x + (s - 1)·x^(r+1)).
        let (characters, period) = (h[0], self.limits.repeating + 1);
        let (others, none) = (field.subtract(1, characters), field.subtract(0, 1));
        let undivided = series.to_vec();
        for at in 1..series.len() {
            let earlier = at.checked_sub(period).map(|before| [(others, series[before]), (none, undivided[before])]);
            let products = [(1, series[at]), (characters, series[at - 1])].into_iter();
            series[at] = field.sum(products.chain(earlier.into_iter().flatten()));
        }
    }
}

/// An exact number of characters of one set.
struct Exact {
    set: usize,
    number: usize,
    /// The value of the digit in a state.
    place: usize,
}
