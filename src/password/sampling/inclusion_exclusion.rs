//! Counts by inclusion-exclusion, with limits on runs and minima together.
//!
//! The texts that satisfy every requirement are all texts, minus those that fail the first, minus those that fail the
//! second, plus those that fail both, and so on: a signed sum over the sets of requirements that fail. A requirement with
//! a minimum of 1 that fails leaves a smaller pool ([`super::terms`]). To fail a minimum of d is to have fewer than d
//! characters, so the characters of failing requirements are few. Their blocks ([`super::series`]) are listed by (length
//! c, blocks b); the b + 1 gaps between and around them hold sequences of blocks of the other characters, U^(b+1) in
//! total.
//!
//! A worked example: `ab01`, length 4, at least one of `ab`. All texts: 4⁴ = 256. Failing: 2⁴ = 16. 256 - 16 = 240.
//!
//! Without limits on runs and with minima of 1, the sum is one of a few powers. Otherwise it is computed modulo several
//! primes ([`super::modular`]). A list holds the numbers of sequences divided by b!, so interleaving two lists is a product
//! of polynomials in x (characters) and y (blocks).

use num_bigint::BigUint;

use super::budget::{BudgetExceeded, WorkBudget};
use super::lists::{BlockSize, Entry, List};
use super::modular::{Field, reconstruct};
use super::runs::RunLimits;
use super::series::{Blocks, PRODUCTS_PER_STEP, Part, Words, to_u64};
use super::terms::{Listed, Term, terms};
use crate::password::spec::PasswordSpec;

/// The steps of a division.
const INVERSE_STEPS: usize = 120;
/// The steps of a power, for each square of its machine words.
const POWER_STEPS: usize = 2;

