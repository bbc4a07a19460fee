//! A text and the position in it.

/// What is wrong at a byte of a text.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) problem: String,
}

impl Fault {
    pub(super) fn new(at: usize, problem: impl Into<String>) -> Self {
        Self { at, problem: problem.into() }
    }
}

/// Reads a text character by character, and never goes back.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'t> {
    text: &'t str,
    /// The byte at which the next character begins.
    pub(super) at: usize,
}

impl<'t> Cursor<'t> {
    pub(super) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// The next character.
    pub(super) fn peek(&self) -> Option<char> {
        #[cfg(test)]
        crate::steps::count(1);
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
    pub(super) fn take_while(&mut self, is_of_kind: impl Fn(char) -> bool) -> &'t str {
        let begin = self.at;
        while self.peek().is_some_and(&is_of_kind) {
            self.next();
        }
        self.since(begin)
    }

    /// What was passed since a byte.
    pub(super) fn since(&self, begin: usize) -> &'t str {
        self.text.get(begin..self.at).unwrap_or_default()
    }

    /// Something else is expected in the place of the next character.
    pub(super) fn unexpected(&self, expected: &str) -> Fault {
        Fault::new(
            self.at,
            match self.peek() {
                Some(found) => format!("{found:?} is found instead of {expected}"),
                None => format!("the text ends instead of {expected}"),
            },
        )
    }

    /// Passes a character that must be the next one.
    pub(super) fn expect(&mut self, character: char, name: &str) -> Result<(), Fault> {
        if self.eat(character) { Ok(()) } else { Err(self.unexpected(name)) }
    }
}
