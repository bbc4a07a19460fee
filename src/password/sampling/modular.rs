//! Exact counts by arithmetic modulo several primes, from which the number is reconstructed (the Chinese remainder
//! theorem). Sums of products of numbers with hundreds of bits become operations on single machine words.

use num_bigint::BigUint;
use num_traits::ToPrimitive;

/// The primes are 2^60 minus these numbers, so that a product is reduced with shifts and small multiplications.
const OFFSETS: [u64; 480] = [
    93, 107, 173, 179, 257, 279, 369, 395, 399, 453, 557, 579, 629, 669, 695, 707, 717, 725, 753, 777, 797, 879, 933,
    983, 999, 1127, 1137, 1187, 1199, 1293, 1319, 1329, 1449, 1473, 1503, 1505, 1577, 1589, 1655, 1659, 1707, 1763,
    1809, 1815, 1829, 1875, 1949, 2019, 2043, 2063, 2127, 2147, 2165, 2189, 2235, 2259, 2285, 2385, 2457, 2463, 2529,
    2559, 2565, 2687, 2697, 2709, 2733, 2799, 2849, 3105, 3113, 3197, 3243, 3245, 3269, 3273, 3369, 3429, 3449, 3483,
    3497, 3545, 3555, 3605, 3623, 3629, 3635, 3663, 3677, 3717, 3743, 3749, 3755, 3777, 3803, 3813, 3869, 3903, 3945,
    3987, 4025, 4065, 4067, 4143, 4167, 4185, 4223, 4245, 4307, 4325, 4407, 4449, 4463, 4485, 4595, 4619, 4625, 4683,
    4695, 4835, 4853, 4865, 4893, 4925, 4965, 4983, 5007, 5037, 5043, 5067, 5145, 5177, 5183, 5205, 5385, 5415, 5459,
    5465, 5505, 5535, 5579, 5603, 5619, 5673, 5777, 5849, 5879, 5913, 5969, 6023, 6027, 6047, 6093, 6099, 6159, 6299,
    6305, 6375, 6503, 6515, 6617, 6653, 6743, 6849, 6873, 6899, 6933, 6957, 6983, 7013, 7089, 7095, 7109, 7115, 7133,
    7149, 7235, 7257, 7263, 7289, 7335, 7389, 7557, 7577, 7655, 7707, 7739, 7805, 7889, 7907, 7977, 8019, 8043, 8109,
    8115, 8189, 8195, 8279, 8307, 8333, 8337, 8349, 8403, 8463, 8517, 8553, 8613, 8637, 8645, 8679, 8729, 8783, 8883,
    8903, 8909, 9015, 9039, 9047, 9069, 9147, 9167, 9173, 9183, 9233, 9245, 9305, 9323, 9359, 9365, 9389, 9443, 9447,
    9453, 9525, 9597, 9599, 9617, 9705, 9729, 9837, 9875, 9897, 9903, 9909, 9917, 9977, 10017, 10047, 10059, 10085,
    10155, 10287, 10289, 10383, 10523, 10535, 10547, 10563, 10617, 10625, 10719, 10797, 10815, 10827, 10839, 10863,
    10883, 10899, 10929, 10997, 11013, 11069, 11105, 11193, 11205, 11237, 11343, 11487, 11553, 11589, 11723, 11783,
    11799, 11807, 11867, 11937, 11997, 12045, 12095, 12119, 12173, 12213, 12227, 12315, 12329, 12347, 12413, 12435,
    12459, 12495, 12549, 12555, 12603, 12609, 12617, 12677, 12707, 12723, 12809, 12905, 12977, 13019, 13023, 13067,
    13185, 13227, 13233, 13263, 13317, 13325, 13335, 13353, 13373, 13425, 13445, 13499, 13503, 13523, 13577, 13607,
    13655, 13863, 13887, 13899, 13919, 13929, 13943, 14115, 14157, 14207, 14237, 14247, 14259, 14273, 14325, 14349,
    14375, 14493, 14495, 14559, 14573, 14663, 14667, 14727, 14909, 14975, 14985, 15033, 15039, 15053, 15059, 15075,
    15165, 15213, 15273, 15323, 15347, 15389, 15413, 15515, 15543, 15567, 15669, 15683, 15689, 15693, 15743, 15747,
    15803, 15845, 15893, 15899, 16139, 16167, 16187, 16235, 16383, 16419, 16467, 16509, 16559, 16595, 16695, 16725,
    16733, 16755, 16767, 16769, 16779, 16793, 16949, 17009, 17153, 17195, 17217, 17247, 17255, 17279, 17283, 17355,
    17405, 17439, 17463, 17625, 17699, 17705, 17727, 17729, 17817, 17825, 17855, 17859, 17873, 17925, 17933, 17987,
    18015, 18035, 18113, 18143, 18213, 18333, 18335, 18365, 18429, 18479, 18587, 18623, 18675, 18713, 18785, 18863,
    18977, 18993, 18995, 19037, 19095, 19109, 19115, 19143, 19227, 19247, 19365, 19457, 19505, 19529, 19613, 19619,
    19623, 19793, 19833, 19857, 19877, 19913, 19935, 19949, 19967, 20013, 20037, 20199, 20205, 20207, 20277, 20279,
    20313, 20327, 20339, 20349, 20429, 20495,
];
/// How many products are added to a sum in a step.
pub(super) const PRODUCTS_PER_STEP: usize = 4;
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
        // Below 2^128, then below 2^83, then below 2^61.
        let folded = u64::try_from(fold(fold(number))).unwrap_or_default();
        let folded = (folded >> 60) * self.offset + (folded & LOW);
        if folded >= self.prime() { folded - self.prime() } else { folded }
    }

    pub(super) fn number(self, number: u64) -> u64 {
        self.reduce(u128::from(number))
    }

    pub(super) fn signed(self, number: i64) -> u64 {
        let residue = self.number(number.unsigned_abs());
        if number < 0 { self.subtract(0, residue) } else { residue }
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

    /// The sum of products.
    pub(super) fn sum(self, products: impl Iterator<Item = (u64, u64)>) -> u64 {
        // A product is below 2^120, so the sum stays below 2^128 if it is below 2^127 before.
        self.reduce(products.fold(0, |sum: u128, (one, other)| {
            let sum = sum + u128::from(one) * u128::from(other);
            if sum >> 127 == 0 { sum } else { u128::from(self.reduce(sum)) }
        }))
    }

    /// The sum of the products of each number with the one as far from the other end of a list of the same length: a
    /// coefficient of the product of two series.
    pub(super) fn sum_of_products(self, one: &[u64], other: &[u64]) -> u64 {
        // 64 products and a number are below 2^128.
        one.chunks(64).zip(other.rchunks(64)).fold(0, |sum, (one, other)| {
            let products = one.iter().zip(other.iter().rev());
            let products = products.map(|(one, other)| u128::from(*one) * u128::from(*other));
            self.reduce(products.sum::<u128>() + u128::from(sum))
        })
    }
}

/// The steps of a division.
pub(super) const INVERSE_STEPS: usize = 120;

/// The steps to reconstruct a number from so many residues.
pub(super) const fn reconstruction_steps(residues: usize) -> usize {
    residues * (INVERSE_STEPS + 2 * residues)
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

pub(super) fn to_u64(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
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
        for field in Field::for_bits(28_672.0).unwrap() {
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
    fn sum_of_products_does_not_overflow() {
        let field = Field { offset: OFFSETS[0] };
        let largest = vec![field.prime() - 1; 1_000];
        // (-1)·(-1), a thousand times.
        assert_eq!(field.sum_of_products(&largest, &largest), 1_000);
        assert_eq!(field.sum_of_products(&[1, 2, 3], &[10, 20, 30]), 30 + 40 + 30);
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
        assert!(Field::for_bits(60.0 * 500.0).is_none());
    }
}
