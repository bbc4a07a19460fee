//! Simulates functions that share one item of the database.
//!
//! The clocks of the functions disagree and their cached states are old. A write takes time, may be applied after its
//! function has stopped waiting, and its answer may be lost. The item is linearizable, as in DynamoDB: writes are
//! applied one after another, each under its condition. The simulation records when each admitted request was counted.
//!
//! The item always exists, so `Precondition::Absent` is not simulated.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::num::NonZeroU32;
use std::ops::Add;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use passloom::access::Limits;
use passloom::access::limiter::conditional_write::{ConditionalWrite, Outcome, Precondition};
use passloom::access::limiter::window::{Counters, Decision};

/// Milliseconds; a time is counted from 1970.
pub type Millis = u64;

/// 2026-01-01T23:30:00Z, so that longer scenarios pass midnight.
const START: Millis = 1_767_310_200_000;
/// The most that the clock of a function is ahead. Together with [`MAX_WRITE_DELAY`] two seconds, as the limiter
/// permits.
pub const MAX_CLOCK_LEAD: Millis = 1_000;
/// The longest time from the start of a request until its last write is applied.
pub const MAX_WRITE_DELAY: Millis = 1_000;
/// How long a refusal is repeated from the cached state.
const REFUSAL_TTL: Millis = 10_000;
const MINUTE: Millis = 60_000;
/// States that a function tries per request.
const MAX_STATES: u32 = 3;

/// Decides about the next request: the product's rule, or a wrong one.
pub type Decide = fn(&Counters, Limits, SystemTime) -> Decision;

/// Rules of the limiter that the simulation can replace by wrong ones.
#[derive(Clone, Copy)]
pub struct Rules {
    pub decide: Decide,
    /// A repeated write is applied only if `n` is unchanged.
    pub repetition_requires_unchanged_n: bool,
    /// A repeated write raises the epoch.
    pub repetition_raises_epoch: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { decide: Counters::decide, repetition_requires_unchanged_n: true, repetition_raises_epoch: true }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub per_minute: u32,
    /// How far the clock of each function is ahead.
    pub clock_leads: Vec<Millis>,
    pub requests: Vec<Request>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The time since the previous request.
    pub gap: Millis,
    /// The index of its function, modulo the number of functions.
    pub function: usize,
    /// The limit that an administrator sets just before it.
    pub new_limit: Option<u32>,
    /// What happens to its calls, in their order.
    pub calls: [Call; 4],
}

/// What happens to a call of the database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    /// When its write is applied, if it is.
    pub applied_after: Option<Millis>,
    /// When the function stops waiting.
    pub timeout: Millis,
    pub answer_lost: bool,
}

/// The number of events of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub requests: u64,
    pub admitted: u64,
    /// From the cached state, without a call.
    pub refused: u64,
    /// Not admitted, although perhaps counted.
    pub uncertain: u64,
    pub events: u64,
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            admitted: self.admitted + other.admitted,
            refused: self.refused + other.refused,
            uncertain: self.uncertain + other.uncertain,
            events: self.events + other.events,
        }
    }
}

/// The item of the key.
#[derive(Clone)]
struct Item {
    version: u64,
    limits: Limits,
    counters: Counters,
}

struct Function {
    clock_lead: Millis,
    /// The item as the function last received it, and when.
    cached: Option<(Item, Millis)>,
}

/// A write on its way to the database.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Write {
    /// The index of its request.
    request: usize,
    /// The first write of the function's state.
    first: ConditionalWrite,
    /// The write that is sent: the first one, or its repetition.
    sent: ConditionalWrite,
    /// The version of the key that it pins.
    version: u64,
    /// The index of the call.
    call: usize,
    /// States that the function may still try, with this one.
    states_left: u32,
    /// Whether the function receives its answer.
    answered: bool,
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    RequestReceived { request: usize },
    WriteArrived(Write),
    WriteTimedOut(Write),
}

pub struct Simulation<'s> {
    scenario: &'s Scenario,
    rules: Rules,
    now: Millis,
    item: Item,
    /// When an administrator last changed the limit.
    limit_changed: Millis,
    functions: Vec<Function>,
    events: BinaryHeap<Reverse<(Millis, usize, Event)>>,
    /// Orders events of the same time.
    event_number: usize,
    /// When each request began, by its function's clock.
    began: Vec<Millis>,
    /// When each admitted request was counted, by its sequence number.
    admitted: BTreeMap<u64, Millis>,
    /// When each request was counted.
    counted: BTreeMap<usize, Millis>,
    /// Admitted requests.
    answered: BTreeSet<usize>,
    tally: Tally,
}

