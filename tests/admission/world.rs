//! Functions with clocks that disagree and views that are old decide with the product's own pure code;
//! writes take their time, arrive after they were given up, and their answers get lost. The item is
//! linearizable, as DynamoDB's is: one write after another, each with its condition. Every admission is
//! logged at the moment its write took place, or its place was spent.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::num::NonZeroU32;
use std::ops::Add;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use passloom::access::Limits;
use passloom::access::claim::{Bound, Claim, Fate};
use passloom::access::lease::Lease;
use passloom::access::limit::{Counters, Decision};

/// Milliseconds since 1970.
pub type Millis = u64;

/// 2026-01-01T23:30:00Z: a midnight comes along.
const BEGIN: Millis = 1_767_310_200_000;
/// How far ahead a function's clock may be, and how long after a request begins its writes may take
/// place: together two seconds.
pub const MOST_AHEAD: Millis = 1_000;
pub const MOST_DELAY: Millis = 1_000;
const REMEMBERED: Millis = 10_000;
const MINUTE: Millis = 60_000;
const SLOT: Millis = 2_000;

/// How a function decides: the product's way, or a wrong one.
pub type Decide = fn(&Counters, Limits, SystemTime) -> Decision;

/// What the functions do, where it is not the product's own code that decides.
#[derive(Clone, Copy)]
pub struct Rules {
    pub decide: Decide,
    /// A repetition takes place only if nobody has written since.
    pub repeats_proven: bool,
    /// A repetition raises the epoch.
    pub repeats_fenced: bool,
    /// A lease ends with its slot.
    pub leases_end: bool,
}

impl Default for Rules {
    fn default() -> Self {
        Self { decide: Counters::decide, repeats_proven: true, repeats_fenced: true, leases_end: true }
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Scenario {
    pub per_minute: u32,
    pub lease: u32,
    /// How far ahead the clock of each function is.
    pub ahead: Vec<Millis>,
    pub steps: Vec<Step>,
}

/// One request.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// After the one before it.
    pub gap: Millis,
    pub function: usize,
    /// An administrator changes the limit just before.
    pub change: Option<u32>,
    /// What becomes of its calls, one after the other.
    pub sends: [Send; 4],
}

/// What becomes of a write.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Send {
    /// When it takes place, if it does.
    pub lands: Option<Millis>,
    /// When the function stops waiting.
    pub gives_up: Millis,
    /// Whether the answer is lost.
    pub lost: bool,
}

/// What has happened.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tally {
    pub requests: u64,
    pub admitted: u64,
    /// From memory.
    pub refused: u64,
    /// Admitted with no write of their own.
    pub leased: u64,
    /// Not admitted, for all that may have been counted.
    pub uncertain: u64,
    pub events: u64,
    /// Writes that took place.
    pub writes: u64,
}

impl Add for Tally {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests + other.requests,
            admitted: self.admitted + other.admitted,
            refused: self.refused + other.refused,
            leased: self.leased + other.leased,
            uncertain: self.uncertain + other.uncertain,
            events: self.events + other.events,
            writes: self.writes + other.writes,
        }
    }
}

/// The one item of the key.
#[derive(Clone)]
struct Item {
    version: u64,
    limits: Limits,
    counters: Counters,
}

/// A function, and what it knows of the item.
struct Function {
    ahead: Millis,
    view: Option<(Item, Millis)>,
    lease: Lease,
}

/// One write on its way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Write {
    request: usize,
    /// The first write, and what is sent: the same, or its repetition.
    first: Claim,
    sent: Claim,
    version: u64,
    attempt: usize,
    views: u32,
    answered: bool,
}

/// What happens next, and when.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Asked { request: usize },
    Arrived(Write),
    GivenUp(Write),
}

pub struct World<'s> {
    scenario: &'s Scenario,
    rules: Rules,
    now: Millis,
    item: Item,
    /// When an administrator changed the limit.
    changed: Millis,
    functions: Vec<Function>,
    events: BinaryHeap<Reverse<(Millis, usize, Event)>>,
    order: usize,
    /// When each request began, by the function's clock.
    began: Vec<Millis>,
    /// When each admission took place, by sequence number.
    admitted: BTreeMap<u64, Millis>,
    /// Requests that were counted, requests that are settled, and the writes that have taken place by
    /// request, while their fate is open.
    counted: BTreeSet<usize>,
    settled: BTreeSet<usize>,
    landings: BTreeMap<usize, Millis>,
    places: u64,
    tally: Tally,
}

