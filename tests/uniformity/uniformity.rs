//! Chi-square tests over all passwords of small specifications.

use std::collections::HashMap;

use passloom::password::{PasswordSpec, Sampler, WorkBudget};

use crate::biased_generators::{self as biased, Generator};
use crate::chi_square::{MIN_P, p_value};
use crate::random_source::{Source, draw, sample_factor};
use crate::specs::{Constrain, list_passwords, small_specs, unconstrained};

/// Draws per password of a specification.
const DRAWS: usize = 100;

/// What a generator draws.
#[derive(Debug)]
enum Verdict {
    /// Passwords only, with the p-value of their counts.
    PValue(f64),
    /// A text that is not a password of the specification.
    #[expect(dead_code, reason = "shown if a test fails")]
    WrongText(String),
}

impl Verdict {
    fn is_uniform(&self) -> bool {
        matches!(self, Self::PValue(p) if *p >= MIN_P)
    }
}

fn judge(passwords: &[String], mut draw: impl FnMut() -> String) -> Verdict {
    let mut counts: HashMap<&str, usize> = passwords.iter().map(|password| (password.as_str(), 0)).collect();
    for _ in 0..sample_factor() * DRAWS * passwords.len() {
        let drawn = draw();
        match counts.get_mut(drawn.as_str()) {
            Some(count) => *count += 1,
            None => return Verdict::WrongText(drawn),
        }
    }
    let counts: Vec<usize> = counts.into_values().collect();
    Verdict::PValue(p_value(&counts))
}

#[test]
#[expect(clippy::print_stdout, reason = "shows the p-values")]
fn every_password_of_a_small_spec_is_equally_likely() {
    for (name, spec) in small_specs() {
        let passwords = list_passwords(&spec);
        let sampler = Sampler::new(spec, &mut WorkBudget::new(1)).unwrap();
        assert_eq!(sampler.count().to_decimal(), passwords.len().to_string(), "{name}");
        let mut source = Source::new(1);
        let verdict = judge(&passwords, || draw(&sampler, &mut source));
        println!("{name}: {} passwords, {verdict:?}", passwords.len());
        assert!(verdict.is_uniform(), "{name}: {verdict:?}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "shows the p-values")]
fn biased_generators_fail_the_test_of_uniformity() {
    let mixed = || unconstrained(5, "abcD01").require(1, "abc").require(1, "D").require(1, "01");
    let cases: [(&str, PasswordSpec, Generator); 8] = [
        ("place and shuffle", mixed(), biased::place_and_shuffle),
        ("place without shuffle", mixed(), biased::place_without_shuffle),
        ("naive shuffle", mixed(), biased::naive_shuffle),
        ("byte modulo", unconstrained(2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ01"), biased::byte_modulo),
        (
            "table that is off by one",
            unconstrained(5, "abc01").require(1, "abc").require(1, "01"),
            biased::table_off_by_one,
        ),
        ("max_repeating ignored", mixed().max_repeating(1), biased::ignore_max_repeating),
        ("start drawn by class", unconstrained(4, "abcD01").start("abcD"), biased::start_by_class),
        (
            "sets of classes equally likely",
            unconstrained(4, "abcD01").min_classes(1, &["abc", "D", "01"]),
            biased::classes_equally_likely,
        ),
    ];
    for (name, spec, generator) in cases {
        let passwords = list_passwords(&spec);
        let mut source = Source::new(1);
        let verdict = judge(&passwords, || generator(&spec, &mut source));
        println!("{name}: {} passwords, {verdict:?}", passwords.len());
        assert!(!verdict.is_uniform(), "{name}: {verdict:?}");
    }
}

/// Place-and-shuffle is uniform if the minima fill the length or there are none, so the test does not reject everything
/// but the product.
#[test]
fn uniform_generator_other_than_the_sampler_passes() {
    let minima_that_fill_the_length =
        unconstrained(4, "abcAB0!@").require(1, "abc").require(1, "AB").require(1, "0").require(1, "!@");
    for spec in [minima_that_fill_the_length, unconstrained(4, "abA0!")] {
        let passwords = list_passwords(&spec);
        let mut source = Source::new(1);
        let verdict = judge(&passwords, || biased::place_and_shuffle(&spec, &mut source));
        assert!(verdict.is_uniform(), "{verdict:?}");
    }
}
