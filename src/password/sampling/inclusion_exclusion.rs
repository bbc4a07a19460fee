//! Counts by inclusion-exclusion, with limits on runs and minima together.
//!
//! **Runs.** Divide a text into blocks of identical characters, of any length; neighbouring blocks may have the same
//! character. Give a block of length l the weight +1 if l is 1, r + 2, 2r + 3 and so on, -1 if l is r + 1, 2r + 2 and so
//! on, and 0 otherwise. Then the weights of all divisions of a text add up to 1 if none of its runs is longer than r, and
//! to 0 otherwise. So texts can be counted as sequences of *independent* blocks. As a series in x, where x^l stands for
//! length l, the blocks of one character are
//!
//! ```text
//! g = (x - x^(r+1)) / (1 - x^(r+1))        (g = x if runs may have any length)
//! ```
//!
//! and all sequences of blocks over s characters are U = 1/(1 - s·g) = (1 - x^(r+1)) / (1 - s·x + (s-1)·x^(r+1)).
//!
//! This is the cluster method of Goulden and Jackson ("An inversion theorem for cluster decompositions of sequences with
//! distinguished subsequences", 1979) for the forbidden words of r + 1 identical characters: the series of clusters of
//! such a word is C = -x^(r+1)·(1 - x) / (1 - x^(r+1)), and g = x + C.
//!
//! **Minima.** The texts that satisfy every requirement are all texts, minus those that fail the first, minus those that
//! fail the second, plus those that fail both, and so on: a signed sum over the sets of requirements that fail. To fail
//! a minimum of d is to have fewer than d characters, so the characters of failing requirements are few. Their blocks
//! are listed by (length c, blocks b); the b + 1 gaps between and around them hold sequences of blocks of the other
//! characters, U^(b+1) in total.
//!
//! A worked example: `ab01`, length 4, at least one of `ab`. All texts: 4⁴ = 256. Failing: 2⁴ = 16. 256 - 16 = 240.
//!
//! All of this is done modulo several primes ([`super::modular`]). A list holds the numbers of sequences divided by b!,
//! so interleaving two lists is a product of polynomials in x (characters) and y (blocks).
//!
//! Requirements with a minimum of 1 need no list, even if they overlap: a text that fails them has a smaller pool.

use num_bigint::BigUint;

use super::budget::{BudgetExceeded, WorkBudget};
use super::modular::{Field, reconstruct};
use crate::password::charset::CharSet;
use crate::password::spec::{PasswordSpec, Requirement};

/// The steps to add one set to one pool.
const POOL_STEPS: usize = 20;
/// The steps of a division.
const INVERSE_STEPS: usize = 120;

/// Counts the texts of a specification without `min_classes` and without `no_repeats`.
///
/// # Errors
/// [`BudgetExceeded`], also if requirements with minima above 1 overlap, which this method does not support.
pub(super) fn count(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<BigUint, BudgetExceeded> {
    let terms = terms(spec, budget)?;
    // The number of all texts over the pool is an upper bound.
    let bits = (f64::from(spec.length) * f64::from(spec.pool.len()).log2()).ceil();
    let fields = Field::for_bits(bits).ok_or(BudgetExceeded)?;
    let run = if spec.limits_runs() { spec.longest_run() } else { usize::from(spec.length) };
    let blocks = Blocks { run, length: usize::from(spec.length) };
    let steps: usize = terms.iter().map(|term| blocks.steps(term, spec.start.is_some())).sum();
    budget.spend(steps.saturating_mul(fields.len()))?;
    budget.hold(terms.iter().map(|term| blocks.bytes(term)).max().unwrap_or_default())?;
    let residues: Vec<(Field, u64)> = fields
        .map(|field| {
            let texts = terms.iter().fold(0, |sum, term| {
                let texts = blocks.texts(field, term, spec.start.is_some());
                let texts = field.multiply(texts, field.number(term.coefficient.unsigned_abs()));
                if term.coefficient < 0 { field.subtract(sum, texts) } else { field.add(sum, texts) }
            });
            (field, texts)
        })
        .collect();
    Ok(reconstruct(&residues))
}

/// Texts over a smaller pool, counted several times or negatively.
#[derive(PartialEq, Eq)]
struct Term {
    coefficient: i64,
    pool: Part,
    /// The requirements that need a list.
    lists: Vec<(Part, usize)>,
}

/// The characters that remain when some requirements with a minimum of 1 fail.
struct Pool {
    characters: CharSet,
    /// The sizes of the failing sets that overlap no other set; `characters` still contains them.
    removed: Part,
    sign: i64,
}

/// The size of a set of characters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    size: u64,
    /// How many of them may be first.
    first: u64,
}

