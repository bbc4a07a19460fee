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

pub use assessment::{Assessment, PasswordCheck, Violation};
pub use charset::{CharSet, Class};
pub use entropy::{Count, Entropy};
pub use passphrase::{Passphrase, PassphraseConstraints, PassphraseError, wordlist::Wordlist};
pub use policy::constraints::{ClassOptions, Constraints, Start};
pub use policy::error::PolicyError;
pub use policy::limits::{self, LengthRange};
pub use policy::named::{NamedPolicy, PolicyName};
pub use policy::presets::{PRESETS, Preset, Source};
pub use policy::resolve::ClassInUse;
pub use policy::{FloorError, Policy};
pub use regex::regular_expression;
pub(crate) use rules::write_hcl;
pub use rules::{PasswordRules, VaultPolicy, parse_rules, password_rules};
pub use sampling::budget::WorkBudget;
pub use sampling::sampler::{CountError, DrawError, Sampler};
pub use secret::Secret;
pub use spec::{MinClasses, PasswordSpec, Requirement};
pub use verify::{SpecViolation, verify, violations};
