//! `GetRandomPassword` of AWS Secrets Manager.

use std::time::Duration;

use passloom::CompatibleApis;
use passloom::access::{Binding, BoundPolicy};
use serde_json::{Value, json};

use crate::support::{Answer, Deployment, Fault, Reply, Request, check_all};

/// A request as botocore sends it, with the key as session token.
fn request(body: impl Into<String>) -> Request {
    let request = Request::post(body).path("/").header("content-type", "application/x-amz-json-1.1");
    request.header("x-amz-target", "secretsmanager.GetRandomPassword")
}

/// What a password must be like.
type Check = fn(&str) -> bool;

async fn send(deployment: &Deployment, key: &str, body: Value) -> Answer {
    deployment.send(request(body.to_string()).header("x-amz-security-token", key)).await
}

/// Checks an error: its status, its name and the beginning of its text.
fn assert_error(answer: &Answer, status: u64, code: &str, message: &str) {
    assert_eq!(answer.status, status, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/x-amz-json-1.1");
    assert!(!answer.header("x-amzn-requestid").is_empty());
    let body = answer.json();
    assert_eq!(body["__type"], code, "{body}");
    assert!(body["message"].as_str().unwrap().starts_with(message), "{body}");
}

#[tokio::test]
async fn each_member_has_its_effect() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let punctuation: String = ('!'..='~').filter(char::is_ascii_punctuation).collect();
    let cases: [(Value, usize, Check); 9] = [
        (json!({}), 32, |password| {
            let kinds: [fn(char) -> bool; 4] = [
                |one| one.is_ascii_lowercase(),
                |one| one.is_ascii_uppercase(),
                |one| one.is_ascii_digit(),
                |one| one.is_ascii_punctuation(),
            ];
            kinds.into_iter().all(|kind| password.contains(kind)) && !password.contains(' ')
        }),
        (json!({ "PasswordLength": 4 }), 4, |_| true),
        (json!({ "PasswordLength": 4096 }), 4096, |_| true),
        (json!({ "PasswordLength": 1, "RequireEachIncludedType": false }), 1, |_| true),
        (json!({ "ExcludeCharacters": "abcXYZ/\\\"é", "PasswordLength": 500 }), 500, |password| {
            !password.contains(['a', 'b', 'c', 'X', 'Y', 'Z', '/', '\\', '"']) && password.contains('~')
        }),
        (json!({ "ExcludePunctuation": true, "PasswordLength": 500 }), 500, |password| {
            password.chars().all(|one| one.is_ascii_alphanumeric())
        }),
        (json!({ "ExcludeLowercase": true, "ExcludeUppercase": true, "ExcludePunctuation": true }), 32, |password| {
            password.chars().all(|one| one.is_ascii_digit())
        }),
        (json!({ "IncludeSpace": true, "PasswordLength": 4000 }), 4000, |password| password.contains(' ')),
        (json!({ "ExcludeNumbers": true, "ExcludeCharacters": "", "PasswordLength": 500 }), 500, |password| {
            !password.contains(|one: char| one.is_ascii_digit())
        }),
    ];
    check_all(cases, async |(body, length, satisfies)| {
        let answer = send(&deployment, &key, body).await;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/x-amz-json-1.1"));
        let body = answer.json();
        let password = body["RandomPassword"].as_str().unwrap();
        assert!(password.len() == length && satisfies(password), "{password}");
        assert_eq!(body.as_object().unwrap().len(), 1);
    })
    .await;
    let password = send(&deployment, &key, json!({ "PasswordLength": 4096 })).await.json();
    assert!(punctuation.chars().all(|one| password["RandomPassword"].as_str().unwrap().contains(one)));
    let line = deployment.log.last();
    assert_eq!(
        (&line["api"], &line["event"], &line["operation"]),
        (&json!("aws"), &json!("password.generated"), &json!("generate"))
    );
    assert_eq!((&line["length"], &line["count"]), (&json!(4096), &json!(1)));
}

