//! Biased generators, as found in real code. They show that the tests of uniformity detect their bias.

use passloom::password::{CharSet, PasswordSpec, Requirement, Sampler, WorkBudget};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};

use crate::random_source::{Source, draw};

/// Generates one text for a specification.
pub type Generator = fn(&PasswordSpec, &mut Source) -> String;

/// The required characters of each set, then characters of the pool.
fn place(spec: &PasswordSpec, source: &mut Source) -> Vec<u8> {
    let mut text: Vec<u8> = Vec::new();
    for requirement in &spec.requirements {
        let characters: Vec<u8> = requirement.characters.bytes().collect();
        text.extend((0..requirement.min).filter_map(|_| characters.choose(source)));
    }
    let pool: Vec<u8> = spec.pool.bytes().collect();
    while text.len() < usize::from(spec.length) {
        text.extend(pool.choose(source));
    }
    text
}

fn string(text: Vec<u8>) -> String {
    String::from_utf8(text).unwrap()
}

/// The usual method: the texts satisfy the requirements, but those with more of the required characters are too likely.
pub fn place_and_shuffle(spec: &PasswordSpec, source: &mut Source) -> String {
    let mut text = place(spec, source);
    text.shuffle(source);
    string(text)
}

/// The same without the shuffle.
pub fn place_without_shuffle(spec: &PasswordSpec, source: &mut Source) -> String {
    string(place(spec, source))
}

/// A shuffle that swaps each position with any other: n^n ways cannot give n! orders equally often.
pub fn naive_shuffle(spec: &PasswordSpec, source: &mut Source) -> String {
    let mut text = place(spec, source);
    for position in 0..text.len() {
        let other = source.random_range(0..text.len());
        text.swap(position, other);
    }
    string(text)
}

/// A byte modulo the size of the pool, which does not divide 256.
pub fn byte_modulo(spec: &PasswordSpec, source: &mut Source) -> String {
    let pool: Vec<u8> = spec.pool.bytes().collect();
    let byte = |source: &mut Source| {
        let mut byte = [0];
        source.fill_bytes(&mut byte);
        usize::from(byte[0])
    };
    string((0..spec.length).map(|_| pool[byte(source) % pool.len()]).collect())
}

/// The number of characters of the first set, drawn with C(n, c + 1) instead of C(n, c).
pub fn table_off_by_one(spec: &PasswordSpec, source: &mut Source) -> String {
    let length = usize::from(spec.length);
    let [one, other] = [0, 1].map(|index| spec.requirements[index].characters.bytes().collect::<Vec<u8>>());
    let ways = |taken: usize| {
        let choose = (0..=taken).fold(1, |product, step| product * (length - step) / (step + 1));
        choose * one.len().pow(u32::try_from(taken).unwrap()) * other.len().pow(u32::try_from(length - taken).unwrap())
    };
    let mut rest = source.random_range(0..(1..length).map(ways).sum());
    let taken = (1..length)
        .find(|&taken| {
            let found = rest < ways(taken);
            rest = rest.saturating_sub(ways(taken));
            found
        })
        .unwrap();
    let mut text: Vec<u8> = (0..taken).filter_map(|_| one.choose(source)).copied().collect();
    text.extend((taken..length).filter_map(|_| other.choose(source)));
    text.shuffle(source);
    string(text)
}

/// A uniform draw that ignores `max_repeating`.
pub fn ignore_max_repeating(spec: &PasswordSpec, source: &mut Source) -> String {
    draw(&Sampler::new(PasswordSpec { max_repeating: None, ..spec.clone() }, &mut WorkBudget::new(1)).unwrap(), source)
}

/// The class of the first character is drawn first, without regard to the sizes of the classes.
pub fn start_by_class(spec: &PasswordSpec, source: &mut Source) -> String {
    let first: Vec<u8> = spec.start.unwrap().bytes().collect();
    let lowercase = source.random::<bool>();
    let first: Vec<u8> = first.into_iter().filter(|byte| byte.is_ascii_lowercase() == lowercase).collect();
    let pool: Vec<u8> = spec.pool.bytes().collect();
    let rest = (1..spec.length).filter_map(|_| pool.choose(source).copied()).collect::<Vec<_>>();
    string([vec![*first.choose(source).unwrap()], rest].concat())
}

/// The set of classes that appear is drawn first, without regard to the numbers of texts.
pub fn classes_equally_likely(spec: &PasswordSpec, source: &mut Source) -> String {
    let classes = &spec.min_classes.as_ref().unwrap().classes;
    let choice = source.random_range(1..1_u32 << classes.len());
    let chosen = classes.iter().enumerate().filter(|(index, _)| choice >> index & 1 == 1);
    let mut case = PasswordSpec { min_classes: None, pool: CharSet::default(), ..spec.clone() };
    for (_, class) in chosen {
        case.pool = case.pool.union(*class);
        case.requirements.push(Requirement { characters: *class, min: 1 });
    }
    draw(&Sampler::new(case, &mut WorkBudget::new(1)).unwrap(), source)
}
