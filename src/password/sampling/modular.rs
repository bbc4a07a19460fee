//! Exact counts by arithmetic modulo several primes, from which the number is reconstructed (the Chinese remainder
//! theorem). Sums of products of numbers with hundreds of bits become operations on single machine words.

use num_bigint::BigUint;
use num_traits::ToPrimitive;

/// The primes are 2^60 minus these numbers, so that a product is reduced with shifts and small multiplications.
const OFFSETS: [u64; 32] = [
    93, 107, 173, 179, 257, 279, 369, 395, 399, 453, 557, 579, 629, 669, 695, 707, 717, 725, 753, 777, 797, 879, 933,
    983, 999, 1127, 1137, 1187, 1199, 1293, 1319, 1329,
];
const LOW: u64 = (1 << 60) - 1;

/// The field of integers modulo a prime.
#[derive(Clone, Copy)]
pub(super) struct Field {
    offset: u64,
}

impl Field {
    /// Enough fields to reconstruct the number of all texts of a length over so many characters, or a smaller number;
    /// `None` if that is larger than this method supports.
    pub(super) fn for_texts(length: u16, characters: u32) -> Option<impl ExactSizeIterator<Item = Self>> {
        Self::for_bits((f64::from(length) * f64::from(characters.max(1)).log2()).ceil())
    }

    /// Enough fields to reconstruct a number of up to `bits` bits; `None` for larger numbers than this method supports.
    fn for_bits(bits: f64) -> Option<impl ExactSizeIterator<Item = Self>> {
        // The product of k primes has more than 60·k - 1 bits.
        let primes = ((bits + 2.0) / 60.0).ceil().to_usize()?;
        Some(OFFSETS.get(..primes)?.iter().map(|&offset| Self { offset }))
    }

    pub(super) const fn prime(self) -> u64 {
        (1 << 60) - self.offset
    }

    /// 2^60 is `offset` modulo the prime, so the upper bits can be folded into the lower ones.
    fn reduce(self, number: u128) -> u64 {
        let fold = |number: u128| (number >> 60) * u128::from(self.offset) + (number & u128::from(LOW));
        // Below 2^128, then below 2^80, then below 2^61.
        let folded = u64::try_from(fold(fold(number))).unwrap_or_default();
        let folded = (folded >> 60) * self.offset + (folded & LOW);
        if folded >= self.prime() { folded - self.prime() } else { folded }
    }

    pub(super) fn number(self, number: u64) -> u64 {
        self.reduce(u128::from(number))
    }

    pub(super) fn add(self, one: u64, other: u64) -> u64 {
        let sum = one + other;
        if sum >= self.prime() { sum - self.prime() } else { sum }
    }

    pub(super) fn subtract(self, one: u64, other: u64) -> u64 {
        if one >= other { one - other } else { one + self.prime() - other }
    }

    pub(super) fn multiply(self, one: u64, other: u64) -> u64 {
        self.reduce(u128::from(one) * u128::from(other))
    }

    pub(super) fn power(self, mut base: u64, mut exponent: u64) -> u64 {
        let mut power = 1;
        while exponent > 0 {
            if exponent & 1 == 1 {
                power = self.multiply(power, base);
            }
            base = self.multiply(base, base);
            exponent >>= 1;
        }
        power
    }

    pub(super) fn inverse(self, number: u64) -> u64 {
        // Fermat's little theorem.
        self.power(number, self.prime() - 2)
    }

    /// Adds a product to a sum whose reduction is postponed.
    pub(super) fn accumulate(self, sum: &mut u128, one: u64, other: u64) {
        // Both factors are below 2^60, so the sum stays below 2^128 if it is below 2^127 before.
        *sum += u128::from(one) * u128::from(other);
        if *sum >> 127 != 0 {
            *sum = u128::from(self.reduce(*sum));
        }
    }

    pub(super) fn finish(self, sum: u128) -> u64 {
        self.reduce(sum)
    }
}

