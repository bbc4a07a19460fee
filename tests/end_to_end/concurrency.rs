//! Concurrent requests for one key: the limit holds over all functions, because the table counts.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Database, Function, Request};

const FUNCTIONS: usize = 8;
const LIMIT: u32 = 50;
/// Requests to each function.
const REQUESTS: usize = 20;

#[tokio::test(flavor = "multi_thread")]
async fn eight_functions_hold_one_limit() {
    let database = Database::start().await;
    let key = database.key("flooded", LIMIT, 10_000).await;
    let mut floods = Vec::new();
    for _ in 0..FUNCTIONS {
        let function = Function::start(&database.table(), &[]).await;
        let event = Request::get("").key(&key).event();
        floods.push(tokio::spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..REQUESTS {
                statuses.push(function.send(&event).await.answer().status);
            }
            (function, statuses)
        }));
    }
    let (mut all_statuses, mut all_lines) = (Vec::new(), Vec::new());
    for flood in floods {
        let (mut function, statuses) = flood.await.unwrap();
        function.stop().await;
        all_statuses.extend(statuses);
        all_lines.extend(lines(&function));
    }
    assert_limit_held(all_statuses, &all_lines, &database).await;
    // The writes that are applied, one rejected write for each function, and two for races.
    let max = usize::try_from(LIMIT).unwrap() + FUNCTIONS + FUNCTIONS * 2;
    assert!(database.calls_of("UpdateItem") <= max, "{} writes", database.calls_of("UpdateItem"));
}

/// The audit lines that a function has printed.
fn lines(function: &Function) -> Vec<Value> {
    function.stdout.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Checks that as many requests were admitted as the limit says, that each request has a line, and that no sequence
/// number is missing or repeated.
async fn assert_limit_held(statuses: Vec<u64>, lines: &[Value], database: &Database) {
    let mut by_status: BTreeMap<u64, usize> = BTreeMap::new();
    for status in statuses {
        *by_status.entry(status).or_default() += 1;
    }
    let limit = usize::try_from(LIMIT).unwrap();
    assert_eq!(by_status, BTreeMap::from([(200, limit), (429, FUNCTIONS * REQUESTS - limit)]));
    assert_eq!(lines.len(), FUNCTIONS * REQUESTS, "one line for each request");
    let mut sequences: Vec<u64> = lines.iter().filter_map(|line| line["sequence"].as_u64()).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=u64::from(LIMIT)).collect::<Vec<_>>());
    assert_eq!(database.admissions().await, u64::from(LIMIT));
}
