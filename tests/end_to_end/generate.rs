//! `/api/generate`: the password satisfies the request, and the answer describes it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::{Deployment, Request, check_all};

const STANDARD_SPECIAL: &str = "!@#$%^&*()_+-=[]{}|;:,.<>?";

/// Whether a password satisfies its request.
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
async fn no_parameters_return_sixteen_letters_and_digits() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let answer = deployment.generate(&key, "").await;
    let password = answer.password();
    assert_eq!(password.len(), 16);
    assert!(password.chars().all(|character| character.is_ascii_alphanumeric()));
    assert!([lowercase, uppercase, digit].iter().all(|class| count(&password, *class) >= 1), "{password}");
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

#[tokio::test]
async fn length_left_out_is_sixteen_or_what_the_minima_need() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("min_digits=14", 16),
        ("min_digits=15", 17),
        ("min_digits=20", 22),
        ("min_digits=20&min_lowercase=0&min_uppercase=0", 20),
        ("min_digits=20&min_lowercase=0&min_uppercase=0&min_classes=3", 22),
        ("policy=pci-dss-4&min_digits=20&min_lowercase=1&min_uppercase=1", 22),
    ];
    check_all(cases, async |(query, length)| {
        let answer = deployment.generate(&key, query).await;
        let body = answer.json();
        assert_eq!((answer.password().len(), &body["length"]), (length, &json!(length)), "{query}");
    })
    .await;
}

/// The requests that clients of the two tutorial services send.
#[tokio::test]
async fn requests_of_tutorial_services_return_matching_passwords() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
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
    check_all(cases, async |(query, length, satisfies)| {
        let answer = deployment.generate(&key, query).await;
        let password = answer.password();
        assert_eq!((password.len(), &answer.json()["length"]), (length, &json!(length)));
        assert!(satisfies(&password), "{password}");
    })
    .await;
}

/// In the tutorial services, half of the passwords of eight characters lack a requested class.
#[tokio::test]
async fn requested_class_always_appears() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    for password in deployment.generate(&key, "length=8&special=true&count=100").await.passwords() {
        assert!(count(&password, special) >= 1, "{password}");
    }
}

/// The tutorial services clamp and coerce the length.
#[tokio::test]
async fn invalid_length_returns_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let lengths = ["1e3", "0", "3", "-5", "4097", "16.0", "%2016", "+16", "0x10", "", "99999999999999999999"];
    check_all(lengths, async |length| {
        let problem = deployment.generate(&key, &format!("length={length}")).await.assert_problem(400);
        assert_eq!(problem["parameter"], "length");
        assert_eq!(problem["detail"], "length must be a whole number from 4 to 4096.");
    })
    .await;
}

/// The tutorial services insert `exclude` into a regular expression.
#[tokio::test]
async fn exclude_is_read_literally() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let query = "special=true&length=64&exclude=a%5D(%5Cw%2B)%2B%00%5Bb";
    let password = deployment.generate(&key, query).await.password();
    assert!(!password.contains(['a', ']', '(', '\\', 'w', '+', ')', '[', 'b']), "{password}");
}

#[tokio::test]
async fn exclude_accepts_raw_and_encoded_characters() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    // As curl sends what a person types, and as it should be sent.
    check_all(["<>|\\^\"{}'` é", "%3C%3E%7C%5C%5E%22%7B%7D'%60+%C3%A9"], async |excluded| {
        let answer = deployment.generate(&key, &format!("special=true&length=128&exclude={excluded}")).await;
        assert!(!answer.password().contains(['<', '>', '|', '\\', '^', '"', '{', '}']));
        assert_eq!(answer.json()["policy"]["exclude"], "<>^{|}");
    })
    .await;
}

