//! Counts texts without limits on runs, of any length.
//!
//! Without limits on runs every block is a single character, and the numbers W[e] of [`super::recurrence`] have a closed
//! form. Texts with c characters of the sets whose minimum fails, and n - c others out of s, are
//!
//! ```text
//! n! / (n - c)! · s^(n - c) · (the coefficient of x^c in a product)
//! ```
//!
//! where each failing set of k characters with a minimum of d has the factor 1 + k·x + (k·x)²/2! + … up to the exponent d - 1.
//! So the choices with the same s are one polynomial. With `start`, the sum is over the cells of the first character, with
//! one position less and one character less to require.
//!
//! A worked example: `ab01`, length 4, at least two of `ab`. All texts: 4⁴ = 256. Failing: the factor is 1 + 2·x, so there are
//! 2⁴ + 4 · 2³ · 2 = 80. 256 - 80 = 176.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::blocks::Cell;
use super::budget::{BudgetExceeded, WorkBudget};
use super::modular::{Field, INVERSE_STEPS, PRODUCTS_PER_STEP, reconstruct, reconstruction_steps, to_u64};
use super::pools::Pools;
use crate::password::spec::PasswordSpec;

/// The steps of one polynomial besides its products, and of one of its coefficients.
const POLYNOMIAL_STEPS: usize = 40;
const COEFFICIENT_STEPS: usize = 6;

