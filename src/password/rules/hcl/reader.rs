//! Reads a policy, in either form.

use std::mem;

use super::scanner::{Name, Scanner};
use crate::password::charset::CharSet;
use crate::password::policy::limits;
use crate::password::rules::cursor::{Cursor, Fault};
use crate::password::spec::Requirement;

/// The longest name that is compared with the known ones. A longer one is no misspelling, and the comparison takes time.
const MAX_COMPARED_NAME: usize = 32;
/// The most edits between a misspelt name and the one that is meant.
const MAX_DISTANCE: usize = 1;

const LENGTH: &str = "length";
const RULE: &str = "rule";
const CHARSET: &str = "charset";
const MIN_CHARS: &str = "min-chars";
/// The source of randomness, which is ignored, as in Vault: it is a member of the request.
const ENTROPY_SOURCE: &str = "entropy_source";

/// What a policy in Vault's language says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VaultPolicy {
    /// Characters in a password.
    pub length: u16,
    /// The charsets with their minima, in their order. Together they are the pool.
    pub rules: Vec<Requirement>,
}

/// The names that a block has, and how an error lists them.
struct Names {
    known: [&'static str; 3],
    listed: &'static str,
}

const OF_POLICY: Names = Names { known: [LENGTH, RULE, ENTROPY_SOURCE], listed: "length, rule and entropy_source" };
const OF_RULE: Names = Names { known: [CHARSET, MIN_CHARS, ENTROPY_SOURCE], listed: "charset and min-chars" };

/// What brackets enclose. The policy in HCL has none.
struct Block {
    begin: usize,
    end: Option<char>,
    is_first: bool,
    /// The known names that it has had.
    names: Vec<&'static str>,
}

pub(super) struct Reader<'t> {
    scanner: Scanner<'t>,
    /// The length, and the byte where it is.
    length: Option<(usize, i64)>,
    rules: Vec<Requirement>,
    /// The sum of the minima.
    needed: u64,
    /// Whether the rules have the charset as a label.
    is_labelled: Option<bool>,
}

