//! The sliding window: a pure function of a caller's counters, its limits and the time.
//!
//! Fixed windows, the sliding-window counter and GCRA with a burst of L all admit close to 2 L across a boundary.
//! This window does not.
//!
//! The counters of a caller are `n`, its admissions so far, which only grows, and snapshots: the value that `n` had
//! when a slot of four seconds admitted its first request. A snapshot is written once. The admissions of the last
//! minute are `n` minus the smallest snapshot of the last minute, so the next request may be admitted while
//!
//! ```text
//! n < per_minute + smallest snapshot in the window      (n itself, if there is none)
//! ```
//!
//! The right-hand side is the *ceiling* that the conditional write carries. Computed from old counters it can only be
//! too low: a snapshot that they lack was taken later than `n` was read, and is no smaller than that `n`. The database
//! reads `n` on the left-hand side at the time of the write. For the same reason a ceiling stays valid, so each write
//! leaves its own in the item, for a function that has not read the counters.
//!
//! A worked example, L = 3: admissions at 0.5 s, 1 s and 61 s leave n = 3 and the snapshots 0 (slot 0) and 2 (slot
//! 15). At 61.5 s the window still holds slot 0: 3 < 3 + 0 is false, so the request is refused. At 66 s slot 0 has
//! left the window: 3 < 3 + 2, so it is admitted.
//!
//! A slot stays in the window until the whole of it is 62 seconds ago: 60 seconds, plus two for clocks that disagree
//! and for the time that a write takes. So a snapshot counts for 62 to 66 seconds, and a caller that uses its whole
//! limit at once regains it after that time.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The length of a slot, in milliseconds. Shorter slots would make the item larger, which comes with every answer.
const SLOT: u64 = 4_000;
/// How long ago a slot must have ended to leave the window, in milliseconds: one minute, one second by which the clocks
/// of two functions may differ, and one second between the reading of the clock and the answer of the database.
const LOOKBACK: u64 = 62_000;
/// How long a snapshot that has left the window stays in the item, in milliseconds, so that a function whose clock is
/// ahead does not remove a snapshot that another function still needs. Two seconds are enough: the clocks differ by one,
/// and another second can pass until the write of the other function.
const REMOVAL_DELAY: u64 = 4_000;
/// The length of a UTC day, in milliseconds.
const DAY: u64 = 86_400_000;

/// How often a caller may be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Limits {
    /// In any 60 seconds.
    pub per_minute: NonZeroU32,
    /// In one UTC day.
    pub per_day: NonZeroU32,
}

/// The counters of a caller, as the database last reported them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Counters {
    /// Admissions so far.
    pub n: u64,
    /// `n` before the first admission of a slot, by the slot's number since 1970.
    pub slots: BTreeMap<u64, u64>,
    /// `n` before the first admission of a UTC day, by the day's number since 1970.
    pub days: BTreeMap<u64, u64>,
    /// Repeated writes so far, see [`super::conditional_write`].
    pub epoch: u64,
    /// The token of the last write.
    pub last_write: WriteToken,
    /// The ceiling of the last write that was based on counters. An administrator's change removes it.
    pub ceiling: Option<u64>,
}

/// Identifies one request's writes: 16 random bytes, so that a lost answer can be told from a lost write.
pub type WriteToken = [u8; 16];

/// Whether one more request may be admitted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// It may, while `n` is below the ceiling.
    Admit {
        /// The upper bound that the conditional write carries.
        ceiling: u64,
    },
    /// It may not, before this time.
    Refuse {
        /// When the counters, if they do not grow, admit another request.
        until: SystemTime,
    },
}

