//! How many passwords satisfy a policy, exactly, and what that means in bits.
//!
//! Characters of one class are interchangeable, so counting needs only how many positions each
//! class gets. For classes of s1, s2, … characters, a password with c1, c2, … of them can be
//! written in n!/(c1!·c2!·…) · s1^c1 · s2^c2 · … ways, and the count is the sum of that over all
//! c1 + c2 + … = n that meet the minima. [`Compositions`] sums class by class, from the last to the
//! first, and keeps the partial sums: they are also the table by which the sampler draws.
//!
//! A worked example: length 4, `ab` at least once and `01` (no minimum). One `ab`-position: 4
//! places · 2 · 2³ = 64 ways; two: 6 · 2² · 2² = 96; three: 4 · 2³ · 2 = 64; four: 2⁴ = 16. In all 240,
//! and log2(240) = 7.906… bits.

use num_bigint::BigUint;

use super::policy::Policy;

/// For each class `i` and number of positions `m`: in how many ways the classes from `i` on fill
/// `m` positions so that each of them meets its minimum.
#[derive(Clone, Debug)]
pub(super) struct Compositions {
    /// Characters to choose from and the minimum, class by class.
    classes: Vec<(u32, usize)>,
    /// `ways[i][m]`, with one row more than there are classes.
    ways: Vec<Vec<BigUint>>,
}

impl Compositions {
    pub(super) fn new(policy: &Policy) -> Self {
        let length = usize::from(policy.length());
        let classes: Vec<(u32, usize)> =
            policy.requirements().iter().map(|one| (one.allowed.len(), usize::from(one.minimum))).collect();
        // Without a class left, nothing fills no positions in one way and more in none.
        let mut after = vec![BigUint::ZERO; length + 1];
        after[0] = BigUint::from(1_u32);
        let mut ways = vec![after];
        for (index, &(size, minimum)) in classes.iter().enumerate().rev() {
            // The first class is only ever asked about the whole length.
            let from = if index == 0 { length } else { 0 };
            let rest = &ways[ways.len() - 1];
            let row = (0..=length)
                .map(|positions| {
                    if positions < from {
                        return BigUint::ZERO;
                    }
                    shares(size, minimum, positions, rest).map(|(_, share)| share).sum()
                })
                .collect();
            ways.push(row);
        }
        ways.reverse();
        Self { classes, ways }
    }

    /// Passwords in all.
    pub(super) fn total(&self) -> &BigUint {
        let first = &self.ways[0];
        &first[first.len() - 1]
    }

    /// In how many ways the classes from `class` on fill `positions` positions.
    pub(super) fn ways(&self, class: usize, positions: usize) -> &BigUint {
        &self.ways[class][positions]
    }

    /// The summands of [`Self::ways`]: how many of the positions `class` itself takes, and in how
    /// many ways it and the classes after it then fill them all.
    pub(super) fn shares(&self, class: usize, positions: usize) -> impl Iterator<Item = (usize, BigUint)> {
        let (size, minimum) = self.classes[class];
        shares(size, minimum, positions, &self.ways[class + 1])
    }
}

/// For each number `c` of `positions` that a class of `size` characters can take, `minimum` at
/// least: C(positions, c) · size^c · rest[positions - c].
fn shares(size: u32, minimum: usize, positions: usize, rest: &[BigUint]) -> impl Iterator<Item = (usize, BigUint)> {
    // C(m, c + 1) · s^(c + 1) comes from C(m, c) · s^c by one multiplication and one exact division.
    let mut placed = BigUint::from(1_u32);
    (0..=positions).filter_map(move |taken| {
        if taken > 0 {
            placed *= BigUint::from(positions - taken + 1) * size;
            placed /= BigUint::from(taken);
        }
        let share = &rest[positions - taken];
        (taken >= minimum && share != &BigUint::ZERO).then(|| (taken, &placed * share))
    })
}

/// How many passwords satisfy a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Count(BigUint);

impl Count {
    pub(super) const fn new(passwords: BigUint) -> Self {
        Self(passwords)
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
        // Within its own error of a whole hundredth, floating point cannot tell on which side the
        // logarithm lies; there, count^100 < 2^k decides exactly.
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
    // An integer below 2^256 · 100 prints and parses exactly.
    let exponent: u64 = format!("{exponent:.0}").parse().unwrap_or_default();
    count.pow(100).bits() <= exponent
}

/// log2 of a positive integer, to within a few units in the last place of an `f64`.
fn log2(count: &BigUint) -> f64 {
    let shift = count.bits().saturating_sub(64);
    let top = (count >> shift).iter_u64_digits().next().unwrap_or_default();
    // Both conversions round in the last of 53 bits; a shift is at most 256 · 7 and exact.
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
    /// In bits, to the precision of an `f64`.
    #[must_use]
    pub const fn bits(self) -> f64 {
        self.bits
    }

    /// In bits, rounded down to two decimals: what answers and audit lines say.
    #[must_use]
    pub const fn rounded_down(self) -> f64 {
        self.hundredths / 100.0
    }
}