/// The number with these residues, each modulo its field's prime, below the product of the primes (Garner's algorithm).
pub(super) fn reconstruct(residues: &[(Field, u64)]) -> BigUint {
    // The number is d0 + d1·p0 + d2·p0·p1 + … with mixed-radix digits d.
    let mut digits: Vec<u64> = Vec::with_capacity(residues.len());
    for (index, &(field, residue)) in residues.iter().enumerate() {
        let (mut value, mut product) = (0, 1);
        for (digit, (other, _)) in digits.iter().zip(residues) {
            value = field.add(value, field.multiply(field.number(*digit), product));
            product = field.multiply(product, field.number(other.prime()));
        }
        let digit =
            if index == 0 { residue } else { field.multiply(field.subtract(residue, value), field.inverse(product)) };
        digits.push(digit);
    }
    let mut number = BigUint::ZERO;
    for (digit, (field, _)) in digits.iter().zip(residues).rev() {
        number = number * field.prime() + *digit;
    }
    number
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The first twelve primes as bases decide primality for every number below 3.3 · 10^24 (Sorenson and Webster, 2015).
    #[test]
    fn moduli_are_distinct_primes() {
        for (index, offset) in OFFSETS.into_iter().enumerate() {
            assert!(index == 0 || OFFSETS[index - 1] < offset);
            let field = Field { offset };
            let (mut odd, mut twos) = (field.prime() - 1, 0);
            while odd % 2 == 0 {
                (odd, twos) = (odd / 2, twos + 1);
            }
            for base in [2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37] {
                let mut power = field.power(base, odd);
                let mut passes = power == 1 || power == field.prime() - 1;
                for _ in 1..twos {
                    power = field.multiply(power, power);
                    passes |= power == field.prime() - 1;
                }
                assert!(passes, "2^60 - {offset} is composite");
            }
        }
    }

    #[test]
    fn operations_agree_with_large_integers() {
        let numbers = |field: Field| [0, 1, 2, 93, 1 << 30, LOW / 3, field.prime() - 2, field.prime() - 1];
        for field in Field::for_bits(1_800.0).unwrap() {
            let prime = u128::from(field.prime());
            for one in numbers(field) {
                for other in numbers(field) {
                    let (wide_one, wide_other) = (u128::from(one), u128::from(other));
                    assert_eq!(u128::from(field.add(one, other)), (wide_one + wide_other) % prime);
                    assert_eq!(u128::from(field.subtract(one, other)), (wide_one + prime - wide_other) % prime);
                    assert_eq!(u128::from(field.multiply(one, other)), wide_one * wide_other % prime);
                }
                assert!(one == 0 || field.multiply(one, field.inverse(one)) == 1);
            }
            assert_eq!(u128::from(field.reduce(u128::MAX)), u128::MAX % prime);
        }
    }

    #[test]
    fn accumulated_products_do_not_overflow() {
        let field = Field { offset: OFFSETS[0] };
        let largest = field.prime() - 1;
        let mut sum = 0;
        for _ in 0..1_000 {
            field.accumulate(&mut sum, largest, largest);
        }
        // (-1)·(-1), a thousand times.
        assert_eq!(field.finish(sum), 1_000);
    }

    #[test]
    fn reconstructed_number_is_the_original() {
        for bits in [1_u32, 58, 59, 60, 64, 500, 1_600] {
            for number in [
                BigUint::ZERO,
                (BigUint::from(1_u32) << bits) - 1_u32,
                BigUint::from(95_u32).pow(240) >> (1_577 - bits.min(1_577)),
            ] {
                let residues: Vec<_> = Field::for_bits(f64::from(bits))
                    .unwrap()
                    .map(|field| {
                        let residue = (&number % field.prime()).iter_u64_digits().next().unwrap_or_default();
                        (field, residue)
                    })
                    .collect();
                assert_eq!(reconstruct(&residues), number, "{bits} bits");
            }
        }
        assert!(Field::for_bits(60.0 * 40.0).is_none());
    }
}
