//! Faults of the database: a request that is not counted gets no password.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{
    Deployment, Fault, Function, Reply, Request, SIGNING_SECRET, START, check_all, error, unknown_key,
};

#[tokio::test]
async fn unreachable_database_returns_503_and_recovers() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.stop().await;
    for _ in 0..3 {
        let answer = deployment.generate(&key, "").await;
        let problem = answer.assert_problem(503);
        assert_eq!(answer.header("retry-after"), "1");
        assert!(!problem["detail"].as_str().unwrap().contains("Dynamo"), "{problem}");
        let line = deployment.log.last();
        assert_eq!(
            (&line["status"], &line["event"], &line["level"]),
            (&json!(503), &json!("request.failed"), &json!("ERROR"))
        );
        assert_eq!((&line["reason"], &line["sequence"]), (&json!("store: no connection"), &Value::Null));
    }
    deployment.database.resume();
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert_eq!(deployment.log.last()["sequence"], 2, "a request without an answer was not counted");
}

/// The database accepts connections and never answers. Without a time limit, this test would not end.
#[tokio::test]
async fn silent_database_returns_503() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.stop().await;
    let _silent = deployment.database.accept_silently();
    deployment.generate(&key, "").await.assert_problem(503);
    let reason = deployment.log.last()["reason"].clone();
    assert!(reason.as_str().unwrap().starts_with("store: no answer "), "{reason}");
}

/// Everything that can go wrong on the way to the database and back. No fault adds more than one to the count, and no
/// password is returned without a count.
#[tokio::test]
async fn database_fault_never_double_counts_or_serves_uncounted() {
    let (after_call, instead_of_call) = (Fault::after_call, Fault::instead_of_call);
    let throttled = || error("400 Bad Request", "ProvisionedThroughputExceededException");
    let broken = || error("500 Internal Server Error", "InternalServerError");
    let denied = || error("400 Bad Request", "AccessDeniedException");
    let empty = || Reply::Bytes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".into());
    let garbage = || Reply::Bytes("\u{0}garbage\r\n\r\n".into());
    // The fault, the status, by how much the count grows, and the cause in the audit line.
    let cases = [
        ("lost answer", vec![after_call(Reply::Reset)], 200, 1, ""),
        ("half an answer", vec![after_call(Reply::Half)], 200, 1, ""),
        ("late answer", vec![after_call(Reply::Late)], 200, 1, ""),
        ("lost call", vec![instead_of_call(Reply::Reset)], 200, 1, ""),
        ("throttled once", vec![instead_of_call(throttled())], 200, 1, ""),
        ("internal error once", vec![instead_of_call(broken())], 200, 1, ""),
        ("internal error after the write", vec![after_call(broken())], 200, 1, ""),
        ("garbage after the write", vec![after_call(garbage())], 200, 1, ""),
        (
            "throttled twice",
            vec![instead_of_call(throttled()); 2],
            503,
            0,
            "DynamoDB answered ProvisionedThroughputExceededException",
        ),
        ("internal error twice", vec![instead_of_call(broken()); 2], 503, 0, "DynamoDB answered InternalServerError"),
        ("access denied", vec![instead_of_call(denied())], 503, 0, "DynamoDB answered AccessDeniedException"),
        ("lost twice", vec![after_call(Reply::Reset), instead_of_call(Reply::Reset)], 503, 1, "no connection"),
        ("empty answer", vec![after_call(empty())], 503, 1, "attribute n is missing or malformed"),
    ];
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    check_all(cases, async |(_, faults, status, counted, cause)| {
        let before = deployment.database.admissions().await;
        deployment.database.fail(faults);
        let answer = deployment.generate(&key, "").await;
        let after = deployment.database.admissions().await;
        assert_eq!((answer.status, after - before), (status, counted), "{}", answer.body);
        let line = deployment.log.last();
        if status == 200 {
            assert_eq!(line["sequence"], after);
        } else {
            let problem = answer.assert_problem(503);
            assert_eq!(line["reason"], format!("store: {cause}"));
            assert!(!problem.to_string().contains("canary") && !answer.header("retry-after").is_empty());
        }
        assert_eq!(deployment.generate(&key, "").await.status, 200, "the next request");
    })
    .await;
    assert!(!deployment.log.text().contains("canary"), "a message of the database is in the audit log");
}

/// Another function writes between the lost answer and the repetition, so it cannot be told whether the first write
/// was applied.
#[tokio::test]
async fn lost_answer_before_another_write_returns_503_and_counts_at_most_once() {
    check_all([false, true], async |reaches_database| {
        let deployment = Deployment::start().await;
        let key = deployment.ample_key().await;
        let other = deployment.sibling().await;
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        deployment.database.fail([Fault { reaches_database, reply: Reply::Held }]);
        let (answer, ()) = tokio::join!(deployment.generate(&key, ""), async {
            deployment.database.held().await;
            assert_eq!(other.generate(&key, "").await.status, 200);
            deployment.database.release();
        });
        answer.assert_problem(503);
        assert_eq!(deployment.log.last()["reason"], "store: no connection, then another write");
        assert_eq!(deployment.database.admissions().await, if reaches_database { 3 } else { 2 });
        assert_eq!(deployment.generate(&key, "").await.status, 200);
    })
    .await;
}

