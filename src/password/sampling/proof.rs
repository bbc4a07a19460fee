//! A proof by exhaustion: for small specifications every outcome of every random choice is taken, and the probability of
//! each text is an exact fraction. All passwords of a specification must have the same, and other texts none.

use std::collections::{BTreeMap, HashMap};
use std::convert::Infallible;
use std::ptr;

use num_bigint::BigUint;
use num_rational::Ratio;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::budget::WorkBudget;
use super::choices::Choices;
use super::compositions::{Compositions, shuffle};
use super::cumulative::{CumulativeTable, PRECISION_BITS};
use super::runs::Runs;
use super::sampler::{CountError, Sampler, counts};
use crate::password::charset::CharSet;
use crate::password::spec::{MinClasses, PasswordSpec, Requirement};
use crate::password::verify::verify;

type Probability = Ratio<u64>;
type Distribution = BTreeMap<Vec<u8>, Probability>;

/// One branch of a draw after the other.
#[derive(Default)]
struct Branches {
    /// The outcome of each choice of the branch, and the number of its outcomes.
    path: Vec<(usize, usize)>,
    made: usize,
}

/// The choices of one branch.
struct Branch<'b> {
    branches: &'b mut Branches,
    probability: Probability,
}

impl Branches {
    /// Calls `draw` once for each branch, with its choices.
    fn walk(mut draw: impl FnMut(&mut Branch<'_>)) {
        let mut branches = Self::default();
        loop {
            branches.made = 0;
            draw(&mut Branch { branches: &mut branches, probability: Ratio::from_integer(1) });
            assert_eq!(branches.made, branches.path.len(), "the same choices lead to the same branch");
            loop {
                match branches.path.pop() {
                    None => return,
                    Some((outcome, outcomes)) if outcome + 1 < outcomes => {
                        branches.path.push((outcome + 1, outcomes));
                        break;
                    }
                    Some(_) => {}
                }
            }
        }
    }
}

impl Branch<'_> {
    fn outcome(&mut self, outcomes: usize) -> usize {
        let Branches { path, made } = self.branches;
        if *made == path.len() {
            path.push((0, outcomes));
        }
        *made += 1;
        path[*made - 1].0
    }
}

impl Choices for Branch<'_> {
    type Error = Infallible;

    fn below(&mut self, bound: usize) -> Result<usize, Infallible> {
        self.probability /= u64::try_from(bound).unwrap();
        Ok(self.outcome(bound))
    }

    fn by_weight<I: Iterator<Item = BigUint>>(
        &mut self,
        table: &CumulativeTable,
        weights: impl Fn() -> I,
    ) -> Result<usize, Infallible> {
        assert_eq!(*table, CumulativeTable::new(weights(), PRECISION_BITS), "the table is that of the weights");
        let weights: Vec<u64> = weights().map(|weight| weight.try_into().unwrap()).collect();
        let possible: Vec<usize> = (0..weights.len()).filter(|&index| weights[index] > 0).collect();
        let chosen = possible[self.outcome(possible.len())];
        self.probability *= Ratio::new(weights[chosen], weights.iter().sum());
        Ok(chosen)
    }
}

