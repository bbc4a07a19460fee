//! The rate limit in a model: a key with a limit of L per minute is admitted at most L times in any 60 seconds, over any
//! number of functions, and no request is counted twice. The functions of the model run the product's own protocol.
//!
//! [`exhaustive`] explores every state that a few requests can reach. [`rules`] has wrong rules, each of which it must
//! find.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests stop at unexpected errors")]

mod database;
mod exhaustive;
mod rules;
mod state_space;
