//! Simulates functions that share one item of the database.
//!
//! The clocks of the functions disagree by up to [`MAX_CLOCK_SKEW`] and their cached states are old. Any time passes
//! between the arrival of a request and its first write. A write may be applied at any later time, also after its
//! function has stopped waiting, and its answer may take any time or be lost. The simulation records when each
//! request was counted.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Add;
use std::sync::Arc;

use crate::database::Item;
use crate::function::{Answer, Attempt, Conclusion, MAX_ATTEMPTS, Millis, REFUSAL_TTL, Retry, write_token};
use crate::rules::Rules;

/// 2026-01-01T23:30:00Z, so that longer scenarios pass midnight.
const START: Millis = 1_767_310_200_000;
const MINUTE: Millis = 60_000;

#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub per_minute: u32,
    /// Whether the item exists at the beginning. Without one there is no administrator.
    pub stored: bool,
    /// How far the clock of each function is ahead.
    pub clock_leads: Vec<Millis>,
    pub requests: Vec<Request>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Request {
    /// The time since the previous request.
    pub gap: Millis,
    /// The time from its arrival to its first write.
    pub preparation: Millis,
    /// The index of its function, modulo the number of functions.
    pub function: usize,
    /// Whether the function has forgotten what it knew about the item.
    pub forgotten: bool,
    /// Whether the function, if it knows nothing about the item, writes without reading it.
    pub connected: bool,
    /// The limit that an administrator sets just before it.
    pub new_limit: Option<u32>,
    /// What happens to its calls, in their order.
    pub calls: [Call; 4],
}

/// What happens to a call of the database.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Call {
    /// The database reports that it did nothing.
    pub throttled: bool,
    /// The time until its write arrives at the database, if it does.
    pub write_delay: Option<Millis>,
    /// The time from then until its answer arrives at the function, if it does.
    pub answer_delay: Option<Millis>,
    /// When the function stops waiting.
    pub timeout: Millis,
}

/// The number of events of each kind.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub requests: u64,
    pub admitted: u64,
    /// From the cached state, without a call.
    pub refused: u64,
    /// Counted, but not admitted because the answer was late.
    pub late: u64,
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
            late: self.late + other.late,
            uncertain: self.uncertain + other.uncertain,
            events: self.events + other.events,
        }
    }
}

struct Function {
    clock_lead: Millis,
    /// The item as the function last received it, and when.
    cached: Option<(Arc<Item>, Millis)>,
}

/// The progress of a request.
#[derive(Clone, Default)]
struct Progress {
    /// When it arrived, by its function's clock.
    arrived: Millis,
    attempt: Option<Attempt>,
    /// Attempts so far.
    attempts: u32,
    /// Calls so far. The function ignores the answer to any call but the last.
    calls: usize,
    /// When it was counted, and how often the limit had changed before.
    counted: Option<(Millis, usize)>,
}

enum Event {
    RequestArrived,
    RequestPrepared,
    WriteArrived { call: usize, attempt: Box<Attempt>, answer_delay: Option<Millis> },
    AnswerArrived { call: usize, answer: Answer },
    CallFailed { call: usize, retry: Retry },
}

pub struct Simulation<'s> {
    scenario: &'s Scenario,
    rules: Rules,
    now: Millis,
    item: Item,
    /// The limits that an administrator has set, the first one included.
    limits: Vec<u32>,
    functions: Vec<Function>,
    /// What happens next, and to which request. The second number orders events of the same time.
    events: BTreeMap<(Millis, usize), (usize, Event)>,
    event_number: usize,
    progress: Vec<Progress>,
    /// The sequence numbers that admitted requests were told.
    sequence_numbers: BTreeSet<u64>,
    /// When each admitted request was counted, by the number of changes of the limit before.
    admitted: BTreeMap<usize, Vec<Millis>>,
    tally: Tally,
}

impl<'s> Simulation<'s> {
    pub fn new(scenario: &'s Scenario, rules: Rules) -> Self {
        let function = |&clock_lead| Function { clock_lead, cached: None };
        Self {
            scenario,
            rules,
            now: START,
            item: Item::new(scenario.stored, scenario.per_minute),
            limits: vec![scenario.per_minute],
            functions: scenario.clock_leads.iter().map(function).collect(),
            events: BTreeMap::new(),
            event_number: 0,
            progress: vec![Progress::default(); scenario.requests.len()],
            sequence_numbers: BTreeSet::new(),
            admitted: BTreeMap::new(),
            tally: Tally::default(),
        }
    }

