//! The dry run: what a policy amounts to.

use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request};

async fn described(deployment: &Deployment, key: &str, query: &str) -> Answer {
    deployment.send(Request::get(query).path("/api/policy").key(key)).await
}

#[tokio::test]
async fn a_policy_is_counted_and_described() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    let answer = described(&deployment, &key, "length=16").await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    let mut body = answer.json();
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
async fn what_password_rules_cannot_say_is_said_to_be_so() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    for (query, rules) in [
        (
            "special=true&exclude=l1&max_consecutive=2&min_uppercase=0",
            "minlength: 16; maxlength: 16; required: [abcdefghijkmnopqrstuvwxyz]; required: [023456789]; required: \
             [-!#$%&()*+,.:;<=>?@[^_{|}]]; allowed: upper; max-consecutive: 2;",
        ),
        ("length=8&lowercase=no&uppercase=no", "minlength: 8; maxlength: 8; required: digit;"),
    ] {
        assert_eq!(described(&deployment, &key, query).await.json()["passwordrules"], rules, "{query}");
    }
    for (query, reason) in [
        ("min_digits=2", "password rules can require one character of a class, not min_digits 2"),
        ("start=letter", "password rules have no words for start letter"),
        ("no_repeats", "password rules have no words for no_repeats"),
        ("min_classes=2", "password rules have no words for min_classes 2"),
    ] {
        let body = described(&deployment, &key, query).await.json();
        assert_eq!((&body["passwordrules"], &body["passwordrules_reason"]), (&Value::Null, &json!(reason)), "{query}");
        assert!(body["regex"].is_string(), "{query}");
    }
}

#[tokio::test]
async fn a_policy_is_refused_as_it_would_be_for_passwords() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    for query in ["length=1", "colour=red", "length=6&min_digits=7", "start=digit&digits=no"] {
        let problem = described(&deployment, &key, query).await.assert_problem(400);
        assert_eq!(problem, deployment.generate(&key, query).await.json());
    }
    deployment.send(Request::get("").path("/api/policy")).await.assert_problem(401);
    deployment.send(Request::post("{}").path("/api/policy").key(&key)).await.assert_problem(405);
}
