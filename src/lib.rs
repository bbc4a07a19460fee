//! Passloom: a password generation service for AWS Lambda. Every password that satisfies the caller's policy is equally
//! likely, the answer states exactly how many there are, and no password leaves without having been counted against its
//! caller's limit and written to the audit log.
//!
//! # Layout
//!
//! | module | subject |
//! |---|---|
//! | [`app`] | one request in, one response out |
//! | [`http`] | Lambda events, parameters, answers, errors, the OpenAPI document |
//! | [`access`] | authentication, rate limiting, the DynamoDB table |
//! | [`password`] | policies, presets, password rules, passphrases; counting, drawing, checking. Pure |
//! | [`audit`] | one structured log line per request |
//! | [`settings`] | environment variables |
//! | [`clock`] | the system clock |
//! | [`invisible`] | characters that are not visible |
//!
//! Dependencies point one way: `main` → [`app`] → [`http`], [`access`], [`password`], [`audit`]. [`http`] uses the types
//! of [`password`] and [`access`] that it reads and writes. [`password`] and [`access`] depend neither on each other nor
//! on [`http`]. [`settings`] reads the types of [`access`] and [`http`] from the environment. [`clock`] and
//! [`invisible`] depend on nothing.
//!
//! # The life of a request
//!
//! ```text
//! event -> http::lambda (decode) -> http::dialects (which API) -> access::Auth (the key and its tag, no I/O)
//!       -> http::routes (operation) -> http::request (typed parameters) -> password::policy (contradictions)
//!       -> access::Store::admit (one conditional write: authenticate and count)
//!       -> app (the named policy, what the key is bound to) -> password::sampling (count, then draw)
//!       -> password::verify -> http::response -> audit line -> reply
//! ```
//!
//! Inexpensive checks come first: neither a forged key nor a malformed request reaches the database. Counting the
//! passwords of a policy takes time, so it comes after the request was counted.

#[macro_use]
mod named_enum;

pub mod access;
pub mod app;
pub mod audit;
pub mod clock;
pub mod http;
pub mod invisible;
pub mod password;
pub mod settings;
#[cfg(test)]
mod steps;
