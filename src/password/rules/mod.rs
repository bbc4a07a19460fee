//! Apple's password rules, the text that web sites give to password managers
//! (<https://developer.apple.com/password-rules/>), and Vault's language of password policies.

mod cursor;
mod hcl;
pub(super) mod parse;
pub(super) mod password_rules;
mod write;

pub use hcl::VaultPolicy;
pub(crate) use hcl::write_hcl;
pub use parse::parse as parse_rules;
pub(crate) use write::password_rules;
