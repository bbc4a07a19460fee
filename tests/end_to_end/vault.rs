//! Vault's password policies.

use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use passloom::access::{Binding, BoundPolicy};
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Request, START, check_all};

pub const HCL: &str = "# builds\r\nlength\t= 20\nrule \"charset\" {\n  charset = \"abcdef\"\n  min-chars = 3\n}\nrule \"charset\" {\n  \
                   charset = \"0123456789\"\n}\n";

pub async fn send(deployment: &Deployment, key: &str, method: &'static str, path: &str, body: Value) -> Answer {
    let request = if body.is_null() { Request::get("") } else { Request::post(body.to_string()) };
    let request = request.method(method).path(&format!("/v1/{path}")).header("x-vault-token", key);
    deployment
        .send(request.header("x-vault-request", "true").header("content-type", "application/x-www-form-urlencoded"))
        .await
}

/// Checks an error in Vault's form.
fn assert_errors(answer: &Answer, status: u64, message: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    let errors = answer.json()["errors"].clone();
    assert!(errors[0].as_str().unwrap().starts_with(message), "{errors}");
}

async fn administrator(deployment: &Deployment) -> String {
    deployment.database.bound_key("admin", Binding { admin: true, ..Binding::default() }).await
}

#[tokio::test]
async fn policy_in_hcl_is_written_read_drawn_from_and_deleted() {
    let deployment = Deployment::start().await;
    let (admin, user) = (administrator(&deployment).await, deployment.ample_key().await);
    let path = "sys/policies/password/ci";
    let written = send(&deployment, &admin, "PUT", path, json!({ "policy": HCL })).await;
    assert_eq!((written.status, written.body.as_str()), (204, ""));
    let line = deployment.log.last();
    assert_eq!(
        (&line["event"], &line["api"], &line["policy_revision"]),
        (&json!("policy.created"), &json!("vault"), &json!(1))
    );

    let read = send(&deployment, &user, "GET", path, Value::Null).await.ok();
    assert_eq!(read["data"], json!({ "policy": HCL }), "as it was written");
    for member in ["lease_id", "renewable", "lease_duration", "wrap_info", "warnings", "auth", "request_id"] {
        assert!(read.get(member).is_some(), "{member}");
    }
    for method in ["GET", "PUT", "POST"] {
        let answer = send(&deployment, &user, method, &format!("{path}/generate"), Value::Null).await.ok();
        let password = answer["data"]["password"].as_str().unwrap();
        assert!(password.len() == 20 && password.chars().filter(char::is_ascii_lowercase).count() >= 3, "{password}");
    }
    assert_eq!(deployment.log.last()["event"], "password.generated");
    // The same policy in this service's own API; its length is exact.
    let own = deployment.generate(&user, "policy=ci").await.ok();
    assert_eq!((&own["length"], &own["policy_name"]), (&json!(20), &json!("ci")));
    deployment.generate(&user, "policy=ci&length=21").await.assert_problem(400);
    for method in ["LIST", "GET"] {
        let list = send(&deployment, &user, method, "sys/policies/password", Value::Null).await.ok();
        let keys = list["data"]["keys"].as_array().unwrap();
        assert!(keys.contains(&json!("ci")) && keys.contains(&json!("cis")), "{list}");
    }
    // Base64 of the text is read, too; the last write wins.
    let encoded = aws_smithy_types::base64::encode(HCL.replace("20", "24"));
    assert_eq!(send(&deployment, &admin, "POST", path, json!({ "policy": encoded })).await.status, 204);
    assert_eq!(deployment.log.last()["event"], "policy.updated");
    for entropy_source in ["", "platform"] {
        let line = "length = 0x14 rule \"charset\" { charset = \"${\\\"}\" min-chars = 1 }, # HCL 1\n";
        let body = json!({ "policy": line, "entropy_source": entropy_source });
        assert_eq!(send(&deployment, &admin, "PUT", path, body).await.status, 204);
        assert_eq!(send(&deployment, &user, "GET", path, Value::Null).await.ok()["data"], json!({ "policy": line }));
    }
    for _ in 0..2 {
        assert_eq!(send(&deployment, &admin, "DELETE", path, Value::Null).await.status, 204, "also when there is none");
    }
    assert_errors(&send(&deployment, &user, "GET", path, Value::Null).await, 404, "policy does not exist");
    assert_errors(
        &send(&deployment, &user, "GET", &format!("{path}/generate"), Value::Null).await,
        404,
        "policy does not exist",
    );
}

