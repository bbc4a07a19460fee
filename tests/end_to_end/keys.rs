//! API keys, and counting by address without them.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use passloom::access::Auth;
use passloom::access::SigningSecrets;

use crate::support::{
    Deployment, OTHER_SIGNING_SECRET, Request, SIGNING_SECRET, START, check_all, new_secret, unknown_key,
};

/// The detail of every 401.
const UNAUTHORIZED: &str = "Send a valid API key in the header X-Api-Key or Authorization: Bearer.";

/// A number of seconds after the start of the clock, as an attribute.
fn seconds_after_start(seconds: u64) -> AttributeValue {
    AttributeValue::N((START + seconds).to_string())
}

#[tokio::test]
async fn key_in_either_header_is_accepted() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let authorization = |scheme: &str| Request::get("").header("authorization", &format!("{scheme} {key}"));
    let cases = [
        ("X-Api-Key", Request::get("").key(&key), 200),
        ("Bearer", authorization("Bearer"), 200),
        ("bearer", authorization("bearer"), 200),
        ("both", authorization("Bearer").key(&key), 200),
        ("Basic", authorization("Basic"), 401),
        ("none", Request::get(""), 401),
    ];
    check_all(cases, async |(_, request, status)| assert_eq!(deployment.send(request).await.status, status)).await;
}

#[tokio::test]
async fn different_keys_in_one_request_return_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let request = Request::get("").header("authorization", &format!("Bearer {key}"));
    let problem = deployment.send(request.key(&unknown_key(SIGNING_SECRET))).await.assert_problem(400);
    assert_eq!(problem["detail"], "The request has different API keys; send only one.");
}

#[test]
fn generated_key_has_the_documented_form() {
    let key = unknown_key(SIGNING_SECRET);
    assert_eq!((key.len(), &key[..4]), (59, "plk_"));
    assert!(key[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
}

/// All answers are the same, so that a caller does not learn what is wrong with a key.
#[tokio::test]
async fn malformed_or_forged_key_returns_401_without_database_call() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let mut invalid = vec![
        String::new(),
        "plk_".into(),
        "x".repeat(59),
        unknown_key(OTHER_SIGNING_SECRET),
        format!("{key} "),
        key[4..].into(),
    ];
    for position in 0..key.len() {
        for other in ['0', 'z', '-', 'é'] {
            let replaced = key.chars().enumerate().map(|(at, one)| if at == position { other } else { one });
            invalid.extend(Some(replaced.collect()).filter(|replaced| *replaced != key));
        }
    }
    check_all(invalid, async |key| {
        let answer = deployment.generate(&key, "").await;
        assert_eq!(answer.assert_problem(401)["detail"], UNAUTHORIZED);
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"passloom\"");
    })
    .await;
    assert_eq!(deployment.send(Request::get("")).await.assert_problem(401)["detail"], UNAUTHORIZED);
    assert_eq!(deployment.database.calls(), 0);
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert!(deployment.database.calls() > 0, "calls are counted");
}

#[tokio::test]
async fn unknown_key_returns_401_and_is_cached() {
    let deployment = Deployment::start().await;
    let key = unknown_key(SIGNING_SECRET);
    for _ in 0..5 {
        assert_eq!(deployment.generate(&key, "").await.assert_problem(401)["detail"], UNAUTHORIZED);
    }
    assert_eq!((deployment.database.calls(), deployment.database.calls_of("UpdateItem")), (1, 1));
    assert!(deployment.database.items().await.is_empty());
}

#[tokio::test]
async fn deleted_key_is_refused_at_next_request() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    let pk = AttributeValue::S(deployment.log.last()["key_id"].as_str().unwrap().to_owned());
    let client = deployment.database.client().await;
    client.delete_item().table_name(deployment.database.table().name).key("pk", pk).send().await.unwrap();
    deployment.generate(&key, "").await.assert_problem(401);
    assert!(deployment.database.items().await.is_empty(), "the rejected write creates no item");
}

#[tokio::test]
async fn revoked_key_is_refused_at_next_request() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.database.change_key("revoked_at = :now", &[(":now", seconds_after_start(0))]).await;
    for _ in 0..3 {
        assert_eq!(deployment.generate(&key, "").await.assert_problem(401)["detail"], UNAUTHORIZED);
    }
    assert_eq!(deployment.database.calls_of("UpdateItem"), 2, "one write is rejected, then the refusal is cached");
    assert_eq!(deployment.database.admissions().await, 1);
}

