//! The DynamoDB table: the only module that knows AWS.

mod cache;
pub mod client;
mod fault;
pub mod item;
pub mod policy_table;
pub mod store;
mod update;
