//! Many functions, one key: the limit is the table's, not a process's.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Database, Fault, Function, Outcome, Request};

const FUNCTIONS: usize = 8;
const LIMIT: u32 = 50;
const REQUESTS: usize = 20;

/// Eight requests at a time in one environment, as Lambda's managed instances have them: one that waits for
/// the database holds up no other, and promise, audit lines and sequence are those of eight environments.
#[tokio::test(flavor = "multi_thread")]
async fn requests_side_by_side_in_one_function_keep_the_limit() {
    let database = Database::start().await;
    let key = database.key("flooded", LIMIT, 10_000).await;
    let mut function = Function::start(&database.url(), &[("AWS_LAMBDA_MAX_CONCURRENCY", "8")]).await;
    let event = Request::get("").key(&key).event();
    let mut statuses = vec![function.send(&event).await.answer().status];
    database.fail([Fault { lands: false, answer: Outcome::Held }]);
    function.hand_over(&event);
    database.held().await;
    statuses.push(function.send(&event).await.answer().status);
    assert_eq!(statuses, [200; 2]);
    database.release();
    // Its call is lost, and because of the other write it cannot be shown whether it was counted.
    function.outcome().await.answer().assert_problem(503);

    let more = FUNCTIONS * REQUESTS - statuses.len();
    for _ in 0..more {
        function.hand_over(&event);
    }
    for _ in 0..more {
        statuses.push(function.outcome().await.answer().status);
    }
    function.stop().await;
    let mut lines: Vec<Value> =
        function.stdout.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.retain(|line| line["status"] != 503);
    assert_limit_held(statuses, &lines, &database);
}

/// Eight processes of the function flood one key side by side. It is admitted just as often as its
/// limit says; admissions, audit lines and the item agree; no sequence number is missing or doubled.
#[tokio::test(flavor = "multi_thread")]
async fn eight_functions_together_admit_as_often_as_one() {
    let database = Database::start().await;
    let key = database.key("flooded", LIMIT, 10_000).await;
    let mut floods = Vec::new();
    for _ in 0..FUNCTIONS {
        let function = Function::start(&database.url(), &[]).await;
        let event = Request::get("").key(&key).event();
        floods.push(tokio::spawn(async move {
            let mut statuses = Vec::new();
            for _ in 0..REQUESTS {
                statuses.push(function.send(&event).await.answer().status);
            }
            (function, statuses)
        }));
    }
    let (mut statuses, mut lines) = (Vec::new(), Vec::<Value>::new());
    for flood in floods {
        let (mut function, answered) = flood.await.unwrap();
        function.stop().await;
        statuses.extend(answered);
        lines.extend(function.stdout.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    assert_limit_held(statuses, &lines, &database);
    // A function asks once in vain, and then remembers.
    let most = usize::try_from(LIMIT).unwrap() + FUNCTIONS + FUNCTIONS * 2;
    assert!(database.calls_of("UpdateItem") <= most, "{} writes", database.calls_of("UpdateItem"));
}

/// Admitted as often as the limit says, refused otherwise; a line for each; no sequence number missing or twice.
fn assert_limit_held(statuses: Vec<u64>, lines: &[Value], database: &Database) {
    let mut by_status: BTreeMap<u64, usize> = BTreeMap::new();
    for status in statuses {
        *by_status.entry(status).or_default() += 1;
    }
    let limit = usize::try_from(LIMIT).unwrap();
    assert_eq!(by_status, BTreeMap::from([(200, limit), (429, FUNCTIONS * REQUESTS - limit)]));
    assert_eq!(lines.len(), FUNCTIONS * REQUESTS, "a line per request");
    let mut sequences: Vec<u64> = lines.iter().filter_map(|line| line["sequence"].as_u64()).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=u64::from(LIMIT)).collect::<Vec<_>>());
    assert_eq!(database.items()[0]["n"]["N"], LIMIT.to_string());
}
