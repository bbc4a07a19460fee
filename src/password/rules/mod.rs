//! Apple's password rules, the text that web sites give to password managers
//! (<https://developer.apple.com/password-rules/>).

pub(super) mod parse;
pub(super) mod password_rules;
mod write;

pub use parse::{RulesError, RulesErrorKind, parse as parse_rules};
pub use password_rules::PasswordRules;
pub use write::password_rules;
