//! The audit log: one line for each request, written before the answer is returned.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::time::Duration;

use passloom::audit::{AuditFormat, Event, Reason};
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
struct Full {
    accepted: usize,
    lines: Lines,
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

#[tokio::test]
async fn ocsf_line_has_the_values_of_the_json_line() {
    let plain = Deployment::start().await;
    let ocsf = Deployment::builder().audit_format(AuditFormat::Ocsf).start().await;
    for deployment in [&plain, &ocsf] {
        let key = deployment.key(4, 1_000).await;
        deployment.generate(&key, "length=20&special=true&count=3&policy=cis").await.ok();
        deployment.send(Request::get("number=true").path("/api/passphrase").key(&key)).await.ok();
        deployment.send(Request::post(r#"{"password":"canary"}"#).path("/api/validate").key(&key)).await.ok();
        deployment.send(Request::get("").path("/api/policy").key(&key)).await.ok();
        deployment.generate(&key, "").await.assert_problem(429);
        deployment.generate(&key, "lenght=1").await.assert_problem(400);
        deployment.generate("plk_forged", "").await.assert_problem(401);
        deployment.send(Request::get("").path("/nowhere")).await.assert_problem(404);
        deployment.send(Request::get("").path("/api/health")).await.ok();
        deployment.send_event("{}").await.assert_problem(400);
        deployment.database.stop().await;
        deployment.clock.advance(Duration::from_secs(100));
        deployment.generate(&key, "").await.assert_problem(503);
    }
    let (plain, ocsf) = (plain.log.all(), ocsf.log.all());
    assert_eq!((plain.len(), ocsf.len()), (11, 11));
    check_all(plain.iter().zip(&ocsf), async |(plain, ocsf)| {
        let text = |value: &Value| value.as_str().map(str::to_owned);
        assert_eq!(ocsf["message"], plain["event"]);
        assert_eq!(ocsf["api"]["response"]["code"], plain["status"]);
        assert_eq!(ocsf["metadata"].get("sequence"), plain["sequence"].as_u64().map(|_| &plain["sequence"]));
        assert_eq!(text(&ocsf["status_detail"]), text(&plain["reason"]));
        assert_eq!(text(&ocsf["api"]["response"]["error"]), text(&plain["reason"]));
        assert_eq!(ocsf["api"]["operation"], plain["operation"].as_str().unwrap_or("unknown"));
        assert_eq!(text(&ocsf["src_endpoint"]["ip"]), text(&plain["source_ip"]));
        for name in [
            "policy",
            "policy_revision",
            "length",
            "words",
            "count",
            "classes",
            "entropy_bits",
            "remaining",
            "cold_start",
        ] {
            assert_eq!(ocsf["unmapped"][name], plain[name], "{name}");
        }
        let time = time::OffsetDateTime::from_unix_timestamp(ocsf["time"].as_i64().unwrap() / 1_000).unwrap();
        let timestamp = plain["timestamp"].as_str().unwrap();
        assert_eq!(time.format(&time::format_description::well_known::Rfc3339).unwrap()[..19], timestamp[..19]);
    })
    .await;
    assert_eq!(ocsf[0]["type_uid"], 600_301);
    assert_eq!((&ocsf[10]["severity_id"], &ocsf[10]["status_id"]), (&json!(4), &json!(2)));
}

#[test]
fn schemas_list_every_event() {
    let listed = |schema: &str, field: &str| {
        let schema: Value = serde_json::from_str(schema).unwrap();
        let names = schema["properties"][field]["enum"].as_array().unwrap().clone();
        names.iter().map(|name| name.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
    };
    let events = Event::ALL.map(|event| event.name().to_owned()).into();
    assert_eq!(listed(include_str!("../../docs/audit.schema.json"), "event"), events);
    assert_eq!(listed(include_str!("../../docs/audit-ocsf.schema.json"), "message"), events);
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
