//! Uniform integers below a bound, from a source of random bytes.

use num_bigint::BigUint;
use rand::TryCryptoRng;
use zeroize::{Zeroize, Zeroizing};

/// The most bytes fetched at once: enough for a password of the longest length in one call.
const MAX_BUFFER: usize = 8320;

/// Draws integers from random bytes. It fetches them one buffer at a time, and overwrites them after use.
pub(in crate::password) struct Uniform<'r, R> {
    random: &'r mut R,
    buffer: Zeroizing<Vec<u8>>,
    /// Unused bytes, at the end of the buffer.
    left: usize,
}

impl<'r, R: TryCryptoRng> Uniform<'r, R> {
    /// `expected` is the number of bytes that the caller is likely to need.
    pub(in crate::password) fn new(random: &'r mut R, expected: usize) -> Self {
        let buffer = Zeroizing::new(vec![0; expected.clamp(32, MAX_BUFFER)]);
        Self { random, buffer, left: 0 }
    }

    /// An integer from 0 to `bound` - 1, for a `bound` from 1 to 65536. It is fastest for bounds below 1000.
    pub(in crate::password) fn below(&mut self, bound: usize) -> Result<usize, R::Error> {
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

    /// An integer of up to 64 random bits.
    pub(super) fn bits(&mut self, bits: u64) -> Result<u64, R::Error> {
        let mut word = [0; 8];
        self.fill(&mut word)?;
        let integer = u64::from_le_bytes(word).unbounded_shr(u32::try_from(64 - bits).unwrap_or(64));
        word.zeroize();
        Ok(integer)
    }

    /// An integer of any number of random bits.
    pub(super) fn big_bits(&mut self, bits: u64) -> Result<BigUint, R::Error> {
        let mut bytes = Zeroizing::new(vec![0; usize::try_from(bits.div_ceil(8)).unwrap_or_default()]);
        self.fill(&mut bytes)?;
        Ok(BigUint::from_bytes_be(&bytes) >> (bits.div_ceil(8) * 8 - bits))
    }

    fn fill(&mut self, target: &mut [u8]) -> Result<(), R::Error> {
        if self.buffer.len() < target.len() {
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

/// Maps a 16-bit word to an integer below `bound`, or rejects it, because it would make some integers more likely.
///
/// word · bound / 65536 maps 65536 words to `bound` integers, and 65536 mod `bound` words must be rejected: for a bound
/// of 62, two. They are the words whose product leaves a remainder below that number (Lemire, "Fast Random Integer
/// Generation in an Interval", 2019). Exactly 1057 words remain for each of the 62 integers.
fn scale(word: u16, bound: usize) -> Option<usize> {
    let product = usize::from(word) * bound;
    (product % 65_536 >= 65_536 % bound).then_some(product / 65_536)
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use rand::{TryCryptoRng, TryRng};

    use super::*;

    /// Returns the bytes 0, 1, 2, … and then 0 again, so that a test sees which of them an integer is made of.
    struct Ascending {
        fetched: usize,
    }

    impl TryRng for Ascending {
        type Error = Infallible;

        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            let mut bytes = [0; 4];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u32::from_le_bytes(bytes))
        }

        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            let mut bytes = [0; 8];
            self.try_fill_bytes(&mut bytes)?;
            Ok(u64::from_le_bytes(bytes))
        }

        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            for byte in bytes {
                *byte = self.fetched.to_le_bytes()[0];
                self.fetched += 1;
            }
            Ok(())
        }
    }

    impl TryCryptoRng for Ascending {}

    #[test]
    fn integers_use_every_fetched_byte_once_and_in_order() {
        let mut source = Ascending { fetched: 0 };
        let mut uniform = Uniform::new(&mut source, 1);
        let Ok(all) = uniform.bits(64);
        assert_eq!(all, 0x0706_0504_0302_0100);
        // The upper bits of the next word.
        let Ok(upper) = uniform.bits(12);
        assert_eq!(upper, 0x0f0);
        let Ok(none) = uniform.bits(0);
        assert_eq!(none, 0);
        let Ok(big) = uniform.big_bits(12);
        assert_eq!(big, BigUint::from(0x181_u32));
        // 0x1b1a · 65536 / 65536.
        let Ok(below) = uniform.below(65_536);
        assert_eq!(below, 0x1b1a);
        // The last four bytes of the buffer.
        let Ok(big) = uniform.big_bits(32);
        assert_eq!(big, BigUint::from(0x1c1d_1e1f_u32));
        assert_eq!(uniform.random.fetched, 32);
        let Ok(next) = uniform.below(65_536);
        assert_eq!(next, 0x2120);
        assert_eq!(uniform.random.fetched, 64);
    }

    #[test]
    fn integer_longer_than_the_buffer_is_fetched_directly() {
        let mut source = Ascending { fetched: 0 };
        let mut uniform = Uniform::new(&mut source, 1);
        let Ok(big) = uniform.big_bits(33 * 8);
        assert_eq!(big, BigUint::from_bytes_be(&(0..33).collect::<Vec<u8>>()));
        assert_eq!((uniform.random.fetched, uniform.left), (33, 0));
    }

    /// A sample could not show a bias as small as that of `word % bound`; all words show it.
    #[test]
    fn scale_of_all_words_reaches_each_integer_equally_often() {
        for bound in (1..=256).chain([1295, 7772]) {
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
