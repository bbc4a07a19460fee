//! Reads the language itself, HCL 1.

use super::cursor::Cursor;
use super::draft::{Draft, Name, Plain, PolicyName, Rule, Value};
use super::error::{Fault, HclErrorKind};

const NAME: &str = "a name";
pub(super) const VALUE: &str = "a number, a text in quotes, true or false";

/// Reads a policy.
pub(super) fn read(cursor: &mut Cursor<'_>) -> Result<Draft, Fault> {
    Reader { cursor }.policy()
}

struct Reader<'a, 'text> {
    cursor: &'a mut Cursor<'text>,
}

impl Reader<'_, '_> {
    fn policy(mut self) -> Result<Draft, Fault> {
        let mut draft = Draft::default();
        self.skip()?;
        while self.cursor.peek().is_some() {
            let name = self.name()?;
            match name.of_policy()? {
                PolicyName::Rule => self.rule(&name, &mut draft)?,
                PolicyName::Length => draft.set_length(&name, self.value(&name)?)?,
                PolicyName::EntropySource => {
                    self.value(&name)?;
                    draft.set_entropy_source(&name)?;
                }
            }
            self.end_item()?;
        }
        Ok(draft)
    }

    /// What follows the name `rule`: `"charset" { … }` or `{ charset { … } }`.
    fn rule(&mut self, rule: &Name, draft: &mut Draft) -> Result<(), Fault> {
        self.skip()?;
        let begin = self.cursor.at();
        if self.cursor.peek() == Some('=') {
            return Err(rule.fault(HclErrorKind::Assigned));
        }
        if !self.cursor.eat('{') {
            let label = self.name()?;
            return draft.push(self.charset(rule.at, &label)?, true);
        }
        let mut charset = None;
        while let Some(name) = self.name_or_end(begin)? {
            if charset.is_some() {
                return Err(name.fault(HclErrorKind::SecondName));
            }
            charset = Some(self.charset(rule.at, &name)?);
            self.end_item()?;
        }
        draft.push(charset.ok_or(Fault::new(begin, HclErrorKind::NoCharset))?, false)
    }

    /// What follows the name `charset`: the attributes in braces.
    fn charset(&mut self, at: usize, name: &Name) -> Result<Rule, Fault> {
        name.of_kind()?;
        let mut rule = Rule::new(at);
        self.skip()?;
        let begin = self.cursor.at();
        match self.cursor.peek() {
            Some('=') => return Err(name.fault(HclErrorKind::Assigned)),
            Some(other) if other == '"' || begins_name(other) => {
                return Err(self.name()?.fault(HclErrorKind::SecondLabel));
            }
            _ => self.cursor.expect('{', "\"{\"")?,
        }
        while let Some(name) = self.name_or_end(begin)? {
            let known = name.of_rule()?;
            rule.set(&name, &known, self.value(&name)?)?;
            self.end_item()?;
        }
        Ok(rule)
    }

    /// The next name in a block, or the end of the block.
    fn name_or_end(&mut self, begin: usize) -> Result<Option<Name>, Fault> {
        self.skip()?;
        match self.cursor.peek() {
            None => Err(Fault::new(begin, HclErrorKind::Unclosed("a block"))),
            Some('}') => {
                self.cursor.next();
                Ok(None)
            }
            Some(_) => self.name().map(Some),
        }
    }

    /// One comma may follow an item.
    fn end_item(&mut self) -> Result<(), Fault> {
        self.skip()?;
        if self.cursor.eat(',') { self.skip() } else { Ok(()) }
    }

    fn name(&mut self) -> Result<Name, Fault> {
        let at = self.cursor.at();
        let text = match self.cursor.peek() {
            Some('"') => String::from_utf8_lossy(&self.text()?).into_owned(),
            Some(first) if begins_name(first) => self.word().to_owned(),
            _ => return Err(self.cursor.unexpected(NAME)),
        };
        Ok(Name { text, at })
    }

