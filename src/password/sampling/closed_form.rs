//! Counts texts without limits on runs, of any length.
//!
//! Without limits on runs every block is a single character, and the numbers `W[e]` of [`super::recurrence`] have a closed
//! form. Texts of length n with c characters of the sets whose minimum fails, and n - c others out of s, are
//!
//! ```text
//! n! / (n - c)! · s^(n - c) · (the coefficient of x^c in a product)
//! ```
//!
//! where each failing set of k characters with a minimum of d has the factor 1 + k·x + (k·x)²/2! + … up to the exponent d - 1.
//! So all choices with the same s are one polynomial. With `start`, the sum is over the cells of the first character, with
//! one position less and one character less to require.
//!
//! A worked example: `ab01`, length 4, at least two of `ab`. All texts: 4⁴ = 256. Failing: the factor is 1 + 2·x, so there are
//! 2⁴ + 4 · 2³ · 2 = 80. 256 - 80 = 176.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::blocks::pools;
use super::budget::{BudgetExceeded, WorkBudget};
use super::modular::{Field, INVERSE_STEPS, PRODUCTS_PER_STEP, reconstruct, reconstruction_steps, to_u64};
use crate::password::charset::CharSet;
use crate::password::spec::{PasswordSpec, Requirement};

/// The steps of one polynomial besides its products, and of one of its coefficients.
const POLYNOMIAL_STEPS: usize = 40;
const COEFFICIENT_STEPS: usize = 6;

/// Counts the texts of a specification without `min_classes`, `no_repeats` and limits on runs, in which no set has two
/// minima.
///
/// # Errors
/// [`BudgetExceeded`], also for minima above 1 of sets that overlap.
pub(super) fn count(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<BigUint, BudgetExceeded> {
    let overlap = |one: CharSet, other: CharSet| one != other && !one.intersection(other).is_empty();
    let overlaps = |one: &Requirement| spec.requirements.iter().any(|other| overlap(one.characters, other.characters));
    let (smaller_pools, apart): (Vec<Requirement>, Vec<Requirement>) =
        spec.requirements.iter().partition(|one| one.min == 1 && overlaps(one));
    if apart.iter().any(|one| apart.iter().any(|other| overlap(one.characters, other.characters))) {
        return Err(BudgetExceeded);
    }
    let removed: Vec<CharSet> = smaller_pools.iter().map(|one| one.characters).collect();
    let mut texts: BTreeMap<Texts, i64> = BTreeMap::new();
    for (pool, sign) in pools(spec.pool, &removed, budget)? {
        for (texts_of_pool, first) in Texts::of_pool(pool, &apart, spec) {
            *texts.entry(texts_of_pool).or_default() += sign * i64::from(first);
        }
    }
    // A set doubles the polynomials at most, until there is one for each number of characters, at most 128. They are copied.
    let coefficients = apart.iter().map(|one| usize::from(one.min)).sum::<usize>().min(usize::from(spec.length)) + 1;
    budget.lend((2 << apart.len().min(7)) * coefficients * size_of::<u64>())?;
    let fields = Field::for_texts(spec.length, spec.pool.len()).ok_or(BudgetExceeded)?;
    let most = apart.iter().map(|one| one.min).max().map_or(1, u64::from);
    let steps = texts.keys().map(Texts::steps).fold(0, usize::saturating_add);
    let steps =
        steps.saturating_add(apart.iter().map(|one| usize::from(one.min) * INVERSE_STEPS).max().unwrap_or_default());
    budget.spend(steps.saturating_mul(fields.len()).saturating_add(reconstruction_steps(fields.len())))?;
    let residues: Vec<(Field, u64)> = fields
        .map(|field| {
            let inverses: Vec<u64> = (1..most).map(|number| field.inverse(number)).collect();
            let texts =
                texts.iter().map(|(texts, sign)| field.multiply(field.signed(*sign), texts.count(field, &inverses)));
            (field, texts.fold(0, |sum, texts| field.add(sum, texts)))
        })
        .collect();
    Ok(reconstruct(&residues))
}

/// Texts without a start.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Texts {
    length: usize,
    /// For each cell, its size and how many characters of it are required.
    cells: Vec<(u64, usize)>,
}

