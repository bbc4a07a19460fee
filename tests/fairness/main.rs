//! Every password that satisfies the policy is equally likely, and there are exactly as many as said.

#![expect(
    unreachable_pub,
    clippy::float_cmp,
    clippy::unwrap_used,
    reason = "tests stop at what they did not expect, and hundredths are to be exact"
)]

mod chi_square;
mod mutants;

use std::collections::BTreeMap;

use passloom::password::{Class, ClassOptions, Constraints, Policy, Sampler, Violation, verify};
use proptest::prelude::*;
use rand::rngs::{StdRng, SysRng};
use rand::{SeedableRng, TryCryptoRng, TryRng};
use serde_json::Value;

use chi_square::assert_uniform;

/// Below this a test of uniformity fails.
const LEAST_P: f64 = 1e-6;

/// Names of tiny policies and what they ask for: between them both ways of drawing, minima of 0, 1
/// and more, one class and four.
fn tiny_policies() -> Vec<(&'static str, Policy)> {
    let only = |length, classes: [(&str, u16); 4]| {
        let keep = classes.map(|one| one.0).concat();
        let mut asked = Constraints { length: Some(length), ..Constraints::default() };
        for ((class, (characters, minimum)), options) in Class::ALL.into_iter().zip(classes).zip(&mut asked.classes) {
            if class == Class::Special && !characters.is_empty() {
                asked.symbols = Some(characters.to_owned());
            }
            *options = if characters.is_empty() {
                ClassOptions { in_use: (class != Class::Special).then_some(false), minimum: None }
            } else {
                ClassOptions { in_use: None, minimum: Some(minimum) }
            };
        }
        asked.exclude = Some((0..128_u8).map(char::from).filter(|&one| !keep.contains(one)).collect());
        Policy::new(&asked).unwrap()
    };
    vec![
        ("two classes, one free", only(4, [("ab", 1), ("", 0), ("01", 0), ("", 0)])),
        ("two classes, one of each", only(4, [("ab", 1), ("", 0), ("01", 1), ("", 0)])),
        ("three classes of different size", only(5, [("a", 1), ("B", 1), ("01", 1), ("", 0)])),
        ("four classes in four places", only(4, [("abc", 1), ("AB", 1), ("0", 1), ("!@", 1)])),
        ("mostly digits", only(5, [("ab", 1), ("", 0), ("01", 3), ("", 0)])),
        ("one class alone", only(4, [("", 0), ("", 0), ("0123", 4), ("", 0)])),
        ("nothing demanded", only(4, [("ab", 0), ("A", 0), ("0", 0), ("!", 0)])),
        ("uneven minima", only(6, [("a", 2), ("AB", 0), ("01", 2), ("!", 1)])),
    ]
}

/// Every text over the policy's pool, kept if it satisfies the policy.
fn enumerate(policy: &Policy) -> Vec<String> {
    let pool: Vec<char> = policy.pool().bytes().map(char::from).collect();
    let mut texts = vec![String::new()];
    for _ in 0..policy.length() {
        texts = texts.iter().flat_map(|text| pool.iter().map(move |one| format!("{text}{one}"))).collect();
    }
    texts.retain(|text| verify(policy, text).is_ok());
    texts
}

/// How often each password came.
fn tally(members: &[String], times: usize, mut draw: impl FnMut() -> String) -> Vec<u64> {
    let mut counts: BTreeMap<&str, u64> = members.iter().map(|member| (member.as_str(), 0)).collect();
    for _ in 0..times * members.len() {
        let drawn = draw();
        *counts.get_mut(drawn.as_str()).unwrap_or_else(|| panic!("{drawn} does not satisfy the policy")) += 1;
    }
    counts.into_values().collect()
}

#[test]
fn every_member_of_the_whole_set_is_drawn_equally_often() {
    let mut random = StdRng::seed_from_u64(1);
    for (name, policy) in tiny_policies() {
        let members = enumerate(&policy);
        let sampler = Sampler::new(policy);
        assert_eq!(sampler.count().to_decimal(), members.len().to_string(), "{name}");
        let counts = tally(&members, 200, || sampler.draw(&mut random).unwrap().expose().to_owned());
        assert_uniform(&counts, LEAST_P, name);
    }
}

/// The usual way, one of each class and a shuffle, is found out.
#[test]
fn place_and_shuffle_fails_the_same_test() {
    let mut random = StdRng::seed_from_u64(1);
    for (name, policy) in tiny_policies() {
        let members = enumerate(&policy);
        let counts = tally(&members, 200, || mutants::place_and_shuffle(&policy, &mut random));
        let p = chi_square::p_value(&counts);
        // Where the minima fill the length, or there are none, it is as good as any.
        let harmless = ["four classes in four places", "one class alone", "nothing demanded"].contains(&name);
        assert_eq!(p < LEAST_P, !harmless, "{name}: p = {p:e}");
    }
}

/// Counts and entropies that another program made, some of them by listing every password.
#[test]
fn counts_and_entropies_are_those_that_another_program_found() {
    let golden: Vec<Value> = serde_json::from_str(include_str!("../data/golden-entropy.json")).unwrap();
    let mut rows = 0;
    for row in golden {
        let Some(asked) = constraints(&row["params"]) else { continue };
        rows += 1;
        let count = Sampler::new(Policy::new(&asked).unwrap()).count();
        assert_eq!(count.to_decimal(), row["count"], "{row}");
        let bits = row["entropy_bits"].as_f64().unwrap();
        let entropy = count.entropy();
        assert!((entropy.bits() - bits).abs() < 1e-6, "{row}: {entropy:?}");
        let rounded = entropy.rounded_down();
        assert!(rounded <= bits + 1e-6 && bits - rounded < 0.01 + 1e-6, "{row}: {entropy:?}");
    }
    assert_eq!(rows, 14, "the others use parameters that are not there yet");
}

