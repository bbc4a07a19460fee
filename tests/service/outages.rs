//! The database away: no count, no password.

use std::time::Duration;

use crate::support::{Deployment, Fault, Function, Outcome, PEPPER, Request, TABLE, error, unknown_key};

#[tokio::test]
async fn without_the_database_nothing_is_handed_out_and_with_it_back_all_is_well() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
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
            (&503.into(), &"request.failed".into(), &"ERROR".into())
        );
        assert_eq!(line["reason"], "store: no connection");
        assert_eq!(line["sequence"], serde_json::Value::Null);
    }
    deployment.database.resume();
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert_eq!(deployment.log.last()["sequence"], 2, "what was not answered was not counted");
}

/// Connections are taken and nothing comes back: the request ends by itself.
#[tokio::test]
async fn a_silent_database_is_given_up() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.stop().await;
    let _silent = deployment.database.swallow();
    let answer = tokio::time::timeout(Duration::from_secs(3), deployment.generate(&key, "")).await;
    answer.expect("an answer within the budget").assert_problem(503);
}

fn unsent(answer: Outcome) -> Fault {
    Fault { lands: false, answer }
}

fn landed(answer: Outcome) -> Fault {
    Fault { lands: true, answer }
}

/// What can go wrong on the way to the database and back, what the caller is told, and how far the
/// count grows: never a password without a count, never two counts for a request.
#[tokio::test]
async fn a_fault_costs_at_most_a_count_and_gives_no_password_without_one() {
    let throttled = || error("400 Bad Request", "ProvisionedThroughputExceededException");
    let broken = || error("500 Internal Server Error", "InternalServerError");
    let denied = || error("400 Bad Request", "AccessDeniedException");
    let empty = || Outcome::Bytes("HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".into());
    let garbage = || Outcome::Bytes("\u{0}garbage\r\n\r\n".into());
    let cases: Vec<(&str, Vec<Fault>, u64, u64, &str)> = vec![
        ("a lost answer", vec![landed(Outcome::Reset)], 200, 1, ""),
        ("half an answer", vec![landed(Outcome::Half)], 200, 1, ""),
        ("a late answer", vec![landed(Outcome::Late)], 200, 1, ""),
        ("a lost call", vec![unsent(Outcome::Reset)], 200, 1, ""),
        ("throttled once", vec![unsent(throttled())], 200, 1, ""),
        ("a fault of theirs once", vec![unsent(broken())], 200, 1, ""),
        ("a fault of theirs after the write", vec![landed(broken())], 200, 1, ""),
        ("garbage after the write", vec![landed(garbage())], 200, 1, ""),
        (
            "throttled twice",
            vec![unsent(throttled()); 2],
            503,
            0,
            "DynamoDB answered ProvisionedThroughputExceededException",
        ),
        ("a fault of theirs twice", vec![unsent(broken()); 2], 503, 0, "DynamoDB answered InternalServerError"),
        ("not allowed", vec![unsent(denied())], 503, 0, "DynamoDB answered AccessDeniedException"),
        ("lost twice", vec![landed(Outcome::Reset), unsent(Outcome::Reset)], 503, 1, "no connection"),
        ("an answer that says nothing", vec![landed(empty())], 503, 1, "attribute n is missing or malformed"),
    ];
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    for (name, faults, status, counts, cause) in cases {
        let counted = || deployment.database.items()[0]["n"]["N"].as_str().unwrap().parse::<u64>().unwrap();
        let before = counted();
        deployment.database.fail(faults);
        let answer = deployment.generate(&key, "").await;
        assert_eq!((answer.status, counted() - before), (status, counts), "{name}: {}", answer.body);
        let line = deployment.log.last();
        if status == 200 {
            assert_eq!(line["sequence"], counted(), "{name}");
        } else {
            let problem = answer.assert_problem(503);
            assert_eq!(line["reason"], format!("store: {cause}"), "{name}");
            assert!(!problem.to_string().contains("canary") && !answer.header("retry-after").is_empty(), "{name}");
        }
        // And all is well after it.
        assert_eq!(deployment.generate(&key, "").await.status, 200, "{name}");
    }
    assert!(!deployment.log.text().contains("canary"), "no message of the database in a line");
}

