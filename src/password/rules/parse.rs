//! Reads password rules.
//!
//! The reference implementation ignores what it does not understand, even a `minlength`. This parser reports what is
//! wrong, and the position. It is lenient in one case, which real rules need: characters in brackets that are not
//! printable ASCII are ignored, because passwords are ASCII.

use std::fmt;

use super::password_rules::{PasswordRules, RuleSet};
use crate::password::charset::{CharSet, Class, printable};

/// Names of the rules, in the order in which errors list them.
const NAMES: [&str; 7] =
    ["minlength", "maxlength", "required", "allowed", "max-repeating", "max-sequential", "max-consecutive"];
/// Names of the classes.
const CLASSES: [&str; 6] = ["upper", "lower", "digit", "special", "ascii-printable", "unicode"];

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

/// What is wrong with password rules, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesError {
    /// The position of the wrong character, counted from 1.
    pub position: usize,
    /// What is wrong there.
    pub kind: RulesErrorKind,
}

/// What is wrong at a position in password rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesErrorKind {
    /// No rule has this name.
    UnknownRule,
    /// No colon follows the name of a rule.
    NoColon,
    /// A rule has no value.
    NoValue,
    /// No class has this name.
    UnknownClass {
        /// The class that is probably meant.
        meant: Option<&'static str>,
    },
    /// A set in brackets is not closed.
    UnclosedSet,
    /// A set in brackets has no printable ASCII character.
    EmptySet,
    /// A hyphen in a set is not its first character.
    HyphenInside,
    /// No semicolon follows a value.
    NoSeparator,
    /// A value is not a whole number in its range.
    NotInRange {
        /// The smallest valid value.
        min: u16,
        /// The largest valid value.
        max: u16,
    },
    /// `minlength` exceeds `maxlength`.
    MinAboveMax,
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "passwordrules, character {}: ", self.position)?;
        match self.kind {
            RulesErrorKind::UnknownRule => write!(f, "unknown rule; the rules are {}", NAMES.join(", ")),
            RulesErrorKind::NoColon => f.write_str("a colon is missing"),
            RulesErrorKind::NoValue => f.write_str("a value is missing"),
            RulesErrorKind::UnknownClass { meant: Some(meant) } => {
                write!(f, "unknown class; write \"{meant}\" instead")
            }
            RulesErrorKind::UnknownClass { meant: None } => {
                write!(f, "unknown class; the classes are {} and sets in brackets", CLASSES.join(", "))
            }
            RulesErrorKind::UnclosedSet => f.write_str("the set has no closing bracket"),
            RulesErrorKind::EmptySet => f.write_str("the set has no printable ASCII character"),
            RulesErrorKind::HyphenInside => {
                f.write_str("a hyphen must be the first character of its set; ranges such as a-z are not supported")
            }
            RulesErrorKind::NoSeparator => f.write_str("a semicolon is missing"),
            RulesErrorKind::NotInRange { min, max } => {
                write!(f, "the value must be a whole number from {min} to {max}")
            }
            RulesErrorKind::MinAboveMax => f.write_str("minlength exceeds maxlength"),
        }
    }
}

/// Parses password rules.
///
/// # Errors
/// A [`RulesError`] with the position, and what is expected there.
pub fn parse(text: &str) -> Result<PasswordRules, RulesError> {
    Parser::new(text).rules()
}

/// A text and the position of the next character.
struct Parser {
    text: Vec<char>,
    at: usize,
}

impl Parser {
    fn new(text: &str) -> Self {
        Self { text: text.chars().collect(), at: 0 }
    }

    fn rules(mut self) -> Result<PasswordRules, RulesError> {
        let mut rules = PasswordRules::default();
        loop {
            self.skip_space();
            match self.peek() {
                None => break,
                Some(';') => self.at += 1,
                Some(_) => self.rule(&mut rules)?,
            }
        }
        Ok(rules)
    }

