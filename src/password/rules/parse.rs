//! Reads password rules.
//!
//! The reference implementation ignores what it does not understand, even a `minlength`. This parser reports what is
//! wrong, and the position. It is lenient in one case, which real rules need: characters in brackets that are not
//! printable ASCII are ignored, because passwords are ASCII.

use std::num::IntErrorKind;

use thiserror::Error;

use super::cursor::{Cursor, Fault};
use super::password_rules::{PasswordRules, RuleSet, classes};
use crate::password::charset::CharSet;

/// Names of the rules, in the order in which errors list them.
const NAMES: [&str; 7] =
    ["minlength", "maxlength", "required", "allowed", "max-repeating", "max-sequential", "max-consecutive"];

/// Names that people write instead of classes, and the classes that they mean.
const MEANT: [(&str, &str); 10] = [
    ("lowercase", "lower"),
    ("uppercase", "upper"),
    ("letter", "lower, upper"),
    ("letters", "lower, upper"),
    ("digits", "digit"),
    ("number", "digit"),
    ("numbers", "digit"),
    ("symbol", "special"),
    ("symbols", "special"),
    ("ascii", "ascii-printable"),
];

/// What is wrong with password rules, and the position of the wrong character, counted from 1.
#[derive(Clone, Debug, Error, PartialEq)]
#[error("passwordrules, character {position}: {problem}")]
pub struct RulesError {
    pub position: usize,
    problem: String,
}

/// Parses password rules.
///
/// # Errors
/// An error with the position, and what is expected there.
pub fn parse(text: &str) -> Result<PasswordRules, RulesError> {
    read(&mut Cursor::new(text)).map_err(|Fault { at, problem }| {
        let position = text.char_indices().take_while(|(begin, _)| *begin < at).count() + 1;
        RulesError { position, problem }
    })
}

fn read(cursor: &mut Cursor<'_>) -> Result<PasswordRules, Fault> {
    let mut rules = PasswordRules::default();
    loop {
        skip_space(cursor);
        match cursor.peek() {
            None => return Ok(rules),
            Some(';') => drop(cursor.next()),
            Some(_) => read_rule(cursor, &mut rules)?,
        }
    }
}

fn read_rule(cursor: &mut Cursor<'_>, rules: &mut PasswordRules) -> Result<(), Fault> {
    let begin = cursor.at;
    let name = read_name(cursor);
    if !NAMES.contains(&name.as_str()) {
        return Err(Fault::new(begin, format!("unknown rule; the rules are {}", NAMES.join(", "))));
    }
    skip_space(cursor);
    if !cursor.eat(':') {
        return Err(Fault::new(cursor.at, "a colon is missing"));
    }
    skip_space(cursor);
    if matches!(cursor.peek(), None | Some(';')) {
        return Err(Fault::new(cursor.at, "a value is missing"));
    }
    let value = cursor.at;
    match name.as_str() {
        // Of several rules, the strictest counts.
        "minlength" => rules.min_length = rules.min_length.max(read_number(cursor, 0)?),
        "maxlength" => rules.max_length = smaller(rules.max_length, read_number(cursor, 1)?),
        "max-repeating" => rules.max_repeating = smaller(rules.max_repeating, read_number(cursor, 1)?),
        "max-sequential" => rules.max_sequential = smaller(rules.max_sequential, read_number(cursor, 1)?),
        "max-consecutive" => {
            let limit = read_number(cursor, 1)?;
            rules.max_repeating = smaller(rules.max_repeating, limit);
            rules.max_sequential = smaller(rules.max_sequential, limit);
        }
        "required" => rules.required.push(read_classes(cursor)?),
        _ => rules.allowed = rules.allowed.union(read_classes(cursor)?),
    }
    if let (Some(min), Some(max)) = (rules.min_length, rules.max_length)
        && min > max
    {
        return Err(Fault::new(value, "minlength exceeds maxlength"));
    }
    skip_space(cursor);
    match cursor.peek() {
        None | Some(';') => Ok(()),
        Some(_) => Err(Fault::new(cursor.at, "a semicolon is missing")),
    }
}

fn read_name(cursor: &mut Cursor<'_>) -> String {
    cursor.take_while(|one| one.is_ascii_alphabetic() || one == '-').to_ascii_lowercase()
}

