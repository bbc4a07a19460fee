//! What a password must be like.

use std::fmt;

use super::alphabet::{CharSet, Class, similar};

/// What a caller asks for, before anyone has looked whether it fits together.
///
/// `None` means that the caller did not say; [`Policy::new`] holds the defaults.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    /// Characters in the password, 4 to 256. 16 unless given.
    pub length: Option<u16>,
    /// For each class whether it is in use and how many of it there are at least, in the order of
    /// [`Class::ALL`].
    pub classes: [ClassOptions; 4],
    /// Replaces the special characters, and turns the class on. ASCII punctuation only.
    pub symbols: Option<String>,
    /// Characters that must not appear. Any text: characters of no class change nothing.
    pub exclude: Option<String>,
    /// Leaves out `I l 1 | O 0 o`. Off unless given.
    pub exclude_similar: Option<bool>,
}

/// What a caller asks for of one class.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClassOptions {
    /// Whether the class is in use. Lowercase, uppercase and digits are unless given.
    pub in_use: Option<bool>,
    /// At least this many characters of the class. 1 for a class in use unless given.
    pub minimum: Option<u16>,
}

/// A validated set of constraints that at least one password satisfies.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    length: u16,
    requirements: Vec<Requirement>,
    exclude: CharSet,
    exclude_similar: bool,
}

/// One class in use: its characters and how many of them there are at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    /// The class.
    pub class: Class,
    /// Its characters before exclusion: the class's own, or the caller's `symbols`.
    pub characters: CharSet,
    /// Those that may appear.
    pub allowed: CharSet,
    /// At least this many of them.
    pub minimum: u16,
}

impl Policy {
    /// The shortest password, in characters.
    pub const MIN_LENGTH: u16 = 4;
    /// The longest password, in characters.
    pub const MAX_LENGTH: u16 = 256;
    /// The length when none is asked for, in characters.
    pub const DEFAULT_LENGTH: u16 = 16;

    /// Makes a policy of what was asked for.
    ///
    /// # Errors
    /// A [`PolicyError`] when a value is out of its range or no password can satisfy the constraints.
    pub fn new(asked: &Constraints) -> Result<Self, PolicyError> {
        let length = asked.length.unwrap_or(Self::DEFAULT_LENGTH);
        if !(Self::MIN_LENGTH..=Self::MAX_LENGTH).contains(&length) {
            return Err(PolicyError::LengthOutOfRange);
        }
        let symbols = asked.symbols.as_deref().map(parse_symbols).transpose()?;
        let exclude_similar = asked.exclude_similar.unwrap_or(false);
        let exclude = CharSet::of(asked.exclude.as_deref().unwrap_or_default());
        let hidden = if exclude_similar { exclude.union(similar()) } else { exclude };

        let mut requirements = Vec::with_capacity(Class::ALL.len());
        for (class, options) in Class::ALL.into_iter().zip(asked.classes) {
            let replaced = symbols.filter(|_| class == Class::Special);
            if replaced.is_some() && options.in_use == Some(false) {
                return Err(PolicyError::SymbolsWithoutSpecial);
            }
            let in_use = options.in_use.unwrap_or(class != Class::Special || replaced.is_some());
            if !in_use {
                match options.minimum {
                    None | Some(0) => continue,
                    Some(minimum) => return Err(PolicyError::MinimumOfUnusedClass { class, minimum }),
                }
            }
            let characters = replaced.unwrap_or_else(|| class.characters());
            let allowed = characters.without(hidden);
            let minimum = options.minimum.unwrap_or(1);
            if allowed.is_empty() && minimum > 0 {
                return Err(PolicyError::ClassExcluded { class, minimum });
            }
            requirements.push(Requirement { class, characters, allowed, minimum });
        }
        if requirements.is_empty() {
            return Err(PolicyError::NoClassInUse);
        }
        if requirements.iter().all(|one| one.allowed.is_empty()) {
            return Err(PolicyError::AllExcluded);
        }
        let needed: u32 = requirements.iter().map(|one| u32::from(one.minimum)).sum();
        if needed > u32::from(length) {
            let minima = requirements.iter().map(|one| (one.class, one.minimum)).filter(|one| one.1 > 0);
            return Err(PolicyError::LengthTooShort { length, minima: minima.collect() });
        }
        let known = requirements.iter().fold(CharSet::default(), |all, one| all.union(one.characters));
        Ok(Self { length, requirements, exclude: exclude.intersection(known), exclude_similar })
    }

    /// Characters in the password, 4 to 256.
    #[must_use]
    pub const fn length(&self) -> u16 {
        self.length
    }

