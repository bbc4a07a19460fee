//! What the worst request costs: the memory of the function, and the work before a caller is admitted.

use std::fmt::Write;

use passloom::access::Binding;
use serde_json::{Value, json};

use crate::support::{
    Database, Deployment, Function, Request, SIGNING_SECRET, check_all, hostile_requests, max_peak_kilobytes,
    unknown_key,
};

/// The key of an administrator, whose policies are read, and who is never refused for its limit.
async fn ample_key(database: &Database) -> String {
    database.bound_key("hostile", Binding { admin: true, ..Binding::default() }).await
}

/// The statuses that a hostile request may have: it is answered, refused by name, too large or of another type, or its policy
/// does not exist or must not.
fn is_expected(status: u64) -> bool {
    matches!(status, 200 | 201 | 204 | 400 | 404 | 412 | 413 | 415)
}

#[tokio::test]
async fn hostile_requests_leave_the_memory_below_32_mb() {
    let database = Database::start().await;
    let key = ample_key(&database).await;
    let function = Function::start(&database.table(), &[]).await;
    check_all(hostile_requests(), async |request| {
        let answer = function.send(&request.event(&key)).await.answer();
        assert!(is_expected(answer.status), "{}: {}", answer.status, answer.body);
    })
    .await;
    let large = Request::post(format!(r#"{{"exclude":"{}"}}"#, "x".repeat(6_000_000))).key(&key);
    assert_eq!(function.send(&large.event()).await.answer().status, 413);
    let peak = function.peak_kilobytes();
    assert!(peak <= max_peak_kilobytes(), "{peak} kB");
}

/// A policy is counted only for a caller who is admitted: nothing of the work shows for anybody else.
#[tokio::test]
async fn hostile_request_without_admission_is_neither_counted_nor_drawn() {
    let deployment = Deployment::start().await;
    let unknown = unknown_key(SIGNING_SECRET);
    check_all(hostile_requests(), async |request| {
        let answer = deployment.send_event(&request.event(&unknown).to_string()).await;
        // A page needs no key.
        let expected: &[u64] = if request.route == "own page" { &[200] } else { &[400, 401, 403, 404, 413, 415] };
        assert!(expected.contains(&answer.status), "{}: {}", answer.status, answer.body);
    })
    .await;
    for line in deployment.log.all() {
        let shown = ["sequence", "entropy_bits", "length"].map(|field| &line[field]);
        assert_eq!(shown, [&Value::Null; 3], "{line}");
    }
    assert_eq!(deployment.database.calls(), 1, "the unknown key is read once");
}

/// A nested value is rejected without being built, and more names than there are parameters are not stored.
#[tokio::test]
async fn body_of_nested_values_or_many_members_returns_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let nested = format!(r#"{{"exclude":{}{}}}"#, "[".repeat(100), "]".repeat(100));
    let wide = format!(r#"{{"exclude":[{}0]}}"#, "0,".repeat(7_000));
    let mut many = String::from("{");
    for member in 0..1_500 {
        write!(many, r#""{}a":1,"#, member % 10).unwrap();
    }
    many.push_str(r#""length":16}"#);
    let cases = [
        (nested, "exclude must be a string."),
        (wide, "exclude must be a string."),
        (many, "Unknown parameter \"0a\"."),
        (format!("{{{}\"length\":16}}", r#""length":16,"#.repeat(1_000)), "length is given more than once."),
    ];
    check_all(cases, async |(body, detail)| {
        let problem = deployment.send(Request::post(body).key(&key)).await.assert_problem(400);
        assert_eq!(problem["detail"], detail);
    })
    .await;
    let query = "length=16&".repeat(5_000);
    let problem = deployment.generate(&key, &query).await.assert_problem(400);
    assert_eq!(problem["detail"], "length is given more than once.");
    assert_eq!(deployment.database.calls(), 0, "an invalid request causes no call");
}

/// Lines of validations differ only in what every line differs in, whatever the password.
#[tokio::test]
async fn audit_line_of_validation_depends_on_no_property_of_the_password() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let mut lines = Vec::new();
    for password in ["a", "4@8({[<3690!1|05$7+%2", "correct horse battery staple", &"é".repeat(5_000)] {
        let body = json!({ "password": password }).to_string();
        let request = Request::post(body).path("/api/validate").key(&key);
        assert_eq!(deployment.send(request).await.status, 200);
        let mut line = deployment.log.last();
        for (field, value) in line.as_object_mut().unwrap() {
            if ["sequence", "remaining", "cold_start"].contains(&field.as_str()) {
                *value = Value::Null;
            }
        }
        lines.push(line);
        // The duration ends with the admission, so the time of the assessment is not in it.
        deployment.clock.advance(std::time::Duration::ZERO);
    }
    assert!(lines.windows(2).all(|pair| pair[0] == pair[1]), "{lines:#?}");
}
