//! A uniform draw from exactly the passwords that satisfy a policy.
//!
//! Three generators draw uniformly from a set that holds all those passwords and perhaps others; what
//! does not satisfy is thrown away whole, so that those that do stay equally likely.
//!
//! | generator | exact in | leaves to rejection |
//! |---|---|---|
//! | text | nothing: any text over the pool | everything |
//! | [`Compositions`] | requirements, `no_repeats`, `start` | `max_consecutive` |
//! | [`Runs`] | `max_consecutive`, `start` | requirements |
//!
//! Since all the sets are counted, the share that passes is known before the first draw, and the
//! generator is chosen by it. Where none reaches 1 in 1024, the policy is refused.

use num_bigint::BigUint;
use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::compositions::Compositions;
use super::count::{Count, log2};
use super::exclusion;
use super::ladder::{KEPT, Ladder};
use super::runs::Runs;
use super::secret::Secret;
use super::shape::Shape;
use super::uniform::Uniform;

/// The share of texts from which on nothing is faster than drawing texts: 2^-1.
const HALF: f64 = -1.0;
/// Least share of what a generator draws that satisfies: 2^-10.
const LEAST_SHARE: f64 = -10.0;
/// Draws before giving up. At a share of 1 in 1024, the least there is, (1023/1024)^65536 is below 2^-92.
const MOST_DRAWS: usize = 1 << 16;

/// Draws passwords for one shape. Making one costs the counting; drawing is cheap after it.
pub struct Sampler {
    shape: Shape,
    /// Shapes that divide the passwords among themselves, each with a generator.
    cases: Vec<Case>,
    choice: Ladder,
    total: BigUint,
}

struct Case {
    shape: Shape,
    count: BigUint,
    generator: Generator,
    /// Whether everything that the generator draws satisfies.
    exact: bool,
}

enum Generator {
    Text(Vec<u8>),
    Compositions(Box<Compositions>),
    Runs(Box<Runs>),
}

/// Why there is nothing to draw from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CountError {
    /// No password satisfies all the constraints together.
    Unsatisfiable,
    /// There may be passwords, but counting them or drawing one would take too long.
    TooHard,
}

/// Why no password was drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrawError<E> {
    /// The random source failed.
    Source(E),
    /// 65536 texts in a row did not satisfy: with a source that is random, less likely than 2^-92.
    Unlucky,
}

impl<E> From<E> for DrawError<E> {
    fn from(error: E) -> Self {
        Self::Source(error)
    }
}

/// Counts the passwords of a shape, without making ready to draw one.
pub(super) fn count(shape: &Shape) -> Result<Count, CountError> {
    let total: BigUint = shape.cases().iter().map(count_case).sum::<Result<_, _>>()?;
    if total == BigUint::ZERO { Err(CountError::Unsatisfiable) } else { Ok(Count::new(total)) }
}

fn count_case(case: &Shape) -> Result<BigUint, CountError> {
    if case.pool.is_empty() || case.first().is_empty() || case.requirements.iter().any(|one| one.characters.is_empty())
    {
        return Ok(BigUint::ZERO);
    }
    if !case.no_repeats
        && let Ok(count) = exclusion::count(case)
    {
        return Ok(count);
    }
    match Compositions::new(case, KEPT) {
        Ok(tables) if !case.limits_runs() => Ok(tables.total().clone()),
        _ => Err(CountError::TooHard),
    }
}

impl Sampler {
    /// Counts the passwords of a shape and makes ready to draw them.
    ///
    /// # Errors
    /// [`CountError`] when there are none, or when they are too hard to count or to draw.
    pub fn new(shape: Shape) -> Result<Self, CountError> {
        let total = count(&shape)?.into_integer();
        // Most texts pass: no need to tell cases apart.
        let cases = if Generator::text_share(&shape, &total) >= HALF {
            let generator = Generator::Text(shape.pool.bytes().collect());
            vec![Case { shape: shape.clone(), count: total.clone(), generator, exact: false }]
        } else {
            let counted = shape.cases().into_iter().map(|case| count_case(&case).map(|count| (case, count)));
            let counted =
                counted.collect::<Result<Vec<_>, _>>()?.into_iter().filter(|(_, count)| count != &BigUint::ZERO);
            counted.map(|(case, count)| Case::new(case, count)).collect::<Result<_, _>>()?
        };
        let choice = Ladder::new(cases.iter().map(|case| case.count.clone()), KEPT);
        Ok(Self { shape, cases, choice, total })
    }

