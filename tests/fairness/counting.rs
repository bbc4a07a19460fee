//! Counts, by other means than the product's.

use passloom::password::{
    CharSet, Class, ClassOptions, Constraints, CountError, DrawError, Policy, Sampler, Shape, Start, Violation, verify,
};
use proptest::prelude::*;
use rand::rngs::{ChaCha20Rng, SysRng};
use rand::{SeedableRng, TryCryptoRng, TryRng};
use serde_json::Value;

use crate::shapes::{Demanding, members, plain, tiny};

fn sampler(asked: &Constraints) -> Sampler {
    Sampler::new(Policy::new(asked).unwrap().shape().clone()).unwrap()
}

/// Counts and entropies that another program made, the small ones by listing every password.
#[test]
fn counts_and_entropies_are_those_that_another_program_found() {
    let golden: Vec<Value> = serde_json::from_str(include_str!("../data/golden-entropy.json")).unwrap();
    assert_eq!(golden.len(), 23);
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

/// Parameters as the API names them.
fn constraints(parameters: &Value) -> Constraints {
    let mut asked = Constraints::default();
    for (name, value) in parameters.as_object().unwrap() {
        let number = || Some(u16::try_from(value.as_u64().unwrap()).unwrap());
        let text = || Some(value.as_str().unwrap().to_owned());
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
            "symbols" => asked.symbols = text(),
            "exclude" => asked.exclude = text(),
            "exclude_similar" => asked.exclude_similar = value.as_bool(),
            "max_consecutive" => asked.max_consecutive = number(),
            "no_repeats" => asked.no_repeats = value.as_bool(),
            "start" => asked.start = Start::ALL.into_iter().find(|start| start.name() == value),
            "min_classes" => asked.min_classes = number(),
            other => panic!("{other}"),
        }
    }
    asked
}

#[test]
#[expect(clippy::float_cmp, reason = "hundredths are to be exact")]
fn entropy_is_rounded_down_and_whole_bits_stay_whole() {
    let entropy = |shape| Sampler::new(shape).unwrap().count().entropy();
    assert_eq!(entropy(plain(4, "ab01").least(1, "ab")).rounded_down(), 7.90, "log2(240) = 7.9069");
    let bytes = entropy(plain(8, "01234567"));
    assert_eq!((bytes.bits(), bytes.rounded_down()), (24.0, 24.0), "8^8 = 2^24");
    assert_eq!(entropy(plain(4, "a")).rounded_down(), 0.0);
}

/// The shortest length that reaches an entropy, and not one less.
#[test]
fn min_entropy_chooses_the_shortest_length() {
    for bits in [1, 20, 80, 96, 128, 256, 512] {
        let shortest = Policy::new(&Constraints { min_entropy: Some(bits), ..Constraints::default() }).unwrap();
        let entropy = |length| {
            let asked = Constraints { length: Some(length), ..Constraints::default() };
            sampler(&asked).count().entropy().bits()
        };
        assert!(entropy(shortest.length()) >= f64::from(bits));
        assert!(shortest.length() == 4 || entropy(shortest.length() - 1) < f64::from(bits), "{bits}");
    }
}

fn any_class() -> impl Strategy<Value = ClassOptions> {
    (proptest::option::of(any::<bool>()), proptest::option::weighted(0.3, 0..12_u16))
        .prop_map(|(in_use, minimum)| ClassOptions { in_use, minimum })
}

pub fn any_constraints() -> impl Strategy<Value = Constraints> {
    let texts = (proptest::option::of("[!-/:-@]{0,12}"), proptest::option::of("[ -~é]{0,40}"));
    let flags = (proptest::option::of(any::<bool>()), proptest::option::weighted(0.2, any::<bool>()));
    let order = (
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
            (max_consecutive, start, min_classes),
        )| {
            Constraints {
                length,
                classes,
                symbols,
                exclude,
                exclude_similar,
                max_consecutive,
                no_repeats,
                start,
                min_classes,
                ..Constraints::default()
            }
        },
    )
}

