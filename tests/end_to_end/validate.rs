//! `/api/validate`: checks a password that the caller sends.

use serde_json::{Value, json};

use crate::named_policies::{administrator, put};
use crate::support::{Answer, Deployment, Request, check_all};

async fn validate(deployment: &Deployment, key: &str, body: &Value) -> Answer {
    deployment.send(Request::post(body.to_string()).path("/api/validate").key(key)).await
}

/// The constraints that a verdict lists, in its order.
fn violated(verdict: &Value) -> Vec<&str> {
    verdict["violations"].as_array().unwrap().iter().map(|one| one["constraint"].as_str().unwrap()).collect()
}

/// Checks a table of bodies, each with the constraints that its password violates.
async fn check_violations<const CASES: usize>(cases: [(Value, &[&str]); CASES]) {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    check_all(cases, async |(body, expected)| {
        let verdict = validate(&deployment, &key, &body).await.ok();
        assert_eq!(violated(&verdict), expected, "{verdict}");
        assert_eq!(verdict["valid"], expected.is_empty());
    })
    .await;
}

#[tokio::test]
async fn each_violated_constraint_is_listed() {
    check_violations([
        (json!({ "password": "abcDEF123456" }), &[]),
        (json!({ "password": "abc" }), &["length", "min_uppercase", "min_digits"]),
        (json!({ "password": "abcDEF123456", "length": 16 }), &["length"]),
        (json!({ "password": "abcdefgh1!" }), &["special", "min_uppercase"]),
        (json!({ "password": "abcDEF12é", "min_digits": 3 }), &["special", "min_digits"]),
        (json!({ "password": "abcDEF12/!", "symbols": "!?", "min_special": 2 }), &["symbols", "min_special"]),
        (
            json!({ "password": "abcDEF123l", "exclude_similar": true, "exclude": "xyz2" }),
            &["exclude_similar", "exclude"],
        ),
        (json!({ "password": "aaabCDEF1234", "max_repeating": 2 }), &["max_repeating"]),
        (json!({ "password": "abdCEF1243", "max_sequential": 2 }), &[]),
        (json!({ "password": "abcCEF1243", "max_sequential": 2 }), &["max_sequential"]),
        (json!({ "password": "bdCEF12543", "max_sequential": 2 }), &["max_sequential"]),
        (json!({ "password": "yzaZAB890129", "max_sequential": 3 }), &[]),
        (json!({ "password": "abcDEF1231", "no_repeats": true }), &["no_repeats"]),
        (json!({ "password": "1bcDEF123", "start": "letter" }), &["start"]),
        (json!({ "password": "abcdefghij", "min_classes": 2 }), &["min_classes"]),
        (json!({ "password": "abcD1", "min_entropy": 60 }), &["min_entropy"]),
        (json!({ "password": "", "lowercase": true }), &["length", "min_lowercase", "min_uppercase", "min_digits"]),
        (json!({ "password": "abcdefgh", "min_digits": 10 }), &["min_uppercase", "min_digits"]),
    ])
    .await;
}

#[tokio::test]
async fn violated_password_rules_are_listed() {
    let rules = "minlength: 8; required: digit; required: upper, [-/]; allowed: lower; max-repeating: 1";
    check_violations([
        (json!({ "password": "abd1", "passwordrules": "max-consecutive: 1" }), &["passwordrules"]),
        (json!({ "password": "abd1", "passwordrules": "", "max_sequential": 1 }), &["max_sequential"]),
        (json!({ "password": "secret1-", "passwordrules": rules }), &[]),
        (json!({ "password": "secret", "passwordrules": rules }), &["length", "passwordrules", "passwordrules"]),
        (
            json!({
                "password": "a!bb1 ",
                "passwordrules": "required: digit; allowed: lower, [ ]; max-consecutive: 1"
            }),
            &["passwordrules", "passwordrules"],
        ),
    ])
    .await;
}

/// A site accepts more than what is drawn for it.
#[tokio::test]
async fn password_is_judged_as_the_site_would() {
    let with = |password: &str, rules: &str| json!({ "password": password, "passwordrules": rules });
    check_violations([
        (with("pässwörd\u{1f980}1", "allowed: unicode"), &[]),
        (with("pässwörd\u{1f980}1", "required: unicode; allowed: digit"), &[]),
        (with("pässwörd", "required: unicode; required: digit"), &["passwordrules"]),
        (with("pässwörd", "allowed: ascii-printable"), &["passwordrules"]),
        (json!({ "password": "pässwörd", "passwordrules": "allowed: unicode", "exclude": "ä" }), &["exclude"]),
        (with("pass/word\\", "required: special; allowed: lower"), &[]),
        (with("passwords", "required: special; allowed: lower"), &["passwordrules"]),
        (with("pass/word", "required: [-!~]; allowed: lower"), &["passwordrules", "passwordrules"]),
        (json!({ "password": "pass /word1A", "special": true }), &[]),
        (json!({ "password": "passworD1", "special": true }), &["min_special"]),
        (json!({ "password": "pass/worD1!", "symbols": "!" }), &["symbols"]),
    ])
    .await;
}