/// A text that loses a constraint is never written.
#[tokio::test]
async fn policy_of_another_language_is_read_as_hcl_or_refused() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    for (name, body) in [("plain", r#"{"length":12,"symbols":"\"\\$"}"#), ("runs", r#"{"max_repeating":1}"#)] {
        let put = Request::post(body).method("PUT").path(&format!("/api/policies/{name}")).key(&admin);
        assert_eq!(deployment.send(put).await.status, 201);
    }
    let read = async |name: &str| {
        send(&deployment, &admin, "GET", &format!("sys/policies/password/{name}"), Value::Null).await
    };
    let text = read("plain").await.ok()["data"]["policy"].as_str().unwrap().to_owned();
    assert!(text.starts_with("length = 12\n"), "{text}");
    let copy = send(&deployment, &admin, "PUT", "sys/policies/password/copy", json!({ "policy": text })).await;
    assert_eq!(copy.status, 204, "{}", copy.body);
    let combinations = async |name: &str| {
        let described = deployment.send(Request::get("").path(&format!("/api/policies/{name}")).key(&admin)).await.ok();
        described["combinations"].clone()
    };
    assert_eq!(combinations("plain").await, combinations("copy").await);
    let refused = read("runs").await;
    assert_errors(
        &refused,
        400,
        "Vault's language has no max_repeating; read the policy with GET /api/policies/runs instead",
    );
    assert!(read("cis").await.ok()["data"]["policy"].as_str().unwrap().starts_with("length = 16\n"));
}

#[tokio::test]
async fn invalid_requests_return_errors_in_the_form_of_vault() {
    let deployment = Deployment::start().await;
    let (admin, user) = (administrator(&deployment).await, deployment.ample_key().await);
    let policies = "sys/policies/password";
    let hidden_in_base64 = aws_smithy_types::base64::encode(format!("{HCL}\u{200b}"));
    let cases = [
        ("PUT", "ci", json!({}), 400, "missing policy"),
        ("PUT", "ci", json!({ "policy": "" }), 400, "missing policy"),
        ("PUT", "ci", json!({ "policy": 1 }), 400, "policy must be a string"),
        ("PUT", "ci", json!({ "policy": HCL, "other": 1 }), 400, "the body has policy and entropy_source"),
        ("PUT", "ci", json!({ "policy": HCL, "entropy_source": "seal" }), 400, "entropy_source must be \"platform\""),
        ("PUT", "ci", json!({ "policy": HCL, "entropy_source": 1 }), 400, "entropy_source must be a string"),
        ("PUT", "ci", json!({ "entropy_source": "platform" }), 400, "missing policy"),
        ("PUT", "ci", json!({ "policy": "length = 3" }), 400, "passwords must be between 4 and 4096 characters"),
        ("PUT", "ci", json!({ "policy": "length = {" }), 400, "line 1, column 10: "),
        // A reader that goes back would double its time with each of the 60 levels.
        ("PUT", "ci", json!({ "policy": format!("a = {}\"", "1+1+(".repeat(60)) }), 400, "line 1, column 1: "),
        ("PUT", "ci", json!({ "policy": format!("length = {}\"", "1+1+(".repeat(60)) }), 400, "line 1, column 11: "),
        (
            "PUT",
            "ci",
            json!({ "policy": "length = 8 rule charset { min_chars = 1 }" }),
            400,
            "line 1, column 27: unknown name \"min_chars\"",
        ),
        ("PUT", "ci", json!({ "policy": format!("{HCL}# a\u{202e}b") }), 400, "policy must not have U+202E "),
        ("PUT", "ci", json!({ "policy": format!("{HCL}# a\u{1b}b") }), 400, "policy must not have U+001B "),
        ("PUT", "ci", json!({ "policy": hidden_in_base64 }), 400, "policy must not have U+200B "),
        ("PUT", "cis", json!({ "policy": HCL }), 400, "The name of a policy has "),
        ("PUT", "a/b", json!({ "policy": HCL }), 400, "The name of a policy has "),
        ("PUT", "CIS", json!({ "policy": HCL }), 400, "The policy cis has the same name, except for"),
        ("GET", "CI", Value::Null, 404, "policy does not exist"),
        ("GET", "a/b", Value::Null, 404, "policy does not exist"),
        ("GET", "a/b/generate", Value::Null, 404, "policy does not exist"),
        ("GET", "//ci", Value::Null, 404, "policy does not exist"),
        ("POST", "ci/generate", json!({ "length": 8 }), 400, "generate has no parameters"),
        ("PATCH", "ci", Value::Null, 404, "no handler for this route"),
    ];
    check_all(cases, async |(method, name, body, status, message)| {
        assert_errors(&send(&deployment, &admin, method, &format!("{policies}/{name}"), body).await, status, message);
    })
    .await;
    assert_errors(
        &send(&deployment, &user, "PUT", "sys/policies/password/ci", json!({ "policy": HCL })).await,
        403,
        "Only the API key",
    );
    assert_errors(
        &send(&deployment, "wrong", "GET", "sys/policies/password/ci", Value::Null).await,
        403,
        "permission denied",
    );
    assert_errors(
        &send(&deployment, &user, "GET", "secret/data/x", Value::Null).await,
        404,
        "no handler for this route",
    );
    let wrapped = Request::get("")
        .path("/v1/sys/policies/password")
        .header("x-vault-token", &user)
        .header("x-vault-wrap-ttl", "60");
    assert_errors(&deployment.send(wrapped).await, 400, "this service does not wrap answers");
    let bearer =
        Request::get("list=true").path("/v1/sys/policies/password").header("authorization", &format!("Bearer {user}"));
    deployment.send(bearer).await.ok();
    let busy = deployment.key(1, 10).await;
    send(&deployment, &busy, "GET", "auth/token/lookup-self", Value::Null).await.ok();
    let limited = send(&deployment, &busy, "GET", "auth/token/lookup-self", Value::Null).await;
    assert_errors(&limited, 429, "Try again in ");
    assert!(!limited.header("retry-after").is_empty());
}

