//! Chi-square tests of passwords of usual lengths, which are too many to list. Four statistics show the biases of
//! real generators: characters within their class, characters by position, characters of one class, and neighbours.

use std::collections::HashMap;

use passloom::password::{CharSet, PasswordSpec, Requirement, Sampler, WorkBudget};

use crate::biased_generators::{self as biased, Generator};
use crate::chi_square::{MIN_P, float, p_value, p_value_of, survival};
use crate::random_source::{Source, draw, sample_factor};
use crate::specs::{Constrain, unconstrained};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!@#$%^&*()_+-=[]{}|;:,.<>?";

/// At least one character of each of four classes.
fn standard(length: u16) -> PasswordSpec {
    let pool = [LOWER, UPPER, DIGITS, SPECIAL];
    pool.iter().fold(unconstrained(length, &pool.concat()), |spec, class| spec.require(1, class))
}

/// At least ten of four symbols in twenty characters: one text in ten million satisfies it.
fn rare() -> PasswordSpec {
    let pool = [LOWER, UPPER, DIGITS, "!@#$"].concat();
    unconstrained(20, &pool).require(1, LOWER).require(1, UPPER).require(1, DIGITS).require(10, "!@#$")
}

/// The p-values of four statistics of a sample.
#[derive(Debug)]
struct PValues {
    within_class: f64,
    by_position: f64,
    class_counts: f64,
    neighbours: f64,
}

/// Selects one of them.
type Statistic = fn(&PValues) -> f64;

impl PValues {
    fn smallest(&self) -> f64 {
        [self.within_class, self.by_position, self.class_counts, self.neighbours].into_iter().fold(1.0, f64::min)
    }
}

fn p_values(spec: &PasswordSpec, passwords: &[String]) -> PValues {
    let classes: Vec<CharSet> = spec.requirements.iter().map(|one| one.characters).collect();
    let class_of = |byte: u8| classes.iter().position(|class| class.contains(byte)).unwrap();
    let mut characters: HashMap<u8, usize> = HashMap::new();
    let mut positions: HashMap<u8, Vec<usize>> = HashMap::new();
    let mut class_positions = vec![vec![0; usize::from(spec.length)]; classes.len()];
    let mut of_last_class = vec![0; usize::from(spec.length) + 1];
    let mut pairs: HashMap<(usize, usize), usize> = HashMap::new();
    for password in passwords {
        let bytes = password.as_bytes();
        for (position, &byte) in bytes.iter().enumerate() {
            *characters.entry(byte).or_default() += 1;
            positions.entry(byte).or_insert_with(|| vec![0; bytes.len()])[position] += 1;
            class_positions[class_of(byte)][position] += 1;
        }
        let last = classes.len() - 1;
        of_last_class[bytes.iter().filter(|&&byte| class_of(byte) == last).count()] += 1;
        for pair in bytes.windows(2) {
            *pairs.entry((class_of(pair[0]), class_of(pair[1]))).or_default() += 1;
        }
    }
    let within_class = classes
        .iter()
        .map(|class| {
            p_value(&class.bytes().map(|byte| characters.get(&byte).copied().unwrap_or(0)).collect::<Vec<_>>())
        })
        .fold(1.0, f64::min);
    let by_position = p_value_by_position(positions.values()).min(p_value_by_position(class_positions.iter()));
    let class_counts = p_value_of(&of_last_class, &last_class_probabilities(spec));
    // A reversed password is a password too, so each pair of classes is as frequent as its reverse.
    let neighbours = (0..classes.len())
        .flat_map(|one| (0..one).map(move |other| (one, other)))
        .map(|(one, other)| {
            let count = |pair| pairs.get(&pair).copied().unwrap_or(0);
            p_value(&[count((one, other)), count((other, one))])
        })
        .fold(1.0, f64::min);
    PValues { within_class, by_position, class_counts, neighbours }
}

/// Without a start, everything is equally frequent at all positions.
fn p_value_by_position<'a>(tables: impl Iterator<Item = &'a Vec<usize>>) -> f64 {
    let (statistic, freedom) = tables.fold((0.0, 0), |(statistic, freedom), counts| {
        let expected = float(counts.iter().sum()) / float(counts.len());
        let more: f64 = counts.iter().map(|&count| (float(count) - expected).powi(2) / expected).sum();
        (statistic + more, freedom + counts.len() - 1)
    });
    survival(statistic, freedom)
}

