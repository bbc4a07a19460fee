//! What is wrong with a policy in Vault's language, and where.

use std::fmt;

use crate::password::policy::limits;

/// The longest text of a policy, in bytes.
pub(super) const MAX_TEXT: usize = 4096;
/// The most characters of a name in an error.
const MAX_NAME: usize = 40;

/// What is wrong with a policy in Vault's language, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HclError {
    /// The line of the wrong character, counted from 1.
    pub line: usize,
    /// Its position in the line in characters, counted from 1.
    pub column: usize,
    /// What is wrong there.
    pub kind: HclErrorKind,
}

/// What is wrong at a position in a policy. Names are as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HclErrorKind {
    /// The text is too long.
    TooLong,
    /// Something else is expected.
    Unexpected {
        /// What is expected.
        expected: &'static str,
        /// What is there; `None` at the end of the text.
        found: Option<char>,
    },
    /// A character that a text or a comment must not have.
    IllegalCharacter(char),
    /// What begins here has no end.
    Unclosed(&'static str),
    /// A text with an interpolation has no end.
    OpenInterpolation,
    /// A text ends with its line.
    LineEnd,
    /// The language does not have this escape.
    IllegalEscape,
    /// A number with a leading 0 has an 8 or a 9.
    NotOctal,
    /// A number does not fit into 64 bits.
    OutOfRange,
    /// A value is a heredoc.
    Heredoc(String),
    /// A value is a list or an object.
    NotPlain(String),
    /// A value has the wrong type.
    WrongType {
        /// The name of the value.
        name: String,
        /// What its value must be.
        expected: &'static str,
    },
    /// Vault ignores this name.
    UnknownName {
        /// The name.
        name: String,
        /// What is probably meant.
        meant: Meant,
    },
    /// Vault reads a rule under this name only beside others.
    RuleInCapitals(String),
    /// A name that can be given once is given again.
    Repeated(String),
    /// A rule is not of the only kind.
    UnknownRule(String),
    /// A rule has no charset.
    NoCharset,
    /// Some rules have the charset as a label, others inside.
    MixedRules,
    /// A name of a block has a value.
    Assigned(String),
    /// Another name follows the name `charset`.
    SecondLabel(String),
    /// A rule has another name beside its charset.
    SecondName(String),
    /// A charset has a character that this service does not draw.
    NotPrintable(char),
    /// Characters are required of a charset that has none.
    MinOfEmptySet,
    /// There are too many charsets.
    TooManySets,
    /// The length is missing or out of range.
    Length,
    /// The minima exceed the length.
    MinimaAboveLength {
        /// The sum of the minima.
        needed: u64,
        /// The length.
        length: u16,
    },
    /// No charset has a character.
    NoCharacters,
}

/// What an unknown name probably means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meant {
    /// Nothing that is known; these are the names.
    OneOf(&'static str),
    /// A name of the language.
    Name(&'static str),
    /// A name that belongs into a rule.
    InRule(&'static str),
    /// A parameter of this service.
    Parameter(&'static str),
}

/// What is wrong at a byte of a text.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) at: usize,
    pub(super) kind: HclErrorKind,
}

impl Fault {
    pub(super) const fn new(at: usize, kind: HclErrorKind) -> Self {
        Self { at, kind }
    }

    /// The error with line and column.
    pub(super) fn located(self, text: &str) -> HclError {
        let before = text.get(..self.at).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        HclError { line: before.matches('\n').count() + 1, column: line.chars().count() + 1, kind: self.kind }
    }
}

impl fmt::Display for HclError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { line, column, kind } = self;
        // As in Vault, this error begins with its text.
        if *kind == HclErrorKind::Length {
            return write!(f, "{kind} (line {line}, column {column})");
        }
        write!(f, "line {line}, column {column}: {kind}")
    }
}

impl fmt::Display for HclErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the policy has more than {MAX_TEXT} bytes"),
            Self::Unexpected { expected, found: Some(found) } => write!(f, "{found:?} is found instead of {expected}"),
            Self::Unexpected { expected, found: None } => write!(f, "the text ends instead of {expected}"),
            Self::IllegalCharacter(character) => write!(f, "the character {character:?} is not permitted"),
            Self::Unclosed(what) => write!(f, "{what} begins here and has no end"),
            Self::OpenInterpolation => {
                f.write_str("the text has no end; from this ${ to the } that balances it, quotes do not end the text")
            }
            Self::LineEnd => f.write_str("a text must end in its line"),
            Self::IllegalEscape => f.write_str("the language does not have this escape"),
            Self::NotOctal => f.write_str("a number with a leading 0 is octal and must not have the digits 8 and 9"),
            Self::OutOfRange => f.write_str("the number does not fit into 64 bits"),
            Self::Heredoc(name) => write!(f, "{} must be in quotes; heredocs are not read", Name(name)),
            Self::NotPlain(name) => write!(f, "{} must not be a list or an object", Name(name)),
            Self::WrongType { name, expected } => write!(f, "{} must be {expected}", Name(name)),
            Self::UnknownName { name, meant } => write!(f, "unknown name {}, which Vault ignores; {meant}", Name(name)),
            Self::RuleInCapitals(name) => write!(f, "write \"rule\" instead of {}", Name(name)),
            Self::Repeated(name) => write!(f, "{} is given more than once", Name(name)),
            Self::UnknownRule(name) => write!(f, "unknown rule {}; the only one is \"charset\"", Name(name)),
            Self::NoCharset => f.write_str("a rule must have a charset"),
            Self::MixedRules => f.write_str(
                "all rules must have the same form; in HCL rule \"charset\" { … } or rule { charset { … } }, in JSON \
                 \"charset\": { … } or \"charset\": [{ … }]",
            ),
            Self::Assigned(name) => write!(f, "\"{{\" must follow {}, not \"=\"", Name(name)),
            Self::SecondLabel(name) => {
                write!(f, "\"{{\" must follow; with the label {} Vault loses the rule", Name(name))
            }
            Self::SecondName(name) => {
                write!(f, "{} must be a rule of its own; Vault would ignore one of the two", Name(name))
            }
            Self::NotPrintable(character) => {
                write!(f, "the charset has {character:?}, and this service draws only printable ASCII characters")
            }
            Self::MinOfEmptySet => f.write_str("min-chars must be 0 for a charset without characters"),
            Self::TooManySets => write!(f, "a policy can have up to {} charsets with characters", limits::MAX_SETS),
            Self::Length => {
                let (min, max) = (limits::MIN_LENGTH, limits::MAX_LENGTH);
                write!(f, "passwords must be between {min} and {max} characters; length says how many")
            }
            Self::MinimaAboveLength { needed, length } => {
                write!(f, "the rules require at least {needed} characters, and the length is {length}")
            }
            Self::NoCharacters => f.write_str("a policy must have a rule with a charset that is not empty"),
        }
    }
}

impl fmt::Display for Meant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(names) => write!(f, "the names are {names}"),
            Self::Name(name) => write!(f, "did you mean {name:?}?"),
            Self::InRule(name) => write!(f, "{name:?} belongs into a rule"),
            Self::Parameter(name) => write!(f, "{name} of this service's own API says that"),
        }
    }
}

/// A name in quotes, so that invisible characters are seen, and not longer than an error should be.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.char_indices().nth(MAX_NAME) {
            Some((end, _)) => write!(f, "{:?}…", self.0.get(..end).unwrap_or_default()),
            None => write!(f, "{:?}", self.0),
        }
    }
}
