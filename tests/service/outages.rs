//! The database away: no count, no password.

use std::time::Duration;

use crate::support::{Deployment, Function, PEPPER, Request, TABLE, unknown_key};

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

/// The write lands and its answer is lost: asked again under the same mark, it counts once.
#[tokio::test]
async fn a_lost_answer_is_asked_for_again_and_counts_once() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.lose_next_answer();
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert_eq!(deployment.log.last()["sequence"], 2);
    assert_eq!(deployment.database.calls_of("UpdateItem"), 3);
    assert_eq!(deployment.database.items()[0]["n"]["N"], "2");
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
