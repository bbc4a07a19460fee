//! A policy with a name, to which a request may add, but which it must not weaken.

use super::constraints::{ClassOptions, Constraints};
use super::error::PolicyError;
use super::presets::Preset;
use super::resolve::{ClassInUse, Origin, ResolvedRules};
use crate::password::charset::{CharSet, Class};

/// A policy with a name: a preset, or a stored policy, which may be built on a preset.
#[derive(Clone, Debug)]
pub struct NamedPolicy {
    /// The name.
    pub name: String,
    /// The constraints of a stored policy; none for a preset.
    pub constraints: Option<Constraints>,
    /// The preset that it is, or that it is built on.
    pub preset: Option<&'static Preset>,
    /// Whether the length of a stored policy is the only one, as in Vault's policies.
    pub has_exact_length: bool,
}

impl NamedPolicy {
    /// A preset.
    #[must_use]
    pub fn preset(preset: &'static Preset) -> Self {
        Self { name: preset.name.to_owned(), constraints: None, preset: Some(preset), has_exact_length: false }
    }

    /// The requirements of the policy, with the constraints of a request that add to them.
    ///
    /// # Errors
    /// [`PolicyError`] if a constraint weakens a requirement.
    pub fn tighten(&self, request: &Constraints) -> Result<Constraints, PolicyError> {
        match (&self.constraints, self.preset) {
            (None, Some(preset)) => preset.apply(request),
            (None, None) => Ok(request.clone()),
            (Some(own), preset) => {
                self.add(&preset.map_or_else(|| Ok(own.clone()), |preset| preset.apply(own))?, request)
            }
        }
    }

    /// The same for a password that is checked: the classes that a preset has on request are allowed, too.
    ///
    /// # Errors
    /// [`PolicyError`] if a constraint weakens a requirement.
    pub fn tighten_for_check(&self, request: &Constraints) -> Result<Constraints, PolicyError> {
        match (&self.constraints, self.preset) {
            (None, Some(preset)) => preset.apply(&preset.widen(request)),
            _ => self.tighten(request),
        }
    }

    /// Adds the constraints of a request to those of a stored policy.
    fn add(&self, own: &Constraints, request: &Constraints) -> Result<Constraints, PolicyError> {
        if let Some(other) = request.source_of_characters() {
            return Err(PolicyError::PolicyWithCharacters { other });
        }
        let mut sum = own.clone();
        self.add_length(&mut sum, request)?;
        if let Some(parameter) = request.parameter_of_classes()
            && let Some(by) = own.source_of_characters()
        {
            return Err(PolicyError::ClassParameterWith { parameter, other: by });
        }
        if own.source_of_characters().is_none() {
            self.add_classes(&mut sum, request)?;
        }
        for (parameter, own, requested) in [
            ("max_repeating", &mut sum.max_repeating, request.max_repeating),
            ("max_sequential", &mut sum.max_sequential, request.max_sequential),
        ] {
            if let (Some(most), Some(requested)) = (*own, requested)
                && requested > most
            {
                return Err(self.weakened(parameter, &format!("{most} or less")));
            }
            *own = requested.or(*own);
        }
        for (parameter, own, requested) in [
            ("exclude_similar", &mut sum.exclude_similar, request.exclude_similar),
            ("no_repeats", &mut sum.no_repeats, request.no_repeats),
        ] {
            if (*own, requested) == (Some(true), Some(false)) {
                return Err(self.weakened(parameter, "true"));
            }
            *own = requested.or(*own);
        }
        if let (Some(least), Some(requested)) = (own.min_entropy, request.min_entropy)
            && requested < least
        {
            return Err(self.weakened("min_entropy", &format!("{least} or more")));
        }
        sum.min_entropy = request.min_entropy.or(own.min_entropy);
        if let (Some(own), Some(requested)) = (own.start, request.start)
            && !requested.characters().without(own.characters()).is_empty()
        {
            return Err(self.weakened("start", own.name()));
        }
        sum.start = request.start.or(own.start);
        if let Some(more) = &request.exclude {
            sum.exclude.get_or_insert_default().push_str(more);
        }
        Ok(sum)
    }

    fn add_length(&self, sum: &mut Constraints, request: &Constraints) -> Result<(), PolicyError> {
        let least = sum.length.take().max(sum.min_length);
        if let (Some(least), Some(requested)) = (least, request.length)
            && requested < least
        {
            return Err(self.weakened("length", &format!("{least} or more")));
        }
        if let (true, Some(exact)) = (self.has_exact_length, least) {
            if request.length.is_some_and(|requested| requested != exact) {
                return Err(self.weakened("length", &exact.to_string()));
            }
            sum.length = least;
            return Ok(());
        }
        (sum.length, sum.min_length) = (request.length, least);
        Ok(())
    }

    /// The classes of a stored policy are those that may appear: a request may drop one that it does not require.
    fn add_classes(&self, sum: &mut Constraints, request: &Constraints) -> Result<(), PolicyError> {
        let in_use = ResolvedRules::new(sum, Origin::Generated)?.classes;
        let own = |class: Class| in_use.iter().find(|one: &&ClassInUse| one.class == class);
        if let Some(symbols) = &request.symbols {
            let allowed = own(Class::Special).map(|special| special.characters).unwrap_or_default();
            if !CharSet::from_text(symbols).without(allowed).is_empty() || !symbols.is_ascii() {
                let requirement = match own(Class::Special) {
                    Some(special) => format!("a subset of {}", special.characters),
                    None => "omitted".to_owned(),
                };
                return Err(self.weakened("symbols", &requirement));
            }
            sum.symbols = Some(symbols.clone());
        }
        if let (Some(least), Some(requested)) = (sum.min_classes, request.min_classes)
            && requested < least
        {
            return Err(self.weakened("min_classes", &format!("{least} or more")));
        }
        let requested = Class::ALL.into_iter().zip(request.classes);
        for ((class, requested), options) in requested.zip(&mut sum.classes) {
            let Some(own) = own(class) else {
                if requested.in_use == Some(true) {
                    return Err(self.weakened(class.name(), "false"));
                }
                *options = ClassOptions { in_use: Some(false), min: requested.min };
                continue;
            };
            if own.min > 0 && requested.in_use == Some(false) {
                return Err(self.weakened(class.name(), "true"));
            }
            if requested.min.is_some_and(|min| min < own.min) {
                return Err(self.weakened(class.min_name(), &format!("{} or more", own.min)));
            }
            let in_use = requested.in_use.unwrap_or(true);
            let min = requested.min.or(in_use.then_some(own.min));
            *options = ClassOptions { in_use: Some(in_use), min };
        }
        sum.min_classes = request.min_classes.or(sum.min_classes);
        Ok(())
    }

    fn weakened(&self, parameter: &'static str, requirement: &str) -> PolicyError {
        PolicyError::WeakensPolicy { policy: self.name.clone(), parameter, requirement: requirement.to_owned() }
    }
}
