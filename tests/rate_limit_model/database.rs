//! The item of a caller. It is linearizable, as in DynamoDB: writes are applied one after another, each under its
//! condition.

use std::num::NonZeroU32;

use passloom::access::Limits;
use passloom::access::limiter::conditional_write::{ConditionalWrite, Precondition};
use passloom::access::limiter::window::Counters;

use crate::rules::Surroundings;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Item {
    /// Whether the item exists.
    pub stored: bool,
    /// The version of the key, which each change of an administrator raises.
    pub version: u64,
    pub per_minute: u32,
    pub counters: Counters,
}

impl Item {
    pub fn new(stored: bool, per_minute: u32) -> Self {
        let counters = Counters { ceiling: stored.then_some(per_minute.into()), ..Counters::default() };
        Self { stored, version: 1, per_minute, counters }
    }

    /// The limit per minute is the only one that the models test.
    pub fn limits(&self) -> Limits {
        Limits { per_minute: NonZeroU32::new(self.per_minute).unwrap(), per_day: NonZeroU32::new(100_000_000).unwrap() }
    }

    /// Changes the limit, as an administrator does.
    pub fn set_limit(&mut self, per_minute: u32, surroundings: Surroundings) {
        self.per_minute = per_minute;
        self.version += 1;
        if surroundings.change_removes_ceiling {
            self.counters.ceiling = None;
        }
    }

    /// Whether the condition of a write holds that pins this version of the key, or none.
    fn permits(&self, write: &ConditionalWrite, version: Option<u64>) -> bool {
        let Counters { n, epoch, ceiling, .. } = self.counters;
        let precondition_holds = match write.precondition {
            Precondition::Absent => !self.stored,
            Precondition::BelowStored => ceiling.is_some_and(|ceiling| n < ceiling),
            Precondition::Below(bound) => self.stored && n < bound && epoch == write.epoch,
            Precondition::Exactly(bound) => self.stored && n == bound && epoch == write.epoch,
        };
        precondition_holds && version.is_none_or(|version| self.version == version)
    }

    /// Whether a write can be applied, now or later: `n`, the epoch and the version only grow, and the ceiling changes.
    pub fn may_permit(&self, write: &ConditionalWrite, version: Option<u64>) -> bool {
        let Counters { n, epoch, .. } = self.counters;
        let precondition_may_hold = match write.precondition {
            Precondition::Absent => !self.stored,
            Precondition::BelowStored => true,
            Precondition::Below(bound) => n < bound && epoch <= write.epoch,
            Precondition::Exactly(bound) => n <= bound && epoch <= write.epoch,
        };
        precondition_may_hold && version.is_none_or(|version| self.version <= version)
    }

    /// Applies a write if its condition holds.
    pub fn apply(&mut self, write: &ConditionalWrite, version: Option<u64>, surroundings: Surroundings) -> bool {
        if !self.permits(write, version) {
            return false;
        }
        let Counters { n, slots, days, epoch, last_write, ceiling } = &mut self.counters;
        slots.entry(write.slot).or_insert(*n);
        days.entry(write.day).or_insert(*n);
        slots.retain(|slot, _| !write.stale.0.contains(slot));
        days.retain(|day, _| !write.stale.1.contains(day));
        *n += 1;
        *last_write = write.write_token;
        if let Precondition::Below(bound) = write.precondition {
            *ceiling = Some(bound);
        }
        let repeated = matches!(write.precondition, Precondition::Exactly(_));
        *epoch += u64::from(repeated && surroundings.repetition_raises_epoch);
        self.stored = true;
        true
    }
}
