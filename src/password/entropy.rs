//! The number of passwords, and its logarithm in bits.

use num_bigint::BigUint;
use num_traits::ToPrimitive;

/// The number of passwords that satisfy a policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(BigUint);

impl Count {
    pub(super) const fn new(passwords: BigUint) -> Self {
        Self(passwords)
    }

    /// The smallest number with an entropy of so many bits.
    #[must_use]
    pub fn of_bits(bits: u32) -> Self {
        Self(BigUint::from(1_u32) << bits)
    }

    /// Whether the entropy is at least `bits`.
    pub(super) fn reaches(&self, bits: u16) -> bool {
        self.0.bits() > u64::from(bits)
    }

    pub(super) const fn as_biguint(&self) -> &BigUint {
        &self.0
    }

    /// The number in decimal digits.
    #[must_use]
    pub fn to_decimal(&self) -> String {
        self.0.to_string()
    }

    /// log2 of the number.
    #[must_use]
    pub fn entropy(&self) -> Entropy {
        let bits = log2(&self.0);
        let nearest = (bits * 100.0).round();
        // Near a whole hundredth, the error of floating point is larger than the distance. There, count^100 < 2^k
        // decides exactly.
        let hundredths = if (bits * 100.0 - nearest).abs() > 1e-6 {
            (bits * 100.0).floor()
        } else if below_power(&self.0, nearest) {
            nearest - 1.0
        } else {
            nearest
        };
        Entropy { bits, hundredths }
    }
}

/// Whether `count`^100 is below 2^`exponent`.
fn below_power(count: &BigUint, exponent: f64) -> bool {
    let exponent = exponent.to_u64().unwrap_or_default();
    if exponent.is_multiple_of(100) {
        return count.bits() <= exponent / 100;
    }
    // The leading bits nearly always decide. The power of a number of thousands of bits would take milliseconds.
    let shift = count.bits().saturating_sub(LEADING_BITS);
    let leading = count >> shift;
    let is_below = |leading: &BigUint, shift: u64| leading.pow(100).bits() + 100 * shift <= exponent;
    is_below(&(&leading + 1_u32), shift) || (is_below(&leading, shift) && is_below(count, 0))
}

/// The bits of a count that nearly always decide how its entropy is rounded.
const LEADING_BITS: u64 = 256;

/// log2 of a positive integer, to within a few units in the last place of an `f64`.
pub(super) fn log2(count: &BigUint) -> f64 {
    let shift = count.bits().saturating_sub(64);
    let top = (count >> shift).iter_u64_digits().next().unwrap_or_default();
    // Both conversions round in the last of 53 bits; the shift is at most 4096 · 7, and exact.
    to_f64(top).log2() + to_f64(shift)
}

fn to_f64(integer: u64) -> f64 {
    let [high, low] = [integer >> 32, integer & 0xffff_ffff].map(|half| u32::try_from(half).unwrap_or_default());
    f64::from(high) * 4_294_967_296.0 + f64::from(low)
}

/// The entropy of a uniform draw: log2 of the number of passwords that satisfy the policy.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Entropy {
    bits: f64,
    hundredths: f64,
}

impl Entropy {
    /// The entropy in bits, to the precision of an `f64`.
    #[must_use]
    pub const fn bits(self) -> f64 {
        self.bits
    }

    /// The entropy in bits, rounded down to two decimals, as in answers and audit lines.
    #[must_use]
    pub const fn rounded_down(self) -> f64 {
        self.hundredths / 100.0
    }
}
