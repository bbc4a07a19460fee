//! The write that admits and counts one request, and what follows when its answer is lost.
//!
//! A write whose answer is lost may have been applied, may have failed, or may still be applied later. Sending it
//! again unchanged could count a request twice. So the repeated write requires that `n` has not changed since it was
//! read, which shows that the first write has not been applied; and it raises the item's *epoch*, which every write
//! pins, so that the first write can never be applied after it. If another request was counted in between, it cannot
//! be told whether this one was, and it is not admitted.
//!
//! A *blind write* counts a request of a caller whose counters the function has not read: below the ceiling that an
//! earlier write left in the item. The function knows neither `n` nor the epoch, so it cannot repeat a blind write whose
//! answer is lost.

use std::time::SystemTime;

use super::window::{self, Counters, WriteToken};

/// A write that counts one request, described without a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConditionalWrite {
    /// The request that it belongs to.
    pub write_token: WriteToken,
    /// What `n` must be for the write to be applied.
    pub precondition: Precondition,
    /// What the epoch must be. A blind write does not require it.
    pub epoch: u64,
    /// The slot whose snapshot it takes, unless that exists already.
    pub slot: u64,
    /// The same for the UTC day.
    pub day: u64,
    /// Snapshots that it removes: slots, then days.
    pub stale: (Vec<u64>, Vec<u64>),
    /// `n` when it was read before the write.
    seen: u64,
    /// The highest value that `n` may have after the write.
    ceiling: u64,
}

/// What the number of admissions must be for a write to be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precondition {
    /// There are none: the item does not exist.
    Absent,
    /// Fewer than the ceiling that an earlier write left in the item.
    BelowStored,
    /// Fewer than this.
    Below(u64),
    /// Exactly this many; and the write raises the epoch.
    Exactly(u64),
}

/// What happened to a write whose repetition was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It was applied, and no other write was applied since.
    Applied,
    /// It was not applied, and never will be.
    NotApplied,
    /// It cannot be told.
    Unknown,
}

impl ConditionalWrite {
    /// Counts one request of a caller with these counters, below `ceiling`.
    #[must_use]
    pub fn new(counters: &Counters, ceiling: u64, now: SystemTime, write_token: WriteToken) -> Self {
        Self {
            write_token,
            precondition: Precondition::Below(ceiling),
            epoch: counters.epoch,
            slot: window::slot(now),
            day: window::day(now),
            stale: counters.stale(now),
            seen: counters.n,
            ceiling,
        }
    }

    /// Counts one request of a caller whose counters are not known.
    #[must_use]
    pub fn blind(now: SystemTime, write_token: WriteToken) -> Self {
        Self { precondition: Precondition::BelowStored, ..Self::new(&Counters::default(), u64::MAX, now, write_token) }
    }

    /// The same write for an item that does not exist yet.
    #[must_use]
    pub fn creating(self) -> Self {
        Self { precondition: Precondition::Absent, ..self }
    }

    /// The write to send when the answer to this one was lost, for a new reading of the clock. None for a blind write:
    /// without `n` and the epoch, nothing would prevent that both are applied.
    ///
    /// The ceiling stays: computed for an earlier time it can only be too low.
    #[must_use]
    pub fn repeated(&self, now: SystemTime) -> Option<Self> {
        let precondition = match self.precondition {
            Precondition::Absent => Precondition::Absent,
            Precondition::BelowStored => return None,
            Precondition::Below(_) | Precondition::Exactly(_) => Precondition::Exactly(self.seen),
        };
        Some(Self { precondition, ..self.moved(now) })
    }

    /// The same write for a new reading of the clock, to send when this one was certainly not applied.
    #[must_use]
    pub fn moved(&self, now: SystemTime) -> Self {
        Self { slot: window::slot(now), day: window::day(now), ..self.clone() }
    }

    /// What happened to this write, judged by the counters that rejected its repetition.
    #[must_use]
    pub fn outcome(&self, found: &Counters) -> Outcome {
        if found.last_write == self.write_token {
            Outcome::Applied
        } else if found.n == self.seen && self.precondition != Precondition::Absent {
            // The repetition was rejected because an administrator changed the key, which rejects this write too.
            Outcome::NotApplied
        } else {
            Outcome::Unknown
        }
    }

