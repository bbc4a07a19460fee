//! Counts the passwords of a specification, and draws one of them uniformly.

mod blocks;
pub(super) mod budget;
mod choices;
mod closed_form;
mod compositions;
mod cumulative;
mod modular;
#[cfg(test)]
mod proof;
mod recurrence;
mod runs;
pub(super) mod sampler;
pub(super) mod uniform;
