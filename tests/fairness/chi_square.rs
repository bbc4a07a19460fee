//! Pearson's chi-square test against a uniform distribution.

use statrs::distribution::{ChiSquared, ContinuousCDF};

/// How likely a uniform source is to give counts as uneven as these or more so.
pub fn p_value(counts: &[u64]) -> f64 {
    let cells = f64::from(u32::try_from(counts.len()).unwrap());
    let counts: Vec<f64> = counts.iter().map(|&count| f64::from(u32::try_from(count).unwrap())).collect();
    let expected = counts.iter().sum::<f64>() / cells;
    let statistic: f64 = counts.iter().map(|count| (count - expected).powi(2) / expected).sum();
    ChiSquared::new(cells - 1.0).unwrap().sf(statistic)
}

/// Fails for counts that a uniform source would hardly give, and reports the p-value.
#[track_caller]
#[expect(clippy::print_stdout, reason = "seen with --nocapture")]
pub fn assert_uniform(counts: &[u64], least: f64, name: &str) {
    let p = p_value(counts);
    println!("{name}: {} cells, p = {p:.4}", counts.len());
    assert!(p >= least, "{name}: p = {p:e}");
}
