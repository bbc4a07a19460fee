//! One write that takes places of a caller's limit, and what becomes of it when its answer is lost.
//!
//! A write whose answer is lost may have landed, may not, and may land yet. Sending it again would then
//! count a request twice. So its repetition takes place only if nobody has written since the view was
//! taken, which shows that the write has not landed; and it raises the item's *epoch*, which every write
//! pins, so that the write can never land after it. Where somebody has written meanwhile, whether the
//! request was counted cannot be told, and it is not admitted.

use std::time::SystemTime;

use super::limit::{self, Counters, RequestMark};

/// A write that takes places, told without a database.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Claim {
    /// The request it belongs to.
    pub mark: RequestMark,
    /// How many places it takes.
    pub places: u64,
    /// What `n` must be for it to take place.
    pub bound: Bound,
    /// What the epoch must be.
    pub epoch: u64,
    /// The slot whose snapshot it takes, if that is still to be taken.
    pub slot: u64,
    /// The same for the UTC day.
    pub day: u64,
    /// Snapshots that it removes: slots, then days.
    pub stale: (Vec<u64>, Vec<u64>),
    /// `n` as it was seen before.
    seen: u64,
    /// The most that `n` may be after it.
    ceiling: u64,
}

/// What the admissions so far must be for a write to take place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Bound {
    /// None: the item is not there.
    Absent,
    /// Fewer than this.
    Below(u64),
    /// Just these; and the write raises the epoch.
    Exactly(u64),
}

/// What became of a write whose repetition was rejected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It took place, and nobody has written since.
    Landed,
    /// It did not, and never will.
    Void,
    /// That cannot be told.
    Unknown,
}

impl Claim {
    /// Takes `places` of what `counters` leave below `ceiling`; one at least must be left.
    #[must_use]
    pub fn new(counters: &Counters, ceiling: u64, places: u64, now: SystemTime, mark: RequestMark) -> Self {
        let places = places.min(ceiling.saturating_sub(counters.n)).max(1);
        Self {
            mark,
            places,
            bound: Bound::Below((ceiling + 1).saturating_sub(places)),
            epoch: counters.epoch,
            slot: limit::slot(now),
            day: limit::day(now),
            stale: counters.stale(now),
            seen: counters.n,
            ceiling,
        }
    }

    /// The same for an item that is not there yet.
    #[must_use]
    pub fn first(self) -> Self {
        Self { bound: Bound::Absent, ..self }
    }

    /// What is sent when the answer was lost.
    #[must_use]
    pub fn repeated(&self) -> Self {
        let bound = if self.bound == Bound::Absent { Bound::Absent } else { Bound::Exactly(self.seen) };
        Self { bound, ..self.clone() }
    }

    /// What became of this write, by what the rejection of its repetition found.
    #[must_use]
    pub fn fate(&self, found: &Counters) -> Fate {
        if found.last == self.mark {
            Fate::Landed
        } else if found.n == self.seen && self.bound != Bound::Absent {
            // What rejected the repetition is what an administrator changed, and that rejects the write too.
            Fate::Void
        } else {
            Fate::Unknown
        }
    }

    /// Whether these counters are what this write, or its repetition, must have left.
    #[must_use]
    pub fn fits(&self, after: &Counters) -> bool {
        let Some(before) = after.n.checked_sub(self.places) else { return false };
        let began = |snapshot: Option<&u64>| snapshot.is_some_and(|&snapshot| snapshot <= before);
        after.last == self.mark
            && (self.seen..=self.ceiling - self.places).contains(&before)
            && (self.epoch..=self.epoch + 1).contains(&after.epoch)
            && began(after.slots.get(&self.slot))
            && began(after.days.get(&self.day))
    }
}
