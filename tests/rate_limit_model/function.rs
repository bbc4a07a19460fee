//! What a function does with one request, as `Store` does it. Both models run it.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use passloom::access::limiter::conditional_write::{ConditionalWrite, Outcome};
use passloom::access::limiter::window::Decision;

use crate::database::Item;
use crate::rules::Rules;

/// Milliseconds; a time is counted from 1970.
pub type Millis = u64;

/// The most by which the clocks of two functions differ.
pub const MAX_CLOCK_SKEW: Millis = 1_000;
/// How long after its clock reading a write may be answered.
pub const WRITE_TOLERANCE: Millis = 1_000;
/// How long a refusal is repeated from the cached state.
pub const REFUSAL_TTL: Millis = 10_000;
/// States that a function tries per request.
pub const MAX_ATTEMPTS: u32 = 3;

/// A write and when it was sent. The function measures the time since then with a clock that is never adjusted, so
/// this is the real time.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimedWrite {
    pub write: ConditionalWrite,
    pub sent_at: Millis,
}

/// Why a second write is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// The first write was certainly not applied.
    Safe,
    /// The first write may have been applied.
    OnlyIfUnapplied,
}

/// The writes that a request sends because of one state of the item.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// The version of the key that the writes pin; none if the function has not read the item.
    pub version: Option<u64>,
    pub first: TimedWrite,
    pub second: Option<(Retry, TimedWrite)>,
}

/// The answer to a write: the item after it, or the item that rejected it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Answer {
    pub applied: bool,
    pub item: Arc<Item>,
}

/// What follows from an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Conclusion {
    /// The request is admitted.
    Admitted,
    /// The request is counted, but its answer is late.
    Late,
    /// The request is tried again with the item of the answer.
    Rejected,
    /// It cannot be told whether the request is counted.
    Unknown,
    /// The record of the key is not the one that the write pinned.
    OtherVersion,
    /// The item is not what the write must have left. This never happens if the rules are right.
    Mismatch,
}

pub fn time(millis: Millis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

/// The write token of a request.
pub fn write_token(request: usize) -> [u8; 16] {
    let mut token = [0; 16];
    token[..8].copy_from_slice(&u64::try_from(request + 1).unwrap().to_be_bytes());
    token
}

impl Attempt {
    /// The first write, for the function's clock reading `reading`. `None` if the item shows that the limit is used.
    pub fn new(rules: &Rules, item: &Item, reading: Millis, sent_at: Millis, token: [u8; 16]) -> Option<Self> {
        let Decision::Admit { ceiling } = (rules.decide)(&item.counters, item.limits(), time(reading)) else {
            return None;
        };
        let write = ConditionalWrite::new(&item.counters, ceiling, time(reading), token);
        let write = if item.stored { write } else { write.creating() };
        Some(Self { version: Some(item.version), first: TimedWrite { write, sent_at }, second: None })
    }

    /// The first write of a function that has not read the item.
    pub fn blind(reading: Millis, sent_at: Millis, token: [u8; 16]) -> Self {
        let write = ConditionalWrite::blind(time(reading), token);
        Self { version: None, first: TimedWrite { write, sent_at }, second: None }
    }

    /// The second write, if the first may be sent again, and was not.
    pub fn retry(&self, rules: &Rules, retry: Retry, reading: Millis, sent_at: Millis) -> Option<Self> {
        let first = &self.first.write;
        let write = match retry {
            _ if self.second.is_some() => return None,
            Retry::Safe => first.moved(time(reading)),
            Retry::OnlyIfUnapplied => match first.repeated(time(reading)) {
                Some(_) if !rules.repetition_requires_unchanged_n => first.clone(),
                None if rules.blind_write_repeated => first.clone(),
                repeated => repeated?,
            },
        };
        Some(Self { second: Some((retry, TimedWrite { write, sent_at })), ..self.clone() })
    }

    /// The write whose answer the function waits for.
    pub fn last(&self) -> &TimedWrite {
        self.second.as_ref().map_or(&self.first, |(_, write)| write)
    }

    /// What follows from the answer to the last write, received at `now`.
    pub fn conclude(&self, rules: &Rules, answer: &Answer, now: Millis) -> Conclusion {
        let item = &answer.item;
        let counted_by = match &self.second {
            _ if answer.applied => self.last(),
            Some((Retry::OnlyIfUnapplied, _)) => match self.first.write.outcome(&item.counters) {
                Outcome::Applied => &self.first,
                Outcome::NotApplied => return Conclusion::Rejected,
                Outcome::Unknown => return Conclusion::Unknown,
            },
            _ => return Conclusion::Rejected,
        };
        if self.version.is_some_and(|version| item.version != version) {
            Conclusion::OtherVersion
        } else if !counted_by.write.matches(&item.counters) {
            Conclusion::Mismatch
        } else if rules.late_answer_rejected && now - counted_by.sent_at > WRITE_TOLERANCE {
            Conclusion::Late
        } else {
            Conclusion::Admitted
        }
    }
}
