//! The first request of a key in a function: one blind write, below the ceiling that an earlier write left in the item.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;

use crate::support::{Database, Deployment, Fault, Reply, SIGNING_SECRET, START, check_all, error, unknown_key};

fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

/// Calls in all, reads and writes.
fn calls(database: &Database) -> [usize; 3] {
    [database.calls(), database.calls_of("GetItem"), database.calls_of("UpdateItem")]
}

/// Sets attributes of the only item without the other changes that `passloom-admin` makes, so that only the condition of
/// the write can notice them.
async fn set(database: &Database, expression: &str, name: &str, value: AttributeValue) {
    let pk = AttributeValue::S(database.items().await[0]["pk"]["S"].as_str().unwrap().to_owned());
    let call = database.client().await.update_item().table_name(database.table().name).key("pk", pk);
    call.update_expression(expression).expression_attribute_values(name, value).send().await.unwrap();
}

#[tokio::test]
async fn first_request_of_a_key_costs_one_write() {
    let deployment = Deployment::start().await;
    let key = deployment.key(5, 100).await;
    let answer = deployment.generate(&key, "").await;
    assert_eq!((answer.status, answer.header("ratelimit")), (200, r#""minute";r=4;t=66, "day";r=99;t=86400"#));
    assert_eq!(calls(&deployment.database), [1, 0, 1]);
    let other = deployment.sibling().await;
    let answer = other.generate(&key, "").await;
    assert_eq!((answer.status, answer.header("ratelimit")), (200, r#""minute";r=3;t=66, "day";r=98;t=86400"#));
    assert_eq!(other.log.last()["sequence"], 2);
    assert_eq!(calls(&other.database), [1, 0, 1]);
    // It knows the item now.
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert_eq!(calls(&deployment.database), [2, 0, 2]);
}

#[tokio::test]
async fn used_limit_refuses_the_first_request_with_one_call() {
    let deployment = Deployment::start().await;
    let key = deployment.key(2, 100).await;
    for _ in 0..2 {
        assert_eq!(deployment.generate(&key, "").await.status, 200);
    }
    let other = deployment.sibling().await;
    for _ in 0..3 {
        let refused = other.generate(&key, "").await;
        refused.assert_problem(429);
        assert_eq!(refused.header("retry-after"), "66");
    }
    assert_eq!(calls(&other.database), [1, 0, 1]);
    assert_eq!(other.database.admissions().await, 2);
}

/// The ceiling in the item is too low, because the window has moved on since.
#[tokio::test]
async fn outdated_ceiling_costs_a_second_write() {
    let deployment = Deployment::start().await;
    let key = deployment.key(2, 100).await;
    for _ in 0..2 {
        assert_eq!(deployment.generate(&key, "").await.status, 200);
    }
    deployment.clock.advance(Duration::from_secs(66));
    let other = deployment.sibling().await;
    other.clock.advance(Duration::from_secs(66));
    // A call, so that the function knows that its connection is alive.
    other.generate(&unknown_key(SIGNING_SECRET), "").await.assert_problem(401);
    assert_eq!(calls(&other.database), [1, 1, 0]);
    assert_eq!(other.generate(&key, "").await.status, 200);
    assert_eq!(calls(&other.database), [3, 1, 2]);
}

#[tokio::test]
async fn lowered_limit_holds_for_the_first_request() {
    let deployment = Deployment::start().await;
    let key = deployment.key(100, 100).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.change_key("per_minute = :limit", &[(":limit", number(1))]).await;
    let other = deployment.sibling().await;
    other.generate(&key, "").await.assert_problem(429);
    assert_eq!(calls(&other.database), [1, 0, 1], "the change has removed the ceiling");
    assert_eq!(other.database.admissions().await, 1);
}

#[tokio::test]
async fn write_after_a_change_leaves_a_ceiling_again() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    deployment.database.change_key("per_minute = :limit", &[(":limit", number(10))]).await;
    for (function, expected) in [(deployment.sibling().await, [2, 0, 2]), (deployment.sibling().await, [1, 0, 1])] {
        assert_eq!(function.generate(&key, "").await.status, 200);
        assert_eq!(calls(&function.database), expected);
    }
}

/// Only the condition of the write can refuse these: the function has not read the item.
#[tokio::test]
async fn condition_refuses_what_the_function_cannot_know() {
    let ranges = AttributeValue::Ss(vec!["198.51.100.0/24".into()]);
    let cases = [
        ("SET revoked_at = :value", number(START), 401, 1),
        ("SET cidrs = :value", ranges, 403, 1),
        ("SET expires_at = :value", number(START), 403, 1),
        ("SET expires_at = :value", number(START + 1), 200, 1),
        ("SET h = :value", AttributeValue::B(vec![0; 32].into()), 401, 1),
        ("SET c = :value", number(0), 200, 2),
        ("ADD e :value", number(7), 200, 1),
    ];
    check_all(cases, async |(expression, value, status, writes)| {
        let deployment = Deployment::start().await;
        let key = deployment.ample_key().await;
        set(&deployment.database, expression, ":value", value).await;
        assert_eq!(deployment.generate(&key, "").await.status, status);
        assert_eq!(calls(&deployment.database), [writes, 0, writes]);
        assert_eq!(deployment.database.admissions().await, u64::from(status == 200));
        assert_eq!(deployment.generate(&key, "").await.status, status);
    })
    .await;
}

/// Nothing could prevent that both writes are applied, so there is only one.
#[tokio::test]
async fn lost_answer_returns_503_and_counts_at_most_once() {
    let cases = [
        (Fault::after_call(Reply::Reset), 1, "store: no connection"),
        (Fault::instead_of_call(Reply::Reset), 0, "store: no connection"),
        (Fault::instead_of_call(Reply::Held), 0, "store: no answer in time"),
    ];
    check_all(cases, async |(fault, counted, reason)| {
        let deployment = Deployment::start().await;
        let key = deployment.ample_key().await;
        deployment.database.fail([fault]);
        deployment.generate(&key, "").await.assert_problem(503);
        assert_eq!(deployment.log.last()["reason"], reason);
        assert_eq!(calls(&deployment.database), [1, 0, 1]);
        assert_eq!(deployment.database.admissions().await, counted);
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        assert_eq!(deployment.log.last()["sequence"], counted + 1);
    })
    .await;
}

#[tokio::test]
async fn throttled_write_is_sent_again() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let throttled = error("400 Bad Request", "ProvisionedThroughputExceededException");
    deployment.database.fail([Fault::instead_of_call(throttled)]);
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert_eq!(calls(&deployment.database), [2, 0, 2]);
    assert_eq!(deployment.database.admissions().await, 1);
}

#[tokio::test]
async fn answer_of_another_write_returns_503() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let item = deployment.database.items().await[0].clone();
    let body = json!({ "Attributes": item }).to_string();
    let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
    deployment.database.fail([Fault::instead_of_call(Reply::Bytes(answer))]);
    deployment.generate(&key, "").await.assert_problem(503);
    assert_eq!(deployment.log.last()["reason"], "store: the answer does not match the write");
}

/// Lambda freezes a function between requests. A connection that was closed meanwhile would lose the answer.
#[tokio::test]
async fn function_reads_first_after_ten_seconds_without_an_answer() {
    check_all([(9, [1, 0, 1]), (10, [2, 1, 1])], async |(seconds, expected)| {
        let deployment = Deployment::start().await;
        let key = deployment.ample_key().await;
        deployment.clock.advance(Duration::from_secs(seconds));
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        assert_eq!(calls(&deployment.database), expected);
    })
    .await;
}
