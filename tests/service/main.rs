//! Through the front door: an event in; status, headers, body and audit line out. The handler, the
//! DynamoDB client and its HTTP are the real ones; the database is an embedded DynamoDB on loopback.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests stop at what they did not expect")]

mod support;

mod audit;
mod events;
mod generate;
mod keys;
mod limit;
mod outages;
mod policy;
mod refusals;
mod release;
mod soak;
mod swarm;
mod tls;
mod tool;
