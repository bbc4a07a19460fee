//! Requests of callers that are not known: what they send is not read, and what they may read is throttled.

use std::collections::BTreeSet;

use passloom::access::{ApiKey, Binding, SigningSecrets};
use passloom::contract::Page;
use passloom::contract::ROUTES;
use serde_json::{Value, json};

use crate::support::{Deployment, OTHER_SIGNING_SECRET, Request, SIGNING_SECRET, check_all, unknown_key};

const TEMPLATE: &str = include_str!("../../template.yaml");

/// Every route of Vault's API.
const VAULT: [(&str, &str); 15] = [
    ("LIST", "/v1/sys/policies/password"),
    ("GET", "/v1/sys/policies/password"),
    ("GET", "/v1/sys/policies/password/ci"),
    ("PUT", "/v1/sys/policies/password/ci"),
    ("POST", "/v1/sys/policies/password/ci"),
    ("DELETE", "/v1/sys/policies/password/ci"),
    ("GET", "/v1/sys/policies/password/ci/generate"),
    ("PUT", "/v1/sys/policies/password/ci/generate"),
    ("GET", "/v1/auth/token/lookup-self"),
    ("GET", "/v1/sys/seal-status"),
    ("GET", "/v1/sys/init"),
    ("GET", "/v1/sys/leader"),
    ("GET", "/v1/sys/health"),
    ("POST", "/v1/sys/tools/random"),
    ("POST", "/v1/sys/tools/random/16"),
];

/// A method, a path, and whether the request is one of AWS's API.
type Route = (&'static str, String, bool);

/// Every route of every API, with every method.
fn routes() -> Vec<Route> {
    let own = ROUTES
        .iter()
        .flat_map(|(path, _, allow)| allow.split(", ").map(|method| (method, path.replace("{name}", "ci"), false)));
    let pages = ["/", "/docs"].into_iter().map(|path| ("GET", path.to_owned(), false));
    let vault = VAULT.into_iter().map(|(method, path)| (method, path.to_owned(), false));
    let aws = ["/", "/aws"].into_iter().map(|path| ("POST", path.to_owned(), true));
    own.chain(pages).chain(vault).chain(aws).collect()
}

fn request((method, path, is_aws): &Route) -> Request {
    let request = Request::get("").method(method).path(path).header("content-type", "application/json");
    if *is_aws { request.header("x-amz-target", "secretsmanager.GetRandomPassword") } else { request }
}

/// Nested more deeply with each level, so that a reader that goes back doubles its time.
fn nested() -> String {
    let text = format!("a = 1+{}\"", "1+(".repeat(60));
    json!({ "policy": text }).to_string()
}

#[tokio::test]
async fn unknown_caller_with_a_hostile_body_gets_the_answer_without_a_body() {
    let deployment = Deployment::start().await;
    let bodies = [
        ("nested", nested(), false),
        ("not JSON", "{".repeat(10_000), false),
        ("another type", "[1]".into(), false),
        ("not base64", "!".into(), true),
        ("base64", aws_smithy_types::base64::encode(nested()), true),
        ("too large for any API", "x".repeat(300_000), false),
    ];
    let forged = unknown_key(OTHER_SIGNING_SECRET);
    check_all(routes(), async |route| {
        for key in [None, Some(&forged)] {
            let with_key = |request: Request| match key {
                Some(key) if route.2 => request.header("x-amz-security-token", key),
                Some(key) if route.1.starts_with("/v1/") => request.header("x-vault-token", key),
                Some(key) => request.key(key),
                None => request,
            };
            let mut event = with_key(request(&route)).event();
            let without = deployment.send_event(&event.to_string()).await;
            for (name, body, in_base64) in &bodies {
                (event["body"], event["isBase64Encoded"]) = (json!(body), json!(in_base64));
                let with = deployment.send_event(&event.to_string()).await;
                assert_eq!(
                    (with.status, &with.headers, &with.body),
                    (without.status, &without.headers, &without.body),
                    "{name}"
                );
            }
        }
    })
    .await;
    assert_eq!(deployment.database.calls(), 0);
}

/// An administrator's text alone is parsed.
#[tokio::test]
async fn policy_text_of_another_key_is_not_parsed() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    for text in [nested(), json!({ "policy": "length = {" }).to_string()] {
        let put = Request::post(text).method("PUT").path("/v1/sys/policies/password/ci");
        assert_eq!(deployment.send(put.header("x-vault-token", &key)).await.status, 403);
        assert_eq!(deployment.log.last()["reason"], "not-administrator");
    }
    let admin = deployment.database.bound_key("admin", Binding { admin: true, ..Binding::default() }).await;
    let put = Request::post(json!({ "policy": "length = {" }).to_string()).method("PUT");
    let put = put.path("/v1/sys/policies/password/ci").header("x-vault-token", &admin);
    assert_eq!(deployment.send(put).await.status, 400);
    assert_eq!(deployment.log.last()["sequence"], 1, "counted");
}

