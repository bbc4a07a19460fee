//! Several keys, floods, database faults and database restarts at the same time. `make test` runs this test for two
//! seconds, `make soak` for ten minutes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::support::{
    Database, Fault, Function, OTHER_SIGNING_SECRET, Reply, Request, SIGNING_SECRET, error, hostile_requests,
    max_peak_kilobytes, unknown_key,
};

const FUNCTIONS: u64 = 4;
/// The limit per minute of each key.
const LIMITS: [u32; 5] = [3, 20, 60, 300, 2_000];

#[expect(clippy::disallowed_methods, reason = "the Makefile sets the variable")]
fn duration() -> Duration {
    Duration::from_secs(std::env::var("SOAK_SECONDS").map_or(2, |seconds| seconds.parse().unwrap()))
}

fn random_fault(random: &mut StdRng) -> Fault {
    let replies = [
        Reply::Reset,
        Reply::Half,
        Reply::Late,
        Reply::Bytes("garbage\r\n\r\n".into()),
        error("500 Internal Server Error", "InternalServerError"),
        error("400 Bad Request", "ProvisionedThroughputExceededException"),
    ];
    let reply = replies[random.random_range(0..replies.len())].clone();
    Fault { reaches_database: random.random(), reply }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stdout, reason = "`make soak` shows the figures")]
async fn rate_limit_holds_under_load_faults_and_restarts() {
    let (began, duration) = (Instant::now(), duration());
    let database = Arc::new(Database::start().await);
    let mut keys = Vec::new();
    for limit in LIMITS {
        keys.push(database.key(&format!("key {limit}"), limit, 10_000_000).await);
    }
    keys.push(unknown_key(SIGNING_SECRET));
    keys.push(unknown_key(OTHER_SIGNING_SECRET));

    let mut callers = Vec::new();
    for seed in 0..FUNCTIONS {
        let (keys, hostile, mut random) = (keys.clone(), hostile_requests(), StdRng::seed_from_u64(seed));
        let mut function = Function::start(&database.table(), &[]).await;
        callers.push(tokio::spawn(async move {
            let (mut received, mut early_memory) = (Vec::new(), None);
            while began.elapsed() < duration {
                let key = random.random_range(0..keys.len());
                let event = if random.random_range(0..8) == 0 {
                    hostile[random.random_range(0..hostile.len())].event(&keys[key])
                } else {
                    Request::get("").key(&keys[key]).event()
                };
                for _ in 0..random.random_range(1..=20) {
                    let answer = function.send(&event).await.answer();
                    received.push(answer.status);
                }
                // The caches become full slowly, because few of the requests that fill them are admitted.
                if early_memory.is_none() && began.elapsed() > (duration / 2).max(Duration::from_mins(1)) {
                    early_memory = Some(function.resident_kilobytes());
                }
            }
            let memory = early_memory.map(|early| (early, function.resident_kilobytes()));
            let peak = function.peak_kilobytes();
            function.stop().await;
            (received, memory, peak, function.stdout.text())
        }));
    }
    let mut random = StdRng::seed_from_u64(99);
    while began.elapsed() < duration {
        tokio::time::sleep(Duration::from_millis(random.random_range(10..400))).await;
        if random.random_range(0..12) == 0 {
            database.stop().await;
            tokio::time::sleep(Duration::from_millis(random.random_range(10..300))).await;
            database.resume();
        } else {
            let faults: Vec<Fault> = (0..random.random_range(1..4)).map(|_| random_fault(&mut random)).collect();
            database.fail(faults);
        }
    }

    let (mut received, mut memory, mut peak, mut lines) = (Vec::new(), Vec::new(), 0, Vec::<Value>::new());
    for caller in callers {
        let (answers, of_function, own_peak, printed) = caller.await.unwrap();
        peak = peak.max(own_peak);
        lines.extend(printed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
        received.extend(answers);
        memory.extend(of_function);
    }
    let mut statuses: BTreeMap<u64, usize> = BTreeMap::new();
    for status in &received {
        *statuses.entry(*status).or_default() += 1;
    }
    println!(
        "{} requests in {duration:?}: {statuses:?}; memory in kB at half time and at the end: {memory:?}, peak {peak}",
        received.len()
    );
    // The hostile requests of the compatible APIs have other statuses of 4xx, too.
    assert!(statuses.keys().all(|status| *status < 500 || *status == 503), "{statuses:?}");
    assert!([200, 401, 429].iter().all(|status| statuses.contains_key(status)), "{statuses:?}");
    assert_eq!(lines.len(), received.len(), "one line for each request");
    for limit in LIMITS {
        // The log proves the limit: `timestamp` is the clock reading of the write that counted the request.
        let own = lines.iter().filter(|line| line["key_name"] == format!("key {limit}"));
        let counted: Vec<(u64, &str)> =
            own.filter_map(|line| Some((line["sequence"].as_u64()?, line["timestamp"].as_str().unwrap()))).collect();
        let sequences: BTreeSet<u64> = counted.iter().map(|(sequence, _)| *sequence).collect();
        assert_eq!(sequences.len(), counted.len(), "each sequence number belongs to one request");
        let mut times: Vec<OffsetDateTime> =
            counted.iter().map(|(_, time)| OffsetDateTime::parse(time, &Rfc3339).unwrap()).collect();
        times.sort_unstable();
        let limit = usize::try_from(limit).unwrap();
        for window in times.windows(limit + 1) {
            let span = window[limit] - window[0];
            assert!(span >= Duration::from_mins(1), "more than {limit} requests within {span}");
        }
    }
    // A leak raises the largest memory of the functions. That of a single one also grows when its caches become full.
    if let (Some(early), Some(late)) = (memory.iter().map(|one| one.0).max(), memory.iter().map(|one| one.1).max()) {
        assert!(late < early + 4_096, "memory grows from {early} kB to {late} kB");
    }
    assert!(peak <= max_peak_kilobytes(), "{peak} kB");
}