#[tokio::test]
async fn longest_length_is_named_as_the_limit_of_the_service() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let limit = "must have 8 characters or more; this service checks at most 4096";
    let cases = [
        (json!({ "passwordrules": "minlength: 8; maxlength: 5000" }), limit, 8, 4_096),
        (json!({ "passwordrules": "minlength: 8" }), limit, 8, 4_096),
        (json!({ "passwordrules": "minlength: 8; maxlength: 100" }), "must have 8 to 100 characters", 8, 100),
        (json!({ "passwordrules": "minlength: 8", "length": 100 }), "must have 100 characters", 100, 100),
    ];
    check_all(cases, async |(mut body, message, min, max)| {
        body["password"] = "a".repeat(5_000).into();
        let verdict = validate(&deployment, &key, &body).await.ok();
        let expected = json!([{ "constraint": "length", "message": message, "min": min, "max": max }]);
        assert_eq!(verdict["violations"], expected);
        body["password"] = "a".repeat(100).into();
        assert_eq!(validate(&deployment, &key, &body).await.ok()["valid"], true);
    })
    .await;
}

/// Clients translate the messages by these numbers. They are those of the policy, whatever the password is.
#[tokio::test]
async fn violations_have_the_demanded_numbers() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let sets = json!([{ "characters": "ab", "min": 4 }]);
    let cases = [
        (json!({ "min_digits": 20 }), "min_digits", json!(20), Value::Null),
        (json!({ "min_classes": 3, "digits": false, "special": true }), "min_classes", json!(3), Value::Null),
        (json!({ "charsets": sets }), "charsets", json!(4), Value::Null),
        (json!({ "passwordrules": "required: digit" }), "passwordrules", json!(1), Value::Null),
        (json!({ "max_repeating": 2 }), "max_repeating", Value::Null, json!(2)),
        (json!({ "passwordrules": "max-repeating: 2" }), "passwordrules", Value::Null, json!(2)),
        (json!({ "max_sequential": 3 }), "max_sequential", Value::Null, json!(3)),
        (json!({ "min_entropy": 60 }), "min_entropy", json!(60), Value::Null),
        (json!({ "lowercase": false }), "lowercase", Value::Null, Value::Null),
        (json!({ "no_repeats": true }), "no_repeats", Value::Null, Value::Null),
        (json!({ "start": "digit" }), "start", Value::Null, Value::Null),
    ];
    check_all(cases, async |(mut body, constraint, min, max)| {
        body["password"] = "aaawxyz".into();
        let verdict = validate(&deployment, &key, &body).await.ok();
        let all = verdict["violations"].as_array().unwrap();
        // A set that the password lacks is after the characters that are not allowed.
        let found = all.iter().rev().find(|one| one["constraint"] == constraint).unwrap();
        assert_eq!((&found["min"], &found["max"]), (&min, &max), "{verdict}");
    })
    .await;
}

#[tokio::test]
async fn class_that_is_out_of_use_is_named_in_words() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("pass/word1A", "special", "must not have special characters"),
        ("password1A", "lowercase", "must not have lowercase letters"),
        ("passWord1", "uppercase", "must not have uppercase letters"),
        ("passwordA1", "digits", "must not have digits"),
    ];
    check_all(cases, async |(password, class, message)| {
        let verdict = validate(&deployment, &key, &json!({ "password": password, class: false })).await.ok();
        assert_eq!(verdict["violations"], json!([{ "constraint": class, "message": message }]));
    })
    .await;
}

