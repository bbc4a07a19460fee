//! Reads the words of the language: names, values, comments and white space. Those of JSON are strict JSON, except that
//! Vault has neither the escape `\/` nor those of surrogates.

use std::fmt;

use num_traits::ToPrimitive;
use serde::de::IgnoredAny;

use crate::password::charset::CharSet;
use crate::password::rules::cursor::{Cursor, Fault};

/// The most characters of a name in an error.
const MAX_NAME: usize = 40;

/// A text in one of the two forms.
pub(super) struct Scanner<'t> {
    pub(super) cursor: Cursor<'t>,
    pub(super) is_json: bool,
}

/// A name and the byte where it begins.
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: usize,
}

/// A value that is no list and no object.
pub(super) enum Value {
    /// The bytes of a text. Escapes can make them invalid UTF-8.
    Text(Vec<u8>),
    Number(i64),
    Boolean,
}

impl Name {
    /// A fault where the name begins.
    pub(super) fn fault(&self, problem: impl Into<String>) -> Fault {
        Fault::new(self.at, problem)
    }
}

/// In quotes, so that invisible characters are seen, and not longer than an error should be.
impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.text.char_indices().nth(MAX_NAME) {
            Some((end, _)) => write!(f, "{:?}…", self.text.get(..end).unwrap_or_default()),
            None => write!(f, "{:?}", self.text),
        }
    }
}

impl<'t> Scanner<'t> {
    /// Passes white space and comments.
    pub(super) fn skip(&mut self) -> Result<(), Fault> {
        let is_space = |one| matches!(one, ' ' | '\t' | '\n' | '\r');
        self.cursor.take_while(is_space);
        while !self.is_json && matches!(self.cursor.peek(), Some('#' | '/')) {
            self.comment()?;
            self.cursor.take_while(is_space);
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), Fault> {
        let begin = self.cursor.at;
        let is_slash = self.cursor.next() == Some('/');
        let is_block = is_slash && self.cursor.eat('*');
        if is_slash && !is_block {
            self.cursor.expect('/', "\"/\" or \"*\" of a comment")?;
        }
        let mut previous = None;
        while let (at, Some(character)) = (self.cursor.at, self.cursor.next()) {
            let is_end = if is_block { (previous, character) == (Some('*'), '/') } else { character == '\n' };
            if is_end {
                return Ok(());
            }
            self.check_character(character, at)?;
            previous = Some(character);
        }
        if is_block { Err(Fault::new(begin, "a comment begins here and has no end")) } else { Ok(()) }
    }

    pub(super) fn name(&mut self) -> Result<Name, Fault> {
        let at = self.cursor.at;
        let text = match self.cursor.peek() {
            Some('"') => String::from_utf8_lossy(&self.text()?).into_owned(),
            Some(_) if self.is_at_word() => self.word().to_owned(),
            _ => return Err(self.cursor.unexpected(if self.is_json { "a name in quotes" } else { "a name" })),
        };
        Ok(Name { text, at })
    }

    /// Whether a name without quotes follows.
    pub(super) fn is_at_word(&self) -> bool {
        !self.is_json && self.cursor.peek().is_some_and(|first| first.is_alphabetic() || first == '_')
    }

    /// Letters beyond ASCII make no name that is known, but one that the error can name.
    fn word(&mut self) -> &'t str {
        self.cursor.take_while(|one| one.is_alphanumeric() || matches!(one, '_' | '-' | '.'))
    }

    /// The value of a name, and the byte where it begins.
    pub(super) fn value_of(&mut self, name: &Name) -> Result<(usize, Value), Fault> {
        self.assign()?;
        let at = self.cursor.at;
        match self.cursor.peek() {
            Some('<') if !self.is_json => {
                Err(Fault::new(at, format!("{name} must be in quotes; heredocs are not read")))
            }
            Some('[' | '{') => Err(Fault::new(at, format!("{name} must not be a list or an object"))),
            _ => Ok((at, self.value()?)),
        }
    }

    /// Passes what stands between a name and its value.
    pub(super) fn assign(&mut self) -> Result<(), Fault> {
        self.skip()?;
        let (sign, expected) = if self.is_json { (':', "\":\"") } else { ('=', "\"=\" and a value") };
        self.cursor.expect(sign, expected)?;
        self.skip()
    }

    /// The number that is the value of a name, and the byte where it begins.
    pub(super) fn number_of(&mut self, name: &Name) -> Result<(usize, i64), Fault> {
        match self.value_of(name)? {
            (at, Value::Number(number)) => Ok((at, number)),
            (at, _) => Err(Fault::new(at, format!("{name} must be a number"))),
        }
    }

    /// The characters of the text that is the value of a name.
    pub(super) fn charset_of(&mut self, name: &Name) -> Result<CharSet, Fault> {
        let (at, value) = self.value_of(name)?;
        let Value::Text(bytes) = value else { return Err(Fault::new(at, format!("{name} must be a text in quotes"))) };
        let other = String::from_utf8_lossy(&bytes).chars().find(|one| !(' '..='~').contains(one));
        if let Some(other) = other {
            let problem = format!("the charset has {other:?}, and this service draws only printable ASCII characters");
            return Err(Fault::new(at, problem));
        }
        Ok(bytes.into_iter().collect())
    }

    /// A value that is no list and no object.
    pub(super) fn value(&mut self) -> Result<Value, Fault> {
        let begin = self.cursor;
        match self.cursor.peek() {
            Some('"') => self.text().map(Value::Text),
            Some('-' | '.' | '0'..='9') => self.number().map(Value::Number),
            _ => match self.word() {
                "true" | "false" => Ok(Value::Boolean),
                // Vault reads it as a text without characters.
                "null" if self.is_json => Ok(Value::Text(Vec::new())),
                _ => Err(begin.unexpected("a number, a text in quotes, true or false")),
            },
        }
    }

