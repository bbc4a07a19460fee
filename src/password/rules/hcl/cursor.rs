//! A text and the position in it.

use num_traits::ToPrimitive;

use super::error::{Fault, HclErrorKind};

/// Reads a text character by character, and never goes back.
pub(super) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    #[cfg(test)]
    steps: usize,
}

impl<'a> Cursor<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            #[cfg(test)]
            steps: 0,
        }
    }

    /// How many times a character was looked at.
    #[cfg(test)]
    pub(super) const fn steps(&self) -> usize {
        self.steps
    }

    /// The byte at which the next character begins.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// The next character.
    pub(super) fn peek(&mut self) -> Option<char> {
        #[cfg(test)]
        {
            self.steps += 1;
        }
        self.text.get(self.at..)?.chars().next()
    }

    /// The next character, which is passed.
    pub(super) fn next(&mut self) -> Option<char> {
        let next = self.peek()?;
        self.at += next.len_utf8();
        Some(next)
    }

    /// Passes a character if it is the next one.
    pub(super) fn eat(&mut self, character: char) -> bool {
        let is_next = self.peek() == Some(character);
        if is_next {
            self.at += character.len_utf8();
        }
        is_next
    }

    /// Passes the characters up to the first that is not of a kind.
    pub(super) fn take_while(&mut self, is_of_kind: impl Fn(char) -> bool) -> &'a str {
        let begin = self.at;
        while self.peek().is_some_and(&is_of_kind) {
            self.next();
        }
        self.since(begin)
    }

    /// What was passed since a byte.
    pub(super) fn since(&self, begin: usize) -> &'a str {
        self.text.get(begin..self.at).unwrap_or_default()
    }

    /// Something else is expected in the place of the next character.
    pub(super) fn unexpected(&mut self, expected: &'static str) -> Fault {
        let found = self.peek();
        Fault::new(self.at, HclErrorKind::Unexpected { expected, found })
    }

    /// Passes a character that must be the next one.
    pub(super) fn expect(&mut self, character: char, name: &'static str) -> Result<(), Fault> {
        if self.eat(character) { Ok(()) } else { Err(self.unexpected(name)) }
    }

    /// A number of hexadecimal or octal digits.
    pub(super) fn digits(&mut self, radix: u32, count: usize) -> Option<u32> {
        let begin = self.at;
        for _ in 0..count {
            self.peek().filter(|one| one.is_digit(radix))?;
            self.next();
        }
        u32::from_str_radix(self.since(begin), radix).ok()
    }

    /// The rest of a number that began at a byte, if it is a floating-point number. Its fraction is cut off.
    pub(super) fn rest_of_float(&mut self, begin: usize, needs_fraction: bool) -> Result<Option<i64>, Fault> {
        let has_point = self.eat('.');
        if has_point && self.take_while(|one| one.is_ascii_digit()).is_empty() && needs_fraction {
            return Err(self.unexpected("a digit"));
        }
        let has_exponent = matches!(self.peek(), Some('e' | 'E'));
        if has_exponent {
            self.next();
            if matches!(self.peek(), Some('+' | '-')) {
                self.next();
            }
            if self.take_while(|one| one.is_ascii_digit()).is_empty() {
                return Err(self.unexpected("a digit"));
            }
        }
        if has_point || has_exponent { self.truncated(begin).map(Some) } else { Ok(None) }
    }

    /// The floating-point number that began at a byte, without its fraction.
    pub(super) fn truncated(&self, begin: usize) -> Result<i64, Fault> {
        let number = self.since(begin).parse::<f64>().unwrap_or(f64::INFINITY).trunc();
        number.to_i64().ok_or(Fault::new(begin, HclErrorKind::OutOfRange))
    }

    /// The whole number that began at a byte.
    pub(super) fn whole(&self, begin: usize) -> Result<i64, Fault> {
        self.since(begin).parse().map_err(|_| Fault::new(begin, HclErrorKind::OutOfRange))
    }
}