/// The probability of each number of characters of the last class, in floating point. Not computed as in the product:
/// position by position, where the state is how many characters of the last class and which other classes appeared.
fn last_class_probabilities(spec: &PasswordSpec) -> Vec<f64> {
    let length = usize::from(spec.length);
    let (last, others) = spec.requirements.split_last().unwrap();
    assert!(others.iter().all(|one| one.min == 1));
    let sizes: Vec<f64> = others.iter().map(|one| f64::from(one.characters.len())).collect();
    let mut ways: HashMap<(usize, u32), f64> = HashMap::from([((0, 0), 1.0)]);
    for _ in 0..length {
        let mut next: HashMap<(usize, u32), f64> = HashMap::new();
        for ((taken, seen), weight) in ways {
            *next.entry((taken + 1, seen)).or_default() += weight * f64::from(last.characters.len()) / 100.0;
            for (index, size) in sizes.iter().enumerate() {
                *next.entry((taken, seen | 1 << index)).or_default() += weight * size / 100.0;
            }
        }
        ways = next;
    }
    let all = (1_u32 << others.len()) - 1;
    let weight =
        |taken| if taken < usize::from(last.min) { 0.0 } else { ways.get(&(taken, all)).copied().unwrap_or(0.0) };
    let total: f64 = (0..=length).map(weight).sum();
    (0..=length).map(|taken| weight(taken) / total).collect()
}

fn sample(size: usize, mut draw: impl FnMut() -> String) -> Vec<String> {
    (0..size * sample_factor()).map(|_| draw()).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "shows the p-values")]
fn full_size_passwords_show_no_bias() {
    for (name, spec, size) in [
        ("16 characters of four classes", standard(16), 20_000),
        ("64 characters of four classes", standard(64), 4_000),
        ("20 characters, ten of four symbols", rare(), 20_000),
    ] {
        let sampler = Sampler::new(spec.clone(), &mut WorkBudget::new(1)).unwrap();
        let mut source = Source::new(7);
        let p_values = p_values(&spec, &sample(size, || draw(&sampler, &mut source)));
        println!("{name}: {p_values:?}");
        assert!(p_values.smallest() >= MIN_P, "{name}: {p_values:?}");
    }
}

/// With `max_repeating`, `no_repeats` or a start, the characters of each class are still equally frequent.
#[test]
#[expect(clippy::print_stdout, reason = "shows the p-values")]
fn constraints_on_order_favour_no_character() {
    for (name, spec) in [
        ("no identical neighbours", standard(32).max_repeating(1)),
        ("digits, no identical neighbours", unconstrained(64, DIGITS).require(1, DIGITS).max_repeating(1)),
        ("no repeats", standard(24).no_repeats()),
        ("a letter first", standard(12).start(&[LOWER, UPPER].concat())),
    ] {
        let sampler = Sampler::new(spec.clone(), &mut WorkBudget::new(1)).unwrap();
        let mut source = Source::new(8);
        let drawn = sample(10_000, || draw(&sampler, &mut source));
        for Requirement { characters, .. } in &spec.requirements {
            let count = |byte: u8| drawn.iter().flat_map(|text| text.bytes()).filter(|&one| one == byte).count();
            let p = p_value(&characters.bytes().map(count).collect::<Vec<_>>());
            println!("{name}, {characters}: p = {p:.4}");
            assert!(p >= MIN_P, "{name}: {p:e}");
        }
        // Both classes of letters have the same minimum and size, so all first letters are equally likely.
        if let Some(start) = spec.start {
            let first = |byte: u8| drawn.iter().filter(|text| text.as_bytes()[0] == byte).count();
            let first: Vec<usize> = start.bytes().map(first).collect();
            assert!(p_value(&first) >= MIN_P, "{name}: {first:?}");
        }
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "shows the p-values")]
fn biased_generators_of_full_size_are_detected() {
    let cases: [(&str, Generator, Statistic); 4] = [
        ("byte modulo, within a class", biased::byte_modulo, |p_values| p_values.within_class),
        ("place and shuffle, by class counts", biased::place_and_shuffle, |p_values| p_values.class_counts),
        ("naive shuffle, by position", biased::naive_shuffle, |p_values| p_values.by_position),
        ("no shuffle, by neighbours", biased::place_without_shuffle, |p_values| p_values.neighbours),
    ];
    for (name, generator, statistic) in cases {
        let spec = standard(16);
        let mut source = Source::new(9);
        let p_values = p_values(&spec, &sample(20_000, || generator(&spec, &mut source)));
        println!("{name}: {p_values:?}");
        assert!(statistic(&p_values) < MIN_P, "{name}: {p_values:?}");
    }
}