    /// A whole or a floating-point number, the fraction of which is cut off.
    fn number(&mut self) -> Result<i64, Fault> {
        let begin = self.cursor.at;
        self.cursor.eat('-');
        let is_digit = |one: char| one.is_ascii_digit();
        if self.cursor.eat('0') && (self.cursor.eat('x') || self.cursor.eat('X')) {
            self.cursor.take_while(|one| one.is_ascii_hexdigit());
        } else {
            self.cursor.take_while(is_digit);
            if self.cursor.eat('.') {
                self.cursor.take_while(is_digit);
            }
            if self.cursor.eat('e') || self.cursor.eat('E') {
                let _ = self.cursor.eat('+') || self.cursor.eat('-');
                self.cursor.take_while(is_digit);
            }
        }
        let text = self.cursor.since(begin);
        let is_permitted = !self.is_json || serde_json::from_str::<IgnoredAny>(text).is_ok();
        number(text).filter(|_| is_permitted).ok_or_else(|| {
            let forms = if self.is_json { "decimal" } else { "decimal, hexadecimal (0x…) or octal (0…)" };
            Fault::new(begin, format!("a number must be {forms}, and fit into 64 bits"))
        })
    }

    /// A text in quotes. In HCL, from `${` to the brace that balances it quotes do not end the text, and everything stays
    /// as it is written.
    fn text(&mut self) -> Result<Vec<u8>, Fault> {
        let begin = self.cursor.at;
        self.cursor.next();
        let mut text = Vec::new();
        let (mut depth, mut opened_at) = (0_u32, None);
        loop {
            let at = self.cursor.at;
            match self.cursor.next() {
                Some('"') if depth == 0 => return Ok(text),
                next @ (None | Some('\n')) if depth == 0 || next.is_none() => {
                    return Err(match opened_at {
                        Some(at) => Fault::new(
                            at,
                            "the text has no end; from this ${ to the } that balances it, quotes do not end the text",
                        ),
                        None => Fault::new(begin, "a text begins here and does not end in its line"),
                    });
                }
                Some('\\') => {
                    let meaning = self.escape().filter(|bytes| depth > 0 || !bytes.is_empty());
                    let bytes = meaning.ok_or_else(|| Fault::new(at, "the language does not have this escape"))?;
                    if depth == 0 {
                        text.extend(bytes);
                        continue;
                    }
                }
                Some('$') if depth == 0 && !self.is_json && self.cursor.eat('{') => (depth, opened_at) = (1, Some(at)),
                Some('{') if depth > 0 => depth += 1,
                Some('}') if depth > 0 => depth -= 1,
                other => self.check_character(other.unwrap_or_default(), at)?,
            }
            text.extend_from_slice(self.cursor.since(at).as_bytes());
        }
    }

    /// The bytes that the rest of an escape means: none if it is well-formed and means no character.
    fn escape(&mut self) -> Option<Vec<u8>> {
        let first = self.cursor.peek()?;
        let is_octal = !self.is_json && first.is_digit(8);
        if !is_octal {
            self.cursor.next();
        }
        let byte = match first {
            _ if is_octal => self.digits(8, 3)?,
            'x' if !self.is_json => self.digits(16, 2)?,
            'u' | 'U' if first == 'u' || !self.is_json => {
                let number = self.digits(16, if first == 'u' { 4 } else { 8 })?;
                let is_surrogate = (0xd800..0xe000).contains(&number);
                if is_surrogate && self.is_json {
                    return None;
                }
                let character = if is_surrogate { Some(char::REPLACEMENT_CHARACTER) } else { char::from_u32(number) };
                return Some(character.map(String::from).unwrap_or_default().into_bytes());
            }
            'a' if !self.is_json => 7,
            'v' if !self.is_json => 11,
            'b' => 8,
            't' => 9,
            'n' => 10,
            'f' => 12,
            'r' => 13,
            '\\' | '"' => u32::from(first),
            _ => return None,
        };
        Some(u8::try_from(byte).into_iter().collect())
    }

    /// A number of so many digits.
    fn digits(&mut self, radix: u32, count: usize) -> Option<u32> {
        let begin = self.cursor.at;
        for _ in 0..count {
            self.cursor.peek().filter(|one| one.is_digit(radix))?;
            self.cursor.next();
        }
        u32::from_str_radix(self.cursor.since(begin), radix).ok()
    }

    /// In JSON, controls must be escaped. Vault's scanner of HCL has no NUL, and keeps U+E123 for itself.
    fn check_character(&self, character: char, at: usize) -> Result<(), Fault> {
        let is_illegal = if self.is_json { character < ' ' } else { matches!(character, '\0' | '\u{e123}') };
        if is_illegal { Err(Fault::new(at, format!("the character {character:?} is not permitted"))) } else { Ok(()) }
    }
}

/// The whole number that a text means, if it fits into 64 bits.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits));
    let whole = |digits: &str, radix| i64::from_str_radix(&format!("{sign}{digits}"), radix).ok();
    if let Some(digits) = digits.strip_prefix("0x").or(digits.strip_prefix("0X")) {
        return whole(digits, 16);
    }
    if !digits.contains(['.', 'e', 'E']) {
        return whole(digits, if digits.starts_with('0') { 8 } else { 10 });
    }
    // A number that begins with its point has neither sign nor exponent in Vault.
    let is_known = !digits.starts_with('.') || (sign.is_empty() && !digits.contains(['e', 'E']));
    text.parse::<f64>().ok().filter(|_| is_known)?.trunc().to_i64()
}
