//! The audit log: one line for each request, written before the answer is returned.

use std::collections::BTreeSet;
use std::io::{self, Write};

use passloom::audit::{Event, Reason};
use serde_json::{Value, json};

use crate::support::{Deployment, Lines, Request, check_all};

#[tokio::test]
async fn line_of_an_answer_has_exactly_the_documented_fields() {
    let deployment = Deployment::start().await;
    let key = deployment.key(60, 1_000).await;
    let answer = deployment.generate(&key, "length=20&special=true&exclude=~z&count=3").await.ok();
    let mut line = deployment.log.last();
    assert!(line["duration_us"].take().is_u64());
    assert_eq!(line["key_id"].take().as_str().unwrap().len(), 24);
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
        "status": 200,
        "reason": null,
        "api": "passloom",
        "policy": null,
        "policy_revision": null,
        "change": null,
        "length": 20,
        "words": null,
        "count": 3,
        "classes": ["lowercase", "uppercase", "digits", "special"],
        "entropy_bits": answer["entropy_bits"],
        "remaining": 59,
        "duration_us": null,
        "cold_start": true,
        "version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(line, expected);
}

#[tokio::test]
async fn each_request_writes_one_line_with_its_reason() {
    let deployment = Deployment::start().await;
    let key = deployment.key(1, 1_000).await;
    let refused = |status, reason| (status, "request.refused", "WARN", json!(reason));
    let cases = [
        (Request::get("").path("/api/health"), (200, "health.checked", "INFO", Value::Null)),
        (Request::get(""), refused(401, "no-key")),
        (Request::get("").key("plk_"), refused(401, "malformed-key")),
        (Request::get("length=0").key(&key), refused(400, "invalid-request: length")),
        (Request::get("nothing=0").key(&key), refused(400, "unknown-parameter")),
        (Request::get("").path("/etc/passwd"), refused(404, "not-found")),
        (Request::get("").method("PUT"), refused(405, "method-not-allowed")),
        (Request::get("").key(&key), (200, "password.generated", "INFO", Value::Null)),
        (Request::get("").key(&key), refused(429, "rate-limited")),
    ];
    let mut sent = 0;
    check_all(cases, async |(request, (status, event, level, reason))| {
        sent += 1;
        let answer = deployment.send(request).await;
        assert_eq!(answer.status, status, "{}", answer.body);
        let lines = deployment.log.all();
        assert_eq!(lines.len(), sent);
        let line = lines.last().unwrap();
        assert_eq!(
            (&line["status"], &line["event"], &line["level"], &line["reason"]),
            (&json!(status), &json!(event), &json!(level), &reason)
        );
        assert_eq!(line["cold_start"], sent == 1);
        assert_eq!(line["sequence"].is_null(), event != "password.generated");
    })
    .await;
    let line = deployment.log.last();
    assert_eq!((&line["key_name"], &line["remaining"], &line["count"]), (&json!("test"), &json!(0), &Value::Null));
    assert!(!deployment.log.text().contains("passwd"), "a path is in the audit log");
}

#[tokio::test]
async fn user_agent_is_cut_and_escaped() {
    let deployment = Deployment::start().await;
    deployment.send(Request::get("").header("user-agent", &format!("\"\\{}", "a".repeat(500)))).await;
    assert_eq!(deployment.log.last()["user_agent"], format!("\"\\{}", "a".repeat(254)));
    deployment.send(Request::get("").header("user-agent", "é\t\"{\\")).await;
    assert_eq!(deployment.log.last()["user_agent"], r#"\xc3\xa9\t\"{\\"#);
    assert_eq!(deployment.log.text().lines().count(), 2);
}

/// An output that accepts a number of writes.
pub struct Full {
    pub accepted: usize,
    pub lines: Lines,
}

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.accepted == 0 {
            return Err(io::ErrorKind::StorageFull.into());
        }
        self.accepted -= 1;
        self.lines.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn unwritable_line_returns_500_without_a_password() {
    let lines = Lines::default();
    let deployment = Deployment::builder().log_to(Full { accepted: 1, lines: lines.clone() }).start().await;
    let key = deployment.ample_key().await;
    assert_eq!(deployment.generate(&key, "").await.status, 200);
    deployment.generate(&key, "").await.assert_problem(500);
    assert_eq!(lines.all().len(), 1);
    assert_eq!(deployment.send(Request::get("").path("/api/health")).await.status, 500);
}

/// An output that panics, with the line in the message.
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
async fn panic_while_writing_the_line_returns_500() {
    let deployment = Deployment::builder().log_to(Panicking).start().await;
    let key = deployment.ample_key().await;
    for _ in 0..2 {
        let problem = deployment.generate(&key, "").await.assert_problem(500);
        assert!(!problem.to_string().contains("sequence"), "{problem}");
    }
}

#[test]
fn schema_lists_every_event() {
    let schema: Value = serde_json::from_str(include_str!("../../docs/audit.schema.json")).unwrap();
    let listed = schema["properties"]["event"]["enum"].as_array().unwrap();
    let listed: BTreeSet<&str> = listed.iter().map(|name| name.as_str().unwrap()).collect();
    assert_eq!(listed, Event::ALL.map(Event::name).into());
}

#[tokio::test]
async fn each_event_and_reason_is_documented() {
    let document = include_str!("../../docs/audit-log.md");
    let names = Event::ALL.map(Event::name).into_iter().chain(Reason::ALL.map(Reason::name));
    check_all(names, async |name| {
        let rows = [format!("| `{name}` |"), format!("| `{name}: <")];
        assert!(document.lines().any(|line| rows.iter().any(|row| line.starts_with(row))));
    })
    .await;
}
