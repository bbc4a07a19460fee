//! The protocol of an admission, without I/O: it is told what the database answered, and says what to do next.
//!
//! A function remembers what the database last reported about each caller, and computes the ceiling of a write from it
//! ([`super::window`]). The condition of the write pins everything that a remembered state could be wrong about: `n` by the
//! ceiling, what administrators change by the version, the secret by its hash. When the condition fails, the database
//! returns the item, and with it the current state.
//!
//! A key that is not remembered is not read first, if the connection is alive: the first write is blind and uses the
//! ceiling that an earlier write left in the item. A write whose answer was lost is repeated once, in a way that cannot
//! count twice ([`super::conditional_write`]).

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::conditional_write::{ConditionalWrite, Outcome};
use super::window::{Counters, Decision, Limits, WriteToken};
use crate::access::caller::{Admission, Caller, CallerState, Refusal};

/// Longest wait for the first of two equal calls: a lost answer leaves time for a second call over a new connection.
const FIRST_TIMEOUT: Duration = Duration::from_millis(450);
/// Longest wait for a read that is repeated.
const SECOND_READ_TIMEOUT: Duration = Duration::from_secs(2);
/// How long after its clock reading a write may be answered: the part of the limit's tolerance that the function
/// enforces (`docs/rate-limiting.md`).
const WRITE_TOLERANCE: Duration = Duration::from_secs(1);
/// How long a refusal is repeated from what is remembered.
pub const REFUSAL_TTL: Duration = Duration::from_secs(10);
/// How often a request is tried with a newer state when the condition fails and the new state permits it.
const MAX_ATTEMPTS: usize = 3;

/// The time of day, and an instant of a clock that is never adjusted. The instant was read first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Reading {
    /// The time of day.
    pub now: SystemTime,
    /// The instant.
    pub instant: Instant,
}

/// What a function remembers about a caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Remembered {
    /// The caller's state.
    Known(Arc<CallerState>),
    /// The key does not exist, or has another secret.
    Unknown {
        /// When the database reported this.
        since: SystemTime,
    },
}

/// Whether a call may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Retry {
    /// Sending it again cannot help.
    Never,
    /// It can help, and a write has certainly not been applied.
    Safe,
    /// It can help, but a write may have been applied.
    OnlyIfUnapplied,
}

/// What to do next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read the item, consistently.
    Read {
        /// Longest wait for the answer.
        wait: Duration,
    },
    /// Send a write.
    Write {
        /// The write, and the clock reading that it is based on.
        write: TimedWrite,
        /// What the write pins; none if it is blind.
        pinned: Option<Arc<CallerState>>,
        /// Longest wait for the answer.
        wait: Duration,
    },
    /// The request is admitted, or refused.
    Done(Result<Admission, Refusal>),
}

/// A conditional write, and the clock reading that it is based on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TimedWrite {
    /// The write.
    pub write: ConditionalWrite,
    /// The clock reading.
    pub at: Reading,
}

/// What is under way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Pending {
    Nothing,
    Read { is_repeated: bool },
    Write(Box<Writes>),
}

/// A write, and the one that repeats it: why, and what went wrong with the first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Writes {
    first: TimedWrite,
    second: Option<(TimedWrite, Retry, String)>,
}

/// The rules of the protocol, each by itself, so that the model can replace one by a wrong one.
pub trait Rules {
    /// Decides about the next request.
    #[must_use]
    fn decide(counters: &Counters, limits: Limits, now: SystemTime) -> Decision {
        counters.decide(limits, now)
    }

    /// The write to send when the answer to the first one was lost, if there may be one.
    #[must_use]
    fn repeated(first: &ConditionalWrite, now: SystemTime) -> Option<ConditionalWrite> {
        first.repeated(now)
    }

    /// Whether an answer came too late for the limit to hold.
    #[must_use]
    fn is_late(waited: Duration) -> bool {
        waited > WRITE_TOLERANCE
    }

    /// Whether a request may be refused by what was read then.
    #[must_use]
    fn may_refuse(read_at: SystemTime, now: SystemTime) -> bool {
        now.duration_since(read_at).is_ok_and(|age| age < REFUSAL_TTL)
    }
}

