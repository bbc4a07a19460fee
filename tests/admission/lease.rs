//! What a lease saves in writes and costs in admissions.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::world::{Rules, Scenario, Send, Step, Tally, World};

const SECONDS: u64 = 180;

/// Requests that come at random, ten per cent more often than the limit allows, at functions whose
/// calls take five milliseconds and never fail.
fn crowd(per_minute: u32, functions: usize, lease: u32) -> Tally {
    let mut random = StdRng::seed_from_u64(1);
    let per_second = f64::from(per_minute) / 60.0 * 1.1;
    let (mut due, mut before, mut steps) = (0.0, 0, Vec::new());
    loop {
        // The time between arrivals that come independently of each other.
        due += -(1.0 - random.random::<f64>()).ln() / per_second * 1_000.0;
        if due >= 1_000.0 * f64::from(u32::try_from(SECONDS).unwrap()) {
            break;
        }
        let when: u64 = format!("{due:.0}").parse().unwrap();
        let calls = Send { lands: Some(5), gives_up: 100, lost: false };
        let function = random.random_range(0..functions);
        steps.push(Step { gap: when - before, function, change: None, sends: [calls; 4] });
        before = when;
    }
    let scenario = Scenario { per_minute, lease, ahead: vec![0; functions], steps };
    World::new(&scenario, Rules::default()).run().unwrap()
}

#[test]
#[expect(clippy::print_stdout, reason = "docs/rate-limit.md quotes the table")]
fn a_lease_saves_writes_and_costs_admissions() {
    for (per_minute, functions) in [(60_000, 20), (60_000, 200), (6_000, 20), (60, 4)] {
        let plain = crowd(per_minute, functions, 1);
        assert_eq!(plain.leased, 0);
        for lease in [10, 100] {
            let leased = crowd(per_minute, functions, lease);
            let share = |part: u64, whole: u64| {
                f64::from(u32::try_from(part).unwrap()) / f64::from(u32::try_from(whole).unwrap()) * 100.0
            };
            println!(
                "limit {per_minute:>6}, functions {functions:>3}, LEASE={lease:<3} writes {:5.1} %, admissions {:5.1} %",
                share(leased.writes, plain.writes),
                share(leased.admitted, plain.admitted)
            );
            assert!(leased.writes <= plain.writes);
            // Never more is lost than was admitted in two slots.
            assert!(leased.admitted * 3 >= plain.admitted, "{leased:?}, {plain:?}");
        }
    }
}