/// A space is accepted wherever the rules allow it, although generated passwords do not contain it.
#[tokio::test]
async fn space_is_valid_where_password_rules_allow_it() {
    let with = |password: &str, rules: &str| json!({ "password": password, "passwordrules": rules });
    check_violations([
        (with("pass word1", "required: lower; required: digit; allowed: [ ]"), &[]),
        (with("pass word1", "required: lower; required: digit; required: special"), &[]),
        (with("pass word1", "required: lower; required: digit; required: [ ]"), &[]),
        (with("pass word1", "allowed: lower, digit, special"), &[]),
        (with("pass word1", "allowed: ascii-printable"), &[]),
        (with("pass word1", "allowed: unicode"), &[]),
        (with("pass word1", "minlength: 8"), &[]),
        (with("pass word1", ""), &[]),
        (with(" ab1 ", "required: digit; allowed: lower, [ ]"), &[]),
        (with("    ", "required: [ ]"), &[]),
        (with("pass word1", "required: lower; required: digit"), &["passwordrules"]),
        (with("pass word1", "required: lower; required: digit; allowed: [-_]"), &["passwordrules"]),
        (with("password1", "required: lower; required: digit; required: [ ]"), &["passwordrules"]),
    ])
    .await;
}

#[tokio::test]
async fn violated_requirements_of_presets_are_listed() {
    check_violations([
        // NIST has no composition rules, so any character is accepted.
        (json!({ "password": "correct horse battery staple é", "policy": "nist-800-63b" }), &[]),
        (json!({ "password": "P@ssw0rd", "policy": "nist-800-63b" }), &["length"]),
        (json!({ "password": "P@ssw0rdP@ssw0rd", "policy": "aws-rds" }), &["symbols"]),
        (json!({ "password": "pass!word!word1", "policy": "redshift" }), &["min_uppercase"]),
        (json!({ "password": "Password-Password", "policy": "active-directory" }), &[]),
        (json!({ "password": "password-password", "policy": "active-directory" }), &["min_classes"]),
    ])
    .await;
}

#[tokio::test]
async fn entropy_is_that_of_generated_passwords_of_the_same_length() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let generated = deployment.generate(&key, "length=9").await.ok();
    let verdict = validate(&deployment, &key, &json!({ "password": "Password1" })).await.ok();
    assert_eq!((&verdict["entropy_bits"], &verdict["valid"]), (&generated["entropy_bits"], &json!(true)));
    // The policy has no passwords of three characters.
    let verdict = validate(&deployment, &key, &json!({ "password": "Pa1" })).await.ok();
    assert_eq!(verdict["entropy_bits"], Value::Null);
}

/// Whether a policy is valid, and what a request costs, depends on the policy and never on the password.
#[tokio::test]
async fn status_and_audit_line_depend_on_the_policy_and_not_on_the_password() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let stored = json!({ "lowercase": false, "uppercase": false, "no_repeats": true, "length": 6 });
    put(&deployment, &administrator(&deployment).await, "pin", &stored).await;
    let ab = json!([{ "characters": "ab" }]);
    let classes = json!({ "length": 256, "special": true, "max_repeating": 1, "min_lowercase": 16, "min_uppercase": 16,
        "min_digits": 16, "min_special": 16 });
    let digits = json!({ "lowercase": false, "uppercase": false, "no_repeats": true });
    let eleven = json!({ "lowercase": false, "uppercase": false, "no_repeats": true, "length": 11 });
    let cases = [
        (json!({}), None, true),
        (json!({ "length": 6 }), None, true),
        (json!({ "max_repeating": 20 }), None, true),
        (json!({ "min_digits": 10 }), None, true),
        (json!({ "min_entropy": 60 }), None, true),
        (digits, None, true),
        (classes, None, true),
        (json!({ "policy": "nist-800-63b", "min_digits": 20 }), None, true),
        (json!({ "policy": "pin" }), None, true),
        (json!({ "passwordrules": "maxlength: 8; allowed: [a]; max-repeating: 5" }), None, true),
        // Contradictions.
        (eleven, Some("invalid-request: no_repeats"), false),
        (json!({ "length": 6, "max_repeating": 7 }), Some("invalid-request: max_repeating"), false),
        (json!({ "length": 4, "min_digits": 5 }), Some("invalid-request: length"), false),
        (json!({ "policy": "nist-800-63b", "min_digits": 70 }), Some("invalid-request: min_digits"), false),
        (
            json!({ "passwordrules": "minlength: 6; maxlength: 8; allowed: [a]; max-repeating: 5" }),
            Some("invalid-request: passwordrules"),
            false,
        ),
        (json!({ "policy": "pin", "length": 11 }), Some("invalid-request"), true),
        // No password satisfies them, which counting shows.
        (json!({ "charsets": ab, "max_repeating": 1, "max_sequential": 1 }), Some("invalid-request"), true),
        (json!({ "length": 6, "min_entropy": 60 }), Some("invalid-request: min_entropy"), true),
        (json!({ "passwordrules": "maxlength: 8", "min_entropy": 60 }), Some("invalid-request: min_entropy"), true),
    ];
    check_all(cases, async |(policy, reason, is_counted)| {
        for length in [0, 1, 6, 11, 200, 4_097] {
            let mut body = policy.clone();
            body["password"] = "aB3-5d6".repeat(length / 7 + 1)[..length].into();
            let answer = validate(&deployment, &key, &body).await;
            let line = deployment.log.last();
            let (status, event) = match reason {
                None => (200, "password.validated"),
                Some(_) => (400, "request.refused"),
            };
            assert_eq!((answer.status, line["sequence"].is_u64()), (status, is_counted), "{length}: {}", answer.body);
            assert_eq!((&line["event"], &line["status"]), (&json!(event), &json!(status)), "{length}");
            assert_eq!(line["reason"], json!(reason), "{length}");
            if reason.is_none() {
                let verdict = answer.json();
                assert_eq!(verdict["valid"], verdict["violations"] == json!([]), "{length}: {verdict}");
            }
        }
    })
    .await;
}