/// The rules that hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Exact;

impl Rules for Exact {}

/// The admission of one request.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Admitting<R = Exact> {
    write_token: WriteToken,
    /// What is known about the caller.
    state: Option<Arc<CallerState>>,
    /// States that were tried.
    attempts: usize,
    pending: Pending,
    rules: PhantomData<R>,
}

/// What becomes of what the function remembers about the caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// It stays.
    Keep,
    /// It is replaced.
    Replace(Remembered),
    /// It is forgotten.
    Forget,
}

impl<R: Rules> Admitting<R> {
    /// Begins. `write_token` has never been used before. `is_connected` says whether the database answered a short time
    /// ago, so that a blind write is worth its risk.
    #[must_use]
    pub fn start(
        caller: &Caller,
        write_token: WriteToken,
        remembered: Option<Remembered>,
        is_connected: bool,
        at: Reading,
    ) -> (Self, Step) {
        let mut admitting =
            Self { write_token, state: None, attempts: 0, pending: Pending::Nothing, rules: PhantomData };
        let step = match remembered {
            Some(Remembered::Unknown { since }) if R::may_refuse(since, at.now) => Step::Done(Err(Refusal::UnknownKey)),
            Some(Remembered::Known(state)) => {
                admitting.state = Some(state);
                admitting.decide(caller, at)
            }
            None if is_connected && matches!(caller, Caller::Key(..)) => {
                admitting.write(ConditionalWrite::blind(at.now, write_token), at)
            }
            _ => admitting.read(),
        };
        (admitting, step)
    }

    /// The item was read. It may not exist.
    #[must_use]
    pub fn found(&mut self, caller: &Caller, state: Option<CallerState>, at: Reading) -> (Step, Memory) {
        self.pending = Pending::Nothing;
        self.refresh(caller, state, at)
    }

    /// The last write was applied, and left this state.
    #[must_use]
    pub fn written(&mut self, caller: &Caller, state: CallerState, at: Reading) -> (Step, Memory) {
        match std::mem::replace(&mut self.pending, Pending::Nothing) {
            Pending::Write(writes) => {
                let Writes { first, second } = *writes;
                self.conclude(caller, &second.map_or(first, |(sent, ..)| sent), state, at)
            }
            Pending::Nothing | Pending::Read { .. } => (mismatch(), Memory::Forget),
        }
    }

    /// The condition of the last write failed. This is the item, if there is one.
    #[must_use]
    pub fn rejected(&mut self, caller: &Caller, state: Option<CallerState>, at: Reading) -> (Step, Memory) {
        let pending = std::mem::replace(&mut self.pending, Pending::Nothing);
        if let (Pending::Write(writes), Some(state)) = (pending, &state)
            && let Writes { first, second: Some((_, Retry::OnlyIfUnapplied, cause)) } = *writes
        {
            match first.write.outcome(&state.counters) {
                Outcome::Applied => return self.conclude(caller, &first, state.clone(), at),
                Outcome::NotApplied => {}
                Outcome::Unknown => return (unavailable(format!("{cause}, then another write")), Memory::Keep),
            }
        }
        self.refresh(caller, state, at)
    }

    /// The last call gave no usable answer.
    #[must_use]
    pub fn failed(&mut self, retry: Retry, cause: String, at: Reading) -> Step {
        let repeated = |write: &ConditionalWrite| match retry {
            Retry::Never => None,
            Retry::Safe => Some(write.moved(at.now)),
            Retry::OnlyIfUnapplied => R::repeated(write, at.now),
        };
        match &mut self.pending {
            Pending::Read { is_repeated } if retry != Retry::Never && !*is_repeated => {
                *is_repeated = true;
                Step::Read { wait: SECOND_READ_TIMEOUT }
            }
            Pending::Write(writes) if writes.second.is_none() => match repeated(&writes.first.write) {
                Some(write) => {
                    let write = TimedWrite { write, at };
                    writes.second = Some((write.clone(), retry, cause));
                    Step::Write { write, pinned: self.state.clone(), wait: WRITE_TOLERANCE }
                }
                None => unavailable(cause),
            },
            _ => unavailable(cause),
        }
    }