#[tokio::test]
async fn status_needs_no_key_and_ignores_queries_and_namespaces() {
    let deployment = Deployment::start().await;
    let cases = [
        (
            "sys/health",
            ["initialized", "sealed", "standby", "performance_standby", "server_time_utc", "version"].as_slice(),
        ),
        ("sys/health", &["replication_performance_mode", "replication_dr_mode", "cluster_name", "cluster_id"]),
        ("sys/init", &["initialized"]),
        ("sys/leader", &["ha_enabled", "is_self", "leader_address", "leader_cluster_address", "performance_standby"]),
        ("sys/seal-status", &["type", "initialized", "sealed", "t", "n", "progress", "nonce", "version", "build_date"]),
        ("sys/seal-status", &["migration", "cluster_name", "cluster_id", "recovery_seal", "storage_type"]),
    ];
    check_all(cases, async |(path, members)| {
        let request = Request::get("standbyok=true&perfstandbyok=true").path(&format!("/v1/{path}"));
        let answer = deployment.send(request.clone().header("x-vault-namespace", "team")).await;
        let status = answer.ok();
        assert!(members.iter().all(|member| status.get(member).is_some()), "{status}");
        let head = deployment.send(request.method("HEAD")).await;
        assert_eq!((head.status, head.body.as_str()), (200, ""));
        let line = deployment.log.last();
        assert_eq!((&line["event"], &line["operation"]), (&json!("health.checked"), &json!("health")));
    })
    .await;
    assert_eq!(deployment.database.calls(), 0);
}

#[tokio::test]
async fn lookup_self_tells_what_the_token_is() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let lookup =
        async || send(&deployment, &key, "GET", "auth/token/lookup-self", Value::Null).await.ok()["data"].clone();
    let id = deployment.database.items().await[0]["pk"]["S"].clone();
    let mut expected = json!({
        "id": key, "accessor": id, "display_name": "test", "policies": ["default"], "type": "service",
        "path": "auth/token/create", "creation_time": START, "issue_time": "2026-01-01T00:00:00Z", "expire_time": null,
        "ttl": 0, "creation_ttl": 0, "explicit_max_ttl": 0, "entity_id": "", "meta": null, "num_uses": 0,
        "orphan": true, "renewable": false,
    });
    assert_eq!(lookup().await, expected);
    assert_eq!(deployment.log.last()["event"], "key.read");
    assert!(!deployment.log.text().contains(&key), "the token is in the log");
    let end = AttributeValue::N((START + 3_600).to_string());
    deployment.database.change_key("expires_at = :end", &[(":end", end)]).await;
    deployment.clock.advance(Duration::from_mins(10));
    for (member, value) in [("creation_ttl", json!(3_600)), ("explicit_max_ttl", json!(3_600)), ("ttl", json!(3_000))] {
        expected[member] = value;
    }
    expected["expire_time"] = "2026-01-01T01:00:00Z".into();
    assert_eq!(lookup().await, expected);
    let open = Deployment::builder().by_address(100, 100).start().await;
    assert_errors(&send(&open, "", "GET", "auth/token/lookup-self", Value::Null).await, 403, "permission denied");
    assert_eq!(open.log.last()["sequence"], Value::Null);
}

