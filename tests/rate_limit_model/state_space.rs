//! The states that a few requests on two functions can reach, for the model checker `stateright`.
//!
//! A state is the item, what both functions remember, and every call and answer under way. Each action is one event:
//! time passes, a request arrives, the database answers a read or applies a write, an answer arrives, a function stops
//! waiting. The actions of a state can happen in any order, so a write or an answer can take any time or, if its action
//! never happens, be lost. What a function does after each event is decided by the product's [`Admitting`].

use std::marker::PhantomData;
use std::net::IpAddr;
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use passloom::access::limiter::admitting::{
    Admitting, Memory, REFUSAL_TTL, Reading, Remembered, Retry, Step, TimedWrite,
};
use passloom::access::{ApiKey, Caller, CallerState, KeyRecord, Refusal, SigningSecrets};
use passloom::clock::Clock;
use rand::SeedableRng;
use rand::rngs::StdRng;
use stateright::{Model, Property};

use crate::database::Item;
use crate::rules::{Surroundings, Tested};

/// Milliseconds; a time is counted from 1970.
pub type Millis = u64;

/// The most by which the clocks of two functions differ.
pub const MAX_CLOCK_SKEW: Millis = 1_000;
/// How long after its clock reading a write may be answered.
const WRITE_TOLERANCE: Millis = 1_000;

/// 2026-01-01T23:58:58.999Z: the last millisecond of a second, one second before a slot and a minute end, and a minute
/// before the day ends.
const START: Millis = 1_767_311_938_999;
const MINUTE: Millis = 60_000;
/// Steps by which time passes. Some lead from the last slot of a minute to the first of the next.
const SHORT_STEPS: [Millis; 2] = [1_000, 4_000];
/// About the length of the window. The millisecond leads from the last one of a second to the first of the next.
const LONG_STEPS: [Millis; 10] = [58_001, 59_001, 60_001, 61_001, 62_001, 63_001, 65_001, 66_001, 68_001, 71_001];
/// For how long a counted request can matter: 62 seconds, the length of a slot, and the differences of the clocks.
const MEMORY: Millis = 68_001;

/// A small configuration: the bounds keep the number of states finite.
#[derive(Clone, Copy, Debug)]
pub struct Configuration {
    pub requests: usize,
    /// How many of them may be in progress at a time.
    pub concurrent: usize,
    pub per_minute: u32,
    /// Whether the item exists at the beginning.
    pub stored: bool,
    /// Whether a function that has not read the item writes without reading it.
    pub connected: bool,
    /// The limit to which an administrator may change it, at any time.
    pub new_limit: Option<u32>,
    /// How far the clock of the second function is ahead.
    pub clock_lead: Millis,
    pub short_steps: u8,
    pub long_steps: u8,
    /// Calls that fail: throttled ones, and those whose answer the function does not wait for.
    pub failures: u8,
}