    fn read(&mut self) -> Step {
        self.pending = Pending::Read { is_repeated: false };
        Step::Read { wait: FIRST_TIMEOUT }
    }

    fn write(&mut self, write: ConditionalWrite, at: Reading) -> Step {
        let write = TimedWrite { write, at };
        self.pending = Pending::Write(Box::new(Writes { first: write.clone(), second: None }));
        Step::Write { write, pinned: self.state.clone(), wait: FIRST_TIMEOUT }
    }

    /// Goes on with what the database reported.
    fn refresh(&mut self, caller: &Caller, state: Option<CallerState>, at: Reading) -> (Step, Memory) {
        let Some(state) = state.filter(|state| state.is_proven_by(caller, at.now)) else {
            let unknown = Remembered::Unknown { since: at.now };
            return (Step::Done(Err(Refusal::UnknownKey)), Memory::Replace(unknown));
        };
        let state = Arc::new(CallerState { read_at: at.now, ..state });
        self.state = Some(state.clone());
        (self.decide(caller, at), Memory::Replace(Remembered::Known(state)))
    }

    /// Decides by what is known. The clock was read for this decision, because the caller controls how much time passed.
    fn decide(&mut self, caller: &Caller, at: Reading) -> Step {
        let Some(state) = self.state.clone().filter(|state| state.is_proven_by(caller, at.now)) else {
            return self.read();
        };
        if self.attempts == MAX_ATTEMPTS {
            return unavailable("the item changed faster than it could be read".into());
        }
        self.attempts += 1;
        let may_refuse = R::may_refuse(state.read_at, at.now);
        let refusal = match state.denied(caller, at.now) {
            Some(refusal) => refusal,
            None => match R::decide(&state.counters, state.limits, at.now) {
                Decision::Admit { ceiling } => {
                    let write = ConditionalWrite::new(&state.counters, ceiling, at.now, self.write_token);
                    return self.write(if state.stored { write } else { write.creating() }, at);
                }
                Decision::Refuse { until } => state.rate_limited(until, at.now),
            },
        };
        // What is known still proves the refusal, but an administrator may have changed the key.
        if may_refuse { Step::Done(Err(refusal)) } else { self.read() }
    }

    /// The admission that an answer shows, if it is the answer that the write must have caused. Anything else is a
    /// failure, so that no password leaves without a count.
    fn conclude(&self, caller: &Caller, sent: &TimedWrite, after: CallerState, at: Reading) -> (Step, Memory) {
        let TimedWrite { write, at: sent_at } = sent;
        let after = CallerState { read_at: sent_at.now, ..after };
        let is_same = self.state.as_ref().is_none_or(|state| state.key == after.key);
        let is_permitted = after.is_proven_by(caller, sent_at.now) && after.denied(caller, sent_at.now).is_none();
        if !is_same || !is_permitted || !write.matches(&after.counters) {
            // An answer that is not trusted is not remembered either.
            return (mismatch(), Memory::Forget);
        }
        let admission = after.admission(sent_at.now);
        let result = if R::is_late(at.instant.saturating_duration_since(sent_at.instant)) {
            Err(Refusal::Late { sequence: admission.sequence, counted_at: sent_at.now })
        } else {
            Ok(admission)
        };
        (Step::Done(result), Memory::Replace(Remembered::Known(Arc::new(after))))
    }
}

fn unavailable(cause: String) -> Step {
    Step::Done(Err(Refusal::Unavailable { cause }))
}

