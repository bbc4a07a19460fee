//! A validated set of constraints.

use super::alphabet::{CharSet, Class, similar};
use super::constraints::{Constraints, Start};
use super::contradiction::PolicyError;
use super::frame::{BLANK, Frame, Lengths};
use super::rules::PasswordRules;
use super::sample::{CountError, count};
use super::shape::{Shape, Variety};
use super::work::Work;

/// Constraints that fit together as far as can be said without counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    classes: Vec<ClassInUse>,
    exclude: CharSet,
    exclude_similar: bool,
    min_classes: Option<u16>,
    start: Option<Start>,
    rules: Option<PasswordRules>,
    shape: Shape,
}

/// One class in use: its characters and how many of them there are at least.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClassInUse {
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
    /// The largest `min_entropy`, in bits: more than any password here has.
    pub const MAX_ENTROPY: u16 = 2048;

    /// Makes a policy of what was asked for.
    ///
    /// # Errors
    /// A [`PolicyError`] when a value is out of its range, or the constraints contradict each other in a
    /// way that shows without counting, or `min_entropy` is not reached.
    pub fn new(asked: &Constraints) -> Result<Self, PolicyError> {
        let demanded = asked.preset.map(|preset| preset.demanded_by(asked)).transpose()?;
        let asked = demanded.as_ref().unwrap_or(asked);
        let lengths = Lengths::of(asked)?;
        let Some(bits) = asked.min_entropy else {
            return Self::of_length(asked, asked.length.unwrap_or(lengths.usual), &mut Work::of_one_policy());
        };
        if !(1..=Self::MAX_ENTROPY).contains(&bits) {
            return Err(PolicyError::OutOfRange { parameter: "min_entropy", least: 1, most: Self::MAX_ENTROPY });
        }
        match asked.length {
            Some(length) => {
                let mut work = Work::of_one_policy();
                let policy = Self::of_length(asked, length, &mut work)?;
                let count = count(policy.shape(), &mut work).map_err(|error| policy.explain(error))?;
                let too_low = PolicyError::EntropyTooLow { length, min_entropy: bits, entropy: count.entropy() };
                if count.reaches(bits) { Ok(policy) } else { Err(too_low) }
            }
            None => Self::shortest(asked, lengths, bits),
        }
    }

    /// The policy of the shortest length that has so many bits of entropy.
    fn shortest(asked: &Constraints, lengths: Lengths, bits: u16) -> Result<Self, PolicyError> {
        let mut work = Work::of_one_policy();
        let mut fault = PolicyError::EntropyOutOfReach { min_entropy: bits, longest: lengths.most };
        for length in lengths.least.max(asked.max_consecutive.unwrap_or_default())..=lengths.most {
            let policy = match Self::of_length(asked, length, &mut work) {
                Ok(policy) => policy,
                // A longer password has room for more.
                Err(PolicyError::LengthTooShort { .. }) => continue,
                Err(PolicyError::TooManyToDiffer { .. }) => break,
                Err(error) => return Err(error),
            };
            // Without counting: not even all texts over the pool are enough.
            let most = f64::from(length) * f64::from(policy.shape.pool.len()).log2();
            if most + 1.0 < f64::from(bits) {
                continue;
            }
            match count(policy.shape(), &mut work) {
                Ok(count) if count.reaches(bits) => return Ok(policy),
                Ok(_) | Err(CountError::Unsatisfiable) => {}
                Err(error) => fault = policy.explain(error),
            }
        }
        Err(fault)
    }

    fn of_length(asked: &Constraints, length: u16, work: &mut Work) -> Result<Self, PolicyError> {
        for (parameter, value, most) in
            [("max_consecutive", asked.max_consecutive, length), ("min_classes", asked.min_classes, 4)]
        {
            if value.is_some_and(|value| !(1..=most).contains(&value)) {
                return Err(PolicyError::OutOfRange { parameter, least: 1, most });
            }
        }
        let exclude_similar = asked.exclude_similar.unwrap_or(false);
        let exclude = CharSet::of(asked.exclude.as_deref().unwrap_or_default());
        let hidden = if exclude_similar { exclude.union(similar()) } else { exclude };
        let (frame, known) = match &asked.rules {
            Some(rules) => (Frame::of_rules(rules, asked, hidden)?, rules.pool()),
            None => Frame::of_classes(asked, hidden)?,
        };
        if frame.pool.is_empty() {
            return Err(PolicyError::AllExcluded);
        }
        let shape = Shape {
            length,
            pool: frame.pool,
            requirements: frame.requirements,
            variety: frame.variety,
            max_consecutive: frame.max_consecutive.map(|most| most.min(length)),
            no_repeats: asked.no_repeats.unwrap_or(false),
            start: frame.start,
            end: frame.end,
        };
        let mut policy = Self {
            exclude: exclude.intersection(known),
            exclude_similar,
            min_classes: asked.min_classes,
            start: asked.start,
            rules: asked.rules.clone(),
            classes: frame.classes,
            shape,
        };
        policy.check()?;
        policy.let_blanks_out(work)?;
        Ok(policy)
    }

    /// A blank stands first or last only where nothing else is possible, which takes a pool with next to
    /// nothing else in it.
    fn let_blanks_out(&mut self, work: &mut Work) -> Result<(), PolicyError> {
        if self.shape.end.is_some() && self.shape.pool.without(BLANK).len() <= 1 {
            match count(&self.shape, work) {
                Ok(_) => {}
                Err(CountError::Unsatisfiable) => {
                    (self.shape.start, self.shape.end) = (self.start.map(Start::characters), None);
                }
                Err(error @ CountError::TooHard) => return Err(self.explain(error)),
            }
        }
        Ok(())
    }

    /// Finds contradictions that show without counting.
    fn check(&self) -> Result<(), PolicyError> {
        let Shape { length, pool, .. } = self.shape;
        let demanded = || self.classes.iter().filter(|one| one.minimum > 0);
        let mut needed: u32 = demanded().map(|one| u32::from(one.minimum)).sum();
        if let Some(Variety { classes, least }) = &self.shape.variety {
            if classes.len() < *least {
                return Err(PolicyError::TooFewClasses { wanted: *least, classes: classes.len() });
            }
            needed += u32::try_from(least.saturating_sub(demanded().count())).unwrap_or(u32::MAX);
        }
        if needed > u32::from(length) {
            return Err(PolicyError::LengthTooShort { length, demands: self.demands() });
        }
        if let Some(start) = self.start
            && self.shape.first().is_empty()
        {
            return Err(PolicyError::NoStart { start: start.name() });
        }
        if self.shape.no_repeats {
            if pool.len() < u32::from(length) {
                return Err(PolicyError::TooManyToDiffer { length, remain: pool.len() });
            }
            if let Some(one) = demanded().find(|one| one.allowed.len() < u32::from(one.minimum)) {
                let ClassInUse { class, minimum, allowed, .. } = *one;
                return Err(PolicyError::TooFewToDiffer { class, minimum, remain: allowed.len() });
            }
        }
        if let (1, Some(max_consecutive)) = (pool.len(), self.shape.max_consecutive)
            && max_consecutive < length
        {
            return Err(PolicyError::OneCharacter { length, max_consecutive });
        }
        Ok(())
    }

    /// Says in words why there is nothing to draw from.
    #[must_use]
    pub fn explain(&self, error: CountError) -> PolicyError {
        let mut constraints = self.demands();
        let Shape { length, max_consecutive, no_repeats, .. } = self.shape;
        constraints.extend(max_consecutive.map(|most| format!("max_consecutive {most}")));
        constraints.extend(no_repeats.then(|| "no_repeats".to_owned()));
        constraints.extend(self.start.map(|start| format!("start {}", start.name())));
        match error {
            CountError::Unsatisfiable => PolicyError::Unsatisfiable { length, constraints },
            CountError::TooHard => PolicyError::TooHard { length, constraints },
        }
    }

    /// Minima above 0, in words.
    fn demands(&self) -> Vec<String> {
        let minima = self.classes.iter().filter(|one| one.minimum > 0);
        let minima = minima.map(|one| format!("{} {}", one.class.minimum_name(), one.minimum));
        let others = [
            self.min_classes.map(|least| format!("min_classes {least}")),
            self.rules.is_some().then(|| "passwordrules".to_owned()),
        ];
        minima.chain(others.into_iter().flatten()).collect()
    }

    /// What the passwords are like, in sets of characters.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// Characters in the password, 4 to 256.
    #[must_use]
    pub const fn length(&self) -> u16 {
        self.shape.length
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
            let special = letters_and_digits.iter().fold(self.shape.pool, |rest, class| rest.without(*class));
            let of_class = if class == Class::Special { special } else { class.characters() };
            self.class(class).is_some() || !of_class.intersection(self.shape.pool).is_empty()
        };
        Class::ALL.into_iter().filter(|class| may_appear(*class)).map(Class::name).collect()
    }

    /// One class, if it is in use.
    #[must_use]
    pub fn class(&self, class: Class) -> Option<&ClassInUse> {
        self.classes.iter().find(|one| one.class == class)
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

    /// How many of the classes in use must appear, whichever they are.
    #[must_use]
    pub const fn min_classes(&self) -> Option<u16> {
        self.min_classes
    }

    /// The site's rules that it was made of, if it was.
    #[must_use]
    pub const fn rules(&self) -> Option<&PasswordRules> {
        self.rules.as_ref()
    }

    /// What the first character is.
    #[must_use]
    pub const fn start(&self) -> Option<Start> {
        self.start
    }
}
