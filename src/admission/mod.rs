//! What an admitted request may use, the trait of the operations that use it, and how they fail.

mod admitted;
mod change;
mod failure;
mod line;
mod operation;
mod sampler_cache;

pub(crate) use admitted::{Admitted, FoundPolicy, Role, Services};
pub(crate) use change::Intent;
pub(crate) use failure::{BoundKeyError, Failure};
pub(crate) use line::Line;
pub(crate) use operation::{Operation, Performed};
