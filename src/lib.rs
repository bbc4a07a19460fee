//! Passloom: a password generation service for AWS Lambda. Every password that satisfies the caller's
//! policy is equally likely, the answer says exactly how many there are, and no password leaves
//! without having been counted against its caller's limit and written to the audit log.
//!
//! # Rooms
//!
//! | module | what it is about |
//! |---|---|
//! | [`password`] | what is generated: policies, presets, rules, passphrases; counting, drawing, checking. Pure |
//! | [`access`] | who may ask, and how often: keys, limits, the DynamoDB table |
//! | [`http`] | how it is said: Lambda's events, parameters, answers, problems, the published contract |
//! | [`audit`] | one structured line per request |
//! | [`settings`] | the environment, read once |
//! | [`app`] | one request in, one answer out |
//!
//! Dependencies point one way: `main` → [`app`] → the others. [`password`] and [`access`] do not know
//! each other, and neither knows [`http`].
//!
//! # The way of a request
//!
//! ```text
//! event -> http::event::decode -> http::routes -> access::ApiKey::parse -> http::request
//!       -> password::Policy -> password::Sampler (counts) -> access::Store::admit (one write)
//!       -> password::Sampler::draw -> password::verify -> audit::AuditLog::write -> http::Reply
//! ```
//!
//! Cheap refusals come first: neither a forged key nor a malformed request reaches the database.

pub mod access;
pub mod app;
pub mod audit;
pub mod http;
pub mod password;
pub mod settings;
