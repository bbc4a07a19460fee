//! Does a text satisfy a policy? Shares no code with the sampler: it looks at the text character by
//! character and knows nothing of counts, tables or bits.

use super::alphabet::Class;
use super::policy::Policy;

/// What a text lacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Violation {
    /// It is shorter or longer than the policy says.
    Length,
    /// A character stands in it that the policy does not allow.
    Character,
    /// It holds too few characters of a class.
    Minimum(Class),
}

/// Checks `text` against `policy`.
///
/// # Errors
/// The first [`Violation`] found.
pub fn verify(policy: &Policy, text: &str) -> Result<(), Violation> {
    if text.chars().count() != usize::from(policy.length()) {
        return Err(Violation::Length);
    }
    let mut seen = [0_u16; 4];
    for character in text.chars() {
        let (slot, class) = match character {
            'a'..='z' => (0, Class::Lowercase),
            'A'..='Z' => (1, Class::Uppercase),
            '0'..='9' => (2, Class::Digits),
            _ => (3, Class::Special),
        };
        let Some(requirement) = policy.requirement(class) else {
            return Err(Violation::Character);
        };
        if !requirement.allowed.bytes().any(|byte| char::from(byte) == character) {
            return Err(Violation::Character);
        }
        seen[slot] += 1;
    }
    for requirement in policy.requirements() {
        let count = match requirement.class {
            Class::Lowercase => seen[0],
            Class::Uppercase => seen[1],
            Class::Digits => seen[2],
            Class::Special => seen[3],
        };
        if count < requirement.minimum {
            return Err(Violation::Minimum(requirement.class));
        }
    }
    Ok(())
}