#[tokio::test]
async fn invalid_requests_return_the_errors_of_aws() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let invalid = "InvalidParameterException";
    let all: String = ('!'..='~').collect();
    let cases = [
        (
            json!({ "PasswordLength": 5555 }),
            "ValidationException",
            "1 validation error detected: Value '5555' at 'passwordLength' failed to satisfy constraint: Member must have \
             value less than or equal to 4096",
        ),
        (json!({ "PasswordLength": 0 }), "ValidationException", "1 validation error detected: Value '0' at "),
        (json!({ "PasswordLength": -1 }), "ValidationException", "1 validation error detected: Value '-1' at "),
        (json!({ "PasswordLength": "8" }), "SerializationException", "PasswordLength has a wrong type"),
        (json!({ "IncludeSpace": "yes" }), "SerializationException", "IncludeSpace has a wrong type"),
        (json!({ "ExcludeCharacters": 1 }), "SerializationException", "ExcludeCharacters has a wrong type"),
        (json!({ "ExcludeCharacters": "x".repeat(4097) }), "ValidationException", "1 validation error detected: "),
        (json!({ "MaxLength": 8 }), "ValidationException", "GetRandomPassword has no such member"),
        (json!([]), "SerializationException", "the body has a wrong type"),
        (json!({ "PasswordLength": 3 }), invalid, "Password length is too short based on the required types."),
        (
            json!({ "ExcludeCharacters": "0123456789" }),
            invalid,
            "All characters of the desired type have been excluded.",
        ),
        (json!({ "ExcludeCharacters": all }), invalid, "All characters have been excluded from selection."),
        (
            json!({ "ExcludeNumbers": true, "ExcludeUppercase": true, "ExcludeLowercase": true, "ExcludePunctuation": true }),
            invalid,
            "All characters have been excluded from selection.",
        ),
    ];
    check_all(cases, async |(body, code, message)| {
        assert_error(&send(&deployment, &key, body).await, 400, code, message);
    })
    .await;
    assert_eq!(deployment.database.calls(), 0, "an invalid request causes no call");
    let digits = json!({ "ExcludeCharacters": "0123456789", "RequireEachIncludedType": false });
    assert_eq!(send(&deployment, &key, digits).await.status, 200);
    let other =
        request("{}").header("x-amz-target", "secretsmanager.GetSecretValue").header("x-amz-security-token", &key);
    assert_error(&deployment.send(other).await, 400, "UnknownOperationException", "");
}

#[tokio::test]
async fn key_is_the_session_token_or_the_access_key_id() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let signed = |id: &str| {
        format!(
            "AWS4-HMAC-SHA256 Credential={id}/20260101/eu-central-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=00"
        )
    };
    let with_id = |id: &str| request("{}").header("authorization", &signed(id));
    for accepted in [with_id(&key), with_id("AKIA").header("x-amz-security-token", &key), with_id(&key).path("/aws")] {
        assert_eq!(deployment.send(accepted).await.status, 200);
    }
    let refused = [request("{}"), with_id("AKIA"), with_id("AKIA").header("x-amz-security-token", "wrong")];
    check_all(refused.map(|request| (request.headers.contains_key("authorization"), request)), async |(_, request)| {
        let answer = deployment.send(request).await;
        assert_error(
            &answer,
            400,
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
        );
    })
    .await;
    assert!(!deployment.log.text().contains(&key[4..]));
}

/// The client waits as long as `x-amz-retry-after` says, in milliseconds, and gets its password.
#[tokio::test]
async fn throttled_client_gets_its_password_after_the_wait() {
    let deployment = Deployment::start().await;
    let key = deployment.key(1, 100).await;
    assert_eq!(send(&deployment, &key, json!({})).await.status, 200);
    deployment.clock.advance(Duration::from_secs(57));
    let answer = send(&deployment, &key, json!({})).await;
    assert_error(&answer, 400, "ThrottlingException", "Rate exceeded");
    let wait: u64 = answer.header("x-amz-retry-after").parse().unwrap();
    assert!((1_000..10_000).contains(&wait), "{wait}");
    deployment.clock.advance(Duration::from_millis(wait - 1_000));
    assert_eq!(send(&deployment, &key, json!({})).await.status, 400);
    deployment.clock.advance(Duration::from_secs(1));
    assert_eq!(send(&deployment, &key, json!({})).await.status, 200);
}

#[tokio::test]
async fn unreachable_database_returns_internal_service_error() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    deployment.database.fail(std::iter::repeat_n(Fault::instead_of_call(Reply::Reset), 4));
    assert_error(
        &send(&deployment, &key, json!({})).await,
        503,
        "InternalServiceError",
        "The request could not be counted",
    );
}

