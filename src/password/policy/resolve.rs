//! Resolves constraints into sets of characters: what classes or a site's rules say about a password.

use super::constraints::{Constraints, Start};
use super::error::PolicyError;
use super::limits;
use crate::password::charset::{CharSet, Class, special};
use crate::password::rules::password_rules::{PasswordRules, RuleSet};
use crate::password::spec::{MinClasses, PasswordSpec, Requirement};

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
#[derive(Default)]
pub(in crate::password) struct ResolvedRules {
    pub(in crate::password) classes: Vec<ClassInUse>,
    pub(in crate::password) pool: CharSet,
    pub(in crate::password) requirements: Vec<Requirement>,
    pub(in crate::password) min_classes: Option<MinClasses>,
    pub(in crate::password) max_repeating: Option<u16>,
    pub(in crate::password) max_sequential: Option<u16>,
    pub(in crate::password) start: Option<Start>,
    pub(in crate::password) no_repeats: bool,
    /// The characters of `exclude` that would otherwise appear.
    pub(in crate::password) exclude: CharSet,
}

/// Where the characters come from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::password) enum Origin {
    /// They are drawn. A site's rules lead to a space only if a required set has no other character, because a space is
    /// easily lost when a password is copied.
    Generated,
    /// Somebody chose them: whatever a site accepts. The special characters are all punctuation of ASCII and the space.
    Chosen,
}

impl ResolvedRules {
    /// Resolves constraints, without a preset and without the length.
    pub(in crate::password) fn new(constraints: &Constraints, origin: Origin) -> Result<Self, PolicyError> {
        if let Some(other) = constraints.source_of_characters()
            && let Some(parameter) = constraints.parameter_of_classes()
        {
            return Err(PolicyError::ClassParameterWith { parameter, other });
        }
        let resolved = match (&constraints.rules, &constraints.charsets) {
            (Some(_), Some(_)) => return Err(PolicyError::RulesWithCharsets),
            (Some(rules), None) => Self::of_rules(rules, constraints, origin)?,
            (None, Some(charsets)) => Self::of_charsets(charsets, constraints)?,
            (None, None) => Self::of_classes(constraints, origin)?,
        };
        if resolved.pool.is_empty() {
            return Err(PolicyError::AllExcluded);
        }
        let smaller = |of_rules: Option<u16>, own: Option<u16>| of_rules.into_iter().chain(own).min();
        Ok(Self {
            max_repeating: smaller(resolved.max_repeating, constraints.max_repeating),
            max_sequential: smaller(resolved.max_sequential, constraints.max_sequential),
            start: constraints.start,
            no_repeats: constraints.no_repeats.unwrap_or(false),
            ..resolved
        })
    }

    fn of_charsets(charsets: &[Requirement], constraints: &Constraints) -> Result<Self, PolicyError> {
        if !(1..=limits::MAX_SETS).contains(&charsets.len()) {
            return Err(PolicyError::WrongNumberOfCharsets);
        }
        let all = charsets.iter().fold(CharSet::default(), |all, one| all.union(one.characters));
        let excluded = constraints.excluded();
        let sets = charsets.iter().map(|one| Requirement { characters: one.characters.without(excluded), ..*one });
        let requirements: Vec<Requirement> = sets.collect();
        if requirements.iter().any(|one| one.min > 0 && one.characters.is_empty()) {
            return Err(PolicyError::RequiredExcluded { by: "charsets" });
        }
        let exclude = constraints.excluded_by_name().intersection(all);
        Ok(Self { pool: all.without(excluded), requirements, exclude, ..Self::default() })
    }

    fn of_classes(constraints: &Constraints, origin: Origin) -> Result<Self, PolicyError> {
        let classes = classes_in_use(constraints, origin)?;
        let union =
            |of: fn(&ClassInUse) -> CharSet| classes.iter().fold(CharSet::default(), |all, one| all.union(of(one)));
        let (pool, all) = (union(|one| one.allowed), union(|one| one.characters));
        let requirements = classes.iter().map(|one| Requirement { characters: one.allowed, min: one.min });
        let requirements = requirements.filter(|one| one.min > 0).collect();
        let min_classes = constraints.min_classes.map(|min| MinClasses {
            classes: classes.iter().map(|one| one.allowed).filter(|allowed| !allowed.is_empty()).collect(),
            min: usize::from(min),
        });
        let exclude = constraints.excluded_by_name().intersection(all);
        Ok(Self { classes, pool, requirements, min_classes, exclude, ..Self::default() })
    }

