//! Many functions, one key: the limit is the table's, not a process's.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::support::{Database, Function, Request};

const FUNCTIONS: usize = 8;
const LIMIT: u32 = 50;
const REQUESTS: usize = 20;

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
    let mut statuses: BTreeMap<u64, usize> = BTreeMap::new();
    let mut lines: Vec<Value> = Vec::new();
    for flood in floods {
        let (mut function, answered) = flood.await.unwrap();
        function.stop().await;
        for status in answered {
            *statuses.entry(status).or_default() += 1;
        }
        lines.extend(function.stdout.text().lines().map(|line| serde_json::from_str::<Value>(line).unwrap()));
    }
    let limit = usize::try_from(LIMIT).unwrap();
    assert_eq!(statuses, BTreeMap::from([(200, limit), (429, FUNCTIONS * REQUESTS - limit)]));
    assert_eq!(lines.len(), FUNCTIONS * REQUESTS, "a line per request");
    let mut sequences: Vec<u64> = lines.iter().filter_map(|line| line["sequence"].as_u64()).collect();
    sequences.sort_unstable();
    assert_eq!(sequences, (1..=u64::from(LIMIT)).collect::<Vec<_>>());
    assert_eq!(database.items()[0]["n"]["N"], LIMIT.to_string());
    // A function asks once in vain, and then remembers.
    let most = limit + FUNCTIONS + FUNCTIONS * 2;
    assert!(database.calls_of("UpdateItem") <= most, "{} writes", database.calls_of("UpdateItem"));
}
