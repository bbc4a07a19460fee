//! Each file in `events/` is an event as one of the front ends sends it, and is answered in its form.

use std::path::Path;

use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request};

fn event(name: &str, key: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("events").join(name);
    std::fs::read_to_string(path).unwrap().replace("PASSLOOM_API_KEY", key)
}

#[tokio::test]
async fn every_event_in_the_folder_is_answered() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("events");
    let mut names: Vec<String> =
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "function-url.json",
            "health.json",
            "http-api-post.json",
            "http-api.json",
            "load-balancer.json",
            "rest-api.json"
        ]
    );
    for name in names {
        let answer = deployment.send_event(&event(&name, &key)).await;
        assert_eq!(answer.status, 200, "{name}: {}", answer.body);
        assert_eq!(answer.header("content-type"), "application/json", "{name}");
        let line = deployment.log.last();
        assert_eq!(line["status"], 200, "{name}");
        assert_eq!(line["source_ip"].is_string(), name != "health.json" || line["operation"] == "health", "{name}");
    }
}

/// The same request by each front end: the same policy, the caller's address, and a reply that the
/// front end reads.
#[tokio::test]
async fn each_front_end_is_answered_in_its_own_form() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    for (name, headers, absent) in [
        ("http-api.json", "headers", "statusDescription"),
        ("function-url.json", "headers", "statusDescription"),
        ("rest-api.json", "multiValueHeaders", "statusDescription"),
        ("load-balancer.json", "headers", "cookies"),
    ] {
        let reply = serde_json::to_value(deployment.app.handle(&event(name, &key), "id").await).unwrap();
        assert_eq!((&reply["statusCode"], &reply["isBase64Encoded"]), (&json!(200), &json!(false)), "{name}");
        assert!(reply[headers]["cache-control"].is_string() || reply[headers]["cache-control"].is_array(), "{name}");
        assert_eq!(reply.get(absent), None, "{name}");
        let answer = Answer::of(&reply);
        let policy = &answer.json()["policy"];
        assert_eq!(
            (&policy["length"], &policy["special"], &policy["exclude"]),
            (&json!(24), &json!(true), &json!("&+<>"))
        );
        assert_eq!(deployment.log.last()["source_ip"], "203.0.113.42", "{name}");
    }
    assert_eq!(
        serde_json::from_str::<Value>(&event("load-balancer.json", "")).unwrap()["requestContext"]["http"],
        Value::Null
    );
}

#[tokio::test]
async fn a_named_stage_is_no_part_of_the_path() {
    let deployment = Deployment::new().await;
    for (stage, path, status) in [
        ("prod", "/prod/api/health", 200),
        ("prod", "/api/health", 200),
        ("api", "/api/api/health", 200),
        ("prod", "/production/api/health", 404),
        ("$default", "/prod/api/health", 404),
    ] {
        let mut event = Request::get("").path(path).event();
        event["requestContext"]["stage"] = json!(stage);
        assert_eq!(deployment.send_event(&event.to_string()).await.status, status, "{stage} {path}");
    }
}

#[tokio::test]
async fn a_body_may_come_as_base64() {
    let deployment = Deployment::new().await;
    let key = deployment.key(1000, 1000).await;
    let mut event = Request::post("eyJsZW5ndGgiOjMyfQ==").key(&key).event();
    event["isBase64Encoded"] = json!(true);
    assert_eq!(deployment.send_event(&event.to_string()).await.password().len(), 32);
    event["body"] = json!("no base64!");
    let problem = deployment.send_event(&event.to_string()).await.assert_problem(400);
    assert_eq!(problem["detail"], "the body is not valid base64.");
}

/// A person who invokes the function by hand, or a schedule pointed at it by mistake.
#[tokio::test]
async fn what_is_no_request_is_refused_and_audited() {
    let deployment = Deployment::new().await;
    for event in ["{}", "[]", "null", "1", r#"{"requestContext":{}}"#, r#"{"Records":[{"body":"secret"}]}"#, "not JSON"]
    {
        deployment.send_event(event).await.assert_problem(400);
        let line = deployment.log.last();
        assert_eq!((&line["reason"], &line["status"]), (&json!("unknown-event"), &json!(400)), "{event}");
        assert_eq!(line["request_id"], deployment.last_invocation());
    }
    assert!(!deployment.log.text().contains("secret"));
}

/// `lambda_http` builds a URL of the host and the query, and panics where they make none.
#[tokio::test]
async fn a_strange_host_or_protocol_changes_nothing() {
    let deployment = Deployment::new().await;
    for (host, protocol) in [("a b", "https"), ("[", "https"), ("x.example", "ht tp"), ("", "")] {
        let request = Request::get("<>=|\\^ é").path("/api/health");
        let answer = deployment.send(request.header("host", host).header("x-forwarded-proto", protocol)).await;
        assert_eq!(answer.status, 200);
    }
}

/// A load balancer says the address in a header only: good for the log, not for counting.
#[tokio::test]
async fn behind_a_load_balancer_nobody_is_counted_by_address() {
    let deployment = Deployment::open(60, 1000).await;
    let answer = deployment.send_event(&event("load-balancer.json", "")).await;
    answer.assert_problem(403);
    let line = deployment.log.last();
    assert_eq!((&line["reason"], &line["source_ip"]), (&json!("address-unknown"), &json!("203.0.113.42")));
}
