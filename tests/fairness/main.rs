//! Every password that satisfies the policy is equally likely, and there are exactly as many as said.
//!
//! With a fixed seed; `make uniformity` runs the same with the operating system's randomness, and at
//! length.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests stop at what they did not expect")]

mod aimed;
mod chi_square;
mod counting;
mod mutants;
mod patterns;
mod shapes;
mod source;
mod uniformity;