    /// Runs the scenario. An error says which property does not hold.
    pub fn run(mut self) -> Result<Tally, String> {
        let mut time = START;
        for (request, Request { gap, .. }) in self.scenario.requests.iter().enumerate() {
            time += gap;
            self.schedule(time, request, Event::RequestArrived);
        }
        while let Some(((time, _), (request, event))) = self.events.pop_first() {
            self.now = time;
            self.tally.events += 1;
            match event {
                Event::RequestArrived => self.receive(request),
                Event::RequestPrepared => self.try_admit(request),
                Event::WriteArrived { call, attempt, answer_delay } => {
                    self.apply(request, call, &attempt, answer_delay)?;
                }
                Event::AnswerArrived { call, answer } if call == self.progress[request].calls => {
                    self.conclude(request, answer)?;
                }
                Event::CallFailed { call, retry } if call == self.progress[request].calls => self.retry(request, retry),
                Event::AnswerArrived { .. } | Event::CallFailed { .. } => {}
            }
        }
        self.check_limit()?;
        let counted = self.progress.iter().filter(|progress| progress.counted.is_some()).count();
        if self.item.counters.n != u64::try_from(counted).unwrap() {
            return Err("n is not the number of counted requests".into());
        }
        self.tally.requests = self.scenario.requests.len().try_into().unwrap();
        self.tally.admitted = self.sequence_numbers.len().try_into().unwrap();
        Ok(self.tally)
    }

    fn schedule(&mut self, time: Millis, request: usize, event: Event) {
        self.event_number += 1;
        self.events.insert((time, self.event_number), (request, event));
    }

    fn receive(&mut self, request: usize) {
        let Request { new_limit, preparation, forgotten, .. } = self.scenario.requests[request];
        if forgotten {
            self.function(request).cached = None;
        }
        if let (Some(per_minute), true) = (new_limit, self.scenario.stored) {
            self.item.set_limit(per_minute, &self.rules);
            self.limits.push(per_minute);
        }
        self.progress[request].arrived = self.local_time(request);
        if preparation == 0 {
            self.try_admit(request);
        } else {
            self.schedule(self.now + preparation, request, Event::RequestPrepared);
        }
    }

    fn function(&mut self, request: usize) -> &mut Function {
        let index = self.scenario.requests[request].function % self.functions.len();
        &mut self.functions[index]
    }

    fn local_time(&mut self, request: usize) -> Millis {
        self.now + self.function(request).clock_lead
    }

    /// The clock reading of a write that is sent now.
    fn reading(&mut self, request: usize) -> Millis {
        if self.rules.clock_read_before_write { self.local_time(request) } else { self.progress[request].arrived }
    }

    /// Admits or refuses a request by the function's cached state.
    fn try_admit(&mut self, request: usize) {
        loop {
            let Progress { attempts, calls, .. } = self.progress[request];
            if attempts >= MAX_ATTEMPTS || calls >= self.scenario.requests[request].calls.len() {
                self.tally.uncertain += 1;
                return;
            }
            self.progress[request].attempts += 1;
            let (now, local_time, reading) = (self.now, self.local_time(request), self.reading(request));
            let token = write_token(request);
            let (state, read_at) = match self.function(request).cached.clone() {
                Some(cached) => cached,
                None if calls == 0 && self.scenario.requests[request].connected => {
                    self.progress[request].attempts = 0;
                    self.progress[request].attempt = Some(Attempt::blind(reading, now, token));
                    return self.send(request);
                }
                None => self.refresh(request, Arc::new(self.item.clone())),
            };
            let attempt = Attempt::new(&self.rules, &state, reading, now, token);
            if attempt.is_some() {
                self.progress[request].attempt = attempt;
                return self.send(request);
            }
            if local_time - read_at < REFUSAL_TTL {
                self.tally.refused += 1;
                return;
            }
            self.refresh(request, Arc::new(self.item.clone()));
        }
    }