/// Small enough to list: at most 6^5 texts.
fn any_tiny_shape() -> impl Strategy<Value = Shape> {
    let set = "[abcD01]{1,4}";
    (
        1..=5_u16,
        "[abcD01]{1,6}",
        proptest::collection::vec((set, 0..=3_u16), 0..=3),
        proptest::option::weighted(0.3, 1..=3_u16),
        proptest::bool::weighted(0.2),
        proptest::option::weighted(0.3, set),
        proptest::option::weighted(0.3, set),
        proptest::option::weighted(0.2, 1..=3_usize),
    )
        .prop_map(|(length, pool, requirements, runs, no_repeats, start, end, classes)| {
            let mut shape = plain(length, &pool);
            shape.end = end.as_deref().map(CharSet::of);
            for (characters, minimum) in requirements {
                shape = shape.least(minimum, &characters);
            }
            (shape.max_consecutive, shape.no_repeats) = (runs, no_repeats);
            shape = start.map_or(shape.clone(), |start| shape.start(&start));
            classes.map_or(shape.clone(), |least| shape.classes(least, &["abc", "D", "01"]))
        })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// What validates can be drawn, and what is drawn satisfies, by a checker that shares no code with
    /// the sampler.
    #[test]
    fn what_validates_is_drawn_and_satisfies(asked in any_constraints()) {
        if let Ok(policy) = Policy::new(&asked)
            && let Ok(sampler) = Sampler::new(policy.shape().clone())
        {
            let drawn = sampler.draw(&mut SysRng).unwrap();
            prop_assert_eq!(verify(policy.shape(), drawn.expose()), Ok(()));
            let entropy = sampler.count().entropy();
            let most = f64::from(policy.length()) * f64::from(policy.shape().pool.len()).log2();
            prop_assert!(entropy.rounded_down() <= entropy.bits() + 1e-9 && entropy.bits() <= most + 1e-9);
        }
    }

    /// Whatever the combination, overlapping sets included: the count is the number of texts, and
    /// where there are none it is said so.
    #[test]
    fn the_count_is_the_number_of_texts(shape in any_tiny_shape()) {
        let members = members(&shape).len();
        let with_runs = shape.max_consecutive.is_some();
        match Sampler::new(shape) {
            Ok(sampler) => prop_assert_eq!(sampler.count().to_decimal(), members.to_string()),
            Err(CountError::Unsatisfiable) => prop_assert_eq!(members, 0),
            // Overlapping sets of two and more with runs: the one kind that is not counted.
            Err(CountError::TooHard) => prop_assert!(with_runs),
        }
    }

    /// One constraint more never leaves more passwords.
    #[test]
    fn a_constraint_more_never_raises_the_count(asked in any_constraints(), runs in 1..4_u16, start in proptest::sample::select(&Start::ALL)) {
        let count = |asked: &Constraints| {
            let policy = Policy::new(asked).ok()?;
            Some(Sampler::new(policy.shape().clone()).ok()?.count().entropy().bits())
        };
        if let Some(before) = count(&asked) {
            let mut stricter = vec![
                Constraints { max_consecutive: Some(asked.max_consecutive.unwrap_or(runs).min(runs)), ..asked.clone() },
                Constraints { start: asked.start.or(Some(start)), ..asked.clone() },
                Constraints { no_repeats: Some(true), ..asked.clone() },
                Constraints { exclude_similar: Some(true), ..asked.clone() },
            ];
            let mut more_digits = asked.clone();
            more_digits.classes[2].minimum = Some(more_digits.classes[2].minimum.unwrap_or(1) + 1);
            stricter.push(more_digits);
            for asked in stricter {
                if let Some(after) = count(&asked) {
                    prop_assert!(after <= before + 1e-9, "{after} > {before}");
                }
            }
        }
    }

    /// The checker finds each kind of violation in a password that had none.
    #[test]
    fn what_is_changed_for_the_worse_is_found(asked in any_constraints()) {
        if let Ok(policy) = Policy::new(&asked)
            && let Ok(sampler) = Sampler::new(policy.shape().clone())
        {
            let shape = policy.shape();
            let drawn = sampler.draw(&mut SysRng).unwrap();
            let text = drawn.expose();
            prop_assert_eq!(verify(shape, &text[1..]), Err(Violation::Length));
            let foreign = format!("{}é", &text[..text.len() - 1]);
            prop_assert_eq!(verify(shape, &foreign), Err(Violation::Character));
            let one = &text[..1];
            if shape.no_repeats {
                prop_assert_eq!(verify(&Shape { max_consecutive: None, ..shape.clone() }, &one.repeat(text.len())), Err(Violation::NoRepeats));
            }
            if shape.max_consecutive.is_some_and(|most| most < shape.length) && !shape.no_repeats {
                prop_assert_eq!(verify(shape, &one.repeat(text.len())), Err(Violation::MaxConsecutive));
            }
            if let Some(start) = shape.start
                && let Some(other) = shape.pool.without(start).bytes().next()
            {
                let changed = format!("{}{}", char::from(other), &text[1..]);
                prop_assert_eq!(verify(shape, &changed), Err(Violation::Start));
            }
            let bare = Shape { max_consecutive: None, no_repeats: false, start: None, end: None, ..shape.clone() };
            for (index, requirement) in shape.requirements.iter().enumerate() {
                if let Some(filler) = shape.pool.without(requirement.characters).bytes().next() {
                    let without: String = text
                        .bytes()
                        .map(|byte| char::from(if requirement.characters.contains(byte) { filler } else { byte }))
                        .collect();
                    let one = Shape { requirements: vec![shape.requirements[index]], variety: None, ..bare.clone() };
                    prop_assert_eq!(verify(&one, &without), Err(Violation::Requirement(0)));
                }
            }
            if shape.variety.as_ref().is_some_and(|variety| variety.least > 1) {
                let one_class = Shape { requirements: Vec::new(), ..bare };
                prop_assert_eq!(verify(&one_class, &one.repeat(text.len())), Err(Violation::Variety));
            }
        }
    }
}

