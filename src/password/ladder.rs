//! One of several choices, each as likely as its share of a whole number says.

use num_bigint::BigUint;
use rand::TryCryptoRng;

use super::uniform::Uniform;

/// The running sums of some shares, of which the first bits are kept: a ticket below the whole falls
/// between two of them, and its first 64 bits nearly always say where.
///
/// A whole of 100 bits, say, has tickets of 100 random bits. Their first 64 are compared with the
/// first 64 of the sums. Only where they are equal to those of a sum, once in 2^64 draws for each
/// sum, are the other 36 drawn and the sums made again in full: the choice is exact either way.
#[derive(Clone, Debug)]
pub(super) struct Ladder {
    /// Bits of the whole.
    bits: u64,
    /// How many of them are kept.
    kept: u64,
    /// The first bits of each running sum; the last is the whole.
    rungs: Vec<u64>,
}

/// Bits kept. Unit tests keep fewer, so that ties are common.
pub(super) const KEPT: u64 = 64;

impl Ladder {
    /// A ladder for the given shares, of which one at least is above 0.
    pub(super) fn new(shares: impl Iterator<Item = BigUint>, kept: u64) -> Self {
        let mut sums = Vec::new();
        let mut sum = BigUint::ZERO;
        for share in shares {
            sum += share;
            sums.push(sum.clone());
        }
        let bits = sum.bits();
        let rungs = sums.iter().map(|sum| first_bits(sum, bits, kept)).collect();
        Self { bits, kept: kept.min(bits), rungs }
    }

    /// Draws the index of a choice. `shares` makes again what the ladder was made of.
    pub(super) fn draw<R: TryCryptoRng, I: Iterator<Item = BigUint>>(
        &self,
        uniform: &mut Uniform<'_, R>,
        shares: impl Fn() -> I,
    ) -> Result<usize, R::Error> {
        if self.rungs.len() == 1 {
            return Ok(0);
        }
        let whole = self.rungs[self.rungs.len() - 1];
        loop {
            let ticket = uniform.bits(self.kept)?;
            if ticket > whole {
                continue;
            }
            let above = self.rungs.partition_point(|&rung| rung < ticket);
            if self.rungs[above] > ticket {
                return Ok(above);
            }
            // The ticket's first bits are those of a sum.
            let rest = self.bits - self.kept;
            let ticket = (BigUint::from(ticket) << rest) + uniform.big_bits(rest)?;
            let mut sum = BigUint::ZERO;
            if let Some(chosen) = shares().position(|share| {
                sum += share;
                ticket < sum
            }) {
                return Ok(chosen);
            }
        }
    }
}

fn first_bits(number: &BigUint, bits: u64, kept: u64) -> u64 {
    let shifted = number >> bits.saturating_sub(kept);
    shifted.iter_u64_digits().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    /// With two bits kept most tickets tie with a sum; with one share of 0 and a large one beside
    /// small ones every path is taken. Shares sum to 96, and 9600 draws give each 100 times its own.
    #[test]
    fn choices_come_as_often_as_their_shares_say_however_few_bits_are_kept() {
        let shares = [3_u32, 0, 50, 1, 9, 33];
        for kept in [1, 2, 3, 5, 7, 64] {
            let big = || shares.iter().map(|&share| BigUint::from(share));
            let ladder = Ladder::new(big(), kept);
            let mut random = StdRng::seed_from_u64(kept);
            let mut uniform = Uniform::new(&mut random, 1024);
            let mut counts = [0_u32; 6];
            for _ in 0..96_000 {
                counts[ladder.draw(&mut uniform, big).expect("infallible")] += 1;
            }
            assert_eq!(counts[1], 0);
            for (count, share) in counts.into_iter().zip(shares) {
                // Six standard deviations of a binomial distribution.
                let expected = f64::from(share) * 1000.0;
                assert!((f64::from(count) - expected).abs() <= 6.0 * expected.sqrt(), "{counts:?} with {kept} bits");
            }
        }
    }
}
