//! Does a text satisfy a shape? Shares no code with the sampler: it looks at the text character by
//! character and knows nothing of counts, tables or bits.

use zeroize::Zeroizing;

use super::alphabet::CharSet;
use super::shape::Shape;

/// What is wrong with a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// It is shorter or longer than it should be.
    Length,
    /// A character stands in it that is not in the pool.
    Character,
    /// It holds too few characters of the requirement with this index.
    Requirement(usize),
    /// It holds characters of too few classes.
    Variety,
    /// It holds too many of one character in a row.
    MaxConsecutive,
    /// It holds a character twice.
    NoRepeats,
    /// It begins with a character that may not stand first.
    Start,
}

/// Checks `text` against `shape`.
///
/// # Errors
/// The first [`Violation`] found.
pub fn verify(shape: &Shape, text: &str) -> Result<(), Violation> {
    let characters: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
    if characters.len() != usize::from(shape.length) {
        return Err(Violation::Length);
    }
    let pool = shape.pool.to_string();
    let mut run = 0;
    for (index, &character) in characters.iter().enumerate() {
        if !pool.contains(character) {
            return Err(Violation::Character);
        }
        if index == 0 && shape.start.is_some_and(|start| !start.to_string().contains(character)) {
            return Err(Violation::Start);
        }
        run = if index > 0 && characters[index - 1] == character { run + 1 } else { 1 };
        if shape.max_consecutive.is_some_and(|most| run > usize::from(most)) {
            return Err(Violation::MaxConsecutive);
        }
        if shape.no_repeats && characters[..index].contains(&character) {
            return Err(Violation::NoRepeats);
        }
    }
    let count = |set: CharSet| {
        let set = set.to_string();
        characters.iter().filter(|&&character| set.contains(character)).count()
    };
    for (index, requirement) in shape.requirements.iter().enumerate() {
        if count(requirement.characters) < usize::from(requirement.minimum) {
            return Err(Violation::Requirement(index));
        }
    }
    if let Some(variety) = &shape.variety
        && variety.classes.iter().filter(|&&class| count(class) > 0).count() < variety.least
    {
        return Err(Violation::Variety);
    }
    Ok(())
}