#[tokio::test]
async fn what_a_key_cannot_do_is_refused_with_what_to_do_instead() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("auth/token/renew-self", "keys of this service are not renewed"),
        (
            "auth/token/create",
            "this service creates no tokens: use the key itself, in Terraform's provider with skip_child_token",
        ),
        ("auth/token/revoke-self", "a key cannot revoke itself"),
    ];
    check_all(cases, async |(path, message)| {
        for method in ["PUT", "POST"] {
            let refused = send(&deployment, &key, method, path, json!({ "increment": 0 })).await;
            assert_errors(&refused, 400, message);
            assert!(refused.header("ratelimit").is_empty());
            assert_errors(&send(&deployment, "wrong", method, path, json!({})).await, 403, "permission denied");
        }
    })
    .await;
    assert_eq!(deployment.database.calls(), 0);
}

#[tokio::test]
async fn query_is_ignored_by_lists_and_refused_by_name_elsewhere() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    for name in ["B", "a", "_c"] {
        let path = format!("sys/policies/password/{name}");
        assert_eq!(send(&deployment, &admin, "PUT", &path, json!({ "policy": HCL })).await.status, 204);
    }
    let ask = async |method: &'static str, path: &str, query: &str| {
        let request = Request::get(query).method(method).path(&format!("/v1/{path}")).header("x-vault-token", &admin);
        deployment.send(request).await
    };
    let list = "sys/policies/password";
    let keys = async |query: &str| ask("GET", list, query).await.ok()["data"]["keys"].clone();
    let all = keys("list=true").await;
    let mut sorted: Vec<&str> = all.as_array().unwrap().iter().map(|name| name.as_str().unwrap()).collect();
    sorted.sort_unstable();
    assert_eq!(json!(sorted), all);
    assert_eq!(all.as_array().unwrap()[..3], [json!("B"), json!("_c"), json!("a")]);
    for query in ["list=true&limit=0", "limit=-1", "", "list=True&warnings=1", "after="] {
        assert_eq!(keys(query).await, all, "{query}");
    }
    assert_eq!(keys("limit=2").await, json!(["B", "_c"]));
    assert_eq!(keys("list=true&after=B&limit=2").await, json!(["_c", "a"]));
    assert_eq!(ask("LIST", list, "after=A&limit=1").await.ok()["data"]["keys"], json!(["B"]));
    for limit in ["x", "1.5", ""] {
        assert_errors(&ask("GET", list, &format!("limit={limit}")).await, 400, "limit must be a whole number");
    }
    let cases = [
        ("GET", "sys/policies/password/a", "version=2", "Unknown parameter \"version\""),
        ("GET", "sys/policies/password/a/generate", "length=9", "Unknown parameter \"length\""),
        ("DELETE", "sys/policies/password/a", "force=true", "Unknown parameter \"force\""),
        ("GET", "auth/token/lookup-self", "x", "Unknown parameter \"x\""),
        ("POST", "sys/tools/random", "bytes=64", "Unknown parameter \"bytes\""),
        ("GET", "sys/policies/password/a", "a=%FF", "The query must be UTF-8"),
    ];
    check_all(cases, async |(method, path, query, message)| {
        assert_errors(&ask(method, path, query).await, 400, message);
        assert!(deployment.log.last()["sequence"].is_null());
    })
    .await;
}

#[tokio::test]
async fn namespace_is_refused_after_authentication() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    let write = |namespace: &str, key: &str| {
        let request = Request::post(json!({ "policy": HCL }).to_string()).method("PUT");
        let request = request.path("/v1/sys/policies/password/ci").header("x-vault-token", key);
        request.header("x-vault-namespace", namespace)
    };
    assert_errors(&deployment.send(write("team", &admin)).await, 400, "this service has no namespaces");
    assert_errors(&deployment.send(write("team", "wrong")).await, 403, "permission denied");
    assert_eq!(deployment.database.calls(), 0);
    for namespace in ["", "root", "/"] {
        assert_eq!(deployment.send(write(namespace, &admin)).await.status, 204, "{namespace}");
    }
}