/// The probability of each text that a generator draws.
fn distribution(mut draw: impl FnMut(&mut Branch<'_>, &mut Vec<u8>) -> Result<(), Infallible>) -> Distribution {
    let mut probabilities = Distribution::new();
    Branches::walk(|branch| {
        let mut text = Vec::new();
        let Ok(()) = draw(branch, &mut text);
        *probabilities.entry(text).or_default() += branch.probability;
    });
    assert_eq!(probabilities.values().sum::<Probability>(), Ratio::from_integer(1));
    probabilities
}

/// The probability of each text that a sampler draws. A rejected text is redrawn from the same case.
fn distribution_of_sampler(sampler: &Sampler) -> Distribution {
    let mut cases: HashMap<_, (Probability, Distribution)> = HashMap::new();
    Branches::walk(|branch| {
        let mut text = Vec::new();
        let Ok(case) = sampler.draw_case(branch);
        let Ok(is_accepted) = case.draw(branch, &mut text);
        let (probability, accepted) = cases.entry(ptr::from_ref(case)).or_default();
        *probability += branch.probability;
        if is_accepted {
            *accepted.entry(text).or_default() += branch.probability;
        }
    });
    let mut probabilities = Distribution::new();
    for (probability, accepted) in cases.into_values() {
        let all_accepted: Probability = accepted.values().sum();
        for (text, of_text) in accepted {
            *probabilities.entry(text).or_default() += probability * of_text / all_accepted;
        }
    }
    probabilities
}

/// What the probabilities must be: each of the texts is equally likely.
fn uniform(texts: &[Vec<u8>]) -> Distribution {
    let each = Ratio::new(1, u64::try_from(texts.len().max(1)).unwrap());
    texts.iter().map(|text| (text.clone(), each)).collect()
}

/// All texts of a length over a pool.
fn all_texts(spec: &PasswordSpec) -> Vec<Vec<u8>> {
    let mut texts = vec![Vec::new()];
    for _ in 0..spec.length {
        let longer = |text: &Vec<u8>| spec.pool.bytes().map(|byte| [text.as_slice(), &[byte]].concat()).collect();
        texts = texts.iter().flat_map(|text: &Vec<u8>| -> Vec<Vec<u8>> { longer(text) }).collect();
    }
    texts
}

/// Every password of a specification, by a check that the sampler does not use.
fn passwords(spec: &PasswordSpec) -> Vec<Vec<u8>> {
    let mut texts = all_texts(spec);
    texts.retain(|text| verify(spec, str::from_utf8(text).unwrap()).is_ok());
    texts
}

/// An upper bound on the branches of a draw: each text in each order.
fn most_branches(spec: &PasswordSpec) -> u64 {
    u64::from(spec.pool.len()).pow(spec.length.into()) * (1..=u64::from(spec.length)).product::<u64>()
}

fn random_spec(random: &mut StdRng) -> PasswordSpec {
    let set = |random: &mut StdRng, of: &[u8]| {
        let chosen = of.iter().filter(|_| random.random::<bool>()).copied().collect::<Vec<_>>();
        CharSet::from_text(str::from_utf8(&chosen).unwrap())
    };
    let pool = b"abcAB01!";
    let requirements = (0..random.random_range(0..4_u16))
        .map(|_| Requirement { characters: set(random, pool), min: random.random_range(0..4) })
        .collect();
    let classes = ["abc", "AB", "01", "!"].map(CharSet::from_text);
    let pool = set(random, pool);
    let classes: Vec<CharSet> = classes.into_iter().map(|one| one.intersection(pool)).collect();
    PasswordSpec {
        length: random.random_range(1..=6),
        pool,
        requirements,
        min_classes: (random.random_range(0..4) == 0).then(|| MinClasses {
            classes: classes.iter().copied().filter(|one| !one.is_empty()).collect(),
            min: random.random_range(1..=3),
        }),
        max_repeating: (random.random_range(0..3) == 0).then(|| random.random_range(1..=3)),
        max_sequential: (random.random_range(0..3) == 0).then(|| random.random_range(1..=3)),
        no_repeats: random.random_range(0..4) == 0,
        start: (random.random_range(0..3) == 0).then(|| set(random, b"abcAB01!")),
    }
}

/// Each generator is uniform over its own set, which contains all passwords, whether or not the sampler would choose it.
fn check_generators(spec: &PasswordSpec, generators: &mut BTreeMap<&'static str, usize>) {
    if spec.pool.is_empty() || spec.first().is_empty() || spec.requirements.iter().any(|one| one.characters.is_empty())
    {
        return;
    }
    let relaxed = |spec: &PasswordSpec| PasswordSpec { min_classes: None, ..spec.clone() };
    let (without_order, without_minima) = (
        PasswordSpec { max_repeating: None, max_sequential: None, ..relaxed(spec) },
        PasswordSpec { requirements: Vec::new(), no_repeats: false, ..relaxed(spec) },
    );
    let mut budget = WorkBudget::new(1);
    let compositions = Compositions::new(spec, PRECISION_BITS, &mut budget).unwrap();
    let texts = passwords(&without_order);
    assert_eq!(*compositions.total(), BigUint::from(texts.len()), "{spec:?}");
    if !texts.is_empty() {
        *generators.entry("compositions").or_default() += 1;
        assert_eq!(distribution(|branch, text| compositions.draw(branch, text)), uniform(&texts), "{spec:?}");
    }
    if !spec.no_repeats && check_runs(&without_minima, &mut budget) {
        *generators.entry("runs").or_default() += 1;
    }
}

/// The same for runs alone, which leave minima to rejection. Returns whether there are texts.
fn check_runs(spec: &PasswordSpec, budget: &mut WorkBudget) -> bool {
    let runs = Runs::new(spec, budget).unwrap();
    let texts = passwords(spec);
    assert_eq!(*runs.total(), BigUint::from(texts.len()), "{spec:?}");
    if !texts.is_empty() {
        assert_eq!(distribution(|branch, text| runs.draw(branch, text)), uniform(&texts), "{spec:?}");
    }
    !texts.is_empty()
}

#[test]
fn every_branch_of_2000_small_specs_leads_to_a_uniform_distribution() {
    let mut random = StdRng::seed_from_u64(14);
    let mut generators = BTreeMap::new();
    let mut proved = 0;
    while proved < 2_000 {
        let spec = random_spec(&mut random);
        // Every hundredth may be large.
        if most_branches(&spec) > if proved % 100 == 0 { 1 << 20 } else { 1 << 13 } {
            continue;
        }
        let expected = passwords(&spec);
        match Sampler::new(spec.clone(), &mut WorkBudget::new(1)) {
            Ok(sampler) => {
                assert_eq!(*sampler.count().as_biguint(), BigUint::from(expected.len()), "{spec:?}");
                assert_eq!(distribution_of_sampler(&sampler), uniform(&expected), "{spec:?}");
                proved += 1;
            }
            Err(CountError::Unsatisfiable) => assert!(expected.is_empty(), "{spec:?}"),
            // Counting leaves out minima above 1 of sets that cut a sequence, and distinct characters without neighbours.
            Err(CountError::TooExpensive) => {
                let has_larger_minimum = spec.requirements.iter().any(|one| one.min > 1);
                assert!(spec.limits_sequences() && (spec.no_repeats || has_larger_minimum), "{spec:?}");
            }
        }
        spec.cases().iter().for_each(|case| check_generators(case, &mut generators));
    }
    assert!(generators["compositions"] >= 2_000 && generators["runs"] >= 1_000, "{generators:?}");
}

#[test]
fn every_shuffle_of_up_to_7_characters_is_equally_likely() {
    for length in 1..=7_u8 {
        let orders = distribution(|branch, text| {
            text.extend(0..length);
            shuffle(text, branch)
        });
        let factorial: usize = (1..=usize::from(length)).product();
        assert_eq!(orders.len(), factorial);
        assert!(orders.values().all(|probability| *probability == Ratio::new(1, u64::try_from(factorial).unwrap())));
    }
}

/// A wrong generator of real code, and a specification that shows it.
type Wrong = (&'static str, fn(&PasswordSpec, &mut Branch<'_>) -> Vec<u8>, PasswordSpec);