/// A write that was repeated may still arrive.
#[tokio::test]
async fn delayed_write_is_rejected_after_its_repetition() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.fail([Fault::instead_of_call(Reply::Reset)]);
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    // Now the item has the write token of another request.
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    let before = deployment.database.items().await;
    let delayed = deployment.database.requests_of("UpdateItem")[1].clone();
    let answer = deployment.database.replay(&delayed).await;
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(deployment.database.items().await, before);
}

/// The item in the answer is plausible, but another write left it.
#[tokio::test]
async fn answer_of_another_write_returns_503() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    for ahead in 0..2 {
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        let counted = deployment.database.admissions().await;
        let mut item = deployment.database.items().await[0].clone();
        item["n"]["N"] = (counted + ahead).to_string().into();
        let body = json!({ "Attributes": item }).to_string();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        deployment.database.fail([Fault::instead_of_call(Reply::Bytes(answer))]);
        deployment.generate(&key, "").await.assert_problem(503);
        assert_eq!(deployment.log.last()["reason"], "store: the answer does not match the write");
        // The answer is not cached either.
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        assert_eq!(deployment.log.last()["sequence"], counted + 1);
    }
    assert_eq!(deployment.database.admissions().await, 4);
}

#[tokio::test]
async fn missing_table_returns_503_and_is_named_only_in_the_log() {
    let deployment = Deployment::start().await;
    let client = deployment.database.client().await;
    client.delete_table().table_name(deployment.database.table().name).send().await.unwrap();
    let problem = deployment.generate(&unknown_key(SIGNING_SECRET), "").await.assert_problem(503);
    let detail = "The request could not be counted, so no password was generated. Try again.";
    assert_eq!((&problem["detail"], &problem["error"]), (&json!(detail), &json!(detail)));
    assert_eq!(deployment.log.last()["reason"], "store: DynamoDB answered ResourceNotFoundException");
}

#[tokio::test]
async fn function_starts_without_the_database() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    deployment.database.stop().await;
    let function = Function::start(&deployment.database.table(), &[]).await;
    function.send(&Request::get("").key(&key).event()).await.answer().assert_problem(503);
    assert_eq!(function.send(&Request::get("").path("/api/health").event()).await.answer().status, 200);
    deployment.database.resume();
    assert_eq!(function.send(&Request::get("").key(&key).event()).await.answer().status, 200);
}

/// A function that was frozen for minutes finds its connection reset, or silently dropped.
#[tokio::test]
async fn dead_connection_of_a_read_is_replaced() {
    check_all([Reply::Reset, Reply::Held], async |reply| {
        let deployment = Deployment::start().await;
        let key = deployment.ample_key().await;
        deployment.clock.advance(Duration::from_secs(10));
        deployment.database.fail([Fault::instead_of_call(reply)]);
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        assert_eq!((deployment.database.calls_of("GetItem"), deployment.database.calls_of("UpdateItem")), (2, 1));
    })
    .await;
}

#[tokio::test]
async fn dead_connection_of_a_write_is_replaced() {
    check_all([Reply::Reset, Reply::Held], async |reply| {
        let deployment = Deployment::start().await;
        let key = deployment.ample_key().await;
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        deployment.database.fail([Fault::instead_of_call(reply)]);
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        assert_eq!(deployment.database.admissions().await, 2);
    })
    .await;
}

/// The caller controls how much time passes between the arrival of a request and its write, so the slot of the write
/// must not be that of the arrival.
#[tokio::test]
async fn write_belongs_to_the_slot_in_which_it_is_sent() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    // After ten seconds without an answer the function reads the item before it writes.
    deployment.clock.advance(Duration::from_secs(10));
    deployment.database.fail([Fault::after_call(Reply::Delayed)]);
    let (answer, ()) = tokio::join!(deployment.generate(&key, ""), async {
        deployment.database.held().await;
        deployment.clock.advance(Duration::from_secs(7));
        deployment.database.release();
    });
    assert_eq!(answer.status, 200);
    let item = &deployment.database.items().await[0];
    assert_eq!(item[format!("m{}", START / 4 + 4)]["N"], "0", "{item}");
    assert!(item.get(format!("m{}", START / 4 + 2)).is_none(), "{item}");
    assert_eq!(deployment.log.last()["timestamp"], "2026-01-01T00:00:17.000Z", "the time of the write");
}

/// The answer comes more than a second after the clock reading of its write: the tolerance of the limit is used up.
#[tokio::test]
async fn late_answer_returns_503_and_is_counted() {
    for (milliseconds, status) in [(1_000, 200), (1_001, 503)] {
        let deployment = Deployment::start().await;
        let key = deployment.ample_key().await;
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        deployment.database.fail([Fault::after_call(Reply::Delayed)]);
        let (answer, ()) = tokio::join!(deployment.generate(&key, ""), async {
            deployment.database.held().await;
            deployment.clock.advance(Duration::from_millis(milliseconds));
            deployment.database.release();
        });
        assert_eq!(answer.status, status, "{milliseconds} ms: {}", answer.body);
        let line = deployment.log.last();
        assert_eq!((&line["sequence"], &line["timestamp"]), (&json!(2), &json!("2026-01-01T00:00:00.000Z")));
        let reason = if status == 200 { json!(null) } else { json!("store: the answer came too late") };
        assert_eq!(line["reason"], reason);
        assert_eq!(deployment.database.admissions().await, 2);
    }
}
