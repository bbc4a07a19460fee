//! Events of the front ends: each file in `events/`, and events that no front end sends.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use passloom::AllowedOrigins;
use passloom::App;
use passloom::access::Auth;
use passloom::audit::AuditLog;
use passloom::clock::Clock;
use passloom::store::Store;
use serde_json::json;

use crate::support::{Answer, Database, Deployment, Request, check_all, limits};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("events")
}

/// An event of the folder, with a key.
fn event(name: &str, key: &str) -> String {
    std::fs::read_to_string(folder().join(name)).unwrap().replace("PASSLOOM_API_KEY", key)
}

#[tokio::test]
async fn each_event_of_the_folder_returns_200() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let mut names: Vec<String> =
        std::fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    let expected = [
        "function-url.json",
        "health.json",
        "http-api-post.json",
        "http-api.json",
        "load-balancer.json",
        "rest-api.json",
    ];
    assert_eq!(names, expected);
    check_all(names, async |name| {
        let answer = deployment.send_event(&event(&name, &key)).await;
        answer.ok();
        assert_eq!(answer.header("content-type"), "application/json");
        let line = deployment.log.last();
        assert_eq!(line["status"], 200);
        assert_eq!(line["operation"], if name == "health.json" { "health" } else { "generate" });
        assert!(line["source_ip"].is_string());
    })
    .await;
}

/// The same request through each front end gives the same policy and the caller's address, and a reply that the front
/// end reads.
#[tokio::test]
async fn each_front_end_receives_its_reply_format() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("http-api.json", "headers", "statusDescription"),
        ("function-url.json", "headers", "statusDescription"),
        ("rest-api.json", "multiValueHeaders", "statusDescription"),
        ("load-balancer.json", "headers", "cookies"),
    ];
    check_all(cases, async |(name, headers, absent)| {
        let reply = serde_json::to_value(deployment.app.handle(&event(name, &key), "id").await).unwrap();
        assert_eq!((&reply["statusCode"], &reply["isBase64Encoded"]), (&json!(200), &json!(false)));
        assert!(reply[headers]["cache-control"].is_string() || reply[headers]["cache-control"].is_array());
        assert_eq!(reply.get(absent), None);
        let policy = &Answer::of(&reply).json()["policy"];
        assert_eq!(
            (&policy["length"], &policy["special"], &policy["exclude"]),
            (&json!(24), &json!(true), &json!("&+<>"))
        );
        assert_eq!(deployment.log.last()["source_ip"], "203.0.113.42");
    })
    .await;
}

#[tokio::test]
async fn named_stage_is_removed_from_the_path() {
    let deployment = Deployment::start().await;
    let cases = [
        ("prod", "/prod/api/health", 200),
        ("prod", "/api/health", 200),
        ("api", "/api/api/health", 200),
        ("prod", "/production/api/health", 404),
        ("$default", "/prod/api/health", 404),
    ];
    check_all(cases, async |(stage, path, status)| {
        let mut event = Request::get("").path(path).event();
        event["requestContext"]["stage"] = json!(stage);
        assert_eq!(deployment.send_event(&event.to_string()).await.status, status);
    })
    .await;
}

#[tokio::test]
async fn base64_body_is_decoded_or_returns_400() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let mut event = Request::post("eyJsZW5ndGgiOjMyfQ==").key(&key).event();
    event["isBase64Encoded"] = json!(true);
    assert_eq!(deployment.send_event(&event.to_string()).await.password().len(), 32);
    event["body"] = json!("not base64!");
    let problem = deployment.send_event(&event.to_string()).await.assert_problem(400);
    assert_eq!(problem["detail"], "The body must be valid base64.");
}

/// For example, an operator invokes the function by hand, or a schedule invokes it by mistake.
#[tokio::test]
async fn unknown_event_returns_400_and_is_audited() {
    let deployment = Deployment::start().await;
    let events =
        ["{}", "[]", "null", "1", r#"{"requestContext":{}}"#, r#"{"Records":[{"body":"secret"}]}"#, "not JSON"];
    check_all(events, async |event| {
        deployment.send_event(event).await.assert_problem(400);
        let line = deployment.log.last();
        assert_eq!((&line["reason"], &line["status"]), (&json!("unknown-event"), &json!(400)));
        assert_eq!(line["request_id"], deployment.last_invocation());
    })
    .await;
    assert!(!deployment.log.text().contains("secret"));
}

/// `lambda_http` makes a URL of the host and the query, and panics if they do not form one.
#[tokio::test]
async fn malformed_host_or_protocol_has_no_effect() {
    let deployment = Deployment::start().await;
    check_all([("a b", "https"), ("[", "https"), ("x.example", "ht tp"), ("", "")], async |(host, protocol)| {
        let request = Request::get("<>=|\\^ é").path("/api/health");
        let request = request.header("host", host).header("x-forwarded-proto", protocol);
        assert_eq!(deployment.send(request).await.status, 200);
    })
    .await;
}

/// A load balancer reports the address only in a header, which is safe for the log only.
#[tokio::test]
async fn auth_none_behind_a_load_balancer_returns_403() {
    let deployment = Deployment::builder().by_address(60, 1_000).start().await;
    deployment.send_event(&event("load-balancer.json", "")).await.assert_problem(403);
    let line = deployment.log.last();
    assert_eq!((&line["reason"], &line["source_ip"]), (&json!("address-unknown"), &json!("203.0.113.42")));
}

/// One odd header must not hide whose request it is.
#[tokio::test]
async fn invalid_header_is_dropped_and_the_request_is_handled() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("x-odd", json!("a\u{1}b")),
        ("x-odd", json!("line\nbreak")),
        ("odd name", json!("value")),
        ("", json!("value")),
        ("x-odd", json!(7)),
        ("x-odd", json!(["a", "b"])),
    ];
    check_all(cases, async |(name, value)| {
        let mut event = Request::get("").key(&key).event();
        event["headers"][name] = value;
        assert_eq!(deployment.send_event(&event.to_string()).await.status, 200);
        let line = deployment.log.last();
        assert_eq!((&line["source_ip"], &line["request_id"]), (&json!("192.0.2.7"), &json!("gateway-id")));
    })
    .await;
}

#[tokio::test]
async fn panic_outside_an_operation_returns_500() {
    let database = Database::start().await;
    let client = passloom::store::connect(database.endpoint(), Duration::from_secs(1)).await.unwrap();
    let app = App::new(
        Auth::Address(limits(1, 1)),
        false,
        AllowedOrigins::default(),
        Store::new(client, database.table().name, SystemTime::UNIX_EPOCH),
        AuditLog::new(io::sink()),
        Clock::new(|| panic!("canary"), Instant::now),
    );
    let reply = serde_json::to_value(app.handle(&Request::get("").event().to_string(), "invocation").await).unwrap();
    let problem = Answer::of(&reply).assert_problem(500);
    assert!(!problem.to_string().contains("canary"), "{problem}");
}
