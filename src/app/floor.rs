//! The least that a key may get.

use crate::password::{Count, NamedPolicy};

/// What the key of a request requires beyond the request.
#[derive(Debug, Default)]
pub(super) struct Floor {
    /// The least entropy, in bits.
    pub(super) min_entropy: Option<u16>,
    /// The policy that the key is bound to. What it gets has no less entropy than this policy alone.
    pub(super) bound: Option<NamedPolicy>,
}

impl Floor {
    pub(super) const fn is_none(&self) -> bool {
        self.min_entropy.is_none() && self.bound.is_none()
    }

    /// The fewest passwords, where the bound policy alone has so many.
    pub(super) fn passwords(&self, alone: Option<&Count>) -> Count {
        let floor = Count::of_bits(self.min_entropy.unwrap_or_default());
        alone.map_or_else(|| floor.clone(), |alone| alone.clone().max(floor.clone()))
    }
}
