//! Counts, entropies and draws, compared with results that the sampler does not compute itself.

use passloom::password::{
    CharSet, Class, ClassOptions, Constraints, CountError, PasswordCheck, PasswordSpec, Policy, Requirement, Sampler,
    SpecViolation, Start, WorkBudget, verify,
};
use proptest::prelude::*;
#[expect(clippy::disallowed_types, reason = "the generator of the function")]
use rand::rngs::SysRng;
use serde_json::Value;

use crate::specs::{Constrain, list_passwords, unconstrained};

pub fn sampler(constraints: &Constraints) -> Sampler {
    Sampler::new(Policy::new(constraints, None).unwrap().spec().clone(), &mut WorkBudget::new(1)).unwrap()
}

/// A separate program computed the file, the small counts by listing every password.
#[test]
fn count_and_entropy_equal_those_of_a_reference_program() {
    let golden: Vec<Value> = serde_json::from_str(include_str!("../data/golden-entropy.json")).unwrap();
    assert_eq!(golden.len(), 29);
    for row in golden {
        let sampler = sampler(&constraints(&row["params"]));
        let count = sampler.count();
        assert_eq!(count.to_decimal(), row["count"], "{row}");
        let (bits, entropy) = (row["entropy_bits"].as_f64().unwrap(), count.entropy());
        assert!((entropy.bits() - bits).abs() < 1e-6, "{row}: {entropy:?}");
        let rounded = entropy.rounded_down();
        assert!(rounded <= bits + 1e-6 && bits - rounded < 0.01 + 1e-6, "{row}: {entropy:?}");
    }
}

/// 400 random policies, 50 in the terms of AWS's requests and 50 in those of Vault's policies. An earlier version counted
/// them by four other methods: inclusion-exclusion with lists of blocks, compositions, permutations and plain powers.
#[test]
fn counts_equal_those_of_earlier_methods() {
    let rows: Vec<Value> = serde_json::from_str(include_str!("../data/counts.json")).unwrap();
    assert_eq!(rows.len(), 500);
    for row in rows {
        assert_eq!(sampler(&constraints(&row["params"])).count().to_decimal(), row["count"], "{row}");
    }
}

/// A set with a minimum.
fn charset(value: &Value) -> Requirement {
    let min = u16::try_from(value["min"].as_u64().unwrap()).unwrap();
    Requirement { characters: CharSet::from_text(value["characters"].as_str().unwrap()), min }
}

/// Constraints from the parameters of the API.
fn constraints(parameters: &Value) -> Constraints {
    let mut constraints = Constraints::default();
    for (name, value) in parameters.as_object().unwrap() {
        let number = || Some(u16::try_from(value.as_u64().unwrap()).unwrap());
        let text = || Some(value.as_str().unwrap().to_owned());
        let [lowercase, uppercase, digits, special] = &mut constraints.classes;
        match name.as_str() {
            "length" => constraints.length = number(),
            "lowercase" => lowercase.in_use = value.as_bool(),
            "uppercase" => uppercase.in_use = value.as_bool(),
            "digits" => digits.in_use = value.as_bool(),
            "special" => special.in_use = value.as_bool(),
            "min_lowercase" => lowercase.min = number(),
            "min_uppercase" => uppercase.min = number(),
            "min_digits" => digits.min = number(),
            "min_special" => special.min = number(),
            "symbols" => constraints.symbols = text(),
            "exclude" => constraints.exclude = text(),
            "exclude_similar" => constraints.exclude_similar = value.as_bool(),
            "max_repeating" => constraints.max_repeating = number(),
            "max_sequential" => constraints.max_sequential = number(),
            "no_repeats" => constraints.no_repeats = value.as_bool(),
            "start" => constraints.start = Start::ALL.into_iter().find(|start| start.name() == value),
            "min_classes" => constraints.min_classes = number(),
            "charsets" => constraints.charsets = Some(value.as_array().unwrap().iter().map(charset).collect()),
            other => panic!("{other}"),
        }
    }
    constraints
}

#[test]
#[expect(clippy::float_cmp, reason = "hundredths are exact")]
fn entropy_is_rounded_down_and_whole_bits_are_exact() {
    let entropy = |spec| Sampler::new(spec, &mut WorkBudget::new(1)).unwrap().count().entropy();
    assert_eq!(entropy(unconstrained(4, "ab01").require(1, "ab")).rounded_down(), 7.90, "log2(240) = 7.9069");
    let octal = entropy(unconstrained(8, "01234567"));
    assert_eq!((octal.bits(), octal.rounded_down()), (24.0, 24.0), "8^8 = 2^24");
    assert_eq!(entropy(unconstrained(4, "a")).rounded_down(), 0.0);
}

