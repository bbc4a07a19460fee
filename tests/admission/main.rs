//! The promise, in a model: a key with a limit of L per minute is admitted at most L times in any 60
//! seconds, over any number of functions.
//!
//! Functions with clocks that disagree and views that are old decide with the product's own pure code;
//! writes take their time, and their answers get lost. The item is linearizable, as DynamoDB's is: one
//! write after another, each with its condition. Every admission is logged at the moment its write took
//! place.

#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::num::NonZeroU32;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use passloom::access::Limits;
use passloom::access::limit::{Counters, Decision, day, slot};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// Milliseconds since 1970.
type Millis = u64;

/// 2026-01-01T23:30:00Z: a midnight comes along.
const BEGIN: Millis = 1_767_310_200_000;
/// How far ahead a function's clock may be, and how long a write may take: together two seconds.
const MOST_AHEAD: Millis = 1_000;
const MOST_DELAY: Millis = 1_000;
const REMEMBERED: Millis = 10_000;

fn time(millis: Millis) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(millis)
}

/// How a function decides: the product's way, or a wrong one.
type Decide = fn(&Counters, Limits, SystemTime) -> Decision;

/// The one item of the key.
#[derive(Clone)]
struct Item {
    version: u64,
    limits: Limits,
    counters: Counters,
    last: u64,
}

/// What a function knows of the item.
#[derive(Clone)]
struct View {
    item: Item,
    seen: Millis,
}

/// One write on its way.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Write {
    function: usize,
    request: u64,
    ceiling: u64,
    version: u64,
    slot: u64,
    day: u64,
    stale: (Vec<u64>, Vec<u64>),
    attempt: u32,
}

/// What happens next, and when.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Event {
    Asked { function: usize },
    Arrived(Write),
    TimedOut(Write),
    Changed { per_minute: u32 },
}

struct World {
    now: Millis,
    random: StdRng,
    decide: Decide,
    item: Item,
    /// When an administrator changed the limit.
    changed: Millis,
    ahead: Vec<Millis>,
    views: Vec<Option<View>>,
    events: BinaryHeap<Reverse<(Millis, u64, Event)>>,
    order: u64,
    requests: u64,
    /// When the write of an admitted request took place, and its sequence number.
    admitted: BTreeMap<u64, (Millis, u64)>,
    /// The same for every write that took place, by request.
    landed: BTreeMap<u64, Vec<(Millis, u64)>>,
    refused: u64,
}

impl World {
    fn new(seed: u64, decide: Decide) -> Self {
        let mut random = StdRng::seed_from_u64(seed);
        let functions = random.random_range(1..=8);
        let ahead = (0..functions).map(|_| random.random_range(0..=MOST_AHEAD)).collect();
        let limits = limits(random.random_range(1..=20));
        let item = Item { version: 1, limits, counters: Counters::default(), last: 0 };
        let views = (0..functions).map(|_| None).collect();
        Self {
            now: BEGIN,
            random,
            decide,
            item,
            changed: BEGIN,
            ahead,
            views,
            events: BinaryHeap::new(),
            order: 0,
            requests: 0,
            admitted: BTreeMap::new(),
            landed: BTreeMap::new(),
            refused: 0,
        }
    }

    fn at(&mut self, when: Millis, event: Event) {
        self.order += 1;
        self.events.push(Reverse((when, self.order, event)));
    }

    /// Sends requests in bursts and lulls, and lets happen what comes of them.
    fn run(&mut self, requests: usize) {
        let mut when = BEGIN;
        for _ in 0..requests {
            when += match self.random.random_range(0..10) {
                0 => self.random.random_range(0..30_000),
                1..=3 => self.random.random_range(0..2_500),
                _ => self.random.random_range(0..80),
            };
            let function = self.random.random_range(0..self.ahead.len());
            self.at(when, Event::Asked { function });
            if self.random.random_range(0..400) == 0 {
                let per_minute = self.random.random_range(1..=20);
                self.at(when, Event::Changed { per_minute });
            }
        }
        while let Some(Reverse((when, _, event))) = self.events.pop() {
            self.now = when;
            match event {
                Event::Asked { function } => {
                    self.requests += 1;
                    let request = self.requests;
                    self.step(function, request, 3);
                }
                Event::Arrived(write) => self.arrive(write),
                Event::TimedOut(write) => self.resend(write),
                // The promise is about a limit that stays: the log begins anew.
                Event::Changed { per_minute } => {
                    self.check();
                    self.changed = self.now;
                    self.item.limits = limits(per_minute);
                    self.item.version += 1;
                }
            }
        }
        self.check();
    }

    /// What the store does with its view of the key.
    fn step(&mut self, function: usize, request: u64, views: u32) {
        let local = self.now + self.ahead[function];
        if views == 0 {
            return;
        }
        let view = match &self.views[function] {
            Some(view) => view.clone(),
            None => View { item: self.item.clone(), seen: local },
        };
        self.views[function] = Some(view.clone());
        match (self.decide)(&view.item.counters, view.item.limits, time(local)) {
            Decision::Refuse { .. } if local - view.seen.min(local) < REMEMBERED => self.refused += 1,
            Decision::Refuse { .. } => {
                self.views[function] = None;
                self.step(function, request, views - 1);
            }
            Decision::Admit { ceiling } => {
                let stale = view.item.counters.stale(time(local));
                let (slot, day) = (slot(time(local)), day(time(local)));
                let version = view.item.version;
                self.send(Write { function, request, ceiling, version, slot, day, stale, attempt: 1 });
            }
        }
    }

