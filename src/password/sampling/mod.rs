//! Counts the passwords of a specification, and draws one of them uniformly.

pub(super) mod budget;
mod compositions;
mod cumulative;
mod inclusion_exclusion;
mod modular;
mod runs;
pub(super) mod sampler;
pub(super) mod uniform;