#[tokio::test]
async fn line_of_a_refused_request_names_the_key_in_every_api() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let id = ApiKey::parse(&key, &SigningSecrets::parse(SIGNING_SECRET).unwrap()).unwrap().id().to_string();
    let aws = |target: &str, body: &str| {
        Request::post(body).path("/").header("x-amz-target", target).header("x-amz-security-token", &key)
    };
    let vault = |request: Request, path: &str| request.path(path).header("x-vault-token", &key);
    let cases = [
        ("not-found", Request::get("").path("/api/nothing").key(&key)),
        ("method-not-allowed", Request::get("").path("/api/validate").key(&key)),
        ("https-required", Request::get("").header("x-forwarded-proto", "http").key(&key)),
        ("unknown-parameter", Request::get("lenght=8").key(&key)),
        ("invalid-request", Request::post("{").key(&key)),
        ("invalid-request", aws("secretsmanager.GetSecretValue", "{}")),
        ("invalid-request", aws("secretsmanager.GetRandomPassword", "[]")),
        ("not-found", vault(Request::get(""), "/v1/secret/data/x")),
        ("unknown-parameter", vault(Request::get("a=b"), "/v1/auth/token/lookup-self")),
        ("invalid-request", vault(Request::post("{"), "/v1/sys/tools/random")),
        ("not-administrator", vault(Request::post("{\"policy\":\"x\"}"), "/v1/sys/policies/password/ci")),
    ];
    check_all(cases, async |(reason, request)| {
        deployment.send(request).await;
        let line = deployment.log.last();
        assert!(line["reason"].as_str().unwrap().starts_with(reason), "{}", line["reason"]);
        assert_eq!(line["key_id"], id);
    })
    .await;
}

/// A request that presents two keys.
type SendTwo<'a> = &'a dyn Fn(&str, &str) -> Request;

#[tokio::test]
async fn two_different_keys_are_refused_in_every_api() {
    let deployment = Deployment::start().await;
    let (key, other) = (deployment.ample_key().await, deployment.ample_key().await);
    let bearer = |key: &str| format!("Bearer {key}");
    let signed =
        |key: &str| format!("AWS4-HMAC-SHA256 Credential={key}/20260101/eu-central-1/secretsmanager/aws4_request");
    let own = |key: &str, other: &str| Request::get("").key(key).header("authorization", &bearer(other));
    let vault = |key: &str, other: &str| {
        let request = Request::get("").path("/v1/auth/token/lookup-self").header("x-vault-token", key);
        request.header("authorization", &bearer(other))
    };
    let aws = |key: &str, other: &str| {
        let request = Request::post("{}").path("/").header("x-amz-target", "secretsmanager.GetRandomPassword");
        request.header("x-amz-security-token", key).header("authorization", &signed(other))
    };
    let cases: [(&str, SendTwo<'_>); 3] = [("passloom", &own), ("vault", &vault), ("aws", &aws)];
    for (api, request) in cases {
        let answer = deployment.send(request(&key, &other)).await;
        assert_eq!(answer.status, 400, "{api}: {}", answer.body);
        assert!(answer.body.contains("The request has different API keys; send only one."), "{api}: {}", answer.body);
        let line = deployment.log.last();
        assert_eq!(
            (&line["reason"], &line["api"], &line["key_id"]),
            (&json!("conflicting-keys"), &json!(api), &Value::Null)
        );
        assert_eq!(deployment.send(request(&key, &key)).await.status, 200, "{api}");
    }
}

/// The routes of the template that have a throttle of their own, as API Gateway names them.
fn throttled() -> BTreeSet<&'static str> {
    let settings = TEMPLATE.split_once("      RouteSettings:\n").unwrap().1;
    let lines = settings.lines().take_while(|line| line.starts_with("        ")).map(str::trim);
    lines.filter_map(|line| line.split_once(": {")).map(|(route, _)| route).collect()
}

#[tokio::test]
async fn each_path_that_needs_no_key_has_a_throttle_of_its_own() {
    let deployment = Deployment::start().await;
    let throttled = throttled();
    let assets = deployment.send(Request::get("").path("/")).await;
    let asset = assets.body.split('"').find(|text| text.starts_with("assets/")).map(|text| format!("/{text}")).unwrap();
    assert!(Page::find(&asset).is_some());
    let mut paths: BTreeSet<String> = routes().into_iter().map(|(_, path, _)| path).collect();
    paths.extend([asset, "/favicon.ico".into()]);
    // No other writing of a path is answered.
    let written_otherwise = paths.iter().flat_map(|path| {
        [format!("{path}/"), format!("{path}///"), format!("/{path}"), path.replacen("/sys/", "/sys//", 1)]
    });
    let all: BTreeSet<String> = written_otherwise.chain(paths.clone()).collect();
    let mut answered = BTreeSet::new();
    check_all(all, async |path| {
        for method in ["GET", "HEAD", "POST"] {
            let request = Request::get("").path(&path).method(method);
            if !(200..300).contains(&deployment.send(request).await.status) {
                continue;
            }
            let any =
                if path.starts_with("/assets/") { "ANY /assets/{proxy+}".to_owned() } else { format!("ANY {path}") };
            let routes = [any, format!("{method} {path}")];
            let found = routes.iter().find(|route| throttled.contains(route.as_str()));
            answered.insert(found.expect("a route with a throttle").clone());
        }
    })
    .await;
    assert_eq!(answered, throttled.into_iter().map(str::to_owned).collect(), "each throttle is of use");
}
