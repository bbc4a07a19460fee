//! Everything at once, for as long as one likes: mixed keys, floods, faults, a database that goes away
//! and comes back. `make test` runs it for two seconds, `make soak` for ten minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;

use crate::support::{Database, Fault, Function, Outcome, PEPPER, Request, error, unknown_key};

const FUNCTIONS: u64 = 4;
const LIMITS: [u32; 5] = [3, 20, 60, 300, 2_000];

/// One answer, as its caller saw it.
struct Seen {
    when: Instant,
    key: usize,
    status: u64,
}

#[expect(clippy::disallowed_methods, reason = "the Makefile says so in a variable")]
fn length() -> Duration {
    Duration::from_secs(std::env::var("SOAK_SECONDS").map_or(2, |seconds| seconds.parse().unwrap()))
}

fn some_fault(random: &mut StdRng) -> Fault {
    let answers = [
        Outcome::Reset,
        Outcome::Half,
        Outcome::Late,
        Outcome::Bytes("garbage\r\n\r\n".into()),
        error("500 Internal Server Error", "InternalServerError"),
        error("400 Bad Request", "ProvisionedThroughputExceededException"),
    ];
    Fault { lands: random.random(), answer: answers[random.random_range(0..answers.len())].clone() }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "the figures are to be seen")]
async fn the_promise_is_kept_through_floods_faults_and_restarts() {
    let (begun, length) = (Instant::now(), length());
    let database = Arc::new(Database::start().await);
    let mut keys = Vec::new();
    for limit in LIMITS {
        keys.push(database.key(&format!("key {limit}"), limit, 10_000_000).await);
    }
    keys.push(unknown_key(PEPPER));
    keys.push(unknown_key(&"cd".repeat(32)));

    let mut callers = Vec::new();
    for seed in 0..FUNCTIONS {
        let (keys, mut random) = (keys.clone(), StdRng::seed_from_u64(seed));
        // Every other one takes leases.
        let lease = if seed % 2 == 0 { "1" } else { "10" };
        let mut function = Function::start(&database.url(), &[("LEASE", lease)]).await;
        callers.push(tokio::spawn(async move {
            let (mut seen, mut early) = (Vec::new(), None);
            while begun.elapsed() < length {
                let key = random.random_range(0..keys.len());
                let event = Request::get("").key(&keys[key]).event();
                for _ in 0..random.random_range(1..=20) {
                    let answer = function.send(&event).await.answer();
                    seen.push(Seen { when: Instant::now(), key, status: answer.status });
                }
                if early.is_none() && begun.elapsed() > Duration::from_mins(1) {
                    early = Some(function.resident_kilobytes());
                }
            }
            let resident = early.map(|early| (early, function.resident_kilobytes()));
            function.stop().await;
            (seen, resident, function.stdout.text())
        }));
    }
    let mut random = StdRng::seed_from_u64(99);
    while begun.elapsed() < length {
        tokio::time::sleep(Duration::from_millis(random.random_range(10..400))).await;
        if random.random_range(0..12) == 0 {
            database.stop().await;
            tokio::time::sleep(Duration::from_millis(random.random_range(10..300))).await;
            database.resume();
        } else {
            let faults: Vec<Fault> = (0..random.random_range(1..4)).map(|_| some_fault(&mut random)).collect();
            database.fail(faults);
        }
    }

    let (mut seen, mut growth, mut lines) = (Vec::new(), Vec::new(), Vec::<Value>::new());
    for caller in callers {
        let (answers, resident, printed) = caller.await.unwrap();
        lines.extend(printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        seen.extend(answers);
        growth.extend(resident);
    }
    seen.sort_by_key(|answer| answer.when);
    let mut statuses: BTreeMap<u64, usize> = BTreeMap::new();
    for answer in &seen {
        *statuses.entry(answer.status).or_default() += 1;
    }
    println!(
        "{} requests in {:?}: {statuses:?}; resident kB after a minute and at the end: {growth:?}",
        seen.len(),
        length
    );
    assert!(statuses.keys().all(|status| [200, 401, 429, 503].contains(status)), "{statuses:?}");
    assert!([200, 401, 429].iter().all(|status| statuses.contains_key(status)), "{statuses:?}");
    assert_eq!(lines.len(), seen.len(), "a line per request");
    for (key, &limit) in LIMITS.iter().enumerate() {
        let admitted: Vec<&Seen> = seen.iter().filter(|one| one.key == key && one.status == 200).collect();
        let own = lines.iter().filter(|line| line["key_name"] == format!("key {limit}"));
        let sequences: BTreeSet<u64> = own.filter_map(|line| line["sequence"].as_u64()).collect();
        assert_eq!(sequences.len(), admitted.len(), "an admission, an audit line, a sequence number");
        // Answers come up to two seconds after their writes.
        for (index, first) in admitted.iter().enumerate() {
            let within =
                admitted[index..].iter().take_while(|one| one.when - first.when < Duration::from_secs(58)).count();
            assert!(within <= usize::try_from(limit).unwrap(), "{within} in a minute, of {limit}");
        }
    }
    for (early, late) in growth {
        assert!(late < early + 1_024, "memory grows: {early} kB, then {late} kB");
    }
}
