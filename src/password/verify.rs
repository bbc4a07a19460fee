//! Checks a text against a specification. It shares no code with the sampler: it reads the text character by character,
//! without counts or tables.

use std::ops::RangeInclusive;

use zeroize::Zeroizing;

use super::charset::CharSet;
use super::spec::PasswordSpec;

/// A constraint that a text violates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SpecViolation {
    /// It is shorter or longer than required.
    Length,
    /// It has a character that is not in the pool.
    Character,
    /// It has too few characters of the requirement with this index.
    Requirement(usize),
    /// It has characters of too few classes.
    MinClasses,
    /// It has too many identical characters in a row.
    MaxRepeating,
    /// It has too many neighbours of a-z, A-Z or 0-9 in a row.
    MaxSequential,
    /// It has a character twice.
    NoRepeats,
    /// Its first character may not be first.
    Start,
}

/// Checks `text` against `spec`.
///
/// # Errors
/// The first [`SpecViolation`] found.
pub fn verify(spec: &PasswordSpec, text: &str) -> Result<(), SpecViolation> {
    violations(spec, text).first().map_or(Ok(()), |violation| Err(*violation))
}

/// Every violation of `text`, each at most once.
pub(super) fn violations(spec: &PasswordSpec, text: &str) -> Vec<SpecViolation> {
    let characters: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
    let among = |set: CharSet, character: &char| u8::try_from(*character).is_ok_and(|byte| set.contains(byte));
    let count = |set: CharSet| characters.iter().filter(|character| among(set, character)).count();
    let mut found = Vec::new();
    let mut check = |holds: bool, violation| {
        if !holds {
            found.push(violation);
        }
    };
    check(characters.len() == usize::from(spec.length), SpecViolation::Length);
    check(count(spec.pool) == characters.len(), SpecViolation::Character);
    let starts_well = |start| characters.first().is_some_and(|first| among(start, first));
    check(spec.start.is_none_or(starts_well), SpecViolation::Start);
    let (mut same, mut up, mut down) = (1, 1, 1);
    let (mut longest_repetition, mut longest_sequence) = (1, 1);
    for pair in characters.windows(2) {
        let [one, next] = [pair[0], pair[1]].map(u32::from);
        let is_within = |kind: RangeInclusive<char>| pair.iter().all(|character| kind.contains(character));
        let of_one_kind = is_within('a'..='z') || is_within('A'..='Z') || is_within('0'..='9');
        same = if next == one { same + 1 } else { 1 };
        up = if of_one_kind && next == one + 1 { up + 1 } else { 1 };
        down = if of_one_kind && next + 1 == one { down + 1 } else { 1 };
        longest_repetition = longest_repetition.max(same);
        longest_sequence = longest_sequence.max(up).max(down);
    }
    let keeps = |limit: Option<u16>, longest: u32| limit.is_none_or(|max| longest <= u32::from(max));
    check(keeps(spec.max_repeating, longest_repetition), SpecViolation::MaxRepeating);
    check(keeps(spec.max_sequential, longest_sequence), SpecViolation::MaxSequential);
    let repeats = || {
        let mut sorted = characters.clone();
        sorted.sort_unstable();
        sorted.windows(2).any(|pair| pair[0] == pair[1])
    };
    check(!spec.no_repeats || !repeats(), SpecViolation::NoRepeats);
    for (index, requirement) in spec.requirements.iter().enumerate() {
        check(count(requirement.characters) >= usize::from(requirement.min), SpecViolation::Requirement(index));
    }
    if let Some(min_classes) = &spec.min_classes {
        let classes = min_classes.classes.iter().filter(|class| count(**class) > 0).count();
        check(classes >= min_classes.min, SpecViolation::MinClasses);
    }
    found
}