/// A whole number from 0 or 1. `None` if it is an upper limit above 65535, which is longer than any password.
fn read_number(cursor: &mut Cursor<'_>, min: u16) -> Result<Option<u16>, Fault> {
    let begin = cursor.at;
    match cursor.take_while(|one| one.is_ascii_digit()).parse() {
        Ok(number) if number >= min => Ok(Some(number)),
        Err(error) if min > 0 && *error.kind() == IntErrorKind::PosOverflow => Ok(None),
        _ => Err(Fault::new(begin, format!("the value must be a whole number from {min} to {}", u16::MAX))),
    }
}

/// Classes separated by commas: the characters of any of them.
fn read_classes(cursor: &mut Cursor<'_>) -> Result<RuleSet, Fault> {
    let mut all = RuleSet::default();
    loop {
        all = all.union(if cursor.peek() == Some('[') { read_set(cursor)?.into() } else { read_class(cursor)? });
        skip_space(cursor);
        if !cursor.eat(',') {
            return Ok(all);
        }
        skip_space(cursor);
    }
}

fn read_class(cursor: &mut Cursor<'_>) -> Result<RuleSet, Fault> {
    let begin = cursor.at;
    let name = read_name(cursor);
    let class = classes().into_iter().find(|(known, _)| *known == name);
    class.map(|(_, class)| class).ok_or_else(|| {
        let advice = match MEANT.iter().find(|(written, _)| *written == name) {
            Some((_, meant)) => format!("write \"{meant}\" instead"),
            None => {
                "the classes are upper, lower, digit, special, ascii-printable, unicode and sets in brackets".into()
            }
        };
        Fault::new(begin, format!("unknown class; {advice}"))
    })
}

/// Characters in brackets. A closing bracket is one of them if another closing bracket follows.
fn read_set(cursor: &mut Cursor<'_>) -> Result<CharSet, Fault> {
    let begin = cursor.at;
    cursor.next();
    let mut set = CharSet::default();
    let mut is_first = true;
    loop {
        let at = cursor.at;
        let Some(character) = cursor.next() else {
            return Err(Fault::new(begin, "the set has no closing bracket"));
        };
        if character == ']' {
            let set = if cursor.eat(']') { set.with(b']') } else { set };
            let problem = "the set has no printable ASCII character";
            return if set.is_empty() { Err(Fault::new(begin, problem)) } else { Ok(set) };
        }
        if character == '-' && !is_first {
            let problem = "a hyphen must be the first character of its set; ranges such as a-z are not supported";
            return Err(Fault::new(at, problem));
        }
        if let Some(byte) = u8::try_from(character).ok().filter(|byte| (b' '..=b'~').contains(byte)) {
            set = set.with(byte);
        }
        is_first = false;
    }
}

fn skip_space(cursor: &mut Cursor<'_>) {
    cursor.take_while(|one| one.is_ascii_whitespace());
}

/// The stricter of two limits.
fn smaller(one: Option<u16>, other: Option<u16>) -> Option<u16> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::parse;
    use crate::steps::assert_linear;

    /// The beginning of a text, the part that is repeated, and its end, which is often an error.
    #[test]
    fn hostile_rules_are_read_in_steps_proportional_to_their_length() {
        for (begin, part, end) in [
            ("", "required: [a];", ""),
            ("", "required: [a];", "required: [a"),
            ("", "required: [a], lower,", "upper"),
            ("required: [", "a", ""),
            ("required: [", "]", ""),
            ("required: [", "é", "-]"),
            ("required: ", "[", ""),
            ("required: ", "[a],", "[b-]"),
            ("allowed: ", "lower, ", "lowe"),
            ("allowed: ", "lower", ""),
            ("", "minlength: 8;", "minlength"),
            ("minlength: ", "1", ";"),
            ("max-consecutive: ", "9", "x"),
            ("", "required", ":"),
            ("required", " ", ": "),
            ("", ";", "x"),
            ("", " ", "x"),
        ] {
            for length in [0, 100, 10_000] {
                let text = format!("{begin}{}{end}", part.repeat(length / part.len()));
                assert_linear(&text, 4, || parse(&text));
            }
        }
    }
}
