//! Chi-square over whole sets: every member as often as every other, and nothing else.

use std::collections::HashMap;

use passloom::password::{Sampler, Shape};

use crate::chi_square::{LEAST_P, p_value};
use crate::mutants::{self, Mutant};
use crate::shapes::{Demanding, members, plain, tiny};
use crate::source::{Source, draw, times};

/// Draws per member of a set.
const DRAWS: usize = 200;

/// What a generator does over a whole set.
#[derive(Debug)]
enum Verdict {
    /// Only members came; how likely a uniform generator is to spread them so unevenly or more so.
    Spread(f64),
    /// Something came that does not satisfy.
    #[expect(dead_code, reason = "shown where a test fails")]
    Outsider(String),
}

impl Verdict {
    fn is_uniform(&self) -> bool {
        matches!(self, Self::Spread(p) if *p >= LEAST_P)
    }
}

fn judge(members: &[String], mut draw: impl FnMut() -> String) -> Verdict {
    let mut counts: HashMap<&str, usize> = members.iter().map(|member| (member.as_str(), 0)).collect();
    for _ in 0..times() * DRAWS * members.len() {
        let drawn = draw();
        match counts.get_mut(drawn.as_str()) {
            Some(count) => *count += 1,
            None => return Verdict::Outsider(drawn),
        }
    }
    let counts: Vec<usize> = counts.into_values().collect();
    Verdict::Spread(p_value(&counts))
}

#[test]
#[expect(clippy::print_stdout, reason = "p-values are to be seen")]
fn every_member_of_the_whole_set_comes_equally_often() {
    for (name, shape) in tiny() {
        let members = members(&shape);
        let sampler = Sampler::new(shape).unwrap();
        assert_eq!(sampler.count().to_decimal(), members.len().to_string(), "{name}");
        let mut source = Source::new(1);
        let verdict = judge(&members, || draw(&sampler, &mut source));
        println!("{name}: {} members, {verdict:?}", members.len());
        assert!(verdict.is_uniform(), "{name}: {verdict:?}");
    }
}

/// The same harness finds every wrong generator out.
#[test]
#[expect(clippy::print_stdout, reason = "p-values are to be seen")]
fn wrong_generators_fail_the_same_test() {
    let mixed = || plain(5, "abcD01").least(1, "abc").least(1, "D").least(1, "01");
    let cases: [(&str, Shape, Mutant); 8] = [
        ("place and shuffle", mixed(), mutants::place_and_shuffle),
        ("place without shuffle", mixed(), mutants::place_without_shuffle),
        ("a naive shuffle", mixed(), mutants::naive_shuffle),
        ("byte % n", plain(2, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJ01"), mutants::byte_modulo),
        ("an off-by-one in a table", plain(5, "abc01").least(1, "abc").least(1, "01"), mutants::table_off_by_one),
        ("the run rule forgotten", mixed().runs(1), mutants::without_run_rule),
        ("the start drawn from its classes in turn", plain(4, "abcD01").start("abcD"), mutants::start_class_first),
        ("cases equally likely", plain(4, "abcD01").classes(1, &["abc", "D", "01"]), mutants::cases_equally_likely),
    ];
    for (name, shape, mutant) in cases {
        let members = members(&shape);
        let mut source = Source::new(1);
        let verdict = judge(&members, || mutant(&shape, &mut source));
        println!("{name}: {} members, {verdict:?}", members.len());
        assert!(!verdict.is_uniform(), "{name}: {verdict:?}");
    }
}

/// Where the minima fill the length, or there are none, place-and-shuffle is as good as any: the
/// harness does not cry wolf.
#[test]
fn a_right_generator_of_another_make_passes() {
    for shape in [plain(4, "abcAB0!@").least(1, "abc").least(1, "AB").least(1, "0").least(1, "!@"), plain(4, "abA0!")] {
        let members = members(&shape);
        let mut source = Source::new(1);
        let verdict = judge(&members, || mutants::place_and_shuffle(&shape, &mut source));
        assert!(verdict.is_uniform(), "{verdict:?}");
    }
}
