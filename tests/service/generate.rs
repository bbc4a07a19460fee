//! Passwords: what is asked for is what comes, and the answer says what it is worth.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Deployment, Request};

const STANDARD_SPECIAL: &str = "!@#$%^&*()_+-=[]{}|;:,.<>?";

/// Whether a password is what was asked for.
type Check = fn(&str) -> bool;

fn count(password: &str, class: fn(char) -> bool) -> usize {
    password.chars().filter(|&character| class(character)).count()
}

fn lowercase(character: char) -> bool {
    character.is_ascii_lowercase()
}

fn uppercase(character: char) -> bool {
    character.is_ascii_uppercase()
}

fn digit(character: char) -> bool {
    character.is_ascii_digit()
}

fn special(character: char) -> bool {
    !character.is_ascii_alphanumeric()
}

#[tokio::test]
async fn nothing_asked_for_gives_sixteen_letters_and_digits() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    let answer = deployment.generate(&key, "").await;
    let password = answer.password();
    assert_eq!(password.len(), 16);
    assert!(password.chars().all(|character| character.is_ascii_alphanumeric()));
    assert!(count(&password, lowercase) >= 1);
    assert!(count(&password, uppercase) >= 1);
    assert!(count(&password, digit) >= 1);
    let mut body = answer.json();
    body["password"].take();
    let expected = json!({
        "password": null,
        "length": 16,
        "entropy_bits": 95.17,
        "policy": {
            "length": 16,
            "lowercase": true,
            "uppercase": true,
            "digits": true,
            "special": false,
            "min_lowercase": 1,
            "min_uppercase": 1,
            "min_digits": 1,
            "min_special": 0,
            "exclude": "",
            "exclude_similar": false,
            "no_repeats": false
        }
    });
    assert_eq!(body, expected);
    assert_eq!(answer.header("content-type"), "application/json");
}

/// The requests that clients of the two tutorial services send, each with what must come of it.
#[tokio::test]
async fn clients_of_the_tutorial_services_find_what_they_ask_for() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let cases: [(&str, usize, Check); 7] = [
        ("", 16, |password| count(password, special) == 0),
        ("length=24", 24, |_| true),
        ("length=12&special=true", 12, |password| count(password, special) >= 1),
        ("length=20&uppercase=false", 20, |password| count(password, uppercase) == 0),
        ("length=20&digits=false&special=true", 20, |password| count(password, digit) == 0),
        ("length=32&exclude=abc123", 32, |password| !password.contains(['a', 'b', 'c', '1', '2', '3'])),
        ("length=8&lowercase=true&uppercase=true&digits=true&special=true&exclude=%5E%5D%5C-", 8, |password| {
            !password.contains(['^', ']', '\\', '-'])
        }),
    ];
    for (query, length, good) in cases {
        let answer = deployment.generate(&key, query).await;
        let password = answer.password();
        assert_eq!(password.len(), length, "{query}");
        assert_eq!(answer.json()["length"], length, "{query}");
        assert!(good(&password), "{query}: {password}");
    }
}

/// What was wrong with the two tutorial services, request by request.
#[tokio::test]
async fn the_defects_of_the_tutorial_services_are_gone() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    // A chosen class appears: half of all passwords of eight used to miss one.
    for _ in 0..50 {
        let password = deployment.generate(&key, "length=8&special=true").await.password();
        assert!(count(&password, special) >= 1, "{password}");
    }
    // `exclude` is a set of characters, whatever they mean in a regular expression.
    let query = "special=true&length=64&exclude=a%5D(%5Cw%2B)%2B%00%5Bb";
    let password = deployment.generate(&key, query).await.password();
    assert!(!password.contains(['a', ']', '(', '\\', 'w', '+', ')', '[', 'b']), "{password}");
    // Nothing is clamped or coerced.
    for length in ["1e3", "0", "-5", "257", "16.0", "%2016", "+16", "0x10", "", "99999999999999999999"] {
        let problem = deployment.generate(&key, &format!("length={length}")).await.assert_problem(400);
        assert_eq!(problem["parameter"], "length");
        assert_eq!(problem["detail"], "length must be a whole number from 4 to 256.");
    }
    deployment.generate(&key, "exclude=x&exclude=y").await.assert_problem(400);
}

