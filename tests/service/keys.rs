//! Who is let in.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;

use crate::support::{Deployment, PEPPER, Request, unknown_key};

const OTHER_PEPPER: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
const REFUSED: &str = "Send a valid API key as X-Api-Key or as Authorization: Bearer.";

#[tokio::test]
async fn a_key_comes_in_either_header() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    let bearer = |scheme: &str| Request::get("").header("authorization", &format!("{scheme} {key}"));
    assert_eq!(deployment.send(bearer("Bearer")).await.status, 200);
    assert_eq!(deployment.send(bearer("bearer")).await.status, 200);
    assert_eq!(deployment.send(bearer("Bearer").key(&key)).await.status, 200);
    let other = unknown_key(PEPPER);
    let problem = deployment.send(bearer("Bearer").key(&other)).await.assert_problem(400);
    assert_eq!(problem["detail"], "The request carries different API keys; send one.");
    deployment.send(bearer("Basic")).await.assert_problem(401);
}

#[tokio::test]
async fn a_key_reads_as_the_documentation_says() {
    let key = unknown_key(PEPPER);
    assert_eq!((key.len(), &key[..4]), (59, "plk_"));
    assert!(key[4..].bytes().all(|byte| byte.is_ascii_alphanumeric()), "{key}");
}

/// Neither the text nor the time nor the cost says what is wrong with a key.
#[tokio::test]
async fn a_key_that_is_none_of_ours_never_reaches_the_database() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    let mut bad = vec![
        String::new(),
        "plk_".into(),
        "x".repeat(59),
        unknown_key(OTHER_PEPPER),
        format!("{key} "),
        key[4..].into(),
    ];
    for position in 0..key.len() {
        for other in ['0', 'z', '-', 'é'] {
            let changed: String =
                key.chars().enumerate().map(|(at, character)| if at == position { other } else { character }).collect();
            if changed != key {
                bad.push(changed);
            }
        }
    }
    for key in bad {
        let answer = deployment.generate(&key, "").await;
        assert_eq!(answer.assert_problem(401)["detail"], REFUSED, "{key}");
        assert_eq!(answer.header("www-authenticate"), "Bearer realm=\"passloom\"");
    }
    assert_eq!(deployment.send(Request::get("")).await.assert_problem(401)["detail"], REFUSED);
    assert_eq!(deployment.generate(&key, "length=3").await.status, 400);
    assert_eq!(deployment.database.calls(), 0);
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    assert!(deployment.database.calls() > 0, "the wire counts");
}

#[tokio::test]
async fn a_key_that_the_table_does_not_hold_costs_one_read_and_is_remembered() {
    let deployment = Deployment::new().await;
    let key = unknown_key(PEPPER);
    for _ in 0..5 {
        assert_eq!(deployment.generate(&key, "").await.assert_problem(401)["detail"], REFUSED);
    }
    assert_eq!((deployment.database.calls(), deployment.database.calls_of("GetItem")), (1, 1));
    assert!(deployment.database.items().is_empty());
}

#[tokio::test]
async fn a_deleted_key_stops_at_once() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    let id = deployment.log.last()["key_id"].as_str().unwrap().to_owned();
    let pk = AttributeValue::S(id);
    let client = deployment.database.client().await;
    client.delete_item().table_name(crate::support::TABLE).key("pk", pk).send().await.unwrap();
    deployment.generate(&key, "").await.assert_problem(401);
    assert!(deployment.database.items().is_empty(), "a refused write makes no item");
}

/// While one pepper replaces the other, keys made under either are good.
#[tokio::test]
async fn two_peppers_may_be_valid_at_once() {
    let peppers = passloom::access::Peppers::parse(&format!("{OTHER_PEPPER},{PEPPER}")).unwrap();
    let deployment = Deployment::with(passloom::settings::Auth::Key(peppers), false).await;
    let old = deployment.key(60, 1000).await;
    assert_eq!(deployment.generate(&old, "").await.status, 200);
    let unknown = unknown_key(OTHER_PEPPER);
    deployment.generate(&unknown, "").await.assert_problem(401);
    assert_eq!(deployment.log.last()["reason"], "unknown-key", "its tag was good");
}