/// Between a lost answer and its repetition another function writes: whether the first write landed can
/// no longer be told. The request is not admitted, and counted once at most.
#[tokio::test]
async fn a_lost_answer_and_another_write_are_never_two_counts() {
    for lands in [false, true] {
        let deployment = Deployment::new().await;
        let key = deployment.key(1000, 1000).await;
        let other = deployment.sibling().await;
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        deployment.database.fail([Fault { lands, answer: Outcome::Held }]);
        let (answer, ()) = tokio::join!(deployment.generate(&key, ""), async {
            deployment.database.held().await;
            assert_eq!(other.generate(&key, "").await.status, 200);
            deployment.database.release();
        });
        answer.assert_problem(503);
        assert_eq!(deployment.log.last()["reason"], "store: no connection, then another write");
        let counted = if lands { "3" } else { "2" };
        assert_eq!(deployment.database.items()[0]["n"]["N"], counted);
        assert_eq!(deployment.generate(&key, "").await.status, 200);
    }
}

/// A write that was given up and repeated may still be on its way: it must not count when it arrives.
#[tokio::test]
async fn a_write_that_arrives_after_its_repetition_changes_nothing() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.fail([unsent(Outcome::Reset)]);
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert_eq!(deployment.generate(&key, "").await.status, 200, "another request has the last mark now");
    let before = deployment.database.items();
    let late = deployment.database.requests_of("UpdateItem")[1].clone();
    let answer = deployment.database.replay(&late);
    assert!(answer.is_err(), "{answer:?}");
    assert_eq!(deployment.database.items(), before);
}

/// An answer that could be true, but is that of another write: none of it is believed.
#[tokio::test]
async fn an_answer_to_another_write_admits_nobody() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    for ahead in 0..2 {
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        let mut item = deployment.database.items()[0].clone();
        let counted: u64 = item["n"]["N"].as_str().unwrap().parse().unwrap();
        item["n"]["N"] = (counted + ahead).to_string().into();
        let body = serde_json::json!({ "Attributes": item }).to_string();
        let answer = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        deployment.database.fail([unsent(Outcome::Bytes(answer))]);
        deployment.generate(&key, "").await.assert_problem(503);
        assert_eq!(deployment.log.last()["reason"], "store: the answer does not fit the write");
        // Nor is it remembered.
        assert_eq!(deployment.generate(&key, "").await.status, 200);
        assert_eq!(deployment.log.last()["sequence"], counted + 1);
    }
    assert_eq!(deployment.database.items()[0]["n"]["N"], "4");
}

#[tokio::test]
async fn a_missing_table_is_an_outage_that_only_the_log_explains() {
    let deployment = Deployment::new().await;
    let client = deployment.database.client().await;
    client.delete_table().table_name(TABLE).send().await.unwrap();
    let answer = deployment.generate(&unknown_key(PEPPER), "").await;
    let problem = answer.assert_problem(503);
    assert!(!answer.body.contains(TABLE) || problem["type"].as_str().unwrap().contains(TABLE), "{problem}");
    assert_eq!(deployment.log.last()["reason"], "store: DynamoDB answered ResourceNotFoundException");
}

/// The start waits for the first connection, but not for long, and does not fail for lack of it.
#[tokio::test]
async fn the_function_starts_without_the_database() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    deployment.database.stop().await;
    let function = Function::start(&deployment.database.url(), &[]).await;
    function.send(&Request::get("").key(&key).event()).await.answer().assert_problem(503);
    assert_eq!(function.send(&Request::get("").path("/api/health").event()).await.answer().status, 200);
    deployment.database.resume();
    assert_eq!(function.send(&Request::get("").key(&key).event()).await.answer().status, 200);
}