impl<'t> Reader<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        let is_json = text.trim_start_matches([' ', '\t', '\n', '\r']).starts_with('{');
        let scanner = Scanner { cursor: Cursor::new(text), is_json };
        Self { scanner, length: None, rules: Vec::new(), needed: 0, is_labelled: None }
    }

    pub(super) fn policy(mut self) -> Result<VaultPolicy, Fault> {
        let is_json = self.scanner.is_json;
        let mut policy =
            if is_json { self.open('{')? } else { Block { begin: 0, end: None, is_first: true, names: Vec::new() } };
        while let Some((known, name)) = self.next_name(&mut policy, &OF_POLICY)? {
            match known {
                LENGTH => self.length = Some(self.scanner.number_of(&name)?),
                RULE if is_json => self.rules()?,
                RULE => self.rule(&name)?,
                _ => drop(self.scanner.value_of(&name)?),
            }
        }
        self.scanner.skip()?;
        let end = self.scanner.cursor.at;
        if self.scanner.cursor.peek().is_some() {
            return Err(self.scanner.cursor.unexpected("the end of the text"));
        }
        let Self { length, rules, needed, .. } = self;
        let (at, length) = length.unwrap_or((end, 0));
        let length = u16::try_from(length).ok();
        let length = length.filter(|length| (limits::MIN_LENGTH..=limits::MAX_LENGTH).contains(length));
        let length = length.ok_or_else(|| Fault::new(at, length_out_of_range()))?;
        if needed > u64::from(length) {
            let problem = format!("the rules require at least {needed} characters, and the length is {length}");
            return Err(Fault::new(at, problem));
        }
        if rules.is_empty() {
            return Err(Fault::new(end, "a policy must have a rule with a charset that is not empty"));
        }
        Ok(VaultPolicy { length, rules })
    }

    /// The rules of the JSON form: an object, or a list of objects.
    fn rules(&mut self) -> Result<(), Fault> {
        self.scanner.assign()?;
        if self.scanner.cursor.peek() != Some('[') {
            return self.nested_rule(self.scanner.cursor.at);
        }
        let mut list = self.open('[')?;
        while self.has_next(&mut list)? {
            self.nested_rule(self.scanner.cursor.at)?;
        }
        Ok(())
    }

    /// What follows the name `rule` in HCL: `"charset" { … }` or `{ charset { … } }`.
    fn rule(&mut self, rule: &Name) -> Result<(), Fault> {
        self.scanner.skip()?;
        match self.scanner.cursor.peek() {
            Some('=') => Err(must_be_block(rule)),
            Some('{') => self.nested_rule(rule.at),
            _ => {
                let label = self.scanner.name()?;
                self.charset(rule.at, &label, true)
            }
        }
    }

    /// A block with the one name `charset`.
    fn nested_rule(&mut self, at: usize) -> Result<(), Fault> {
        let mut block = self.open('{')?;
        let mut is_empty = true;
        while self.has_next(&mut block)? {
            let name = self.scanner.name()?;
            if !mem::take(&mut is_empty) {
                let problem = format!("{name} must be a rule of its own; Vault would ignore one of the two");
                return Err(name.fault(problem));
            }
            self.charset(at, &name, false)?;
        }
        if is_empty { Err(Fault::new(block.begin, "a rule must have a charset")) } else { Ok(()) }
    }

    /// What follows the name `charset`: the attributes in braces. In JSON they may be in a list, the first of which Vault
    /// takes.
    fn charset(&mut self, at: usize, name: &Name, mut is_labelled: bool) -> Result<(), Fault> {
        if name.text != CHARSET {
            return Err(name.fault(format!("unknown rule {name}; the only one is \"charset\"")));
        }
        let mut list = None;
        if self.scanner.is_json {
            self.scanner.assign()?;
            if self.scanner.cursor.peek() == Some('[') {
                list = Some(self.open('[')?);
            }
            is_labelled = list.is_none();
        } else {
            self.scanner.skip()?;
            if self.scanner.cursor.peek() == Some('=') {
                return Err(must_be_block(name));
            }
            if self.scanner.cursor.peek() == Some('"') || self.scanner.is_at_word() {
                let label = self.scanner.name()?;
                let problem = format!("\"{{\" must follow; with the label {label} Vault loses the rule");
                return Err(label.fault(problem));
            }
        }
        self.attributes(at)?;
        if let Some(list) = &mut list {
            list.is_first = false;
            while self.has_next(list)? {
                self.ignore_object()?;
            }
        }
        if *self.is_labelled.get_or_insert(is_labelled) != is_labelled {
            return Err(Fault::new(
                at,
                "all rules must have the same form; in HCL rule \"charset\" { … } or rule { charset { … } }, in JSON \
                 \"charset\": { … } or \"charset\": [{ … }]",
            ));
        }
        Ok(())
    }

    fn attributes(&mut self, at: usize) -> Result<(), Fault> {
        let mut block = self.open('{')?;
        let (mut characters, mut min, mut min_at) = (CharSet::default(), 0, at);
        while let Some((known, name)) = self.next_name(&mut block, &OF_RULE)? {
            match known {
                CHARSET => characters = self.scanner.charset_of(&name)?,
                MIN_CHARS => (min_at, min) = self.scanner.number_of(&name)?,
                _ => drop(self.scanner.value_of(&name)?),
            }
        }
        let min = u64::try_from(min).unwrap_or(0);
        if characters.is_empty() {
            let problem = "min-chars must be 0 for a charset without characters";
            return if min > 0 { Err(Fault::new(min_at, problem)) } else { Ok(()) };
        }
        if self.rules.len() == limits::MAX_SETS {
            let problem = format!("a policy can have up to {} charsets with characters", limits::MAX_SETS);
            return Err(Fault::new(at, problem));
        }
        self.needed = self.needed.saturating_add(min);
        // A larger minimum exceeds the length.
        self.rules.push(Requirement { characters, min: u16::try_from(min).unwrap_or(u16::MAX) });
        Ok(())
    }

    /// Passes an object that Vault ignores.
    fn ignore_object(&mut self) -> Result<(), Fault> {
        let mut open = vec![self.open('{')?];
        while let Some(block) = open.last_mut() {
            if !self.has_next(block)? {
                open.pop();
                continue;
            }
            if block.end == Some('}') {
                self.scanner.name()?;
                self.scanner.assign()?;
            }
            match self.scanner.cursor.peek() {
                Some(bracket @ ('{' | '[')) => open.push(self.open(bracket)?),
                _ => drop(self.scanner.value()?),
            }
        }
        Ok(())
    }

    fn open(&mut self, bracket: char) -> Result<Block, Fault> {
        self.scanner.skip()?;
        let begin = self.scanner.cursor.at;
        self.scanner.cursor.expect(bracket, &format!("\"{bracket}\""))?;
        let end = Some(if bracket == '{' { '}' } else { ']' });
        Ok(Block { begin, end, is_first: true, names: Vec::new() })
    }

    /// Whether another item follows. Passes the comma before it, or the end of the block. In HCL a comma may follow each
    /// item, in JSON one is between two.
    fn has_next(&mut self, block: &mut Block) -> Result<bool, Fault> {
        self.scanner.skip()?;
        let is_first = mem::take(&mut block.is_first);
        let has_comma = !is_first && self.scanner.cursor.eat(',');
        if has_comma {
            self.scanner.skip()?;
        }
        let next = self.scanner.cursor.peek();
        let is_json = self.scanner.is_json;
        if next == block.end && !(is_json && has_comma) {
            self.scanner.cursor.next();
            return Ok(false);
        }
        if next.is_none() {
            return Err(Fault::new(block.begin, "a block begins here and has no end"));
        }
        if is_json && !is_first && !has_comma {
            return Err(self.scanner.cursor.unexpected("\",\" or the end of the block"));
        }
        Ok(true)
    }

    /// The next name of a block, as it is known and as it was written. Only rules of HCL have the same name.
    fn next_name(&mut self, block: &mut Block, names: &Names) -> Result<Option<(&'static str, Name)>, Fault> {
        if !self.has_next(block)? {
            return Ok(None);
        }
        let name = self.scanner.name()?;
        let known = names.find(&name)?;
        if self.scanner.is_json || known != RULE {
            if block.names.contains(&known) {
                return Err(name.fault(format!("{name} is given more than once")));
            }
            block.names.push(known);
        }
        Ok(Some((known, name)))
    }
}