impl Part {
    const fn without(self, other: Self) -> Self {
        Self { size: self.size - other.size, first: self.first - other.first }
    }
}

/// Inclusion-exclusion over the requirements with a minimum of 1: the pools without the sets that fail, each with the
/// sum of its signs.
fn terms(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<Vec<Term>, BudgetExceeded> {
    let (ones, listed): (Vec<Requirement>, Vec<Requirement>) = spec.requirements.iter().partition(|one| one.min == 1);
    for (index, one) in listed.iter().enumerate() {
        if listed[..index].iter().any(|other| !other.characters.intersection(one.characters).is_empty()) {
            return Err(BudgetExceeded);
        }
    }
    // Without a start every character may be first, so the first one needs no attention.
    let first = spec.start.map_or(CharSet::default(), |_| spec.first());
    let part = |set: CharSet| Part { size: u64::from(set.len()), first: u64::from(set.intersection(first).len()) };
    // A set that overlaps no other one matters only by its size: the pool keeps it, and its size is subtracted.
    let overlaps = |set: CharSet| {
        spec.requirements.iter().any(|other| other.characters != set && !other.characters.intersection(set).is_empty())
    };
    let mut pools: Vec<Pool> = vec![Pool { characters: spec.pool, removed: Part { size: 0, first: 0 }, sign: 1 }];
    for Requirement { characters, .. } in ones {
        budget.spend(POOL_STEPS * pools.len())?;
        budget.hold(pools.len() * size_of::<Pool>())?;
        let apart = !overlaps(characters);
        let own = part(characters);
        for index in 0..pools.len() {
            let Pool { characters: pool, removed, sign } = pools[index];
            let (pool, removed) = if apart {
                (pool, Part { size: removed.size + own.size, first: removed.first + own.first })
            } else {
                (pool.without(characters), removed)
            };
            pools.push(Pool { characters: pool, removed, sign: -sign });
        }
        merge(&mut pools, |pool| (pool.characters, pool.removed), |pool| &mut pool.sign);
    }
    let mut terms: Vec<Term> = pools
        .into_iter()
        .map(|pool| Term {
            coefficient: pool.sign,
            pool: part(pool.characters).without(pool.removed),
            lists: listed
                .iter()
                .map(|one| (part(one.characters.intersection(pool.characters)), usize::from(one.min)))
                .collect(),
        })
        .collect();
    // Only sizes matter from here on.
    merge(&mut terms, |term| (term.pool, term.lists.clone()), |term| &mut term.coefficient);
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

/// Numbers of sequences of blocks. Entries that are not listed are 0.
struct List {
    /// The lists hold sequences of fewer characters than this.
    size: usize,
    entries: Vec<Entry>,
}

/// The sequences with a number of characters and a number of blocks.
#[derive(Clone, Copy)]
struct Entry {
    characters: usize,
    blocks: usize,
    /// Their number, divided by the factorial of the number of blocks.
    all: u64,
    /// The number of those whose first block may begin the text, divided by the factorial of one block fewer.
    opening: u64,
}

impl Entry {
    fn negative(self, field: Field) -> Self {
        Self { all: field.subtract(0, self.all), opening: field.subtract(0, self.opening), ..self }
    }
}

impl List {
    /// The sequence without blocks.
    fn empty() -> Self {
        Self { size: 1, entries: vec![Entry { characters: 0, blocks: 0, all: 1, opening: 0 }] }
    }
}

/// A choice of requirements that fail.
struct Choice {
    /// What it leaves of the pool.
    rest: Part,
    /// The size of its list.
    size: usize,
    /// Whether a block of the list may begin the text.
    opens: bool,
    /// The products of entries that its list is the sum of.
    products: usize,
}

/// Series of blocks for runs of at most `run` characters, up to `length`.
struct Blocks {
    run: usize,
    length: usize,
}

impl Blocks {
    /// Whether runs may have any length, so that every block is a single character.
    const fn singles(&self) -> bool {
        self.run >= self.length
    }

    /// The choices of requirements that fail.
    fn choices(&self, term: &Term) -> Vec<Choice> {
        let mut choices = vec![Choice { rest: term.pool, size: 1, opens: false, products: 0 }];
        for &(part, min) in &term.lists {
            let (own, own_opens) = (min.min(self.length + 1), part.first > 0);
            for index in 0..choices.len() {
                let Choice { rest, size, opens, .. } = choices[index];
                let sums = 1 + usize::from(opens) + usize::from(own_opens);
                choices.push(Choice {
                    rest: rest.without(part),
                    size: size + own - 1,
                    opens: opens || own_opens,
                    products: sums * self.entries(size) * self.entries(own),
                });
            }
        }
        choices
    }

    /// The steps of [`Blocks::texts`] in one field.
    fn steps(&self, term: &Term, restricted: bool) -> usize {
        let own = term.lists.iter().map(|&(_, min)| min * (INVERSE_STEPS + min) + 4 * self.entries(min)).sum::<usize>();
        let mut choices = self.choices(term);
        let lists = choices.iter().map(|choice| choice.products + 2 * self.entries(choice.size)).sum::<usize>();
        // One series for each rest, as long as its longest list.
        choices.sort_unstable_by_key(|choice| (choice.rest, std::cmp::Reverse(choice.size)));
        choices.dedup_by_key(|choice| choice.rest);
        let term_steps = if restricted { 8 } else { 5 };
        let series = choices.iter().map(|choice| {
            if self.singles() { 3 * self.length } else { term_steps * choice.size.min(self.length + 1) * self.length }
        });
        own + lists + series.sum::<usize>()
    }

    /// The memory of [`Blocks::texts`], in bytes.
    fn bytes(&self, term: &Term) -> usize {
        let sizes: Vec<usize> = self.choices(term).into_iter().map(|choice| choice.size).collect();
        let sums = sizes.iter().map(|&size| self.entries(size)).max().unwrap_or_default();
        let entries: usize = sizes.iter().map(|&size| self.entries(size)).sum();
        sums * size_of::<(u128, u128)>() + entries * size_of::<Entry>()
    }

    /// The number of texts of a term.
    fn texts(&self, field: Field, term: &Term, restricted: bool) -> u64 {
        // The lists of all sets of requirements that fail, by what they leave of the pool, with their signs.
        let mut failing: Vec<(Part, bool, List)> = vec![(term.pool, false, List::empty())];
        for &(part, min) in &term.lists {
            let own = self.list(field, part, min);
            for index in 0..failing.len() {
                let (rest, negative, list) = &failing[index];
                let list = self.interleaved(field, list, &own);
                failing.push((rest.without(part), !negative, list));
            }
        }
        failing.sort_unstable_by_key(|&(rest, ..)| rest);
        failing.chunk_by(|one, other| one.0 == other.0).fold(0, |sum, group| {
            let entries = group.iter().flat_map(|(_, negative, list)| {
                list.entries.iter().map(|entry| if *negative { entry.negative(field) } else { *entry })
            });
            let entries: Vec<Entry> = entries.filter(|entry| entry.characters <= self.length).collect();
            let rest = group[0].0;
            let texts = if self.singles() {
                self.sequences_of_singles(field, &entries, rest, restricted)
            } else {
                self.sequences(field, &entries, rest, restricted)
            };
            field.add(sum, texts)
        })
    }

    /// Every way to interleave a sequence of one list with a sequence of the other.
    fn interleaved(&self, field: Field, one: &List, other: &List) -> List {
        let size = one.size + other.size - 1;
        let mut sums = vec![(0_u128, 0_u128); self.entries(size)];
        for first in &one.entries {
            for second in &other.entries {
                let characters = first.characters + second.characters;
                let index = self.entries(characters) + if self.singles() { 0 } else { first.blocks + second.blocks };
                let (all, opening) = &mut sums[index];
                field.accumulate(all, first.all, second.all);
                // The first block is the first of one of the two sequences.
                if first.opening != 0 {
                    field.accumulate(opening, first.opening, second.all);
                }
                if second.opening != 0 {
                    field.accumulate(opening, first.all, second.opening);
                }
            }
        }
        let mut sums = sums.into_iter();
        let mut entries = Vec::new();
        for characters in 0..size {
            let first = if self.singles() { characters } else { 0 };
            for (blocks, (all, opening)) in (first..=characters).zip(sums.by_ref()) {
                if (all, opening) != (0, 0) {
                    let (all, opening) = (field.finish(all), field.finish(opening));
                    entries.push(Entry { characters, blocks, all, opening });
                }
            }
        }
        List { size, entries }
    }

    /// The entries of sequences of fewer characters. A sequence has at most as many blocks as characters; if every block
    /// is a single character, it has as many.
    const fn entries(&self, characters: usize) -> usize {
        if self.singles() { characters } else { characters * (characters + 1) / 2 }
    }

    /// The sequences of fewer than `min` of some characters.
    fn list(&self, field: Field, part: Part, min: usize) -> List {
        let mut list = List { size: min.min(self.length + 1), ..List::empty() };
        // One column for each number of blocks: none, one, two, …
        let mut column: Vec<u64> = (0..list.size).map(|length| u64::from(length == 0)).collect();
        for blocks in 1..list.size {
            let with_one_more = self.times_g(field, &column);
            // Dividing by the number of blocks each time divides by the factorial.
            let inverse = field.inverse(field.number(to_u64(blocks)));
            column.clear();
            for (characters, ways) in with_one_more.into_iter().enumerate() {
                if ways == 0 {
                    column.push(0);
                    continue;
                }
                let all = field.multiply(field.multiply(ways, part.size), inverse);
                // `ways` is divided by the factorial of one block fewer already.
                let opening = field.multiply(ways, part.first);
                list.entries.push(Entry { characters, blocks, all, opening });
                column.push(all);
            }
        }
        list
    }

    /// The number of texts: the listed blocks, with sequences over the other characters between and around them.
    fn sequences(&self, field: Field, list: &[Entry], rest: Part, restricted: bool) -> u64 {
        let blocks = list.iter().map(|entry| entry.blocks + 1).max().unwrap_or_default();
        let mut sums = vec![(0_u128, 0_u128); blocks];
        // U^b and U^(b+1), where b is the number of listed blocks.
        let mut power: Vec<u64> = (0..=self.length).map(|length| u64::from(length == 0)).collect();
        let mut by_blocks: Vec<Vec<&Entry>> = (0..blocks).map(|_| Vec::new()).collect();
        for entry in list {
            by_blocks[entry.blocks].push(entry);
        }
        for (entries, (by_others, by_listed)) in by_blocks.iter().zip(&mut sums) {
            let next = self.times_u(field, &power, rest.size);
            // The first block is one of the other characters.
            let others: Vec<u64> = if restricted {
                self.times_g(field, &next).into_iter().map(|ways| field.multiply(ways, rest.first)).collect()
            } else {
                next.clone()
            };
            for entry in entries {
                let left = self.length - entry.characters;
                field.accumulate(by_others, entry.all, others[left]);
                field.accumulate(by_listed, entry.opening, power[left]);
            }
            power = next;
        }
        // The factorials of b and of b - 1.
        let (mut sum, mut factorial, mut previous) = (0, 1, 0);
        for (blocks, (by_others, by_listed)) in sums.into_iter().enumerate() {
            sum = field.add(sum, field.multiply(field.finish(by_others), factorial));
            if restricted {
                sum = field.add(sum, field.multiply(field.finish(by_listed), previous));
            }
            previous = factorial;
            factorial = field.multiply(factorial, field.number(to_u64(blocks + 1)));
        }
        sum
    }

    /// The same where every block is a single character: c listed characters take their places in n!/(n - c)! ways.
    fn sequences_of_singles(&self, field: Field, list: &[Entry], rest: Part, restricted: bool) -> u64 {
        let mut powers = vec![1];
        for length in 0..self.length {
            powers.push(field.multiply(powers[length], rest.size));
        }
        let mut sum = 0;
        // With a start, the first position is filled first, so one place fewer is left.
        let places = self.length - usize::from(restricted);
        let mut falling = vec![1];
        for taken in 0..places {
            falling.push(field.multiply(falling[taken], to_u64(places - taken)));
        }
        for entry in list {
            let (characters, left) = (entry.characters, self.length - entry.characters);
            if !restricted {
                let ways = field.multiply(entry.all, field.multiply(falling[characters], powers[left]));
                sum = field.add(sum, ways);
                continue;
            }
            if left > 0 {
                let ways = field.multiply(field.multiply(entry.all, rest.first), falling[characters]);
                sum = field.add(sum, field.multiply(ways, powers[left - 1]));
            }
            if characters > 0 {
                let ways = field.multiply(entry.opening, field.multiply(falling[characters - 1], powers[left]));
                sum = field.add(sum, ways);
            }
        }
        sum
    }

    /// A series times g: V = x^(r+1)·V + x·W - x^(r+1)·W.
    fn times_g(&self, field: Field, series: &[u64]) -> Vec<u64> {
        let far = self.run + 1;
        let mut product: Vec<u64> = Vec::with_capacity(series.len());
        for at in 0..series.len() {
            let mut term = if at > 0 { series[at - 1] } else { 0 };
            if at >= far {
                term = field.add(term, product[at - far]);
                term = field.subtract(term, series[at - far]);
            }
            product.push(term);
        }
        product
    }

    /// A series times U over `size` characters: V = s·x·V - (s - 1)·x^(r+1)·V + W - x^(r+1)·W.
    fn times_u(&self, field: Field, series: &[u64], size: u64) -> Vec<u64> {
        let far = self.run + 1;
        let others = if size == 0 { field.subtract(0, 1) } else { size - 1 };
        let mut product: Vec<u64> = Vec::with_capacity(series.len());
        for at in 0..series.len() {
            let mut term = series[at];
            if at > 0 {
                term = field.add(term, field.multiply(product[at - 1], size));
            }
            if at >= far {
                term = field.subtract(term, field.multiply(product[at - far], others));
                term = field.subtract(term, series[at - far]);
            }
            product.push(term);
        }
        product
    }
}

fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}
