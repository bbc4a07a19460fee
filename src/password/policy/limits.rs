//! The lengths and entropies that the service accepts.

/// The shortest password of the API, in characters. A policy can also have a requested length of 1 to 3.
pub const MIN_LENGTH: u16 = 4;
/// The longest password, in characters.
pub const MAX_LENGTH: u16 = 4096;
/// The length if none is requested and the minima need no more, in characters.
pub const DEFAULT_LENGTH: u16 = 16;
/// The largest `min_entropy`, in bits.
pub const MAX_ENTROPY: u16 = 2048;

/// The most sets that a site's rules may require, and the most `charsets`. Real rules require up to five; the time to
/// count grows exponentially with their number.
pub const MAX_SETS: usize = 16;

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
    pub(crate) fn contains(self, length: u16) -> bool {
        (self.min..=self.max).contains(&length)
    }

    /// The length if none is requested: `usual`, or 16, or so many characters as are enough for the minima.
    pub(crate) fn default_length(self, usual: Option<u16>, enough: u32) -> u16 {
        usual.unwrap_or(DEFAULT_LENGTH).max(u16::try_from(enough).unwrap_or(u16::MAX)).clamp(self.min, self.max)
    }
}