    /// The classes in use, in the order of [`Class::ALL`]. No two share a character.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.requirements
    }

    /// The requirement of one class, if the class is in use.
    #[must_use]
    pub fn requirement(&self, class: Class) -> Option<&Requirement> {
        self.requirements.iter().find(|one| one.class == class)
    }

    /// Every character that may appear.
    #[must_use]
    pub fn pool(&self) -> CharSet {
        self.requirements.iter().fold(CharSet::default(), |all, one| all.union(one.allowed))
    }

    /// Those characters of the classes in use that `exclude` named.
    #[must_use]
    pub const fn exclude(&self) -> CharSet {
        self.exclude
    }

    /// Whether look-alikes are left out.
    #[must_use]
    pub const fn exclude_similar(&self) -> bool {
        self.exclude_similar
    }
}

fn parse_symbols(text: &str) -> Result<CharSet, PolicyError> {
    if text.is_empty() {
        return Err(PolicyError::NoSymbols);
    }
    if text.chars().any(|character| !character.is_ascii_punctuation()) {
        return Err(PolicyError::SymbolsNotPunctuation);
    }
    Ok(CharSet::of(text))
}

/// Why constraints make no policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PolicyError {
    /// `length` is below 4 or above 256.
    LengthOutOfRange,
    /// Every class is switched off.
    NoClassInUse,
    /// `exclude` and `exclude_similar` leave no character at all.
    AllExcluded,
    /// `exclude` and `exclude_similar` leave none of a class that must appear.
    ClassExcluded {
        /// The class of which nothing is left.
        class: Class,
        /// How many of it there would have to be.
        minimum: u16,
    },
    /// A minimum is given for a class that is not in use.
    MinimumOfUnusedClass {
        /// The class that is not in use.
        class: Class,
        /// How many of it were asked for.
        minimum: u16,
    },
    /// The minima together are more than the length.
    LengthTooShort {
        /// The length asked for.
        length: u16,
        /// Each class that must appear, and how often at least.
        minima: Vec<(Class, u16)>,
    },
    /// `symbols` is given and `special` is switched off.
    SymbolsWithoutSpecial,
    /// `symbols` is empty.
    NoSymbols,
    /// `symbols` holds something that is not ASCII punctuation.
    SymbolsNotPunctuation,
}

impl PolicyError {
    /// The parameter at fault, where it is one.
    #[must_use]
    pub const fn parameter(&self) -> Option<&'static str> {
        match self {
            Self::LengthOutOfRange | Self::LengthTooShort { .. } => Some("length"),
            Self::AllExcluded | Self::ClassExcluded { .. } => Some("exclude"),
            Self::MinimumOfUnusedClass { class, .. } => Some(class.minimum_name()),
            Self::SymbolsWithoutSpecial | Self::NoSymbols | Self::SymbolsNotPunctuation => Some("symbols"),
            Self::NoClassInUse => None,
        }
    }
}

impl fmt::Display for PolicyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LengthOutOfRange => {
                write!(f, "length must be from {} to {}", Policy::MIN_LENGTH, Policy::MAX_LENGTH)
            }
            Self::NoClassInUse => f.write_str("at least one of lowercase, uppercase, digits and special must be true"),
            Self::AllExcluded => f.write_str("exclude and exclude_similar leave no character to draw from"),
            Self::ClassExcluded { class, minimum } => write!(
                f,
                "exclude and exclude_similar leave none of {}, of which {} is {minimum}: exclude less, or set {} to false",
                class.name(),
                class.minimum_name(),
                class.name(),
            ),
            Self::MinimumOfUnusedClass { class, minimum } => write!(
                f,
                "{} is {minimum}, but {} is not in use: set {} to true, or leave {} out",
                class.minimum_name(),
                class.name(),
                class.name(),
                class.minimum_name(),
            ),
            Self::LengthTooShort { length, minima } => {
                write!(f, "length {length} cannot hold ")?;
                for (index, (class, minimum)) in minima.iter().enumerate() {
                    let glue = if index == 0 {
                        ""
                    } else if index + 1 == minima.len() {
                        " and "
                    } else {
                        ", "
                    };
                    write!(f, "{glue}{} {minimum}", class.minimum_name())?;
                }
                Ok(())
            }
            Self::SymbolsWithoutSpecial => {
                f.write_str("symbols turns special on, but special is false: leave one of the two out")
            }
            Self::NoSymbols => f.write_str("symbols must name at least one character"),
            Self::SymbolsNotPunctuation => {
                f.write_str("symbols may hold ASCII punctuation only; letters and digits have parameters of their own")
            }
        }
    }
}

impl std::error::Error for PolicyError {}
