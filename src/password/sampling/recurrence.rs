//! Counts texts with limits on runs, and with minima, by one recurrence over the length.
//!
//! A text is a succession of blocks ([`super::blocks`]), so the texts of length i are those of length i - l, each followed
//! by any block of length l. To fail a minimum of d is to have 0, 1, … or d - 1 characters of its set. So for every minimum
//! we count the texts with exactly j < d characters of the set, and those with any number. Let e be a choice of one of these
//! for each minimum. If a block of length l is in a cell, the text before it has l characters fewer of the sets that contain
//! the cell:
//!
//! ```text
//! W[e][i] = sum over the cells, and over l, of g_cell[l] · W[e less l in the sets of the cell][i - l]
//! ```
//!
//! where the first block has the weight F/(1 + V) in place of g, and "any number" less l is any number. The texts that meet
//! the minima are the sum of W[e] over all e, negative if e has an odd number of exact numbers. Minima of 1 are not part
//! of e: a text without a character of a set has a smaller pool ([`super::pools`]).
//!
//! The blocks of the cells of which any number is permitted have the same text before them: they are added first, and W[e]
//! follows from the others by one division of series. The table has all lengths up to the longest.
//!
//! A worked example: `ab` with at least two `a`, length 2, no limit that matters: g = x for each character. W[any][2] = 4,
//! W[0][2] = 1 (`bb`), and W[1][2] = g·W[0][1] + g·W[1][1] = 1 + 1 (`ba`, `ab`). The sum is 4 - 1 - 2 = 1.

use num_bigint::BigUint;

use super::blocks::{Cell, Weights, Words};
use super::budget::{BudgetExceeded, WorkBudget};
use super::modular::{Field, PRODUCTS_PER_STEP, reconstruct, reconstruction_steps};
use super::pools::Pools;
use super::runs::RunLimits;
use crate::password::spec::PasswordSpec;

/// The steps of one coefficient of a series, and of one product that is reduced at once.
const COEFFICIENT_STEPS: usize = 6;
const PRODUCT_STEPS: usize = 2;

/// Counts the texts of each length from `shortest` to that of a specification without `min_classes` and `no_repeats`, in
/// which no set has two minima.
///
/// # Errors
/// [`BudgetExceeded`], also for sets with minima above 1 that cut a sequence.
pub(super) fn count(
    spec: &PasswordSpec,
    shortest: u16,
    budget: &mut WorkBudget,
) -> Result<Vec<BigUint>, BudgetExceeded> {
    let Pools { limits, minima, cells: pools } = Pools::new(spec, budget)?;
    let fields = Field::for_texts(spec.length, spec.pool.len()).ok_or(BudgetExceeded)?;
    let words = Words::new(pools.keys().flatten(), limits, budget)?;
    let steps = pools.keys().map(|cells| steps(cells, &minima, limits)).fold(words.steps(), usize::saturating_add);
    let lengths = usize::from(shortest)..=usize::from(spec.length);
    let reconstruction = lengths.clone().count() * reconstruction_steps(fields.len());
    budget.spend(steps.saturating_mul(fields.len()).saturating_add(reconstruction))?;
    let table = states(&minima).saturating_mul(limits.length + 1);
    let residues = lengths.clone().count() * fields.len();
    budget.lend(table.saturating_mul(size_of::<u64>()).saturating_add(residues * size_of::<(Field, u64)>()))?;
    let mut residues: Vec<Vec<(Field, u64)>> = lengths.clone().map(|_| Vec::new()).collect();
    for field in fields {
        let weights = words.weights(field);
        let mut sums = vec![0; limits.length + 1];
        for (cells, sign) in &pools {
            let sign = field.signed(*sign);
            let texts = Table::new(field, limits, &minima, cells, &weights).texts();
            sums.iter_mut().zip(texts).for_each(|(sum, texts)| *sum = field.add(*sum, field.multiply(sign, texts)));
        }
        residues.iter_mut().zip(lengths.clone()).for_each(|(residues, length)| residues.push((field, sums[length])));
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
    let exact = if cells.iter().all(|cell| cell.sets != 0) {
        minima.iter().fold(1, |all: usize, min| all.saturating_mul(*min))
    } else {
        0
    };
    let (division, sequences) = if limits.limits_sequences() {
        let sequences: usize = cells.iter().map(|cell| cell.sequences.len()).sum();
        (limits.length / 2 / PRODUCTS_PER_STEP, 2 * sequences * PRODUCT_STEPS)
    } else {
        (0, 0)
    };
    // A cell takes up to j characters of an exact number j, on average over all states.
    let taken = |min: usize| states / (min + 1) * (min * (min - 1) / 2);
    let set =
        |cell: &Cell| minima.iter().enumerate().filter(|(set, _)| cell.sets >> set & 1 == 1).map(|(_, min)| *min).max();
    let taken = cells.iter().filter_map(set).map(taken).fold(0, usize::saturating_add);
    let of_length = states.saturating_mul(COEFFICIENT_STEPS).saturating_add((states - exact).saturating_mul(division));
    of_length
        .saturating_add(taken.saturating_mul(PRODUCT_STEPS))
        .saturating_add(sequences)
        .saturating_mul(limits.length)
}

/// W in one field, for one pool.
struct Table<'t> {
    field: Field,
    limits: RunLimits,
    minima: &'t [usize],
    cells: Vec<WeighedCell>,
    /// For each e, the texts by length. The empty text is not one.
    texts: Vec<Vec<u64>>,
    /// For each e, whether every exact number is 0.
    admits_none: Vec<bool>,
}

