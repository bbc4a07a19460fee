//! Draws from random sources that repeat, have a fixed seed, fail or are counted.

use std::convert::Infallible;
use std::io;

use passloom::password::{Constraints, DrawError, Sampler, WorkBudget};
#[expect(clippy::disallowed_types, reason = "the generator of the function")]
use rand::rngs::{ChaCha20Rng, SysRng};
use rand::{SeedableRng, TryCryptoRng, TryRng};

use crate::counting::sampler;
use crate::specs::{Constrain, small_specs, unconstrained};

/// A random source whose bytes come from a function.
struct FilledBy<F>(F);

impl<E: std::error::Error, F: FnMut(&mut [u8]) -> Result<(), E>> TryRng for FilledBy<F> {
    type Error = E;

    fn try_next_u32(&mut self) -> Result<u32, E> {
        unreachable!("the sampler requests bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, E> {
        unreachable!("the sampler requests bytes")
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), E> {
        self.0(bytes)
    }
}

impl<E: std::error::Error, F: FnMut(&mut [u8]) -> Result<(), E>> TryCryptoRng for FilledBy<F> {}

#[test]
fn draw_with_a_constant_source_is_exhausted() {
    let mut constant = FilledBy(|bytes: &mut [u8]| {
        bytes.fill(0xff);
        Ok::<_, Infallible>(())
    });
    assert_eq!(sampler(&Constraints::default()).draw(&mut constant).err(), Some(DrawError::Exhausted));
}

/// A change of these passwords is a change for users that draw with their own seed.
#[test]
fn draw_with_a_fixed_seed_returns_fixed_passwords() {
    let mut rare = Constraints { length: Some(20), symbols: Some("!@#$".into()), ..Constraints::default() };
    rare.classes[3].min = Some(10);
    for (constraints, expected) in [(Constraints::default(), "DJNcRdH912kXSTGQ"), (rare, "#l!$G#$ah1$$BMq$L#d#")] {
        let drawn = sampler(&constraints).draw(&mut ChaCha20Rng::seed_from_u64(1)).unwrap();
        assert_eq!(drawn.expose(), expected);
    }
}

#[test]
fn draw_with_a_failing_source_returns_no_password() {
    for (name, spec) in small_specs() {
        let sampler = Sampler::new(spec, &mut WorkBudget::new(1)).unwrap();
        let draw = |mut left: usize| {
            sampler.draw(&mut FilledBy(|bytes: &mut [u8]| {
                left = left.checked_sub(bytes.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
                SysRng.try_fill_bytes(bytes).map_err(io::Error::other)
            }))
        };
        assert!(draw(0).is_err(), "{name}");
        assert!(draw(1_000_000).is_ok(), "{name}");
    }
}

/// A call of the operating system's generator takes longer than the rest of a draw. One specification for each generator
/// whose texts are seldom rejected.
#[test]
fn draw_fetches_its_random_bytes_in_one_call() {
    let pool = "abcdefghijklmnop";
    let specs = [
        ("unconstrained", unconstrained(64, pool)),
        ("compositions", unconstrained(64, pool).require(32, "abcd").require(16, "efgh")),
        ("runs", unconstrained(64, pool).max_repeating(1)),
    ];
    for (name, spec) in specs {
        let sampler = Sampler::new(spec, &mut WorkBudget::new(1)).unwrap();
        let mut random = ChaCha20Rng::seed_from_u64(1);
        let mut calls = Vec::new();
        let mut source = FilledBy(|bytes: &mut [u8]| {
            calls.push(bytes.len());
            random.try_fill_bytes(bytes)
        });
        sampler.draw(&mut source).unwrap();
        assert!(matches!(calls[..], [bytes] if bytes <= 640), "{name}: {calls:?}");
    }
}
