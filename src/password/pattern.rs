//! A regular expression that accepts exactly the texts of a shape.

use super::alphabet::CharSet;
use super::shape::Shape;

/// Writes an ECMA-262 regular expression, good with the flags `u` and `v` and without, that accepts
/// exactly the texts of the shape.
///
/// Lookaheads say what the whole text must be like, one after the other; the end says what it is made
/// of: `^(?=(?:[^0-9]*[0-9]){2})[0-9a-z]{16}$`.
#[must_use]
pub fn regular_expression(shape: &Shape) -> String {
    let start = shape.start.map(|start| format!("(?={})", set(start.intersection(shape.pool))));
    // All that can stand last is all that stands before the end.
    let end = shape.end.map(|end| format!("(?=.*{}$)", set(end.intersection(shape.pool))));
    let order = if shape.no_repeats {
        Some(r"(?!.*(.).*\1)".to_owned())
    } else {
        shape.limits_runs().then(|| format!(r"(?!.*(.)\1{{{}}})", shape.longest_run()))
    };
    let requirements = shape.requirements.iter().filter(|one| one.minimum > 0);
    let requirements = requirements.map(|one| at_least(one.minimum, one.characters.intersection(shape.pool)));
    let variety = shape.variety.as_ref().map(|variety| {
        let choices = (0..1_u32 << variety.classes.len())
            .filter(|choice| usize::try_from(choice.count_ones()).is_ok_and(|count| count == variety.least))
            .map(|choice| {
                let chosen = variety.classes.iter().enumerate().filter(|(index, _)| choice >> index & 1 == 1);
                chosen.map(|(_, class)| at_least(1, *class)).collect()
            });
        format!("(?:{})", choices.collect::<Vec<String>>().join("|"))
    });
    let demands: String = start.into_iter().chain(end).chain(order).chain(requirements).chain(variety).collect();
    format!("^{demands}{}{{{}}}$", set(shape.pool), shape.length)
}

/// That so many characters of a set are to come.
fn at_least(minimum: u16, characters: CharSet) -> String {
    let (inside, outside) = (set(characters), format!("[^{}]", members(characters)));
    match minimum {
        1 => format!("(?={outside}*{inside})"),
        minimum => format!("(?=(?:{outside}*{inside}){{{minimum}}})"),
    }
}

fn set(characters: CharSet) -> String {
    format!("[{}]", members(characters))
}

/// The inside of a character class, with ranges where three letters or digits or more follow on one
/// another.
fn members(characters: CharSet) -> String {
    let mut text = String::new();
    let bytes: Vec<u8> = characters.bytes().collect();
    for run in
        bytes.chunk_by(|one, next| one + 1 == *next && one.is_ascii_alphanumeric() && next.is_ascii_alphanumeric())
    {
        match run {
            [first, _, .., last] => text.extend([char::from(*first), '-', char::from(*last)]),
            few => {
                for &byte in few {
                    if br"\]^-[(){}/|".contains(&byte) {
                        text.push('\\');
                    }
                    text.push(char::from(byte));
                }
            }
        }
    }
    text
}