#[tokio::test]
async fn each_parameter_constrains_the_password() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
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
        ("special=true&length=128", |password| {
            password.chars().filter(|&one| special(one)).all(|one| STANDARD_SPECIAL.contains(one))
        }),
        ("exclude_similar=yes&special=on&length=256", |password| {
            !password.contains(['I', 'l', '1', '|', 'O', '0', 'o'])
        }),
        ("lowercase=NO&uppercase=Off&digits=1", |password| count(password, digit) == 16),
        ("length=4&special=1", |password| password.len() == 4),
        ("length=64&max_repeating=1&lowercase=no&uppercase=no", |password| {
            password.as_bytes().windows(2).all(|pair| pair[0] != pair[1])
        }),
        ("no_repeats=true&length=62", |password| password.chars().collect::<BTreeSet<char>>().len() == 62),
        ("start=letter", |password| password.starts_with(|first: char| first.is_ascii_alphabetic())),
        ("start=digit&length=4", |password| password.starts_with(|first: char| first.is_ascii_digit())),
        ("min_classes=3&length=4&special=true", |password| {
            [lowercase, uppercase, digit, special].iter().filter(|class| count(password, **class) > 0).count() >= 3
        }),
        ("min_entropy=128", |password| password.len() == 22),
        ("length=128&special=1&min_special=60", |password| count(password, special) >= 60),
    ];
    check_all(cases, async |(query, satisfies)| {
        let password = deployment.generate(&key, query).await.password();
        assert!(satisfies(&password), "{password}");
    })
    .await;
}

#[tokio::test]
async fn returned_policy_reproduces_itself() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let queries = [
        "",
        "length=33&special=true&exclude=a]^-\\&exclude_similar=true",
        "symbols=%22%25&min_special=3&digits=no",
        "lowercase=off&min_uppercase=0&length=9",
        "special=false&exclude=!?é",
        "max_repeating=2&start=letter&min_classes=3&special=true",
        "no_repeats=true&start=digit&length=30&min_digits=3",
        "min_entropy=128",
    ];
    check_all(queries, async |query| {
        let first = deployment.generate(&key, query).await.ok();
        let again = deployment.send(Request::post(first["policy"].to_string()).key(&key)).await.ok();
        assert_eq!((&again["policy"], &again["entropy_bits"]), (&first["policy"], &first["entropy_bits"]));
    })
    .await;
}

#[tokio::test]
async fn body_and_query_make_the_same_policy() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let body = json!({ "length": 24, "special": true, "exclude": "abc", "min_digits": 4, "count": 3 });
    let by_body = deployment.send(Request::post(body.to_string()).key(&key)).await;
    let by_query = deployment.generate(&key, "length=24&special=true&exclude=abc&min_digits=4&count=3").await;
    assert_eq!(by_body.json()["policy"], by_query.json()["policy"]);
    assert_eq!(by_body.passwords().len(), 3);
}

#[tokio::test]
async fn empty_body_means_no_parameters() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    assert_eq!(deployment.send(Request::post("").key(&key)).await.password().len(), 16);
    assert_eq!(deployment.send(Request::post("{}").key(&key)).await.password().len(), 16);
}

/// JSON does not distinguish 24.0 from 24.
#[tokio::test]
async fn whole_number_with_a_fraction_is_accepted_in_a_body() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let answer = deployment.send(Request::post(r#"{"length":24.0}"#).key(&key)).await;
    assert_eq!(answer.password().len(), 24);
}

#[tokio::test]
async fn count_returns_different_passwords_for_one_admission() {
    let deployment = Deployment::start().await;
    let key = deployment.key(60, 1_000).await;
    let answer = deployment.generate(&key, "count=100&length=20").await;
    let passwords: BTreeSet<String> = answer.passwords().into_iter().collect();
    assert_eq!(passwords.len(), 100, "all passwords are different");
    assert!(passwords.iter().all(|password| password.len() == 20));
    let body = answer.json();
    assert_eq!((&body["count"], &body["length"], body.get("password")), (&json!(100), &json!(20), None));
    assert!(answer.header("ratelimit").starts_with("\"minute\";r=59;"), "{}", answer.header("ratelimit"));
    assert_eq!(deployment.generate(&key, "count=1").await.passwords().len(), 1);
}

#[tokio::test]
async fn accept_text_plain_returns_passwords_line_by_line() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let text = |accept: &str, query: &str| Request::get(query).key(&key).header("accept", accept);
    let accepts = ["text/plain", "text/plain, */*;q=0.1", "text/*;q=0.9, application/json;q=0.8", "TEXT/PLAIN"];
    check_all(accepts, async |accept| {
        let answer = deployment.send(text(accept, "length=20")).await;
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
        assert_eq!((answer.body.len(), answer.body.ends_with('\n')), (21, true));
    })
    .await;
    let answer = deployment.send(text("text/plain", "length=20&count=5")).await;
    assert_eq!(answer.body.lines().map(str::len).collect::<Vec<_>>(), [20; 5]);
    deployment.send(text("text/plain", "length=3")).await.assert_problem(400);
}

