//! Apple's password rules, the text that web sites give to password managers
//! (<https://developer.apple.com/password-rules/>), and Vault's language of password policies.

mod hcl;
pub(super) mod parse;
pub(super) mod password_rules;
mod write;

pub use hcl::{HclError, HclErrorKind, Meant, VaultPolicy, write_hcl};
pub use parse::{RulesError, RulesErrorKind, parse as parse_rules};
pub use password_rules::PasswordRules;
pub use write::password_rules;
