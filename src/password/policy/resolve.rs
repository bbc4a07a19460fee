//! Resolves constraints into sets of characters: what classes or a site's rules say about a password, and how long it
//! may be.

use super::constraints::{Constraints, Start};
use super::error::PolicyError;
use super::limits::{self, LengthRange};
use super::presets::Preset;
use crate::password::charset::{CharSet, Class};
use crate::password::rules::password_rules::PasswordRules;
use crate::password::spec::{MinClasses, PasswordSpec, Requirement};

/// The most sets that a site's rules may require. Real rules require up to five; the time to count grows exponentially
/// with their number.
const MAX_REQUIRED: usize = 16;

/// A class in use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassInUse {
    /// The class.
    pub class: Class,
    /// Its characters before exclusion: those of the class, or the caller's `symbols`.
    pub characters: CharSet,
    /// Those that may appear.
    pub allowed: CharSet,
    /// The fewest that must appear.
    pub min: u16,
}

/// What constraints say about a password, except its length.
pub(in crate::password) struct ResolvedRules {
    pub(in crate::password) classes: Vec<ClassInUse>,
    pub(in crate::password) pool: CharSet,
    pub(in crate::password) requirements: Vec<Requirement>,
    pub(in crate::password) min_classes: Option<MinClasses>,
    pub(in crate::password) max_consecutive: Option<u16>,
    pub(in crate::password) start: Option<Start>,
    pub(in crate::password) no_repeats: bool,
    /// The characters of `exclude` that would otherwise appear.
    pub(in crate::password) exclude: CharSet,
}

/// Which spaces a site's rules lead to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::password) enum Spaces {
    /// Those of a password that is generated: only if a required set has no other character, because a space is easily
    /// lost when a password is copied.
    Generated,
    /// Those of a password that is validated: wherever the rules allow them.
    Accepted,
}

/// The lengths that a preset or a site's rules allow. The requested length must be one of them.
pub(in crate::password) fn length_range(
    constraints: &Constraints,
    preset: Option<&Preset>,
) -> Result<LengthRange, PolicyError> {
    let rules = constraints.rules.as_ref();
    let allowed = preset.map_or_else(
        || LengthRange {
            min: rules.and_then(|rules| rules.min_length).unwrap_or_default(),
            max: rules.and_then(|rules| rules.max_length).unwrap_or(u16::MAX),
        },
        |preset| preset.lengths,
    );
    let LengthRange { min, max } = allowed;
    if min > limits::MAX_LENGTH || max < limits::MIN_LENGTH {
        return Err(PolicyError::NoLength { min, max });
    }
    let (min, max) = (min.max(limits::MIN_LENGTH), max.min(limits::MAX_LENGTH));
    let range = LengthRange { min, max };
    if constraints.length.is_some_and(|length| !range.contains(length)) {
        return Err(match preset.map(|preset| preset.name).or(rules.map(|_| "passwordrules")) {
            Some(source) => PolicyError::OutsideLengths { source, min, max },
            None => PolicyError::OutOfRange { parameter: "length", min, max },
        });
    }
    Ok(range)
}

impl ResolvedRules {
    /// Resolves constraints, without a preset and without the length.
    pub(in crate::password) fn new(constraints: &Constraints, spaces: Spaces) -> Result<Self, PolicyError> {
        let rules = match &constraints.rules {
            Some(rules) => Self::from_rules(rules, constraints, spaces)?,
            None => Self::from_classes(constraints)?,
        };
        if rules.pool.is_empty() { Err(PolicyError::AllExcluded) } else { Ok(rules) }
    }

    /// The specification of passwords of a length.
    pub(in crate::password) fn spec(&self, length: u16) -> PasswordSpec {
        PasswordSpec {
            length,
            pool: self.pool,
            requirements: self.requirements.clone(),
            min_classes: self.min_classes.clone(),
            max_consecutive: self.max_consecutive.map(|max| max.min(length)),
            no_repeats: self.no_repeats,
            start: self.start.map(Start::characters),
        }
    }