/// Parameters as the API names them; nothing where one is not read here.
fn constraints(parameters: &Value) -> Option<Constraints> {
    let mut asked = Constraints::default();
    for (name, value) in parameters.as_object()? {
        let number = || value.as_u64().and_then(|number| u16::try_from(number).ok());
        let [lowercase, uppercase, digits, special] = &mut asked.classes;
        match name.as_str() {
            "length" => asked.length = number(),
            "lowercase" => lowercase.in_use = value.as_bool(),
            "uppercase" => uppercase.in_use = value.as_bool(),
            "digits" => digits.in_use = value.as_bool(),
            "special" => special.in_use = value.as_bool(),
            "min_lowercase" => lowercase.minimum = number(),
            "min_uppercase" => uppercase.minimum = number(),
            "min_digits" => digits.minimum = number(),
            "min_special" => special.minimum = number(),
            "symbols" => asked.symbols = value.as_str().map(str::to_owned),
            "exclude" => asked.exclude = value.as_str().map(str::to_owned),
            "exclude_similar" => asked.exclude_similar = value.as_bool(),
            _ => return None,
        }
    }
    Some(asked)
}

#[test]
fn entropy_is_rounded_down_and_whole_bits_stay_whole() {
    let entropy = |asked| Sampler::new(Policy::new(&asked).unwrap()).count().entropy();
    let two_free = tiny_policies().remove(0).1;
    assert_eq!(Sampler::new(two_free).count().entropy().rounded_down(), 7.90, "log2(240) = 7.9069");
    let mut eight_digits = Constraints { length: Some(8), exclude: Some("89".into()), ..Constraints::default() };
    eight_digits.classes[0].in_use = Some(false);
    eight_digits.classes[1].in_use = Some(false);
    let eight_digits = entropy(eight_digits);
    assert_eq!((eight_digits.bits(), eight_digits.rounded_down()), (24.0, 24.0), "8^8 = 2^24");
}

fn any_constraints() -> impl Strategy<Value = Constraints> {
    let class = (proptest::option::of(any::<bool>()), proptest::option::of(0..12_u16))
        .prop_map(|(in_use, minimum)| ClassOptions { in_use, minimum });
    (
        proptest::option::of(prop_oneof![4..40_u16, 1..=300_u16]),
        proptest::array::uniform4(class),
        proptest::option::of("[!-/:-@]{0,12}"),
        proptest::option::of("[ -~é]{0,40}"),
        proptest::option::of(any::<bool>()),
    )
        .prop_map(|(length, classes, symbols, exclude, exclude_similar)| Constraints {
            length,
            classes,
            symbols,
            exclude,
            exclude_similar,
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// What validates can be drawn, and what is drawn satisfies the policy, by a checker that shares
    /// no code with the sampler.
    #[test]
    fn what_validates_is_drawn_and_satisfies(asked in any_constraints()) {
        if let Ok(policy) = Policy::new(&asked) {
            let sampler = Sampler::new(policy);
            let drawn = sampler.draw(&mut SysRng).unwrap();
            prop_assert_eq!(verify(sampler.policy(), drawn.expose()), Ok(()));
            prop_assert!(sampler.count().entropy().bits() >= 0.0);
        }
    }

    /// The checker finds each kind of violation in a password that had none.
    #[test]
    fn what_is_changed_for_the_worse_is_found(asked in any_constraints()) {
        if let Ok(policy) = Policy::new(&asked) {
            let drawn = Sampler::new(policy.clone()).draw(&mut SysRng).unwrap();
            let text = drawn.expose();
            prop_assert_eq!(verify(&policy, &text[1..]), Err(Violation::Length));
            prop_assert_eq!(verify(&policy, &format!("{}é", &text[1..])), Err(Violation::Character));
            for requirement in policy.requirements().iter().filter(|one| one.minimum > 0) {
                let other = policy.requirements().iter().find(|one| one.class != requirement.class && !one.allowed.is_empty());
                if let Some(filler) = other.and_then(|other| other.allowed.bytes().next()) {
                    let filled: String = text
                        .chars()
                        .map(|one| if requirement.allowed.bytes().any(|byte| char::from(byte) == one) { char::from(filler) } else { one })
                        .collect();
                    prop_assert_eq!(verify(&policy, &filled), Err(Violation::Minimum(requirement.class)));
                }
            }
        }
    }
}

/// A source that fails after some bytes.
struct Failing(usize);

impl TryRng for Failing {
    type Error = std::io::Error;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        unreachable!("bytes are asked for")
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        unreachable!("bytes are asked for")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        self.0 = self.0.checked_sub(bytes.len()).ok_or(std::io::ErrorKind::UnexpectedEof)?;
        SysRng.try_fill_bytes(bytes).map_err(std::io::Error::other)
    }
}

impl TryCryptoRng for Failing {}

#[test]
fn no_password_is_made_of_less_randomness_than_it_needs() {
    for (name, policy) in tiny_policies() {
        let sampler = Sampler::new(policy);
        assert!(sampler.draw(&mut Failing(0)).is_err(), "{name}");
        assert!(sampler.draw(&mut Failing(100_000)).is_ok(), "{name}");
    }
}

#[test]
fn a_secret_does_not_show_itself() {
    let secret = Sampler::new(Policy::new(&Constraints::default()).unwrap()).draw(&mut SysRng).unwrap();
    assert_eq!(format!("{secret:?}"), "[redacted]");
}