/// Counts the texts of a specification without `min_classes`, `no_repeats` and limits on runs, in which no set has two
/// minima.
///
/// # Errors
/// [`BudgetExceeded`], also for sets with minima above 1 that overlap.
pub(super) fn count(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<BigUint, BudgetExceeded> {
    let Pools { limits, minima, cells: pools } = Pools::new(spec, budget)?;
    if pools.keys().flatten().any(|cell| cell.sets.count_ones() > 1) {
        return Err(BudgetExceeded);
    }
    let fields = Field::for_texts(spec.length, spec.pool.len()).ok_or(BudgetExceeded)?;
    let openings: Vec<(i64, Vec<Opening>)> =
        pools.iter().map(|(cells, sign)| (*sign, openings(cells, &minima, limits.length))).collect();
    let of_pools = openings.iter().flat_map(|(_, openings)| openings);
    let steps = of_pools.map(Opening::steps).fold(0, usize::saturating_add);
    let factorials = minima.iter().max().copied().unwrap_or_default() * INVERSE_STEPS;
    let steps = steps.saturating_add(factorials).saturating_mul(fields.len());
    budget.spend(steps.saturating_add(reconstruction_steps(fields.len())))?;
    let residues: Vec<(Field, u64)> = fields
        .map(|field| {
            let mut inverses = vec![1];
            for number in 1..minima.iter().max().copied().unwrap_or(1) {
                let inverse = field.inverse(field.number(to_u64(number)));
                inverses.push(inverse);
            }
            let pools = openings.iter().map(|(sign, openings)| {
                let texts = openings.iter().fold(0, |sum, opening| field.add(sum, opening.texts(field, &inverses)));
                field.multiply(field.signed(*sign), texts)
            });
            (field, pools.fold(0, |sum, texts| field.add(sum, texts)))
        })
        .collect();
    Ok(reconstruct(&residues))
}

/// The texts of a pool that begin in one cell; all texts, if every character may be first.
struct Opening {
    /// The number of characters that may be first; 1, if the first position is like the others.
    first: u64,
    /// The positions that are left.
    length: usize,
    /// For each cell, its size and how many characters of it are required.
    cells: Vec<(u64, usize)>,
}

fn openings(cells: &[Cell], minima: &[usize], length: usize) -> Vec<Opening> {
    // A set of which nothing is left is a cell of size 0.
    let mut sizes: Vec<(u64, u64, usize)> = minima.iter().map(|min| (0, 0, *min)).collect();
    sizes.push((0, 0, 0));
    for cell in cells {
        let set = usize::try_from(cell.sets.trailing_zeros()).unwrap_or_default().min(minima.len());
        (sizes[set].0, sizes[set].1) = (cell.size(), cell.first());
    }
    let required = |opening: Option<usize>| {
        let required = sizes
            .iter()
            .enumerate()
            .map(|(cell, (size, _, min))| (*size, min.saturating_sub(usize::from(opening == Some(cell)))));
        required.collect()
    };
    if sizes.iter().all(|(size, first, _)| size == first) {
        return vec![Opening { first: 1, length, cells: required(None) }];
    }
    let begins = sizes.iter().enumerate().filter(|(_, (_, first, _))| *first > 0);
    begins
        .map(|(cell, (_, first, _))| Opening { first: *first, length: length - 1, cells: required(Some(cell)) })
        .collect()
}

impl Opening {
    /// The steps in one field.
    fn steps(&self) -> usize {
        let characters: u64 = self.cells.iter().map(|(size, _)| size).sum();
        let most = usize::try_from(characters).unwrap_or(usize::MAX).saturating_add(1);
        let (mut polynomials, mut coefficients, mut steps) = (1, 1, 0_usize);
        for (_, min) in self.cells.iter().filter(|(_, min)| *min > 0) {
            let sum = (coefficients + min - 1).min(self.length + 1);
            let of_one = coefficients.saturating_mul(*min) / PRODUCTS_PER_STEP
                + (sum + min) * COEFFICIENT_STEPS
                + POLYNOMIAL_STEPS;
            steps = steps.saturating_add(of_one.saturating_mul(polynomials));
            (polynomials, coefficients) = ((2 * polynomials).min(most), sum);
        }
        let power = usize::try_from(self.length.max(1).ilog2()).unwrap_or_default() * 3;
        steps.saturating_add(polynomials * (coefficients * COEFFICIENT_STEPS + power + POLYNOMIAL_STEPS))
    }

    /// The number of texts in one field.
    fn texts(&self, field: Field, inverses: &[u64]) -> u64 {
        let length = self.length;
        // By the number of characters that are not in a failing set.
        let all = self.cells.iter().map(|(size, _)| size).sum();
        let mut polynomials: BTreeMap<u64, Vec<u64>> = BTreeMap::from([(all, vec![1])]);
        for (size, min) in self.cells.iter().filter(|(_, min)| *min > 0) {
            let mut power = field.subtract(0, 1);
            let mut factor = Vec::with_capacity(*min);
            for inverse in &inverses[..*min] {
                power = field.multiply(power, *inverse);
                factor.push(power);
                power = field.multiply(power, *size);
            }
            for (others, polynomial) in polynomials.clone() {
                let product = product(field, &polynomial, &factor, length + 1);
                let sum = polynomials.entry(others - size).or_default();
                sum.resize(sum.len().max(product.len()), 0);
                sum.iter_mut().zip(product).for_each(|(sum, one)| *sum = field.add(*sum, one));
            }
        }
        let texts = polynomials.into_iter().map(|(others, polynomial)| {
            let (mut sum, mut positions) = (0, 1);
            for (taken, coefficient) in polynomial.iter().enumerate() {
                sum = field.add(field.multiply(sum, others), field.multiply(positions, *coefficient));
                positions = field.multiply(positions, to_u64(length - taken));
            }
            field.multiply(sum, field.power(others, to_u64(length + 1 - polynomial.len())))
        });
        field.multiply(self.first, texts.fold(0, |sum, texts| field.add(sum, texts)))
    }
}

/// The first coefficients of a product of two polynomials, at most `most`.
fn product(field: Field, one: &[u64], other: &[u64], most: usize) -> Vec<u64> {
    let coefficients = (one.len() + other.len() - 1).min(most);
    let coefficient = |at: usize| {
        let (from, to) = ((at + 1).saturating_sub(other.len()), at.min(one.len() - 1));
        field.sum_of_products(&one[from..=to], &other[at - to..=at - from])
    };
    (0..coefficients).map(coefficient).collect()
}
