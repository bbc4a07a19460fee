//! Draws uniformly from exactly the passwords of a specification.
//!
//! Three generators draw uniformly from a set that contains all these passwords, and perhaps other texts. A text that
//! does not satisfy the specification is rejected and redrawn, which preserves uniformity.
//!
//! | generator | exact in | left to rejection |
//! |---|---|---|
//! | unconstrained | the pool, `start` | everything else |
//! | [`Compositions`] | requirements, `no_repeats`, `start` | limits on runs |
//! | [`Runs`] | limits on runs, `start` | requirements |
//!
//! All the sets are counted, so the share that rejection leaves is known before the first draw, and decides which
//! generator is used. If every share is below 1 in 256, the policy is refused.

use num_bigint::BigUint;
use num_traits::ToPrimitive;
use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::budget::{BudgetExceeded, WorkBudget};
use super::choices::Choices;
use super::compositions::Compositions;
use super::cumulative::{CumulativeTable, PRECISION_BITS};
use super::runs::Runs;
use super::uniform::Uniform;
use super::{closed_form, recurrence};
use crate::password::entropy::{Count, Entropy, log2};
use crate::password::secret::Secret;
use crate::password::spec::{PasswordSpec, Requirement};

/// The share, as log2, from which on the unconstrained generator is the fastest: 1 in 2.
const HALF: f64 = -1.0;
/// The smallest share, as log2, that a generator may have: 1 in 256.
const MIN_SHARE: f64 = -8.0;
/// The steps to draw and check one character.
const CHARACTER_STEPS: f64 = 8.0;
/// The draws before giving up. At the smallest share, 1 in 256, all fail with a probability of (255/256)^16384 < 2^-92.
const MAX_DRAWS: usize = 1 << 14;

/// Draws passwords of one specification. Creating it counts them; after that a draw is cheap.
///
/// # Example
///
/// The default policy has 16 characters: letters and digits, at least one lowercase, one uppercase and one digit.
///
/// ```
/// use passloom::password::{Constraints, Policy, Sampler, WorkBudget, verify};
/// use rand::rngs::SysRng;
///
/// let policy = Policy::new(&Constraints::default(), None)?;
/// let sampler = Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1)).map_err(|error| policy.explain(error))?;
/// assert_eq!(sampler.entropy().rounded_down(), 95.17);
/// let password = sampler.draw(&mut SysRng).unwrap();
/// assert!(verify(sampler.spec(), password.expose()).is_ok());
/// # Ok::<(), passloom::password::PolicyError>(())
/// ```
pub struct Sampler {
    spec: PasswordSpec,
    /// Specifications that divide the passwords among them, each with a generator.
    cases: Vec<Case>,
    choice: CumulativeTable,
    count: Count,
    entropy: Entropy,
    bytes: usize,
}

pub(super) struct Case {
    spec: PasswordSpec,
    count: BigUint,
    generator: Generator,
    /// Whether every text that the generator draws satisfies the specification.
    exact: bool,
    /// The share of its texts that satisfy the specification, as log2.
    share: f64,
}

enum Generator {
    Unconstrained {
        /// The characters that may be first.
        first: Vec<u8>,
        pool: Vec<u8>,
    },
    Compositions(Box<Compositions>),
    Runs(Box<Runs>),
}

/// Why no password can be drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountError {
    /// No password satisfies all the constraints together.
    Unsatisfiable,
    /// Passwords may exist, but counting them or drawing one would take too long.
    TooExpensive,
}

/// Why no password was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawError<E> {
    /// The random source failed.
    Source(E),
    /// 16384 texts in a row were rejected. With a random source this has a probability below 2^-92.
    Exhausted,
}

impl<E> From<E> for DrawError<E> {
    fn from(error: E) -> Self {
        Self::Source(error)
    }
}

/// Counts the passwords of a specification, without preparing to draw one.
pub(in crate::password) fn count(spec: &PasswordSpec, budget: &mut WorkBudget) -> Result<Count, CountError> {
    let count = counts(spec, spec.length, budget)?.pop();
    count.filter(|count| *count.as_biguint() != BigUint::ZERO).ok_or(CountError::Unsatisfiable)
}

