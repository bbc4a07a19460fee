//! Every password of a policy is equally likely, and there are exactly as many as reported.
//!
//! The statistical tests use a fixed seed. `make uniformity` runs them with the random generator of the operating
//! system and larger samples.
//!
//! The properties in [`counting`] and [`regex`] use new random inputs in every run. Inputs that once failed are saved
//! in `tests/proptest-regressions` and tested first.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests stop at unexpected errors")]

mod biased_generators;
mod budget;
mod chi_square;
mod counting;
mod draws;
mod full_size;
mod random_source;
mod regex;
mod specs;
