//! Policies, sampling and checking. Pure: no clock, no I/O, no HTTP, no DynamoDB.
//!
//! [`Constraints`] are what a caller requests. [`Policy::new`] resolves them into a [`Policy`], whose
//! [`PasswordSpec`] describes its passwords in sets of characters. A [`Sampler`] exists only if such passwords exist:
//! it has counted them exactly, and draws one of them, each equally likely. [`verify()`] checks a text against a
//! specification with code of its own.
//!
//! `docs/sampling.md` explains how the passwords are counted and drawn, and why the draw is uniform.

mod assessment;
mod charset;
mod entropy;
mod passphrase;
mod policy;
mod regex;
mod rules;
mod sampling;
mod secret;
mod spec;
mod verify;

pub use assessment::PasswordCheck;
pub(crate) use assessment::{Assessment, Violation};
pub use charset::{CharSet, Class};
pub use entropy::{Count, Entropy};
pub use passphrase::wordlist::Wordlist;
pub(crate) use passphrase::{Passphrase, PassphraseConstraints, PassphraseError};
pub use policy::constraints::{ClassOptions, Constraints, Start};
pub use policy::error::PolicyError;
pub use policy::limits;
pub(crate) use policy::named::NamedPolicy;
pub use policy::named::PolicyName;
pub use policy::presets::PRESETS;
pub(crate) use policy::presets::{Preset, Source};
pub use policy::{FloorError, Policy};
pub use regex::regular_expression;
pub use rules::{VaultPolicy, parse_rules};
pub(crate) use rules::{password_rules, write_hcl};
pub use sampling::budget::WorkBudget;
pub use sampling::sampler::{CountError, DrawError, Sampler};
pub use secret::Secret;
pub use spec::{MinClasses, PasswordSpec, Requirement};
pub use verify::{SpecViolation, verify};
