//! A validated policy.

pub(super) mod constraints;
pub(super) mod error;
mod length;
pub mod limits;
pub(super) mod named;
pub(super) mod presets;
pub(super) mod resolve;
mod tighten;

use constraints::{Constraints, Start};
use error::PolicyError;
use length::TooExpensiveAt;
use limits::LengthRange;
use presets::{Preset, length_range};
use resolve::{ClassInUse, Origin, ResolvedRules};

use super::charset::{CharSet, Class};
use super::entropy::Count;
use super::rules::password_rules::PasswordRules;
use super::sampling::budget::WorkBudget;
use super::sampling::sampler::{CountError, Sampler, count, counts};
use super::spec::{MinClasses, PasswordSpec, Requirement};

/// Constraints that have no contradiction, as far as can be told without counting.
///
/// # Example
///
/// Four digits, none of them twice, are 10 · 9 · 8 · 7 passwords:
///
/// ```
/// use passloom::password::{Constraints, Policy, WorkBudget};
///
/// let mut constraints = Constraints { length: Some(4), no_repeats: Some(true), ..Constraints::default() };
/// constraints.classes[0].in_use = Some(false);
/// constraints.classes[1].in_use = Some(false);
/// let (policy, sampler) = Policy::new(&constraints, None)?.sampler(&mut WorkBudget::new(1))?;
/// assert_eq!(policy.length(), 4);
/// assert_eq!(sampler.count().to_decimal(), "5040");
/// # Ok::<(), passloom::password::PolicyError>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    classes: Vec<ClassInUse>,
    exclude: CharSet,
    exclude_similar: bool,
    min_classes: Option<u16>,
    start: Option<Start>,
    rules: Option<PasswordRules>,
    charsets: Option<Vec<Requirement>>,
    max_repeating: Option<u16>,
    max_sequential: Option<u16>,
    /// As many characters as the minima need at least.
    needed: u32,
    /// The lengths among which `min_entropy` chooses, or which a checked password may have; else a single one.
    lengths: LengthRange,
    /// The longest that the policy allows, if none was requested.
    longest: Option<u16>,
    min_entropy: Option<u16>,
    spec: PasswordSpec,
}

/// Why a policy does not have as many passwords as a floor requires.
#[derive(Clone, Debug, PartialEq)]
pub enum FloorError {
    /// It has fewer, even with a longer length if none was requested: so many.
    TooFew(Count),
    /// It cannot be counted, or has none.
    Policy(PolicyError),
}

impl Policy {
    /// Resolves the constraints of a request, and the preset that they add to. Nothing is counted: with `min_entropy` the
    /// policy is provisional until [`Policy::with_entropy`] has counted.
    ///
    /// # Errors
    /// A [`PolicyError`] when a value is out of its range, or when the constraints contradict each other in a way that
    /// shows without counting.
    pub fn new(constraints: &Constraints, preset: Option<&Preset>) -> Result<Self, PolicyError> {
        let chooses_length = constraints.length.is_none() && constraints.min_entropy.is_some();
        let policy = Self::resolve(constraints, preset, chooses_length)?;
        if !chooses_length {
            policy.check()?;
            return Ok(policy);
        }
        // Contradictions that every length has show at the longest; but `no_repeats` may allow only shorter ones.
        let found = match policy.of_length(policy.lengths.max) {
            Err(PolicyError::TooFewCharacters { .. }) => policy.of_length(policy.lengths.min).err(),
            checked => checked.err(),
        };
        match found {
            None | Some(PolicyError::LengthTooShort { .. }) => Ok(policy),
            Some(error) => Err(error),
        }
    }

    /// Resolves the constraints of a check of passwords. Without `length`, the policy has all lengths that the other
    /// constraints permit.
    ///
    /// # Errors
    /// A [`PolicyError`] when no length is without a contradiction that shows without counting.
    pub(super) fn of_all_lengths(constraints: &Constraints, preset: Option<&Preset>) -> Result<Self, PolicyError> {
        let policy = Self::resolve(constraints, preset, constraints.length.is_none())?;
        // What contradicts this length also contradicts every longer one, and shorter ones have no room for the minima.
        policy.of_length(policy.lengths_with_room().min)?;
        Ok(policy)
    }

