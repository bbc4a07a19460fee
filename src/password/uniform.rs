//! Integers below a bound, each exactly equally likely, from a source of random bytes.

use num_bigint::BigUint;
use rand::TryCryptoRng;
use zeroize::{Zeroize, Zeroizing};

/// Most bytes fetched at once: enough for the longest password in one trip.
const MOST: usize = 1024;

/// Draws integers from random bytes that it fetches a buffer at a time and overwrites after use.
pub(super) struct Uniform<'r, R> {
    random: &'r mut R,
    buffer: Zeroizing<Vec<u8>>,
    /// Bytes of the buffer not used yet; they stand at its end.
    left: usize,
}

impl<'r, R: TryCryptoRng> Uniform<'r, R> {
    /// `expected`: how many bytes the caller is likely to need.
    pub(super) fn new(random: &'r mut R, expected: usize) -> Self {
        let buffer = Zeroizing::new(vec![0; expected.clamp(32, MOST)]);
        Self { random, buffer, left: 0 }
    }

    /// An integer from 0 to `bound` - 1, for a `bound` from 1 to 65536; cheapest below 1000.
    pub(super) fn below(&mut self, bound: usize) -> Result<usize, R::Error> {
        loop {
            let mut word = [0; 2];
            self.fill(&mut word)?;
            let drawn = scale(u16::from_le_bytes(word), bound);
            word.zeroize();
            if let Some(integer) = drawn {
                return Ok(integer);
            }
        }
    }

    /// An integer of so many random bits, 64 at most.
    pub(super) fn bits(&mut self, bits: u64) -> Result<u64, R::Error> {
        let mut word = [0; 8];
        self.fill(&mut word)?;
        let integer = u64::from_le_bytes(word).unbounded_shr(u32::try_from(64 - bits).unwrap_or(64));
        word.zeroize();
        Ok(integer)
    }

    /// An integer of so many random bits.
    pub(super) fn big_bits(&mut self, bits: u64) -> Result<BigUint, R::Error> {
        let mut bytes = Zeroizing::new(vec![0; usize::try_from(bits.div_ceil(8)).unwrap_or_default()]);
        self.fill(&mut bytes)?;
        Ok(BigUint::from_bytes_be(&bytes) >> (bits.div_ceil(8) * 8 - bits))
    }

    fn fill(&mut self, target: &mut [u8]) -> Result<(), R::Error> {
        if target.len() > self.buffer.len() {
            return self.random.try_fill_bytes(target);
        }
        if target.len() > self.left {
            self.random.try_fill_bytes(&mut self.buffer)?;
            self.left = self.buffer.len();
        }
        let start = self.buffer.len() - self.left;
        let used = &mut self.buffer[start..start + target.len()];
        target.copy_from_slice(used);
        used.zeroize();
        self.left -= target.len();
        Ok(())
    }
}

/// Maps a 16-bit word to an integer below `bound`, or to nothing where that would favour some.
///
/// word · bound / 65536 spreads 65536 words over `bound` integers, and 65536 mod `bound` words are
/// too many: with a bound of 62, two. They are those whose product leaves a remainder below that
/// number (Lemire, "Fast Random Integer Generation in an Interval", 2019). Turning them away leaves
/// exactly 1057 words for each of the 62.
fn scale(word: u16, bound: usize) -> Option<usize> {
    let product = usize::from(word) * bound;
    (product % 65_536 >= 65_536 % bound).then_some(product / 65_536)
}

#[cfg(test)]
mod tests {
    use super::scale;

    /// No sample of passwords can show that `word % bound` is not used; every word can.
    #[test]
    fn every_integer_comes_from_equally_many_words() {
        for bound in (1..=256).chain([1296, 7776]) {
            let mut words = vec![0_usize; bound];
            for word in 0..=u16::MAX {
                if let Some(integer) = scale(word, bound) {
                    words[integer] += 1;
                }
            }
            let each = 65_536 / bound;
            assert!(words.iter().all(|&count| count == each), "bound {bound}: {words:?}");
        }
    }
}
