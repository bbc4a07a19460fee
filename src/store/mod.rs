//! The DynamoDB table: the only module that knows AWS.

mod cache;
mod callers;
mod client;
mod fault;
pub mod item;
mod policies;
mod update;

pub use callers::Store;
pub use client::{Endpoint, EndpointError, are_usable_roots, connect};
pub use policies::{Changed, PoliciesUnavailable, change_policies, read_policies};
