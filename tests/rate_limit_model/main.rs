//! The rate limit in two models: a key with a limit of L per minute is admitted at most L times in any 60 seconds,
//! over any number of functions, and no request is counted twice. Both run the product's own pure code.
//!
//! [`simulation`] runs long random scenarios. Proptest generates them, and reduces one that breaks the limit to a
//! small one. [`exhaustive`] explores every state that a few requests can reach.
//!
//! The seeds are fixed, so every run tests the same scenarios and gives the same figures. A failure therefore repeats
//! by itself, and no regressions are saved.

#![expect(unreachable_pub, clippy::unwrap_used, reason = "tests stop at unexpected errors")]

mod database;
mod exhaustive;
mod function;
mod rules;
mod simulation;
mod state_space;

use std::cell::Cell;
use std::ops::Add;
use std::thread;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestError, TestRng, TestRunner};

use function::{MAX_CLOCK_SKEW, Millis};
use rules::{Rules, wrong_rules};
use simulation::{Call, Request, Scenario, Simulation, Tally};

/// One number selects a delay, because choices between strategies are slow. Most delays are short, some are about as
/// long as a function waits for an answer, and a few are longer than a snapshot stays in the item.
fn delay() -> impl Strategy<Value = Option<Millis>> {
    (0..1_000_000_u64).prop_map(|draw| match draw {
        0..850_000 => Some(draw / 14_000),
        850_000..900_000 => Some((draw - 850_000) / 25),
        900_000..930_000 => Some((draw - 900_000) / 3),
        930_000..950_000 => Some((draw - 930_000) * 6),
        _ => None,
    })
}

fn call() -> impl Strategy<Value = Call> {
    let timeout = (0..1_000_000_u64).prop_map(|draw| match draw {
        0..880_000 => 80 + draw / 11_000,
        880_000..960_000 => 80 + (draw - 880_000) / 25,
        _ => 80 + (draw - 960_000) * 3,
    });
    (prop::bool::weighted(0.02), delay(), delay(), timeout).prop_map(
        |(throttled, write_delay, answer_delay, timeout)| Call { throttled, write_delay, answer_delay, timeout },
    )
}

fn request() -> impl Strategy<Value = Request> {
    let gap = prop_oneof![6 => 0..80_u64, 3 => 0..2_500_u64, 1 => 0..30_000_u64];
    // The caller controls it: it can send its request slowly.
    let preparation = prop_oneof![20 => Just(0), 2 => 0..100_u64, 1 => 0..70_000_u64];
    let new_limit = prop::option::weighted(0.002, 1..=20_u32);
    let (forgotten, connected) = (prop::bool::weighted(0.01), any::<bool>());
    (gap, preparation, 0..8_usize, forgotten, connected, new_limit, prop::array::uniform4(call())).prop_map(
        |(gap, preparation, function, forgotten, connected, new_limit, calls)| Request {
            gap,
            preparation,
            function,
            forgotten,
            connected,
            new_limit,
            calls,
        },
    )
}

fn scenario(requests: usize) -> impl Strategy<Value = Scenario> {
    let clock_lead = prop_oneof![0..=MAX_CLOCK_SKEW, Just(0), Just(MAX_CLOCK_SKEW)];
    let clock_leads = prop::collection::vec(clock_lead, 1..=8);
    (1..=40_u32, prop::bool::weighted(0.9), clock_leads, prop::collection::vec(request(), 0..=requests))
        .prop_map(|(per_minute, stored, clock_leads, requests)| Scenario { per_minute, stored, clock_leads, requests })
}

/// Runs `scenarios` scenarios of up to `requests` requests. Returns what happened in all of them, or the smallest
/// scenario that fails, with the property that does not hold.
fn run(rules: Rules, seed: u8, scenarios: u32, requests: usize) -> Result<Tally, (String, Scenario)> {
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
        Err(TestError::Fail(reason, scenario)) => Err((reason.to_string(), scenario)),
        Err(error @ TestError::Abort(_)) => panic!("{error}"),
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "shows the figures of the model")]
fn limit_holds_despite_clock_skew_delays_and_lost_answers() {
    let halves = [1, 2].map(|seed| thread::spawn(move || run(Rules::default(), seed, 650, 2_000)));
    let total = halves.map(|half| half.join().unwrap().unwrap()).into_iter().fold(Tally::default(), Tally::add);
    println!("{total:?}");
    let Tally { requests, admitted, refused, late, uncertain, events } = total;
    // The scenarios reach every path: requests are admitted, refused from the cached state, answered too late, and left
    // uncertain by lost answers.
    assert!(requests > 1_000_000 && events > 2_000_000, "{total:?}");
    assert!(admitted > 100_000 && refused > 500_000 && late > 1_000 && uncertain > 1_000, "{total:?}");
}

/// The model finds every wrong rule, and reduces it to a few requests that show why it is wrong.
#[test]
#[expect(clippy::print_stdout, reason = "shows what the model finds")]
fn wrong_rules_break_the_limit() {
    for (name, rules) in wrong_rules() {
        let failure = run(rules, 10, 10_000, 200);
        let (reason, scenario) = failure.err().unwrap_or_else(|| panic!("{name} breaks nothing"));
        let requests = scenario.requests.len();
        println!("{name}: {reason}, in {requests} requests");
        assert!(requests <= 100, "{name}: {requests} requests, not reduced");
    }
}
