//! What a key is bound to.

/// What a key is bound to, and what it may do beyond generating.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Binding {
    /// The policy that every request of the key is held to.
    pub policy: Option<BoundPolicy>,
    /// The least entropy of what it gets, in bits.
    pub min_entropy: Option<u16>,
    /// Whether it may manage policies. Such a key is not bound.
    pub admin: bool,
}

/// A policy that a key is bound to. It says of which kind it is, so that a preset that is added later never takes the place
/// of a stored policy.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum BoundPolicy {
    /// A preset.
    Preset(String),
    /// A stored policy.
    Stored(String),
}

impl BoundPolicy {
    /// The name of the policy.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::Preset(name) | Self::Stored(name) => name,
        }
    }
}
