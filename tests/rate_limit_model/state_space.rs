//! The states that a few requests on two functions can reach, for the model checker `stateright`.
//!
//! A state is the item, what both functions know, and every write and answer under way. Each action is one event:
//! time passes, a request arrives, a function sends a write, the database applies one, an answer arrives, a function
//! stops waiting. The actions of a state can happen in any order, so a write or an answer can take any time or, if its
//! action never happens, be lost.

use std::sync::Arc;

use stateright::{Model, Property};

use crate::database::Item;
use crate::function::{
    Answer, Attempt, Conclusion, MAX_ATTEMPTS, Millis, REFUSAL_TTL, Retry, TimedWrite, WRITE_TOLERANCE, write_token,
};
use crate::rules::Rules;

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
pub struct LimitModel {
    pub rules: Rules,
    pub configuration: Configuration,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    now: Millis,
    item: Arc<Item>,
    /// Whether an administrator has changed the limit.
    changed: bool,
    /// The item as each function last received it, and when by its clock.
    caches: [Option<(Arc<Item>, Millis)>; 2],
    /// They arrive in this order.
    requests: Vec<Request>,
    short_steps_left: u8,
    long_steps_left: u8,
    failures_left: u8,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Request {
    function: usize,
    phase: Phase,
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
enum Phase {
    NotArrived,
    /// Its function will send a write. It has read a state of the item, at `read_at` by its clock, or none.
    Deciding {
        state: Option<Arc<Item>>,
        read_at: Millis,
        arrived: Millis,
        attempts: u32,
    },
    /// Its function waits for the answer to its last write, which may be under way.
    Waiting {
        attempt: Box<Attempt>,
        answer: Option<Answer>,
        arrived: Millis,
        attempts: u32,
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

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Failure {
    Call,
    TooManyAttempts,
    Concluded(Conclusion),
}

/// A write on its way to the database.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Sent {
    write: TimedWrite,
    /// Whether it repeats another write of its attempt. Both can be equal.
    second: bool,
    version: Option<u64>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    Wait(Millis),
    ChangeLimit,
    Arrive {
        function: usize,
    },
    Send {
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

impl Request {
    fn new() -> Self {
        Self { function: 0, phase: Phase::NotArrived, writes: Vec::new(), counted: Vec::new(), must_be_admitted: false }
    }

    fn admitted(&self) -> bool {
        matches!(self.phase, Phase::Admitted { .. })
    }

    fn in_progress(&self) -> bool {
        matches!(self.phase, Phase::Deciding { .. } | Phase::Waiting { .. })
    }

    /// Whether it has just been answered with an error.
    fn is_rejected(&self) -> bool {
        matches!(self.phase, Phase::Refused | Phase::Failed(_))
    }

    /// Whether the function waits for the answer to this write.
    fn waits_for(&self, sent: &Sent) -> bool {
        matches!(&self.phase, Phase::Waiting { attempt, answer: None, .. }
            if *attempt.last() == sent.write && attempt.second.is_some() == sent.second)
    }
}

impl LimitModel {
    fn local_time(&self, state: &State, function: usize) -> Millis {
        state.now + if function == 1 { self.configuration.clock_lead } else { 0 }
    }

    /// The clock reading of a write that is sent now.
    fn reading(&self, state: &State, function: usize, arrived: Millis) -> Millis {
        if self.rules.clock_read_before_write { self.local_time(state, function) } else { arrived }
    }

    fn limit(&self, after_change: bool) -> usize {
        let Configuration { per_minute, new_limit, .. } = self.configuration;
        let limit = if after_change { new_limit.unwrap_or(per_minute) } else { per_minute };
        usize::try_from(limit).unwrap()
    }

    fn change_limit(&self, state: &mut State) {
        let limit = self.limit(true).try_into().unwrap();
        Arc::make_mut(&mut state.item).set_limit(limit, &self.rules);
        state.changed = true;
        for request in &mut state.requests {
            request.must_be_admitted = false;
        }
    }

    fn arrive(&self, state: &mut State, function: usize) {
        let local_time = self.local_time(state, function);
        if state.caches[function].is_none() && !self.configuration.connected {
            state.caches[function] = Some((Arc::clone(&state.item), local_time));
        }
        let (known, read_at) = state.caches[function].clone().unzip();
        let counts = state.requests.iter().flat_map(|request| &request.counted);
        let recent = counts.filter(|count| state.now - count.time <= MEMORY).count();
        let is_current = known.as_ref().is_none_or(|known| known.version == state.item.version);
        let must_be_admitted = recent < self.limit(state.changed) && is_current;
        let request = state.requests.iter_mut().find(|request| request.phase == Phase::NotArrived).unwrap();
        let arrived = if self.rules.clock_read_before_write { 0 } else { local_time };
        *request = Request {
            function,
            phase: Phase::Deciding { state: known, read_at: read_at.unwrap_or_default(), arrived, attempts: 0 },
            must_be_admitted,
            ..Request::new()
        };
    }

    fn send(&self, state: &mut State, index: usize) {
        let function = state.requests[index].function;
        let local_time = self.local_time(state, function);
        let Phase::Deciding { state: known, read_at, arrived, attempts } = state.requests[index].phase.clone() else {
            unreachable!("only a request that decides sends a write");
        };
        let reading = self.reading(state, function, arrived);
        let (attempts, attempt) = match known {
            Some(known) => (attempts + 1, Attempt::new(&self.rules, &known, reading, state.now, write_token(index))),
            None => (attempts, Some(Attempt::blind(reading, state.now, write_token(index)))),
        };
        let request = &mut state.requests[index];
        if let Some(attempt) = attempt.map(Box::new) {
            request.writes.push(Sent { write: attempt.first.clone(), second: false, version: attempt.version });
            request.phase = Phase::Waiting { attempt, answer: None, arrived, attempts };
        } else if local_time - read_at < REFUSAL_TTL {
            request.phase = Phase::Refused;
        } else {
            self.decide_again(state, index, Arc::clone(&state.item), arrived, attempts);
        }
    }

    /// Caches what the database reported, and tries a request with it.
    fn decide_again(&self, state: &mut State, index: usize, item: Arc<Item>, arrived: Millis, attempts: u32) {
        let function = state.requests[index].function;
        let read_at = self.local_time(state, function);
        state.caches[function] = Some((Arc::clone(&item), read_at));
        state.requests[index].phase = if attempts < MAX_ATTEMPTS {
            Phase::Deciding { state: Some(item), read_at, arrived, attempts }
        } else {
            Phase::Failed(Failure::TooManyAttempts)
        };
    }

    fn apply(&self, state: &mut State, index: usize, write: usize) {
        let sent = state.requests[index].writes.remove(write);
        let applied = Arc::make_mut(&mut state.item).apply(&sent.write.write, sent.version, &self.rules);
        if applied {
            for (other, request) in state.requests.iter_mut().enumerate() {
                request.must_be_admitted &= other == index;
            }
            let count = Count { time: state.now, sequence: state.item.counters.n, after_change: state.changed };
            state.requests[index].counted.push(count);
        }
        let request = &mut state.requests[index];
        if request.waits_for(&sent)
            && let Phase::Waiting { answer, .. } = &mut request.phase
        {
            *answer = Some(Answer { applied, item: Arc::clone(&state.item) });
        }
    }

    fn receive_answer(&self, state: &mut State, index: usize) {
        let Request { function, phase, .. } = state.requests[index].clone();
        let Phase::Waiting { attempt, answer: Some(answer), arrived, attempts } = phase else {
            unreachable!("only a request with an answer receives one");
        };
        if state.now - attempt.first.sent_at > WRITE_TOLERANCE {
            state.requests[index].must_be_admitted = false;
        }
        let conclusion = attempt.conclude(&self.rules, &answer, state.now);
        let local_time = self.local_time(state, function);
        let sequence = answer.item.counters.n;
        match conclusion {
            Conclusion::Rejected => return self.decide_again(state, index, answer.item, arrived, attempts),
            Conclusion::Admitted | Conclusion::Late => state.caches[function] = Some((answer.item, local_time)),
            Conclusion::Unknown => {}
            Conclusion::OtherVersion | Conclusion::Mismatch => state.caches[function] = None,
        }
        state.requests[index].phase = match conclusion {
            Conclusion::Admitted => Phase::Admitted { sequence },
            _ => Phase::Failed(Failure::Concluded(conclusion)),
        };
    }

    fn fail(&self, state: &mut State, index: usize, retry: Retry) {
        state.failures_left -= 1;
        let function = state.requests[index].function;
        let Phase::Waiting { attempt, arrived, attempts, .. } = state.requests[index].phase.clone() else {
            unreachable!("only a request that waits can fail");
        };
        let reading = self.reading(state, function, arrived);
        let now = state.now;
        let request = &mut state.requests[index];
        if retry == Retry::Safe {
            let mut writes = std::mem::take(&mut request.writes);
            writes.retain(|sent| !request.waits_for(sent));
            request.writes = writes;
        }
        // One throttled call does not matter, because it is repeated.
        request.must_be_admitted &= retry == Retry::Safe && attempt.second.is_none();
        let Some(attempt) = attempt.retry(&self.rules, retry, reading, now).map(Box::new) else {
            request.phase = Phase::Failed(Failure::Call);
            return;
        };
        request.writes.push(Sent { write: attempt.last().clone(), second: true, version: attempt.version });
        request.phase = Phase::Waiting { attempt, answer: None, arrived, attempts };
    }

    /// Removes what cannot matter any more, so that states that differ only in it are the same.
    fn normalise(state: &mut State) {
        let State { now, item, caches, requests, .. } = state;
        for (cached, read_at) in caches.iter_mut().flatten() {
            forget(read_at, *now, REFUSAL_TTL);
            share(cached, item);
        }
        for request in requests {
            if !request.in_progress() {
                request.must_be_admitted &= request.is_rejected();
                for count in &mut request.counted {
                    forget(&mut count.time, *now, MEMORY);
                }
            }
            match &mut request.phase {
                Phase::Deciding { state, read_at, .. } => {
                    forget(read_at, *now, REFUSAL_TTL);
                    if let Some(state) = state {
                        share(state, item);
                    }
                }
                Phase::Waiting { answer: Some(answer), .. } => share(&mut answer.item, item),
                _ => {}
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

/// Saves memory.
fn share(known: &mut Arc<Item>, item: &Arc<Item>) {
    if known == item {
        *known = Arc::clone(item);
    }
}

impl Model for LimitModel {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        let Configuration { requests, per_minute, stored, short_steps, long_steps, failures, .. } = self.configuration;
        vec![State {
            now: START,
            item: Arc::new(Item::new(stored, per_minute)),
            changed: false,
            caches: [None, None],
            requests: vec![Request::new(); requests],
            short_steps_left: short_steps,
            long_steps_left: long_steps,
            failures_left: failures,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        for (index, request) in state.requests.iter().enumerate() {
            match &request.phase {
                Phase::Deciding { .. } => actions.push(Action::Send { request: index }),
                Phase::Waiting { answer, .. } => {
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

    fn next_state(&self, last: &State, action: Action) -> Option<State> {
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
            Action::Send { request } => self.send(&mut state, request),
            Action::Apply { request, write } => self.apply(&mut state, request, write),
            Action::ReceiveAnswer { request } => self.receive_answer(&mut state, request),
            Action::Fail { request, retry } => self.fail(&mut state, request, retry),
        }
        Self::normalise(&mut state);
        Some(state)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        fn any(state: &State, phase: impl Fn(&Phase) -> bool) -> bool {
            state.requests.iter().any(|request| phase(&request.phase))
        }
        vec![
            Property::always("no minute has more admissions than the limit", |model: &Self, state: &State| {
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
            Property::always("no request is counted twice", |_, state: &State| {
                state.requests.iter().all(|request| request.counted.len() <= 1)
            }),
            Property::always("an admitted request is counted under its sequence number", |_, state: &State| {
                state.requests.iter().all(|request| match request.phase {
                    Phase::Admitted { sequence } => request.counted.iter().any(|count| count.sequence == sequence),
                    _ => true,
                })
            }),
            Property::always("the sequence numbers have no gaps", |_, state: &State| {
                let counts = state.requests.iter().flat_map(|request| &request.counted);
                let mut sequence_numbers: Vec<u64> = counts.map(|count| count.sequence).collect();
                sequence_numbers.sort_unstable();
                sequence_numbers.into_iter().eq(1..=state.item.counters.n)
            }),
            Property::always("the item after a write matches the write", |_, state: &State| {
                !any(state, |phase| *phase == Phase::Failed(Failure::Concluded(Conclusion::Mismatch)))
            }),
            Property::always("an undisturbed request below the limit is admitted", |_, state: &State| {
                state.requests.iter().all(|request| !request.is_rejected() || !request.must_be_admitted)
            }),
            Property::sometimes("all requests are admitted", |_, state: &State| {
                state.requests.iter().all(Request::admitted)
            }),
            Property::sometimes("a repetition is applied", |_, state: &State| state.item.counters.epoch > 0),
            Property::sometimes("a request is refused", |_, state: &State| {
                any(state, |phase| *phase == Phase::Refused)
            }),
            Property::sometimes("an answer is late", |_, state: &State| {
                any(state, |phase| *phase == Phase::Failed(Failure::Concluded(Conclusion::Late)))
            }),
            Property::sometimes("the outcome is unknown", |_, state: &State| {
                any(state, |phase| *phase == Phase::Failed(Failure::Concluded(Conclusion::Unknown)))
            }),
            Property::sometimes("a request is tried too often", |_, state: &State| {
                any(state, |phase| *phase == Phase::Failed(Failure::TooManyAttempts))
            }),
        ]
    }
}
