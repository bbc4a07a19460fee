//! Compares the counts of the recurrence with those of the theories that it replaces.

use std::collections::BTreeMap;

use num_bigint::BigUint;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::{Map, Value, json};

use super::budget::WorkBudget;
use super::compositions::Compositions;
use super::cumulative::PRECISION_BITS;
use super::sampler::Sampler;
use super::{closed_form, inclusion_exclusion, permutations, recurrence};
use crate::password::charset::{CharSet, Class};
use crate::password::policy::Policy;
use crate::password::policy::constraints::{ClassOptions, Constraints, Start};
use crate::password::spec::{PasswordSpec, Requirement};

/// The random policies of both tests.
const POLICIES: usize = 20_000;
const REQUESTS: usize = 4_000;

/// What is refused in words from now on.
const NO_REPEATS: &str = "no_repeats with max_sequential";

type Counted = Result<BigUint, &'static str>;

fn has_none(spec: &PasswordSpec) -> bool {
    let unsatisfiable = |one: &Requirement| one.characters.is_empty() || one.min > spec.length;
    spec.pool.is_empty() || spec.first().is_empty() || spec.requirements.iter().any(unsatisfiable)
}

fn compositions(spec: &PasswordSpec, budget: &mut WorkBudget) -> Counted {
    Compositions::new(spec, PRECISION_BITS, budget).map(|tables| tables.total().clone()).map_err(|_| "compositions")
}

fn count_before(spec: &PasswordSpec, budget: &mut WorkBudget) -> Counted {
    let count = |spec: &PasswordSpec, budget: &mut WorkBudget| match (spec.no_repeats, spec.limits_runs()) {
        _ if has_none(spec) => Ok(BigUint::ZERO),
        (false, true) => inclusion_exclusion::count(spec, budget).map_err(|_| "runs"),
        (true, true) => permutations::count(spec, budget).map_err(|_| "permutations"),
        (true, false) => compositions(spec, budget),
        (false, false) => inclusion_exclusion::count(spec, budget).or_else(|_| compositions(spec, budget)),
    };
    spec.cases().iter().map(|case| count(case, budget)).sum()
}

fn count_after(spec: &PasswordSpec, budget: &mut WorkBudget) -> Counted {
    let count = |spec: &PasswordSpec, budget: &mut WorkBudget| match (spec.no_repeats, spec.limits_runs()) {
        _ if has_none(spec) => Ok(BigUint::ZERO),
        (false, true) => {
            let counts = recurrence::count(spec, spec.length, budget).map_err(|_| "runs")?;
            Ok(counts.into_iter().next_back().unwrap())
        }
        (true, true) => Err(NO_REPEATS),
        (true, false) => compositions(spec, budget),
        (false, false) => closed_form::count(spec, budget).or_else(|_| compositions(spec, budget)),
    };
    spec.cases().iter().map(|case| count(case, budget)).sum()
}

/// Random constraints.
type Random = fn(&mut StdRng) -> Constraints;

/// What one test found.
#[derive(Default, Debug)]
struct Comparison {
    same: usize,
    refused: BTreeMap<&'static str, usize>,
    only_refused_before: usize,
    always_refused: usize,
}

impl Comparison {
    fn add(&mut self, spec: &PasswordSpec) {
        let before = count_before(spec, &mut WorkBudget::new(1));
        match (before, count_after(spec, &mut WorkBudget::new(1))) {
            (Ok(before), Ok(after)) => {
                assert_eq!(before, after, "{spec:?}");
                self.same += 1;
            }
            (Ok(_), Err(reason)) => *self.refused.entry(reason).or_default() += 1,
            (Err(_), Ok(_)) => self.only_refused_before += 1,
            (Err(_), Err(_)) => self.always_refused += 1,
        }
    }
}

/// A policy up to length 64 with minima up to 4 and both limits on runs from 1 to 3.
fn random_constraints(random: &mut StdRng) -> Constraints {
    let excluded = (0..random.random_range(1..20)).map(|_| char::from(random.random_range(b'!'..=b'~'))).collect();
    let classes = [(); 4].map(|()| {
        let in_use = random.random_bool(0.8);
        ClassOptions { in_use: Some(in_use), min: in_use.then(|| random.random_range(0..=4)) }
    });
    let charsets = random.random_bool(0.2).then(|| {
        (0..random.random_range(1..=5))
            .map(|_| Requirement { characters: random_set(random), min: random.random_range(0..=4) })
            .collect()
    });
    let by_class = charsets.is_none();
    Constraints {
        length: Some(random.random_range(4..=64)),
        classes: if by_class { classes } else { <[ClassOptions; 4]>::default() },
        charsets,
        exclude: random.random_bool(0.2).then_some(excluded),
        max_repeating: random.random_bool(0.5).then(|| random.random_range(1..=3)),
        max_sequential: random.random_bool(0.5).then(|| random.random_range(1..=3)),
        start: random.random_bool(0.3).then(|| Start::ALL[random.random_range(0..Start::ALL.len())]),
        min_classes: (by_class && random.random_bool(0.25)).then(|| random.random_range(1..=4)),
        no_repeats: random.random_bool(0.1).then_some(true),
        ..Constraints::default()
    }
}

/// Classes, and sets that overlap them.
fn random_set(random: &mut StdRng) -> CharSet {
    let [lowercase, uppercase, digits, special] = Class::ALL.map(Class::characters);
    let sets = [
        lowercase,
        uppercase,
        digits,
        special,
        lowercase.union(uppercase),
        digits.union(special),
        lowercase.union(digits),
        CharSet::from_text("abcdef0123456789"),
        CharSet::from_text("aeiou"),
        CharSet::from_text("!-_."),
    ];
    sets[random.random_range(0..sets.len())]
}

