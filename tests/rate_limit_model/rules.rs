//! The rules that the model can replace by wrong ones: those of the protocol, and those around it. The model must find
//! each wrong one.

use std::fmt::Debug;
use std::hash::Hash;
use std::time::{Duration, SystemTime};

use passloom::access::Limits;
use passloom::access::limiter::admitting::Rules;
use passloom::access::limiter::conditional_write::ConditionalWrite;
use passloom::access::limiter::window::{Counters, Decision, slot};

/// Rules of the protocol in a state of the model.
pub trait Tested: Rules + Copy + Debug + Hash + Eq + Send + Sync + 'static {}

impl<R: Rules + Copy + Debug + Hash + Eq + Send + Sync + 'static> Tested for R {}

/// The rules around the protocol.
#[derive(Clone, Copy, Debug)]
pub struct Surroundings {
    /// A repeated write raises the epoch.
    pub repetition_raises_epoch: bool,
    /// The clock is read immediately before each write, and not when the request arrives.
    pub clock_read_before_write: bool,
    /// A change of the limit removes the ceiling from the item.
    pub change_removes_ceiling: bool,
}

pub const RIGHT: Surroundings =
    Surroundings { repetition_raises_epoch: true, clock_read_before_write: true, change_removes_ceiling: true };

/// Defines wrong rules of the protocol.
macro_rules! wrong {
    ($($(#[$attribute:meta])* $Name:ident { $($rule:item)+ })+) => {
        $(
            $(#[$attribute])*
            #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
            pub struct $Name;

            impl Rules for $Name { $($rule)+ }
        )+
    };
}

wrong! {
    FixedWindow {
        fn decide(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
            let minute = slot(now) / 15;
            let in_minute = counters.slots.iter().filter(|(slot, _)| **slot / 15 >= minute);
            let floor = in_minute.map(|(_, snapshot)| *snapshot).min().unwrap_or(counters.n);
            let ceiling = floor + u64::from(limits.per_minute.get());
            if counters.n < ceiling { Decision::Admit { ceiling } } else { Decision::Refuse { until: now } }
        }
    }
    HalfWindow {
        fn decide(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
            counters.decide(limits, now + Duration::from_secs(30))
        }
    }
    /// A slot leaves the window after 61 seconds: enough for clock skew or for slow answers, but not for both.
    ShortWindow {
        fn decide(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
            counters.decide(limits, now + Duration::from_secs(1))
        }
    }
    CeilingTooHigh {
        fn decide(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
            match counters.decide(limits, now) {
                Decision::Admit { ceiling } => Decision::Admit { ceiling: ceiling + 1 },
                refuse @ Decision::Refuse { .. } => refuse,
            }
        }
    }
    /// Refuses the last request that the limit permits.
    CeilingTooLow {
        fn decide(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
            match counters.decide(limits, now) {
                Decision::Admit { ceiling } => Decision::Admit { ceiling: ceiling - 1 },
                refuse @ Decision::Refuse { .. } => refuse,
            }
        }
    }
    /// A repeated write has the precondition of the first.
    SamePrecondition {
        fn repeated(first: &ConditionalWrite, now: SystemTime) -> Option<ConditionalWrite> {
            first.repeated(now).map(|_| first.clone())
        }
    }
    BlindRepetition {
        fn repeated(first: &ConditionalWrite, now: SystemTime) -> Option<ConditionalWrite> {
            first.repeated(now).or_else(|| Some(first.clone()))
        }
    }
    LateIsAdmitted {
        fn is_late(_: Duration) -> bool {
            false
        }
    }
    OldRefusal {
        fn may_refuse(_: SystemTime, _: SystemTime) -> bool {
            true
        }
    }
}
