//! What a policy says, before it is checked as a whole.

use super::error::{Fault, HclErrorKind, Meant};
use crate::password::charset::CharSet;

/// The longest name that is compared with the known ones. A longer one is no misspelling, and the comparison takes time.
const MAX_COMPARED_NAME: usize = 32;
/// The most edits between a misspelt name and the one that is meant.
const MAX_DISTANCE: usize = 1;

const LENGTH: &str = "length";
const RULE: &str = "rule";
const CHARSET: &str = "charset";
const MIN_CHARS: &str = "min-chars";
const ENTROPY_SOURCE: &str = "entropy_source";

/// A name and the byte where it begins.
pub(super) struct Name {
    pub(super) text: String,
    pub(super) at: usize,
}

/// A value and the byte where it begins.
pub(super) struct Value {
    pub(super) plain: Plain,
    pub(super) at: usize,
}

/// A value that is no list and no object.
pub(super) enum Plain {
    /// The bytes of a text. Escapes can make them invalid UTF-8.
    Text(Vec<u8>),
    Number(i64),
    Boolean,
    /// Only in JSON, where Vault reads it as a text without characters.
    Null,
}

/// A name of the policy itself.
pub(super) enum PolicyName {
    Length,
    Rule,
    EntropySource,
}

/// A name of a rule.
pub(super) enum RuleName {
    Charset,
    MinChars,
    EntropySource,
}

/// A number and the byte where it begins.
#[derive(Clone, Copy)]
pub(super) struct Number {
    pub(super) value: i64,
    pub(super) at: usize,
}

/// A policy as it was written.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) length: Option<Number>,
    pub(super) rules: Vec<Rule>,
    entropy_source: Option<()>,
    /// Whether the JSON form has its rules.
    list: Option<()>,
    /// Whether the rules have the charset as a label.
    is_labelled: Option<bool>,
}

/// A rule as it was written.
pub(super) struct Rule {
    /// The byte where it begins.
    pub(super) at: usize,
    pub(super) charset: Option<CharSet>,
    pub(super) min: Option<Number>,
    entropy_source: Option<()>,
}

impl Name {
    /// The name of the policy that this is.
    pub(super) fn of_policy(&self) -> Result<PolicyName, Fault> {
        match self.text.as_str() {
            RULE => Ok(PolicyName::Rule),
            ENTROPY_SOURCE => Ok(PolicyName::EntropySource),
            text if text.eq_ignore_ascii_case(LENGTH) => Ok(PolicyName::Length),
            text if text.eq_ignore_ascii_case(RULE) => Err(self.fault(HclErrorKind::RuleInCapitals)),
            _ => Err(self.unknown(&[LENGTH, RULE, ENTROPY_SOURCE], "length, rule and entropy_source")),
        }
    }

    /// The name of a rule that this is.
    pub(super) fn of_rule(&self) -> Result<RuleName, Fault> {
        match self.text.as_str() {
            ENTROPY_SOURCE => Ok(RuleName::EntropySource),
            text if text.eq_ignore_ascii_case(CHARSET) => Ok(RuleName::Charset),
            text if text.eq_ignore_ascii_case(MIN_CHARS) => Ok(RuleName::MinChars),
            _ => Err(self.unknown(&[CHARSET, MIN_CHARS], "charset and min-chars")),
        }
    }

    /// Checks that this is the only kind of rule.
    pub(super) fn of_kind(&self) -> Result<(), Fault> {
        if self.text == CHARSET { Ok(()) } else { Err(self.fault(HclErrorKind::UnknownRule)) }
    }

    /// A fault that names this.
    pub(super) fn fault(&self, kind: impl FnOnce(String) -> HclErrorKind) -> Fault {
        Fault::new(self.at, kind(self.text.clone()))
    }

    fn unknown(&self, known: &[&'static str], all: &'static str) -> Fault {
        self.fault(|name| HclErrorKind::UnknownName { meant: meant(&name, known, all), name })
    }
}

/// What an unknown name probably means.
fn meant(name: &str, known: &[&'static str], all: &'static str) -> Meant {
    if name.len() > MAX_COMPARED_NAME {
        return Meant::OneOf(all);
    }
    let name = name.to_ascii_lowercase().replace('_', "-");
    if name == "consecutive-chars-allowed" {
        return Meant::Parameter("max_repeating");
    }
    let similar = |one: &&&'static str| strsim::damerau_levenshtein(&one.replace('_', "-"), &name) <= MAX_DISTANCE;
    match known.iter().find(similar) {
        Some(one) => Meant::Name(one),
        None => [CHARSET, MIN_CHARS].iter().find(similar).map_or(Meant::OneOf(all), |one| Meant::InRule(one)),
    }
}

impl Draft {
    /// Takes the length.
    pub(super) fn set_length(&mut self, name: &Name, value: Value) -> Result<(), Fault> {
        fill(&mut self.length, name, value.number(name)?)
    }

    /// Ignores the source of randomness, as Vault does: it is a member of the request.
    pub(super) fn set_entropy_source(&mut self, name: &Name) -> Result<(), Fault> {
        fill(&mut self.entropy_source, name, ())
    }

    /// Notes that the rules of the JSON form follow, once.
    pub(super) fn set_list(&mut self, name: &Name) -> Result<(), Fault> {
        fill(&mut self.list, name, ())
    }

    /// Takes a rule.
    pub(super) fn push(&mut self, rule: Rule, is_labelled: bool) -> Result<(), Fault> {
        if *self.is_labelled.get_or_insert(is_labelled) != is_labelled {
            return Err(Fault::new(rule.at, HclErrorKind::MixedRules));
        }
        self.rules.push(rule);
        Ok(())
    }
}

impl Rule {
    pub(super) const fn new(at: usize) -> Self {
        Self { at, charset: None, min: None, entropy_source: None }
    }

    /// Takes a value.
    pub(super) fn set(&mut self, name: &Name, known: &RuleName, value: Value) -> Result<(), Fault> {
        match known {
            RuleName::Charset => fill(&mut self.charset, name, value.charset(name)?),
            RuleName::MinChars => fill(&mut self.min, name, value.number(name)?),
            RuleName::EntropySource => fill(&mut self.entropy_source, name, ()),
        }
    }
}

impl Value {
    fn number(self, name: &Name) -> Result<Number, Fault> {
        let Plain::Number(value) = self.plain else { return Err(self.wrong_type(name, "a number")) };
        Ok(Number { value, at: self.at })
    }

    fn charset(self, name: &Name) -> Result<CharSet, Fault> {
        let bytes = match &self.plain {
            Plain::Text(bytes) => bytes.as_slice(),
            Plain::Null => &[],
            Plain::Number(_) | Plain::Boolean => return Err(self.wrong_type(name, "a text in quotes")),
        };
        match String::from_utf8_lossy(bytes).chars().find(|one| !(' '..='~').contains(one)) {
            Some(other) => Err(Fault::new(self.at, HclErrorKind::NotPrintable(other))),
            None => Ok(bytes.iter().copied().collect()),
        }
    }

    fn wrong_type(&self, name: &Name, expected: &'static str) -> Fault {
        Fault::new(self.at, HclErrorKind::WrongType { name: name.text.clone(), expected })
    }
}

/// Gives a name its value, once.
fn fill<T>(slot: &mut Option<T>, name: &Name, value: T) -> Result<(), Fault> {
    if slot.is_some() {
        return Err(name.fault(HclErrorKind::Repeated));
    }
    *slot = Some(value);
    Ok(())
}