    fn of_rules(rules: &PasswordRules, constraints: &Constraints, origin: Origin) -> Result<Self, PolicyError> {
        let characters = |set: RuleSet| if origin == Origin::Generated { set.drawn } else { set.accepted };
        let all = characters(rules.pool());
        let mut removed = constraints.excluded();
        if origin == Origin::Generated && rules.required.iter().all(|set| set.drawn != CharSet::space()) {
            if all == CharSet::space() {
                return Err(PolicyError::OnlySpaceAllowed);
            }
            removed = removed.union(CharSet::space());
        }
        let mut requirements: Vec<Requirement> = Vec::new();
        // Any character satisfies a set with `unicode`.
        for set in rules.required.iter().filter(|set| origin == Origin::Generated || !set.unicode) {
            let characters = characters(*set).without(removed);
            if characters.is_empty() {
                return Err(PolicyError::RequiredExcluded { by: "passwordrules" });
            }
            if requirements.iter().all(|one| one.characters != characters) {
                if requirements.len() == limits::MAX_SETS {
                    return Err(PolicyError::TooManyRequired);
                }
                requirements.push(Requirement { characters, min: 1 });
            }
        }
        Ok(Self {
            pool: all.without(removed),
            requirements,
            max_repeating: rules.max_repeating,
            max_sequential: rules.max_sequential,
            exclude: constraints.excluded_by_name().intersection(all),
            ..Self::default()
        })
    }

    /// As many characters as are enough for the minima.
    pub(super) fn enough(&self) -> u32 {
        let required = self.requirements.iter().filter(|one| one.min > 0);
        let (number, sum) = required.fold((0, 0), |(number, sum), one| (number + 1, sum + u32::from(one.min)));
        sum + self
            .min_classes
            .as_ref()
            .map_or(0, |one| u32::try_from(one.min.saturating_sub(number)).unwrap_or_default())
    }

    /// As many characters as the minima need at least: fewer than are enough, if sets overlap.
    pub(super) fn needed(&self) -> u32 {
        let overlap = |index: usize, one: &Requirement| {
            self.requirements[..index].iter().any(|other| !one.characters.intersection(other.characters).is_empty())
        };
        if self.requirements.iter().enumerate().any(|(index, one)| overlap(index, one)) {
            self.requirements.iter().map(|one| u32::from(one.min)).max().unwrap_or_default()
        } else {
            self.enough()
        }
    }

    /// The specification of passwords of a length.
    pub(in crate::password) fn spec(&self, length: u16) -> PasswordSpec {
        PasswordSpec {
            length,
            pool: self.pool,
            requirements: self.requirements.clone(),
            min_classes: self.min_classes.clone(),
            max_repeating: self.max_repeating.map(|max| max.min(length)),
            max_sequential: self.max_sequential.map(|max| max.min(length)),
            no_repeats: self.no_repeats,
            start: self.start.map(Start::characters),
        }
    }
}

fn classes_in_use(constraints: &Constraints, origin: Origin) -> Result<Vec<ClassInUse>, PolicyError> {
    let symbols = constraints.symbols.as_deref().map(parse_symbols).transpose()?;
    let mut classes = Vec::with_capacity(Class::ALL.len());
    let mut is_emptied = false;
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
        let characters = symbols.unwrap_or_else(|| match (class, origin) {
            (Class::Special, Origin::Chosen) => special(),
            _ => class.characters(),
        });
        let allowed = characters.without(constraints.excluded());
        if allowed.is_empty() && options.min.is_none() {
            // No minimum requires a character of the class, so it is out of use.
            is_emptied = true;
            continue;
        }
        let min = options.min.unwrap_or(u16::from(constraints.min_classes.is_none()));
        if allowed.is_empty() && min > 0 {
            return Err(PolicyError::ClassExcluded { class, min });
        }
        classes.push(ClassInUse { class, characters, allowed, min });
    }
    match (classes.is_empty(), is_emptied) {
        (false, _) => Ok(classes),
        (true, true) => Err(PolicyError::AllExcluded),
        (true, false) => Err(PolicyError::NoClassInUse),
    }
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