fn time(millis: Millis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

fn limits(per_minute: u32) -> Limits {
    Limits { per_minute: NonZeroU32::new(per_minute).unwrap(), per_day: NonZeroU32::new(100_000_000).unwrap() }
}

impl<'s> Simulation<'s> {
    pub fn new(scenario: &'s Scenario, rules: Rules) -> Self {
        let function = |&clock_lead| Function { clock_lead, cached: None };
        Self {
            scenario,
            rules,
            now: START,
            item: Item { version: 1, limits: limits(scenario.per_minute), counters: Counters::default() },
            limit_changed: START,
            functions: scenario.clock_leads.iter().map(function).collect(),
            events: BinaryHeap::new(),
            event_number: 0,
            began: vec![0; scenario.requests.len()],
            admitted: BTreeMap::new(),
            counted: BTreeMap::new(),
            answered: BTreeSet::new(),
            tally: Tally::default(),
        }
    }

    /// Runs the scenario. An error says how it breaks the limit.
    pub fn run(mut self) -> Result<Tally, String> {
        let mut time = START;
        for (request, Request { gap, .. }) in self.scenario.requests.iter().enumerate() {
            time += gap;
            self.schedule(time, Event::RequestReceived { request });
        }
        while let Some(Reverse((time, _, event))) = self.events.pop() {
            self.now = time;
            self.tally.events += 1;
            match event {
                Event::RequestReceived { request } => self.receive(request)?,
                Event::WriteArrived(write) => self.apply(&write)?,
                Event::WriteTimedOut(write) => self.time_out(write),
            }
        }
        self.check_limit()?;
        if self.item.counters.n != u64::try_from(self.counted.len()).unwrap() {
            return Err("n is not the number of counted requests".into());
        }
        self.tally.requests = self.scenario.requests.len().try_into().unwrap();
        self.tally.admitted = self.admitted.len().try_into().unwrap();
        Ok(self.tally)
    }

    fn schedule(&mut self, time: Millis, event: Event) {
        self.event_number += 1;
        self.events.push(Reverse((time, self.event_number, event)));
    }

    fn receive(&mut self, request: usize) -> Result<(), String> {
        if let Some(per_minute) = self.scenario.requests[request].new_limit {
            // The limit holds while it does not change, so each period is checked by itself.
            self.check_limit()?;
            self.limit_changed = self.now;
            self.item.limits = limits(per_minute);
            self.item.version += 1;
        }
        self.began[request] = self.now + self.functions[self.function(request)].clock_lead;
        self.admit(request, 0, MAX_STATES);
        Ok(())
    }

    fn function(&self, request: usize) -> usize {
        self.scenario.requests[request].function % self.functions.len()
    }

    /// Admits or refuses a request by the function's cached state, as `Store::admit` does.
    fn admit(&mut self, request: usize, call: usize, states_left: u32) {
        let (local_time, item) = (self.began[request], self.item.clone());
        let index = self.function(request);
        if states_left == 0 || call >= self.scenario.requests[request].calls.len() {
            self.tally.uncertain += 1;
            return;
        }
        let function = &mut self.functions[index];
        let (state, read_at) = function.cached.get_or_insert((item, local_time)).clone();
        match (self.rules.decide)(&state.counters, state.limits, time(local_time)) {
            Decision::Refuse { .. } if local_time.saturating_sub(read_at) < REFUSAL_TTL => self.tally.refused += 1,
            Decision::Refuse { .. } => {
                function.cached = None;
                self.admit(request, call, states_left - 1);
            }
            Decision::Admit { ceiling } => {
                let mut write_token = [0; 16];
                write_token[..8].copy_from_slice(&u64::try_from(request + 1).unwrap().to_be_bytes());
                let first = ConditionalWrite::new(&state.counters, ceiling, time(local_time), write_token);
                let sent = first.clone();
                self.send(Write { request, first, sent, version: state.version, call, states_left, answered: true });
            }
        }
    }

    fn send(&mut self, mut write: Write) {
        let Call { applied_after, timeout, answer_lost } = self.scenario.requests[write.request].calls[write.call];
        let began = self.began[write.request] - self.functions[self.function(write.request)].clock_lead;
        let applied_at = applied_after.map(|delay| (self.now + delay).min((began + MAX_WRITE_DELAY).max(self.now)));
        write.answered = !answer_lost && applied_at.is_some_and(|time| time <= self.now + timeout);
        if !write.answered {
            self.schedule(self.now + timeout, Event::WriteTimedOut(write.clone()));
        }
        if let Some(time) = applied_at {
            self.schedule(time, Event::WriteArrived(write));
        }
    }

    /// Applies a write if its condition holds, and delivers the answer unless it is lost.
    fn apply(&mut self, write: &Write) -> Result<(), String> {
        let Item { version, counters, .. } = &mut self.item;
        let ConditionalWrite { write_token, precondition, epoch, slot, day, stale, .. } = &write.sent;
        let precondition_holds = match precondition {
            Precondition::Absent => false,
            Precondition::Below(bound) => counters.n < *bound,
            Precondition::Exactly(bound) => counters.n == *bound,
        };
        let applied = precondition_holds && counters.epoch == *epoch && *version == write.version;
        if applied {
            counters.slots.entry(*slot).or_insert(counters.n);
            counters.days.entry(*day).or_insert(counters.n);
            counters.n += 1;
            counters.last_write = *write_token;
            counters.slots.retain(|slot, _| !stale.0.contains(slot));
            counters.days.retain(|day, _| !stale.1.contains(day));
            let repeated = matches!(precondition, Precondition::Exactly(_));
            counters.epoch += u64::from(self.rules.repetition_raises_epoch && repeated);
            if self.counted.insert(write.request, self.now).is_some() {
                return Err(format!("request {} is counted twice", write.request));
            }
        }
        if write.answered { self.answer(write, applied) } else { Ok(()) }
    }

    /// The function receives the item after a write, or the item that rejected it.
    fn answer(&mut self, write: &Write, applied: bool) -> Result<(), String> {
        let item = self.item.clone();
        let outcome = if applied {
            Outcome::Applied
        } else if write.sent == write.first {
            Outcome::NotApplied
        } else {
            write.first.outcome(&item.counters)
        };
        let (sequence, local_time) = (item.counters.n, self.began[write.request]);
        let index = self.function(write.request);
        match outcome {
            Outcome::Applied => {
                if !write.first.matches(&item.counters) {
                    return Err("the item after a write does not match the write".into());
                }
                self.functions[index].cached = Some((item, local_time));
                self.record_admission(write.request, sequence)
            }
            Outcome::NotApplied => {
                self.functions[index].cached = Some((item, local_time));
                self.admit(write.request, write.call + 1, write.states_left - 1);
                Ok(())
            }
            Outcome::Unknown => {
                self.tally.uncertain += 1;
                Ok(())
            }
        }
    }

    /// The function stops waiting: it repeats its write once, then the request fails.
    fn time_out(&mut self, write: Write) {
        let is_repetition = write.sent != write.first;
        if is_repetition || write.call + 1 >= self.scenario.requests[write.request].calls.len() {
            self.tally.uncertain += 1;
        } else {
            let conditional = self.rules.repetition_requires_unchanged_n;
            let sent = if conditional { write.first.repeated() } else { write.first.clone() };
            self.send(Write { sent, call: write.call + 1, ..write });
        }
    }

    fn record_admission(&mut self, request: usize, sequence: u64) -> Result<(), String> {
        if !self.answered.insert(request) {
            return Err(format!("request {request} is admitted twice"));
        }
        match self.admitted.insert(sequence, self.counted[&request]) {
            None => Ok(()),
            Some(_) => Err(format!("two admissions have the sequence number {sequence}")),
        }
    }

    /// Checks that no 60 seconds since the last change of the limit have more admissions than the limit.
    fn check_limit(&self) -> Result<(), String> {
        let times = self.admitted.values().copied();
        let mut times: Vec<Millis> = times.filter(|time| *time >= self.limit_changed).collect();
        times.sort_unstable();
        let limit = usize::try_from(self.item.limits.per_minute.get()).unwrap();
        match times.windows(limit + 1).find(|run| run[limit] - run[0] < MINUTE) {
            Some(run) => Err(format!("more than {limit} in the minute from {} ms", run[0] - START)),
            None => Ok(()),
        }
    }
}
