//! Chi-square tests aimed at what goes wrong in generators of full size, whose sets no one can list:
//! characters within their class, characters by position, how many of each class, neighbours.

use std::collections::HashMap;

use passloom::password::{CharSet, Requirement, Sampler, Shape};

use crate::chi_square::{LEAST_P, float, p_value, p_value_of, survival};
use crate::mutants::{self, Mutant};
use crate::shapes::{Demanding, plain};
use crate::source::{Source, draw, times};

const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
const UPPER: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SPECIAL: &str = "!@#$%^&*()_+-=[]{}|;:,.<>?";

/// One of each of four classes.
fn standard(length: u16) -> Shape {
    let pool = [LOWER, UPPER, DIGITS, SPECIAL];
    pool.iter().fold(plain(length, &pool.concat()), |shape, class| shape.least(1, class))
}

/// Ten of four symbols among twenty characters: one text in ten million satisfies.
fn hard() -> Shape {
    let pool = [LOWER, UPPER, DIGITS, "!@#$"].concat();
    plain(20, &pool).least(1, LOWER).least(1, UPPER).least(1, DIGITS).least(10, "!@#$")
}

/// What some passwords look like from four sides: a p-value for each.
#[derive(Debug)]
struct Sides {
    within_class: f64,
    by_position: f64,
    class_counts: f64,
    neighbours: f64,
}

/// One of them.
type Side = fn(&Sides) -> f64;

impl Sides {
    fn worst(&self) -> f64 {
        [self.within_class, self.by_position, self.class_counts, self.neighbours].into_iter().fold(1.0, f64::min)
    }
}

fn look(shape: &Shape, passwords: &[String]) -> Sides {
    let classes: Vec<CharSet> = shape.requirements.iter().map(|one| one.characters).collect();
    let class_of = |byte: u8| classes.iter().position(|class| class.contains(byte)).unwrap();
    let mut characters: HashMap<u8, usize> = HashMap::new();
    let mut positions: HashMap<u8, Vec<usize>> = HashMap::new();
    let mut class_positions = vec![vec![0; usize::from(shape.length)]; classes.len()];
    let mut numbers = vec![0; usize::from(shape.length) + 1];
    let mut pairs: HashMap<(usize, usize), usize> = HashMap::new();
    for password in passwords {
        let bytes = password.as_bytes();
        for (position, &byte) in bytes.iter().enumerate() {
            *characters.entry(byte).or_default() += 1;
            positions.entry(byte).or_insert_with(|| vec![0; bytes.len()])[position] += 1;
            class_positions[class_of(byte)][position] += 1;
        }
        let last = classes.len() - 1;
        numbers[bytes.iter().filter(|&&byte| class_of(byte) == last).count()] += 1;
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
    let by_position = even_by_position(positions.values()).min(even_by_position(class_positions.iter()));
    let class_counts = p_value_of(&numbers, &last_class_probabilities(shape));
    // A text read backwards satisfies as well, so that each pair is as frequent as its mirror image.
    let neighbours = (0..classes.len())
        .flat_map(|one| (0..one).map(move |other| (one, other)))
        .map(|(one, other)| {
            let count = |pair| pairs.get(&pair).copied().unwrap_or(0);
            p_value(&[count((one, other)), count((other, one))])
        })
        .fold(1.0, f64::min);
    Sides { within_class, by_position, class_counts, neighbours }
}

/// Nothing but a start tells one position from another: how often something stands where.
fn even_by_position<'a>(tables: impl Iterator<Item = &'a Vec<usize>>) -> f64 {
    let (statistic, freedom) = tables.fold((0.0, 0), |(statistic, freedom), counts| {
        let expected = float(counts.iter().sum()) / float(counts.len());
        let more: f64 = counts.iter().map(|&count| (float(count) - expected).powi(2) / expected).sum();
        (statistic + more, freedom + counts.len() - 1)
    });
    survival(statistic, freedom)
}