    /// Resolves constraints. The policy has all permitted lengths, or the requested one, or the default.
    fn resolve(constraints: &Constraints, preset: Option<&Preset>, has_all_lengths: bool) -> Result<Self, PolicyError> {
        let applied = preset.map(|preset| preset.apply(constraints)).transpose()?;
        let constraints = applied.as_ref().unwrap_or(constraints);
        // Each is named here, so that a new one cannot be ignored.
        let Constraints {
            length,
            min_length,
            classes: _,
            symbols: _,
            exclude: _,
            exclude_similar,
            max_repeating,
            max_sequential,
            no_repeats: _,
            start,
            min_classes,
            min_entropy,
            rules,
            charsets,
        } = constraints;
        let lengths = length_range(constraints, preset)?;
        let resolved = ResolvedRules::new(constraints, Origin::Generated)?;
        let needed = resolved.needed();
        if length.is_none() && needed > u32::from(lengths.max) {
            let largest = resolved.classes.iter().max_by_key(|one| one.min);
            let parameter = largest.map_or("charsets", |one| one.class.min_name());
            return Err(PolicyError::MinimaTooLarge { parameter, needed, longest: lengths.max });
        }
        let default_length = lengths.default_length(*min_length, resolved.enough());
        let chosen = length.unwrap_or(default_length);
        let longest = if has_all_lengths { lengths.max } else { chosen };
        for (parameter, value, max) in [
            ("max_repeating", *max_repeating, longest),
            ("max_sequential", *max_sequential, longest),
            ("min_classes", *min_classes, 4),
            ("min_entropy", *min_entropy, limits::MAX_ENTROPY),
        ] {
            if value.is_some_and(|value| !(1..=max).contains(&value)) {
                return Err(PolicyError::OutOfRange { parameter, min: 1, max });
            }
        }
        Ok(Self {
            exclude: resolved.exclude,
            exclude_similar: exclude_similar.unwrap_or(false),
            min_classes: *min_classes,
            start: *start,
            rules: rules.clone(),
            charsets: charsets.clone(),
            max_repeating: resolved.max_repeating,
            max_sequential: resolved.max_sequential,
            needed,
            longest: length.is_none().then_some(lengths.max),
            lengths: if has_all_lengths { lengths } else { LengthRange { min: chosen, max: chosen } },
            min_entropy: *min_entropy,
            spec: resolved.spec(chosen),
            classes: resolved.classes,
        })
    }

    /// The policy with at least `min_entropy`: the shortest length that has it, or the requested length if that has it.
    ///
    /// # Errors
    /// A [`PolicyError`] when the length, or every length, has less entropy.
    pub fn with_entropy(self, budget: &mut WorkBudget) -> Result<Self, PolicyError> {
        if self.min_entropy.is_none() {
            return Ok(self);
        }
        // A limit on runs is at most the length.
        let limit = self.max_repeating.max(self.max_sequential).unwrap_or_default();
        let LengthRange { min, max } = self.lengths_with_room();
        self.find(LengthRange { min: min.max(limit).min(max), max }, budget)
    }

