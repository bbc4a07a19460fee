//! What a password must be like, in the parameters of the API.

use super::alphabet::{CharSet, Class, similar};
use super::contradiction::PolicyError;
use super::sample::{CountError, count};
use super::shape::{Requirement, Shape, Variety};
use super::work::Work;

/// What a caller asks for, before anyone has looked whether it fits together.
///
/// `None` means that the caller did not say; [`Policy::new`] holds the defaults.
#[derive(Clone, Debug, Default)]
pub struct Constraints {
    /// Characters in the password, 4 to 256. Unless given, 16, or what `min_entropy` needs.
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
    /// At most this many of one character in a row, 1 to the length.
    pub max_consecutive: Option<u16>,
    /// No character twice. Off unless given.
    pub no_repeats: Option<bool>,
    /// What the first character is.
    pub start: Option<Start>,
    /// Characters of at least this many of the classes in use, 1 to 4. Minima not given are 0 then.
    pub min_classes: Option<u16>,
    /// At least so many bits of entropy, 1 to 2048.
    pub min_entropy: Option<u16>,
}

/// What a caller asks for of one class.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClassOptions {
    /// Whether the class is in use. Lowercase, uppercase and digits are unless given.
    pub in_use: Option<bool>,
    /// At least this many characters of the class. 1 for a class in use unless given, or 0 with
    /// `min_classes`.
    pub minimum: Option<u16>,
}

/// What a password may begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// A lowercase or an uppercase letter.
    Letter,
    /// A lowercase letter.
    Lowercase,
    /// An uppercase letter.
    Uppercase,
    /// A digit.
    Digit,
    /// A letter or a digit.
    Alphanumeric,
}

impl Start {
    /// Every value, in the order in which errors name them.
    pub const ALL: [Self; 5] = [Self::Letter, Self::Lowercase, Self::Uppercase, Self::Digit, Self::Alphanumeric];

    /// The value of the parameter `start`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Letter => "letter",
            Self::Lowercase => "lowercase",
            Self::Uppercase => "uppercase",
            Self::Digit => "digit",
            Self::Alphanumeric => "alphanumeric",
        }
    }

    fn characters(self) -> CharSet {
        let [lowercase, uppercase, digits] = [Class::Lowercase, Class::Uppercase, Class::Digits].map(Class::characters);
        match self {
            Self::Letter => lowercase.union(uppercase),
            Self::Lowercase => lowercase,
            Self::Uppercase => uppercase,
            Self::Digit => digits,
            Self::Alphanumeric => lowercase.union(uppercase).union(digits),
        }
    }
}

/// Constraints that fit together as far as can be said without counting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    classes: Vec<ClassInUse>,
    exclude: CharSet,
    exclude_similar: bool,
    min_classes: Option<u16>,
    start: Option<Start>,
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
        let Some(bits) = asked.min_entropy else {
            return Self::of_length(asked, asked.length.unwrap_or(Self::DEFAULT_LENGTH));
        };
        if !(1..=Self::MAX_ENTROPY).contains(&bits) {
            return Err(PolicyError::OutOfRange { parameter: "min_entropy", least: 1, most: Self::MAX_ENTROPY });
        }
        match asked.length {
            Some(length) => {
                let policy = Self::of_length(asked, length)?;
                let count = count(policy.shape(), &mut Work::of_one_policy()).map_err(|error| policy.explain(error))?;
                let too_low = PolicyError::EntropyTooLow { length, min_entropy: bits, entropy: count.entropy() };
                if count.reaches(bits) { Ok(policy) } else { Err(too_low) }
            }
            None => Self::shortest(asked, bits),
        }
    }

    /// The policy of the shortest length that has so many bits of entropy.
    fn shortest(asked: &Constraints, bits: u16) -> Result<Self, PolicyError> {
        let mut work = Work::of_one_policy();
        let mut fault = PolicyError::EntropyOutOfReach { min_entropy: bits, longest: Self::MAX_LENGTH };
        for length in Self::MIN_LENGTH.max(asked.max_consecutive.unwrap_or_default())..=Self::MAX_LENGTH {
            let policy = match Self::of_length(asked, length) {
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

    fn of_length(asked: &Constraints, length: u16) -> Result<Self, PolicyError> {
        if !(Self::MIN_LENGTH..=Self::MAX_LENGTH).contains(&length) {
            let (least, most) = (Self::MIN_LENGTH, Self::MAX_LENGTH);
            return Err(PolicyError::OutOfRange { parameter: "length", least, most });
        }
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
        let classes = classes_in_use(asked, hidden)?;
        let pool = classes.iter().fold(CharSet::default(), |all, one| all.union(one.allowed));
        if pool.is_empty() {
            return Err(PolicyError::AllExcluded);
        }
        let known = classes.iter().fold(CharSet::default(), |all, one| all.union(one.characters));
        let requirements = classes.iter().map(|one| Requirement { characters: one.allowed, minimum: one.minimum });
        let variety = asked.min_classes.map(|least| Variety {
            classes: classes.iter().map(|one| one.allowed).filter(|allowed| !allowed.is_empty()).collect(),
            least: usize::from(least),
        });
        let shape = Shape {
            length,
            pool,
            requirements: requirements.filter(|one| one.minimum > 0).collect(),
            variety,
            max_consecutive: asked.max_consecutive,
            no_repeats: asked.no_repeats.unwrap_or(false),
            start: asked.start.map(Start::characters),
        };
        let policy = Self {
            exclude: exclude.intersection(known),
            exclude_similar,
            min_classes: asked.min_classes,
            start: asked.start,
            classes,
            shape,
        };
        policy.check()?;
        Ok(policy)
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
        minima.chain(self.min_classes.map(|least| format!("min_classes {least}"))).collect()
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

    /// What the first character is.
    #[must_use]
    pub const fn start(&self) -> Option<Start> {
        self.start
    }
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
