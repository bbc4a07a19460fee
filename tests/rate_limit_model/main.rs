//! The rate limit in a model: a key with a limit of L per minute is admitted at most L times in any 60 seconds, over
//! any number of functions, and no request is counted twice.
//!
//! [`simulation`] runs the product's own pure code against a model of the database. Proptest generates the scenarios,
//! and reduces one that breaks the limit to a small one.
//!
//! The seeds are fixed, so every run tests the same scenarios and gives the same figures. A failure therefore repeats
//! by itself, and no regressions are saved.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests stop at unexpected errors")]

mod simulation;

use std::cell::Cell;
use std::ops::Add;
use std::thread;
use std::time::{Duration, SystemTime};

use passloom::access::limiter::window::{Decision, slot};
use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use simulation::{Call, Decide, MAX_CLOCK_LEAD, MAX_WRITE_DELAY, Request, Rules, Scenario, Simulation, Tally};

fn call() -> impl Strategy<Value = Call> {
    let applied_after = prop_oneof![
        14 => (0..80_u64).prop_map(Some),
        1 => (0..MAX_WRITE_DELAY).prop_map(Some),
        1 => Just(None),
    ];
    (applied_after, 80..160_u64, prop::bool::weighted(0.06)).prop_map(|(applied_after, timeout, answer_lost)| Call {
        applied_after,
        timeout,
        answer_lost,
    })
}

fn request() -> impl Strategy<Value = Request> {
    let gap = prop_oneof![6 => 0..80_u64, 3 => 0..2_500_u64, 1 => 0..30_000_u64];
    let new_limit = prop::option::weighted(0.002, 1..=20_u32);
    (gap, 0..8_usize, new_limit, prop::array::uniform4(call())).prop_map(|(gap, function, new_limit, calls)| Request {
        gap,
        function,
        new_limit,
        calls,
    })
}

fn scenario(requests: usize) -> impl Strategy<Value = Scenario> {
    let clock_leads = prop::collection::vec(0..=MAX_CLOCK_LEAD, 1..=8);
    (1..=40_u32, clock_leads, prop::collection::vec(request(), 0..=requests))
        .prop_map(|(per_minute, clock_leads, requests)| Scenario { per_minute, clock_leads, requests })
}

/// Runs `scenarios` scenarios of up to `requests` requests. Returns what happened in all of them, or the smallest
/// scenario that fails.
fn run(rules: Rules, seed: u8, scenarios: u32, requests: usize) -> Result<Tally, Scenario> {
    let total = Cell::new(Tally::default());
    let config = Config { cases: scenarios, failure_persistence: None, max_shrink_iters: 20_000, ..Config::default() };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[seed; 32]);
    let result = TestRunner::new_with_rng(config, rng).run(&scenario(requests), |scenario| {
        let tally = Simulation::new(&scenario, rules).run().map_err(TestCaseError::fail)?;
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
#[expect(clippy::print_stdout, reason = "shows the figures of the model")]
fn limit_holds_despite_clock_skew_delays_and_lost_answers() {
    let halves = [1, 2].map(|seed| thread::spawn(move || run(Rules::default(), seed, 650, 2_000)));
    let total = halves.map(|half| half.join().unwrap().unwrap()).into_iter().fold(Tally::default(), Tally::add);
    println!("{total:?}");
    let Tally { requests, admitted, refused, uncertain, events } = total;
    // The scenarios reach every path: requests are admitted, refused from the cached state, and left uncertain by lost
    // answers.
    assert!(requests > 1_000_000 && events > 2_000_000, "{total:?}");
    assert!(admitted > 100_000 && refused > 500_000 && uncertain > 1_000, "{total:?}");
}

/// The model finds every wrong rule, and reduces it to a few requests that show why it is wrong.
#[test]
fn wrong_rules_break_the_limit() {
    fn minute_of(now: SystemTime) -> u64 {
        slot(now) / 30
    }
    let fixed_window: Decide = |counters, limits, now| {
        let in_minute = counters.slots.iter().filter(|(slot, _)| **slot / 30 >= minute_of(now));
        let floor = in_minute.map(|(_, snapshot)| *snapshot).min().unwrap_or(counters.n);
        let ceiling = floor + u64::from(limits.per_minute.get());
        if counters.n < ceiling { Decision::Admit { ceiling } } else { Decision::Refuse { until: now } }
    };
    let half_window: Decide = |counters, limits, now| counters.decide(limits, now + Duration::from_secs(30));
    let ceiling_too_high: Decide = |counters, limits, now| match counters.decide(limits, now) {
        Decision::Admit { ceiling } => Decision::Admit { ceiling: ceiling + 1 },
        refuse @ Decision::Refuse { .. } => refuse,
    };
    let right = Rules::default();
    for (name, rules) in [
        ("a fixed window", Rules { decide: fixed_window, ..right }),
        ("a window of half a minute", Rules { decide: half_window, ..right }),
        ("a ceiling that is too high by one", Rules { decide: ceiling_too_high, ..right }),
        (
            "a repeated write with the precondition of the first",
            Rules { repetition_requires_unchanged_n: false, ..right },
        ),
        ("a repeated write that does not raise the epoch", Rules { repetition_raises_epoch: false, ..right }),
    ] {
        let failure = run(rules, 7, 1_000, 1_000);
        let requests = failure.err().unwrap_or_else(|| panic!("{name} breaks nothing")).requests.len();
        assert!(requests <= 200, "{name}: {requests} requests, not reduced");
    }
}