fn choose(set: CharSet, branch: &mut Branch<'_>) -> u8 {
    let characters: Vec<u8> = set.bytes().collect();
    let Ok(index) = branch.below(characters.len());
    characters[index]
}

/// The required characters of each set, then characters of the pool.
fn place(spec: &PasswordSpec, branch: &mut Branch<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    for Requirement { characters, min } in &spec.requirements {
        text.extend((0..*min).map(|_| choose(*characters, branch)));
    }
    while text.len() < usize::from(spec.length) {
        text.push(choose(spec.pool, branch));
    }
    text
}

fn place_and_shuffle(spec: &PasswordSpec, branch: &mut Branch<'_>) -> Vec<u8> {
    let mut text = place(spec, branch);
    let Ok(()) = shuffle(&mut text, branch);
    text
}

/// Swaps each position with any other: n^n ways cannot give n! orders equally often.
fn shuffle_naively(spec: &PasswordSpec, branch: &mut Branch<'_>) -> Vec<u8> {
    let mut text: Vec<u8> = spec.pool.bytes().collect();
    for position in 0..text.len() {
        let Ok(other) = branch.below(text.len());
        text.swap(position, other);
    }
    text
}

/// The size of the pool does not divide 256.
fn take_byte_modulo(spec: &PasswordSpec, branch: &mut Branch<'_>) -> Vec<u8> {
    let pool: Vec<u8> = spec.pool.bytes().collect();
    let mut byte = || branch.below(256).map(|byte| pool[byte % pool.len()]);
    (0..spec.length).map(|_| byte().unwrap()).collect()
}