#[test]
#[ignore = "takes a minute; run it with --ignored"]
#[expect(clippy::print_stdout, reason = "shows what is refused")]
fn random_policies_have_the_counts_of_before() {
    let mut comparison = Comparison::default();
    let mut random = StdRng::seed_from_u64(5);
    let mut compared = 0;
    while compared < POLICIES {
        let Ok(policy) = Policy::new(&random_constraints(&mut random), None) else { continue };
        comparison.add(policy.spec());
        compared += 1;
    }
    // Everything else that was counted has the same count.
    assert_eq!(comparison.refused.keys().collect::<Vec<_>>(), [&NO_REPEATS]);
    println!("{comparison:?}");
}

/// Four types of characters and the space, with exclusions.
fn request_of_aws(random: &mut StdRng) -> Constraints {
    let excluded: CharSet = (0..random.random_range(0..60)).map(|_| random.random_range(b' '..=b'~')).collect();
    let types =
        Class::ALL.map(|class| if class == Class::Special { CharSet::punctuation() } else { class.characters() });
    let (all, each) = (random.random_bool(0.6), random.random_bool(0.7));
    let types = types.into_iter().filter(|_| all || random.random_bool(0.6));
    let mut charsets: Vec<Requirement> = types
        .map(|characters| Requirement { characters: characters.without(excluded), min: u16::from(each) })
        .collect();
    if charsets.is_empty() || random.random_bool(0.3) {
        charsets.push(Requirement {
            characters: CharSet::space().without(excluded),
            min: u16::from(random.random_bool(0.5)),
        });
    }
    Constraints { length: Some(random_length(random)), charsets: Some(charsets), ..Constraints::default() }
}

/// Short lengths and long ones.
fn random_length(random: &mut StdRng) -> u16 {
    let most = [32, 128, 512, 4096][random.random_range(0..4)];
    random.random_range(4..=most)
}

fn policy_of_vault(random: &mut StdRng) -> Constraints {
    let length = random_length(random);
    let most = [1, 2, 4, 16, 64][random.random_range(0..5)].min(length / 4);
    let charsets = (0..random.random_range(1..=6))
        .map(|_| Requirement { characters: random_set(random), min: random.random_range(0..=most) });
    Constraints { length: Some(length), charsets: Some(charsets.collect()), ..Constraints::default() }
}

#[test]
#[ignore = "takes a minute; run it with --ignored"]
#[expect(clippy::print_stdout, reason = "shows what is refused")]
fn requests_of_aws_and_vault_have_the_counts_of_before() {
    let requests: [(_, Random); 2] = [("AWS", request_of_aws), ("Vault", policy_of_vault)];
    for (name, request) in requests {
        let mut comparison = Comparison::default();
        let mut random = StdRng::seed_from_u64(6);
        let mut compared = 0;
        while compared < REQUESTS / 2 {
            let Ok(policy) = Policy::new(&request(&mut random), None) else { continue };
            comparison.add(policy.spec());
            compared += 1;
        }
        assert!(comparison.refused.is_empty(), "{name}: {comparison:?}");
        println!("{name}: {comparison:?}");
    }
}

/// The parameters of a policy. A class that is not in use has no minimum.
fn parameters(constraints: &Constraints) -> Value {
    let mut parameters = Map::new();
    let mut insert = |name: &str, value: Option<Value>| value.map(|value| parameters.insert(name.to_owned(), value));
    for (class, options) in Class::ALL.into_iter().zip(constraints.classes) {
        insert(class.name(), options.in_use.map(Value::from));
        insert(class.min_name(), options.min.map(Value::from));
    }
    insert("length", constraints.length.map(Value::from));
    insert("exclude", constraints.exclude.clone().map(Value::from));
    insert("max_repeating", constraints.max_repeating.map(Value::from));
    insert("max_sequential", constraints.max_sequential.map(Value::from));
    insert("no_repeats", constraints.no_repeats.map(Value::from));
    insert("start", constraints.start.map(|start| start.name().into()));
    insert("min_classes", constraints.min_classes.map(Value::from));
    let set = |one: &Requirement| json!({ "characters": one.characters.to_string(), "min": one.min });
    insert("charsets", constraints.charsets.as_ref().map(|sets| sets.iter().map(set).collect()));
    Value::Object(parameters)
}

/// 400 random policies, 50 requests of AWS and 50 of Vault, each with its count.
#[test]
#[ignore = "prints tests/data/counts.json"]
#[expect(clippy::print_stdout, reason = "prints the file")]
fn counts_of_before_are_printed() {
    let mut random = StdRng::seed_from_u64(7);
    let kinds: [(_, Random); 3] = [(400, random_constraints), (50, request_of_aws), (50, policy_of_vault)];
    let mut lines = Vec::new();
    for (number, constraints) in kinds {
        let mut left = number;
        while left > 0 {
            let constraints = constraints(&mut random);
            let Ok(policy) = Policy::new(&constraints, None) else { continue };
            let Ok(count) = count_before(policy.spec(), &mut WorkBudget::new(1)) else { continue };
            let is_refused = (constraints.no_repeats == Some(true) && constraints.max_sequential.is_some())
                || Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1)).is_err();
            if count != BigUint::ZERO && policy.length() <= 200 && !is_refused {
                lines.push(json!({ "params": parameters(&constraints), "count": count.to_string() }).to_string());
                left -= 1;
            }
        }
    }
    println!("[\n{}\n]", lines.join(",\n"));
}