#[derive(Clone, Copy)]
pub struct LimitModel<R> {
    surroundings: Surroundings,
    configuration: Configuration,
    rules: PhantomData<R>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State<R> {
    now: Millis,
    item: Arc<Item>,
    /// Whether an administrator has changed the limit.
    changed: bool,
    /// What each function remembers.
    memories: [Option<Remembered>; 2],
    /// They arrive in this order.
    requests: Vec<Request<R>>,
    short_steps_left: u8,
    long_steps_left: u8,
    failures_left: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Request<R> {
    function: usize,
    phase: Phase<R>,
    /// When it arrived, if the clock is read then.
    arrived: Millis,
    /// Its writes that the database has not received.
    writes: Vec<Sent>,
    /// The times at which the database counted it: one at most, if the rules are right.
    counted: Vec<Count>,
    /// Whether nothing justifies a refusal so far: the limit was not used when it arrived, and since then no other
    /// request has been counted, no answer has been lost or late, and no administrator has changed the limit.
    must_be_admitted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Count {
    /// Zero if it is too long ago to matter.
    time: Millis,
    sequence: u64,
    /// Whether it was counted after the change of the limit.
    after_change: bool,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Phase<R> {
    NotArrived,
    /// Its function waits for the answer to a read.
    Reading(Admitting<R>),
    /// Its function waits for the answer to its last write, which may be under way.
    Writing {
        admitting: Admitting<R>,
        last: Sent,
        first_sent_at: Millis,
        answer: Option<Answer>,
    },
    Admitted {
        sequence: u64,
    },
    /// Answered with 429.
    Refused,
    /// Answered with 503.
    Failed(Failure),
    /// Refused or failed before the last action.
    Ended,
}

/// The answer to a write: the item after it, or the item that rejected it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Answer {
    applied: bool,
    item: Arc<Item>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Failure {
    /// The calls failed.
    Call,
    TooManyAttempts,
    Late,
    /// It cannot be told whether the request is counted.
    Unknown,
    /// The record of the key is not the one that the write pinned.
    OtherVersion,
    /// The item is not what the write must have left. This never happens if the rules are right.
    Mismatch,
}

/// A write on its way to the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sent {
    write: TimedWrite,
    /// Whether it repeats another write. Both can be equal.
    second: bool,
    /// The version of the key that it pins; none if the function has not read the item.
    version: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Wait(Millis),
    ChangeLimit,
    Arrive {
        function: usize,
    },
    AnswerRead {
        request: usize,
    },
    Apply {
        request: usize,
        write: usize,
    },
    ReceiveAnswer {
        request: usize,
    },
    /// A call fails. With [`Retry::Safe`] the database reports that it did nothing.
    Fail {
        request: usize,
        retry: Retry,
    },
}

/// The key of all requests, and its record.
static KEY: LazyLock<(ApiKey, KeyRecord)> = LazyLock::new(|| {
    let secrets = SigningSecrets::parse(&"00".repeat(32)).unwrap();
    let (key, _) = ApiKey::generate(&mut StdRng::seed_from_u64(1), &secrets).unwrap();
    let record = KeyRecord::new(&key, "model".into(), Item::new(true, 1).limits(), String::new());
    (key, record)
});

/// The instant of the time 0.
static ORIGIN: LazyLock<Instant> = LazyLock::new(|| Clock::system().instant());

fn time(millis: Millis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

fn write_token(request: usize) -> [u8; 16] {
    let mut token = [0; 16];
    token[..8].copy_from_slice(&u64::try_from(request + 1).unwrap().to_be_bytes());
    token
}

impl<R> Request<R> {
    const fn new() -> Self {
        Self {
            function: 0,
            phase: Phase::NotArrived,
            arrived: 0,
            writes: Vec::new(),
            counted: Vec::new(),
            must_be_admitted: false,
        }
    }

    const fn admitted(&self) -> bool {
        matches!(self.phase, Phase::Admitted { .. })
    }

    const fn in_progress(&self) -> bool {
        matches!(self.phase, Phase::Reading(_) | Phase::Writing { .. })
    }

    /// Whether it has just been answered with an error.
    const fn is_rejected(&self) -> bool {
        matches!(self.phase, Phase::Refused | Phase::Failed(_))
    }

    /// Whether the function waits for the answer to this write.
    fn waits_for(&self, sent: &Sent) -> bool {
        matches!(&self.phase, Phase::Writing { last, answer: None, .. } if last == sent)
    }
}

impl<R: Tested> LimitModel<R> {
    pub const fn new(surroundings: Surroundings, configuration: Configuration) -> Self {
        Self { surroundings, configuration, rules: PhantomData }
    }

    /// The holder of a key; an address, if the item does not exist at first.
    fn caller(&self) -> Caller {
        if self.configuration.stored {
            Caller::Key(KEY.0.clone(), None)
        } else {
            let limits = Item::new(false, self.configuration.per_minute).limits();
            Caller::Address(IpAddr::from([192, 0, 2, 1]).into(), limits)
        }
    }

    /// What the database reports at this time.
    fn reported(&self, item: &Item, at: Reading) -> CallerState {
        let (_, record) = &*KEY;
        let limits = item.limits();
        let key = self.configuration.stored.then(|| KeyRecord { version: item.version, limits, ..record.clone() });
        CallerState { key, limits, counters: item.counters.clone(), stored: item.stored, read_at: at.now }
    }

    fn local_time(&self, now: Millis, function: usize) -> Millis {
        now + if function == 1 { self.configuration.clock_lead } else { 0 }
    }

    /// The clock reading of a function. The instant is that of a clock that is never adjusted.
    fn reading(&self, now: Millis, request: &Request<R>) -> Reading {
        let local = self.local_time(now, request.function);
        let local = if self.surroundings.clock_read_before_write { local } else { request.arrived };
        Reading { now: time(local), instant: *ORIGIN + Duration::from_millis(now - START) }
    }

    fn limit(&self, after_change: bool) -> usize {
        let Configuration { per_minute, new_limit, .. } = self.configuration;
        let limit = if after_change { new_limit.unwrap_or(per_minute) } else { per_minute };
        usize::try_from(limit).unwrap()
    }

    fn change_limit(&self, state: &mut State<R>) {
        let limit = self.limit(true).try_into().unwrap();
        Arc::make_mut(&mut state.item).set_limit(limit, self.surroundings);
        state.changed = true;
        for request in &mut state.requests {
            request.must_be_admitted = false;
        }
    }

    fn arrive(&self, state: &mut State<R>, function: usize) {
        let local_time = self.local_time(state.now, function);
        let remembered = state.memories[function].clone();
        let counts = state.requests.iter().flat_map(|request| &request.counted);
        let recent = counts.filter(|count| state.now - count.time <= MEMORY).count();
        // A refusal from what is remembered is justified for ten seconds.
        let is_current = match &remembered {
            Some(Remembered::Known(known)) => {
                let version = known.key.as_ref().map_or(state.item.version, |key| key.version);
                let age = time(local_time).duration_since(known.read_at);
                version == state.item.version || age.is_ok_and(|age| age >= REFUSAL_TTL)
            }
            _ => true,
        };
        let must_be_admitted = recent < self.limit(state.changed) && is_current;
        let index = state.requests.iter().position(|request| request.phase == Phase::NotArrived).unwrap();
        let arrived = if self.surroundings.clock_read_before_write { 0 } else { local_time };
        let request = Request { function, arrived, must_be_admitted, ..Request::new() };
        let at = self.reading(state.now, &request);
        state.requests[index] = request;
        let is_connected = self.configuration.connected;
        let (admitting, step) = Admitting::start(&self.caller(), write_token(index), remembered, is_connected, at);
        Self::take(state, index, admitting, step, false);
    }

    /// Does what the protocol says.
    fn take(state: &mut State<R>, index: usize, admitting: Admitting<R>, step: Step, second: bool) {
        let now = state.now;
        let request = &mut state.requests[index];
        request.phase = match step {
            Step::Read { .. } => Phase::Reading(admitting),
            Step::Write { write, pinned, .. } => {
                let version = pinned.and_then(|state| state.key.as_ref().map(|key| key.version));
                let last = Sent { write, second, version };
                request.writes.push(last.clone());
                let first_sent_at = match request.phase {
                    Phase::Writing { first_sent_at, .. } if second => first_sent_at,
                    _ => now,
                };
                Phase::Writing { admitting, last, first_sent_at, answer: None }
            }
            Step::Done(Ok(admission)) => Phase::Admitted { sequence: admission.sequence },
            Step::Done(Err(Refusal::RateLimited { .. })) => Phase::Refused,
            Step::Done(Err(Refusal::Late { .. })) => Phase::Failed(Failure::Late),
            Step::Done(Err(Refusal::Unavailable { cause })) => Phase::Failed(match cause.as_str() {
                "lost" => Failure::Call,
                "lost, then another write" => Failure::Unknown,
                "the item changed faster than it could be read" => Failure::TooManyAttempts,
                _ => Failure::Mismatch,
            }),
            Step::Done(Err(refusal)) => unreachable!("{refusal:?}"),
        };
    }

    fn remember(state: &mut State<R>, function: usize, memory: Memory) {
        match memory {
            Memory::Keep => {}
            Memory::Replace(remembered) => state.memories[function] = Some(remembered),
            Memory::Forget => state.memories[function] = None,
        }
    }

    fn answer_read(&self, state: &mut State<R>, index: usize) {
        let request = &state.requests[index];
        let (function, at) = (request.function, self.reading(state.now, request));
        let Phase::Reading(mut admitting) = request.phase.clone() else { unreachable!("only a read is answered") };
        let found = self.reported(&state.item, at);
        let (step, memory) = admitting.found(&self.caller(), Some(found), at);
        Self::remember(state, function, memory);
        Self::take(state, index, admitting, step, false);
    }

    fn apply(&self, state: &mut State<R>, index: usize, write: usize) {
        let sent = state.requests[index].writes.remove(write);
        let applied = Arc::make_mut(&mut state.item).apply(&sent.write.write, sent.version, self.surroundings);
        if applied {
            for (other, request) in state.requests.iter_mut().enumerate() {
                request.must_be_admitted &= other == index;
            }
            let count = Count { time: state.now, sequence: state.item.counters.n, after_change: state.changed };
            state.requests[index].counted.push(count);
        }
        let request = &mut state.requests[index];
        if request.waits_for(&sent)
            && let Phase::Writing { answer, .. } = &mut request.phase
        {
            *answer = Some(Answer { applied, item: Arc::clone(&state.item) });
        }
    }

    fn receive_answer(&self, state: &mut State<R>, index: usize) {
        let request = &state.requests[index];
        let (function, at) = (request.function, self.reading(state.now, request));
        let Phase::Writing { mut admitting, last, first_sent_at, answer: Some(answer) } = request.phase.clone() else {
            unreachable!("only a request with an answer receives one");
        };
        if state.now - first_sent_at > WRITE_TOLERANCE {
            state.requests[index].must_be_admitted = false;
        }
        let (caller, reported) = (self.caller(), self.reported(&answer.item, at));
        let (step, memory) = if answer.applied {
            admitting.written(&caller, reported, at)
        } else {
            admitting.rejected(&caller, Some(reported), at)
        };
        Self::remember(state, function, memory);
        Self::take(state, index, admitting, step, false);
        let phase = &mut state.requests[index].phase;
        let is_other = last.version.is_some_and(|version| version != answer.item.version);
        if *phase == Phase::Failed(Failure::Mismatch) && is_other {
            *phase = Phase::Failed(Failure::OtherVersion);
        }
    }

    fn fail(&self, state: &mut State<R>, index: usize, retry: Retry) {
        state.failures_left -= 1;
        let at = self.reading(state.now, &state.requests[index]);
        let request = &mut state.requests[index];
        let Phase::Writing { mut admitting, last, .. } = request.phase.clone() else {
            unreachable!("only a request that waits for a write can fail");
        };
        if retry == Retry::Safe {
            request.writes.retain(|sent| *sent != last);
        }
        // One throttled call does not matter, because it is repeated.
        request.must_be_admitted &= retry == Retry::Safe && !last.second;
        let step = admitting.failed(retry, "lost".into(), at);
        Self::take(state, index, admitting, step, true);
    }

    /// Removes what cannot matter any more, so that states that differ only in it are the same.
    fn normalise(state: &mut State<R>) {
        let State { now, item, memories, requests, .. } = state;
        for remembered in memories.iter_mut().flatten() {
            if let Remembered::Known(known) = remembered
                && time(*now).duration_since(known.read_at).is_ok_and(|age| age > REFUSAL_TTL)
            {
                Arc::make_mut(known).read_at = UNIX_EPOCH;
            }
        }
        for request in requests {
            if !request.in_progress() {
                request.arrived = 0;
                request.must_be_admitted &= request.is_rejected();
                for count in &mut request.counted {
                    forget(&mut count.time, *now, MEMORY);
                }
            }
            if let Phase::Writing { answer: Some(answer), .. } = &mut request.phase
                && answer.item == *item
            {
                answer.item = Arc::clone(item);
            }
            let mut writes = std::mem::take(&mut request.writes);
            writes.retain(|sent| request.waits_for(sent) || item.may_permit(&sent.write.write, sent.version));
            request.writes = writes;
        }
    }
}

/// Replaces a time by zero if it is longer ago than `memory`.
fn forget(time: &mut Millis, now: Millis, memory: Millis) {
    if *time + memory < now {
        *time = 0;
    }
}

impl<R: Tested> Model for LimitModel<R> {
    type State = State<R>;
    type Action = Action;

    fn init_states(&self) -> Vec<State<R>> {
        let Configuration { requests, per_minute, stored, short_steps, long_steps, failures, .. } = self.configuration;
        vec![State {
            now: START,
            item: Arc::new(Item::new(stored, per_minute)),
            changed: false,
            memories: [None, None],
            requests: (0..requests).map(|_| Request::new()).collect(),
            short_steps_left: short_steps,
            long_steps_left: long_steps,
            failures_left: failures,
        }]
    }

    fn actions(&self, state: &State<R>, actions: &mut Vec<Action>) {
        for (index, request) in state.requests.iter().enumerate() {
            match &request.phase {
                Phase::Reading(_) => actions.push(Action::AnswerRead { request: index }),
                Phase::Writing { answer, .. } => {
                    if answer.is_some() {
                        actions.push(Action::ReceiveAnswer { request: index });
                    }
                    if state.failures_left > 0 {
                        actions.push(Action::Fail { request: index, retry: Retry::OnlyIfUnapplied });
                        if request.writes.iter().any(|sent| request.waits_for(sent)) {
                            actions.push(Action::Fail { request: index, retry: Retry::Safe });
                        }
                    }
                }
                _ => {}
            }
            actions.extend((0..request.writes.len()).map(|write| Action::Apply { request: index, write }));
        }
        let in_progress = state.requests.iter().filter(|request| request.in_progress()).count();
        let is_next = state.requests.iter().any(|request| request.phase == Phase::NotArrived);
        if is_next && in_progress < self.configuration.concurrent {
            actions.extend([0, 1].map(|function| Action::Arrive { function }));
        }
        if self.configuration.new_limit.is_some() && !state.changed {
            actions.push(Action::ChangeLimit);
        }
        if state.short_steps_left > 0 {
            actions.extend(SHORT_STEPS.map(Action::Wait));
        }
        if state.long_steps_left > 0 {
            actions.extend(LONG_STEPS.map(Action::Wait));
        }
    }

    fn next_state(&self, last: &State<R>, action: Action) -> Option<State<R>> {
        let mut state = last.clone();
        for request in state.requests.iter_mut().filter(|request| request.is_rejected()) {
            request.phase = Phase::Ended;
        }
        match action {
            Action::Wait(step) => {
                state.now += step;
                let left =
                    if SHORT_STEPS.contains(&step) { &mut state.short_steps_left } else { &mut state.long_steps_left };
                *left -= 1;
            }
            Action::ChangeLimit => self.change_limit(&mut state),
            Action::Arrive { function } => self.arrive(&mut state, function),
            Action::AnswerRead { request } => self.answer_read(&mut state, request),
            Action::Apply { request, write } => self.apply(&mut state, request, write),
            Action::ReceiveAnswer { request } => self.receive_answer(&mut state, request),
            Action::Fail { request, retry } => self.fail(&mut state, request, retry),
        }
        Self::normalise(&mut state);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn any<R>(state: &State<R>, phase: impl Fn(&Phase<R>) -> bool) -> bool {
            state.requests.iter().any(|request| phase(&request.phase))
        }
        vec![
            Property::always("no minute has more admissions than the limit", |model: &Self, state: &State<R>| {
                [false, true].into_iter().all(|after_change| {
                    let admitted = state.requests.iter().filter(|request| request.admitted());
                    let counts = admitted.flat_map(|request| &request.counted);
                    let times = counts.filter(|count| count.after_change == after_change).map(|count| count.time);
                    let mut times: Vec<Millis> = times.filter(|time| *time > 0).collect();
                    times.sort_unstable();
                    let limit = model.limit(after_change);
                    times.windows(limit + 1).all(|run| run[limit] - run[0] >= MINUTE)
                })
            }),
            Property::always("no request is counted twice", |_, state: &State<R>| {
                state.requests.iter().all(|request| request.counted.len() <= 1)
            }),
            Property::always("an admitted request is counted under its sequence number", |_, state: &State<R>| {
                state.requests.iter().all(|request| match request.phase {
                    Phase::Admitted { sequence } => request.counted.iter().any(|count| count.sequence == sequence),
                    _ => true,
                })
            }),
            Property::always("the sequence numbers have no gaps", |_, state: &State<R>| {
                let counts = state.requests.iter().flat_map(|request| &request.counted);
                let mut sequence_numbers: Vec<u64> = counts.map(|count| count.sequence).collect();
                sequence_numbers.sort_unstable();
                sequence_numbers.into_iter().eq(1..=state.item.counters.n)
            }),
            Property::always("the item after a write matches the write", |_, state: &State<R>| {
                !any(state, |phase| matches!(phase, Phase::Failed(Failure::Mismatch)))
            }),
            Property::always("an undisturbed request below the limit is admitted", |_, state: &State<R>| {
                state.requests.iter().all(|request| !request.is_rejected() || !request.must_be_admitted)
            }),
            Property::sometimes("all requests are admitted", |_, state: &State<R>| {
                state.requests.iter().all(Request::admitted)
            }),
            Property::sometimes("a repetition is applied", |_, state: &State<R>| state.item.counters.epoch > 0),
            Property::sometimes("a request is refused", |_, state: &State<R>| {
                any(state, |phase| matches!(phase, Phase::Refused))
            }),
            Property::sometimes("an answer is late", |_, state: &State<R>| {
                any(state, |phase| matches!(phase, Phase::Failed(Failure::Late)))
            }),
            Property::sometimes("the outcome is unknown", |_, state: &State<R>| {
                any(state, |phase| matches!(phase, Phase::Failed(Failure::Unknown)))
            }),
            Property::sometimes("a request is tried too often", |_, state: &State<R>| {
                any(state, |phase| matches!(phase, Phase::Failed(Failure::TooManyAttempts)))
            }),
        ]
    }
}