fn time(millis: Millis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

pub fn limits(per_minute: u32) -> Limits {
    Limits { per_minute: NonZeroU32::new(per_minute).unwrap(), per_day: NonZeroU32::new(100_000_000).unwrap() }
}

impl<'s> World<'s> {
    pub fn new(scenario: &'s Scenario, rules: Rules) -> Self {
        let function = |&ahead| Function { ahead, view: None, lease: Lease::default() };
        Self {
            scenario,
            rules,
            now: BEGIN,
            item: Item { version: 1, limits: limits(scenario.per_minute), counters: Counters::default() },
            changed: BEGIN,
            functions: scenario.ahead.iter().map(function).collect(),
            events: BinaryHeap::new(),
            order: 0,
            began: vec![0; scenario.steps.len()],
            admitted: BTreeMap::new(),
            counted: BTreeSet::new(),
            settled: BTreeSet::new(),
            landings: BTreeMap::new(),
            places: 0,
            tally: Tally::default(),
        }
    }

    fn at(&mut self, when: Millis, event: Event) {
        self.order += 1;
        self.events.push(Reverse((when, self.order, event)));
    }

    /// Sends the requests and lets happen what comes of them.
    pub fn run(mut self) -> Result<Tally, String> {
        let mut when = BEGIN;
        for (request, step) in self.scenario.steps.iter().enumerate() {
            when += step.gap;
            self.at(when, Event::Asked { request });
        }
        while let Some(Reverse((when, _, event))) = self.events.pop() {
            self.now = when;
            self.tally.events += 1;
            match event {
                Event::Asked { request } => self.ask(request)?,
                Event::Arrived(write) => self.arrive(&write)?,
                Event::GivenUp(write) => self.give_up(write),
            }
        }
        self.check()?;
        if self.item.counters.n != self.places {
            return Err("n is not the places that were taken".into());
        }
        self.tally.requests = self.scenario.steps.len().try_into().unwrap();
        self.tally.admitted = self.admitted.len().try_into().unwrap();
        Ok(self.tally)
    }

    fn ask(&mut self, request: usize) -> Result<(), String> {
        if let Some(per_minute) = self.scenario.steps[request].change {
            // The promise is about a limit that stays: the log begins anew, for leases after their slot.
            self.check()?;
            self.changed = self.now + if self.scenario.lease > 1 { SLOT } else { 0 };
            self.item.limits = limits(per_minute);
            self.item.version += 1;
        }
        self.began[request] = self.now + self.functions[self.function(request)].ahead;
        self.step(request, 0, 3)
    }

    fn function(&self, request: usize) -> usize {
        self.scenario.steps[request].function % self.functions.len()
    }

    /// What the store does with its view of the key.
    fn step(&mut self, request: usize, attempt: usize, views: u32) -> Result<(), String> {
        let (local, item) = (self.began[request], self.item.clone());
        let index = self.function(request);
        let function = &mut self.functions[index];
        if views == 0 || attempt >= 4 {
            self.tally.uncertain += 1;
            return Ok(());
        }
        let (view, seen) = function.view.get_or_insert((item, local)).clone();
        let spending = if self.rules.leases_end { time(local) } else { time(local - local % (10 * SLOT)) };
        if let Some(sequence) = function.lease.spend(spending) {
            self.tally.leased += 1;
            return self.admit(request, sequence, self.now);
        }
        match (self.rules.decide)(&view.counters, view.limits, time(local)) {
            Decision::Refuse { .. } if local.saturating_sub(seen) < REMEMBERED => {
                self.tally.refused += 1;
                Ok(())
            }
            Decision::Refuse { .. } => {
                function.view = None;
                self.step(request, attempt, views - 1)
            }
            Decision::Admit { ceiling } => {
                let wanted = function.lease.wanted(spending, NonZeroU32::new(self.scenario.lease).unwrap());
                let mut mark = [0; 16];
                mark[..8].copy_from_slice(&u64::try_from(request + 1).unwrap().to_be_bytes());
                let claim = Claim::new(&view.counters, ceiling, wanted, time(local), mark);
                let (first, sent) = (claim.clone(), claim);
                self.send(Write { request, first, sent, version: view.version, attempt, views, answered: true });
                Ok(())
            }
        }
    }

    fn send(&mut self, mut write: Write) {
        let step = &self.scenario.steps[write.request];
        let Send { lands, gives_up, lost } = step.sends[write.attempt];
        let began = self.began[write.request] - self.functions[self.function(write.request)].ahead;
        let lands = lands.map(|delay| (self.now + delay).min((began + MOST_DELAY).max(self.now)));
        write.answered = !lost && lands.is_some_and(|lands| lands <= self.now + gives_up);
        if !write.answered {
            self.at(self.now + gives_up, Event::GivenUp(write.clone()));
        }
        if let Some(lands) = lands {
            self.at(lands, Event::Arrived(write));
        }
    }

    /// The conditional write, and what its answer tells, unless that is lost.
    fn arrive(&mut self, write: &Write) -> Result<(), String> {
        let Item { version, counters, .. } = &mut self.item;
        let Claim { mark, places, bound, epoch, slot, day, stale, .. } = &write.sent;
        let bound_holds = match bound {
            Bound::Absent => false,
            Bound::Below(bound) => counters.n < *bound,
            Bound::Exactly(bound) => counters.n == *bound,
        };
        let holds = bound_holds && counters.epoch == *epoch && *version == write.version;
        if holds {
            counters.slots.entry(*slot).or_insert(counters.n);
            counters.days.entry(*day).or_insert(counters.n);
            counters.n += places;
            counters.last = *mark;
            counters.slots.retain(|slot, _| !stale.0.contains(slot));
            counters.days.retain(|day, _| !stale.1.contains(day));
            counters.epoch += u64::from(self.rules.repeats_fenced && matches!(bound, Bound::Exactly(_)));
            self.places += places;
            self.tally.writes += 1;
            self.landings.insert(write.request, self.now);
            if !self.counted.insert(write.request) {
                return Err(format!("request {} is counted twice", write.request));
            }
        }
        let item = self.item.clone();
        if !write.answered {
            return Ok(());
        }
        let fate = match holds {
            true => Fate::Landed,
            false if write.sent == write.first => Fate::Void,
            false => write.first.fate(&item.counters),
        };
        let local = self.began[write.request];
        let index = self.function(write.request);
        match fate {
            Fate::Landed => {
                if !write.first.fits(&item.counters) {
                    return Err("the item after a write does not fit it".into());
                }
                let (n, places) = (item.counters.n, write.first.places);
                let function = &mut self.functions[index];
                function.view = Some((item, local));
                let renewed = if self.rules.leases_end { time(local) } else { time(local - local % (10 * SLOT)) };
                let sequence = function.lease.renew(n, places, renewed);
                self.admit(write.request, sequence, self.landings[&write.request])
            }
            Fate::Void => {
                self.functions[index].view = Some((item, local));
                self.step(write.request, write.attempt + 1, write.views - 1)
            }
            Fate::Unknown => {
                self.tally.uncertain += 1;
                Ok(())
            }
        }
    }

    /// Once more, in the way that a lost answer asks for; then the request fails.
    fn give_up(&mut self, write: Write) {
        if write.sent != write.first || write.attempt >= 3 {
            self.tally.uncertain += 1;
        } else {
            let sent = if self.rules.repeats_proven { write.first.repeated() } else { write.first.clone() };
            self.send(Write { sent, attempt: write.attempt + 1, ..write });
        }
    }

    fn admit(&mut self, request: usize, sequence: u64, when: Millis) -> Result<(), String> {
        if !self.settled.insert(request) {
            return Err(format!("request {request} is answered twice"));
        }
        match self.admitted.insert(sequence, when) {
            None => Ok(()),
            Some(_) => Err(format!("sequence number {sequence} twice")),
        }
    }

    /// No 60 seconds hold more admissions than the limit.
    fn check(&self) -> Result<(), String> {
        let moments = self.admitted.values().copied();
        let mut moments: Vec<Millis> = moments.filter(|when| *when >= self.changed).collect();
        moments.sort_unstable();
        let limit = usize::try_from(self.item.limits.per_minute.get()).unwrap();
        match moments.windows(limit + 1).find(|run| run[limit] - run[0] < MINUTE) {
            Some(run) => Err(format!("more than {limit} in the minute from {}", run[0] - BEGIN)),
            None => Ok(()),
        }
    }
}