/// How likely each number of characters of the last class is, in floating point and by another way
/// than the product's: position by position, the state being what was drawn so far.
fn last_class_probabilities(shape: &Shape) -> Vec<f64> {
    let length = usize::from(shape.length);
    // Of the other classes only what is still lacking matters; each minimum is 1 here.
    let (last, others) = shape.requirements.split_last().unwrap();
    assert!(others.iter().all(|one| one.minimum == 1));
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
        |taken| if taken < usize::from(last.minimum) { 0.0 } else { ways.get(&(taken, all)).copied().unwrap_or(0.0) };
    let total: f64 = (0..=length).map(weight).sum();
    (0..=length).map(|taken| weight(taken) / total).collect()
}

fn passwords(number: usize, mut draw: impl FnMut() -> String) -> Vec<String> {
    (0..number * times()).map(|_| draw()).collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "p-values are to be seen")]
fn full_size_passwords_are_even_from_every_side() {
    for (name, shape, number) in [
        ("sixteen of four classes", standard(16), 20_000),
        ("sixty-four of four classes", standard(64), 4_000),
        ("ten of four symbols among twenty", hard(), 20_000),
    ] {
        let sampler = Sampler::new(shape.clone()).unwrap();
        let mut source = Source::new(7);
        let sides = look(&shape, &passwords(number, || draw(&sampler, &mut source)));
        println!("{name}: {sides:?}");
        assert!(sides.worst() >= LEAST_P, "{name}: {sides:?}");
    }
}

/// With runs limited, a start given, or no repeats, the classes are still even within.
#[test]
#[expect(clippy::print_stdout, reason = "p-values are to be seen")]
fn order_does_not_favour_a_character() {
    for (name, shape) in [
        ("no two alike side by side", standard(32).runs(1)),
        ("digits only, no two alike side by side", plain(64, DIGITS).least(1, DIGITS).runs(1)),
        ("no character twice", standard(24).differing()),
        ("a letter first", standard(12).start(&[LOWER, UPPER].concat())),
    ] {
        let sampler = Sampler::new(shape.clone()).unwrap();
        let mut source = Source::new(8);
        let drawn = passwords(10_000, || draw(&sampler, &mut source));
        for Requirement { characters, .. } in &shape.requirements {
            let count = |byte: u8| drawn.iter().flat_map(|text| text.bytes()).filter(|&one| one == byte).count();
            let p = p_value(&characters.bytes().map(count).collect::<Vec<_>>());
            println!("{name}, {characters}: p = {p:.4}");
            assert!(p >= LEAST_P, "{name}: {p:e}");
        }
        let first: Vec<usize> = shape
            .start
            .map_or(shape.pool, |start| start)
            .bytes()
            .map(|byte| drawn.iter().filter(|text| text.as_bytes()[0] == byte).count())
            .collect();
        // Without a minimum above its share, a class is as frequent at the start as it is large.
        if shape.start.is_some() {
            assert!(p_value(&first) >= LEAST_P, "{name}: {first:?}");
        }
    }
}

/// What a stream of bits shows nobody, these show at once.
#[test]
#[expect(clippy::print_stdout, reason = "p-values are to be seen")]
fn wrong_generators_of_full_size_are_found_out() {
    let cases: [(&str, Shape, Mutant, Side); 4] = [
        ("byte % n within a class", standard(16), mutants::byte_modulo, |sides| sides.within_class),
        ("place and shuffle by class counts", standard(16), mutants::place_and_shuffle, |sides| sides.class_counts),
        ("a naive shuffle by position", standard(16), mutants::naive_shuffle, |sides| sides.by_position),
        ("no shuffle by neighbours", standard(16), mutants::place_without_shuffle, |sides| sides.neighbours),
    ];
    for (name, shape, mutant, side) in cases {
        let mut source = Source::new(9);
        let sides = look(&shape, &passwords(20_000, || mutant(&shape, &mut source)));
        println!("{name}: {sides:?}");
        assert!(side(&sides) < LEAST_P, "{name}: {sides:?}");
    }
}
