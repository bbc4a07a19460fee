//! A specification as a regular expression that accepts exactly its texts.

use super::charset::CharSet;
use super::spec::PasswordSpec;

/// Writes an ECMA-262 regular expression that accepts exactly the texts of the specification. It is valid with the flag
/// `u`, with `v`, and without flags.
///
/// One lookahead for each constraint is followed by the pool and the length:
/// `^(?=(?:[^0-9]*[0-9]){2})[0-9a-z]{16}$`.
#[must_use]
pub fn regular_expression(spec: &PasswordSpec) -> String {
    let start = spec.start.map(|start| format!("(?={})", set(start.intersection(spec.pool))));
    let repetitions = if spec.no_repeats {
        // The length comes first, because looking for a repeated character takes quadratic time.
        Some(format!(r"(?=.{{{}}}$)(?!.*(.).*\1)", spec.length))
    } else {
        spec.limits_repetitions().then(|| format!(r"(?!.*(.)\1{{{}}})", spec.longest_repetition()))
    };
    let sequences = spec.limits_sequences().then(|| no_sequence(spec.pool, spec.longest_sequence() + 1));
    let order = [repetitions, sequences].into_iter().flatten();
    let requirements = spec.requirements.iter().filter(|one| one.min > 0);
    let requirements = requirements.map(|one| at_least(one.min, one.characters.intersection(spec.pool)));
    let min_classes = spec.min_classes.as_ref().map(|min_classes| {
        let choices = (0..1_u32 << min_classes.classes.len())
            .filter(|choice| usize::try_from(choice.count_ones()).is_ok_and(|count| count == min_classes.min))
            .map(|choice| {
                let chosen = min_classes.classes.iter().enumerate().filter(|(index, _)| choice >> index & 1 == 1);
                chosen.map(|(_, class)| at_least(1, *class)).collect()
            });
        format!("(?:{})", choices.collect::<Vec<String>>().join("|"))
    });
    let lookaheads: String = start.into_iter().chain(order).chain(requirements).chain(min_classes).collect();
    format!("^{lookaheads}{}{{{}}}$", set(spec.pool), spec.length)
}

/// A lookahead for at least `min` characters of a set.
fn at_least(min: u16, characters: CharSet) -> String {
    let (inside, outside) = (set(characters), format!("[^{}]", members(characters)));
    match min {
        1 => format!("(?={outside}*{inside})"),
        min => format!("(?=(?:{outside}*{inside}){{{min}}})"),
    }
}

/// A lookahead for no `length` neighbours in a row: it lists them all, upwards and downwards.
fn no_sequence(pool: CharSet, length: usize) -> String {
    let sequences = pool.sequences();
    let upwards = sequences.iter().flat_map(|sequence| sequence.windows(length));
    let both = upwards.flat_map(|upwards| {
        let text = |bytes: &mut dyn Iterator<Item = &u8>| bytes.map(|byte| char::from(*byte)).collect::<String>();
        [text(&mut upwards.iter()), text(&mut upwards.iter().rev())]
    });
    format!("(?!.*(?:{}))", both.collect::<Vec<_>>().join("|"))
}

fn set(characters: CharSet) -> String {
    format!("[{}]", members(characters))
}

/// The inside of a character class, with a range for three or more consecutive letters or digits.
fn members(characters: CharSet) -> String {
    let mut text = String::new();
    for sequence in characters.sequences() {
        match sequence.as_slice() {
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

#[cfg(test)]
mod tests {
    use super::regular_expression;
    use crate::password::charset::CharSet;
    use crate::password::spec::PasswordSpec;

    /// Without it a validator would look for repeated characters in texts of any length, in quadratic time.
    #[test]
    fn expression_of_no_repeats_checks_the_length_first() {
        let spec = PasswordSpec {
            length: 3,
            pool: CharSet::from_text("abcd"),
            requirements: Vec::new(),
            min_classes: None,
            max_repeating: None,
            max_sequential: None,
            no_repeats: true,
            start: None,
        };
        assert_eq!(regular_expression(&spec), r"^(?=.{3}$)(?!.*(.).*\1)[a-d]{3}$");
    }
}
