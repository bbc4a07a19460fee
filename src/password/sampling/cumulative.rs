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
#[derive(Clone, Debug, PartialEq, Eq)]
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
        loop {
            let leading = uniform.bits(self.precision_bits)?;
            let chosen = match self.decide(leading) {
                Decision::Chosen(choice) => Some(choice),
                Decision::Rejected => None,
                Decision::Tie => self.decide_tie(leading, uniform.big_bits(self.other_bits())?, weights()),
            };
            if let Some(choice) = chosen {
                return Ok(choice);
            }
        }
    }

    /// What the leading bits of an integer decide.
    fn decide(&self, leading: u64) -> Decision {
        let above = self.sums.partition_point(|&sum| sum < leading);
        match self.sums.get(above) {
            None => Decision::Rejected,
            Some(&sum) if sum == leading => Decision::Tie,
            Some(_) => Decision::Chosen(above),
        }
    }

    /// The choice of an integer whose leading bits are those of a sum; `None` if it is not below the total.
    fn decide_tie(&self, leading: u64, others: BigUint, mut weights: impl Iterator<Item = BigUint>) -> Option<usize> {
        let draw = (BigUint::from(leading) << self.other_bits()) + others;
        let mut sum = BigUint::ZERO;
        weights.position(|weight| {
            sum += weight;
            draw < sum
        })
    }

    const fn other_bits(&self) -> u64 {
        self.bits - self.precision_bits
    }
}

enum Decision {
    Chosen(usize),
    /// The integer is not below the total.
    Rejected,
    /// The leading bits are those of a sum, so the other bits decide.
    Tie,
}

fn leading_bits(number: &BigUint, bits: u64, precision_bits: u64) -> u64 {
    let shifted = number >> bits.saturating_sub(precision_bits);
    shifted.iter_u64_digits().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every integer of as many bits as the total has, for all lists of up to four weights from 0 to 5, and for one with
    /// a large weight. With few bits of precision most integers tie with a sum.
    #[test]
    fn every_integer_below_the_total_chooses_in_proportion_to_weights() {
        let mut lists: Vec<Vec<u32>> = vec![vec![3, 0, 500, 1, 9, 33]];
        for length in 2..=4 {
            lists.extend((0..6_u32.pow(length)).map(|code| (0..length).map(|at| code / 6_u32.pow(at) % 6).collect()));
        }
        for weights in lists.iter().filter(|weights| weights.iter().sum::<u32>() > 0) {
            for precision_bits in [1, 2, 3, 5, 7, 64] {
                assert_eq!(integers_of_each_choice(weights, precision_bits), *weights, "{precision_bits} bits");
            }
        }
    }

    fn integers_of_each_choice(weights: &[u32], precision_bits: u64) -> Vec<u32> {
        let big = || weights.iter().map(|&weight| BigUint::from(weight));
        let table = CumulativeTable::new(big(), precision_bits);
        let others = 1_u32 << table.other_bits();
        let mut integers = vec![0; weights.len()];
        for leading in 0..1_u64 << table.precision_bits {
            match table.decide(leading) {
                Decision::Chosen(choice) => integers[choice] += others,
                Decision::Rejected => {}
                Decision::Tie => {
                    let choices = (0..others).filter_map(|other| table.decide_tie(leading, other.into(), big()));
                    choices.for_each(|choice| integers[choice] += 1);
                }
            }
        }
        integers
    }
}
