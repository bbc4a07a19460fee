//! How many requests a key may still make: a pure function of its counters, its limits and the time.
//!
//! The promise: a key with a limit of L per minute is admitted at most L times in *any* 60 seconds.
//! Fixed windows, the sliding-window counter and GCRA with a burst of L all admit close to 2 L across
//! a boundary.
//!
//! The counters of a key are `n`, its admissions so far, which only ever grows, and snapshots: the
//! value that `n` had when a slot of two seconds admitted its first request. A snapshot is written
//! once. The admissions of the last minute are `n` less the smallest snapshot of the last minute, so
//! the next request may be admitted while
//!
//! ```text
//! n < per_minute + smallest snapshot in the window      (n itself, if there is none)
//! ```
//!
//! The right-hand side is the *ceiling* that the conditional write carries. Computed from an old view
//! it can only be too low: a snapshot that the view lacks was taken later than `n` was seen and is no
//! smaller than it. And `n` on the left-hand side is read by the database, at the write.
//!
//! A worked example, L = 3: admissions at 0.5 s, 1 s and 61 s leave n = 3 and the snapshots 0 (slot 0)
//! and 2 (slot 30). At 61.5 s the window still holds slot 0: 3 < 3 + 0 is false, refused. At 64 s slot 0
//! has left: 3 < 3 + 2, admitted.
//!
//! A slot stays in the window until the whole of it is 62 seconds ago: 60, and two for clocks that
//! disagree and for the way of a write, together. So a snapshot counts for 62 to 64 seconds, and who
//! uses the whole limit at once gets it again after that long.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// One snapshot is kept for each slot of this many milliseconds.
const SLOT: u64 = 2_000;
/// How long ago a slot must have ended to count no more: a minute, and two seconds for clocks that
/// disagree and for the way of a write. Milliseconds.
const LOOKBACK: u64 = 62_000;
/// How much longer a snapshot stays in the item, so that a function whose clock is ahead does not
/// remove what another still needs. Milliseconds.
const KEPT_ON: u64 = 30_000;
const DAY: u64 = 86_400_000;

/// How often a caller may be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// In any 60 seconds.
    pub per_minute: NonZeroU32,
    /// In one UTC day.
    pub per_day: NonZeroU32,
}

/// The counters of a caller, as some answer of the database told them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Admissions so far.
    pub n: u64,
    /// `n` before the first admission of a slot, by the slot's number since 1970.
    pub slots: BTreeMap<u64, u64>,
    /// `n` before the first admission of a UTC day, by the day's number since 1970.
    pub days: BTreeMap<u64, u64>,
    /// Repetitions of writes so far, see [`super::claim`].
    pub epoch: u64,
    /// The request that wrote last.
    pub last: RequestMark,
}

/// Which request a write belongs to: random, so that a lost answer can be told from a lost write.
pub type RequestMark = [u8; 16];

/// Whether one more request may be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Yes, while `n` is below this.
    Admit {
        /// The bound that the conditional write carries.
        ceiling: u64,
    },
    /// Not before this moment.
    Refuse {
        /// When the counters, unless they grow, would let one more in.
        until: SystemTime,
    },
}

/// What is left of a caller's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The limits.
    pub limits: Limits,
    /// Admissions left in this minute.
    pub minute: u64,
    /// Until some of the minute's quota comes back.
    pub minute_reset: Duration,
    /// Admissions left in this UTC day.
    pub day: u64,
    /// Until the next UTC day.
    pub day_reset: Duration,
}

impl Counters {
    /// Decides about the next request.
    #[must_use]
    pub fn decide(&self, limits: Limits, now: SystemTime) -> Decision {
        let now = millis(now);
        let [minute, day] = self.ceilings(limits, now);
        if self.n < minute && self.n < day {
            return Decision::Admit { ceiling: minute.min(day) };
        }
        let minute = if self.n < minute { now } else { self.minute_opens(limits, now) };
        let day = if self.n < day { now } else { (now / DAY + 1) * DAY };
        Decision::Refuse { until: UNIX_EPOCH + Duration::from_millis(minute.max(day)) }
    }

    /// What is left.
    #[must_use]
    pub fn quota(&self, limits: Limits, now: SystemTime) -> Quota {
        let now = millis(now);
        let [minute, day] = self.ceilings(limits, now);
        let oldest = self.window(now).map(|(slot, _)| leaves(slot)).min().unwrap_or(now);
        Quota {
            limits,
            minute: minute.saturating_sub(self.n),
            minute_reset: Duration::from_millis(oldest - now),
            day: day.saturating_sub(self.n),
            day_reset: Duration::from_millis(DAY - now % DAY),
        }
    }

    /// Snapshots that nobody needs any more: slots, then days.
    #[must_use]
    pub fn stale(&self, now: SystemTime) -> (Vec<u64>, Vec<u64>) {
        let now = millis(now);
        let slots = self.slots.keys().copied().filter(|&slot| leaves(slot) + KEPT_ON <= now);
        // Yesterday stays: another function's clock may not have passed midnight.
        let days = self.days.keys().copied().filter(|&day| day + 1 < now / DAY);
        (slots.collect(), days.collect())
    }

    fn ceilings(&self, limits: Limits, now: u64) -> [u64; 2] {
        let minute = self.window(now).map(|(_, snapshot)| snapshot).min().unwrap_or(self.n);
        let day = self.days.get(&(now / DAY)).copied().unwrap_or(self.n);
        [minute + u64::from(limits.per_minute.get()), day + u64::from(limits.per_day.get())]
    }

    fn window(&self, now: u64) -> impl Iterator<Item = (u64, u64)> {
        self.slots.iter().map(|(&slot, &snapshot)| (slot, snapshot)).filter(move |&(slot, _)| leaves(slot) > now)
    }

    /// When enough snapshots have left the window for `n` to be below the ceiling.
    fn minute_opens(&self, limits: Limits, now: u64) -> u64 {
        let moments = self.window(now).map(|(slot, _)| leaves(slot));
        // With no snapshot left the ceiling is above `n`, so the last moment always fits.
        moments.filter(|&moment| self.n < self.ceilings(limits, moment)[0]).min().unwrap_or(now)
    }
}

/// The number of the slot that `now` falls into.
#[must_use]
pub fn slot(now: SystemTime) -> u64 {
    millis(now) / SLOT
}

/// The number of the UTC day that `now` falls into.
#[must_use]
pub fn day(now: SystemTime) -> u64 {
    millis(now) / DAY
}

/// How much of its slot has gone at `now`, and how much is left, in milliseconds.
pub(super) fn within_slot(now: SystemTime) -> (u64, u64) {
    let gone = millis(now) % SLOT;
    (gone, SLOT - gone)
}

/// When a slot begins.
pub(super) fn slot_begins(slot: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(slot * SLOT)
}

/// Whole seconds since 1970.
pub(super) fn seconds(time: SystemTime) -> u64 {
    millis(time) / 1_000
}

/// When a slot leaves the window.
const fn leaves(slot: u64) -> u64 {
    (slot + 1) * SLOT + LOOKBACK
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX / 4)
}
