//! The random choices of a draw. Everything random in a password is one of two: an integer below a bound, or an index by
//! weight. So a test can walk all outcomes of all choices, and compute the probability of each text as a fraction.

use num_bigint::BigUint;
use rand::TryCryptoRng;

use super::cumulative::CumulativeTable;
use super::uniform::Uniform;

/// Makes random choices.
pub(super) trait Choices {
    /// Why no choice was made.
    type Error;

    /// An integer from 0 to `bound` - 1, each equally likely.
    fn below(&mut self, bound: usize) -> Result<usize, Self::Error>;

    /// An index of `weights`, in proportion to its weight. `table` is the table of the same weights.
    fn by_weight<I: Iterator<Item = BigUint>>(
        &mut self,
        table: &CumulativeTable,
        weights: impl Fn() -> I,
    ) -> Result<usize, Self::Error>;
}

impl<R: TryCryptoRng> Choices for Uniform<'_, R> {
    type Error = R::Error;

    fn below(&mut self, bound: usize) -> Result<usize, R::Error> {
        Uniform::below(self, bound)
    }

    fn by_weight<I: Iterator<Item = BigUint>>(
        &mut self,
        table: &CumulativeTable,
        weights: impl Fn() -> I,
    ) -> Result<usize, R::Error> {
        table.draw(self, weights)
    }
}