    fn rule(&mut self, rules: &mut PasswordRules) -> Result<(), RulesError> {
        let begin = self.at;
        let name = self.name();
        if !NAMES.contains(&name.as_str()) {
            return Err(error(begin, RulesErrorKind::UnknownRule));
        }
        self.skip_space();
        if self.peek() != Some(':') {
            return Err(self.error_here(RulesErrorKind::NoColon));
        }
        self.at += 1;
        self.skip_space();
        if matches!(self.peek(), None | Some(';')) {
            return Err(self.error_here(RulesErrorKind::NoValue));
        }
        let value = self.at;
        match name.as_str() {
            // Of several rules, the strictest counts.
            "minlength" => rules.min_length = rules.min_length.max(Some(self.number(0)?)),
            "maxlength" => rules.max_length = smaller(rules.max_length, self.upper_limit()?),
            "max-repeating" => rules.max_repeating = smaller(rules.max_repeating, self.upper_limit()?),
            "max-sequential" => rules.max_sequential = smaller(rules.max_sequential, self.upper_limit()?),
            "max-consecutive" => {
                let limit = self.upper_limit()?;
                rules.max_repeating = smaller(rules.max_repeating, limit);
                rules.max_sequential = smaller(rules.max_sequential, limit);
            }
            "required" => rules.required.push(self.classes()?),
            _ => rules.allowed = rules.allowed.union(self.classes()?),
        }
        if let (Some(min), Some(max)) = (rules.min_length, rules.max_length)
            && min > max
        {
            return Err(error(value, RulesErrorKind::MinAboveMax));
        }
        self.skip_space();
        match self.peek() {
            None | Some(';') => Ok(()),
            Some(_) => Err(self.error_here(RulesErrorKind::NoSeparator)),
        }
    }

    fn name(&mut self) -> String {
        self.take_while(|one| one.is_ascii_alphabetic() || one == '-').to_ascii_lowercase()
    }

    fn number(&mut self, min: u16) -> Result<u16, RulesError> {
        let begin = self.at;
        let digits = self.digits();
        let number = digits.parse().ok().filter(|number| *number >= min);
        number.ok_or(error(begin, RulesErrorKind::NotInRange { min, max: u16::MAX }))
    }

    /// A limit from 1; `None` if it is above 65535, which is longer than any password.
    fn upper_limit(&mut self) -> Result<Option<u16>, RulesError> {
        let begin = self.at;
        let digits = self.digits();
        if !digits.is_empty() && digits.parse::<u16>().is_err() {
            return Ok(None);
        }
        self.at = begin;
        self.number(1).map(Some)
    }

    fn digits(&mut self) -> String {
        self.take_while(|one| one.is_ascii_digit())
    }

    /// Classes separated by commas: the characters of any of them.
    fn classes(&mut self) -> Result<RuleSet, RulesError> {
        let mut all = RuleSet::default();
        loop {
            all = all.union(if self.peek() == Some('[') { self.set()?.into() } else { self.class()? });
            self.skip_space();
            if self.peek() != Some(',') {
                return Ok(all);
            }
            self.at += 1;
            self.skip_space();
        }
    }

    fn class(&mut self) -> Result<RuleSet, RulesError> {
        let begin = self.at;
        let name = self.name();
        match name.as_str() {
            "upper" => Ok(Class::Uppercase.characters().into()),
            "lower" => Ok(Class::Lowercase.characters().into()),
            "digit" => Ok(Class::Digits.characters().into()),
            "special" => Ok(RuleSet::special()),
            "ascii-printable" => Ok(printable().into()),
            "unicode" => Ok(RuleSet::unicode()),
            _ => {
                let meant = MEANT.iter().find(|(written, _)| *written == name).map(|(_, class)| *class);
                Err(error(begin, RulesErrorKind::UnknownClass { meant }))
            }
        }
    }

    /// Characters in brackets. A closing bracket is one of them if another closing bracket follows.
    fn set(&mut self) -> Result<CharSet, RulesError> {
        let begin = self.at;
        let mut set = CharSet::default();
        loop {
            self.at += 1;
            let Some(character) = self.peek() else { return Err(error(begin, RulesErrorKind::UnclosedSet)) };
            if character == ']' {
                let another = self.text.get(self.at + 1) == Some(&']');
                self.at += 1 + usize::from(another);
                let set = if another { set.union(CharSet::from_text("]")) } else { set };
                return if set.is_empty() { Err(error(begin, RulesErrorKind::EmptySet)) } else { Ok(set) };
            }
            if character == '-' && self.at > begin + 1 {
                return Err(self.error_here(RulesErrorKind::HyphenInside));
            }
            if let Some(byte) = u8::try_from(character).ok().filter(|byte| (b' '..=b'~').contains(byte)) {
                set = set.with(byte);
            }
        }
    }

    fn skip_space(&mut self) {
        while self.peek().is_some_and(|one| one.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn take_while(&mut self, belongs: impl Fn(char) -> bool) -> String {
        let mut taken = String::new();
        while let Some(one) = self.peek().filter(|one| belongs(*one)) {
            taken.push(one);
            self.at += 1;
        }
        taken
    }

    fn peek(&self) -> Option<char> {
        #[cfg(test)]
        crate::steps::count(1);
        self.text.get(self.at).copied()
    }

    fn error_here(&self, kind: RulesErrorKind) -> RulesError {
        error(self.at, kind)
    }
}

fn error(at: usize, kind: RulesErrorKind) -> RulesError {
    RulesError { position: at + 1, kind }
}

fn smaller(one: Option<u16>, other: Option<u16>) -> Option<u16> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
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
