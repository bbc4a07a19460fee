//! A uniform draw from exactly the passwords that satisfy a policy.
//!
//! Three generators draw uniformly from a set that holds all those passwords and perhaps others; what
//! does not satisfy is thrown away whole, so that those that do stay equally likely.
//!
//! | generator | exact in | leaves to rejection, as always which characters may stand last |
//! |---|---|---|
//! | text | nothing: any text over the pool | everything |
//! | [`Compositions`] | requirements, `no_repeats`, `start` | `max_consecutive` |
//! | [`Runs`] | `max_consecutive`, `start` | requirements |
//!
//! Since all the sets are counted, the share that passes is known before the first draw, and the
//! generator is chosen by it. Where none reaches 1 in 256, the policy is refused.

use num_bigint::{BigInt, BigUint};
use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::compositions::Compositions;
use super::count::{Count, Entropy, log2};
use super::exclusion;
use super::ladder::{KEPT, Ladder};
use super::runs::Runs;
use super::secret::Secret;
use super::shape::{Requirement, Shape};
use super::uniform::Uniform;
use super::work::Work;

/// The share of texts from which on nothing is faster than drawing texts: 2^-1.
const HALF: f64 = -1.0;
/// Largest sum of minima for which counting by exclusion is cheaper than making tables.
const MOST_LISTED: usize = 32;
/// Least share of what a generator draws that satisfies: 2^-8.
const LEAST_SHARE: f64 = -8.0;
/// Draws before giving up. At a share of 1 in 256, the least there is, (255/256)^16384 is below 2^-92.
const MOST_DRAWS: usize = 1 << 14;

/// Draws passwords for one shape. Making one costs the counting; drawing is cheap after it.
pub struct Sampler {
    shape: Shape,
    /// Shapes that divide the passwords among themselves, each with a generator.
    cases: Vec<Case>,
    choice: Ladder,
    count: Count,
    entropy: Entropy,
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
    /// 16384 texts in a row did not satisfy: with a source that is random, less likely than 2^-92.
    Unlucky,
}

impl<E> From<E> for DrawError<E> {
    fn from(error: E) -> Self {
        Self::Source(error)
    }
}

/// Counts the passwords of a shape, without making ready to draw one.
pub(super) fn count(shape: &Shape, work: &mut Work) -> Result<Count, CountError> {
    let counted = shape.cases().into_iter().map(|case| Counted::new(case, work));
    let total: BigUint = counted.map(|case| Ok(case?.count)).sum::<Result<_, CountError>>()?;
    if total == BigUint::ZERO { Err(CountError::Unsatisfiable) } else { Ok(Count::new(total)) }
}

/// A shape without variety, how many texts it has, and the tables if counting has made them.
struct Counted {
    shape: Shape,
    count: BigUint,
    tables: Option<Compositions>,
}

/// Counts the texts of a shape that end with a character that may not stand last.
///
/// In blocks (see [`super::exclusion`]) a text that ends with `x` is a text and a last block of `x`, of any
/// length, with its weight.
fn badly_ended(shape: &Shape, work: &mut Work) -> Result<BigInt, CountError> {
    let far = if shape.limits_runs() { shape.longest_run() + 1 } else { usize::MAX };
    let mut sum = BigInt::ZERO;
    for byte in shape.never_last().bytes() {
        // A block's weight is +1 or -1 in turn, at 1, far, far + 1, 2 · far, …
        let lengths = (1..=usize::from(shape.length)).filter(|run| run % far <= 1);
        let lengths = lengths.take_while(|run| *run == 1 || (!shape.no_repeats && far != usize::MAX));
        for run in lengths {
            let Some(rest) = u16::try_from(run).ok().and_then(|run| shape.before(byte, run)) else { continue };
            let texts = if rest.length > 0 {
                Counted::new(rest, work)?.count
            } else {
                // The block is the whole text.
                BigUint::from(u32::from(rest.requirements.is_empty() && shape.first().contains(byte)))
            };
            sum += if run % far == 1 { BigInt::from(texts) } else { -BigInt::from(texts) };
        }
    }
    Ok(sum)
}

impl Counted {
    fn new(shape: Shape, work: &mut Work) -> Result<Self, CountError> {
        if shape.never_last().is_empty() {
            return Self::of_any_end(Shape { end: None, ..shape }, work);
        }
        let all = Self::of_any_end(Shape { end: None, ..shape.clone() }, work)?;
        let count = BigInt::from(all.count) - badly_ended(&shape, work)?;
        Ok(Self { shape, count: count.into_parts().1, tables: all.tables })
    }

    /// Counts the texts of a shape that says nothing of the last character.
    fn of_any_end(shape: Shape, work: &mut Work) -> Result<Self, CountError> {
        let unsatisfiable = |one: &Requirement| one.characters.is_empty();
        if shape.pool.is_empty() || shape.first().is_empty() || shape.requirements.iter().any(unsatisfiable) {
            return Ok(Self { shape, count: BigUint::ZERO, tables: None });
        }
        // Lists of few characters are short where minima are small, and runs can be counted in no other
        // way; else the tables are made at once.
        let listed = shape.requirements.iter().map(|one| usize::from(one.minimum)).sum::<usize>() <= MOST_LISTED;
        if !shape.no_repeats
            && (listed || shape.limits_runs())
            && let Ok(count) = exclusion::count(&shape, work)
        {
            return Ok(Self { shape, count, tables: None });
        }
        if shape.limits_runs() {
            return Err(CountError::TooHard);
        }
        let tables = Compositions::new(&shape, KEPT, work).map_err(|_| CountError::TooHard)?;
        Ok(Self { shape, count: tables.total().clone(), tables: Some(tables) })
    }
}

impl Sampler {
    /// Counts the passwords of a shape and makes ready to draw them.
    ///
    /// # Errors
    /// [`CountError`] when there are none, or when they are too hard to count or to draw.
    pub fn new(shape: Shape) -> Result<Self, CountError> {
        let mut work = Work::of_one_policy();
        let counted = shape.cases().into_iter().map(|case| Counted::new(case, &mut work));
        let mut counted = counted.collect::<Result<Vec<_>, _>>()?;
        counted.retain(|case| case.count != BigUint::ZERO);
        let total: BigUint = counted.iter().map(|case| &case.count).sum();
        if total == BigUint::ZERO {
            return Err(CountError::Unsatisfiable);
        }
        // Where most texts pass there is no need to tell cases apart.
        let cases = if Generator::text_share(&shape, &total) >= HALF {
            let generator = Generator::Text(shape.pool.bytes().collect());
            vec![Case { shape: shape.clone(), count: total.clone(), generator, exact: false }]
        } else {
            counted.into_iter().map(|case| Case::new(case, &mut work)).collect::<Result<_, _>>()?
        };
        let choice = Ladder::new(cases.iter().map(|case| case.count.clone()), KEPT);
        let count = Count::new(total);
        Ok(Self { shape, cases, choice, entropy: count.entropy(), count })
    }

    /// What the passwords are like.
    #[must_use]
    pub const fn shape(&self) -> &Shape {
        &self.shape
    }

    /// How many passwords there are.
    #[must_use]
    pub const fn count(&self) -> &Count {
        &self.count
    }

    /// What that is in bits.
    #[must_use]
    pub const fn entropy(&self) -> Entropy {
        self.entropy
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
    fn new(counted: Counted, work: &mut Work) -> Result<Self, CountError> {
        let Counted { shape, count, tables } = counted;
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
            let tables = tables.map_or_else(|| Compositions::new(&shape, KEPT, work), Ok);
            if let Ok(compositions) = tables {
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
