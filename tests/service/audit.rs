//! One line per request, refused ones too, written before the answer is sent.

use std::collections::BTreeSet;
use std::io::{self, Write};

use serde_json::{Value, json};

use crate::support::{Deployment, Lines, PEPPER, Request};
use passloom::access::Peppers;
use passloom::settings::Auth;

const FIELDS: [&str; 22] = [
    "classes",
    "cold_start",
    "count",
    "duration_us",
    "entropy_bits",
    "event",
    "key_id",
    "key_name",
    "length",
    "level",
    "operation",
    "policy",
    "reason",
    "remaining",
    "request_id",
    "sequence",
    "source_ip",
    "status",
    "timestamp",
    "user_agent",
    "version",
    "words",
];

#[tokio::test]
async fn a_line_says_who_asked_for_what_and_what_came_of_it() {
    let deployment = Deployment::new().await;
    let key = deployment.key(60, 1000).await;
    let answer = deployment.generate(&key, "length=20&special=true&exclude=~z&count=3").await;
    assert_eq!(answer.status, 200);
    let mut line = deployment.log.last();
    let names: BTreeSet<String> = line.as_object().unwrap().keys().cloned().collect();
    let expected: BTreeSet<String> = FIELDS.into_iter().map(str::to_owned).collect();
    assert_eq!(names, expected);
    assert!(line["duration_us"].as_u64().unwrap() > 0);
    assert_eq!(line["key_id"].as_str().unwrap().len(), 24);
    for varying in ["duration_us", "key_id"] {
        line[varying].take();
    }
    let expected = json!({
        "timestamp": "2026-01-01T00:00:00.000Z",
        "level": "INFO",
        "event": "password.generated",
        "request_id": "gateway-id",
        "key_id": null,
        "key_name": "test",
        "sequence": 1,
        "source_ip": "192.0.2.7",
        "user_agent": "tests/1",
        "operation": "generate",
        "policy": null,
        "words": null,
        "status": 200,
        "reason": null,
        "length": 20,
        "count": 3,
        "classes": ["lowercase", "uppercase", "digits", "special"],
        "entropy_bits": answer.json()["entropy_bits"],
        "remaining": 59,
        "duration_us": null,
        "cold_start": true,
        "version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(line, expected);
}

#[tokio::test]
async fn every_request_leaves_one_line() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1, 1000).await;
    let cases = [
        (Request::get("").path("/api/health"), 200, "health.checked", "INFO", Value::Null),
        (Request::get(""), 401, "request.refused", "WARN", json!("no-key")),
        (Request::get("").key("plk_"), 401, "request.refused", "WARN", json!("malformed-key")),
        (Request::get("length=0").key(&key), 400, "request.refused", "WARN", json!("invalid-request: length")),
        (Request::get("nothing=0").key(&key), 400, "request.refused", "WARN", json!("unknown-parameter")),
        (Request::get("").path("/etc/passwd"), 404, "request.refused", "WARN", json!("not-found")),
        (Request::get("").method("PUT"), 405, "request.refused", "WARN", json!("method-not-allowed")),
        (Request::get("").key(&key), 200, "password.generated", "INFO", Value::Null),
        (Request::get("").key(&key), 429, "request.refused", "WARN", json!("rate-limited")),
    ];
    for (index, (request, status, event, level, reason)) in cases.into_iter().enumerate() {
        let answer = deployment.send(request).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let lines = deployment.log.all();
        assert_eq!(lines.len(), index + 1);
        let line = &lines[index];
        assert_eq!(
            (&line["status"], &line["event"], &line["level"], &line["reason"]),
            (&json!(status), &json!(event), &json!(level), &reason)
        );
        assert_eq!(line["cold_start"], index == 0);
        assert_eq!(line["sequence"].is_null(), event != "password.generated");
    }
    let refused = deployment.log.last();
    assert_eq!(
        (&refused["key_name"], &refused["remaining"], &refused["count"]),
        (&json!("test"), &json!(0), &Value::Null)
    );
    assert!(!deployment.log.text().contains("passwd"), "no path in a line");
}

#[tokio::test]
async fn what_a_client_says_of_itself_is_cut_and_escaped() {
    let deployment = Deployment::new().await;
    let long = format!("{}\t\"{{\\", "é".repeat(300));
    deployment.send(Request::get("").header("user-agent", &long)).await;
    // Header values outside ASCII are no text; one that is ASCII is cut at 256 characters.
    assert_eq!(deployment.log.last()["user_agent"], Value::Null);
    deployment.send(Request::get("").header("user-agent", &format!("\"\\{}", "a".repeat(500)))).await;
    assert_eq!(deployment.log.last()["user_agent"], format!("\"\\{}", "a".repeat(254)));
    assert_eq!(deployment.log.text().lines().count(), 2);
}

