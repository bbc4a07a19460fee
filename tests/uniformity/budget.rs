//! The work of counting: real policies stay within the budget of a request, and hostile ones are refused by it.

use std::thread;

use passloom::password::{
    ClassOptions, Constraints, CountError, PRESETS, Policy, PolicyError, Sampler, Start, WorkBudget, parse_rules,
};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::specs::{Constrain, unconstrained};

/// Random policies, in two halves for two cores.
const RANDOM_POLICIES: usize = 20_000;

/// Counts a policy and spends one draw, as a request for one password does.
fn count(policy: &Policy) -> Result<(Sampler, WorkBudget), CountError> {
    let mut budget = WorkBudget::new(1);
    let sampler = Sampler::new(policy.spec().clone(), &mut budget)?;
    sampler.spend_draws(1, &mut budget)?;
    Ok((sampler, budget))
}

#[test]
fn preset_of_any_length_is_within_the_budget() {
    for preset in &PRESETS {
        for length in [preset.lengths.min, preset.lengths.max] {
            let constraints = Constraints { length: Some(length), ..Constraints::default() };
            let policy = Policy::new(&constraints, Some(preset)).unwrap();
            assert!(count(&policy).is_ok(), "{} with length {length}", preset.name);
        }
    }
}

#[test]
fn rules_of_real_sites_are_within_the_budget() {
    let sites: Value = serde_json::from_str(include_str!("../data/password-rules-sample.json")).unwrap();
    for (site, rules) in sites.as_object().unwrap() {
        let rules = parse_rules(rules["password-rules"].as_str().unwrap()).unwrap();
        let policy = Policy::new(&Constraints { rules: Some(rules), ..Constraints::default() }, None).unwrap();
        assert!(count(&policy).is_ok(), "{site}");
    }
}

/// A policy up to length 64, with minima up to a quarter of the length, or up to 4 with limits on runs.
fn random_constraints(random: &mut StdRng) -> Constraints {
    let length = random.random_range(4..=64);
    let [repeating, sequential] = [(); 2].map(|()| random.random_bool(0.4).then(|| random.random_range(1..=3)));
    let largest = if repeating.or(sequential).is_some() { 4 } else { length / 4 };
    let classes = [(); 4].map(|()| {
        let in_use = random.random_bool(0.75);
        ClassOptions { in_use: Some(in_use), min: in_use.then(|| random.random_range(0..=largest)) }
    });
    let excluded = (0..random.random_range(1..20)).map(|_| char::from(random.random_range(b'!'..=b'~'))).collect();
    Constraints {
        length: Some(length),
        classes,
        exclude: random.random_bool(0.2).then_some(excluded),
        max_repeating: repeating,
        max_sequential: sequential,
        start: random.random_bool(0.3).then(|| Start::ALL[random.random_range(0..Start::ALL.len())]),
        min_classes: random.random_bool(0.2).then(|| random.random_range(1..=4)),
        no_repeats: random.random_bool(0.1).then_some(true),
        ..Constraints::default()
    }
}

#[test]
fn random_policy_up_to_length_64_is_within_the_budget() {
    let halves = [1, 2].map(|seed| {
        thread::spawn(move || {
            let mut random = StdRng::seed_from_u64(seed);
            let mut drawn = 0;
            while drawn < RANDOM_POLICIES / 2 {
                let constraints = random_constraints(&mut random);
                // Contradictions are not policies.
                let Ok(policy) = Policy::new(&constraints, None) else { continue };
                drawn += 1;
                let error = count(&policy).err();
                assert!(error != Some(CountError::TooExpensive), "{constraints:?}");
            }
        })
    });
    for half in halves {
        half.join().unwrap();
    }
}

/// Each of these would take more time than a request may take.
#[test]
fn hostile_policy_is_refused_by_the_budget() {
    let all = |min| [ClassOptions { in_use: Some(true), min: Some(min) }; 4];
    let mut many_digits = all(0);
    many_digits[2].min = Some(100);
    let cases = [
        (
            "16 of each class with runs",
            Constraints { classes: all(16), max_repeating: Some(1), ..Constraints::default() },
        ),
        (
            "100 digits with every choice of classes and a start",
            Constraints {
                classes: many_digits,
                min_classes: Some(2),
                start: Some(Start::Alphanumeric),
                ..Constraints::default()
            },
        ),
    ];
    for (name, constraints) in cases {
        let policy = Policy::new(&Constraints { length: Some(256), ..constraints }, None).unwrap();
        assert_eq!(count(&policy).err(), Some(CountError::TooExpensive), "{name}");
    }
}

/// Sixteen sets that overlap took a second and 90 MB when every combination of what they miss was a state.
#[test]
fn overlapping_required_sets_are_counted_within_the_budget() {
    let rules = (0..16_u8)
        .map(|set| {
            let characters = (0..5).map(|index| char::from(b'a' + (set * 3 + index * 7) % 26)).collect::<String>();
            format!("required: [{characters}];")
        })
        .collect::<Vec<_>>()
        .concat();
    for length in [4, 16, 64, 256] {
        let rules = Some(parse_rules(&rules).unwrap());
        let policy = Policy::new(&Constraints { rules, length: Some(length), ..Constraints::default() }, None).unwrap();
        assert_ne!(count(&policy).err(), Some(CountError::TooExpensive), "length {length}");
    }
}