/// Passwords of which there are none, and passwords that are too expensive to count, have no entropy.
#[tokio::test]
async fn entropy_is_null_if_passwords_of_the_length_cannot_be_counted() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let digits = json!({ "lowercase": false, "uppercase": false, "no_repeats": true, "password": "102938" });
    let verdict = validate(&deployment, &key, &digits).await.ok();
    assert_eq!((&verdict["entropy_bits"], violated(&verdict)), (&json!(17.2), vec![]));
    let mut eleven = digits;
    eleven["password"] = "10293847561".into();
    let verdict = validate(&deployment, &key, &eleven).await.ok();
    assert_eq!((&verdict["entropy_bits"], violated(&verdict)), (&Value::Null, vec!["no_repeats"]));
    let long = "a1B".repeat(300);
    let verdict = validate(&deployment, &key, &json!({ "password": long, "max_sequential": 1 })).await.ok();
    assert_eq!((&verdict["entropy_bits"], violated(&verdict)), (&Value::Null, vec![]));
}

#[tokio::test]
async fn hostile_password_is_answered() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("substitutions", "4@8({[<369&#!1/|0$5+7%2".repeat(40)),
        ("keyboard", "qw".repeat(4_000)),
        ("not ASCII", "é".repeat(5_000)),
        ("control characters and emoji", "\u{0}\u{202e}🦀".repeat(500)),
    ];
    check_all(cases, async |(_, password)| {
        let verdict = validate(&deployment, &key, &json!({ "password": password })).await.ok();
        assert_eq!(verdict["valid"], false);
    })
    .await;
}

/// Neither a valid nor an invalid request leads to the password in an answer or in the audit log.
#[tokio::test]
async fn validated_password_appears_in_no_answer_and_no_audit_line() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let canary = "canary-Pa55word";
    let post = |body: &str| Request::post(body).path("/api/validate").key(&key);
    let json = |body: Value| post(&body.to_string());
    let cases = [
        (200, json(json!({ "password": canary }))),
        (400, json(json!({ "password": canary, "digits": "maybe" }))),
        (400, json(json!({ "password": canary, "policy": canary }))),
        (400, json(json!({ "password": [canary] }))),
        (400, json(json!({ "password": canary, "length": 4, "min_digits": 5 }))),
        (400, json(json!([canary]))),
        (400, post(&format!(r#"{{"password":"{canary}","password":"{canary}"}}"#))),
        (400, post(&format!(r#"{{"password":"{canary}""#))),
        (405, Request::get(&format!("password={canary}")).path("/api/validate").key(&key)),
    ];
    check_all(cases, async |(status, request)| {
        let answer = deployment.send(request).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        assert!(!answer.body.contains("canary"), "{}", answer.body);
    })
    .await;
    assert!(!deployment.log.text().contains("canary"));
    let line = &deployment.log.all()[0];
    assert_eq!((&line["event"], &line["operation"]), (&json!("password.validated"), &json!("validate")));
    assert_eq!((&line["length"], &line["entropy_bits"]), (&Value::Null, &Value::Null), "properties of the password");
}

#[tokio::test]
async fn missing_or_repeated_password_returns_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("{}", "password is missing."),
        (r#"{"length":8}"#, "password is missing."),
        (r#"{"password":"a","password":"a"}"#, "password is given more than once."),
        (r#"{"password":7}"#, "password must be a string."),
    ];
    check_all(cases, async |(body, detail)| {
        let problem = deployment.send(Request::post(body).path("/api/validate").key(&key)).await.assert_problem(400);
        assert_eq!((&problem["parameter"], &problem["detail"]), (&json!("password"), &json!(detail)));
    })
    .await;
}