#[test]
fn no_repeats_with_max_sequential_is_refused_without_counting() {
    let both = Constraints { no_repeats: Some(true), max_sequential: Some(2), ..Constraints::default() };
    let charset = Requirement { characters: Class::Digits.characters(), min: 1 };
    let cases = [
        ("a length", Constraints { length: Some(8), ..both.clone() }),
        ("the longest run", Constraints { length: Some(8), max_sequential: Some(8), ..both.clone() }),
        ("no length", both.clone()),
        ("an entropy", Constraints { min_entropy: Some(40), ..both.clone() }),
        ("sets", Constraints { length: Some(4), charsets: Some(vec![charset]), ..both }),
    ];
    for (name, constraints) in cases {
        let checked = PasswordCheck::new(&constraints, None).map(|_| ()).unwrap_err();
        for error in [Policy::new(&constraints, None).unwrap_err(), checked] {
            assert_eq!(
                error.to_string(),
                "no_repeats cannot be combined with max_sequential, nor with max-sequential or max-consecutive of passwordrules; omit one",
                "{name}"
            );
            assert_eq!(error.parameters(), ["no_repeats", "max_sequential", "policy"], "{name}");
        }
    }
}

#[test]
fn min_entropy_without_length_chooses_the_shortest_length() {
    for bits in [1, 20, 80, 96, 128, 256, 512] {
        let constraints = Constraints { min_entropy: Some(bits), ..Constraints::default() };
        let shortest = Policy::new(&constraints, None).unwrap().with_entropy(&mut WorkBudget::new(1)).unwrap();
        let entropy = |length| {
            let constraints = Constraints { length: Some(length), ..Constraints::default() };
            sampler(&constraints).count().entropy().bits()
        };
        assert!(entropy(shortest.length()) >= f64::from(bits));
        assert!(shortest.length() == 4 || entropy(shortest.length() - 1) < f64::from(bits), "{bits}");
    }
}

fn any_class() -> impl Strategy<Value = ClassOptions> {
    (proptest::option::of(any::<bool>()), proptest::option::weighted(0.3, 0..12_u16))
        .prop_map(|(in_use, min)| ClassOptions { in_use, min })
}

/// Constraints of every kind, except `min_entropy` and password rules.
pub fn any_constraints() -> impl Strategy<Value = Constraints> {
    let texts = (proptest::option::of("[!-/:-@]{0,12}"), proptest::option::of("[ -~é]{0,40}"));
    let flags = (proptest::option::of(any::<bool>()), proptest::option::weighted(0.2, any::<bool>()));
    let order = (
        proptest::option::weighted(0.3, 1..6_u16),
        proptest::option::weighted(0.3, 1..6_u16),
        proptest::option::weighted(0.3, proptest::sample::select(&Start::ALL)),
        proptest::option::weighted(0.2, 1..=4_u16),
    );
    let length = proptest::option::of(prop_oneof![4..40_u16, 1..=300_u16]);
    (length, proptest::array::uniform4(any_class()), texts, flags, order).prop_map(
        |(
            length,
            classes,
            (symbols, exclude),
            (exclude_similar, no_repeats),
            (max_repeating, max_sequential, start, min_classes),
        )| {
            Constraints {
                length,
                classes,
                symbols,
                exclude,
                exclude_similar,
                max_repeating,
                max_sequential,
                no_repeats,
                start,
                min_classes,
                ..Constraints::default()
            }
        },
    )
}

