//! A uniform draw from exactly the passwords that satisfy a policy.
//!
//! Two ways, each exact alone. Where at least half of all texts over the pool satisfy the policy,
//! draw texts until one does. Otherwise decide first how many positions each class gets, with the
//! odds that the count gives, then where they stand, then the characters. The first is cheaper, the
//! second is bounded: at `length=20, symbols=!@#$, min_special=10` one text in ten million passes.

use num_bigint::BigUint;
use rand::TryCryptoRng;
use zeroize::Zeroizing;

use super::count::{Compositions, Count};
use super::policy::Policy;
use super::secret::Secret;
use super::uniform::Uniform;

/// Texts drawn before the other way is taken. Each passes with a probability of at least one half,
/// so that one draw in 2^64 takes it.
const TEXTS: usize = 64;

/// Draws passwords for one policy. Making one costs the counting; drawing is cheap after it.
pub struct Sampler {
    policy: Policy,
    /// The characters that may appear, class by class.
    alphabets: Vec<Vec<u8>>,
    /// All of them, each with the index of its class.
    pool: Vec<(usize, u8)>,
    compositions: Compositions,
    half_of_texts_pass: bool,
}

impl Sampler {
    /// Counts the passwords of `policy`.
    #[must_use]
    pub fn new(policy: Policy) -> Self {
        let compositions = Compositions::new(&policy);
        let texts = BigUint::from(policy.pool().len()).pow(u32::from(policy.length()));
        let alphabets: Vec<Vec<u8>> = policy.requirements().iter().map(|one| one.allowed.bytes().collect()).collect();
        let pool = alphabets.iter().enumerate().flat_map(|(class, all)| all.iter().map(move |&byte| (class, byte)));
        Self {
            half_of_texts_pass: compositions.total() * 2_u32 >= texts,
            pool: pool.collect(),
            alphabets,
            compositions,
            policy,
        }
    }

    /// The policy whose passwords are drawn.
    #[must_use]
    pub const fn policy(&self) -> &Policy {
        &self.policy
    }

    /// How many passwords satisfy the policy.
    #[must_use]
    pub fn count(&self) -> Count {
        Count::new(self.compositions.total().clone())
    }

    /// Draws one password, each that satisfies the policy equally likely.
    ///
    /// # Errors
    /// That of the random source. No password is made of fewer random bytes than asked for.
    pub fn draw<R: TryCryptoRng>(&self, random: &mut R) -> Result<Secret, R::Error> {
        let length = usize::from(self.policy.length());
        let mut uniform = Uniform::new(random, 2 * (length + 4));
        if self.half_of_texts_pass {
            for _ in 0..TEXTS {
                if let Some(secret) = self.draw_text(&mut uniform)? {
                    return Ok(secret);
                }
            }
        }
        self.draw_composition(&mut uniform)
    }

    /// A text over the whole pool, if it meets every minimum.
    fn draw_text<R: TryCryptoRng>(&self, uniform: &mut Uniform<'_, R>) -> Result<Option<Secret>, R::Error> {
        let mut missing: Vec<u16> = self.policy.requirements().iter().map(|one| one.minimum).collect();
        let mut text = Zeroizing::new(String::with_capacity(usize::from(self.policy.length())));
        for _ in 0..self.policy.length() {
            let (class, byte) = self.pool[uniform.below(self.pool.len())?];
            missing[class] = missing[class].saturating_sub(1);
            text.push(char::from(byte));
        }
        Ok(missing.iter().all(|&left| left == 0).then(|| Secret::new(text)))
    }

    fn draw_composition<R: TryCryptoRng>(&self, uniform: &mut Uniform<'_, R>) -> Result<Secret, R::Error> {
        let mut classes = Zeroizing::new(Vec::with_capacity(usize::from(self.policy.length())));
        let mut positions = usize::from(self.policy.length());
        for class in 0..self.alphabets.len() {
            let taken = self.draw_share(class, positions, uniform)?;
            classes.extend(std::iter::repeat_n(class, taken));
            positions -= taken;
        }
        // Fisher-Yates: each arrangement of the classes comes from equally many shuffles.
        for last in (1..classes.len()).rev() {
            let other = uniform.below(last + 1)?;
            classes.swap(last, other);
        }
        let mut text = Zeroizing::new(String::with_capacity(classes.len()));
        for &class in classes.iter() {
            let alphabet = &self.alphabets[class];
            text.push(char::from(alphabet[uniform.below(alphabet.len())?]));
        }
        Ok(Secret::new(text))
    }

    /// How many of `positions` a class takes: each number as likely as the ways it leaves open.
    fn draw_share<R: TryCryptoRng>(
        &self,
        class: usize,
        positions: usize,
        uniform: &mut Uniform<'_, R>,
    ) -> Result<usize, R::Error> {
        let mut ticket = uniform.below_big(self.compositions.ways(class, positions))?;
        for (taken, share) in self.compositions.shares(class, positions) {
            if ticket < share {
                return Ok(taken);
            }
            ticket -= share;
        }
        unreachable!("the ticket is below the sum of the shares")
    }
}
