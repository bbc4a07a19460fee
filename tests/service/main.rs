//! Through the front door: an event in; status, headers, body and audit line out. The handler, the
//! DynamoDB client and its HTTP are the real ones; the database is an embedded DynamoDB on loopback.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests stop at what they did not expect")]

mod support;

mod audit;
mod contract;
mod events;
mod generate;
mod keys;
mod limit;
mod outages;
mod passphrase;
mod policy;
mod presets;
mod refusals;
mod release;
mod rules;
mod soak;
mod swarm;
mod tls;
mod tool;
mod validate;