fn must_be_block(name: &Name) -> Fault {
    name.fault(format!("\"{{\" must follow {name}, not \"=\""))
}

impl Names {
    /// The known name that this is. As in Vault, attributes are found without regard to case.
    fn find(&self, name: &Name) -> Result<&'static str, Fault> {
        let is_attribute = |known: &str| known != RULE && known != ENTROPY_SOURCE;
        let is_same =
            |known: &&&str| **known == name.text || (is_attribute(known) && known.eq_ignore_ascii_case(&name.text));
        self.known.iter().find(is_same).copied().ok_or_else(|| {
            // Vault reads a rule under this name, but only beside others.
            if self.known.contains(&RULE) && name.text.eq_ignore_ascii_case(RULE) {
                return name.fault(format!("write \"rule\" instead of {name}"));
            }
            name.fault(format!("unknown name {name}, which Vault ignores; {}", self.advice(&name.text)))
        })
    }

    /// What an unknown name probably means.
    fn advice(&self, name: &str) -> String {
        let name = name.to_ascii_lowercase().replace('_', "-");
        let similar = |one: &&&str| {
            name.len() <= MAX_COMPARED_NAME
                && strsim::damerau_levenshtein(&one.replace('_', "-"), &name) <= MAX_DISTANCE
        };
        if name == "consecutive-chars-allowed" {
            "max_repeating of this service's own API says that".to_owned()
        } else if let Some(meant) = self.known.iter().find(similar) {
            format!("did you mean {meant:?}?")
        } else if let Some(meant) = OF_RULE.known.iter().find(similar) {
            format!("{meant:?} belongs into a rule")
        } else {
            format!("the names are {}", self.listed)
        }
    }
}

/// What is wrong with a length that is missing or out of range.
pub(super) fn length_out_of_range() -> String {
    let (min, max) = (limits::MIN_LENGTH, limits::MAX_LENGTH);
    format!("passwords must be between {min} and {max} characters; length says how many")
}
