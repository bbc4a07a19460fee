//! Passloom: a password generation service for AWS Lambda. Every password that satisfies the caller's policy is equally
//! likely, the answer states exactly how many there are, and no password leaves without having been counted against its
//! caller's limit and written to the audit log.
//!
//! `docs/architecture.md` describes the modules, and the life of a request, which [`App::handle`] is.

#[macro_use]
mod named_enum;

pub mod access;
mod admission;
pub mod audit;
pub mod clock;
mod dialects;
mod http;
pub mod invisible;
mod operations;
pub mod password;
mod service;
pub mod settings;
#[cfg(test)]
mod steps;
pub mod store;

pub use http::headers::AllowedOrigins;
pub use http::lambda::Reply;
pub use http::routes::CompatibleApis;
pub use operations::stored_policies::CheckedPolicy;
pub use service::App;

/// The lists that documents repeat. Tests compare them.
pub mod contract {
    pub use crate::http::pages::{File, Page};
    pub use crate::http::parameters::{MAX_COUNT, ParameterName};
    pub use crate::http::problem::Kind;
    pub use crate::http::routes::{ROUTES, Route};
    pub use crate::operations::generate::GenerateParameter;
    pub use crate::operations::passphrase::PassphraseParameter;
    pub use crate::operations::policy_parameters::{PolicyParameter, StoredPolicyParameter};
    pub use crate::operations::validate::ValidateParameter;
}