#[tokio::test]
async fn expired_key_returns_403() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    deployment.database.change_key("expires_at = :end", &[(":end", seconds_after_start(30))]).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.clock.advance(Duration::from_secs(30));
    for _ in 0..3 {
        let problem = deployment.generate(&key, "").await.assert_problem(403);
        assert_eq!(problem["detail"], "This API key has expired.");
    }
    let line = deployment.log.last();
    assert_eq!((&line["reason"], &line["key_name"]), (&"key-expired".into(), &"test".into()));
    assert_eq!((deployment.database.calls_of("UpdateItem"), deployment.database.calls_of("GetItem")), (2, 1));
    // A later expiry takes effect when the cached refusal is ten seconds old.
    deployment.database.change_key("expires_at = :end", &[(":end", seconds_after_start(3_600))]).await;
    deployment.clock.advance(Duration::from_secs(10));
    assert_eq!(deployment.generate(&key, "").await.status, 200);
}

#[tokio::test]
async fn key_bound_to_addresses_is_refused_elsewhere() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let ranges = AttributeValue::Ss(vec!["198.51.100.0/24".into(), "2001:db8::/32".into()]);
    deployment.database.change_key("cidrs = :ranges", &[(":ranges", ranges)]).await;
    let from = |address| Request::get("").key(&key).from(address);
    let cases = [
        ("198.51.100.7", 200),
        ("198.51.101.7", 403),
        ("2001:db8:ffff::1", 200),
        ("2001:db9::1", 403),
        ("::ffff:198.51.100.9", 200),
        ("", 403),
    ];
    check_all(cases, async |(address, status)| assert_eq!(deployment.send(from(address)).await.status, status)).await;
    // A client can write this header.
    let forged = from("192.0.2.1").header("x-forwarded-for", "198.51.100.7");
    let problem = deployment.send(forged).await.assert_problem(403);
    assert_eq!(problem["detail"], "This API key may not be used from this address.");
    assert_eq!(deployment.log.last()["reason"], "address-not-allowed");
    // Only the holder of the key receives this answer.
    let other = unknown_key(SIGNING_SECRET);
    deployment.send(Request::get("").key(&other).from("192.0.2.1")).await.assert_problem(401);
}

#[tokio::test]
async fn rotated_key_accepts_both_secrets_until_the_overlap_ends() {
    let deployment = Deployment::start().await;
    let old = deployment.ample_key().await;
    assert_eq!(deployment.generate(&old, "").await.status, 200);
    let (new, hash) = new_secret(deployment.database.items().await[0]["pk"]["S"].as_str().unwrap());
    let values = [(":new", AttributeValue::B(hash)), (":until", seconds_after_start(60))];
    deployment.database.change_key("h2 = h, h2_until = :until, h = :new", &values).await;
    for key in [&old, &new, &old, &new] {
        assert_eq!(deployment.generate(key, "").await.status, 200);
    }
    assert_eq!(deployment.log.last()["sequence"], 5, "both secrets have one count");
    deployment.clock.advance(Duration::from_mins(1));
    deployment.generate(&old, "").await.assert_problem(401);
    assert_eq!(deployment.generate(&new, "").await.status, 200);
}

#[tokio::test]
async fn keys_of_both_signing_secrets_are_accepted() {
    let secrets = SigningSecrets::parse(&format!("{OTHER_SIGNING_SECRET},{SIGNING_SECRET}")).unwrap();
    let deployment = Deployment::builder().auth(Auth::Key(secrets)).start().await;
    let old = deployment.ample_key().await;
    assert_eq!(deployment.generate(&old, "").await.status, 200);
    // This key has a valid tag, but is not in the table.
    deployment.generate(&unknown_key(OTHER_SIGNING_SECRET), "").await.assert_problem(401);
    assert_eq!(deployment.log.last()["reason"], "unknown-key");
    deployment.generate(&unknown_key(&"ab".repeat(32)), "").await.assert_problem(401);
    assert_eq!(deployment.log.last()["reason"], "forged-key");
}

#[tokio::test]
async fn auth_none_counts_by_address() {
    let deployment = Deployment::builder().by_address(2, 100).start().await;
    let from = |address| Request::get("").from(address);
    let cases = [
        ("192.0.2.1", [200, 200, 429]),
        ("192.0.2.2", [200, 200, 429]),
        ("2001:db8:1:2::1", [200, 200, 429]),
        ("2001:db8:1:2:ffff::9", [429, 429, 429]),
        ("2001:db8:1:3::1", [200, 200, 429]),
        ("::ffff:192.0.2.1", [429, 429, 429]),
    ];
    check_all(cases, async |(address, statuses)| {
        for status in statuses {
            assert_eq!(deployment.send(from(address)).await.status, status);
        }
    })
    .await;
    // A client can write this header.
    let forged = from("192.0.2.1").header("x-forwarded-for", "203.0.113.9");
    assert_eq!(deployment.send(forged).await.status, 429);
    deployment.send(from("nonsense")).await.assert_problem(403);

    let items = deployment.database.items().await;
    let mut names: Vec<&str> = items.iter().map(|item| item["pk"]["S"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ip:192.0.2.1", "ip:192.0.2.2", "ip:2001:db8:1:2::/64", "ip:2001:db8:1:3::/64"]);
    for item in &items {
        assert_eq!(item["delete_after"]["N"], (START + 2 * 86_400).to_string());
    }
}