    /// Letters beyond ASCII make no name that is known, but one that the error can name.
    fn word(&mut self) -> &str {
        self.cursor.take_while(|one| one.is_alphanumeric() || matches!(one, '_' | '-' | '.'))
    }

    /// What follows the name of an attribute: `=` and a value.
    fn value(&mut self, name: &Name) -> Result<Value, Fault> {
        self.skip()?;
        self.cursor.expect('=', "\"=\" and a value")?;
        self.skip()?;
        let at = self.cursor.at();
        let plain = match self.cursor.peek() {
            Some('"') => Plain::Text(self.text()?),
            Some('-' | '.' | '0'..='9') => Plain::Number(self.number()?),
            Some('<') => return Err(Fault::new(at, HclErrorKind::Heredoc(name.text.clone()))),
            Some('[' | '{') => return Err(Fault::new(at, HclErrorKind::NotPlain(name.text.clone()))),
            Some(first) if begins_name(first) && ["true", "false"].contains(&self.word()) => Plain::Boolean,
            found => return Err(Fault::new(at, HclErrorKind::Unexpected { expected: VALUE, found })),
        };
        Ok(Value { plain, at })
    }

    fn number(&mut self) -> Result<i64, Fault> {
        let begin = self.cursor.at();
        let is_negative = self.cursor.eat('-');
        if !is_negative && self.cursor.eat('.') {
            if self.cursor.take_while(|one| one.is_ascii_digit()).is_empty() {
                return Err(self.cursor.unexpected("a digit"));
            }
            // Vault's scanner ends the number here and fails at an exponent, as this reader does at the next name.
            return match self.cursor.peek() {
                Some('e' | 'E') => Err(self.cursor.unexpected("the end of the number")),
                _ => self.cursor.truncated(begin),
            };
        }
        let digits = self.cursor.at();
        let first = self.cursor.peek();
        if first == Some('0') {
            self.cursor.next();
            if matches!(self.cursor.peek(), Some('x' | 'X')) {
                self.cursor.next();
                return self.hexadecimal(begin, is_negative);
            }
        }
        self.cursor.take_while(|one| one.is_ascii_digit());
        let number = self.cursor.since(digits);
        if number.is_empty() {
            return Err(self.cursor.unexpected("a digit"));
        }
        if let Some(float) = self.cursor.rest_of_float(begin, false)? {
            return Ok(float);
        }
        if first != Some('0') {
            return self.cursor.whole(begin);
        }
        if number.contains(['8', '9']) {
            return Err(Fault::new(begin, HclErrorKind::NotOctal));
        }
        whole(begin, is_negative, number, 8)
    }

    fn hexadecimal(&mut self, begin: usize, is_negative: bool) -> Result<i64, Fault> {
        let digits = self.cursor.take_while(|one| one.is_ascii_hexdigit());
        if digits.is_empty() {
            return Err(self.cursor.unexpected("a hexadecimal digit"));
        }
        whole(begin, is_negative, digits, 16)
    }

    /// A text in quotes. From `${` to the brace that balances it quotes do not end the text, and everything stays as it is
    /// written.
    fn text(&mut self) -> Result<Vec<u8>, Fault> {
        let begin = self.cursor.at();
        self.cursor.next();
        let mut text = Vec::new();
        let (mut open, mut opened_at) = (0_u32, None);
        let unclosed = |opened_at: Option<usize>, fault| match opened_at {
            Some(at) => Fault::new(at, HclErrorKind::OpenInterpolation),
            None => fault,
        };
        loop {
            let at = self.cursor.at();
            let Some(character) = self.cursor.next() else {
                return Err(unclosed(opened_at, Fault::new(begin, HclErrorKind::Unclosed("a text"))));
            };
            match character {
                '"' if open == 0 => return Ok(text),
                '\n' if open == 0 => return Err(unclosed(opened_at, Fault::new(at, HclErrorKind::LineEnd))),
                '\\' => {
                    let bytes = self.escape(at)?;
                    if open == 0 {
                        text.extend(bytes.ok_or(Fault::new(at, HclErrorKind::IllegalEscape))?);
                        continue;
                    }
                }
                '$' if open == 0 && self.cursor.eat('{') => (open, opened_at) = (1, Some(at)),
                '{' if open > 0 => open += 1,
                '}' if open > 0 => open -= 1,
                other => check_character(other, at)?,
            }
            text.extend_from_slice(self.cursor.since(at).as_bytes());
        }
    }

