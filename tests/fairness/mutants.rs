//! Generators that are wrong, each as it is found in the wild, to see the tests fail for them.

use passloom::password::{Sampler, Shape};
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};

use crate::source::{Source, draw};

/// A generator of texts for a shape.
pub type Mutant = fn(&Shape, &mut Source) -> String;

/// As many of each set as there must be, the rest from all of them.
fn place(shape: &Shape, source: &mut Source) -> Vec<u8> {
    let mut text: Vec<u8> = Vec::new();
    for requirement in &shape.requirements {
        let characters: Vec<u8> = requirement.characters.bytes().collect();
        text.extend((0..requirement.minimum).filter_map(|_| characters.choose(source)));
    }
    let pool: Vec<u8> = shape.pool.bytes().collect();
    while text.len() < usize::from(shape.length) {
        text.extend(pool.choose(source));
    }
    text
}

fn string(text: Vec<u8>) -> String {
    String::from_utf8(text).unwrap()
}

/// The usual way: compliant, and not uniform.
pub fn place_and_shuffle(shape: &Shape, source: &mut Source) -> String {
    let mut text = place(shape, source);
    text.shuffle(source);
    string(text)
}

/// The same with the shuffle forgotten.
pub fn place_without_shuffle(shape: &Shape, source: &mut Source) -> String {
    string(place(shape, source))
}

/// A right draw, then every position swapped with any: n^n ways for n! orders.
pub fn naive_shuffle(shape: &Shape, source: &mut Source) -> String {
    let mut text = place(shape, source);
    for position in 0..text.len() {
        let other = source.random_range(0..text.len());
        text.swap(position, other);
    }
    string(text)
}

/// 256 bytes over a pool whose size does not divide 256.
pub fn byte_modulo(shape: &Shape, source: &mut Source) -> String {
    let pool: Vec<u8> = shape.pool.bytes().collect();
    let byte = |source: &mut Source| {
        let mut byte = [0];
        source.fill_bytes(&mut byte);
        usize::from(byte[0])
    };
    string((0..shape.length).map(|_| pool[byte(source) % pool.len()]).collect())
}

/// How many of the first set is drawn with C(n, c + 1) in place of C(n, c).
pub fn table_off_by_one(shape: &Shape, source: &mut Source) -> String {
    let length = usize::from(shape.length);
    let [one, other] = [0, 1].map(|index| shape.requirements[index].characters.bytes().collect::<Vec<u8>>());
    let ways = |taken: usize| {
        let choose = (0..=taken).fold(1, |product, step| product * (length - step) / (step + 1));
        choose * one.len().pow(u32::try_from(taken).unwrap()) * other.len().pow(u32::try_from(length - taken).unwrap())
    };
    let mut ticket = source.random_range(0..(1..length).map(ways).sum());
    let taken = (1..length)
        .find(|&taken| {
            let here = ticket < ways(taken);
            ticket = ticket.saturating_sub(ways(taken));
            here
        })
        .unwrap();
    let mut text: Vec<u8> = (0..taken).filter_map(|_| one.choose(source)).copied().collect();
    text.extend((taken..length).filter_map(|_| other.choose(source)));
    text.shuffle(source);
    string(text)
}

/// Uniform over too much.
pub fn without_run_rule(shape: &Shape, source: &mut Source) -> String {
    draw(&Sampler::new(Shape { max_consecutive: None, ..shape.clone() }).unwrap(), source)
}

/// The first character by class, each class equally likely, whatever their sizes.
pub fn start_class_first(shape: &Shape, source: &mut Source) -> String {
    let first: Vec<u8> = shape.start.unwrap().bytes().collect();
    let lowercase = source.random::<bool>();
    let first: Vec<u8> = first.into_iter().filter(|byte| byte.is_ascii_lowercase() == lowercase).collect();
    let pool: Vec<u8> = shape.pool.bytes().collect();
    let rest = (1..shape.length).filter_map(|_| pool.choose(source).copied()).collect::<Vec<_>>();
    string([vec![*first.choose(source).unwrap()], rest].concat())
}

/// Which classes appear first, each choice equally likely, then a text with just those.
pub fn cases_equally_likely(shape: &Shape, source: &mut Source) -> String {
    let classes = &shape.variety.as_ref().unwrap().classes;
    let choice = source.random_range(1..1_u32 << classes.len());
    let chosen = classes.iter().enumerate().filter(|(index, _)| choice >> index & 1 == 1);
    let mut case = Shape { variety: None, pool: passloom::password::CharSet::default(), ..shape.clone() };
    for (_, class) in chosen {
        case.pool = case.pool.union(*class);
        case.requirements.push(passloom::password::Requirement { characters: *class, minimum: 1 });
    }
    draw(&Sampler::new(case).unwrap(), source)
}
