//! A choice by weights that are large integers.

use num_bigint::BigUint;
use rand::TryCryptoRng;

use super::uniform::Uniform;

/// The cumulative sums of the weights, of which only the leading bits are stored. A random integer below the total falls
/// between two of the sums, and its leading bits nearly always decide between which.
///
/// For example, a total of 100 bits needs draws of 100 random bits. Their first 64 bits are compared with the first 64
/// bits of the sums. Only if they are equal to those of a sum, which happens once in 2^64 draws for each sum, the other
/// 36 bits are drawn and the full sums are computed again. So the choice is exact in both cases.
#[derive(Clone, Debug)]
pub(super) struct CumulativeTable {
    /// Bits of the total.
    bits: u64,
    /// How many leading bits are stored.
    precision_bits: u64,
    /// The leading bits of each cumulative sum; the last one is the total.
    sums: Vec<u64>,
}

/// The leading bits that are stored. Unit tests store fewer, so that ties are common.
pub(super) const PRECISION_BITS: u64 = 64;

impl CumulativeTable {
    /// The table of the given weights, at least one of which must be above 0.
    pub(super) fn new(weights: impl Iterator<Item = BigUint>, precision_bits: u64) -> Self {
        let mut sums = Vec::new();
        let mut sum = BigUint::ZERO;
        for weight in weights {
            sum += weight;
            sums.push(sum.clone());
        }
        let bits = sum.bits();
        let sums = sums.iter().map(|sum| leading_bits(sum, bits, precision_bits)).collect();
        Self { bits, precision_bits: precision_bits.min(bits), sums }
    }

    /// Draws the index of a choice. `weights` returns the weights that the table was made of.
    pub(super) fn draw<R: TryCryptoRng, I: Iterator<Item = BigUint>>(
        &self,
        uniform: &mut Uniform<'_, R>,
        weights: impl Fn() -> I,
    ) -> Result<usize, R::Error> {
        if self.sums.len() == 1 {
            return Ok(0);
        }
        let total = self.sums[self.sums.len() - 1];
        loop {
            let leading = uniform.bits(self.precision_bits)?;
            if leading > total {
                continue;
            }
            let above = self.sums.partition_point(|&sum| sum < leading);
            if self.sums[above] > leading {
                return Ok(above);
            }
            // The leading bits are those of a sum, so the other bits decide.
            let rest = self.bits - self.precision_bits;
            let draw = (BigUint::from(leading) << rest) + uniform.big_bits(rest)?;
            let mut sum = BigUint::ZERO;
            if let Some(chosen) = weights().position(|weight| {
                sum += weight;
                draw < sum
            }) {
                return Ok(chosen);
            }
        }
    }
}

fn leading_bits(number: &BigUint, bits: u64, precision_bits: u64) -> u64 {
    let shifted = number >> bits.saturating_sub(precision_bits);
    shifted.iter_u64_digits().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    /// With few bits of precision most draws tie with a sum. A weight of 0, and a large weight beside small ones, reach
    /// every branch. The weights sum to 96, so 96,000 draws choose each 1,000 times its weight.
    #[test]
    fn draw_with_any_precision_chooses_in_proportion_to_weights() {
        let weights = [3_u32, 0, 50, 1, 9, 33];
        for precision_bits in [1, 2, 3, 5, 7, 64] {
            let big = || weights.iter().map(|&weight| BigUint::from(weight));
            let table = CumulativeTable::new(big(), precision_bits);
            let mut random = StdRng::seed_from_u64(precision_bits);
            let mut uniform = Uniform::new(&mut random, 1024);
            let mut counts = [0_u32; 6];
            for _ in 0..96_000 {
                counts[table.draw(&mut uniform, big).expect("infallible")] += 1;
            }
            assert_eq!(counts[1], 0);
            for (count, weight) in counts.into_iter().zip(weights) {
                // Six standard deviations of a binomial distribution.
                let expected = f64::from(weight) * 1000.0;
                assert!(
                    (f64::from(count) - expected).abs() <= 6.0 * expected.sqrt(),
                    "{counts:?} with {precision_bits} bits"
                );
            }
        }
    }
}