#[tokio::test]
async fn accept_without_preference_for_text_returns_json() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let accepts = ["*/*", "", "text/html", "application/json, text/plain", "text/plain;q=0, application/json"];
    check_all(accepts, async |accept| {
        let answer = deployment.send(Request::get("").key(&key).header("accept", accept)).await;
        assert_eq!(answer.header("content-type"), "application/json");
    })
    .await;
}

#[tokio::test]
async fn json_answer_escapes_no_html_characters() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let query = "symbols=%26%3C%3E'&min_special=16&min_lowercase=0&min_uppercase=0&min_digits=0";
    let answer = deployment.generate(&key, query).await;
    assert!(answer.body.contains(&answer.password()), "{}", answer.body);
}

#[tokio::test]
async fn every_answer_has_security_headers() {
    let deployment = Deployment::start().await;
    let key = deployment.key(1, 10_000).await;
    let cases = [
        (200, Request::get("").key(&key)),
        (429, Request::get("").key(&key)),
        (400, Request::get("length=1").key(&key)),
        (401, Request::get("").key("plk_no")),
        (404, Request::get("").path("/nowhere")),
        (405, Request::get("").method("PUT")),
        (200, Request::get("").path("/api/health")),
        (204, Request::get("").method("OPTIONS")),
    ];
    check_all(cases, async |(status, request)| {
        let answer = deployment.send(request).await;
        assert_eq!(answer.status, status);
        assert_eq!(answer.header("cache-control"), "no-store");
        assert_eq!(answer.header("strict-transport-security"), "max-age=63072000; includeSubDomains");
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert_eq!(answer.header("referrer-policy"), "no-referrer");
        assert_eq!(answer.header("x-request-id"), "gateway-id");
        for absent in ["etag", "server", "x-powered-by"] {
            assert!(!answer.headers.contains_key(absent), "{absent}");
        }
    })
    .await;
}

#[tokio::test]
async fn answer_of_a_known_key_reports_its_quota() {
    let deployment = Deployment::start().await;
    let key = deployment.key(60, 10_000).await;
    let answer = deployment.generate(&key, "").await;
    assert_eq!(answer.header("ratelimit-policy"), "\"minute\";q=60;w=60, \"day\";q=10000;w=86400");
    assert_eq!(answer.header("ratelimit"), "\"minute\";r=59;t=66, \"day\";r=9999;t=86400");
    assert!(!deployment.generate("plk_no", "").await.headers.contains_key("ratelimit"));
}

#[tokio::test]
async fn health_returns_only_status_and_version() {
    let deployment = Deployment::start().await;
    let health = deployment.send(Request::get("").path("/api/health")).await.ok();
    assert_eq!(health, json!({ "status": "ok", "version": env!("CARGO_PKG_VERSION") }));
    assert_eq!(deployment.database.calls(), 0);
}

#[tokio::test]
async fn problem_has_exactly_the_documented_members() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let problem = deployment.generate(&key, "length=1").await.assert_problem(400);
    let members: Vec<&String> = problem.as_object().unwrap().keys().collect();
    assert_eq!(members, ["detail", "error", "instance", "parameter", "status", "title", "type"]);
    assert_eq!(problem["password"], Value::Null);
}