impl Texts {
    /// The texts over a pool that begin in each cell, without their first character, and how many characters that can be.
    /// If it can be any, all texts.
    fn of_pool(pool: CharSet, apart: &[Requirement], spec: &PasswordSpec) -> Vec<(Self, u32)> {
        let outside = apart.iter().fold(pool, |rest, one| rest.without(one.characters));
        let sets = apart.iter().map(|one| (one.characters.intersection(pool), usize::from(one.min)));
        let sets: Vec<(CharSet, usize)> = sets.chain([(outside, 0)]).collect();
        let length = usize::from(spec.length);
        let texts = |length, opening| {
            let required = |(cell, (set, min)): (usize, &(CharSet, usize))| {
                (u64::from(set.len()), min.saturating_sub(usize::from(opening == Some(cell))))
            };
            let mut cells: Vec<(u64, usize)> = sets.iter().enumerate().map(required).collect();
            cells.sort_unstable();
            Self { length, cells }
        };
        if spec.start.is_none() {
            return vec![(texts(length, None), 1)];
        }
        let first = sets.iter().map(|(set, _)| set.intersection(spec.first()).len()).enumerate();
        first.map(|(cell, first)| (texts(length - 1, Some(cell)), first)).collect()
    }

    /// The steps of [`Texts::count`].
    fn steps(&self) -> usize {
        let characters: u64 = self.cells.iter().map(|(size, _)| size).sum();
        let most = usize::try_from(characters).unwrap_or(usize::MAX).saturating_add(1);
        let (mut polynomials, mut coefficients, mut steps) = (1, 1, 0_usize);
        for (_, min) in self.cells.iter().filter(|(_, min)| *min > 0) {
            let sum = (coefficients + min - 1).min(self.length + 1);
            let products = coefficients.saturating_mul(*min) / PRODUCTS_PER_STEP;
            let of_one = products + (sum + min) * COEFFICIENT_STEPS + POLYNOMIAL_STEPS;
            steps = steps.saturating_add(of_one.saturating_mul(polynomials));
            (polynomials, coefficients) = ((2 * polynomials).min(most), sum);
        }
        steps.saturating_add(polynomials * (coefficients * COEFFICIENT_STEPS + 2 * POLYNOMIAL_STEPS))
    }

    /// Their number in one field, with the inverses of 1, 2, ….
    fn count(&self, field: Field, inverses: &[u64]) -> u64 {
        // By the number of characters that are not in a failing set.
        let all = self.cells.iter().map(|(size, _)| size).sum();
        let mut polynomials: BTreeMap<u64, Vec<u64>> = BTreeMap::from([(all, vec![1])]);
        for (size, min) in self.cells.iter().filter(|(_, min)| *min > 0) {
            let mut factor = vec![field.subtract(0, 1)];
            for inverse in &inverses[..min - 1] {
                factor.push(field.multiply(field.multiply(factor[factor.len() - 1], *size), *inverse));
            }
            for (others, polynomial) in polynomials.clone() {
                let product = product(field, &polynomial, &factor, self.length + 1);
                let sum = polynomials.entry(others - size).or_default();
                sum.resize(sum.len().max(product.len()), 0);
                sum.iter_mut().zip(product).for_each(|(sum, one)| *sum = field.add(*sum, one));
            }
        }
        polynomials.into_iter().fold(0, |all, (others, polynomial)| {
            let (mut sum, mut positions) = (0, 1);
            for (taken, coefficient) in polynomial.iter().enumerate() {
                sum = field.add(field.multiply(sum, others), field.multiply(positions, *coefficient));
                positions = field.multiply(positions, to_u64(self.length - taken));
            }
            let others = field.power(others, to_u64(self.length + 1 - polynomial.len()));
            field.add(all, field.multiply(sum, others))
        })
    }
}

/// The first coefficients of a product of two polynomials, at most `most`.
fn product(field: Field, one: &[u64], other: &[u64], most: usize) -> Vec<u64> {
    let coefficient = |at: usize| {
        let (from, to) = ((at + 1).saturating_sub(other.len()), at.min(one.len() - 1));
        field.sum_of_products(&one[from..=to], &other[at - to..=at - from])
    };
    (0..(one.len() + other.len() - 1).min(most)).map(coefficient).collect()
}
