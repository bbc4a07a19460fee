//! Counting by inclusion and exclusion, runs and minima together.
//!
//! **Runs.** Cut a text into blocks, each of one character and of any length, and neighbours may be of
//! one character too. Give a block of length l the weight +1 if l is 1, r + 2, 2r + 3 and so on, -1 if
//! l is r + 1, 2r + 2 and so on, and 0 else. Then all cuttings of a text together weigh 1 if none of its
//! runs is longer than r, and 0 if one is. So texts can be counted as sequences of blocks *that do not
//! see their neighbours*. As a series in x, where x^l stands for length l, the blocks of one character
//! are
//!
//! ```text
//! g = (x - x^(r+1)) / (1 - x^(r+1))        (g = x where runs may be as long as they like)
//! ```
//!
//! and all sequences of blocks over s characters are U = 1/(1 - s·g) = (1 - x^(r+1)) / (1 - s·x + (s-1)·x^(r+1)).
//!
//! **Minima.** The texts that meet every requirement are all texts, less those that fail the first,
//! less those that fail the second, plus those that fail both, and so on: a signed sum over the sets
//! T of requirements that fail. To fail `at least d` is to have fewer than d, so the failing
//! characters are few: their blocks can be listed by (length c, blocks b), and b + 1 gaps between and
//! around them hold the rest of the alphabet in sequences of blocks, U^(b+1) in all.
//!
//! A worked example: `ab01`, length 4, one of `ab` at least. All: 4⁴ = 256. Failing: 2⁴ = 16. 256 - 16 = 240.
//!
//! Multiplying a series by U or g takes two or three small products a term, so all of this costs about
//! as many steps as length times the sum of the minima. The lists are what costs: interleaving them takes
//! the product of their sizes. Requirements of one character need not be
//! listed: to fail them is to have a smaller pool, whatever else overlaps.

use num_bigint::{BigInt, BigUint};

use super::alphabet::CharSet;
use super::shape::{Requirement, Shape};
use super::work::{TooMuchWork, Work};

/// Most requirements: the sum has two to the power of as many terms.
const MOST_REQUIREMENTS: usize = 10;
/// What one product of two lists costs, in steps.
const PRODUCT: usize = 4;

/// Counts the texts of a shape without variety and without `no_repeats`.
///
/// # Errors
/// [`TooMuchWork`], also where requirements of two and more overlap: those are not counted this way.
pub(super) fn count(shape: &Shape, work: &mut Work) -> Result<BigUint, TooMuchWork> {
    let requirements = &shape.requirements;
    if requirements.len() > MOST_REQUIREMENTS {
        return Err(TooMuchWork);
    }
    let mut sum = BigInt::ZERO;
    for failing in 0..1_u32 << requirements.len() {
        let failing = requirements.iter().enumerate().filter(|(index, _)| failing >> index & 1 == 1);
        let failing: Vec<Requirement> = failing.map(|(_, one)| *one).collect();
        let texts = failing_together(shape, &failing, work)?;
        sum += if failing.len().is_multiple_of(2) { texts } else { -texts };
    }
    // A number of texts is not negative.
    Ok(sum.into_parts().1)
}

/// Counts the texts that fail all the given requirements, whatever they do with others.
fn failing_together(shape: &Shape, failing: &[Requirement], work: &mut Work) -> Result<BigInt, TooMuchWork> {
    let absent =
        failing.iter().filter(|one| one.minimum == 1).fold(CharSet::default(), |all, one| all.union(one.characters));
    let pool = shape.pool.without(absent);
    let first = shape.first().without(absent);
    let blocks = Blocks { run: shape.longest_run(), length: usize::from(shape.length) };
    let mut rest = pool;
    let mut lists = Lists::empty();
    for requirement in failing.iter().filter(|one| one.minimum > 1) {
        let few = requirement.characters.intersection(pool);
        if few.without(rest) != CharSet::default() {
            return Err(TooMuchWork);
        }
        rest = rest.without(few);
        let list = blocks.lists(few, first, usize::from(requirement.minimum));
        lists = lists.interleaved(&list, shape.start.is_some(), work)?;
    }
    work.spend(lists.all.len() * blocks.length)?;
    Ok(blocks.sequences(&lists, rest.len(), rest.intersection(first).len(), shape.start.is_some()))
}

/// Sequences of blocks of few characters, by their length in characters (first index) and in blocks
/// (second index).
struct Lists {
    all: Vec<Vec<BigInt>>,
    /// Those whose first block may stand at the start.
    opening: Vec<Vec<BigInt>>,
}

impl Lists {
    /// The sequence of no block.
    fn empty() -> Self {
        Self { all: vec![vec![BigInt::from(1)]], opening: vec![vec![BigInt::ZERO]] }
    }

    /// Every way to interleave a sequence of one kind with a sequence of the other.
    fn interleaved(&self, other: &Self, restricted: bool, work: &mut Work) -> Result<Self, TooMuchWork> {
        let size = self.all.len() + other.all.len() - 1;
        let triangle = || (0..size).map(|length| vec![BigInt::ZERO; length + 1]).collect::<Vec<_>>();
        let (mut all, mut opening) = (triangle(), triangle());
        let choose = binomials(size);
        let cells = |lists: &Self| lists.all.iter().flatten().filter(|ways| *ways != &BigInt::ZERO).count();
        work.spend(PRODUCT * cells(self) * cells(other))?;
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
                        // The first block of all is the first of one of the two.
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

/// Series of blocks in which no run is longer than `run`, up to `length`.
struct Blocks {
    run: usize,
    length: usize,
}

impl Blocks {
    /// The sequences of fewer than `minimum` of some characters.
    fn lists(&self, characters: CharSet, first: CharSet, minimum: usize) -> Lists {
        let size = minimum.min(self.length + 1);
        let mut lists = Lists { all: Vec::new(), opening: Vec::new() };
        let start = characters.intersection(first).len();
        // Column by column: no block, one block, two blocks, …
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

    /// All texts: the listed blocks, and sequences over `size` other characters, of which `start` may
    /// stand first, between and around them.
    fn sequences(&self, lists: &Lists, size: u32, start: u32, restricted: bool) -> BigInt {
        let mut sum = BigInt::ZERO;
        // U^b, and U^(b+1), b being the number of blocks listed.
        let mut power: Vec<BigInt> = (0..=self.length).map(|length| BigInt::from(i32::from(length == 0))).collect();
        for blocks in 0..lists.all.len() {
            let next = self.times_u(&power, size);
            // The first block of all is one of the others.
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