/// A new name must not look like another one.
#[tokio::test]
async fn name_that_differs_only_in_case_is_refused() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    let put = async |path: &str, body: Value| {
        deployment
            .send(Request::post(body.to_string()).method("PUT").path(path).key(&admin).header("x-vault-token", &admin))
            .await
    };
    let name = "validatedPatternDefaultPolicy";
    assert_eq!(put(&format!("/api/policies/{name}"), json!({})).await.status, 201);
    assert_eq!(put(&format!("/api/policies/{name}"), json!({})).await.status, 200);
    for like in ["validatedpatterndefaultpolicy", "CIS"] {
        let problem = put(&format!("/api/policies/{like}"), json!({})).await.assert_problem(409);
        assert!(problem["detail"].as_str().unwrap().contains("has the same name, except for"), "{problem}");
        assert_eq!(deployment.log.last()["reason"], "policy-name-taken");
        let answer = put(&format!("/v1/sys/policies/password/{like}"), json!({ "policy": HCL })).await;
        assert_errors(&answer, 400, "The policy ");
    }
    let other = deployment.generate(&admin, "policy=validatedpatterndefaultpolicy").await;
    other.assert_problem(400);
    deployment.generate(&admin, &format!("policy={name}")).await.password();
}

/// No member gets a default in place of a wrong value.
#[tokio::test]
async fn each_member_of_a_wrong_type_is_refused() {
    let deployment = Deployment::start().await;
    let admin = administrator(&deployment).await;
    let values =
        [json!(null), json!(true), json!(-1), json!(16.5), json!("abc"), json!([16]), json!({ "a": 1 }), json!(1e30)];
    let (random, policy) = ("sys/tools/random", "sys/policies/password/ci");
    for (path, member) in
        [(random, "bytes"), (random, "format"), (random, "source"), (policy, "policy"), (policy, "entropy_source")]
    {
        for value in &values {
            let mut body = if path == policy { json!({ "policy": HCL }) } else { json!({}) };
            body[member] = value.clone();
            let answer = send(&deployment, &admin, "PUT", path, body).await;
            assert_eq!(answer.status, 400, "{member} {value}: {}", answer.body);
        }
    }
    let refused = deployment.log.all().iter().filter(|line| line["event"] == "request.refused").count();
    assert_eq!(refused, 5 * values.len());
}

#[tokio::test]
async fn random_bytes_are_counted_and_have_the_requested_form() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = [
        ("sys/tools/random", json!({}), 44),
        ("sys/tools/random/16", json!({ "format": "hex" }), 32),
        ("sys/tools/random", json!({ "bytes": 3, "format": "base64", "source": "platform" }), 4),
        // Vault's command line writes every value as a text.
        ("sys/tools/random", json!({ "bytes": "64", "format": "hex" }), 128),
    ];
    check_all(cases, async |(path, body, length)| {
        let answer = send(&deployment, &key, "POST", path, body).await.ok();
        assert_eq!(answer["data"]["random_bytes"].as_str().unwrap().len(), length);
        let line = deployment.log.last();
        assert_eq!((&line["event"], &line["operation"]), (&json!("random.generated"), &json!("random")));
    })
    .await;
    for path in ["sys/tools/random/0", "sys/tools/random/131073", "sys/tools/random/x"] {
        assert_errors(&send(&deployment, &key, "POST", path, json!({})).await, 400, "bytes must be a whole number");
    }
    for bytes in [json!("x"), json!(""), json!("-1"), json!(-1), json!(0), json!(1.5), json!(null), json!([3])] {
        let answer = send(&deployment, &key, "POST", "sys/tools/random", json!({ "bytes": bytes })).await;
        assert_errors(&answer, 400, "bytes must be a whole number");
    }
    let answer = send(&deployment, &key, "POST", "sys/tools/random/16", json!({ "bytes": 16 })).await;
    assert_errors(&answer, 400, "bytes is given more than once");
    assert_errors(
        &send(&deployment, &key, "POST", "sys/tools/random", json!({ "source": "seal" })).await,
        400,
        "the body has ",
    );
    let floor = deployment.database.bound_key("floor", Binding { min_entropy: Some(200), ..Binding::default() }).await;
    send(&deployment, &floor, "POST", "sys/tools/random/32", json!({})).await.ok();
    assert_errors(
        &send(&deployment, &floor, "POST", "sys/tools/random/16", json!({})).await,
        403,
        "The request has 128 bits",
    );
    let policy = Some(BoundPolicy::Preset("cis".into()));
    let bound = deployment.database.bound_key("bound", Binding { policy, ..Binding::default() }).await;
    assert_errors(
        &send(&deployment, &bound, "POST", "sys/tools/random", json!({})).await,
        403,
        "This API key is bound to policy cis",
    );
    send(&deployment, &bound, "GET", "sys/policies/password/cis/generate", Value::Null).await.ok();
    assert_errors(
        &send(&deployment, &bound, "GET", "sys/policies/password/wpa2/generate", Value::Null).await,
        403,
        "This API key is bound",
    );
    let list = send(&deployment, &bound, "LIST", "sys/policies/password", Value::Null).await.ok();
    assert_eq!(list["data"]["keys"], json!(["cis"]));
}
