//! Reads the JSON form of the language. It is strict JSON, except that Vault has neither the escape `\/` nor those of
//! surrogates.

use super::cursor::Cursor;
use super::draft::{Draft, Name, Plain, PolicyName, Rule, Value};
use super::error::{Fault, HclErrorKind};

const VALUE: &str = "a value";

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
        let mut is_first = true;
        self.open('{', "\"{\"")?;
        while self.has_more('}', "\"}\"", &mut is_first)? {
            let name = self.name()?;
            match name.of_policy()? {
                PolicyName::Rule => {
                    draft.set_list(&name)?;
                    self.rules(&mut draft)?;
                }
                PolicyName::Length => draft.set_length(&name, self.value(&name)?)?,
                PolicyName::EntropySource => {
                    self.value(&name)?;
                    draft.set_entropy_source(&name)?;
                }
            }
        }
        self.skip();
        if self.cursor.peek().is_some() { Err(self.cursor.unexpected("the end of the text")) } else { Ok(draft) }
    }

    /// An object, or a list of them.
    fn rules(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        self.skip();
        if self.cursor.peek() != Some('[') {
            return self.rule(draft);
        }
        self.cursor.next();
        let mut is_first = true;
        while self.has_more(']', "\"]\"", &mut is_first)? {
            self.rule(draft)?;
        }
        Ok(())
    }

    /// An object with one member, `charset`: an object, or a list of them of which Vault takes the first.
    fn rule(&mut self, draft: &mut Draft) -> Result<(), Fault> {
        self.skip();
        let at = self.cursor.at();
        self.open('{', "\"{\"")?;
        let mut is_first = true;
        if !self.has_more('}', "a member", &mut is_first)? {
            return Err(Fault::new(at, HclErrorKind::NoCharset));
        }
        self.name()?.of_kind()?;
        self.skip();
        let is_list = self.cursor.eat('[');
        let charset = self.charset(at)?;
        if is_list {
            let mut is_first = false;
            while self.has_more(']', "\",\" or \"]\"", &mut is_first)? {
                self.skip_object()?;
            }
        }
        draft.push(charset, !is_list)?;
        if self.has_more('}', "\",\" or \"}\"", &mut is_first)? {
            return Err(self.name()?.fault(HclErrorKind::SecondName));
        }
        Ok(())
    }

    fn charset(&mut self, at: usize) -> Result<Rule, Fault> {
        let mut rule = Rule::new(at);
        let mut is_first = true;
        self.open('{', "\"{\"")?;
        while self.has_more('}', "\",\" or \"}\"", &mut is_first)? {
            let name = self.name()?;
            let known = name.of_rule()?;
            rule.set(&name, &known, self.value(&name)?)?;
        }
        Ok(rule)
    }

    fn open(&mut self, bracket: char, name: &'static str) -> Result<(), Fault> {
        self.skip();
        self.cursor.expect(bracket, name)
    }

    /// Whether another member or item follows. Passes the comma before it, or the bracket that ends them.
    fn has_more(&mut self, end: char, expected: &'static str, is_first: &mut bool) -> Result<bool, Fault> {
        self.skip();
        if self.cursor.eat(end) {
            return Ok(false);
        }
        if !std::mem::take(is_first) {
            self.cursor.expect(',', expected)?;
            self.skip();
        }
        Ok(true)
    }

    /// The name of a member, and its colon.
    fn name(&mut self) -> Result<Name, Fault> {
        let at = self.cursor.at();
        if self.cursor.peek() != Some('"') {
            return Err(self.cursor.unexpected("a name in quotes"));
        }
        let text = self.text()?;
        self.open(':', "\":\"")?;
        Ok(Name { text, at })
    }

    fn value(&mut self, name: &Name) -> Result<Value, Fault> {
        self.skip();
        let at = self.cursor.at();
        if matches!(self.cursor.peek(), Some('[' | '{')) {
            return Err(Fault::new(at, HclErrorKind::NotPlain(name.text.clone())));
        }
        Ok(Value { plain: self.plain()?, at })
    }

    /// A value that is no list and no object.
    fn plain(&mut self) -> Result<Plain, Fault> {
        let at = self.cursor.at();
        match self.cursor.peek() {
            Some('"') => self.text().map(|text| Plain::Text(text.into_bytes())),
            Some('-' | '0'..='9') => self.number().map(Plain::Number),
            found => match self.cursor.take_while(|one| one.is_ascii_alphabetic()) {
                "true" | "false" => Ok(Plain::Boolean),
                "null" => Ok(Plain::Null),
                _ => Err(Fault::new(at, HclErrorKind::Unexpected { expected: VALUE, found })),
            },
        }
    }

    fn number(&mut self) -> Result<i64, Fault> {
        let begin = self.cursor.at();
        self.cursor.eat('-');
        if !self.cursor.eat('0') && self.cursor.take_while(|one| one.is_ascii_digit()).is_empty() {
            return Err(self.cursor.unexpected("a digit"));
        }
        match self.cursor.rest_of_float(begin, true)? {
            Some(float) => Ok(float),
            None => self.cursor.whole(begin),
        }
    }

    fn text(&mut self) -> Result<String, Fault> {
        let begin = self.cursor.at();
        self.cursor.next();
        let mut text = String::new();
        loop {
            let at = self.cursor.at();
            match self.cursor.next() {
                None => return Err(Fault::new(begin, HclErrorKind::Unclosed("a text"))),
                Some('"') => return Ok(text),
                Some('\\') => text.push(self.escape().ok_or(Fault::new(at, HclErrorKind::IllegalEscape))?),
                Some('\n') => return Err(Fault::new(at, HclErrorKind::LineEnd)),
                Some(other @ '\0'..='\u{1f}') => {
                    return Err(Fault::new(at, HclErrorKind::IllegalCharacter(other)));
                }
                Some(other) => text.push(other),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.cursor.next()? {
            'b' => '\u{8}',
            't' => '\t',
            'n' => '\n',
            'f' => '\u{c}',
            'r' => '\r',
            'u' => char::from_u32(self.cursor.digits(16, 4)?)?,
            plain @ ('"' | '\\') => plain,
            _ => return None,
        })
    }

    /// Passes an object that Vault ignores.
    fn skip_object(&mut self) -> Result<(), Fault> {
        self.open('{', "\"{\"")?;
        // Whether each open value is an object, and whether its first member or item is still to come.
        let mut open = vec![(true, true)];
        while let Some((is_object, is_first)) = open.last_mut() {
            let (end, expected) = if *is_object { ('}', "\",\" or \"}\"") } else { (']', "\",\" or \"]\"") };
            if !self.has_more(end, expected, is_first)? {
                open.pop();
                continue;
            }
            if *is_object {
                self.name()?;
                self.skip();
            }
            match self.cursor.peek() {
                Some(bracket @ ('{' | '[')) => {
                    self.cursor.next();
                    open.push((bracket == '{', true));
                }
                _ => {
                    self.plain()?;
                }
            }
        }
        Ok(())
    }

    /// Passes white space.
    fn skip(&mut self) {
        self.cursor.take_while(|one| matches!(one, ' ' | '\t' | '\n' | '\r'));
    }
}
