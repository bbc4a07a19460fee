//! Reads password rules.
//!
//! Where the reference implementation drops what it does not understand, and with it a `minlength`,
//! this reader says what is wrong and where. It is lenient in one thing, which real rules need: what is
//! no printable ASCII in a set in brackets is left out, since passwords here are ASCII.

use std::fmt;

use super::super::alphabet::{CharSet, Class, printable};
use super::{PasswordRules, SPECIAL};

/// Names of the rules, in the order in which errors list them.
const NAMES: [&str; 5] = ["minlength", "maxlength", "required", "allowed", "max-consecutive"];
/// Names of the classes.
const CLASSES: [&str; 6] = ["upper", "lower", "digit", "special", "ascii-printable", "unicode"];

/// What is wrong with a text of password rules, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesError {
    /// The character at fault, counted from 1.
    pub position: usize,
    /// What is wrong there, and what would be right.
    pub fault: RulesFault,
}

/// What is wrong at a place in password rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulesFault {
    /// No rule has this name.
    UnknownRule,
    /// The name of a rule is not followed by a colon.
    NoColon,
    /// A rule has no value.
    NoValue,
    /// No class has this name.
    UnknownClass,
    /// A set in brackets does not end.
    UnclosedSet,
    /// A set in brackets holds no printable ASCII.
    EmptySet,
    /// A hyphen stands in a set, and not first.
    HyphenInside,
    /// Behind a value stands neither a comma, where there may be one, nor a semicolon.
    NoSeparator,
    /// A value is no whole number in its range.
    NotInRange {
        /// The smallest good value.
        least: u16,
        /// The largest.
        most: u16,
    },
    /// `minlength` is above `maxlength`.
    Crossed,
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "passwordrules, character {}: ", self.position)?;
        match self.fault {
            RulesFault::UnknownRule => write!(f, "there is no such rule; the rules are {}", NAMES.join(", ")),
            RulesFault::NoColon => f.write_str("a colon is missing"),
            RulesFault::NoValue => f.write_str("a value is missing"),
            RulesFault::UnknownClass => {
                write!(f, "there is no such class; the classes are {} and sets in brackets", CLASSES.join(", "))
            }
            RulesFault::UnclosedSet => f.write_str("this set has no closing bracket"),
            RulesFault::EmptySet => f.write_str("this set holds no printable ASCII character"),
            RulesFault::HyphenInside => {
                f.write_str("a hyphen must stand first in its set; ranges such as a-z are not known here")
            }
            RulesFault::NoSeparator => f.write_str("a semicolon is missing"),
            RulesFault::NotInRange { least, most } => write!(f, "this must be a whole number from {least} to {most}"),
            RulesFault::Crossed => f.write_str("minlength is above maxlength"),
        }
    }
}

/// Where the reader stands.
pub(super) struct Reader {
    text: Vec<char>,
    at: usize,
}

impl Reader {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.chars().collect(), at: 0 }
    }

    pub(super) fn rules(mut self) -> Result<PasswordRules, RulesError> {
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
            return Err(fault(begin, RulesFault::UnknownRule));
        }
        self.skip_space();
        if self.peek() != Some(':') {
            return Err(self.here(RulesFault::NoColon));
        }
        self.at += 1;
        self.skip_space();
        if matches!(self.peek(), None | Some(';')) {
            return Err(self.here(RulesFault::NoValue));
        }
        let value = self.at;
        match name.as_str() {
            // Of several, the one that demands most.
            "minlength" => rules.min_length = rules.min_length.max(self.number(0)?),
            "maxlength" => rules.max_length = least_of(rules.max_length, self.number(1)?),
            "max-consecutive" => rules.max_consecutive = least_of(rules.max_consecutive, self.number(1)?),
            "required" => rules.required.push(self.classes()?),
            _ => rules.allowed = rules.allowed.union(self.classes()?),
        }
        if let (Some(least), Some(most)) = (rules.min_length, rules.max_length)
            && least > most
        {
            return Err(fault(value, RulesFault::Crossed));
        }
        self.skip_space();
        match self.peek() {
            None | Some(';') => Ok(()),
            Some(_) => Err(self.here(RulesFault::NoSeparator)),
        }
    }

    fn name(&mut self) -> String {
        let rest = self.text[self.at..].iter();
        let name: String = rest.take_while(|one| one.is_ascii_alphabetic() || **one == '-').collect();
        self.at += name.len();
        name.to_ascii_lowercase()
    }

    fn number(&mut self, least: u16) -> Result<Option<u16>, RulesError> {
        let begin = self.at;
        let digits: String = self.text[self.at..].iter().take_while(|one| one.is_ascii_digit()).collect();
        self.at += digits.len();
        let number = digits.parse().ok().filter(|number| *number >= least);
        number.map(Some).ok_or(fault(begin, RulesFault::NotInRange { least, most: u16::MAX }))
    }

    /// Classes separated by commas: the characters of any of them.
    fn classes(&mut self) -> Result<CharSet, RulesError> {
        let mut all = CharSet::default();
        loop {
            all = all.union(if self.peek() == Some('[') { self.set()? } else { self.class()? });
            self.skip_space();
            if self.peek() != Some(',') {
                return Ok(all);
            }
            self.at += 1;
            self.skip_space();
        }
    }

    fn class(&mut self) -> Result<CharSet, RulesError> {
        let begin = self.at;
        match self.name().as_str() {
            "upper" => Ok(Class::Uppercase.characters()),
            "lower" => Ok(Class::Lowercase.characters()),
            "digit" => Ok(Class::Digits.characters()),
            "special" => Ok(CharSet::of(SPECIAL)),
            "ascii-printable" | "unicode" => Ok(printable()),
            _ => Err(fault(begin, RulesFault::UnknownClass)),
        }
    }

    /// Characters in brackets. A closing bracket belongs to them where another follows.
    fn set(&mut self) -> Result<CharSet, RulesError> {
        let begin = self.at;
        let mut set = CharSet::default();
        loop {
            self.at += 1;
            let Some(character) = self.peek() else { return Err(fault(begin, RulesFault::UnclosedSet)) };
            if character == ']' {
                let another = self.text.get(self.at + 1) == Some(&']');
                self.at += 1 + usize::from(another);
                let set = if another { set.union(CharSet::of("]")) } else { set };
                return if set.is_empty() { Err(fault(begin, RulesFault::EmptySet)) } else { Ok(set) };
            }
            if character == '-' && self.at > begin + 1 {
                return Err(self.here(RulesFault::HyphenInside));
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

    fn peek(&self) -> Option<char> {
        self.text.get(self.at).copied()
    }

    fn here(&self, what: RulesFault) -> RulesError {
        fault(self.at, what)
    }
}

fn fault(at: usize, fault: RulesFault) -> RulesError {
    RulesError { position: at + 1, fault }
}

fn least_of(one: Option<u16>, other: Option<u16>) -> Option<u16> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