    /// Sends the last write of the current attempt.
    fn send(&mut self, request: usize) {
        let Progress { attempt, calls, .. } = &mut self.progress[request];
        let Call { throttled, write_delay, answer_delay, timeout } = self.scenario.requests[request].calls[*calls];
        *calls += 1;
        let (call, attempt) = (*calls, Box::new(attempt.clone().unwrap()));
        if throttled {
            self.schedule(self.now + timeout, request, Event::CallFailed { call, retry: Retry::Safe });
            return;
        }
        let answered_after = write_delay.zip(answer_delay).map(|(write, answer)| write + answer);
        let in_time = answered_after.is_some_and(|delay| delay <= timeout);
        if !in_time {
            self.schedule(self.now + timeout, request, Event::CallFailed { call, retry: Retry::OnlyIfUnapplied });
        }
        if let Some(delay) = write_delay {
            let answer_delay = answer_delay.filter(|_| in_time);
            self.schedule(self.now + delay, request, Event::WriteArrived { call, attempt, answer_delay });
        }
    }

    /// Applies a write if its condition holds, and sends the answer.
    fn apply(
        &mut self,
        request: usize,
        call: usize,
        attempt: &Attempt,
        answer_delay: Option<Millis>,
    ) -> Result<(), String> {
        let applied = self.item.apply(&attempt.last().write, attempt.version, &self.rules);
        let counted = (self.now, self.limits.len() - 1);
        if applied && self.progress[request].counted.replace(counted).is_some() {
            return Err(format!("request {request} is counted twice"));
        }
        if let Some(delay) = answer_delay {
            let answer = Answer { applied, item: Arc::new(self.item.clone()) };
            self.schedule(self.now + delay, request, Event::AnswerArrived { call, answer });
        }
        Ok(())
    }

    /// The function receives the answer to the last write of a request.
    fn conclude(&mut self, request: usize, answer: Answer) -> Result<(), String> {
        let attempt = self.progress[request].attempt.as_ref().unwrap();
        let sequence = answer.item.counters.n;
        match attempt.conclude(&self.rules, &answer, self.now) {
            Conclusion::Admitted => {
                self.refresh(request, answer.item);
                return self.record_admission(request, sequence);
            }
            Conclusion::Late => {
                self.refresh(request, answer.item);
                self.tally.late += 1;
            }
            Conclusion::Rejected => {
                self.refresh(request, answer.item);
                self.try_admit(request);
            }
            Conclusion::Unknown => self.tally.uncertain += 1,
            Conclusion::OtherVersion => {
                self.function(request).cached = None;
                self.tally.uncertain += 1;
            }
            Conclusion::Mismatch => return Err("the item after a write does not match the write".into()),
        }
        Ok(())
    }

    /// Caches what the database reported.
    fn refresh(&mut self, request: usize, item: Arc<Item>) -> (Arc<Item>, Millis) {
        let local_time = self.local_time(request);
        self.function(request).cached.insert((item, local_time)).clone()
    }

    /// The function sends its write once more, then the request fails.
    fn retry(&mut self, request: usize, retry: Retry) {
        let (now, reading) = (self.now, self.reading(request));
        let Progress { attempt: Some(attempt), calls, .. } = &self.progress[request] else { return };
        let second = attempt.retry(&self.rules, retry, reading, now);
        if second.is_some() && *calls < self.scenario.requests[request].calls.len() {
            self.progress[request].attempt = second;
            self.send(request);
        } else {
            self.tally.uncertain += 1;
        }
    }

    fn record_admission(&mut self, request: usize, sequence: u64) -> Result<(), String> {
        let Some((time, changes)) = self.progress[request].counted else {
            return Err(format!("request {request} is admitted and not counted"));
        };
        self.admitted.entry(changes).or_default().push(time);
        if self.sequence_numbers.insert(sequence) {
            Ok(())
        } else {
            Err(format!("two admissions have the sequence number {sequence}"))
        }
    }

    /// Checks that no 60 seconds without a change of the limit have more admissions than the limit.
    fn check_limit(&mut self) -> Result<(), String> {
        for (changes, times) in &mut self.admitted {
            times.sort_unstable();
            let limit = usize::try_from(self.limits[*changes]).unwrap();
            if let Some(run) = times.windows(limit + 1).find(|run| run[limit] - run[0] < MINUTE) {
                return Err(format!("more than {limit} in the minute from {} ms", run[0] - START));
            }
        }
        Ok(())
    }
}
