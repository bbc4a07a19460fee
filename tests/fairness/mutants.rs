//! Generators that are wrong, to see the tests fail for them.

use passloom::password::Policy;
use rand::CryptoRng;
use rand::seq::{IndexedRandom, SliceRandom};

/// As many of each class as it must have, the rest from all of them, then a good shuffle: compliant,
/// and not uniform.
pub fn place_and_shuffle(policy: &Policy, random: &mut impl CryptoRng) -> String {
    let mut text: Vec<u8> = Vec::new();
    for requirement in policy.requirements() {
        let characters: Vec<u8> = requirement.allowed.bytes().collect();
        text.extend((0..requirement.minimum).filter_map(|_| characters.choose(random)));
    }
    let pool: Vec<u8> = policy.pool().bytes().collect();
    while text.len() < usize::from(policy.length()) {
        text.extend(pool.choose(random));
    }
    text.shuffle(random);
    text.into_iter().map(char::from).collect()
}
