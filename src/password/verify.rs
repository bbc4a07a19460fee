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
    /// It ends with a character that may not stand last.
    End,
}

/// Checks `text` against `shape`.
///
/// # Errors
/// The first [`Violation`] found.
pub fn verify(shape: &Shape, text: &str) -> Result<(), Violation> {
    violations(shape, text).first().map_or(Ok(()), |violation| Err(*violation))
}

/// Everything that is wrong with `text`, each kind of it once.
#[must_use]
pub fn violations(shape: &Shape, text: &str) -> Vec<Violation> {
    let characters: Zeroizing<Vec<char>> = Zeroizing::new(text.chars().collect());
    let among = |set: CharSet, character: &char| u8::try_from(*character).is_ok_and(|byte| set.contains(byte));
    let count = |set: CharSet| characters.iter().filter(|character| among(set, character)).count();
    let mut found = Vec::new();
    let mut holds = |good: bool, violation| {
        if !good {
            found.push(violation);
        }
    };
    holds(characters.len() == usize::from(shape.length), Violation::Length);
    holds(count(shape.pool) == characters.len(), Violation::Character);
    let may_stand = |place: Option<&char>, set: Option<CharSet>| match (place, set) {
        (Some(character), Some(set)) => among(set, character),
        (None, Some(_)) => false,
        (_, None) => true,
    };
    holds(may_stand(characters.first(), shape.start), Violation::Start);
    holds(may_stand(characters.last(), shape.end), Violation::End);
    let mut run = 0;
    let mut longest = 0;
    let mut repeats = false;
    for (index, character) in characters.iter().enumerate() {
        run = if index > 0 && characters[index - 1] == *character { run + 1 } else { 1 };
        longest = longest.max(run);
        repeats |= shape.no_repeats && characters[..index].contains(character);
    }
    holds(shape.max_consecutive.is_none_or(|most| longest <= usize::from(most)), Violation::MaxConsecutive);
    holds(!repeats, Violation::NoRepeats);
    for (index, requirement) in shape.requirements.iter().enumerate() {
        holds(count(requirement.characters) >= usize::from(requirement.minimum), Violation::Requirement(index));
    }
    if let Some(variety) = &shape.variety {
        let classes = variety.classes.iter().filter(|class| count(**class) > 0).count();
        holds(classes >= variety.least, Violation::Variety);
    }
    found
}
