//! From parameters to sets of characters: what classes or a site's rules say of a password, and how long
//! it may be.

use super::alphabet::{CharSet, Class};
use super::constraints::Constraints;
use super::contradiction::PolicyError;
use super::policy::{ClassInUse, Policy};
use super::rules::PasswordRules;
use super::shape::{Requirement, Variety};

/// A blank at either end is easily lost on the way.
pub(super) const BLANK: CharSet = CharSet::blank();

/// Most sets that a site's rules may require. Real rules have five; counting takes time that is
/// exponential in their number.
const MOST_REQUIRED: usize = 16;

/// What is said of a password, apart from its length.
pub(super) struct Frame {
    pub(super) classes: Vec<ClassInUse>,
    pub(super) pool: CharSet,
    pub(super) requirements: Vec<Requirement>,
    pub(super) variety: Option<Variety>,
    pub(super) max_consecutive: Option<u16>,
    pub(super) start: Option<CharSet>,
    pub(super) end: Option<CharSet>,
}

/// How long a password may be, in characters.
#[derive(Clone, Copy)]
pub(super) struct Lengths {
    pub(super) least: u16,
    pub(super) most: u16,
    /// Unless a length is asked for.
    pub(super) usual: u16,
}

impl Lengths {
    /// The lengths that a preset or a site's rules leave, with which the one asked for must agree.
    pub(super) fn of(asked: &Constraints) -> Result<Self, PolicyError> {
        let rules = asked.rules.as_ref();
        let (least, most) = match asked.preset {
            Some(preset) => preset.lengths,
            None => (
                rules.and_then(|rules| rules.min_length).unwrap_or_default(),
                rules.and_then(|rules| rules.max_length).unwrap_or(u16::MAX),
            ),
        };
        if least > Policy::MAX_LENGTH || most < Policy::MIN_LENGTH {
            return Err(PolicyError::NoLength { least, most });
        }
        let (shortest, longest) = (Policy::MIN_LENGTH.max(least), Policy::MAX_LENGTH.min(most));
        if let Some(length) = asked.length
            && !(shortest..=longest).contains(&length)
        {
            let (least, most) = (shortest, longest);
            return Err(match asked.preset.map(|preset| preset.name).or(rules.map(|_| "passwordrules")) {
                Some(by) => PolicyError::OutsideLengths { by, least, most },
                None => PolicyError::OutOfRange { parameter: "length", least, most },
            });
        }
        let usual = Policy::DEFAULT_LENGTH.clamp(shortest, longest);
        Ok(Self { least: shortest, most: longest, usual })
    }
}

impl Frame {
    /// What the classes in use say, and all their characters, excluded ones too.
    pub(super) fn of_classes(asked: &Constraints, hidden: CharSet) -> Result<(Self, CharSet), PolicyError> {
        let classes = classes_in_use(asked, hidden)?;
        let union =
            |of: fn(&ClassInUse) -> CharSet| classes.iter().fold(CharSet::default(), |all, one| all.union(of(one)));
        let (pool, known) = (union(|one| one.allowed), union(|one| one.characters));
        let requirements = classes.iter().map(|one| Requirement { characters: one.allowed, minimum: one.minimum });
        let variety = asked.min_classes.map(|least| Variety {
            classes: classes.iter().map(|one| one.allowed).filter(|allowed| !allowed.is_empty()).collect(),
            least: usize::from(least),
        });
        let frame = Self {
            pool,
            requirements: requirements.filter(|one| one.minimum > 0).collect(),
            variety,
            max_consecutive: asked.max_consecutive,
            start: asked.start.map(super::Start::characters),
            end: None,
            classes,
        };
        Ok((frame, known))
    }

    /// What a site's rules say.
    pub(super) fn of_rules(rules: &PasswordRules, asked: &Constraints, hidden: CharSet) -> Result<Self, PolicyError> {
        if let Some(parameter) = said_of_classes(asked) {
            return Err(PolicyError::BesideRules { parameter });
        }
        let pool = rules.pool().without(hidden);
        let mut requirements: Vec<Requirement> = Vec::new();
        for set in &rules.required {
            let characters = set.without(hidden);
            if characters.is_empty() {
                return Err(PolicyError::RequiredExcluded);
            }
            if requirements.iter().all(|one| one.characters != characters) {
                requirements.push(Requirement { characters, minimum: 1 });
            }
        }
        if requirements.len() > MOST_REQUIRED {
            return Err(PolicyError::TooManyRequired { most: MOST_REQUIRED });
        }
        let inner = pool.contains(b' ').then(|| pool.without(BLANK));
        Ok(Self {
            classes: Vec::new(),
            pool,
            requirements,
            variety: None,
            max_consecutive: [rules.max_consecutive, asked.max_consecutive].into_iter().flatten().min(),
            start: asked.start.map(super::Start::characters).or(inner),
            end: inner,
        })
    }
}

/// A parameter that says something of classes.
fn said_of_classes(asked: &Constraints) -> Option<&'static str> {
    let of_class = Class::ALL.into_iter().zip(asked.classes).find_map(|(class, options)| {
        let minimum = options.minimum.map(|_| class.minimum_name());
        options.in_use.map(|_| class.name()).or(minimum)
    });
    let symbols = asked.symbols.as_ref().map(|_| "symbols");
    of_class.or(symbols).or(asked.min_classes.map(|_| "min_classes"))
}

fn classes_in_use(asked: &Constraints, hidden: CharSet) -> Result<Vec<ClassInUse>, PolicyError> {
    let symbols = asked.symbols.as_deref().map(parse_symbols).transpose()?;
    let mut classes = Vec::with_capacity(Class::ALL.len());
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
        let minimum = options.minimum.unwrap_or(u16::from(asked.min_classes.is_none()));
        if allowed.is_empty() && minimum > 0 {
            return Err(PolicyError::ClassExcluded { class, minimum });
        }
        classes.push(ClassInUse { class, characters, allowed, minimum });
    }
    if classes.is_empty() { Err(PolicyError::NoClassInUse) } else { Ok(classes) }
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