/// What remains of a caller's limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// The limits.
    pub limits: Limits,
    /// Admissions left in this minute.
    pub minute: u64,
    /// Until part of the minute's quota returns.
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

    /// What remains of the limits.
    #[must_use]
    pub fn quota(&self, limits: Limits, now: SystemTime) -> Quota {
        let now = millis(now);
        let [minute, day] = self.ceilings(limits, now);
        let oldest = self.window(now).map(|(slot, _)| leaves_window_at(slot)).min().unwrap_or(now);
        Quota {
            limits,
            minute: minute.saturating_sub(self.n),
            minute_reset: Duration::from_millis(oldest - now),
            day: day.saturating_sub(self.n),
            day_reset: Duration::from_millis(DAY - now % DAY),
        }
    }

    /// Snapshots that no function needs any more: slots, then days.
    #[must_use]
    pub fn stale(&self, now: SystemTime) -> (Vec<u64>, Vec<u64>) {
        let now = millis(now);
        let slots = self.slots.keys().copied().filter(|&slot| leaves_window_at(slot) + REMOVAL_DELAY <= now);
        // Yesterday stays: another function's clock may not have passed midnight.
        let days = self.days.keys().copied().filter(|&day| day + 1 < now / DAY);
        (slots.collect(), days.collect())
    }

    fn ceilings(&self, limits: Limits, now: u64) -> [u64; 2] {
        let minute = self.window(now).map(|(_, snapshot)| snapshot).min().unwrap_or(self.n);
        let day = self.days.get(&(now / DAY)).copied().unwrap_or(self.n);
        [minute + u64::from(limits.per_minute.get()), day + u64::from(limits.per_day.get())]
    }

    /// The slots that still count, each with its snapshot.
    fn window(&self, now: u64) -> impl Iterator<Item = (u64, u64)> {
        self.slots
            .iter()
            .map(|(&slot, &snapshot)| (slot, snapshot))
            .filter(move |&(slot, _)| leaves_window_at(slot) > now)
    }

    /// When enough snapshots have left the window for `n` to be below the ceiling.
    fn minute_opens(&self, limits: Limits, now: u64) -> u64 {
        let moments = self.window(now).map(|(slot, _)| leaves_window_at(slot));
        // With no snapshot left the ceiling is above `n`, so the last moment always qualifies.
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

/// When a slot begins.
pub(crate) fn slot_begins(slot: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(slot * SLOT)
}

/// Whole seconds since 1970.
pub(crate) fn seconds(time: SystemTime) -> u64 {
    millis(time) / 1_000
}

/// When a slot leaves the window, in milliseconds since 1970.
const fn leaves_window_at(slot: u64) -> u64 {
    (slot + 1) * SLOT + LOOKBACK
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX / 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(millis)
    }

    fn limits(per_minute: u32, per_day: u32) -> Limits {
        Limits { per_minute: NonZeroU32::new(per_minute).unwrap(), per_day: NonZeroU32::new(per_day).unwrap() }
    }

    fn counters(n: u64, slots: &[(u64, u64)], days: &[(u64, u64)]) -> Counters {
        Counters {
            n,
            slots: slots.iter().copied().collect(),
            days: days.iter().copied().collect(),
            ..Counters::default()
        }
    }

    const fn admit(ceiling: u64) -> Decision {
        Decision::Admit { ceiling }
    }

    fn refuse(until: u64) -> Decision {
        Decision::Refuse { until: at(until) }
    }

    /// Slot 0 ends at 4 s and leaves the window at 66 s; slot 15 ends at 64 s and leaves it at 126 s.
    #[test]
    fn decide_by_window_gives_ceiling_or_first_opening() {
        let worked = counters(3, &[(0, 0), (15, 2)], &[(0, 0)]);
        let cases: [(&str, Counters, Limits, u64, Decision); 12] = [
            ("no admission yet", counters(0, &[], &[]), limits(3, 9), 0, admit(3)),
            ("one place left", counters(2, &[(0, 0)], &[(0, 0)]), limits(3, 9), 1_000, admit(3)),
            ("limit used", counters(3, &[(0, 0)], &[(0, 0)]), limits(3, 9), 1_000, refuse(66_000)),
            ("worked example, slot 0 counts", worked.clone(), limits(3, 9), 61_500, refuse(66_000)),
            ("a millisecond before slot 0 leaves", worked.clone(), limits(3, 9), 65_999, refuse(66_000)),
            ("worked example, slot 0 has left", worked.clone(), limits(3, 9), 66_000, admit(5)),
            ("only the last snapshot opens a lowered limit", worked, limits(1, 9), 61_500, refuse(126_000)),
            ("day ceiling is lower", counters(3, &[(0, 3)], &[(0, 0)]), limits(9, 5), 1_000, admit(5)),
            ("day used", counters(5, &[(0, 5)], &[(0, 0)]), limits(9, 5), 1_000, refuse(DAY)),
            (
                "day used, a millisecond before midnight",
                counters(5, &[], &[(0, 0)]),
                limits(9, 5),
                DAY - 1,
                refuse(DAY),
            ),
            ("day used, midnight", counters(5, &[], &[(0, 0)]), limits(9, 5), DAY, admit(10)),
            ("both used, the later opening", counters(5, &[(0, 0)], &[(0, 0)]), limits(5, 5), 1_000, refuse(DAY)),
        ];
        for (name, counters, limits, now, decision) in cases {
            assert_eq!(counters.decide(limits, at(now)), decision, "{name}");
        }
    }

    /// A snapshot of the last slots of a day is still in the window after midnight.
    #[test]
    fn decide_after_midnight_with_used_minute_waits_for_the_minute() {
        let last_slot = slot(at(DAY - 1));
        let used = counters(5, &[(last_slot, 0)], &[(0, 0)]);
        assert_eq!(used.decide(limits(5, 9), at(DAY + 1_000)), refuse(DAY + LOOKBACK));
    }

    #[test]
    fn quota_reports_what_is_left_and_when_it_returns() {
        let seconds = Duration::from_secs;
        let cases = [
            ("unused", counters(0, &[], &[]), 0, (3, seconds(0), 9, seconds(86_400))),
            ("one of three", counters(1, &[(0, 0)], &[(0, 0)]), 4_000, (2, seconds(62), 8, seconds(86_396))),
            ("used", counters(3, &[(0, 0), (1, 1)], &[(0, 0)]), 60_000, (0, seconds(6), 6, seconds(86_340))),
            (
                "limit lowered below its use",
                counters(30, &[(0, 0)], &[(0, 0)]),
                0,
                (0, seconds(66), 0, seconds(86_400)),
            ),
        ];
        for (name, counters, now, (minute, minute_reset, day, day_reset)) in cases {
            let limits = limits(3, 9);
            let expected = Quota { limits, minute, minute_reset, day, day_reset };
            assert_eq!(counters.quota(limits, at(now)), expected, "{name}");
        }
    }

    #[test]
    fn stale_names_snapshots_four_seconds_after_they_leave_the_window() {
        let today = 2;
        let counters = counters(9, &[(0, 0), (1, 1)], &[(0, 0), (1, 3), (today, 5)]);
        let leaves = leaves_window_at(0);
        for (now, slots) in
            [(leaves, vec![]), (leaves + 3_999, vec![]), (leaves + 4_000, vec![0]), (leaves + 8_000, vec![0, 1])]
        {
            assert_eq!(counters.stale(at(now)), (slots, vec![]), "at {now} ms");
        }
        let (_, days) = counters.stale(at(today * DAY));
        assert_eq!(days, [0], "yesterday and today stay");
    }

    #[test]
    fn slot_and_day_of_time_are_whole_numbers_since_1970() {
        for (now, expected_slot, expected_day) in
            [(0, 0, 0), (3_999, 0, 0), (4_000, 1, 0), (DAY - 1, 21_599, 0), (DAY, 21_600, 1)]
        {
            assert_eq!((slot(at(now)), day(at(now))), (expected_slot, expected_day), "at {now} ms");
        }
        assert_eq!((slot_begins(21_599), seconds(at(2_999))), (at(DAY - 4_000), 2));
        assert_eq!(slot(UNIX_EPOCH - Duration::from_secs(1)), 0, "before 1970");
        let last = UNIX_EPOCH + Duration::from_secs(i64::MAX.unsigned_abs());
        assert!(slot(last) > slot(at(1_000 * DAY)), "beyond 64 bits of milliseconds");
    }
}