    /// Checks that passwords of a permitted length satisfy the constraints, `min_entropy` included. If counting them is too
    /// expensive, they may.
    ///
    /// # Errors
    /// A [`PolicyError`] when there are none.
    pub(super) fn check_satisfiable(&self, budget: &mut WorkBudget) -> Result<(), PolicyError> {
        match self.find(self.lengths_with_room(), budget) {
            Ok(_) | Err(PolicyError::TooExpensive { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The policy of the shortest length in a range that has passwords, and as many as `min_entropy` requires.
    fn find(&self, lengths: LengthRange, budget: &mut WorkBudget) -> Result<Self, PolicyError> {
        let bits = self.min_entropy.unwrap_or_default();
        let LengthRange { min, max } = lengths;
        if self.lengths.min == self.lengths.max {
            let policy = self.with_length(min);
            return match count(policy.spec(), budget) {
                Ok(count) if count.reaches(bits) => Ok(policy),
                Ok(count) => {
                    Err(PolicyError::EntropyTooLow { length: min, min_entropy: bits, entropy: count.entropy() })
                }
                Err(error) => Err(policy.explain(error)),
            };
        }
        self.shortest(lengths, &Count::of_bits(bits.into()), budget)?.ok_or_else(|| match self.min_entropy {
            Some(min_entropy) => PolicyError::EntropyOutOfReach { min_entropy, longest: max },
            None => self.with_length(min).explain(CountError::Unsatisfiable),
        })
    }

    /// The lengths of the policy that have room for the minima. If none has, it is the longest.
    fn lengths_with_room(&self) -> LengthRange {
        let LengthRange { min, max } = self.lengths;
        LengthRange { min: min.max(u16::try_from(self.needed).unwrap_or(max)).min(max), max }
    }

    /// The final policy and the sampler of its passwords.
    ///
    /// # Errors
    /// A [`PolicyError`] when there is none, or when counting and drawing one password would take too long.
    pub fn sampler(self, budget: &mut WorkBudget) -> Result<(Self, Sampler), PolicyError> {
        let policy = self.with_entropy(budget)?;
        let sampler = Sampler::new(policy.spec().clone(), budget).map_err(|error| policy.explain(error))?;
        sampler.spend_draws(1, budget).map_err(|error| policy.explain(error))?;
        Ok((policy, sampler))
    }

    /// The policy with at least so many passwords: with its length, or with the next one that has them, if none was requested.
    ///
    /// # Errors
    /// A number of passwords that it has, or why one cannot be counted.
    pub fn with_at_least(self, floor: &Count, budget: &mut WorkBudget) -> Result<Self, FloorError> {
        let own = count(self.spec(), budget).map_err(|error| FloorError::Policy(self.explain(error)))?;
        if own >= *floor {
            return Ok(self);
        }
        let (length, longest) = (self.length(), self.longest_possible());
        if length >= longest {
            return Err(FloorError::TooFew(own));
        }
        let found = self.shortest(LengthRange { min: length + 1, max: longest }, floor, budget);
        found.map_err(FloorError::Policy)?.ok_or_else(|| {
            // The largest number is usually that of the longest length, if it can be counted.
            let longest = count(self.with_length(longest).spec(), budget);
            FloorError::TooFew(longest.map_or(own.clone(), |longest| longest.max(own)))
        })
    }

    /// The longest that may be taken if no length was requested, and that has enough characters for `no_repeats`.
    fn longest_possible(&self) -> u16 {
        let longest = self.longest.unwrap_or(self.length());
        let characters = u16::try_from(self.spec.pool.len()).unwrap_or(u16::MAX);
        if self.spec.no_repeats { longest.min(characters) } else { longest }
    }

    /// The policy of the shortest length in a range that has at least so many passwords, if one has.
    fn shortest(
        &self,
        lengths: LengthRange,
        fewest: &Count,
        budget: &mut WorkBudget,
    ) -> Result<Option<Self>, PolicyError> {
        let spec = |length| self.with_length(length).spec;
        match length::shortest(lengths, fewest, spec, |spec, from| counts(spec, from, budget)) {
            Ok(found) => Ok(found.map(|length| self.with_length(length))),
            Err(TooExpensiveAt(length)) => Err(self.with_length(length).explain(CountError::TooExpensive)),
        }
    }

    /// The same policy for another length.
    pub(super) fn of_length(&self, length: u16) -> Result<Self, PolicyError> {
        let policy = self.with_length(length);
        policy.check()?;
        Ok(policy)
    }

    /// The same policy for another length, which may contradict it.
    fn with_length(&self, length: u16) -> Self {
        let mut policy = self.clone();
        policy.spec.length = length;
        policy.lengths = LengthRange { min: length, max: length };
        policy.spec.max_repeating = self.max_repeating.map(|max| max.min(length));
        policy.spec.max_sequential = self.max_sequential.map(|max| max.min(length));
        policy
    }

    /// Finds contradictions that show without counting.
    fn check(&self) -> Result<(), PolicyError> {
        let PasswordSpec { length, pool, .. } = self.spec;
        if let Some(MinClasses { classes, min }) = &self.spec.min_classes
            && classes.len() < *min
        {
            return Err(PolicyError::TooFewClasses { min: *min, classes: classes.len() });
        }
        if self.needed > u32::from(length) {
            return Err(PolicyError::LengthTooShort { length, minima: self.minima() });
        }
        if let Some(start) = self.start
            && self.spec.first().is_empty()
        {
            return Err(PolicyError::NoStart { start: start.name() });
        }
        if self.spec.no_repeats && self.spec.max_sequential.is_some() {
            return Err(PolicyError::NoRepeatsInSequence);
        }
        if self.spec.no_repeats {
            if pool.len() < u32::from(length) {
                return Err(PolicyError::TooFewCharacters { length, available: pool.len() });
            }
            if let Some(one) = self.classes.iter().find(|one| one.allowed.len() < u32::from(one.min)) {
                let ClassInUse { class, min, allowed, .. } = *one;
                return Err(PolicyError::TooFewOfClass { class, min, available: allowed.len() });
            }
        }
        if let (1, Some(max_repeating)) = (pool.len(), self.spec.max_repeating)
            && max_repeating < length
        {
            return Err(PolicyError::OneCharacter { length, max_repeating });
        }
        Ok(())
    }

    /// Explains in the words of the parameters why no password can be drawn.
    #[must_use]
    pub fn explain(&self, error: CountError) -> PolicyError {
        let mut constraints = self.minima();
        let PasswordSpec { length, max_repeating, max_sequential, no_repeats, .. } = self.spec;
        constraints.extend(max_repeating.map(|max| format!("max_repeating {max}")));
        constraints.extend(max_sequential.map(|max| format!("max_sequential {max}")));
        constraints.extend(no_repeats.then(|| "no_repeats".to_owned()));
        constraints.extend(self.start.map(|start| format!("start {}", start.name())));
        match error {
            CountError::Unsatisfiable => PolicyError::Unsatisfiable { length, constraints },
            CountError::TooExpensive => PolicyError::TooExpensive { length, constraints },
        }
    }

    /// The minima above 0, in words.
    fn minima(&self) -> Vec<String> {
        let classes = self.classes.iter().filter(|one| one.min > 0);
        let classes = classes.map(|one| format!("{} {}", one.class.min_name(), one.min));
        let others = [
            self.min_classes.map(|min| format!("min_classes {min}")),
            self.rules.is_some().then(|| "passwordrules".to_owned()),
            self.charsets.is_some().then(|| "charsets".to_owned()),
        ];
        classes.chain(others.into_iter().flatten()).collect()
    }

    /// What the passwords are like, in sets of characters.
    #[must_use]
    pub const fn spec(&self) -> &PasswordSpec {
        &self.spec
    }

    /// Characters in the password, 1 to 4096.
    #[must_use]
    pub const fn length(&self) -> u16 {
        self.spec.length
    }

    /// The lengths that a checked password may have.
    pub(super) const fn lengths(&self) -> LengthRange {
        self.lengths
    }

    /// The least entropy, in bits.
    pub(super) const fn min_entropy(&self) -> Option<u16> {
        self.min_entropy
    }

    /// The classes in use, in the order of [`Class::ALL`]. No two share a character.
    #[must_use]
    pub fn classes(&self) -> &[ClassInUse] {
        &self.classes
    }

    /// The names of the classes that may appear.
    #[must_use]
    pub fn class_names(&self) -> Vec<&'static str> {
        let may_appear = |class: Class| {
            let letters_and_digits = [Class::Lowercase, Class::Uppercase, Class::Digits].map(Class::characters);
            let special = letters_and_digits.iter().fold(self.spec.pool, |rest, class| rest.without(*class));
            let of_class = if class == Class::Special { special } else { class.characters() };
            self.class(class).is_some() || !of_class.intersection(self.spec.pool).is_empty()
        };
        Class::ALL.into_iter().filter(|class| may_appear(*class)).map(Class::name).collect()
    }

    /// One class, if it is in use.
    #[must_use]
    pub fn class(&self, class: Class) -> Option<&ClassInUse> {
        self.classes.iter().find(|one| one.class == class)
    }

    /// The characters of `exclude` that would otherwise appear.
    #[must_use]
    pub const fn exclude(&self) -> CharSet {
        self.exclude
    }

    /// Whether similar characters are excluded.
    #[must_use]
    pub const fn exclude_similar(&self) -> bool {
        self.exclude_similar
    }

    /// How many of the classes in use must appear.
    #[must_use]
    pub const fn min_classes(&self) -> Option<u16> {
        self.min_classes
    }

    /// The site's rules that the policy was made of.
    #[must_use]
    pub const fn rules(&self) -> Option<&PasswordRules> {
        self.rules.as_ref()
    }

    /// The sets of characters that the policy was made of.
    #[must_use]
    pub fn charsets(&self) -> Option<&[Requirement]> {
        self.charsets.as_deref()
    }

    /// The kind of the first character.
    #[must_use]
    pub const fn start(&self) -> Option<Start> {
        self.start
    }
}