    /// Arrives a little later, or never; and times out where no answer comes.
    fn send(&mut self, write: Write) {
        let delay = self.random.random_range(0..=MOST_DELAY);
        let fate = self.random.random_range(0..20);
        if fate > 0 {
            self.at(self.now + delay, Event::Arrived(write.clone()));
        } else {
            // Not even sent.
            self.at(self.now + delay, Event::TimedOut(write));
        }
    }

    /// The conditional write, and what its answer tells, unless that is lost.
    fn arrive(&mut self, write: Write) {
        let local = self.now + self.ahead[write.function];
        let Item { version, counters, last, .. } = &mut self.item;
        let good = counters.n < write.ceiling && *last != write.request && *version == write.version;
        if good {
            counters.slots.entry(write.slot).or_insert(counters.n);
            counters.days.entry(write.day).or_insert(counters.n);
            counters.n += 1;
            *last = write.request;
            counters.slots.retain(|slot, _| !write.stale.0.contains(slot));
            counters.days.retain(|day, _| !write.stale.1.contains(day));
            let sequence = counters.n;
            self.landed.entry(write.request).or_default().push((self.now, sequence));
        }
        if self.random.random_range(0..15) == 0 {
            self.at(self.now, Event::TimedOut(write));
            return;
        }
        let item = self.item.clone();
        let mine = item.last == write.request;
        let sequence = item.counters.n;
        self.views[write.function] = Some(View { item, seen: local });
        if mine && (good || write.attempt > 1) {
            let landing = self.landed[&write.request].last().unwrap().0;
            self.admitted.insert(write.request, (landing, sequence));
        } else if !good {
            self.step(write.function, write.request, 2);
        }
    }

    /// Once more under the same mark; then the request fails.
    fn resend(&mut self, write: Write) {
        if write.attempt == 1 {
            self.send(Write { attempt: 2, ..write });
        }
    }

    /// No 60 seconds hold more than the limit; no sequence number twice; nothing admitted uncounted.
    fn check(&self) {
        assert_eq!(self.broken(), None);
        let mut sequences: Vec<u64> = self.admitted.values().map(|(_, sequence)| *sequence).collect();
        sequences.sort_unstable();
        sequences.dedup();
        assert_eq!(sequences.len(), self.admitted.len(), "a sequence number twice");
    }

    /// The first minute with more admissions than the limit.
    fn broken(&self) -> Option<(Millis, usize)> {
        let moments = self.admitted.values().map(|(when, _)| *when);
        let mut moments: Vec<Millis> = moments.filter(|when| *when >= self.changed).collect();
        moments.sort_unstable();
        let limit = usize::try_from(self.item.limits.per_minute.get()).unwrap();
        moments.iter().enumerate().find_map(|(index, &moment)| {
            let within = moments[index..].iter().take_while(|&&other| other < moment + 60_000).count();
            (within > limit).then_some((moment, within))
        })
    }
}

fn limits(per_minute: u32) -> Limits {
    Limits { per_minute: NonZeroU32::new(per_minute).unwrap(), per_day: NonZeroU32::new(1_000_000).unwrap() }
}

#[test]
fn the_promise_holds_whatever_happens_to_functions_and_answers() {
    let (mut requests, mut admitted, mut refused) = (0, 0, 0);
    for seed in 0..200 {
        let mut world = World::new(seed, Counters::decide);
        world.run(2_000);
        requests += world.requests;
        admitted += u64::try_from(world.landed.len()).unwrap();
        refused += world.refused;
    }
    assert_eq!(requests, 400_000);
    // The model is not idle: requests are admitted, refused from memory, and contended for.
    assert!(admitted > 20_000 && refused > 100_000, "{admitted} admitted, {refused} refused at once");
}

/// The same model with rules that are wrong: each breaks the promise.
#[test]
fn wrong_rules_break_the_promise() {
    fn minute_of(now: SystemTime) -> u64 {
        slot(now) / 30
    }
    let fixed_window: Decide = |counters, limits, now| {
        let inside = counters.slots.iter().filter(|(slot, _)| **slot / 30 >= minute_of(now));
        let floor = inside.map(|(_, snapshot)| *snapshot).min().unwrap_or(counters.n);
        let ceiling = floor + u64::from(limits.per_minute.get());
        if counters.n < ceiling { Decision::Admit { ceiling } } else { Decision::Refuse { until: now } }
    };
    // As if the window were half a minute.
    let short_window: Decide = |counters, limits, now| counters.decide(limits, now + Duration::from_secs(30));
    // As if an old view told the present number.
    let no_ceiling: Decide = |counters, limits, now| match counters.decide(limits, now) {
        Decision::Admit { ceiling } => Decision::Admit { ceiling: ceiling + 1 },
        refuse @ Decision::Refuse { .. } => refuse,
    };
    for (name, decide) in
        [("a fixed window", fixed_window), ("half a minute", short_window), ("one more than the ceiling", no_ceiling)]
    {
        let broken = (0..50).any(|seed| {
            let mut world = World::new(seed, decide);
            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.run(2_000))).is_err()
        });
        assert!(broken, "{name}");
    }
}