fn ignore_max_repeating(spec: &PasswordSpec, branch: &mut Branch<'_>) -> Vec<u8> {
    place(&PasswordSpec { max_repeating: None, ..spec.clone() }, branch)
}

/// The class of the first character is drawn first, without regard to the sizes of the classes.
fn start_by_class(spec: &PasswordSpec, branch: &mut Branch<'_>) -> Vec<u8> {
    let class = if branch.below(2) == Ok(0) { "abc" } else { "AB" };
    let first = choose(CharSet::from_text(class).intersection(spec.first()), branch);
    let others = (1..spec.length).map(|_| choose(spec.pool, branch));
    std::iter::once(first).chain(others).collect()
}

/// The classes that appear are drawn first, without regard to the numbers of texts.
fn classes_equally_likely(spec: &PasswordSpec, branch: &mut Branch<'_>) -> Vec<u8> {
    let cases = spec.cases();
    let Ok(case) = branch.below(cases.len());
    let sampler = Sampler::new(cases[case].clone(), &mut WorkBudget::new(1)).unwrap();
    let Ok(drawn) = sampler.draw_case(branch);
    let mut text = Vec::new();
    let Ok(_) = drawn.draw(branch, &mut text);
    text
}

/// The number of characters of the first set, weighted with C(n, c + 1) instead of C(n, c).
fn weigh_wrongly(spec: &PasswordSpec, branch: &mut Branch<'_>) -> Vec<u8> {
    let length = usize::from(spec.length);
    let [one, other] = [0, 1].map(|index| spec.requirements[index].characters);
    let ways = |taken: usize| {
        let choose = (0..=taken).fold(1, |product, step| product * (length - step) / (step + 1));
        let power = |set: CharSet, exponent: usize| BigUint::from(set.len()).pow(exponent.try_into().unwrap());
        power(one, taken) * power(other, length - taken) * choose
    };
    let weights = || (1..length).map(ways);
    let table = CumulativeTable::new(weights(), PRECISION_BITS);
    let Ok(index) = branch.by_weight(&table, weights);
    let sets = (0..length).map(|position| if position <= index { one } else { other });
    let mut text: Vec<u8> = sets.map(|set| choose(set, branch)).collect();
    let Ok(()) = shuffle(&mut text, branch);
    text
}

/// All texts of a length over a pool, without constraints.
fn any(length: u16, pool: &str) -> PasswordSpec {
    PasswordSpec {
        length,
        pool: CharSet::from_text(pool),
        requirements: Vec::new(),
        min_classes: None,
        max_repeating: None,
        max_sequential: None,
        no_repeats: false,
        start: None,
    }
}

/// Sequences of three and more neighbours, which few of the random specifications have.
#[test]
fn every_branch_of_runs_over_sequences_leads_to_a_uniform_distribution() {
    let mut proved = 0;
    for pool in ["abc", "abcd", "abcA", "abcde"] {
        for length in 1..=6 {
            for repeating in 1..=3 {
                for sequential in 1..=4 {
                    for start in [None, Some("bA")] {
                        let spec = PasswordSpec {
                            max_repeating: Some(repeating),
                            max_sequential: Some(sequential),
                            start: start.map(CharSet::from_text),
                            ..any(length, pool)
                        };
                        proved += usize::from(check_runs(&spec, &mut WorkBudget::new(1)));
                    }
                }
            }
        }
    }
    assert!(proved >= 560, "{proved}");
}