    fn from_classes(constraints: &Constraints) -> Result<Self, PolicyError> {
        let classes = classes_in_use(constraints)?;
        let union =
            |of: fn(&ClassInUse) -> CharSet| classes.iter().fold(CharSet::default(), |all, one| all.union(of(one)));
        let (pool, characters) = (union(|one| one.allowed), union(|one| one.characters));
        let requirements = classes.iter().map(|one| Requirement { characters: one.allowed, min: one.min });
        let min_classes = constraints.min_classes.map(|min| MinClasses {
            classes: classes.iter().map(|one| one.allowed).filter(|allowed| !allowed.is_empty()).collect(),
            min: usize::from(min),
        });
        Ok(Self {
            pool,
            requirements: requirements.filter(|one| one.min > 0).collect(),
            min_classes,
            max_consecutive: constraints.max_consecutive,
            start: constraints.start,
            no_repeats: constraints.no_repeats.unwrap_or(false),
            exclude: constraints.excluded_by_name().intersection(characters),
            classes,
        })
    }

    fn from_rules(rules: &PasswordRules, constraints: &Constraints, spaces: Spaces) -> Result<Self, PolicyError> {
        if let Some(parameter) = class_parameter_given(constraints) {
            return Err(PolicyError::ClassParameterWithRules { parameter });
        }
        let mut removed = constraints.excluded();
        if spaces == Spaces::Generated && !rules.required.contains(&CharSet::space()) {
            if rules.pool() == CharSet::space() {
                return Err(PolicyError::OnlySpaceAllowed);
            }
            removed = removed.union(CharSet::space());
        }
        let mut requirements: Vec<Requirement> = Vec::new();
        for set in &rules.required {
            let characters = set.without(removed);
            if characters.is_empty() {
                return Err(PolicyError::RequiredExcluded);
            }
            if requirements.iter().all(|one| one.characters != characters) {
                if requirements.len() == MAX_REQUIRED {
                    return Err(PolicyError::TooManyRequired { max: MAX_REQUIRED });
                }
                requirements.push(Requirement { characters, min: 1 });
            }
        }
        Ok(Self {
            classes: Vec::new(),
            pool: rules.pool().without(removed),
            requirements,
            min_classes: None,
            max_consecutive: [rules.max_consecutive, constraints.max_consecutive].into_iter().flatten().min(),
            start: constraints.start,
            no_repeats: constraints.no_repeats.unwrap_or(false),
            exclude: constraints.excluded_by_name().intersection(rules.pool()),
        })
    }
}

/// The fewest characters that have room for the minima of classes and for `min_classes`.
pub(super) fn characters_needed(classes: &[ClassInUse], min_classes: Option<&MinClasses>) -> u32 {
    let required = classes.iter().filter(|one| one.min > 0).count();
    let others = min_classes.map_or(0, |one| one.min.saturating_sub(required));
    classes.iter().map(|one| u32::from(one.min)).sum::<u32>() + u32::try_from(others).unwrap_or(u32::MAX / 2)
}

/// A parameter of classes that the request has.
fn class_parameter_given(constraints: &Constraints) -> Option<&'static str> {
    let of_class = Class::ALL.into_iter().zip(constraints.classes).find_map(|(class, options)| {
        let min = options.min.map(|_| class.min_name());
        options.in_use.map(|_| class.name()).or(min)
    });
    let symbols = constraints.symbols.as_ref().map(|_| "symbols");
    of_class.or(symbols).or(constraints.min_classes.map(|_| "min_classes"))
}

fn classes_in_use(constraints: &Constraints) -> Result<Vec<ClassInUse>, PolicyError> {
    let symbols = constraints.symbols.as_deref().map(parse_symbols).transpose()?;
    let mut classes = Vec::with_capacity(Class::ALL.len());
    for (class, options) in Class::ALL.into_iter().zip(constraints.classes) {
        let symbols = symbols.filter(|_| class == Class::Special);
        if symbols.is_some() && options.in_use == Some(false) {
            return Err(PolicyError::SymbolsWithoutSpecial);
        }
        let in_use = options.in_use.unwrap_or(class != Class::Special || symbols.is_some());
        if !in_use {
            match options.min {
                None | Some(0) => continue,
                Some(min) => return Err(PolicyError::MinOfUnusedClass { class, min }),
            }
        }
        let characters = symbols.unwrap_or_else(|| class.characters());
        let allowed = characters.without(constraints.excluded());
        let min = options.min.unwrap_or(u16::from(constraints.min_classes.is_none()));
        if allowed.is_empty() && min > 0 {
            return Err(PolicyError::ClassExcluded { class, min });
        }
        classes.push(ClassInUse { class, characters, allowed, min });
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
    Ok(CharSet::from_text(text))
}