/// A specification of at most 6^5 texts.
fn any_small_spec() -> impl Strategy<Value = PasswordSpec> {
    let set = "[abcD01]{1,4}";
    (
        1..=5_u16,
        "[abcD01]{1,6}",
        proptest::collection::vec((set, 0..=3_u16), 0..=3),
        (proptest::option::weighted(0.3, 1..=3_u16), proptest::option::weighted(0.3, 1..=3_u16)),
        proptest::bool::weighted(0.2),
        proptest::option::weighted(0.3, set),
        proptest::option::weighted(0.2, 1..=3_usize),
    )
        .prop_map(
            |(length, pool, requirements, (max_repeating, max_sequential), no_repeats, start, min_classes)| {
                let mut spec =
                    PasswordSpec { max_repeating, max_sequential, no_repeats, ..unconstrained(length, &pool) };
                for (characters, min) in requirements {
                    spec = spec.require(min, &characters);
                }
                if let Some(start) = start {
                    spec = spec.start(&start);
                }
                if let Some(min) = min_classes {
                    spec = spec.min_classes(min, &["abc", "D", "01"]);
                }
                spec
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn drawn_password_satisfies_its_policy(constraints in any_constraints()) {
        if let Ok(policy) = Policy::new(&constraints, None)
            && let Ok(sampler) = Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1))
        {
            let drawn = sampler.draw(&mut SysRng).unwrap();
            prop_assert_eq!(verify(policy.spec(), drawn.expose()), Ok(()));
            let entropy = sampler.count().entropy();
            let max = f64::from(policy.length()) * f64::from(policy.spec().pool.len()).log2();
            prop_assert!(entropy.rounded_down() <= entropy.bits() + 1e-9 && entropy.bits() <= max + 1e-9);
        }
    }

    /// Also for overlapping sets.
    #[test]
    fn count_of_a_small_spec_is_the_number_of_its_passwords(spec in any_small_spec()) {
        let passwords = list_passwords(&spec).len();
        let limits_sequences = spec.limits_sequences();
        match Sampler::new(spec, &mut WorkBudget::new(1)) {
            Ok(sampler) => prop_assert_eq!(sampler.count().to_decimal(), passwords.to_string()),
            Err(CountError::Unsatisfiable) => prop_assert_eq!(passwords, 0),
            // Minima above 1 of sets that cut the alphabet, and distinct characters, cannot be counted with limits on
            // neighbours.
            Err(CountError::TooExpensive) => prop_assert!(limits_sequences),
        }
    }

    #[test]
    fn added_constraint_never_raises_the_count(
        constraints in any_constraints(),
        max in 1..4_u16,
        start in proptest::sample::select(&Start::ALL),
    ) {
        let entropy = |constraints: &Constraints| {
            let policy = Policy::new(constraints, None).ok()?;
            Some(Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1)).ok()?.count().entropy().bits())
        };
        if let Some(before) = entropy(&constraints) {
            // Without `length`, higher minima would lengthen the password.
            let length = Some(Policy::new(&constraints, None).unwrap().length());
            let constraints = Constraints { length, ..constraints };
            let max_repeating = Some(constraints.max_repeating.unwrap_or(max).min(max));
            let max_sequential = Some(constraints.max_sequential.unwrap_or(max).min(max));
            let mut stricter = vec![
                Constraints { max_repeating, ..constraints.clone() },
                Constraints { max_sequential, ..constraints.clone() },
                Constraints { start: constraints.start.or(Some(start)), ..constraints.clone() },
                Constraints { no_repeats: Some(true), ..constraints.clone() },
                Constraints { exclude_similar: Some(true), ..constraints.clone() },
            ];
            let mut more_digits = constraints.clone();
            more_digits.classes[2].min = Some(more_digits.classes[2].min.unwrap_or(1) + 1);
            stricter.push(more_digits);
            for constraints in stricter {
                if let Some(after) = entropy(&constraints) {
                    prop_assert!(after <= before + 1e-9, "{after} > {before}");
                }
            }
        }
    }

    /// Each change adds one violation to a drawn password.
    #[test]
    fn verify_of_a_changed_password_returns_the_violation(constraints in any_constraints()) {
        if let Ok(policy) = Policy::new(&constraints, None)
            && let Ok(sampler) = Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1))
        {
            let spec = policy.spec();
            let drawn = sampler.draw(&mut SysRng).unwrap();
            let text = drawn.expose();
            prop_assert_eq!(verify(spec, &text[1..]), Err(SpecViolation::Length));
            let not_ascii = format!("{}é", &text[..text.len() - 1]);
            prop_assert_eq!(verify(spec, &not_ascii), Err(SpecViolation::Character));
            let repeated = text[..1].repeat(text.len());
            if spec.no_repeats {
                let any_run = PasswordSpec { max_repeating: None, max_sequential: None, ..spec.clone() };
                prop_assert_eq!(verify(&any_run, &repeated), Err(SpecViolation::NoRepeats));
            }
            if spec.max_repeating.is_some_and(|max| max < spec.length) && !spec.no_repeats {
                prop_assert_eq!(verify(spec, &repeated), Err(SpecViolation::MaxRepeating));
            }
            if let Some(start) = spec.start
                && let Some(other) = spec.pool.without(start).bytes().next()
            {
                let changed = format!("{}{}", char::from(other), &text[1..]);
                prop_assert_eq!(verify(spec, &changed), Err(SpecViolation::Start));
            }
            let any_run = PasswordSpec { max_repeating: None, max_sequential: None, ..spec.clone() };
            let any_order = PasswordSpec { no_repeats: false, start: None, ..any_run };
            for requirement in &spec.requirements {
                if let Some(other) = spec.pool.without(requirement.characters).bytes().next() {
                    let replace = |byte| if requirement.characters.contains(byte) { other } else { byte };
                    let without: String = text.bytes().map(|byte| char::from(replace(byte))).collect();
                    let requirements = vec![*requirement];
                    let one = PasswordSpec { requirements, min_classes: None, ..any_order.clone() };
                    prop_assert_eq!(verify(&one, &without), Err(SpecViolation::Requirement(0)));
                }
            }
            if spec.min_classes.as_ref().is_some_and(|min_classes| min_classes.min > 1) {
                let no_minima = PasswordSpec { requirements: Vec::new(), ..any_order };
                prop_assert_eq!(verify(&no_minima, &repeated), Err(SpecViolation::MinClasses));
            }
        }
    }
}

