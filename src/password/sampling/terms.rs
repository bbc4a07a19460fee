//! Inclusion-exclusion over requirements with a minimum of 1: a text that fails such a requirement has a smaller pool.
//! So the sets may overlap, and a requirement with a minimum of 1 needs no list of its characters.

use super::budget::{BudgetExceeded, WorkBudget};
use super::runs::RunLimits;
use super::series::Part;
use crate::password::charset::CharSet;
use crate::password::spec::{PasswordSpec, Requirement};

/// The steps to add one set to one pool, and the memory of a pool with its parts, in bytes.
const POOL_STEPS: usize = 20;
const POOL_BYTES: usize = 300;

/// Texts over a smaller pool, counted several times or negatively.
#[derive(PartialEq, Eq)]
pub(super) struct Term {
    pub(super) coefficient: i64,
    pub(super) pool: Part,
    /// The requirements that need a list, each with its minimum. No two share a character.
    pub(super) lists: Vec<(Part, usize)>,
}

/// The characters that remain when some requirements with a minimum of 1 fail.
struct Pool {
    characters: CharSet,
    /// The failing sets that overlap no other set; `characters` still contains them.
    removed: Part,
    sign: i64,
}

/// Which requirements get a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    /// Those with a minimum above 1.
    AboveOne,
    /// Those that overlap no other one, and cut no sequence of neighbours, too.
    Apart,
}

/// The pools without the sets that fail, each with the sum of its signs.
///
/// # Errors
/// [`BudgetExceeded`], also if requirements with minima above 1 overlap or cut a sequence of neighbours, which this
/// method does not support.
pub(super) fn terms(spec: &PasswordSpec, listed: Listed, budget: &mut WorkBudget) -> Result<Vec<Term>, BudgetExceeded> {
    let limits = RunLimits::of(spec);
    let sequences: Vec<CharSet> = limits.sequences(spec.pool).into_iter().map(CharSet::from_iter).collect();
    let meet = |one: CharSet, other: CharSet| !one.intersection(other).is_empty();
    let cuts_a_sequence =
        |set: CharSet| sequences.iter().any(|sequence| meet(*sequence, set) && !sequence.without(set).is_empty());
    // A set that overlaps no other one and cuts no sequence matters only by its sequences.
    let is_apart = |one: &Requirement| {
        let set = one.characters;
        let others = spec.requirements.iter().filter(|other| other.characters != set);
        !others.into_iter().any(|other| meet(set, other.characters)) && !cuts_a_sequence(set)
    };
    let (listed, ones): (Vec<Requirement>, Vec<Requirement>) =
        spec.requirements.iter().partition(|one| one.min > 1 || (listed == Listed::Apart && is_apart(one)));
    for (index, one) in listed.iter().enumerate() {
        let overlap = listed[..index].iter().any(|other| meet(one.characters, other.characters));
        if overlap || cuts_a_sequence(one.characters) {
            return Err(BudgetExceeded);
        }
    }
    // Without a start every character may be first, so the first one needs no attention.
    let first = spec.start.map_or(CharSet::default(), |_| spec.first());
    let part = |set: CharSet| Part::new(set, first, limits);
    let mut pools: Vec<Pool> = vec![Pool { characters: spec.pool, removed: Part::default(), sign: 1 }];
    for one in ones {
        budget.spend(POOL_STEPS * pools.len())?;
        budget.lend(2 * pools.len() * POOL_BYTES)?;
        let apart = is_apart(&one).then(|| part(one.characters));
        for index in 0..pools.len() {
            let Pool { characters: pool, removed, sign } = &pools[index];
            let (characters, removed) = match &apart {
                Some(own) => (*pool, removed.with(own)),
                None => (pool.without(one.characters), removed.clone()),
            };
            let sign = -sign;
            pools.push(Pool { characters, removed, sign });
        }
        merge(&mut pools, |pool| (pool.characters, pool.removed.clone()), |pool| &mut pool.sign);
    }
    let mut terms: Vec<Term> = pools
        .into_iter()
        .map(|pool| Term {
            coefficient: pool.sign,
            pool: part(pool.characters).without(&pool.removed),
            lists: listed
                .iter()
                .map(|one| (part(one.characters.intersection(pool.characters)), usize::from(one.min)))
                .collect(),
        })
        .collect();
    // Only the kinds of sequences matter from here on.
    merge(&mut terms, |term| (term.pool.clone(), term.lists.clone()), |term| &mut term.coefficient);
    Ok(terms)
}

/// Merges items with the same key, adds their signs, and removes those whose signs add up to 0.
fn merge<T, K: Ord>(items: &mut Vec<T>, key: impl Fn(&T) -> K, sign: impl Fn(&mut T) -> &mut i64) {
    items.sort_by_cached_key(&key);
    items.dedup_by(|next, kept| {
        let same = key(next) == key(kept);
        if same {
            *sign(kept) += *sign(next);
        }
        same
    });
    items.retain_mut(|item| *sign(item) != 0);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pools_beyond_the_memory_of_the_budget_are_refused() {
        // Two sets that overlap: when the second one is added there are two pools, and they become four.
        let requirement = |characters| Requirement { characters: CharSet::from_text(characters), min: 1 };
        let spec = PasswordSpec {
            length: 4,
            pool: CharSet::from_text("abc"),
            requirements: vec![requirement("ab"), requirement("bc")],
            min_classes: None,
            max_repeating: None,
            max_sequential: None,
            no_repeats: false,
            start: None,
        };
        for (left, refused) in [(4 * POOL_BYTES, false), (4 * POOL_BYTES - 1, true)] {
            let mut budget = WorkBudget::new(1);
            budget.hold(WorkBudget::BYTES - left).unwrap();
            assert_eq!(terms(&spec, Listed::AboveOne, &mut budget).is_err(), refused, "{left} bytes");
        }
    }
}
