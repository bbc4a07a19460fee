//! Counts texts without repeated characters that have a limit on neighbours in a row.
//!
//! Divide a text into *units*: neighbours in a row of one sequence, upwards or downwards, of any number. With at most q
//! neighbours in a row, a unit of l characters has the weight +1 if l is 1, q + 2, 2q + 3 and so on, -1 if l is q + 1, 2q +
//! 2 and so on, and 0 otherwise; one of several characters counts twice, for both directions. Then the weights of all
//! divisions of a text add up to 1 if no more than q neighbours are in a row, and to 0 otherwise.
//!
//! The units of a text are intervals of the sequences that have no character in common, in any order. So each sequence has
//! a list of the sets of its intervals, by characters and units; the lists of all sequences are multiplied, where those of
//! a requirement keep only the entries with enough characters, and b units have b! orders.
//!
//! A worked example: the digits `0123`, length 4, q = 1. The units of the sets of intervals: four single characters, 4!
//! orders; one pair of three and two single ones, -2·3!·3; two pairs, 4·2!; one of three and a single one, 2·2!·2; all four,
//! -2. The sum is 24 - 36 + 8 + 8 - 2 = 2: `1302` and `2031`.

use std::collections::BTreeMap;

use num_bigint::BigUint;

use super::budget::{BudgetExceeded, WorkBudget};
use super::lists::{BlockSize, Entry, List};
use super::modular::{Field, reconstruct};
use super::runs::RunLimits;
use super::series::{Part, Sequence, to_u64};
use super::terms::{Listed, Term, terms};
use crate::password::spec::PasswordSpec;

/// The steps of one product of two entries, and of one entry of a list.
const PRODUCT_STEPS: usize = 2;
const ENTRY_STEPS: usize = 12;

