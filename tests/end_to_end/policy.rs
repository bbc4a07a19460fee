//! `/api/policy`: describes a policy without a password.

use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request, check_all};

async fn describe(deployment: &Deployment, key: &str, query: &str) -> Answer {
    deployment.send(Request::get(query).path("/api/policy").key(key)).await
}

#[tokio::test]
async fn policy_is_counted_and_described_as_regex_and_rules() {
    let deployment = Deployment::start().await;
    let key = deployment.key(60, 1_000).await;
    let answer = describe(&deployment, &key, "length=16").await;
    let mut body = answer.ok();
    let policy = body["policy"].take();
    assert_eq!(policy, deployment.generate(&key, "length=16").await.json()["policy"]);
    let expected = json!({
        "policy": null,
        "combinations": "44798629027442468815861186560",
        "entropy_bits": 95.17,
        "regex": "^(?=[^a-z]*[a-z])(?=[^A-Z]*[A-Z])(?=[^0-9]*[0-9])[0-9A-Za-z]{16}$",
        "passwordrules": "minlength: 16; maxlength: 16; required: lower; required: upper; required: digit;"
    });
    assert_eq!(body, expected);
    assert!(answer.header("ratelimit").starts_with("\"minute\";r=59;"), "it counts as a request");
    let line = &deployment.log.all()[0];
    assert_eq!((&line["event"], &line["operation"]), (&json!("policy.described"), &json!("policy")));
    assert_eq!((&line["count"], &line["entropy_bits"]), (&Value::Null, &json!(95.17)));
}

#[tokio::test]
async fn policy_that_rules_can_express_returns_rules() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        (
            "special=true&exclude=l1&max_repeating=2&min_uppercase=0",
            "minlength: 16; maxlength: 16; required: [abcdefghijkmnopqrstuvwxyz]; required: [023456789]; required: \
             [-!#$%&()*+,.:;<=>?@[^_{|}]]; allowed: upper; max-repeating: 2;",
        ),
        ("length=8&lowercase=no&uppercase=no", "minlength: 8; maxlength: 8; required: digit;"),
    ];
    check_all(cases, async |(query, rules)| {
        assert_eq!(describe(&deployment, &key, query).await.ok()["passwordrules"], rules);
    })
    .await;
}

#[tokio::test]
async fn policy_that_rules_cannot_express_returns_the_reason() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("min_digits=2", "password rules can require only one character of a class, not min_digits 2"),
        ("start=letter", "password rules cannot express start letter"),
        ("no_repeats=true", "password rules cannot express no_repeats"),
        ("min_classes=2", "password rules cannot express min_classes 2"),
    ];
    check_all(cases, async |(query, reason)| {
        let body = describe(&deployment, &key, query).await.ok();
        assert_eq!((&body["passwordrules"], &body["passwordrules_reason"]), (&Value::Null, &json!(reason)));
        assert!(body["regex"].is_string());
    })
    .await;
}

#[tokio::test]
async fn invalid_policy_returns_the_error_of_generate() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(["length=1", "colour=red", "length=6&min_digits=7", "start=digit&digits=no"], async |query| {
        let problem = describe(&deployment, &key, query).await.assert_problem(400);
        assert_eq!(problem, deployment.generate(&key, query).await.json());
    })
    .await;
}

#[tokio::test]
async fn policy_requires_a_key_and_get() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    deployment.send(Request::get("").path("/api/policy")).await.assert_problem(401);
    deployment.send(Request::post("{}").path("/api/policy").key(&key)).await.ok();
}
