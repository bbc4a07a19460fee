//! The pools in which no minimum of 1 is met by some sets, and the cells of each.
//!
//! A text without a character of a required set is a text over a smaller pool. So the texts that have a character of each
//! set are all texts, minus those over the pool without the first set, minus those without the second, plus those without
//! both, and so on: a signed sum over pools.
//!
//! A worked example: `ab01`, length 4, at least one of `ab`. All texts: 4⁴ = 256. Those over `01`: 2⁴ = 16. 256 - 16 = 240.

use std::collections::BTreeMap;

use super::blocks::{Cell, Sequence};
use super::budget::{BudgetExceeded, WorkBudget};
use super::runs::RunLimits;
use crate::password::charset::CharSet;
use crate::password::spec::{PasswordSpec, Requirement};

/// The steps to add one set to one pool, and the memory of a pool with its cells, in bytes.
const POOL_STEPS: usize = 20;
const POOL_BYTES: usize = 300;

/// A specification without minima of 1: its texts are counted over several pools.
pub(super) struct Pools {
    pub(super) limits: RunLimits,
    /// The minima above 1, in the order of the bits of [`Cell::sets`].
    pub(super) minima: Vec<usize>,
    /// The cells of each pool, and how often its texts count, which may be negative.
    pub(super) cells: BTreeMap<Vec<Cell>, i64>,
}

impl Pools {
    /// The pools of a specification without `min_classes`.
    ///
    /// # Errors
    /// [`BudgetExceeded`], also if a set with a minimum above 1 cuts a sequence of neighbours: some blocks would be partly
    /// inside and partly outside the set.
    pub(super) fn new(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<Self, BudgetExceeded> {
        let limits = RunLimits::of(spec);
        let sequences: Vec<CharSet> = limits.sequences(spec.pool).into_iter().map(CharSet::from_iter).collect();
        let meet = |one: CharSet, other: CharSet| !one.intersection(other).is_empty();
        let cuts_a_sequence =
            |set: CharSet| sequences.iter().any(|sequence| meet(*sequence, set) && !sequence.without(set).is_empty());
        let (larger, ones): (Vec<Requirement>, Vec<Requirement>) =
            spec.requirements.iter().partition(|one| one.min > 1);
        if larger.iter().any(|one| cuts_a_sequence(one.characters)) {
            return Err(BudgetExceeded);
        }
        let sets: Vec<CharSet> = larger.iter().map(|one| one.characters).collect();
        let cells = |pool: CharSet| Cell::of_pool(pool, &sets, spec.first(), limits);
        // Of a set that overlaps no other one and cuts no sequence, only its sequences matter. They are removed in the end.
        let mut pools = BTreeMap::from([((spec.pool, BTreeMap::<Sequence, u64>::new()), 1)]);
        for one in &ones {
            let set = one.characters;
            let mut others = spec.requirements.iter().filter(|other| other.characters != set);
            let is_apart = !cuts_a_sequence(set) && !others.any(|other| meet(set, other.characters));
            budget.spend(POOL_STEPS * pools.len())?;
            budget.lend(2 * pools.len() * POOL_BYTES)?;
            for ((mut pool, mut removed), sign) in pools.clone() {
                if is_apart {
                    let own = cells(set).into_iter().flat_map(|cell| cell.sequences);
                    own.for_each(|(sequence, number)| *removed.entry(sequence).or_default() += number);
                } else {
                    pool = pool.without(set);
                }
                *pools.entry((pool, removed)).or_default() -= sign;
            }
            pools.retain(|_, sign: &mut i64| *sign != 0);
        }
        let mut merged: BTreeMap<Vec<Cell>, i64> = BTreeMap::new();
        for ((pool, removed), sign) in pools {
            let mut cells = cells(pool);
            // The removed sequences are in no set with a larger minimum.
            if let Some(outside) = cells.iter_mut().find(|cell| cell.sets == 0) {
                for (sequence, number) in removed {
                    outside.remove(sequence, number);
                }
            }
            cells.retain(|cell| cell.size() > 0);
            *merged.entry(cells).or_default() += sign;
        }
        merged.retain(|_, sign| *sign != 0);
        Ok(Self { limits, minima: larger.iter().map(|one| usize::from(one.min)).collect(), cells: merged })
    }
}