/// Counts the texts of a specification with `no_repeats`, without `min_classes`.
///
/// # Errors
/// [`BudgetExceeded`], also for requirements with minima above 1 that this method does not support.
pub(super) fn count(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<BigUint, BudgetExceeded> {
    let terms = terms(spec, Listed::Apart, budget)?;
    let fields = Field::for_texts(spec.length, spec.pool.len()).ok_or(BudgetExceeded)?;
    let residues: Vec<(Field, u64)> = fields
        .map(|field| {
            let mut units = Units { field, limits: RunLimits::of(spec), known: BTreeMap::new() };
            let sum = terms.iter().try_fold(0, |sum, term| {
                let texts = units.texts(term, spec.start.is_some(), budget)?;
                let texts = field.multiply(texts, field.number(term.coefficient.unsigned_abs()));
                Ok(if term.coefficient < 0 { field.subtract(sum, texts) } else { field.add(sum, texts) })
            });
            Ok((field, sum?))
        })
        .collect::<Result<_, BudgetExceeded>>()?;
    Ok(reconstruct(&residues))
}

/// The sets of units in one field.
struct Units {
    field: Field,
    limits: RunLimits,
    /// Those of one sequence each.
    known: BTreeMap<Sequence, Vec<Entry>>,
}

impl Units {
    /// The number of texts of a term.
    fn texts(&mut self, term: &Term, restricted: bool, budget: &mut WorkBudget) -> Result<u64, BudgetExceeded> {
        let others = term.lists.iter().fold(term.pool.clone(), |rest, (part, _)| rest.without(part));
        let mut all = self.of_part(List::empty(BlockSize::Any), &others, budget)?;
        for (part, min) in &term.lists {
            let mut own = self.of_part(List::empty(BlockSize::Any), part, budget)?;
            own.entries.retain(|entry| entry.characters >= *min);
            all = self.product(&all, &own, budget)?;
        }
        let field = self.field;
        // The factorials of the number of units and of one fewer.
        let mut factorials = vec![1];
        for number in 1..=self.limits.length {
            factorials.push(field.multiply(factorials[number - 1], to_u64(number)));
        }
        let complete = all.entries.iter().filter(|entry| entry.characters == self.limits.length);
        Ok(complete.fold(0, |sum, entry| {
            let texts = if restricted {
                field.multiply(entry.opening, factorials[entry.blocks.saturating_sub(1)])
            } else {
                field.multiply(entry.all, factorials[entry.blocks])
            };
            field.add(sum, texts)
        }))
    }

    /// A list times those of all sequences of a part.
    fn of_part(&mut self, mut list: List, part: &Part, budget: &mut WorkBudget) -> Result<List, BudgetExceeded> {
        for (sequence, number) in part.sequences() {
            if sequence.length == 1 {
                list = self.product(&list, &self.singles(number, sequence.first == 1), budget)?;
                continue;
            }
            let size = sequence.length + 1;
            budget.spend(size * size * size / 2 * ENTRY_STEPS)?;
            let (field, sequential) = (self.field, self.limits.sequential);
            let entries = self.known.entry(sequence).or_insert_with(|| sets_of_units(field, sequence, sequential));
            let own = List { size, blocks: BlockSize::Any, entries: entries.clone() };
            for _ in 0..number {
                list = self.product(&list, &own, budget)?;
            }
        }
        Ok(list)
    }

    fn product(&self, one: &List, other: &List, budget: &mut WorkBudget) -> Result<List, BudgetExceeded> {
        let most = self.limits.length + 1;
        let entries = BlockSize::Any.entries((one.size + other.size).min(most));
        budget.spend(PRODUCT_STEPS * one.entries.len() * other.entries.len() + ENTRY_STEPS * entries)?;
        Ok(one.interleaved(other, most, self.field))
    }

    /// The sets of units of characters without neighbours.
    fn singles(&self, number: u64, is_first: bool) -> List {
        let (field, mut chosen) = (self.field, 1);
        let mut entries = Vec::new();
        for characters in 0..=usize::try_from(number).unwrap_or(usize::MAX).min(self.limits.length) {
            if characters > 0 {
                let inverse = field.inverse(to_u64(characters));
                let left = number + 1 - to_u64(characters);
                chosen = field.multiply(field.multiply(chosen, left), inverse);
            }
            let opening = if is_first { field.multiply(chosen, to_u64(characters)) } else { 0 };
            entries.push(Entry { characters, blocks: characters, all: chosen, opening });
        }
        List { size: entries.len(), blocks: BlockSize::Any, entries }
    }
}

/// The sets of intervals of one sequence that have no character in common, with the sums of their weights.
fn sets_of_units(field: Field, sequence: Sequence, sequential: usize) -> Vec<Entry> {
    let is_first = |at: usize| u64::from(sequence.first >> at & 1);
    // For each number of characters of the sequence: the sets within its beginning. A set is its last interval and a set
    // within what is before it, or is known from one character less.
    let mut beginnings: Vec<BTreeMap<(usize, usize), (u64, u64)>> = vec![BTreeMap::from([((0, 0), (1, 0))])];
    for end in 1..=sequence.length {
        let mut sets = beginnings[end - 1].clone();
        for length in (1..=end).filter(|length| length % (sequential + 1) <= 1) {
            let begin = end - length;
            // Both directions, and the ends that can be the first character.
            let (directions, opening) =
                if length == 1 { (1, is_first(begin)) } else { (2, is_first(begin) + is_first(end - 1)) };
            let signed = |weight: u64| if length % (sequential + 1) == 0 { field.subtract(0, weight) } else { weight };
            let (weight, opening) = (signed(directions), signed(opening));
            for (&(characters, units), &(all, marked)) in &beginnings[begin] {
                let (sum, marked_sum) = sets.entry((characters + length, units + 1)).or_default();
                *sum = field.add(*sum, field.multiply(all, weight));
                let with_mark = field.add(field.multiply(marked, weight), field.multiply(all, opening));
                *marked_sum = field.add(*marked_sum, with_mark);
            }
        }
        beginnings.push(sets);
    }
    let sets = beginnings.pop().unwrap_or_default();
    sets.into_iter().map(|((characters, blocks), (all, opening))| Entry { characters, blocks, all, opening }).collect()
}