/// Counts the passwords of every length from `shortest` to that of a specification. If runs have limits, one table has all
/// of them.
pub(in crate::password) fn counts(
    spec: &PasswordSpec,
    shortest: u16,
    budget: &mut WorkBudget,
) -> Result<Vec<Count>, CountError> {
    let mut sums: Vec<BigUint> = (shortest..=spec.length).map(|_| BigUint::ZERO).collect();
    for case in spec.cases() {
        let counts = if is_unsatisfiable(&case) {
            continue;
        } else if case.limits_runs() && !case.no_repeats {
            recurrence::count(&case, shortest, budget).map_err(|_| CountError::TooExpensive)?
        } else {
            let of_length = |length| PasswordSpec { length, ..case.clone() };
            let counted = (shortest..=spec.length).map(|length| Counted::new(of_length(length), budget));
            counted.map(|counted| Ok(counted?.count)).collect::<Result<_, _>>()?
        };
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    Ok(sums.into_iter().map(Count::new).collect())
}

/// Whether a set has no characters, or more must appear than the length has.
fn is_unsatisfiable(spec: &PasswordSpec) -> bool {
    let unsatisfiable = |one: &Requirement| one.characters.is_empty() || one.min > spec.length;
    spec.pool.is_empty() || spec.first().is_empty() || spec.requirements.iter().any(unsatisfiable)
}

/// A specification without `min_classes`, its number of texts, and the tables if counting has computed them.
struct Counted {
    spec: PasswordSpec,
    count: BigUint,
    tables: Option<Compositions>,
}

impl Counted {
    fn new(spec: PasswordSpec, budget: &mut WorkBudget) -> Result<Self, CountError> {
        if is_unsatisfiable(&spec) {
            return Ok(Self { spec, count: BigUint::ZERO, tables: None });
        }
        let by_recurrence = |budget: &mut WorkBudget| recurrence::count(&spec, spec.length, budget);
        let counted = match (spec.no_repeats, spec.limits_runs()) {
            (true, true) => return Err(CountError::TooExpensive),
            (true, false) => Err(BudgetExceeded),
            (false, true) => by_recurrence(budget),
            // Sets with larger minima that overlap have no closed form.
            (false, false) => match closed_form::count(&spec, budget) {
                Ok(count) => Ok(vec![count]),
                Err(_) => budget.try_with_half(by_recurrence),
            },
        };
        let (count, tables) = match counted.map(|mut counts| counts.pop().unwrap_or_default()) {
            Ok(count) => (count, None),
            Err(_) if spec.limits_runs() => return Err(CountError::TooExpensive),
            // Compositions count what is left: `no_repeats`, and overlapping sets with large minima.
            Err(_) => {
                let tables = Compositions::new(&spec, PRECISION_BITS, budget).map_err(|_| CountError::TooExpensive)?;
                (tables.total().clone(), Some(tables))
            }
        };
        Ok(Self { spec, count, tables })
    }
}

impl Sampler {
    /// Counts the passwords of a specification and prepares to draw them.
    ///
    /// # Errors
    /// [`CountError`] when there are none, or when they are too expensive to count or to draw.
    pub fn new(spec: PasswordSpec, budget: &mut WorkBudget) -> Result<Self, CountError> {
        let bytes = budget.bytes();
        let counted = spec.cases().into_iter().map(|case| Counted::new(case, budget));
        let mut counted = counted.collect::<Result<Vec<_>, _>>()?;
        counted.retain(|case| case.count != BigUint::ZERO);
        let total: BigUint = counted.iter().map(|case| &case.count).sum();
        if total == BigUint::ZERO {
            return Err(CountError::Unsatisfiable);
        }
        // If most texts satisfy the specification, the cases need not be distinguished.
        let share = Generator::unconstrained_share(&spec, &total);
        let cases = if share >= HALF {
            let generator = Generator::unconstrained(&spec);
            vec![Case { spec: spec.clone(), count: total.clone(), generator, exact: false, share }]
        } else {
            counted.into_iter().map(|case| Case::new(case, budget)).collect::<Result<_, _>>()?
        };
        let choice = CumulativeTable::new(cases.iter().map(|case| case.count.clone()), PRECISION_BITS);
        let count = Count::new(total);
        Ok(Self { spec, cases, choice, entropy: count.entropy(), count, bytes: bytes - budget.bytes() })
    }

    /// The specification.
    #[must_use]
    pub const fn spec(&self) -> &PasswordSpec {
        &self.spec
    }

    /// The number of passwords.
    #[must_use]
    pub const fn count(&self) -> &Count {
        &self.count
    }

    /// The entropy of a password.
    #[must_use]
    pub const fn entropy(&self) -> Entropy {
        self.entropy
    }

    /// The memory of the tables, in bytes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes the expected steps of so many draws from the budget, rejected texts included.
    ///
    /// # Errors
    /// [`CountError::TooExpensive`] when the budget has fewer steps.
    pub fn spend_draws(&self, passwords: u16, budget: &mut WorkBudget) -> Result<(), CountError> {
        let total = log2(self.count.as_biguint());
        let of_case = |case: &Case| {
            let texts = (log2(&case.count) - total - case.share).exp2();
            texts * (f64::from(self.spec.length) * CHARACTER_STEPS + case.generator.own_steps())
        };
        let steps = self.cases.iter().map(of_case).sum::<f64>() * f64::from(passwords);
        let steps = steps.round().to_usize().unwrap_or(usize::MAX);
        budget.spend(steps).map_err(|_| CountError::TooExpensive)
    }

    /// Draws one password; all passwords of the specification are equally likely.
    ///
    /// # Errors
    /// [`DrawError`]. No password is made from fewer random bytes than requested.
    pub fn draw<R: TryCryptoRng>(&self, random: &mut R) -> Result<Secret, DrawError<R::Error>> {
        let length = usize::from(self.spec.length);
        let mut uniform = Uniform::new(random, self.cases[0].generator.bytes(length));
        let case = self.draw_case(&mut uniform)?;
        let mut text = Zeroizing::new(Vec::with_capacity(length));
        for _ in 0..MAX_DRAWS {
            if case.draw(&mut uniform, &mut text)? {
                return Ok(Secret::from_ascii(&text));
            }
        }
        Err(DrawError::Exhausted)
    }

    /// Draws a case, in proportion to its passwords.
    pub(super) fn draw_case<C: Choices>(&self, choices: &mut C) -> Result<&Case, C::Error> {
        let counts = || self.cases.iter().map(|case| case.count.clone());
        Ok(&self.cases[choices.by_weight(&self.choice, counts)?])
    }
}

impl Case {
    /// Chooses the generator with the largest share, with a small preference for those that draw faster.
    fn new(counted: Counted, budget: &mut WorkBudget) -> Result<Self, CountError> {
        let Counted { spec, count, tables } = counted;
        let share = |total: &BigUint| log2(&count) - log2(total);
        let unconstrained = Generator::unconstrained_share(&spec, &count);
        let mut best = (unconstrained, unconstrained, Generator::unconstrained(&spec));
        let consider = |best: &mut (f64, f64, Generator), share: f64, penalty: f64, generator| {
            if share - penalty > best.0 {
                *best = (share - penalty, share, generator);
            }
        };
        if unconstrained < HALF
            && !spec.no_repeats
            && spec.limits_runs()
            && let Ok(runs) = Runs::new(&spec, budget)
        {
            consider(&mut best, share(runs.total()), 0.5, Generator::Runs(Box::new(runs)));
        }
        // Tables of compositions are the most expensive, so they are computed only if no other generator is good enough.
        if best.1 < HALF {
            let tables = tables.map_or_else(|| Compositions::new(&spec, PRECISION_BITS, budget), Ok);
            if let Ok(compositions) = tables {
                consider(&mut best, share(compositions.total()), 1.0, Generator::Compositions(Box::new(compositions)));
            }
        }
        let (_, share, generator) = best;
        if share < MIN_SHARE {
            return Err(CountError::TooExpensive);
        }
        let exact = match &generator {
            Generator::Unconstrained { .. } => false,
            Generator::Compositions(tables) => tables.total() == &count,
            Generator::Runs(tables) => tables.total() == &count,
        };
        Ok(Self { spec, count, generator, exact, share })
    }

    /// Draws a text into `text`. Returns whether it is a password of this case.
    pub(super) fn draw<C: Choices>(&self, choices: &mut C, text: &mut Vec<u8>) -> Result<bool, C::Error> {
        self.generator.draw(usize::from(self.spec.length), choices, text)?;
        Ok(self.exact || self.spec.matches(text))
    }
}

impl Generator {
    fn unconstrained(spec: &PasswordSpec) -> Self {
        Self::Unconstrained { first: spec.first().bytes().collect(), pool: spec.pool.bytes().collect() }
    }

    /// The share of all texts over the pool with a valid start that satisfy the specification, as log2.
    fn unconstrained_share(spec: &PasswordSpec, count: &BigUint) -> f64 {
        let [first, others] = [spec.first(), spec.pool].map(|set| f64::from(set.len()).log2());
        log2(count) - first - f64::from(spec.length - 1) * others
    }

    /// The approximate number of random bytes of a draw.
    const fn bytes(&self, length: usize) -> usize {
        match self {
            Self::Unconstrained { .. } => 2 * length + 8,
            Self::Compositions(_) => 4 * length + 64,
            Self::Runs(_) => 10 * length,
        }
    }

    /// The steps of a draw beyond those of its characters.
    fn own_steps(&self) -> f64 {
        match self {
            Self::Unconstrained { .. } | Self::Compositions(_) => 0.0,
            Self::Runs(tables) => f64::from(u32::try_from(tables.draw_steps()).unwrap_or(u32::MAX)),
        }
    }

    fn draw<C: Choices>(&self, length: usize, choices: &mut C, text: &mut Vec<u8>) -> Result<(), C::Error> {
        match self {
            Self::Unconstrained { first, pool } => {
                text.clear();
                text.push(first[choices.below(first.len())?]);
                while text.len() < length {
                    text.push(pool[choices.below(pool.len())?]);
                }
                Ok(())
            }
            Self::Compositions(tables) => tables.draw(choices, text),
            Self::Runs(tables) => tables.draw(choices, text),
        }
    }
}
