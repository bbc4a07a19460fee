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
//! Multiplying a series by U or g takes two or three small multiplications per term, so the cost is about the length
//! times the sum of the minima. Interleaving lists costs the product of their sizes. Requirements with a minimum of 1
//! need no list, even if they overlap: a text that fails them has a smaller pool.

use num_bigint::{BigInt, BigUint};

use super::budget::{BudgetExceeded, WorkBudget};
use crate::password::charset::CharSet;
use crate::password::spec::{PasswordSpec, Requirement};

/// The most requirements. The sum has a term for each of their subsets.
const MAX_REQUIREMENTS: usize = 10;
/// The cost of multiplying two entries of lists, in steps.
const PRODUCT: usize = 4;

/// Counts the texts of a specification without `min_classes` and without `no_repeats`.
///
/// # Errors
/// [`BudgetExceeded`], also if requirements with minima above 1 overlap, which this method does not support.
pub(super) fn count(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<BigUint, BudgetExceeded> {
    let requirements = &spec.requirements;
    if requirements.len() > MAX_REQUIREMENTS {
        return Err(BudgetExceeded);
    }
    let mut sum = BigInt::ZERO;
    for failing in 0..1_u32 << requirements.len() {
        let failing = requirements.iter().enumerate().filter(|(index, _)| failing >> index & 1 == 1);
        let failing: Vec<Requirement> = failing.map(|(_, one)| *one).collect();
        let texts = failing_together(spec, &failing, budget)?;
        sum += if failing.len().is_multiple_of(2) { texts } else { -texts };
    }
    // The sum is a number of texts, so it is not negative.
    Ok(sum.into_parts().1)
}

/// Counts the texts that fail all the given requirements, and perhaps others.
fn failing_together(
    spec: &PasswordSpec,
    failing: &[Requirement],
    budget: &mut WorkBudget,
) -> Result<BigInt, BudgetExceeded> {
    let absent =
        failing.iter().filter(|one| one.min == 1).fold(CharSet::default(), |all, one| all.union(one.characters));
    let pool = spec.pool.without(absent);
    let first = spec.first().without(absent);
    let blocks = Blocks { run: spec.longest_run(), length: usize::from(spec.length) };
    let mut rest = pool;
    let mut lists = Lists::empty();
    for requirement in failing.iter().filter(|one| one.min > 1) {
        let few = requirement.characters.intersection(pool);
        if few.without(rest) != CharSet::default() {
            return Err(BudgetExceeded);
        }
        rest = rest.without(few);
        let list = blocks.lists(few, first, usize::from(requirement.min));
        lists = lists.interleaved(&list, spec.start.is_some(), budget)?;
    }
    budget.spend(lists.all.len() * blocks.length)?;
    Ok(blocks.sequences(&lists, rest.len(), rest.intersection(first).len(), spec.start.is_some()))
}

/// The numbers of sequences of blocks, by their length in characters (first index) and in blocks (second index).
struct Lists {
    all: Vec<Vec<BigInt>>,
    /// Those whose first block may begin the text.
    opening: Vec<Vec<BigInt>>,
}

impl Lists {
    /// The sequence without blocks.
    fn empty() -> Self {
        Self { all: vec![vec![BigInt::from(1)]], opening: vec![vec![BigInt::ZERO]] }
    }

    /// Every way to interleave a sequence of one list with a sequence of the other.
    fn interleaved(&self, other: &Self, restricted: bool, budget: &mut WorkBudget) -> Result<Self, BudgetExceeded> {
        let size = self.all.len() + other.all.len() - 1;
        let triangle = || (0..size).map(|length| vec![BigInt::ZERO; length + 1]).collect::<Vec<_>>();
        let (mut all, mut opening) = (triangle(), triangle());
        let choose = binomials(size);
        let cells = |lists: &Self| lists.all.iter().flatten().filter(|ways| *ways != &BigInt::ZERO).count();
        budget.spend(PRODUCT * cells(self) * cells(other))?;
        for (c1, row1) in self.all.iter().enumerate() {
            for (b1, one) in row1.iter().enumerate() {
                for (c2, row2) in other.all.iter().enumerate() {
                    for (b2, two) in row2.iter().enumerate() {
                        if one == &BigInt::ZERO || two == &BigInt::ZERO {
                            continue;
                        }
                        let (length, blocks) = (c1 + c2, b1 + b2);
                        let both = one * two;
                        all[length][blocks] += both * &choose[blocks][b1];
                        if !restricted {
                            continue;
                        }
                        // The first block is the first of one of the two sequences.
                        if b1 > 0 {
                            opening[length][blocks] += &self.opening[c1][b1] * two * &choose[blocks - 1][b1 - 1];
                        }
                        if b2 > 0 {
                            opening[length][blocks] += one * &other.opening[c2][b2] * &choose[blocks - 1][b2 - 1];
                        }
                    }
                }
            }
        }
        Ok(Self { all, opening })
    }
}

fn binomials(size: usize) -> Vec<Vec<BigInt>> {
    let mut rows: Vec<Vec<BigInt>> = vec![vec![BigInt::from(1)]];
    for row in 1..size {
        let above = &rows[row - 1];
        let inner = (1..row).map(|column| &above[column - 1] + &above[column]);
        let one = || std::iter::once(BigInt::from(1));
        rows.push(one().chain(inner).chain(one()).collect());
    }
    rows
}

/// Series of blocks for runs of at most `run` characters, up to `length`.
struct Blocks {
    run: usize,
    length: usize,
}

impl Blocks {
    /// The sequences of fewer than `min` of some characters.
    fn lists(&self, characters: CharSet, first: CharSet, min: usize) -> Lists {
        let size = min.min(self.length + 1);
        let mut lists = Lists { all: Vec::new(), opening: Vec::new() };
        let start = characters.intersection(first).len();
        // One column for each number of blocks: none, one, two, …
        let mut column: Vec<BigInt> = (0..size).map(|length| BigInt::from(i32::from(length == 0))).collect();
        let mut columns = vec![(column.clone(), vec![BigInt::ZERO; size])];
        for _ in 1..size {
            let with_one_more = self.times_g(&column);
            let opening = with_one_more.iter().map(|ways| ways * start).collect();
            column = with_one_more.iter().map(|ways| ways * characters.len()).collect();
            columns.push((column.clone(), opening));
        }
        for length in 0..size {
            lists.all.push(columns[..=length].iter().map(|(all, _)| all[length].clone()).collect());
            lists.opening.push(columns[..=length].iter().map(|(_, opening)| opening[length].clone()).collect());
        }
        lists
    }

    /// The number of texts: the listed blocks, with sequences over `size` other characters between and around them.
    /// `start` of the other characters may be first.
    fn sequences(&self, lists: &Lists, size: u32, start: u32, restricted: bool) -> BigInt {
        let mut sum = BigInt::ZERO;
        // U^b, where b is the number of listed blocks.
        let mut power: Vec<BigInt> = (0..=self.length).map(|length| BigInt::from(i32::from(length == 0))).collect();
        for blocks in 0..lists.all.len() {
            let next = self.times_u(&power, size);
            // The first block is one of the other characters.
            let others: Vec<BigInt> = if restricted {
                self.times_g(&next).into_iter().map(|ways| ways * start).collect()
            } else {
                next.clone()
            };
            for length in blocks..lists.all.len().min(self.length + 1) {
                let rest = self.length - length;
                sum += &lists.all[length][blocks] * &others[rest];
                if restricted {
                    sum += &lists.opening[length][blocks] * &power[rest];
                }
            }
            power = next;
        }
        sum
    }

    /// A series times g: V = x^(r+1)·V + x·W - x^(r+1)·W.
    fn times_g(&self, series: &[BigInt]) -> Vec<BigInt> {
        let far = self.run + 1;
        let mut product: Vec<BigInt> = Vec::with_capacity(series.len());
        for at in 0..series.len() {
            let mut term = if at > 0 { series[at - 1].clone() } else { BigInt::ZERO };
            if at >= far {
                term += &product[at - far];
                term -= &series[at - far];
            }
            product.push(term);
        }
        product
    }

    /// A series times U over `size` characters: V = s·x·V - (s - 1)·x^(r+1)·V + W - x^(r+1)·W.
    fn times_u(&self, series: &[BigInt], size: u32) -> Vec<BigInt> {
        let (far, size) = (self.run + 1, i64::from(size));
        let mut product: Vec<BigInt> = Vec::with_capacity(series.len());
        for at in 0..series.len() {
            let mut term = series[at].clone();
            if at > 0 {
                term += &product[at - 1] * size;
            }
            if at >= far {
                term -= &product[at - far] * (size - 1);
                term -= &series[at - far];
            }
            product.push(term);
        }
        product
    }
}