#[tokio::test]
async fn without_keys_callers_are_counted_by_address() {
    let deployment = Deployment::open(2, 100).await;
    let from = |address| Request::get("").from(address);
    for (address, statuses) in [
        ("192.0.2.1", [200, 200, 429]),
        ("192.0.2.2", [200, 200, 429]),
        ("2001:db8:1:2::1", [200, 200, 429]),
        ("2001:db8:1:2:ffff::9", [429, 429, 429]),
        ("2001:db8:1:3::1", [200, 200, 429]),
        ("::ffff:192.0.2.1", [429, 429, 429]),
    ] {
        for status in statuses {
            assert_eq!(deployment.send(from(address)).await.status, status, "{address}");
        }
    }
    // A header that a client can write says nothing.
    let forged = from("192.0.2.1").header("x-forwarded-for", "203.0.113.9");
    assert_eq!(deployment.send(forged).await.status, 429);
    deployment.send(from("nonsense")).await.assert_problem(403);
    let items = deployment.database.items();
    let mut names: Vec<&str> = items.iter().map(|item| item["pk"]["S"].as_str().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ip:192.0.2.1", "ip:192.0.2.2", "ip:2001:db8:1:2::/64", "ip:2001:db8:1:3::/64"]);
    for item in &items {
        let kept_until: u64 = item["delete_after"]["N"].as_str().unwrap().parse().unwrap();
        assert_eq!(kept_until, 1_767_225_600 + 2 * 86_400);
    }
}

/// Sets attributes of the only key, as an administrator's tool does: the version rises.
async fn change(deployment: &Deployment, update: &str, values: &[(&str, AttributeValue)]) {
    let pk = AttributeValue::S(deployment.database.items()[0]["pk"]["S"].as_str().unwrap().to_owned());
    let client = deployment.database.client().await;
    let call = client.update_item().table_name(crate::support::TABLE).key("pk", pk);
    let call = call.update_expression(format!("{update}, v = v + :one"));
    let call = call.expression_attribute_values(":one", AttributeValue::N("1".into()));
    let call = values.iter().fold(call, |call, (name, value)| call.expression_attribute_values(*name, value.clone()));
    call.send().await.unwrap();
}

fn seconds(seconds: u64) -> AttributeValue {
    AttributeValue::N((1_767_225_600 + seconds).to_string())
}

#[tokio::test]
async fn a_revoked_key_stops_at_once() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    change(&deployment, "SET revoked_at = :now", &[(":now", seconds(0))]).await;
    for _ in 0..3 {
        assert_eq!(deployment.generate(&key, "").await.assert_problem(401)["detail"], REFUSED);
    }
    assert_eq!(deployment.database.calls_of("UpdateItem"), 2, "one write in vain, then the refusal is remembered");
    assert_eq!(deployment.database.items()[0]["n"]["N"], "1");
}

#[tokio::test]
async fn an_expired_key_is_told_so() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    change(&deployment, "SET expires_at = :end", &[(":end", seconds(30))]).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.clock.advance(Duration::from_secs(30));
    for _ in 0..3 {
        let problem = deployment.generate(&key, "").await.assert_problem(403);
        assert_eq!(problem["detail"], "This API key has expired.");
    }
    let line = deployment.log.last();
    assert_eq!((&line["reason"], &line["key_name"]), (&"key-expired".into(), &"test".into()));
    assert_eq!((deployment.database.calls_of("UpdateItem"), deployment.database.calls_of("GetItem")), (1, 2));
    // A longer life holds as soon as the refusal is forgotten.
    change(&deployment, "SET expires_at = :end", &[(":end", seconds(3_600))]).await;
    deployment.clock.advance(Duration::from_secs(10));
    assert_eq!(deployment.generate(&key, "").await.status, 200);
}

#[tokio::test]
async fn a_key_may_be_bound_to_addresses() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    let ranges = AttributeValue::Ss(vec!["198.51.100.0/24".into(), "2001:db8::/32".into()]);
    change(&deployment, "SET cidrs = :ranges", &[(":ranges", ranges)]).await;
    let from = |address| Request::get("").key(&key).from(address);
    for (address, status) in [
        ("198.51.100.7", 200),
        ("198.51.101.7", 403),
        ("2001:db8:ffff::1", 200),
        ("2001:db9::1", 403),
        ("::ffff:198.51.100.9", 200),
        ("", 403),
    ] {
        assert_eq!(deployment.send(from(address)).await.status, status, "{address}");
    }
    let forged = from("192.0.2.1").header("x-forwarded-for", "198.51.100.7");
    let problem = deployment.send(forged).await.assert_problem(403);
    assert_eq!(problem["detail"], "This API key may not be used from this address.");
    assert_eq!(deployment.log.last()["reason"], "address-not-allowed");
    // Only the holder of the secret hears of it.
    let other = unknown_key(PEPPER);
    deployment.send(Request::get("").key(&other).from("192.0.2.1")).await.assert_problem(401);
}

/// A new secret for the same key; the old one stays good for a while.
#[tokio::test]
async fn a_rotated_key_is_good_with_both_secrets_until_the_overlap_ends() {
    let deployment = Deployment::new().await;
    let old = deployment.key(60, 1000).await;
    assert_eq!(deployment.generate(&old, "").await.status, 200);
    let item = &deployment.database.items()[0];
    let id = item["pk"]["S"].as_str().unwrap();
    let (new, hash) = crate::support::rotated(id);
    let values = [(":new", AttributeValue::B(hash)), (":until", seconds(60))];
    change(&deployment, "SET h2 = h, h2_until = :until, h = :new", &values).await;
    for key in [&old, &new, &old, &new] {
        assert_eq!(deployment.generate(key, "").await.status, 200);
    }
    assert_eq!(deployment.log.last()["sequence"], 5, "one key, one count");
    deployment.clock.advance(Duration::from_mins(1));
    deployment.generate(&old, "").await.assert_problem(401);
    assert_eq!(deployment.generate(&new, "").await.status, 200);
}

/// What an administrator changes holds from the next write, at the latest in the next slot.
#[tokio::test]
async fn a_lease_outlives_a_revocation_by_no_more_than_its_slot() {
    let deployment = Deployment::leasing(10).await;
    let key = deployment.key(100, 10_000).await;
    for _ in 0..2 {
        assert_eq!(deployment.generate(&key, "").await.status, 200);
    }
    change(&deployment, "SET revoked_at = :now", &[(":now", seconds(0))]).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200, "counted before the revocation");
    assert_eq!(deployment.generate(&key, "").await.status, 401);
    assert_eq!(deployment.generate(&key, "").await.status, 401);
}