/// Counts the texts of a specification without `min_classes` and without `no_repeats`. No minimum exceeds the length.
///
/// # Errors
/// [`BudgetExceeded`], also for requirements with minima above 1 that this method does not support.
pub(super) fn count(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<BigUint, BudgetExceeded> {
    let terms = terms(spec, Listed::AboveOne, budget)?;
    let restricted = spec.start.is_some();
    if !spec.limits_runs() && terms.iter().all(|term| term.lists.is_empty()) {
        return powers(&terms, spec.length, restricted, budget);
    }
    let limits = RunLimits::of(spec);
    let fields = Field::for_texts(spec.length, spec.pool.len()).ok_or(BudgetExceeded)?;
    let parts = terms.iter().flat_map(|term| term.lists.iter().map(|(part, _)| part).chain([&term.pool]));
    let words = Words::new(parts, limits, budget)?;
    let cost = Cost::of(&terms, limits, restricted);
    budget.spend(cost.steps.saturating_add(words.steps()).saturating_mul(fields.len()))?;
    budget.lend(cost.bytes)?;
    let residues: Vec<(Field, u64)> = fields
        .map(|field| {
            let texts = Texts { field, limits, blocks: words.blocks(field), restricted };
            let sum = terms.iter().fold(0, |sum, term| {
                let texts = field.multiply(texts.of(term), field.number(term.coefficient.unsigned_abs()));
                if term.coefficient < 0 { field.subtract(sum, texts) } else { field.add(sum, texts) }
            });
            (field, sum)
        })
        .collect();
    Ok(reconstruct(&residues))
}

/// The sum of the powers that terms without lists are, if runs have no limits.
fn powers(terms: &[Term], length: u16, restricted: bool, budget: &mut WorkBudget) -> Result<BigUint, BudgetExceeded> {
    let (mut added, mut subtracted) = (BigUint::ZERO, BigUint::ZERO);
    for Term { coefficient, pool, .. } in terms {
        let words = usize::from(length) * 7 / 64 + 1;
        budget.spend(INVERSE_STEPS + POWER_STEPS * words * words)?;
        let (size, first) = (pool.size(), if restricted { pool.first() } else { pool.size() });
        let texts = BigUint::from(size).pow(u32::from(length) - 1) * first * coefficient.unsigned_abs();
        *if *coefficient < 0 { &mut subtracted } else { &mut added } += texts;
    }
    Ok(added - subtracted)
}

/// What counting costs in one field.
struct Cost {
    steps: usize,
    bytes: usize,
}

impl Cost {
    fn of(terms: &[Term], limits: RunLimits, restricted: bool) -> Self {
        let costs = terms.iter().map(|term| Self::of_term(term, limits, restricted));
        costs.fold(Self { steps: 0, bytes: 0 }, |sum, one| Self {
            steps: sum.steps.saturating_add(one.steps),
            bytes: sum.bytes.max(one.bytes),
        })
    }

    fn of_term(term: &Term, limits: RunLimits, restricted: bool) -> Self {
        let block_size = limits.block_size();
        let times = |size: usize| match (block_size, limits.limits_sequences()) {
            (BlockSize::One, _) => 10 * size,
            (BlockSize::Any, false) => 6 * size,
            (BlockSize::Any, true) => size + size * size / 2 / PRODUCTS_PER_STEP,
        };
        let mut steps = 0;
        // For each choice of requirements that fail: what it leaves of the pool, the size of its list, and whether a block
        // of the list may begin the text.
        let mut choices = vec![(term.pool.clone(), 1, false)];
        for (part, min) in &term.lists {
            let (own, own_opens) = (*min, part.first() > 0);
            let columns = if block_size == BlockSize::One { 0 } else { (1 + usize::from(own_opens)) * times(own) };
            steps += own * (INVERSE_STEPS + columns) + 4 * block_size.entries(own);
            for index in 0..choices.len() {
                let (rest, size, opens) = &choices[index];
                let sums = 1 + usize::from(*opens) + usize::from(own_opens);
                steps += sums * block_size.entries(*size) * block_size.entries(own);
                choices.push((rest.without(part), size + own - 1, *opens || own_opens));
            }
        }
        let entries: usize = choices.iter().map(|(_, size, _)| block_size.entries(*size)).sum();
        let largest = choices.iter().map(|(_, size, _)| block_size.entries(*size)).max().unwrap_or_default();
        steps += 2 * entries;
        // One series for each rest, as long as its longest list.
        choices.sort_unstable_by(|one, other| (&one.0, other.1).cmp(&(&other.0, one.1)));
        choices.dedup_by(|next, kept| next.0 == kept.0);
        let products = 1 + usize::from(restricted);
        steps += choices.iter().fold(0, |sum, (_, size, _)| {
            let blocks = if block_size == BlockSize::One { 1 } else { (*size).min(limits.length + 1) };
            sum + (0..blocks).map(|blocks| 2 + products * times(limits.length + 1 - blocks)).sum::<usize>()
        });
        Self { steps, bytes: largest * size_of::<(u128, u128)>() + entries * size_of::<Entry>() }
    }
}

/// The numbers of texts in one field.
struct Texts {
    field: Field,
    limits: RunLimits,
    blocks: Blocks,
    restricted: bool,
}

impl Texts {
    /// The number of texts of a term.
    fn of(&self, term: &Term) -> u64 {
        let (field, length, block_size) = (self.field, self.limits.length, self.limits.block_size());
        // The lists of all sets of requirements that fail, by what they leave of the pool, with their signs.
        let mut failing: Vec<(Part, bool, List)> = vec![(term.pool.clone(), false, List::empty(block_size))];
        for (part, min) in &term.lists {
            let own = self.list(part, *min);
            for index in 0..failing.len() {
                let (rest, negative, list) = &failing[index];
                let list = list.interleaved(&own, length + 1, field);
                failing.push((rest.without(part), !negative, list));
            }
        }
        failing.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        failing.chunk_by(|one, other| one.0 == other.0).fold(0, |sum, group| {
            let entries = group.iter().flat_map(|(_, negative, list)| {
                list.entries.iter().map(|entry| if *negative { entry.negative(field) } else { *entry })
            });
            let (entries, rest) = (entries.collect::<Vec<_>>(), &group[0].0);
            let texts = match block_size {
                BlockSize::One => self.sequences_of_singles(&entries, rest),
                BlockSize::Any => self.sequences(&entries, rest),
            };
            field.add(sum, texts)
        })
    }

    /// The sequences of fewer than `size` characters of a part.
    fn list(&self, part: &Part, size: usize) -> List {
        let field = self.field;
        let mut list = List { size, ..List::empty(self.limits.block_size()) };
        // Dividing by the number of blocks each time divides by the factorial.
        let inverse = |number: usize| field.inverse(field.number(to_u64(number)));
        if list.blocks == BlockSize::One {
            let mut all = 1;
            for characters in 1..size {
                let opening = field.multiply(all, part.first());
                all = field.multiply(field.multiply(all, part.size()), inverse(characters));
                list.entries.push(Entry { characters, blocks: characters, all, opening });
            }
            return list;
        }
        let (blocks, opening) = (self.blocks.of(part), self.blocks.opening(part));
        // One column for each number of blocks: none, one, two, …
        let mut column: Vec<u64> = (0..size).map(|length| u64::from(length == 0)).collect();
        for number in 1..size {
            let opens = if part.first() > 0 { opening.times(field, &column) } else { vec![0; column.len()] };
            let inverse = inverse(number);
            column = blocks.times(field, &column).into_iter().map(|ways| field.multiply(ways, inverse)).collect();
            for (characters, (&all, &opening)) in column.iter().zip(&opens).enumerate() {
                if (all, opening) != (0, 0) {
                    list.entries.push(Entry { characters, blocks: number, all, opening });
                }
            }
        }
        list
    }

    /// The number of texts: the listed blocks, with sequences over the other characters between and around them.
    fn sequences(&self, list: &[Entry], rest: &Part) -> u64 {
        let (field, length) = (self.field, self.limits.length);
        let (texts, opening) = (self.blocks.texts(rest), self.blocks.opening(rest));
        let blocks = list.iter().map(|entry| entry.blocks + 1).max().unwrap_or_default();
        let mut by_blocks: Vec<Vec<&Entry>> = (0..blocks).map(|_| Vec::new()).collect();
        for entry in list {
            by_blocks[entry.blocks].push(entry);
        }
        // U^b and U^(b+1), where b is the number of listed blocks, and the factorials of b and of b - 1.
        let mut power: Vec<u64> = (0..=length).map(|length| u64::from(length == 0)).collect();
        let (mut sum, mut factorial, mut previous) = (0, 1, 0);
        for (blocks, entries) in by_blocks.into_iter().enumerate() {
            // So many blocks leave at most so many other characters.
            power.truncate(length - blocks + 1);
            let next = texts.times(field, &power);
            // The first block is one of the other characters.
            let restricted = self.restricted.then(|| opening.times(field, &next));
            let others = restricted.as_ref().unwrap_or(&next);
            let (mut by_others, mut by_listed) = (0, 0);
            for entry in entries {
                let left = length - entry.characters;
                field.accumulate(&mut by_others, entry.all, others[left]);
                field.accumulate(&mut by_listed, entry.opening, power[left]);
            }
            sum = field.add(sum, field.multiply(field.finish(by_others), factorial));
            if self.restricted {
                sum = field.add(sum, field.multiply(field.finish(by_listed), previous));
            }
            previous = factorial;
            factorial = field.multiply(factorial, field.number(to_u64(blocks + 1)));
            power = next;
        }
        sum
    }

    /// The same where every block is a single character: c listed characters take their places in n!/(n - c)! ways.
    fn sequences_of_singles(&self, list: &[Entry], rest: &Part) -> u64 {
        let (field, length) = (self.field, self.limits.length);
        let mut powers = vec![1];
        for exponent in 0..length {
            powers.push(field.multiply(powers[exponent], rest.size()));
        }
        let mut sum = 0;
        // With a start, the first position is filled first, so one place fewer is left.
        let places = length - usize::from(self.restricted);
        let mut falling = vec![1];
        for taken in 0..places {
            falling.push(field.multiply(falling[taken], to_u64(places - taken)));
        }
        for entry in list {
            let (characters, left) = (entry.characters, length - entry.characters);
            if !self.restricted {
                let ways = field.multiply(entry.all, field.multiply(falling[characters], powers[left]));
                sum = field.add(sum, ways);
                continue;
            }
            if left > 0 {
                let ways = field.multiply(field.multiply(entry.all, rest.first()), falling[characters]);
                sum = field.add(sum, field.multiply(ways, powers[left - 1]));
            }
            if characters > 0 {
                let ways = field.multiply(entry.opening, field.multiply(falling[characters - 1], powers[left]));
                sum = field.add(sum, ways);
            }
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::password::charset::CharSet;

    /// The memory of the longest list while it is computed, and of all lists.
    #[test]
    fn memory_of_lists_is_that_of_their_entries() {
        let set = CharSet::from_text;
        let (sum, entry) = (size_of::<(u128, u128)>(), size_of::<Entry>());
        let term = |limits| {
            let part = |characters| Part::new(set(characters), CharSet::default(), limits);
            Term { coefficient: 1, pool: part("ab01!"), lists: vec![(part("ab"), 3), (part("01"), 4)] }
        };
        // Nothing fails, the first minimum, the second, or both: fewer than 1, 3, 4 and 6 characters.
        let cases = [
            ("single characters", 9, sum * 6 + entry * (1 + 3 + 4 + 6)),
            ("blocks of up to two characters", 2, sum * 21 + entry * (1 + 6 + 10 + 21)),
        ];
        for (name, repeating, bytes) in cases {
            let limits = RunLimits { length: 9, repeating, sequential: 9 };
            assert_eq!(Cost::of(&[term(limits), term(limits)], limits, false).bytes, bytes, "{name}");
        }
    }
}
