//! Passwords that somebody else made.

use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request};

async fn verdict(deployment: &Deployment, key: &str, body: Value) -> Answer {
    deployment.send(Request::post(body.to_string()).path("/api/validate").key(key)).await
}

/// The constraints that a verdict names, in its order.
fn broken(verdict: &Value) -> Vec<&str> {
    verdict["violations"].as_array().unwrap().iter().map(|one| one["constraint"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn each_constraint_that_is_broken_is_named() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    for (body, expected) in [
        (json!({ "password": "abcDEF123456" }), vec![]),
        (json!({ "password": "abc" }), vec!["length", "min_uppercase", "min_digits"]),
        (json!({ "password": "abcDEF123456", "length": 16 }), vec!["length"]),
        (json!({ "password": "abcdefgh1!" }), vec!["special", "min_uppercase"]),
        (json!({ "password": "abcDEF12é", "min_digits": 3 }), vec!["special", "min_digits"]),
        (json!({ "password": "abcDEF12/!", "symbols": "!?", "min_special": 2 }), vec!["symbols", "min_special"]),
        (
            json!({ "password": "abcDEF123l", "exclude_similar": true, "exclude": "xyz2" }),
            vec!["exclude_similar", "exclude"],
        ),
        (json!({ "password": "aaabCDEF1234", "max_consecutive": 2 }), vec!["max_consecutive"]),
        (json!({ "password": "abcDEF1231", "no_repeats": true }), vec!["no_repeats"]),
        (json!({ "password": "1bcDEF123", "start": "letter" }), vec!["start"]),
        (json!({ "password": "abcdefghij", "min_classes": 2 }), vec!["min_classes"]),
        (json!({ "password": "abcD1", "min_entropy": 60 }), vec!["min_entropy"]),
        (json!({ "password": "", "lowercase": true }), vec!["length", "min_lowercase", "min_uppercase", "min_digits"]),
        (json!({ "password": "abcdefgh", "min_digits": 10 }), vec!["min_uppercase", "min_digits"]),
        (
            json!({ "password": "secret", "passwordrules": "minlength: 8; required: digit; required: upper, [-/]; allowed: lower; max-consecutive: 1" }),
            vec!["length", "passwordrules", "passwordrules"],
        ),
        (
            json!({ "password": "a!bb1 ", "passwordrules": "required: digit; allowed: lower, [ ]; max-consecutive: 1" }),
            vec!["passwordrules", "passwordrules"],
        ),
        (json!({ "password": " ab1 ", "passwordrules": "required: digit; allowed: lower, [ ]" }), vec![]),
        // NIST knows no rule of composition, so any character will do.
        (json!({ "password": "correct horse battery staple é", "policy": "nist-800-63b" }), vec![]),
        (json!({ "password": "P@ssw0rd", "policy": "nist-800-63b" }), vec!["length"]),
        (json!({ "password": "P@ssw0rdP@ssw0rd", "policy": "aws-rds" }), vec!["symbols"]),
        (json!({ "password": "pass!word!word1", "policy": "redshift" }), vec!["min_uppercase"]),
        (json!({ "password": "Password-Password", "policy": "active-directory" }), vec![]),
        (json!({ "password": "password-password", "policy": "active-directory" }), vec!["min_classes"]),
    ] {
        let answer = verdict(&deployment, &key, body.clone()).await;
        assert_eq!(answer.status, 200, "{body}: {}", answer.body);
        let answer = answer.json();
        assert_eq!(broken(&answer), expected, "{body}: {answer}");
        assert_eq!(answer["valid"], expected.is_empty(), "{body}");
    }
}

#[tokio::test]
async fn the_entropy_is_that_of_the_policy_and_the_strength_that_of_the_password() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let weak = verdict(&deployment, &key, json!({ "password": "Password1" })).await.json();
    let drawn = deployment.generate(&key, "length=9").await.json();
    assert_eq!((&weak["entropy_bits"], &weak["valid"]), (&drawn["entropy_bits"], &json!(true)));
    assert_eq!(weak["strength"]["score"], 0, "{weak}");
    assert!(weak["strength"]["guesses"].as_u64().unwrap() < 1_000);
    assert!(!weak["strength"]["feedback"]["suggestions"].as_array().unwrap().is_empty());
    let good = verdict(&deployment, &key, json!({ "password": drawn["password"] })).await.json();
    assert_eq!(good["strength"]["score"].as_u64().map(|score| score >= 3), Some(true), "{good}");
    // A length that the policy does not have has no entropy either.
    let short = verdict(&deployment, &key, json!({ "password": "Pa1" })).await.json();
    assert_eq!(short["entropy_bits"], Value::Null);
}

/// Texts made to take long: what reads as many letters, and keys that lie side by side.
#[tokio::test]
async fn hostile_passwords_are_looked_at_too() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    for password in
        ["4@8({[<369&#!1/|0$5+7%2".repeat(40), "qw".repeat(4_000), "é".repeat(5_000), "\u{0}\u{202e}🦀".repeat(500)]
    {
        let answer = verdict(&deployment, &key, json!({ "password": password })).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(answer.json()["valid"], false);
    }
}

/// The password is in no line, no error and no query, whatever is wrong with the request.
#[tokio::test]
async fn the_password_shows_up_nowhere() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1_000, 1_000).await;
    let canary = "canary-Pa55word";
    for (body, status) in [
        (json!({ "password": canary }), 200),
        (json!({ "password": canary, "digits": "maybe" }), 400),
        (json!({ "password": canary, "policy": canary }), 400),
        (json!({ "password": [canary] }), 400),
        (json!({ "password": canary, "length": 4, "min_digits": 5 }), 400),
        (json!([canary]), 400),
        (json!({ "length": 8 }), 400),
    ] {
        let answer = verdict(&deployment, &key, body.clone()).await;
        assert_eq!(answer.status, status, "{body}: {}", answer.body);
        assert!(!answer.body.contains("canary"), "{}", answer.body);
    }
    let twice =
        Request::post(format!(r#"{{"password":"{canary}","password":"{canary}"}}"#)).path("/api/validate").key(&key);
    let twice = deployment.send(twice).await;
    assert_eq!(twice.assert_problem(400)["detail"], "password is given more than once.");
    let broken = Request::post(format!(r#"{{"password":"{canary}""#)).path("/api/validate").key(&key);
    deployment.send(broken).await.assert_problem(400);
    let query = Request::get(&format!("password={canary}")).path("/api/validate").key(&key);
    let refused = deployment.send(query).await;
    refused.assert_problem(405);
    assert_eq!(refused.header("allow"), "POST, OPTIONS");
    assert!(!deployment.log.text().contains("canary"));
    let line = &deployment.log.all()[0];
    assert_eq!((&line["event"], &line["operation"]), (&json!("password.validated"), &json!("validate")));
    assert_eq!((&line["length"], &line["entropy_bits"]), (&Value::Null, &Value::Null));
    let missing = verdict(&deployment, &key, json!({})).await.assert_problem(400);
    assert_eq!((&missing["parameter"], &missing["detail"]), (&json!("password"), &json!("password is missing.")));
}
