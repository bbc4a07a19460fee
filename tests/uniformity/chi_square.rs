//! Pearson's chi-square test.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// The smallest p-value of a test of uniformity that passes.
pub const MIN_P: f64 = 1e-6;

/// A count as a floating-point number.
pub fn float(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap())
}

/// The probability that a uniform source gives counts at least as uneven as these.
pub fn p_value(counts: &[usize]) -> f64 {
    if counts.len() == 1 {
        return 1.0;
    }
    let expected = float(counts.iter().sum()) / float(counts.len());
    let statistic = counts.iter().map(|&count| (float(count) - expected).powi(2) / expected).sum();
    survival(statistic, counts.len() - 1)
}

/// The probability that a source with these probabilities gives counts at least as far from them. Cells with an
/// expected count below ten are combined.
pub fn p_value_of(counts: &[usize], probabilities: &[f64]) -> f64 {
    let total = float(counts.iter().sum());
    let (mut statistic, mut cells) = (0.0, 0);
    let (mut count, mut expected) = (0.0, 0.0);
    for (&observed, probability) in counts.iter().zip(probabilities) {
        (count, expected) = (count + float(observed), expected + probability * total);
        if expected >= 10.0 {
            statistic += f64::powi(count - expected, 2) / expected;
            cells += 1;
            (count, expected) = (0.0, 0.0);
        }
    }
    if expected > 0.0 {
        statistic += f64::powi(count - expected, 2) / expected;
        cells += 1;
    }
    survival(statistic, cells - 1)
}

/// P(X >= statistic) for a chi-square distribution.
pub fn survival(statistic: f64, degrees_of_freedom: usize) -> f64 {
    ChiSquared::new(float(degrees_of_freedom)).unwrap().sf(statistic)
}
