//! The promise, in a model: a key with a limit of L per minute is admitted at most L times in any 60
//! seconds, over any number of functions, and no request is counted twice.
//!
//! [`world`] drives the product's own pure code; here it is given scenarios, of which proptest looks
//! for the smallest that breaks the promise. The seeds are fixed: every run tries the same.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests stop at what they did not expect")]

mod lease;
mod world;

use std::cell::Cell;
use std::ops::Add;
use std::thread;
use std::time::{Duration, SystemTime};

use passloom::access::limit::{Decision, slot};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use world::{Decide, MOST_AHEAD, MOST_DELAY, Rules, Scenario, Send, Step, Tally, World};

fn send() -> impl Strategy<Value = Send> {
    let lands = prop_oneof![14 => (0..80_u64).prop_map(Some), 1 => (0..MOST_DELAY).prop_map(Some), 1 => Just(None)];
    (lands, 80..160_u64, prop::bool::weighted(0.06)).prop_map(|(lands, gives_up, lost)| Send { lands, gives_up, lost })
}

fn step() -> impl Strategy<Value = Step> {
    let gap = prop_oneof![6 => 0..80_u64, 3 => 0..2_500_u64, 1 => 0..30_000_u64];
    let change = prop::option::weighted(0.002, 1..=20_u32);
    (gap, 0..8_usize, change, prop::array::uniform4(send())).prop_map(|(gap, function, change, sends)| Step {
        gap,
        function,
        change,
        sends,
    })
}

fn scenario(steps: usize) -> impl Strategy<Value = Scenario> {
    let lease = prop_oneof![2 => Just(1_u32), 1 => 2..=20_u32];
    (1..=40_u32, lease, prop::collection::vec(0..=MOST_AHEAD, 1..=8), prop::collection::vec(step(), 0..=steps))
        .prop_map(|(per_minute, lease, ahead, steps)| Scenario { per_minute, lease, ahead, steps })
}

/// Tries that many scenarios; the smallest that fails, if one does.
fn smallest_failure(rules: Rules, seed: u8, scenarios: u32, steps: usize) -> Result<Tally, Scenario> {
    let total = Cell::new(Tally::default());
    let config = Config { cases: scenarios, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let result = TestRunner::new_with_rng(config, rng).run(&scenario(steps), |scenario| {
        let tally = World::new(&scenario, rules).run().map_err(TestCaseError::fail)?;
        total.set(total.get() + tally);
        Ok(())
    });
    match result {
        Ok(()) => Ok(total.get()),
        Err(TestError::Fail(_, scenario)) => Err(scenario),
        Err(error @ TestError::Abort(_)) => panic!("{error}"),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are to be seen")]
fn the_promise_holds_whatever_happens_to_functions_and_answers() {
    let halves = [1, 2].map(|seed| thread::spawn(move || smallest_failure(Rules::default(), seed, 650, 2_000)));
    let total = halves.map(|half| half.join().unwrap().unwrap()).into_iter().fold(Tally::default(), Tally::add);
    println!("{total:?}");
    let Tally { requests, admitted, refused, leased, uncertain, events, .. } = total;
    // The model is not idle: requests are admitted, refused from memory, served from leases, and left
    // uncertain by lost answers.
    assert!(requests > 1_000_000 && events > 2_000_000, "{total:?}");
    assert!(admitted > 100_000 && refused > 500_000 && leased > 3_000 && uncertain > 1_000, "{total:?}");
}

/// The same model with rules that are wrong: each breaks the promise, and a few requests show how.
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
    let right = Rules::default();
    for (name, rules) in [
        ("a fixed window", Rules { decide: fixed_window, ..right }),
        ("half a minute", Rules { decide: short_window, ..right }),
        ("one more than the ceiling", Rules { decide: no_ceiling, ..right }),
        ("a repetition that is sent as the write was", Rules { repeats_proven: false, ..right }),
        ("a repetition that leaves the epoch", Rules { repeats_fenced: false, ..right }),
        ("a lease that outlives its slot", Rules { leases_end: false, ..right }),
    ] {
        let failure = smallest_failure(rules, 7, 1_000, 1_000);
        let steps = failure.err().unwrap_or_else(|| panic!("{name} breaks nothing")).steps.len();
        assert!(steps <= 200, "{name}: {steps} requests, not shrunk");
    }
}
