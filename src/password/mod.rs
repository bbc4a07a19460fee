//! What is generated. Pure: no clock, no I/O, no HTTP, no DynamoDB.
//!
//! [`Constraints`] are what a caller asks for. [`Policy::new`] turns them into a [`Policy`], whose
//! [`Shape`] says in sets of characters what its passwords are like. If you hold a [`Sampler`], there
//! are such passwords: it has counted them exactly, and draws one of them, each equally likely.
//! [`verify()`] checks a text against a shape with code of its own.
//!
//! How the counting and drawing works, and why it is uniform, is told in `docs/sampling.md`.

mod alphabet;
mod assessment;
mod compositions;
mod constraints;
mod contradiction;
mod count;
mod exclusion;
mod frame;
mod ladder;
mod passphrase;
mod pattern;
mod policy;
mod presets;
mod rules;
mod runs;
mod sample;
mod secret;
mod shape;
mod uniform;
mod verify;
mod wordlist;
mod work;

pub use alphabet::{CharSet, Class};
pub use assessment::{Assessment, Breach, Strength, assess, strength};
pub use constraints::{ClassOptions, Constraints, Start};
pub use contradiction::PolicyError;
pub use count::{Count, Entropy};
pub use passphrase::{Phrase, PhraseConstraints, PhraseError};
pub use pattern::regular_expression;
pub use policy::{ClassInUse, Policy};
pub use presets::{PRESETS, Preset, Source};
pub use rules::{PasswordRules, RulesError, RulesFault, password_rules};
pub use sample::{CountError, DrawError, Sampler};
pub use secret::Secret;
pub use shape::{Requirement, Shape, Variety};
pub use verify::{Violation, verify, violations};
pub use wordlist::Wordlist;
