//! What a request may add to a preset or a stored policy, which it must not weaken.

use super::constraints::{ClassOptions, Constraints, Start};
use super::error::PolicyError;
use super::resolve::{ClassInUse, Origin, ResolvedRules};
use crate::password::charset::{CharSet, Class};

/// The classes, `symbols` and `min_classes` of constraints.
type Classes = ([ClassOptions; 4], Option<String>, Option<u16>);

/// The value of a parameter, if it does not weaken the policy.
type Added<T> = Result<Option<T>, PolicyError>;

/// A policy to which constraints are added.
pub(super) struct Base<'a> {
    /// Its name in errors.
    pub(super) name: &'a str,
    pub(super) own: &'a Constraints,
    pub(super) has_exact_length: bool,
}

impl Base<'_> {
    /// The policy with the constraints of a request that add to it.
    pub(super) fn add(&self, request: &Constraints) -> Result<Constraints, PolicyError> {
        let own = self.own;
        if let Some(other) = request.source_of_characters() {
            return Err(PolicyError::PolicyWithCharacters { other });
        }
        let (length, min_length) = self.add_length(request)?;
        let (classes, symbols, min_classes) = self.add_classes(request)?;
        let is_within = |own: &Start, start: &Start| start.characters().without(own.characters()).is_empty();
        // Each is named here, so that a new one of a request cannot be ignored.
        Ok(Constraints {
            length,
            min_length,
            classes,
            symbols,
            exclude: own.exclude.iter().chain(&request.exclude).cloned().reduce(|all, more| all + &more),
            exclude_similar: self.turn_on("exclude_similar", own.exclude_similar, request.exclude_similar)?,
            max_repeating: self.lower("max_repeating", own.max_repeating, request.max_repeating)?,
            max_sequential: self.lower("max_sequential", own.max_sequential, request.max_sequential)?,
            no_repeats: self.turn_on("no_repeats", own.no_repeats, request.no_repeats)?,
            start: self.stricter("start", own.start, request.start, is_within, |own| own.name().to_owned())?,
            min_classes,
            min_entropy: self.raise("min_entropy", own.min_entropy, request.min_entropy)?,
            rules: own.rules.clone(),
            charsets: own.charsets.clone(),
        })
    }

    /// The requested length and the shortest.
    fn add_length(&self, request: &Constraints) -> Result<(Option<u16>, Option<u16>), PolicyError> {
        let least = self.own.length.max(self.own.min_length);
        self.raise("length", least, request.length)?;
        if !self.has_exact_length || least.is_none() {
            return Ok((request.length, least.max(request.min_length)));
        }
        let exact = self.stricter("length", least, request.length, u16::eq, |exact| exact.to_string())?;
        Ok((exact, self.own.min_length.max(request.min_length)))
    }

    /// The classes, `symbols` and `min_classes`. The classes of a policy are those that may appear: a request may drop one
    /// that it does not require.
    fn add_classes(&self, request: &Constraints) -> Result<Classes, PolicyError> {
        let own = self.own;
        if let Some(other) = own.source_of_characters() {
            return match request.parameter_of_classes() {
                Some(parameter) => Err(PolicyError::ClassParameterWith { parameter, other }),
                None => Ok((own.classes, own.symbols.clone(), own.min_classes)),
            };
        }
        let in_use = ResolvedRules::new(own, Origin::Generated)?.classes;
        let in_policy = |class: Class| in_use.iter().find(|one: &&ClassInUse| one.class == class);
        if let Some(symbols) = &request.symbols {
            let allowed = in_policy(Class::Special).map(|special| special.characters).unwrap_or_default();
            if !CharSet::from_text(symbols).without(allowed).is_empty() || !symbols.is_ascii() {
                let requirement = match in_policy(Class::Special) {
                    Some(special) => format!("a subset of {}", special.characters),
                    None => "omitted".to_owned(),
                };
                return Err(self.weakened("symbols", requirement));
            }
        }
        let mut classes = own.classes;
        let requested = Class::ALL.into_iter().zip(request.classes);
        for ((class, requested), options) in requested.zip(&mut classes) {
            let Some(own) = in_policy(class) else {
                if requested.in_use == Some(true) {
                    return Err(self.weakened(class.name(), "false".into()));
                }
                *options = ClassOptions { in_use: Some(false), min: requested.min };
                continue;
            };
            self.turn_on(class.name(), Some(own.min > 0), requested.in_use)?;
            let min = self.raise(class.min_name(), Some(own.min), requested.min)?;
            *options = ClassOptions { in_use: Some(requested.in_use.unwrap_or(true)), min };
        }
        // The symbols of a class that is dropped are dropped with it.
        let [.., special] = classes;
        let own_symbols = own.symbols.as_ref().filter(|_| special.in_use == Some(true));
        let symbols = request.symbols.as_ref().or(own_symbols).cloned();
        Ok((classes, symbols, self.raise("min_classes", own.min_classes, request.min_classes)?))
    }

    /// A limit, which a request may lower.
    fn lower(&self, parameter: &'static str, own: Option<u16>, new: Option<u16>) -> Added<u16> {
        self.stricter(parameter, own, new, u16::ge, |most| format!("{most} or less"))
    }

    /// A minimum, which a request may raise.
    fn raise(&self, parameter: &'static str, own: Option<u16>, new: Option<u16>) -> Added<u16> {
        self.stricter(parameter, own, new, u16::le, |least| format!("{least} or more"))
    }

    /// A switch, which a request may turn on.
    fn turn_on(&self, parameter: &'static str, own: Option<bool>, new: Option<bool>) -> Added<bool> {
        self.stricter(parameter, own, new, bool::le, |_| "true".to_owned())
    }

    /// The value of a request, or else that of the policy. Of two values, the new one must be as strict as the own one.
    fn stricter<T: Copy>(
        &self,
        parameter: &'static str,
        own: Option<T>,
        new: Option<T>,
        is_strict: impl Fn(&T, &T) -> bool,
        requirement: impl Fn(T) -> String,
    ) -> Added<T> {
        match (own, new) {
            (Some(own), Some(new)) if !is_strict(&own, &new) => Err(self.weakened(parameter, requirement(own))),
            _ => Ok(new.or(own)),
        }
    }

    fn weakened(&self, parameter: &'static str, requirement: String) -> PolicyError {
        PolicyError::WeakensPolicy { policy: self.name.to_owned(), parameter, requirement }
    }
}
