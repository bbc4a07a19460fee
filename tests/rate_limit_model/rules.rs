//! The rules of the limiter that the models can replace by wrong ones. Every model must find each wrong rule.

use std::time::{Duration, SystemTime};

use passloom::access::Limits;
use passloom::access::limiter::window::{Counters, Decision, slot};

/// Decides about the next request: the product's rule, or a wrong one.
pub type Decide = fn(&Counters, Limits, SystemTime) -> Decision;

#[derive(Clone, Copy)]
#[expect(clippy::struct_excessive_bools, reason = "each is one rule")]
pub struct Rules {
    pub decide: Decide,
    /// A repeated write is applied only if `n` is unchanged.
    pub repetition_requires_unchanged_n: bool,
    /// A repeated write raises the epoch.
    pub repetition_raises_epoch: bool,
    /// The clock is read immediately before each write, and not when the request arrives.
    pub clock_read_before_write: bool,
    /// A request is not admitted if the answer is late.
    pub late_answer_rejected: bool,
    /// A blind write is sent again if its answer is lost.
    pub blind_write_repeated: bool,
    /// A change of the limit removes the ceiling from the item.
    pub change_removes_ceiling: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            decide: Counters::decide,
            repetition_requires_unchanged_n: true,
            repetition_raises_epoch: true,
            clock_read_before_write: true,
            late_answer_rejected: true,
            blind_write_repeated: false,
            change_removes_ceiling: true,
        }
    }
}

/// Wrong rules, by name.
pub fn wrong_rules() -> [(&'static str, Rules); 9] {
    let right = Rules::default();
    [
        ("a fixed window", Rules { decide: fixed_window, ..right }),
        ("a window of half a minute", Rules { decide: half_window, ..right }),
        ("a ceiling that is too high by one", Rules { decide: ceiling_too_high, ..right }),
        (
            "a repeated write with the precondition of the first",
            Rules { repetition_requires_unchanged_n: false, ..right },
        ),
        ("a repeated write that does not raise the epoch", Rules { repetition_raises_epoch: false, ..right }),
        ("a clock that is read on arrival", Rules { clock_read_before_write: false, ..right }),
        ("late answers that are admitted", Rules { late_answer_rejected: false, ..right }),
        ("a blind write that is repeated", Rules { blind_write_repeated: true, ..right }),
        ("a ceiling that survives a change of the limit", Rules { change_removes_ceiling: false, ..right }),
    ]
}

fn fixed_window(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
    let minute = slot(now) / 15;
    let in_minute = counters.slots.iter().filter(|(slot, _)| **slot / 15 >= minute);
    let floor = in_minute.map(|(_, snapshot)| *snapshot).min().unwrap_or(counters.n);
    let ceiling = floor + u64::from(limits.per_minute.get());
    if counters.n < ceiling { Decision::Admit { ceiling } } else { Decision::Refuse { until: now } }
}

fn half_window(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
    counters.decide(limits, now + Duration::from_secs(30))
}

/// A slot leaves the window after 61 seconds: enough for clock skew or for slow answers, but not for both.
pub fn short_window(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
    counters.decide(limits, now + Duration::from_secs(1))
}

fn ceiling_too_high(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
    match counters.decide(limits, now) {
        Decision::Admit { ceiling } => Decision::Admit { ceiling: ceiling + 1 },
        refuse @ Decision::Refuse { .. } => refuse,
    }
}

/// Refuses the last request that the limit permits.
pub fn ceiling_too_low(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
    match counters.decide(limits, now) {
        Decision::Admit { ceiling } => Decision::Admit { ceiling: ceiling - 1 },
        refuse @ Decision::Refuse { .. } => refuse,
    }
}
