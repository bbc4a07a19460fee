//! The rate limit: a key with a limit of L per minute is admitted at most L times in *any* 60 seconds, over any
//! number of functions, and no request is counted twice. Pure: no clock, no database.
//!
//! [`window`] decides whether the next request may be admitted. [`conditional_write`] describes the write that
//! admits it, and what follows when the answer to that write is lost. [`admitting`] is the protocol around both.
//! `docs/rate-limiting.md` has the whole argument.

pub mod admitting;
pub mod conditional_write;
pub mod window;
