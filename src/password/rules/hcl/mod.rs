//! Vault's language of password policies (<https://developer.hashicorp.com/vault/docs/concepts/password-policies>): the
//! part of HCL 1, and of its JSON form, that such a policy has.
//!
//! Vault ignores names that it does not know, and keeps one of several values. This reader accepts what Vault accepts and
//! reads it as Vault does, except where something would be ignored or lost: it refuses that, and names it.
//!
//! A name that the language does not have ends the reading, so nesting is never deeper than a policy's own. Reading takes
//! time in proportion to the length of the text.

mod cursor;
mod draft;
mod error;
mod json;
mod language;
mod policy;
#[cfg(test)]
mod tests;
mod write;

pub use error::{HclError, HclErrorKind, Meant};
pub use policy::VaultPolicy;
pub use write::write_hcl;