fn mismatch() -> Step {
    unavailable("the answer does not match the write".into())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::UNIX_EPOCH;

    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::super::conditional_write::Precondition;
    use super::super::window::{day, slot};
    use super::*;
    use crate::access::{ApiKey, Denial, KeyRecord, SigningSecrets};
    use crate::clock::Clock;

    const TOKEN: WriteToken = [7; 16];
    const BEGIN: u64 = 1_000_000_000;

    /// A holder of a key, and what the table has about the key.
    struct Holder {
        caller: Caller,
        record: KeyRecord,
        origin: Instant,
    }

    impl Holder {
        fn new() -> Self {
            let secrets = SigningSecrets::parse(&"00".repeat(32)).unwrap();
            let (key, _) = ApiKey::generate(&mut StdRng::seed_from_u64(1), &secrets).unwrap();
            let limits = Limits { per_minute: 2.try_into().unwrap(), per_day: 100.try_into().unwrap() };
            let record = KeyRecord::new(&key, "test".into(), limits, String::new());
            Self { caller: Caller::Key(key, None), record, origin: Clock::system().instant() }
        }

        /// Milliseconds after the beginning.
        fn at(&self, millis: u64) -> Reading {
            let passed = Duration::from_millis(millis);
            Reading { now: UNIX_EPOCH + Duration::from_millis(BEGIN) + passed, instant: self.origin + passed }
        }

        /// What the database reports at the beginning, after so many admissions in this minute.
        fn state(&self, n: u64) -> CallerState {
            let at = self.at(0).now;
            let before = |number: u64| if n == 0 { BTreeMap::new() } else { BTreeMap::from([(number, 0)]) };
            let counters = Counters { n, slots: before(slot(at)), days: before(day(at)), ..Counters::default() };
            let key = Some(self.record.clone());
            CallerState { key, limits: self.record.limits, counters, stored: true, read_at: at }
        }

        /// The item after a write.
        fn after(&self, n: u64) -> CallerState {
            let mut state = self.state(n);
            (state.counters.last_write, state.counters.ceiling) = (TOKEN, Some(2));
            state
        }

        fn start(&self, remembered: Option<Remembered>, is_connected: bool, millis: u64) -> (Admitting, Step) {
            Admitting::start(&self.caller, TOKEN, remembered, is_connected, self.at(millis))
        }

        /// An admission whose first write is sent after so many admissions.
        fn writing(&self, n: u64) -> Admitting {
            let (admitting, step) = self.start(Some(Remembered::Known(Arc::new(self.state(n)))), true, 0);
            assert!(matches!(step, Step::Write { .. }), "{step:?}");
            admitting
        }
    }

    fn read(millis: u64) -> Step {
        Step::Read { wait: Duration::from_millis(millis) }
    }

    fn precondition(step: &Step) -> Option<(Precondition, u128)> {
        let Step::Write { write, wait, .. } = step else { return None };
        Some((write.write.precondition, wait.as_millis()))
    }

    fn cause(step: &Step) -> &str {
        let Step::Done(Err(Refusal::Unavailable { cause })) = step else { panic!("{step:?}") };
        cause
    }

    #[test]
    fn unknown_caller_is_read_unless_a_blind_write_is_worth_its_risk() {
        let holder = Holder::new();
        let (_, blind) = holder.start(None, true, 0);
        assert_eq!(precondition(&blind), Some((Precondition::BelowStored, 450)));
        assert_eq!(holder.start(None, false, 0).1, read(450));
        let address = Caller::Address(std::net::IpAddr::from([192, 0, 2, 1]).into(), holder.record.limits);
        assert_eq!(Admitting::<Exact>::start(&address, TOKEN, None, true, holder.at(0)).1, read(450));
    }

    #[test]
    fn refusal_is_repeated_for_ten_seconds() {
        let holder = Holder::new();
        let refused = |step: &Step| matches!(step, Step::Done(Err(_)));
        let expired = KeyRecord { expires_at: Some(BEGIN / 1_000), ..holder.record.clone() };
        for remembered in [
            Remembered::Unknown { since: holder.at(0).now },
            Remembered::Known(Arc::new(holder.state(2))),
            Remembered::Known(Arc::new(CallerState { key: Some(expired), ..holder.state(0) })),
        ] {
            assert!(refused(&holder.start(Some(remembered.clone()), true, 9_999).1), "{remembered:?}");
            assert_eq!(holder.start(Some(remembered), true, 10_000).1, read(450));
        }
        let (_, step) = holder.start(Some(Remembered::Known(Arc::new(holder.state(2)))), true, 0);
        assert!(matches!(step, Step::Done(Err(Refusal::RateLimited { .. }))), "{step:?}");
    }

    #[test]
    fn read_is_repeated_once() {
        let holder = Holder::new();
        let (mut admitting, _) = holder.start(None, false, 0);
        let mut never = admitting.clone();
        assert_eq!(cause(&never.failed(Retry::Never, "a".into(), holder.at(0))), "a");
        assert_eq!(admitting.failed(Retry::OnlyIfUnapplied, "a".into(), holder.at(0)), read(2_000));
        assert_eq!(cause(&admitting.failed(Retry::Safe, "b".into(), holder.at(0))), "b");
        let (step, memory) = admitting.found(&holder.caller, None, holder.at(5));
        assert_eq!(step, Step::Done(Err(Refusal::UnknownKey)));
        assert_eq!(memory, Memory::Replace(Remembered::Unknown { since: holder.at(5).now }));
    }

    #[test]
    fn item_that_was_read_is_remembered_and_written() {
        let holder = Holder::new();
        let (mut admitting, _) = holder.start(None, false, 0);
        let (step, memory) = admitting.found(&holder.caller, Some(holder.state(1)), holder.at(5));
        assert_eq!(precondition(&step), Some((Precondition::Below(2), 450)));
        let Memory::Replace(Remembered::Known(state)) = memory else { panic!("{memory:?}") };
        assert_eq!(state.read_at, holder.at(5).now);
        let other = KeyRecord { secret_hash: [0; 32], ..holder.record.clone() };
        let (mut admitting, _) = holder.start(None, false, 0);
        let unproven = CallerState { key: Some(other), ..holder.state(1) };
        let (step, memory) = admitting.found(&holder.caller, Some(unproven.clone()), holder.at(5));
        assert_eq!(step, Step::Done(Err(Refusal::UnknownKey)));
        assert!(matches!(memory, Memory::Replace(Remembered::Unknown { .. })), "{memory:?}");
        assert_eq!(holder.start(Some(Remembered::Known(Arc::new(unproven))), true, 0).1, read(450));
        let (mut admitting, _) = holder.start(None, false, 0);
        let absent = CallerState { stored: false, ..holder.state(0) };
        let (step, _) = admitting.found(&holder.caller, Some(absent), holder.at(5));
        assert_eq!(precondition(&step), Some((Precondition::Absent, 450)));
    }

    #[test]
    fn write_that_failed_is_sent_again_once_if_that_is_safe() {
        let holder = Holder::new();
        for (retry, expected) in [
            (Retry::Safe, Some((Precondition::Below(2), 1_000))),
            (Retry::OnlyIfUnapplied, Some((Precondition::Exactly(1), 1_000))),
            (Retry::Never, None),
        ] {
            let mut admitting = holder.writing(1);
            let step = admitting.failed(retry, "a".into(), holder.at(5));
            assert_eq!(precondition(&step), expected);
            if let Step::Write { write, .. } = step {
                assert_eq!(write.at, holder.at(5));
                assert_eq!(cause(&admitting.failed(retry, "b".into(), holder.at(6))), "b");
            }
        }
        for (retry, expected) in
            [(Retry::Safe, Some((Precondition::BelowStored, 1_000))), (Retry::OnlyIfUnapplied, None)]
        {
            let (mut blind, _) = holder.start(None, true, 0);
            assert_eq!(precondition(&blind.failed(retry, "a".into(), holder.at(5))), expected);
        }
    }

    #[test]
    fn answer_to_a_write_admits_only_if_it_is_in_time_and_matches() {
        let holder = Holder::new();
        for (millis, in_time) in [(1_000, true), (1_001, false)] {
            let (step, memory) = holder.writing(1).written(&holder.caller, holder.after(2), holder.at(millis));
            match step {
                Step::Done(Ok(admission)) => assert!(in_time && admission.sequence == 2),
                Step::Done(Err(Refusal::Late { sequence, .. })) => assert!(!in_time && sequence == 2),
                other => panic!("{other:?}"),
            }
            let Memory::Replace(Remembered::Known(state)) = memory else { panic!("{memory:?}") };
            assert_eq!((state.counters.n, state.read_at), (2, holder.at(0).now));
        }
        let record = |change: fn(&mut KeyRecord)| {
            let mut record = holder.record.clone();
            change(&mut record);
            CallerState { key: Some(record), ..holder.after(2) }
        };
        let mut other_token = holder.after(2);
        other_token.counters.last_write = [0; 16];
        for after in [
            other_token,
            holder.after(3),
            record(|record| record.version = 2),
            record(|record| record.secret_hash = [0; 32]),
        ] {
            let (step, memory) = holder.writing(1).written(&holder.caller, after, holder.at(1));
            assert_eq!((cause(&step), memory), ("the answer does not match the write", Memory::Forget));
        }
        // A blind write pins nothing, so what it finds may deny the request or be somebody else's.
        for (after, admitted) in [
            (holder.after(2), true),
            (record(|record| record.version = 2), true),
            (record(|record| record.expires_at = Some(1)), false),
            (record(|record| record.secret_hash = [0; 32]), false),
        ] {
            let (mut blind, _) = holder.start(None, true, 0);
            let (step, _) = blind.written(&holder.caller, after, holder.at(1));
            assert_eq!(matches!(step, Step::Done(Ok(_))), admitted, "{step:?}");
        }
    }

    #[test]
    fn rejected_write_is_tried_with_the_item_of_the_answer() {
        let holder = Holder::new();
        let mut admitting = holder.writing(0);
        for _ in 0..2 {
            let (step, _) = admitting.rejected(&holder.caller, Some(holder.state(1)), holder.at(1));
            assert_eq!(precondition(&step), Some((Precondition::Below(2), 450)));
        }
        let (step, _) = admitting.rejected(&holder.caller, Some(holder.state(1)), holder.at(1));
        assert_eq!(cause(&step), "the item changed faster than it could be read");
        let (step, _) = holder.writing(1).rejected(&holder.caller, Some(holder.state(2)), holder.at(1));
        assert!(matches!(step, Step::Done(Err(Refusal::RateLimited { .. }))), "{step:?}");
        let (step, _) = holder.writing(1).rejected(&holder.caller, None, holder.at(1));
        assert_eq!(step, Step::Done(Err(Refusal::UnknownKey)));
        let expired = KeyRecord { expires_at: Some(1), ..holder.record.clone() };
        let expired = CallerState { key: Some(expired), ..holder.state(1) };
        let (step, _) = holder.writing(1).rejected(&holder.caller, Some(expired), holder.at(1));
        let denied = |refusal: &Refusal| matches!(refusal, Refusal::Denied { denial: Denial::Expired, .. });
        assert!(matches!(&step, Step::Done(Err(refusal)) if denied(refusal)), "{step:?}");
    }

    #[test]
    fn rejected_repetition_tells_what_became_of_the_first_write() {
        let holder = Holder::new();
        let repeated = || {
            let mut admitting = holder.writing(1);
            let _ = admitting.failed(Retry::OnlyIfUnapplied, "lost".into(), holder.at(5));
            admitting
        };
        let (step, _) = repeated().rejected(&holder.caller, Some(holder.after(2)), holder.at(6));
        assert!(matches!(step, Step::Done(Ok(_))), "applied: {step:?}");
        let (step, _) = repeated().rejected(&holder.caller, Some(holder.state(1)), holder.at(6));
        assert_eq!(precondition(&step), Some((Precondition::Below(2), 450)), "not applied");
        let (step, memory) = repeated().rejected(&holder.caller, Some(holder.state(2)), holder.at(6));
        assert_eq!((cause(&step), memory), ("lost, then another write", Memory::Keep));
        // The late check counts from the write that was applied.
        let (step, _) = repeated().rejected(&holder.caller, Some(holder.after(2)), holder.at(1_001));
        assert!(matches!(step, Step::Done(Err(Refusal::Late { .. }))), "{step:?}");
        let mut admitting = repeated();
        let after = CallerState { counters: Counters { epoch: 1, ..holder.after(2).counters }, ..holder.after(2) };
        let (step, _) = admitting.written(&holder.caller, after, holder.at(1_005));
        assert!(matches!(step, Step::Done(Ok(_))), "the repetition is in time: {step:?}");
        // A write that was certainly not applied leaves no doubt.
        let mut admitting = holder.writing(1);
        let _ = admitting.failed(Retry::Safe, "throttled".into(), holder.at(5));
        let (step, _) = admitting.rejected(&holder.caller, Some(holder.state(2)), holder.at(6));
        assert!(matches!(step, Step::Done(Err(Refusal::RateLimited { .. }))), "{step:?}");
    }
}
