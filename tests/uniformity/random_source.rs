//! The random source of the statistical tests.

use std::convert::Infallible;

use passloom::password::{DrawError, Sampler};
use rand::rngs::StdRng;
use rand::{Rng, SeedableRng, TryCryptoRng, TryRng};

/// A seeded generator, or that of the operating system for `make uniformity`.
pub enum Source {
    Seeded(Box<StdRng>),
    #[expect(clippy::disallowed_types, reason = "the generator of the function")]
    System(rand::rngs::SysRng),
}

#[expect(clippy::disallowed_methods, reason = "`make uniformity` sets a variable")]
fn is_long_run() -> bool {
    std::env::var("UNIFORMITY").is_ok()
}

/// The factor of the sample sizes: 1, or 25 for `make uniformity`.
pub fn sample_factor() -> usize {
    if is_long_run() { 25 } else { 1 }
}

impl Source {
    pub fn new(seed: u64) -> Self {
        if is_long_run() {
            Self::System(rand::rngs::SysRng)
        } else {
            Self::Seeded(Box::new(StdRng::seed_from_u64(seed)))
        }
    }
}

impl TryRng for Source {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        match self {
            Self::Seeded(random) => random.fill_bytes(bytes),
            Self::System(random) => random.try_fill_bytes(bytes).unwrap(),
        }
        Ok(())
    }
}

impl TryCryptoRng for Source {}

/// Draws one password.
pub fn draw(sampler: &Sampler, source: &mut Source) -> String {
    sampler.draw(source).unwrap_or_else(|error: DrawError<_>| panic!("{error:?}")).expose().to_owned()
}