/// `min_entropy` counts once for each length that it tries, out of the same budget.
#[test]
fn min_entropy_of_a_hostile_policy_is_refused_by_the_budget() {
    let constraints = Constraints {
        classes: [ClassOptions { in_use: Some(true), min: Some(13) }; 4],
        max_repeating: Some(1),
        min_entropy: Some(1_500),
        ..Constraints::default()
    };
    let mut budget = WorkBudget::new(1);
    let error = Policy::new(&constraints, None).unwrap().with_entropy(&mut budget).err();
    assert!(matches!(error, Some(PolicyError::TooExpensive { .. })), "{error:?}");
}

/// The tables that the function keeps.
#[test]
fn tables_of_a_policy_are_at_most_two_mebibytes() {
    let constraints = Constraints {
        length: Some(64),
        classes: [ClassOptions { in_use: Some(true), min: Some(13) }; 4],
        ..Constraints::default()
    };
    let (sampler, budget) = count(&Policy::new(&constraints, None).unwrap()).unwrap();
    assert!(sampler.bytes() > 10_000, "the policy needs tables: {}", sampler.bytes());
    assert!(sampler.bytes() <= 2 << 20 && sampler.bytes() <= WorkBudget::BYTES - budget.bytes());
}

/// The cost of a policy decides whether it is refused, so a change of these numbers must be intended. They are the steps
/// of counting, the steps of two draws, and the bytes of the tables.
#[test]
fn cost_of_a_policy_is_unchanged() {
    const LOWER: &str = "abcdefghijklmnopqrstuvwxyz";
    const DIGITS: &str = "0123456789";
    const MIXED: &str = "abcdefghijklmnopqrstuvwxyz0123456789!#%&";
    let mixed = |length| unconstrained(length, MIXED);
    let cases = [
        ("no constraint", mixed(16), (420, 256, 0)),
        ("two minima of 1", mixed(16).require(1, LOWER).require(1, DIGITS), (1_488, 259, 0)),
        (
            "minima of 1 that do not overlap",
            (0..8).fold(mixed(16), |spec, set| spec.require(1, &LOWER[3 * set..][..3])),
            (63_882, 256, 33_616),
        ),
        (
            "overlapping minima of 1",
            mixed(8).require(1, "abcd0123").require(1, "cdef2345").require(1, DIGITS),
            (778, 191, 0),
        ),
        ("minima above 1", mixed(12).require(5, DIGITS).require(3, "!#%&"), (8_332, 192, 4_560)),
        ("overlapping minima above 1", mixed(10).require(3, "abc012").require(4, DIGITS), (32_700, 160, 36_952)),
        (
            "overlapping minima above 1 that most texts satisfy",
            mixed(30).require(3, "abc012").require(4, DIGITS),
            (23_328, 584, 0),
        ),
        ("numbers of three words", mixed(30).require(3, "abc").require(4, DIGITS).no_repeats(), (13_091, 480, 15_704)),
        ("repetitions", unconstrained(20, DIGITS).max_repeating(1), (3_848, 2_320, 1_920)),
        ("sequences", unconstrained(20, DIGITS).max_sequential(2), (30_768, 420, 0)),
        (
            "both limits and a start",
            unconstrained(24, "abcxyz019").max_repeating(2).max_sequential(2).start("az1"),
            (30_824, 560, 0),
        ),
        ("sequences in a long text", unconstrained(128, "abcd").max_sequential(3), (213_642, 1_768_448, 79_872)),
        (
            "minima and both limits",
            mixed(14).require(3, DIGITS).require(2, LOWER).max_repeating(1).max_sequential(2),
            (78_536, 434, 0),
        ),
        (
            "minima, a start and sequences",
            mixed(14).require(2, DIGITS).require(1, LOWER).max_sequential(1).start("0123a"),
            (76_716, 408, 0),
        ),
        (
            "minima above 1 of which one may be first",
            mixed(12).require(2, DIGITS).require(2, "!#%&").start("0a"),
            (42_612, 192, 33_912),
        ),
        ("no repeats", mixed(12).require(2, DIGITS).require(1, "!#%&").no_repeats(), (6_768, 192, 6_800)),
        ("no repeats and a start", mixed(12).require(2, DIGITS).no_repeats().start("!5"), (21_404, 192, 27_760)),
        (
            "a choice of classes and a start",
            mixed(6).min_classes(2, &[LOWER, DIGITS, "!#%&"]).start("!1a"),
            (6_364, 100, 0),
        ),
    ];
    for (name, spec, expected) in cases {
        let mut budget = WorkBudget::new(1);
        let all = budget.steps();
        let sampler = Sampler::new(spec, &mut budget).unwrap();
        let counted = budget.steps();
        sampler.spend_draws(2, &mut budget).unwrap();
        let cost = (all - counted, counted - budget.steps(), sampler.bytes());
        assert_eq!(cost, expected, "{name}");
    }
}

/// Two minima that no text satisfies together. A minimum above the length is not counted at all.
#[test]
fn cost_of_a_policy_without_passwords_is_unchanged() {
    let spec = unconstrained(14, "abcdefghijklmnopqrstuvwxyz0123456789").max_repeating(2);
    for (min, steps) in [(8, 32_952), (14, 127_536), (15, 0)] {
        let spec = spec.clone().require(min, "abcdefghijklmnopqrstuvwxyz").require(min, "0123456789");
        let mut budget = WorkBudget::new(1);
        let all = budget.steps();
        assert_eq!(Sampler::new(spec, &mut budget).err(), Some(CountError::Unsatisfiable), "{min}");
        assert_eq!(all - budget.steps(), steps, "{min}");
    }
}