#[tokio::test]
async fn bound_key_gets_passwords_of_its_policy() {
    let deployment = Deployment::start().await;
    let admin = deployment.database.bound_key("admin", Binding { admin: true, ..Binding::default() }).await;
    let policy = r#"{"length":20,"symbols":"-_"}"#;
    let put = Request::post(policy).method("PUT").path("/api/policies/ci").key(&admin);
    assert_eq!(deployment.send(put).await.status, 201);
    let policy = Some(BoundPolicy::Stored("ci".into()));
    let key = deployment.database.bound_key("bound", Binding { policy, ..Binding::default() }).await;
    for (body, length) in [(json!({}), 20), (json!({ "PasswordLength": 30, "ExcludeCharacters": "x" }), 30)] {
        let answer = send(&deployment, &key, body).await.json();
        let password = answer["RandomPassword"].as_str().unwrap();
        assert!(password.len() == length && password.contains(['-', '_']), "{password}");
    }
    assert_eq!(deployment.log.last()["policy"], "ci");
    let cases = [
        (json!({ "PasswordLength": 19 }), "policy ci requires that length is 20 or more"),
        (json!({ "ExcludeNumbers": true }), "policy ci requires that digits is true"),
        (json!({ "IncludeSpace": true }), "The policy of this API key requires that IncludeSpace is false."),
        (json!({ "PasswordLength": 20, "ExcludeCharacters": "abcdefghijklmnop" }), "The request has "),
    ];
    check_all(cases, async |(body, message)| {
        assert_error(&send(&deployment, &key, body).await, 400, "InvalidRequestException", message);
    })
    .await;
    // A refusal after the draw has no password, and its audit line counts none.
    assert_eq!(send(&deployment, &key, json!({ "IncludeSpace": true })).await.status, 400);
    assert_eq!(deployment.log.last()["count"], Value::Null);
    let floor = deployment.database.bound_key("floor", Binding { min_entropy: Some(250), ..Binding::default() }).await;
    let longer = send(&deployment, &floor, json!({})).await.json();
    assert!(longer["RandomPassword"].as_str().unwrap().len() > 32);
    assert_error(
        &send(&deployment, &floor, json!({ "PasswordLength": 32 })).await,
        400,
        "InvalidRequestException",
        "The request has ",
    );
}

#[tokio::test]
async fn body_up_to_32_kib_is_read() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let padded = |bytes: usize| format!("{{{}}}", " ".repeat(bytes - 2));
    let send = async |bytes| deployment.send(request(padded(bytes)).header("x-amz-security-token", &key)).await;
    assert_eq!(send(32 << 10).await.status, 200);
    assert_error(&send((32 << 10) + 1).await, 400, "ValidationException", "The body has more than 32768 bytes");
}

/// The key is a header, and the body is binary or not, in each type of event.
#[tokio::test]
async fn each_front_end_passes_the_request_on() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let cases = ["http-api.json", "rest-api.json", "function-url.json", "load-balancer.json"];
    check_all(cases, async |file| {
        for (method, path, body, header, value) in [
            ("POST", "/", "{}", "x-amz-target", "secretsmanager.GetRandomPassword"),
            ("GET", "/v1/sys/policies/password/cis/generate", "", "x-vault-token", key.as_str()),
        ] {
            let event = std::fs::read_to_string(format!("{}/events/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
            let mut event: Value = serde_json::from_str(&event.replace("PASSLOOM_API_KEY", &key)).unwrap();
            let headers = [("x-amz-security-token", key.as_str()), (header, value)];
            for (name, value) in headers {
                event["headers"][name] = value.into();
                if let Some(several) = event.get_mut("multiValueHeaders").and_then(Value::as_object_mut) {
                    several.insert(name.into(), json!([value]));
                }
            }
            for pointer in ["/requestContext/http/method", "/httpMethod"] {
                if let Some(found) = event.pointer_mut(pointer) {
                    *found = method.into();
                }
            }
            for name in ["rawPath", "path"] {
                if let Some(found) = event.get_mut(name) {
                    *found = path.into();
                }
            }
            for name in ["queryStringParameters", "multiValueQueryStringParameters", "rawQueryString"] {
                event.as_object_mut().unwrap().remove(name);
            }
            (event["body"], event["isBase64Encoded"]) = (body.into(), false.into());
            let answer = deployment.send_event(&event.to_string()).await;
            assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        }
    })
    .await;
}

#[tokio::test]
async fn other_paths_and_deployments_without_the_api_answer_as_before() {
    let deployment = Deployment::start().await;
    let key = deployment.ample_key().await;
    let own = request("{}").path("/api/generate").header("content-type", "application/json").key(&key);
    assert!(!deployment.send(own).await.password().is_empty());
    deployment.send(Request::get("").path("/nothing").key(&key)).await.assert_problem(404);
    let mut without = Deployment::start().await;
    without.app = without.app.with_apis(CompatibleApis::parse("vault").unwrap());
    without.send(request("{}").header("x-amz-security-token", &key)).await.assert_problem(405);
}