    /// The bytes that an escape means; `None` if it is well-formed and means none.
    fn escape(&mut self, at: usize) -> Result<Option<Vec<u8>>, Fault> {
        let illegal = || Fault::new(at, HclErrorKind::IllegalEscape);
        let begin = self.cursor.peek().ok_or_else(illegal)?;
        if !begin.is_digit(8) {
            self.cursor.next();
        }
        let (radix, count) = match begin {
            '0'..='7' => (8, 3),
            'x' => (16, 2),
            'u' => (16, 4),
            'U' => (16, 8),
            _ => return simple_escape(begin).map(|byte| Some(vec![byte])).ok_or_else(illegal),
        };
        let number = self.cursor.digits(radix, count).ok_or_else(illegal)?;
        Ok(match begin {
            'u' | 'U' if number > u32::from(char::MAX) => None,
            'u' | 'U' => Some(char::from_u32(number).unwrap_or(char::REPLACEMENT_CHARACTER).to_string().into_bytes()),
            _ => u8::try_from(number).ok().map(|byte| vec![byte]),
        })
    }

    /// Passes white space and comments.
    fn skip(&mut self) -> Result<(), Fault> {
        loop {
            let begin = self.cursor.at();
            match self.cursor.peek() {
                Some(' ' | '\t' | '\n' | '\r') => {
                    self.cursor.next();
                }
                Some('#') => self.line_comment()?,
                Some('/') => {
                    self.cursor.next();
                    match self.cursor.peek() {
                        Some('/') => self.line_comment()?,
                        Some('*') => self.block_comment(begin)?,
                        _ => return Err(self.cursor.unexpected("\"/\" or \"*\" of a comment")),
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn line_comment(&mut self) -> Result<(), Fault> {
        while let (at, Some(character)) = (self.cursor.at(), self.cursor.next())
            && character != '\n'
        {
            check_character(character, at)?;
        }
        Ok(())
    }

    fn block_comment(&mut self, begin: usize) -> Result<(), Fault> {
        self.cursor.next();
        let mut previous = None;
        while let (at, Some(character)) = (self.cursor.at(), self.cursor.next()) {
            if (previous, character) == (Some('*'), '/') {
                return Ok(());
            }
            check_character(character, at)?;
            previous = Some(character);
        }
        Err(Fault::new(begin, HclErrorKind::Unclosed("a comment")))
    }
}

fn begins_name(character: char) -> bool {
    character.is_alphabetic() || character == '_'
}

/// The byte that an escape of one letter means.
const fn simple_escape(letter: char) -> Option<u8> {
    Some(match letter {
        'a' => 7,
        'b' => 8,
        't' => b'\t',
        'n' => b'\n',
        'v' => 11,
        'f' => 12,
        'r' => b'\r',
        '\\' => b'\\',
        '"' => b'"',
        _ => return None,
    })
}

/// Vault's scanner has no NUL, and keeps U+E123 for itself.
const fn check_character(character: char, at: usize) -> Result<(), Fault> {
    match character {
        '\0' | '\u{e123}' => Err(Fault::new(at, HclErrorKind::IllegalCharacter(character))),
        _ => Ok(()),
    }
}

/// The whole number of these digits, which begins at a byte.
fn whole(begin: usize, is_negative: bool, digits: &str, radix: u32) -> Result<i64, Fault> {
    let sign = if is_negative { "-" } else { "" };
    let number = i64::from_str_radix(&format!("{sign}{digits}"), radix);
    number.map_err(|_| Fault::new(begin, HclErrorKind::OutOfRange))
}
