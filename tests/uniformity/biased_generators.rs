//! Biased generators, as found in real code. They show that the tests of uniformity detect their bias.

use passloom::password::PasswordSpec;
use rand::seq::{IndexedRandom, SliceRandom};
use rand::{Rng, RngExt};

use crate::random_source::Source;

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