    /// What the passwords are like.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How many passwords there are.
    #[must_use]
    pub fn count(&self) -> Count {
        Count::new(self.total.clone())
    }

    /// Draws one password, each that satisfies equally likely.
    ///
    /// # Errors
    /// [`DrawError`]. No password is made of fewer random bytes than asked for.
    pub fn draw<R: TryCryptoRng>(&self, random: &mut R) -> Result<Secret, DrawError<R::Error>> {
        let length = usize::from(self.shape.length);
        let mut uniform = Uniform::new(random, self.cases[0].generator.bytes(length));
        let case = &self.cases[self.choice.draw(&mut uniform, || self.cases.iter().map(|case| case.count.clone()))?];
        let mut text = Zeroizing::new(Vec::with_capacity(length));
        for _ in 0..MOST_DRAWS {
            case.generator.draw(length, &mut uniform, &mut text)?;
            if case.exact || case.shape.fits(&text) {
                return Ok(Secret::of_ascii(&text));
            }
        }
        Err(DrawError::Unlucky)
    }
}

impl Case {
    /// Chooses the generator of which most passes, a little in favour of those that draw faster.
    fn new(shape: Shape, count: BigUint) -> Result<Self, CountError> {
        let passing = |total: &BigUint| log2(&count) - log2(total);
        let texts = Generator::text_share(&shape, &count);
        let mut best = (texts, texts, Generator::Text(shape.pool.bytes().collect()));
        let mut consider = |passing: f64, handicap: f64, generator| {
            if passing - handicap > best.0 {
                best = (passing - handicap, passing, generator);
            }
        };
        if texts < HALF {
            if !shape.no_repeats && (shape.limits_runs() || shape.start.is_some()) {
                let runs = Runs::new(&shape, KEPT);
                consider(passing(runs.total()), 0.5, Generator::Runs(Box::new(runs)));
            }
            if let Ok(compositions) = Compositions::new(&shape, KEPT) {
                consider(passing(compositions.total()), 1.0, Generator::Compositions(Box::new(compositions)));
            }
        }
        let (_, passing, generator) = best;
        if passing < LEAST_SHARE {
            return Err(CountError::TooHard);
        }
        let exact = match &generator {
            Generator::Text(_) => false,
            Generator::Compositions(tables) => tables.total() == &count,
            Generator::Runs(tables) => tables.total() == &count,
        };
        Ok(Self { shape, count, generator, exact })
    }
}

impl Generator {
    /// log2 of the share of all texts over the pool that satisfy.
    fn text_share(shape: &Shape, count: &BigUint) -> f64 {
        log2(count) - f64::from(shape.length) * f64::from(shape.pool.len()).log2()
    }

    /// About how many random bytes a draw takes.
    const fn bytes(&self, length: usize) -> usize {
        match self {
            Self::Text(_) => 2 * length + 8,
            Self::Compositions(_) => 4 * length + 64,
            Self::Runs(_) => 10 * length,
        }
    }

    fn draw<R: TryCryptoRng>(
        &self,
        length: usize,
        uniform: &mut Uniform<'_, R>,
        text: &mut Vec<u8>,
    ) -> Result<(), R::Error> {
        match self {
            Self::Text(pool) => {
                text.clear();
                for _ in 0..length {
                    text.push(pool[uniform.below(pool.len())?]);
                }
                Ok(())
            }
            Self::Compositions(tables) => tables.draw(uniform, text),
            Self::Runs(tables) => tables.draw(uniform, text),
        }
    }
}