#[test]
fn wrong_generators_are_rejected_by_a_fraction() {
    let each = |sets: &[&str]| {
        sets.iter().map(|set| Requirement { characters: CharSet::from_text(set), min: 1 }).collect::<Vec<_>>()
    };
    let required = PasswordSpec { requirements: each(&["ab", "01"]), ..any(4, "ab01") };
    let classes = MinClasses { classes: ["ab", "A", "0"].map(CharSet::from_text).into(), min: 2 };
    let wrong: [Wrong; 8] = [
        ("place and shuffle", place_and_shuffle, required.clone()),
        ("place without shuffle", place, required.clone()),
        ("naive shuffle", shuffle_naively, PasswordSpec { no_repeats: true, ..any(4, "abcd") }),
        ("byte modulo the size of the pool", take_byte_modulo, any(2, "abc")),
        ("weights of the neighbour", weigh_wrongly, required),
        ("limit on runs ignored", ignore_max_repeating, PasswordSpec { max_repeating: Some(1), ..any(4, "abc") }),
        (
            "start by class",
            start_by_class,
            PasswordSpec { start: Some(CharSet::from_text("abcAB")), ..any(3, "abcAB0") },
        ),
        (
            "classes equally likely",
            classes_equally_likely,
            PasswordSpec { min_classes: Some(classes), ..any(3, "abA0") },
        ),
    ];
    for (name, generator, spec) in wrong {
        let drawn = distribution(|branch, text| {
            text.extend(generator(&spec, branch));
            Ok(())
        });
        assert_ne!(drawn, uniform(&passwords(&spec)), "{name}");
        let sampler = Sampler::new(spec.clone(), &mut WorkBudget::new(1)).unwrap();
        assert_eq!(distribution_of_sampler(&sampler), uniform(&passwords(&spec)), "{name}");
    }
}

/// The numbers of passwords of each length up to that of a specification, found by checking all texts.
fn listed(spec: &PasswordSpec) -> Vec<BigUint> {
    let of_length = |length| PasswordSpec { length, ..spec.clone() };
    (1..=spec.length).map(|length| passwords(&of_length(length)).len().into()).collect()
}

/// Sequences of up to five neighbours, which the random specifications do not have.
#[test]
fn counts_of_all_lengths_are_the_numbers_of_listed_passwords() {
    let mut random = StdRng::seed_from_u64(3);
    let set =
        |random: &mut StdRng| "abcdeAB01!".bytes().filter(|byte| *byte == b'b' || random.random()).collect::<CharSet>();
    let limit = |random: &mut StdRng| random.random_bool(0.6).then(|| random.random_range(1..=3));
    let mut counted = 0;
    while counted < 600 {
        let requirement =
            |random: &mut StdRng| Requirement { characters: set(random), min: random.random_range(1..=3) };
        let spec = PasswordSpec {
            length: random.random_range(1..=5),
            pool: set(&mut random),
            requirements: (0..random.random_range(0..4)).map(|_| requirement(&mut random)).collect(),
            min_classes: random.random_bool(0.2).then(|| MinClasses {
                classes: ["abc", "de", "AB", "01!"].map(CharSet::from_text).into(),
                min: random.random_range(1..=3),
            }),
            max_repeating: limit(&mut random),
            max_sequential: limit(&mut random),
            no_repeats: false,
            start: random.random_bool(0.4).then(|| set(&mut random)),
        };
        if spec.pool.len().pow(u32::from(spec.length)) > 20_000 {
            continue;
        }
        match counts(&spec, 1, &mut WorkBudget::new(1)) {
            Ok(counts) => {
                let counts: Vec<BigUint> = counts.iter().map(|count| count.as_biguint().clone()).collect();
                assert_eq!(counts, listed(&spec), "{spec:?}");
                counted += 1;
            }
            Err(_) => assert!(spec.limits_sequences() && spec.requirements.iter().any(|one| one.min > 1), "{spec:?}"),
        }
    }
}
