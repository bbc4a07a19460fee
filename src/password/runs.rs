//! Counting and drawing by runs: how often a character stands in a row.
//!
//! A text is a sequence of runs, each of another character than the one before. Over a pool of s
//! characters the first run can have any of them, each further one any of the s - 1 others. With runs
//! of r characters at most, the ways to fill m positions behind a run are
//!
//! ```text
//! A(0) = 1,  A(m) = (s - 1) · (A(m-1) + A(m-2) + … + A(m-r))
//! ```
//!
//! A worked example: 3 characters, length 4, no two alike side by side. A(1) = 2, A(2) = 4, A(3) = 8, and
//! 3 · A(3) = 24 texts.
//!
//! Requirements are left to rejection; the first position is not.

use num_bigint::BigUint;
use rand::TryCryptoRng;

use super::ladder::Ladder;
use super::shape::Shape;
use super::uniform::Uniform;

/// Tables for one shape without `no_repeats`.
pub(super) struct Runs {
    pool: Vec<u8>,
    /// Indices into the pool.
    first: Vec<usize>,
    longest: usize,
    /// A(m) of the module's documentation.
    ways: Vec<BigUint>,
    /// For each number of positions left, by how long the next run is.
    ladders: Vec<Ladder>,
    total: BigUint,
}

impl Runs {
    /// Makes the tables for a shape of which the pool holds a character. `kept`: see [`Ladder`].
    pub(super) fn new(shape: &Shape, kept: u64) -> Self {
        let (length, longest) = (usize::from(shape.length), shape.longest_run());
        let pool: Vec<u8> = shape.pool.bytes().collect();
        let first: Vec<usize> = (0..pool.len()).filter(|&index| shape.first().contains(pool[index])).collect();
        let mut ways = vec![BigUint::from(1_u32)];
        for positions in 1..=length {
            let behind: BigUint = ways[positions.saturating_sub(longest)..].iter().sum();
            ways.push(behind * (pool.len() - 1));
        }
        let runs = |positions| shares(&ways, positions, longest);
        let total = runs(length).sum::<BigUint>() * first.len();
        // A pool of one character has no second run.
        let ladders = if total == BigUint::ZERO {
            Vec::new()
        } else {
            (1..=length).map(|positions| Ladder::new(runs(positions), kept)).collect()
        };
        Self { pool, first, longest, ways, ladders, total }
    }

    /// Texts in all.
    pub(super) const fn total(&self) -> &BigUint {
        &self.total
    }

    /// Draws a text into `text`, each that keeps to the runs and the start equally likely.
    pub(super) fn draw<R: TryCryptoRng>(
        &self,
        uniform: &mut Uniform<'_, R>,
        text: &mut Vec<u8>,
    ) -> Result<(), R::Error> {
        text.clear();
        let length = self.ladders.len();
        let mut letter = self.first[uniform.below(self.first.len())?];
        loop {
            let left = length - text.len();
            let run = 1 + self.ladders[left - 1].draw(uniform, || shares(&self.ways, left, self.longest))?;
            text.extend(std::iter::repeat_n(self.pool[letter], run));
            if text.len() == length {
                return Ok(());
            }
            // Any other: those from this one on move up by one.
            let other = uniform.below(self.pool.len() - 1)?;
            letter = if other < letter { other } else { other + 1 };
        }
    }
}

/// For each length that the next of the runs over `positions` can have, the ways on from there.
fn shares(ways: &[BigUint], positions: usize, longest: usize) -> impl Iterator<Item = BigUint> {
    (1..=longest.min(positions)).map(move |run| ways[positions - run].clone())
}