#[tokio::test]
async fn any_character_may_be_excluded_raw_as_well_as_encoded() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    // As curl sends what a person types, and as it should be sent.
    for query in ["exclude=<>|\\^\"{}'` é", "exclude=%3C%3E%7C%5C%5E%22%7B%7D'%60+%C3%A9"] {
        let query = format!("special=true&length=128&{query}");
        let answer = deployment.generate(&key, &query).await;
        assert!(!answer.password().contains(['<', '>', '|', '\\', '^', '"', '{', '}']));
        assert_eq!(answer.json()["policy"]["exclude"], "<>^{|}");
    }
}

#[tokio::test]
async fn each_parameter_does_what_its_name_says() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let cases: [(&str, Check); 15] = [
        ("min_digits=10", |password| count(password, digit) >= 10),
        ("min_uppercase=16&min_lowercase=0&min_digits=0", |password| count(password, uppercase) == 16),
        ("symbols=!!@", |password| {
            count(password, special) >= 1 && password.chars().filter(|&one| special(one)).all(|one| "!@".contains(one))
        }),
        ("symbols=~/%22'&min_special=8", |password| {
            count(password, special) >= 8
                && password.chars().filter(|&one| special(one)).all(|one| "~/\"'".contains(one))
        }),
        ("special&length=128", |password| {
            password.chars().filter(|&one| special(one)).all(|one| STANDARD_SPECIAL.contains(one))
        }),
        ("exclude_similar=yes&special=on&length=256", |password| {
            !password.contains(['I', 'l', '1', '|', 'O', '0', 'o'])
        }),
        ("lowercase=NO&uppercase=Off&digits=1", |password| count(password, digit) == 16),
        ("length=4&special=1", |password| password.len() == 4),
        ("length=64&max_consecutive=1&lowercase=no&uppercase=no", |password| {
            password.as_bytes().windows(2).all(|pair| pair[0] != pair[1])
        }),
        ("no_repeats=true&length=62", |password| password.chars().collect::<BTreeSet<char>>().len() == 62),
        ("start=letter", |password| password.starts_with(|first: char| first.is_ascii_alphabetic())),
        ("start=digit&length=4", |password| password.starts_with(|first: char| first.is_ascii_digit())),
        ("min_classes=3&length=4&special=true", |password| {
            [lowercase, uppercase, digit, special].iter().filter(|class| count(password, **class) > 0).count() >= 3
        }),
        ("min_entropy=128", |password| password.len() == 22),
        ("length=256&special=1&min_special=100", |password| count(password, special) >= 100),
    ];
    for (query, good) in cases {
        let password = deployment.generate(&key, query).await.password();
        assert!(good(&password), "{query}: {password}");
    }
}

#[tokio::test]
async fn the_policy_sent_back_is_the_same_policy() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    for query in [
        "",
        "length=33&special&exclude=a]^-\\&exclude_similar",
        "symbols=%22%25&min_special=3&digits=no",
        "lowercase=off&min_uppercase=0&length=9",
        "special=false&exclude=!?é",
        "max_consecutive=2&start=letter&min_classes=3&special",
        "no_repeats&start=digit&length=30&min_digits=3",
        "min_entropy=128",
    ] {
        let first = deployment.generate(&key, query).await;
        let policy = first.json()["policy"].clone();
        let again = deployment.send(Request::post(policy.to_string()).key(&key)).await;
        assert_eq!(again.json()["policy"], policy, "{query}");
        assert_eq!(again.json()["entropy_bits"], first.json()["entropy_bits"], "{query}");
    }
}

