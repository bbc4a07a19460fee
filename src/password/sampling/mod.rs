//! Counts the passwords of a specification, and draws one of them uniformly.

#[cfg(test)]
mod blocks;
pub(super) mod budget;
mod choices;
#[cfg(test)]
mod closed_form;
#[cfg(test)]
mod comparison;
mod compositions;
mod cumulative;
mod inclusion_exclusion;
mod lists;
mod modular;
mod permutations;
#[cfg(test)]
mod pools;
#[cfg(test)]
mod proof;
#[cfg(test)]
mod recurrence;
mod runs;
pub(super) mod sampler;
mod series;
mod terms;
pub(super) mod uniform;
