//! The lengths and entropies that the service accepts.

/// The shortest password, in characters.
pub const MIN_LENGTH: u16 = 4;
/// The longest password, in characters.
pub const MAX_LENGTH: u16 = 256;
/// The length if none is requested and the minima need no more, in characters.
pub const DEFAULT_LENGTH: u16 = 16;
/// The largest `min_entropy`, in bits: more than any password of the longest length has.
pub const MAX_ENTROPY: u16 = 2048;

/// The lengths that a policy allows, in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LengthRange {
    /// The shortest.
    pub min: u16,
    /// The longest.
    pub max: u16,
}

impl LengthRange {
    /// Whether a length is in the range.
    #[must_use]
    pub fn contains(self, length: u16) -> bool {
        (self.min..=self.max).contains(&length)
    }

    /// The length if none is requested, where the minima need so many characters.
    #[must_use]
    pub fn default_length(self, needed: u32) -> u16 {
        DEFAULT_LENGTH.max(u16::try_from(needed).unwrap_or(u16::MAX)).clamp(self.min, self.max)
    }
}
