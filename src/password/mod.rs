//! What is generated. Pure: no clock, no I/O, no HTTP, no DynamoDB.
//!
//! [`Constraints`] are what a caller asks for. [`Policy::new`] turns them into a [`Policy`]: if you
//! hold one, some password satisfies it. A [`Sampler`] counts those passwords exactly and draws one
//! of them, each equally likely; [`verify()`] checks a text against a policy with code of its own.

mod alphabet;
mod count;
mod policy;
mod sample;
mod secret;
mod uniform;
mod verify;

pub use alphabet::{CharSet, Class};
pub use count::{Count, Entropy};
pub use policy::{ClassOptions, Constraints, Policy, PolicyError, Requirement};
pub use sample::Sampler;
pub use secret::Secret;
pub use verify::{Violation, verify};
