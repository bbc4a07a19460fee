//! End-to-end tests: each sends an event and checks the status, the headers, the body and the audit line.
//!
//! The handler, the DynamoDB client and its HTTP are the real ones. The database is an embedded DynamoDB on loopback, or
//! DynamoDB Local (`make test-dynamodb-local`).
//! Tests of the process start the function as Lambda does, with a Runtime API of their own.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "a test stops at the first result that it does not expect")]

mod support;

#[cfg(feature = "admin")]
mod admin_tool;
#[cfg(feature = "admin")]
mod admin_tool_policies;
mod audit;
mod aws;
mod bindings;
mod blind_write;
mod charsets;
mod concurrency;
mod contract;
mod database_faults;
mod errors;
mod events;
mod generate;
mod keys;
mod named_policies;
mod pages;
mod passphrase;
mod policy;
mod policy_changes;
mod presets;
mod rate_limit;
mod release;
mod resources;
mod rules;
mod soak;
mod template;
mod tls;
mod tutorials;
mod unknown_callers;
mod validate;
mod vault;