/// With the bounds that `docs/sampling.md` gives as examples.
#[test]
fn hardest_policies_are_drawn_or_rejected_as_too_expensive() {
    let all_classes = |length, min, max_repeating| {
        let classes = [ClassOptions { in_use: Some(true), min: Some(min) }; 4];
        Constraints { length: Some(length), max_repeating, classes, ..Constraints::default() }
    };
    let digits = |length, min| {
        let mut constraints = Constraints { length: Some(length), max_repeating: Some(1), ..Constraints::default() };
        constraints.classes[2].min = Some(min);
        constraints
    };
    for constraints in [
        all_classes(256, 1, None),
        all_classes(256, 40, None),
        all_classes(256, 1, Some(1)),
        all_classes(256, 2, Some(1)),
        all_classes(256, 2, Some(3)),
        digits(256, 16),
        all_classes(64, 4, Some(1)),
        digits(64, 58),
    ] {
        let sampler = sampler(&constraints);
        let drawn = sampler.draw(&mut SysRng).unwrap();
        assert_eq!(verify(sampler.spec(), drawn.expose()), Ok(()));
    }
    for (constraints, message) in [
        (all_classes(256, 3, Some(1)), "length 256 with min_lowercase 3, "),
        (
            digits(256, 17),
            "length 256 with min_lowercase 1, min_uppercase 1, min_digits 17 and max_repeating 1 is too ",
        ),
        (all_classes(64, 5, Some(1)), "length 64 with min_lowercase 5, "),
        (digits(64, 59), "length 64 with min_lowercase 1, "),
    ] {
        let policy = Policy::new(&constraints, None).unwrap();
        let error = Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1)).err().unwrap();
        assert_eq!(error, CountError::TooExpensive, "{message}");
        let explained = policy.explain(error).to_string();
        assert!(explained.starts_with(message), "{explained}");
    }
}

/// Neighbours take more work than identical characters. The bounds are those of `docs/sampling.md`.
#[test]
fn longest_policies_without_neighbours_are_drawn_or_rejected_as_too_expensive() {
    let with_minima = |length, min| {
        let classes = [ClassOptions { in_use: Some(true), min: Some(min) }; 4];
        Constraints { length: Some(length), max_sequential: Some(1), classes, ..Constraints::default() }
    };
    for (length, min, error) in [
        (64, 4, None),
        (64, 5, Some(CountError::TooExpensive)),
        (128, 2, None),
        (128, 3, Some(CountError::TooExpensive)),
        (180, 1, None),
        (256, 1, Some(CountError::TooExpensive)),
    ] {
        let policy = Policy::new(&with_minima(length, min), None).unwrap();
        let sampler = Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1));
        assert_eq!(sampler.err(), error, "length {length}, {min} of each class");
    }
}

#[test]
fn debug_format_of_secrets_and_sets_shows_no_character() {
    let secret = Sampler::new(unconstrained(8, "abc"), &mut WorkBudget::new(1)).unwrap().draw(&mut SysRng).unwrap();
    assert_eq!(format!("{secret:?}"), "[redacted]");
    assert_eq!(format!("{:?}", Class::Digits.characters()), "CharSet(10 characters)");
}