/// Hard, large and both: counted and drawn, or refused; with the bounds that the documentation names.
#[test]
fn the_hardest_policies_are_drawn_or_refused() {
    let all = |length, minimum: u16, runs| {
        let mut asked = Constraints { length: Some(length), max_consecutive: runs, ..Constraints::default() };
        asked.classes = [ClassOptions { in_use: Some(true), minimum: Some(minimum) }; 4];
        asked
    };
    for asked in
        [all(256, 1, None), all(256, 64, None), all(256, 1, Some(1)), all(256, 12, Some(1)), all(256, 12, Some(3))]
    {
        let sampler = sampler(&asked);
        let drawn = sampler.draw(&mut SysRng).unwrap();
        assert_eq!(verify(sampler.shape(), drawn.expose()), Ok(()));
    }
    let refused = Policy::new(&all(256, 64, Some(1))).unwrap();
    let error = Sampler::new(refused.shape().clone()).err();
    assert_eq!(error, Some(CountError::TooHard));
    let words = refused.explain(CountError::TooHard).to_string();
    assert!(words.starts_with("length 256 with min_lowercase 64, "), "{words}");
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

/// A source that is stuck.
struct Stuck;

impl TryRng for Stuck {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0xff);
        Ok(())
    }
}

impl TryCryptoRng for Stuck {}

/// A draw ends, though no text satisfies.
#[test]
fn a_source_that_repeats_itself_gives_up_the_draw() {
    assert_eq!(sampler(&Constraints::default()).draw(&mut Stuck).err(), Some(DrawError::Unlucky));
}

/// A change here means that every caller with a seed of its own gets other passwords.
#[test]
fn the_same_bytes_make_the_same_password() {
    let mut hard = Constraints { length: Some(20), symbols: Some("!@#$".into()), ..Constraints::default() };
    hard.classes[3].minimum = Some(10);
    for (asked, expected) in [(Constraints::default(), "DJNcRdH912kXSTGQ"), (hard, "#l!$G#$ah1$$BMq$L#d#")] {
        assert_eq!(sampler(&asked).draw(&mut ChaCha20Rng::seed_from_u64(1)).unwrap().expose(), expected);
    }
}

#[test]
fn no_password_is_made_of_less_randomness_than_it_needs() {
    for (name, shape) in tiny() {
        let sampler = Sampler::new(shape).unwrap();
        assert!(sampler.draw(&mut Failing(0)).is_err(), "{name}");
        assert!(sampler.draw(&mut Failing(1_000_000)).is_ok(), "{name}");
    }
}

#[test]
fn a_secret_does_not_show_itself() {
    let secret = Sampler::new(plain(8, "abc")).unwrap().draw(&mut SysRng).unwrap();
    assert_eq!(format!("{secret:?}"), "[redacted]");
    assert_eq!(format!("{:?}", Class::Digits.characters()), "CharSet(10 characters)");
}
