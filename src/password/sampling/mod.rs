//! Counts the passwords of a specification, and draws one of them uniformly.

pub(super) mod budget;
mod choices;
mod compositions;
mod cumulative;
mod inclusion_exclusion;
mod lists;
mod modular;
mod permutations;
#[cfg(test)]
mod proof;
mod runs;
pub(super) mod sampler;
mod series;
mod terms;
pub(super) mod uniform;
