//! Places that one write took at once, and their spending.
//!
//! One DynamoDB item bears about a thousand writes a second. A key that is used faster can take several
//! places of its limit in one write. They are spent only within the slot of that write, and what is left
//! then is lost: so the places that are counted are never fewer than the admissions of any window, and
//! the promise of [`super::limit`] holds as it stands.
//!
//! How many places a write takes follows what is spent: half of what the slot before leads one to expect
//! of the rest of this one, or else what this one's own pace does, and then no more than twice as many in
//! all as were spent. So a caller whose requests come one at a time never loses more than it was admitted
//! in the two slots.

use std::num::NonZeroU32;
use std::ops::Range;
use std::time::SystemTime;

use super::limit::{slot, within_slot};

/// What a function holds of a caller's places.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Lease {
    slot: u64,
    /// Sequence numbers that are left in this slot: a range for each write, for some run side by side.
    places: Vec<Range<u64>>,
    /// Spent in this slot, and in the one before it.
    spent: u64,
    spent_before: u64,
}

impl Lease {
    /// How many places the next write should take, `most` at most.
    pub fn wanted(&mut self, now: SystemTime, most: NonZeroU32) -> u64 {
        self.enter(slot(now));
        let (gone, left) = within_slot(now);
        let by_pace = (self.spent * left / gone.max(1)).min(self.spent + 1);
        (self.spent_before.saturating_sub(self.spent) / 2).max(by_pace).clamp(1, u64::from(most.get()))
    }

    /// Takes in the places that a write at `now` took, up to sequence number `n`, and spends the first.
    pub fn renew(&mut self, n: u64, places: u64, now: SystemTime) -> u64 {
        self.enter(slot(now));
        let sequence = n + 1 - places;
        if places > 1 {
            self.places.push(sequence + 1..n + 1);
        }
        self.spent += 1;
        sequence
    }

    /// Spends a place and tells its sequence number, if one is left in this slot.
    pub fn spend(&mut self, now: SystemTime) -> Option<u64> {
        self.enter(slot(now));
        let range = self.places.last_mut()?;
        let sequence = range.next()?;
        if range.is_empty() {
            self.places.pop();
        }
        self.spent += 1;
        Some(sequence)
    }

    /// How many places are left.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.places.iter().map(|range| range.end - range.start).sum()
    }

    /// Lets go of what belongs to another slot.
    fn enter(&mut self, slot: u64) {
        if slot != self.slot {
            let spent_before = if slot == self.slot + 1 { self.spent } else { 0 };
            *self = Self { slot, places: Vec::new(), spent: 0, spent_before };
        }
    }
}