/// A cell with the weights of its blocks, by length from 1.
struct WeighedCell {
    sets: u32,
    all: Vec<u64>,
    opening: Vec<u64>,
}

impl<'t> Table<'t> {
    fn new(field: Field, limits: RunLimits, minima: &'t [usize], cells: &[Cell], weights: &Weights) -> Self {
        let weighed = cells.iter().map(|cell| {
            let (all, opening) = weights.of(cell);
            WeighedCell { sets: cell.sets, all, opening }
        });
        Self { field, limits, minima, cells: weighed.collect(), texts: Vec::new(), admits_none: Vec::new() }
    }

    /// The number of texts that meet the minima, by length.
    fn texts(mut self) -> Vec<u64> {
        let field = self.field;
        let mut sums = vec![0; self.limits.length + 1];
        for state in 0..states(self.minima) {
            // The mixed-radix digits of a state: an exact number, or the minimum for any number.
            let mut place = 1;
            let mut exact = Vec::with_capacity(self.minima.len());
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
        let mut texts = vec![0; length + 1];
        let mut any = vec![0; length];
        for cell in &self.cells {
            let own = || exact.iter().filter(|one| cell.sets >> one.set & 1 == 1);
            let Some(most) = own().map(|one| one.number).min() else {
                add_to(&mut any, &cell.all, field);
                if self.admits_none[state] {
                    add_to(&mut texts[1..], &cell.opening, field);
                }
                continue;
            };
            let character: usize = own().map(|one| one.place).sum();
            for block in 1..=most.min(length) {
                let before = state - block * character;
                if self.admits_none[before] {
                    texts[block] = field.add(texts[block], cell.opening[block - 1]);
                }
                let weight = cell.all[block - 1];
                if weight != 0 {
                    for (sum, before) in texts[block..].iter_mut().zip(&self.texts[before]) {
                        *sum = field.add(*sum, field.multiply(weight, *before));
                    }
                }
            }
        }
        self.divide(&mut texts, &any);
        texts
    }

    /// Adds any number of blocks of the cells that may have any: divides a series by 1 - h, where h is the sum of their
    /// weights.
    fn divide(&self, series: &mut [u64], h: &[u64]) {
        let field = self.field;
        if self.limits.limits_sequences() {
            if h.iter().all(|weight| *weight == 0) {
                return;
            }
            for at in 1..series.len() {
                let sum = field.sum_of_products(&h[..at], &series[..at]);
                series[at] = field.add(series[at], sum);
            }
            return;
        }
        // For s single characters, 1/(1 - h) = (1 - x^(r+1)) / (1 - s·x + (s - 1)·x^(r+1)).
        let (characters, period) = (h[0], self.limits.repeating + 1);
        let others = field.subtract(1, characters);
        let undivided = series.to_vec();
        for at in 1..series.len() {
            let mut sum = field.add(series[at], field.multiply(characters, series[at - 1]));
            if at >= period {
                sum = field.add(sum, field.multiply(others, series[at - period]));
                sum = field.subtract(sum, undivided[at - period]);
            }
            series[at] = sum;
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

fn add_to(sums: &mut [u64], numbers: &[u64], field: Field) {
    sums.iter_mut().zip(numbers).for_each(|(sum, number)| *sum = field.add(*sum, *number));
}

#[cfg(test)]
mod tests {
    use rand::rngs::StdRng;
    use rand::{RngExt, SeedableRng};

    use super::*;
    use crate::password::charset::CharSet;
    use crate::password::sampling::closed_form;
    use crate::password::spec::Requirement;

    fn subset(random: &mut StdRng, of: &[u8]) -> CharSet {
        of.iter().copied().filter(|_| random.random_bool(0.5)).collect()
    }

    /// Sets that overlap and that cut sequences, minima up to 3, both limits and a start.
    fn random_spec(random: &mut StdRng, has_limits: bool) -> PasswordSpec {
        let pool = subset(random, b"abcdeAB01!").with(b'b');
        let requirement = |random: &mut StdRng| Requirement {
            characters: subset(random, b"abcdeAB01!").with(b'b').intersection(pool),
            min: random.random_range(1..=3),
        };
        PasswordSpec {
            length: random.random_range(1..=5),
            pool,
            requirements: (0..random.random_range(0..4)).map(|_| requirement(random)).collect(),
            min_classes: None,
            max_repeating: (has_limits && random.random_bool(0.6)).then(|| random.random_range(1..=3)),
            max_sequential: (has_limits && random.random_bool(0.6)).then(|| random.random_range(1..=3)),
            no_repeats: false,
            start: random.random_bool(0.4).then(|| subset(random, pool.bytes().collect::<Vec<_>>().as_slice())),
        }
    }

    /// The numbers of texts of each length, found by checking all of them.
    fn listed(spec: &PasswordSpec) -> Vec<BigUint> {
        let mut texts = vec![Vec::new()];
        let mut counts = Vec::new();
        for _ in 0..spec.length {
            let longer = |text: &Vec<u8>| spec.pool.bytes().map(|byte| [text.as_slice(), &[byte]].concat()).collect();
            texts = texts.iter().flat_map(|text| -> Vec<Vec<u8>> { longer(text) }).collect();
            counts.push(BigUint::from(texts.iter().filter(|text| spec.matches(text)).count()));
        }
        counts
    }

    #[test]
    fn counts_of_all_lengths_are_the_numbers_of_listed_texts() {
        let mut random = StdRng::seed_from_u64(3);
        let (mut counted, mut refused) = (0, 0);
        while counted < 600 {
            let spec = random_spec(&mut random, counted % 3 > 0).cases().swap_remove(0);
            if spec.pool.len().pow(u32::from(spec.length)) > 20_000 {
                continue;
            }
            let mut budget = WorkBudget::new(1);
            let Ok(counts) = count(&spec, 1, &mut budget) else {
                refused += 1;
                assert!(spec.limits_sequences() && spec.requirements.iter().any(|one| one.min > 1), "{spec:?}");
                continue;
            };
            let expected = listed(&spec);
            assert_eq!(counts, expected, "{spec:?}");
            counted += 1;
            if !spec.limits_runs()
                && let Ok(count) = closed_form::count(&spec, &mut budget)
            {
                assert_eq!(Some(&count), expected.last(), "{spec:?}");
            }
        }
        assert!(refused < 300, "{refused}");
    }
}