/// Takes nothing from some write on.
struct Full {
    good: usize,
    lines: Lines,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.good == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.good -= 1;
        self.lines.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_line_no_password() {
    let log = Lines::default();
    let auth = Auth::Key(Peppers::parse(PEPPER).unwrap());
    let deployment = Deployment::with_log(auth, false, Full { good: 1, lines: log.clone() }, log).await;
    let key = deployment.key(60, 1000).await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    let answer = deployment.generate(&key, "").await;
    answer.assert_problem(500);
    assert_eq!(deployment.log.all().len(), 1);
    assert_eq!(deployment.send(Request::get("").path("/api/health")).await.status, 500);
}

/// A panic's message may hold anything.
struct Panicking;

impl Write for Panicking {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        panic!("{}", String::from_utf8_lossy(bytes));
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_panic_while_writing_the_line_is_a_failure_like_another() {
    let auth = Auth::Key(Peppers::parse(PEPPER).unwrap());
    let deployment = Deployment::with_log(auth, false, Panicking, Lines::default()).await;
    let key = deployment.key(60, 1000).await;
    for _ in 0..2 {
        let answer = deployment.generate(&key, "").await;
        let problem = answer.assert_problem(500);
        assert!(!problem.to_string().contains("sequence"), "{problem}");
    }
}

/// The same requests, line by line, for security lakes.
#[tokio::test]
async fn lines_for_security_lakes_say_the_same() {
    let (plain, ocsf) = (Deployment::new().await, Deployment::ocsf().await);
    for deployment in [&plain, &ocsf] {
        let key = deployment.key(4, 1000).await;
        deployment.generate(&key, "length=20&special=true&count=3&policy=cis").await;
        deployment.send(Request::get("number").path("/api/passphrase").key(&key)).await;
        deployment.send(Request::post(r#"{"password":"canary"}"#).path("/api/validate").key(&key)).await;
        deployment.send(Request::get("").path("/api/policy").key(&key)).await;
        deployment.generate(&key, "").await.assert_problem(429);
        deployment.generate(&key, "lenght=1").await.assert_problem(400);
        deployment.generate("plk_forged", "").await.assert_problem(401);
        deployment.send(Request::get("").path("/nowhere")).await.assert_problem(404);
        deployment.send(Request::get("").path("/api/health")).await;
        deployment.send_event("{}").await.assert_problem(400);
        deployment.database.stop().await;
        deployment.clock.advance(std::time::Duration::from_secs(100));
        deployment.generate(&key, "").await.assert_problem(503);
    }
    let (plain, ocsf) = (plain.log.all(), ocsf.log.all());
    assert_eq!((plain.len(), ocsf.len()), (11, 11));
    for (plain, ocsf) in plain.iter().zip(&ocsf) {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        assert_eq!(ocsf["message"], plain["event"]);
        assert_eq!(
            (&ocsf["api"]["response"]["code"], ocsf["metadata"].get("sequence")),
            (&plain["status"], plain["sequence"].as_u64().map(|_| &plain["sequence"]))
        );
        assert_eq!(text(&ocsf["status_detail"]), text(&plain["reason"]));
        assert_eq!(ocsf["api"]["operation"], plain["operation"].as_str().unwrap_or("unknown"));
        assert_eq!(text(&ocsf["src_endpoint"]["ip"]), text(&plain["source_ip"]));
        for name in ["policy", "length", "words", "count", "classes", "entropy_bits", "remaining", "cold_start"] {
            assert_eq!(ocsf["unmapped"][name], plain[name], "{name}");
        }
        let when = time::OffsetDateTime::from_unix_timestamp(ocsf["time"].as_i64().unwrap() / 1_000).unwrap();
        let timestamp = plain["timestamp"].as_str().unwrap();
        assert_eq!(when.format(&time::format_description::well_known::Rfc3339).unwrap()[..19], timestamp[..19]);
    }
    assert_eq!(ocsf[0]["type_uid"], 600_301);
    assert_eq!((&ocsf[10]["severity_id"], &ocsf[10]["status_id"]), (&json!(4), &json!(2)));
}