    /// Whether these counters are what this write, or its repetition, must have left.
    #[must_use]
    pub fn matches(&self, after: &Counters) -> bool {
        let Some(before) = after.n.checked_sub(1) else { return false };
        let taken = |snapshot: Option<&u64>| snapshot.is_some_and(|&snapshot| snapshot <= before);
        let permitted = match self.precondition {
            Precondition::BelowStored => after.ceiling.is_some_and(|ceiling| before < ceiling),
            _ => (self.seen..self.ceiling).contains(&before) && (self.epoch..=self.epoch + 1).contains(&after.epoch),
        };
        after.last_write == self.write_token
            && permitted
            && taken(after.slots.get(&self.slot))
            && taken(after.days.get(&self.day))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::{Duration, UNIX_EPOCH};

    use super::*;

    const TOKEN: WriteToken = [7; 16];
    const OTHER: WriteToken = [8; 16];

    fn counters(n: u64, epoch: u64, last_write: WriteToken) -> Counters {
        let (slots, days) = (BTreeMap::from([(0, 1), (2, 4)]), BTreeMap::from([(0, 1)]));
        Counters { n, slots, days, epoch, last_write, ceiling: Some(6) }
    }

    /// In the slot that begins 12 seconds after the next midnight.
    fn later() -> SystemTime {
        UNIX_EPOCH + Duration::from_secs(86_413)
    }

    /// At 10 s, in slot 2, with n = 4 read before and a ceiling of 9.
    fn write() -> ConditionalWrite {
        ConditionalWrite::new(&counters(4, 2, OTHER), 9, UNIX_EPOCH + Duration::from_secs(10), TOKEN)
    }

    #[test]
    fn new_write_pins_ceiling_epoch_slot_and_day() {
        let ConditionalWrite { write_token, precondition, epoch, slot, day, stale, .. } = write();
        assert_eq!((write_token, precondition, epoch, slot, day), (TOKEN, Precondition::Below(9), 2, 2, 0));
        assert_eq!(stale, (vec![], vec![]));
    }

    #[test]
    fn repeated_write_requires_unchanged_n() {
        let repeated = write().repeated(later()).unwrap();
        assert_eq!(repeated.precondition, Precondition::Exactly(4));
        assert_eq!(repeated.repeated(later()).unwrap().precondition, Precondition::Exactly(4));
        assert_eq!(write().creating().repeated(later()).unwrap().precondition, Precondition::Absent);
    }

    /// Also across midnight.
    #[test]
    fn moved_and_repeated_write_belong_to_the_new_slot_and_day() {
        let moved = ConditionalWrite { slot: 21_603, day: 1, ..write() };
        assert_eq!(write().moved(later()), moved);
        let repeated = ConditionalWrite { precondition: Precondition::Exactly(4), ..moved };
        assert_eq!(write().repeated(later()), Some(repeated));
    }

    #[test]
    fn blind_write_is_moved_but_never_repeated() {
        let at_ten = UNIX_EPOCH + Duration::from_secs(10);
        let blind = ConditionalWrite::blind(at_ten, TOKEN);
        assert_eq!((blind.precondition, blind.slot, blind.day), (Precondition::BelowStored, 2, 0));
        assert_eq!(blind.repeated(later()), None);
        let moved = blind.moved(later());
        assert_eq!((moved.precondition, moved.slot, moved.day), (Precondition::BelowStored, 21_603, 1));
    }

    #[test]
    fn blind_write_matches_counters_below_their_own_ceiling() {
        let blind = ConditionalWrite::blind(UNIX_EPOCH + Duration::from_secs(10), TOKEN);
        let with_ceiling = |ceiling| Counters { ceiling, ..counters(5, 2, TOKEN) };
        for (name, after, matches) in [
            ("below the ceiling", counters(5, 2, TOKEN), true),
            ("the last place", with_ceiling(Some(5)), true),
            ("above the ceiling", with_ceiling(Some(4)), false),
            ("no ceiling", with_ceiling(None), false),
            ("another token", counters(5, 2, OTHER), false),
            ("no snapshot of the slot", Counters { slots: BTreeMap::new(), ..counters(5, 2, TOKEN) }, false),
        ] {
            assert_eq!(blind.matches(&after), matches, "{name}");
        }
    }

    #[test]
    fn outcome_by_found_counters_is_applied_not_applied_or_unknown() {
        for (name, write, found, outcome) in [
            ("own token", write(), counters(5, 2, TOKEN), Outcome::Applied),
            ("unchanged n", write(), counters(4, 2, OTHER), Outcome::NotApplied),
            ("another request counted", write(), counters(5, 2, OTHER), Outcome::Unknown),
            ("created with own token", write().creating(), counters(1, 0, TOKEN), Outcome::Applied),
            ("created by another request", write().creating(), counters(4, 2, OTHER), Outcome::Unknown),
        ] {
            assert_eq!(write.outcome(&found), outcome, "{name}");
        }
    }

    #[test]
    fn matches_rejects_counters_of_any_other_write() {
        let without = |mut counters: Counters, slot: bool| {
            if slot {
                counters.slots.remove(&2)
            } else {
                counters.days.remove(&0)
            };
            counters
        };
        let with_snapshot = |mut counters: Counters, slot: u64, day: u64| {
            counters.slots.insert(2, slot);
            counters.days.insert(0, day);
            counters
        };
        for (name, after, matches) in [
            ("the next count", counters(5, 2, TOKEN), true),
            ("others counted in between", counters(7, 2, TOKEN), true),
            ("the last place", counters(9, 2, TOKEN), true),
            ("above the ceiling", counters(10, 2, TOKEN), false),
            ("n unchanged", counters(4, 2, TOKEN), false),
            ("n = 0", counters(0, 2, TOKEN), false),
            ("its repetition", counters(5, 3, TOKEN), true),
            ("an epoch too many", counters(5, 4, TOKEN), false),
            ("an earlier epoch", counters(5, 1, TOKEN), false),
            ("another token", counters(5, 2, OTHER), false),
            ("no snapshot of the slot", without(counters(5, 2, TOKEN), true), false),
            ("no snapshot of the day", without(counters(5, 2, TOKEN), false), false),
            ("the slot's snapshot at n - 1", with_snapshot(counters(5, 2, TOKEN), 4, 4), true),
            ("the slot's snapshot at n", with_snapshot(counters(5, 2, TOKEN), 5, 4), false),
            ("the day's snapshot at n", with_snapshot(counters(5, 2, TOKEN), 4, 5), false),
        ] {
            assert_eq!(write().matches(&after), matches, "{name}");
        }
    }
}
