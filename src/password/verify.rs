//! Checks a text against a specification. It shares no code with the sampler: it reads the text character by character,
//! without counts or tables.

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
    MaxConsecutive,
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
#[must_use]
pub fn violations(spec: &PasswordSpec, text: &str) -> Vec<SpecViolation> {
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
    let mut run = 0;
    let mut longest = 0;
    for (index, character) in characters.iter().enumerate() {
        run = if index > 0 && characters[index - 1] == *character { run + 1 } else { 1 };
        longest = longest.max(run);
    }
    check(spec.max_consecutive.is_none_or(|max| longest <= usize::from(max)), SpecViolation::MaxConsecutive);
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