#[tokio::test]
async fn a_body_says_the_same_as_a_query() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let body = json!({ "length": 24, "special": true, "exclude": "abc", "min_digits": 4, "count": 3 });
    let by_body = deployment.send(Request::post(body.to_string()).key(&key)).await;
    let by_query = deployment.generate(&key, "length=24&special=true&exclude=abc&min_digits=4&count=3").await;
    assert_eq!(by_body.json()["policy"], by_query.json()["policy"]);
    assert_eq!(by_body.json()["passwords"].as_array().unwrap().len(), 3);

    let empty = deployment.send(Request::post("").key(&key)).await;
    assert_eq!(empty.password().len(), 16);
    let whole = deployment.send(Request::post(r#"{"length":24.0}"#).key(&key)).await;
    assert_eq!(whole.password().len(), 24);
}

#[tokio::test]
async fn many_at_once_are_drawn_one_by_one_and_admitted_as_one() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    let answer = deployment.generate(&key, "count=100&length=20").await;
    let body = answer.json();
    let passwords: BTreeSet<&str> =
        body["passwords"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!(passwords.len(), 100, "no two alike");
    assert!(passwords.iter().all(|password| password.len() == 20));
    assert_eq!((&body["count"], &body["length"], body.get("password")), (&json!(100), &json!(20), None));
    assert!(answer.header("ratelimit").starts_with("\"minute\";r=59;"), "{}", answer.header("ratelimit"));
    assert_eq!(deployment.generate(&key, "count=1").await.json()["passwords"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn plain_text_is_the_bare_password_one_a_line() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let text = |accept: &str, query: &str| Request::get(query).key(&key).header("accept", accept);
    for accept in ["text/plain", "text/plain, */*;q=0.1", "text/*;q=0.9, application/json;q=0.8", "TEXT/PLAIN"] {
        let answer = deployment.send(text(accept, "length=20")).await;
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8", "{accept}");
        assert_eq!((answer.body.len(), answer.body.ends_with('\n')), (21, true), "{accept}");
    }
    let answer = deployment.send(text("text/plain", "length=20&count=5")).await;
    assert_eq!(answer.body.lines().map(str::len).collect::<Vec<_>>(), [20; 5]);
    for accept in ["*/*", "", "text/html", "application/json, text/plain", "text/plain;q=0, application/json"] {
        let answer = deployment.send(text(accept, "")).await;
        assert_eq!(answer.header("content-type"), "application/json", "{accept}");
    }
    let refused = deployment.send(text("text/plain", "length=3")).await;
    refused.assert_problem(400);
}

#[tokio::test]
async fn json_escapes_nothing_that_it_need_not() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let query = "symbols=%26%3C%3E'&min_special=16&min_lowercase=0&min_uppercase=0&min_digits=0";
    let answer = deployment.generate(&key, query).await;
    assert!(answer.body.contains(&answer.password()), "{}", answer.body);
}

#[tokio::test]
async fn every_answer_forbids_caching_and_says_what_is_left() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 10_000).await;
    let good = deployment.generate(&key, "").await;
    let refused = deployment.generate(&key, "length=1").await;
    let unknown = deployment.generate("plk_no", "").await;
    let nowhere = deployment.send(Request::get("").path("/nowhere")).await;
    let health = deployment.send(Request::get("").path("/api/health")).await;
    for answer in [&good, &refused, &unknown, &nowhere, &health] {
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("strict-transport-security"), "max-age=63072000; includeSubDomains");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-request-id"), "gateway-id");
        for absent in ["etag", "server", "x-powered-by"] {
            assert!(!answer.headers.contains_key(absent));
        }
    }
    assert_eq!(good.header("ratelimit-policy"), "\"minute\";q=60;w=60, \"day\";q=10000;w=86400");
    assert_eq!(good.header("ratelimit"), "\"minute\";r=59;t=64, \"day\";r=9999;t=86400");
    assert_eq!(health.json(), json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }));
    assert_eq!(health.json().as_object().map(serde_json::Map::len), Some(2));
    assert!(!unknown.headers.contains_key("ratelimit"));
    let members: Vec<String> = refused.json().as_object().unwrap().keys().cloned().collect();
    assert_eq!(members, ["detail", "error", "parameter", "status", "title", "type"]);
    assert_eq!(Value::Null, refused.json()["password"]);
}
