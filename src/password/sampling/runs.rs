//! Counts and draws by runs of identical characters.
//!
//! A text is a sequence of runs, each of another character than the run before. Over a pool of s characters the first
//! run can have any of them, and each further run any of the s - 1 others. With runs of at most r characters, the number
//! of ways to fill m positions after a run is
//!
//! ```text
//! A(0) = 1,  A(m) = (s - 1) · (A(m-1) + A(m-2) + … + A(m-r))
//! ```
//!
//! A worked example: 3 characters, length 4, no two identical neighbours. A(1) = 2, A(2) = 4, A(3) = 8, so there are
//! 3 · A(3) = 24 texts.
//!
//! The sampler leaves requirements to rejection. The first character is exact.

use num_bigint::BigUint;

use super::budget::{BudgetExceeded, WorkBudget};
use super::choices::Choices;
use super::cumulative::CumulativeTable;
use crate::password::spec::PasswordSpec;

/// The steps of one choice: adding to two sums, and per machine word of the numbers.
const CHOICE_STEPS: usize = 30;
const WORD_STEPS: usize = 2;

/// The tables of one specification without `no_repeats`.
pub(super) struct Runs {
    pool: Vec<u8>,
    /// Indices into the pool.
    first: Vec<usize>,
    longest: usize,
    /// A(m) of the module documentation.
    ways: Vec<BigUint>,
    /// For each number of positions left, the choice of the length of the next run.
    tables: Vec<CumulativeTable>,
    total: BigUint,
}

impl Runs {
    /// Computes the tables of a specification whose pool is not empty.
    pub(super) fn new(
        spec: &PasswordSpec,
        precision_bits: u64,
        budget: &mut WorkBudget,
    ) -> Result<Self, BudgetExceeded> {
        let (length, longest) = (usize::from(spec.length), spec.longest_run());
        let words = length * usize::try_from(spec.pool.len().ilog2() + 1).unwrap_or_default() / 64 + 1;
        let choices = length * longest;
        budget.spend(choices * (CHOICE_STEPS + WORD_STEPS * words))?;
        budget.hold(8 * (choices + length * words))?;
        let pool: Vec<u8> = spec.pool.bytes().collect();
        let first: Vec<usize> = (0..pool.len()).filter(|&index| spec.first().contains(pool[index])).collect();
        let mut ways = vec![BigUint::from(1_u32)];
        for positions in 1..=length {
            let after: BigUint = ways[positions.saturating_sub(longest)..].iter().sum();
            ways.push(after * (pool.len() - 1));
        }
        let runs = |positions| weights(&ways, positions, longest);
        let total = runs(length).sum::<BigUint>() * first.len();
        // A pool of one character has no second run.
        let tables = if total == BigUint::ZERO {
            Vec::new()
        } else {
            (1..=length).map(|positions| CumulativeTable::new(runs(positions), precision_bits)).collect()
        };
        Ok(Self { pool, first, longest, ways, tables, total })
    }

    /// The number of texts.
    pub(super) const fn total(&self) -> &BigUint {
        &self.total
    }

    /// Draws a text into `text`: each text with valid runs and a valid start is equally likely.
    pub(super) fn draw<C: Choices>(&self, choices: &mut C, text: &mut Vec<u8>) -> Result<(), C::Error> {
        text.clear();
        let length = self.tables.len();
        let mut letter = self.first[choices.below(self.first.len())?];
        loop {
            let left = length - text.len();
            let run = 1 + choices.by_weight(&self.tables[left - 1], || weights(&self.ways, left, self.longest))?;
            text.extend(std::iter::repeat_n(self.pool[letter], run));
            if text.len() == length {
                return Ok(());
            }
            // Any other character: indices from this one on move up by one.
            let other = choices.below(self.pool.len() - 1)?;
            letter = if other < letter { other } else { other + 1 };
        }
    }
}

/// For each length of the next run, the number of ways to fill the remaining positions.
fn weights(ways: &[BigUint], positions: usize, longest: usize) -> impl Iterator<Item = BigUint> {
    (1..=longest.min(positions)).map(move |run| ways[positions - run].clone())
}
