//! No input makes a parser panic: random bytes, and random sequences of the words that the parser knows, because random
//! bytes seldom pass its first check.
//!
//! Inputs differ from run to run. An input that fails is reduced to a small one, saved in `tests/proptest-regressions`,
//! and tested first from then on.
//!
//! `make test` tests some thousands of inputs per parser, `make fuzz` ten million in all, or `FUZZ=…` per parser.

#![expect(clippy::unwrap_used, reason = "tests stop at unexpected errors")]

use std::io::{self, Write};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::Duration;

use aws_sdk_dynamodb::config::Credentials;
use passloom::access::{ApiKey, Auth, SigningSecrets};
use passloom::audit::AuditLog;
use passloom::clock::Clock;
use passloom::password::{CharSet, Constraints, Policy, Sampler, VaultPolicy, WorkBudget, parse_rules, verify};
use passloom::store::{self, Endpoint, Store};
use passloom::{AllowedOrigins, App};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand::SeedableRng;
#[expect(clippy::disallowed_types, reason = "the generator of the function")]
use rand::rngs::{StdRng, SysRng};
use serde_json::{Value, json};
use tokio::runtime::{self, Runtime};

const SIGNING_SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[expect(clippy::disallowed_methods, reason = "`make fuzz` sets a variable")]
fn cases() -> u32 {
    std::env::var("FUZZ").map_or(3_000, |cases| cases.parse().unwrap())
}

/// Runs a test with many inputs.
fn for_each<T: std::fmt::Debug>(inputs: impl Strategy<Value = T>, test: impl Fn(T)) {
    let config = Config { cases: cases(), ..Config::with_source_file(file!()) };
    TestRunner::new(config)
        .run(&inputs, |input| {
            test(input);
            Ok(())
        })
        .unwrap();
}

/// A text of random bytes, or of random words with some random bytes.
fn text(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let bytes = |max| prop::collection::vec(any::<u8>(), 0..max);
    let bytes_as_text = move |max| bytes(max).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let word = prop_oneof![8 => prop::sample::select(words).prop_map(str::to_owned), 1 => bytes_as_text(6)];
    prop_oneof![
        1 => bytes_as_text(200),
        3 => prop::collection::vec(word, 0..40).prop_map(|words| words.concat()),
    ]
}

/// The function of a deployment whose database does not answer: what it does not refuse while reading it answers with 503.
struct Function {
    runtime: Runtime,
    app: App,
    log: Log,
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Function {
    fn start() -> Self {
        let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let credentials = Credentials::new("fuzz", "fuzz", None, None, "fuzz");
        // Nothing listens on this port, which is reserved for a service of the 1970s.
        let url = Some("http://127.0.0.1:1".to_owned());
        let endpoint = Endpoint { region: "local".into(), credentials, url, trusted: None };
        let client = runtime.block_on(store::connect(endpoint, Duration::from_secs(1))).unwrap();
        let auth = Auth::Key(SigningSecrets::parse(SIGNING_SECRET).unwrap());
        let (clock, log) = (Clock::system(), Log::default());
        let store = Store::new(client, "fuzz".into(), clock.now());
        let origins = AllowedOrigins::default();
        let app = App::new(auth, true, origins, store, AuditLog::new(log.clone()), clock);
        Self { runtime, app, log }
    }

    /// Sends an event. It has an answer and one audit line with the same status, and nothing fails but the database.
    fn send(&self, event: &str) {
        let reply = self.runtime.block_on(Box::pin(self.app.handle(event, "fuzz")));
        let reply = serde_json::to_value(&reply).unwrap();
        let line = std::mem::take(&mut *self.log.0.lock().unwrap());
        let line: Value = serde_json::from_slice(&line).unwrap();
        assert_eq!(reply["statusCode"], line["status"], "{event}");
        assert_ne!(reply["statusCode"], 500, "{event}");
        let headers = [&reply["headers"], &reply["multiValueHeaders"]];
        if headers.iter().any(|all| all["content-type"].to_string().contains("json")) {
            let body = reply["body"].as_str().unwrap();
            assert!(body.is_empty() || serde_json::from_str::<Value>(body).is_ok(), "{event}");
        }
    }
}

thread_local! {
    static FUNCTION: LazyLock<Function> = const { LazyLock::new(Function::start) };
}

/// A key with a valid tag.
static KEY: LazyLock<String> = LazyLock::new(|| {
    let secrets = SigningSecrets::parse(SIGNING_SECRET).unwrap();
    // The same key in every run, so that a saved input fails again.
    let Ok((_, key)) = ApiKey::generate(&mut StdRng::seed_from_u64(1), &secrets);
    key.to_string()
});

/// Sends an event to the function, with a key in the header of each API.
fn send(mut event: Value) {
    for name in ["x-api-key", "x-vault-token", "x-amz-security-token"] {
        event["headers"][name] = json!(*KEY);
    }
    FUNCTION.with(|function| function.send(&event.to_string()));
}

/// Paths whose operations read different requests.
const PATHS: [&str; 5] = ["generate", "policy", "passphrase", "validate", "policies/ci"];

/// Sends a query as an HTTP API passes it on, and decoded as a REST API does.
fn send_query(query: &str, pairs: &[(&str, &str)]) {
    for path in PATHS.map(|path| format!("/api/{path}")) {
        send(json!({
            "version": "2.0", "rawPath": path, "rawQueryString": query, "headers": {},
            "requestContext": { "http": { "method": "GET", "path": path, "sourceIp": "192.0.2.1" } },
        }));
        if !pairs.is_empty() {
            let pairs: Value = pairs.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect();
            send(json!({
                "httpMethod": "GET", "path": path, "headers": {}, "queryStringParameters": pairs,
                "requestContext": { "httpMethod": "GET", "identity": { "sourceIp": "192.0.2.1" } },
            }));
        }
    }
}

/// Sends a body to a path.
fn send_body(method: &str, path: &str, headers: &Value, body: &[u8]) {
    send(json!({
        "version": "2.0", "rawPath": path, "rawQueryString": "", "headers": headers,
        "requestContext": { "http": { "method": method, "path": path, "sourceIp": "192.0.2.1" } },
        "body": aws_smithy_types::base64::encode(body), "isBase64Encoded": true,
    }));
}

/// Sends a body to each operation of this service's own API.
fn send_bodies(body: &[u8]) {
    for path in PATHS {
        let method = if path == "policies/ci" { "PUT" } else { "POST" };
        send_body(method, &format!("/api/{path}"), &json!({ "content-type": "application/json" }), body);
    }
}

#[test]
fn any_query_is_read_or_rejected() {
    const WORDS: &[&str] = &[
        "length=",
        "special",
        "digits=no",
        "min_digits=",
        "symbols=",
        "exclude=",
        "start=letter",
        "min_classes=",
        "words=",
        "min_entropy=",
        "passwordrules=",
        "policy=cis",
        "count=",
        "separator=",
        "number",
        "=",
        "&",
        "&",
        "&",
        "&",
        "%2B",
        "%",
        "%0",
        "%00",
        "%zz",
        "%ff",
        "+",
        "16",
        "0",
        "65536",
        "1e3",
        "-1",
        "true",
        "é",
        "required:%20digit",
        ";",
    ];
    for_each(text(WORDS), |query| send_query(&query, &[]));
}

#[test]
fn any_body_or_decoded_query_is_read_or_rejected() {
    const WORDS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "\"length\"",
        "\"password\"",
        "\"special\"",
        "\"min_entropy\"",
        "\"words\"",
        "\"exclude\"",
        "\"passwordrules\"",
        "\"policy\"",
        "\"symbols\"",
        "\"charsets\":[{",
        "\"characters\"",
        "\"min\"",
        "\"description\"",
        ":",
        ":",
        ",",
        "16",
        "16.0",
        "1e400",
        "-0",
        "true",
        "null",
        "\"cis\"",
        "\"a\"",
        "\"\\ud800\"",
        "\"\\u0000\"",
        "\\",
        "\u{feff}",
    ];
    let inputs = (text(WORDS), prop::collection::vec(any::<u8>(), 0..300), text(WORDS));
    for_each(inputs, |(text, bytes, value)| {
        for body in [text.as_bytes(), &bytes] {
            send_bodies(body);
        }
        send_query("", &[("exclude", &text), ("length", &value)]);
    });
}

#[test]
fn any_password_rules_are_parsed_or_rejected_with_position() {
    const WORDS: &[&str] = &[
        "minlength",
        "maxlength",
        "required",
        "allowed",
        "max-consecutive",
        "max-repeating",
        "max-sequential",
        ":",
        ":",
        ";",
        ";",
        ",",
        " ",
        "[",
        "]",
        "]]",
        "-",
        "[-ab]",
        "[]]",
        "upper",
        "lower",
        "digit",
        "special",
        "ascii-printable",
        "unicode",
        "8",
        "20",
        "0",
        "99999",
        "é",
        "\n",
        "required: lower;",
        "maxlength: 12;",
    ];
    for_each(text(WORDS), |text| {
        let characters = text.chars().count();
        match parse_rules(&text) {
            Ok(rules) => assert_eq!(parse_rules(&rules.to_string()), Ok(rules)),
            Err(error) => {
                assert!((1..=characters + 1).contains(&error.position), "{error}");
                assert!(!error.to_string().is_empty());
            }
        }
    });
}

#[test]
fn any_policy_of_vault_is_read_or_rejected_with_position() {
    const WORDS: &[&str] = &[
        "length = 8\n",
        "rule \"charset\" {",
        "rule { charset {",
        "charset = \"ab\"",
        "min-chars = 1 ",
        "entropy_source",
        "{\"length\":8,",
        "\"rule\":[{\"charset\":",
        "{\"charset\":\"ab\"}",
        "]}",
        "}",
        "}",
        "{",
        "[",
        "]",
        ",",
        ":",
        "=",
        "\"",
        "${",
        "%{",
        "\\",
        "\\x41",
        "\\U0010ffff",
        "\n",
        " ",
        "#",
        "/*",
        "*/",
        "//",
        "<<A\n",
        "0x1f",
        "017",
        "1e9",
        ".5",
        "-",
        "true",
        "null",
        "é",
        "\u{0}",
    ];
    for_each(text(WORDS), |text| match VaultPolicy::parse(&text) {
        Ok(policy) => {
            let needed: u16 = policy.rules.iter().map(|rule| rule.min).sum();
            assert!((4..=4096).contains(&policy.length) && needed <= policy.length);
            assert!((1..=16).contains(&policy.rules.len()));
        }
        Err(error) => {
            let line = text.split('\n').nth(error.line - 1).unwrap();
            assert!((1..=line.chars().count() + 1).contains(&error.column), "{error}");
            assert!(!error.to_string().is_empty());
        }
    });
}

#[test]
fn password_drawn_from_any_password_rules_satisfies_the_policy() {
    const RULES: &[&str] = &[
        "required: lower;",
        "required: upper, digit;",
        "required: special;",
        "required: [ -!];",
        "allowed: digit;",
        "allowed: [a];",
        "allowed: ascii-printable;",
        "max-consecutive: 1;",
        "max-repeating: 2;",
        "max-sequential: 2;",
        "minlength: 6;",
        "maxlength: 9;",
        "required: [ ];",
        "allowed: [ ];",
        "allowed: [ab ];",
    ];
    let rules = prop::collection::vec(prop::sample::select(RULES), 0..6).prop_map(|rules| rules.concat());
    for_each((rules, prop::option::of(4..12_u16), "[ -~]{0,3}"), |(rules, length, exclude)| {
        let Ok(rules) = parse_rules(&rules) else { return };
        let requires_space = rules.required.contains(&CharSet::space().into());
        let (rules, exclude) = (Some(rules), Some(exclude));
        let constraints = Constraints { rules, length, exclude, ..Constraints::default() };
        if let Ok(policy) = Policy::new(&constraints, None)
            && let Ok(sampler) = Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1))
        {
            let drawn = sampler.draw(&mut SysRng).unwrap();
            assert_eq!(verify(policy.spec(), drawn.expose()), Ok(()));
            // A space is drawn only if a required set has no other character.
            assert!(requires_space || !drawn.expose().contains(' '));
        }
    });
}

#[test]
fn any_request_of_another_api_is_read_or_rejected() {
    const WORDS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        "\"",
        ":",
        ",",
        "\\n",
        "\\\"",
        "=",
        " ",
        "#",
        "/*",
        "<<",
        "${",
        "%{",
        "(",
        "!",
        "?",
        "\"policy\":\"",
        "length = 8",
        "rule \\\"charset\\\" {",
        "charset = ",
        "min-chars = 1",
        "\"format\"",
        "\"bytes\"",
        "\"PasswordLength\"",
        "\"ExcludeCharacters\"",
        "\"IncludeSpace\"",
        "true",
        "8",
        "-1",
        "1e9",
        "\"hex\"",
        "é",
    ];
    const PATHS: &[&str] =
        &["/v1/", "sys/", "policies/", "password/", "ci", "/generate", "tools/random", "/16", "auth", "?"];
    for_each((text(WORDS), text(WORDS), text(PATHS)), |(body, policy, path)| {
        let bodies = [body, json!({ "policy": policy }).to_string(), policy];
        for body in bodies {
            let headers = json!({ "x-amz-target": "secretsmanager.GetRandomPassword" });
            send_body("POST", "/", &headers, body.as_bytes());
            for path in [&format!("/v1/{path}"), "/v1/sys/policies/password/ci"] {
                send_body("POST", path, &json!({}), body.as_bytes());
            }
        }
    });
}

#[test]
fn any_key_except_a_generated_one_is_rejected() {
    const WORDS: &[&str] =
        &["plk_", "0", "z", "Z", "4Fh", "0000000000000000000000000000000000000000000000000000000", "é", "\u{0}"];
    let secrets = SigningSecrets::parse(SIGNING_SECRET).unwrap();
    let generated = KEY.clone();
    let replacement = (0..generated.len(), any::<char>());
    for_each((text(WORDS), replacement), |(text, (at, character))| {
        assert!(ApiKey::parse(&text, &secrets).is_err());
        let mut changed = generated.clone();
        changed.replace_range(at..=at, &character.to_string());
        assert_eq!(ApiKey::parse(&changed, &secrets).is_ok(), changed == generated);
    });
}

#[test]
fn any_event_is_decoded_or_rejected() {
    const WORDS: &[&str] = &[
        "{",
        "}",
        "[",
        "]",
        ":",
        ",",
        "\"requestContext\"",
        "\"http\"",
        "\"elb\"",
        "{}",
        "\"method\"",
        "\"GET\"",
        "\"httpMethod\"",
        "\"path\"",
        "\"/\"",
        "\"headers\"",
        "\"host\"",
        "\"\"",
        "null",
        "true",
        "1",
        "\"rawQueryString\"",
        "\"multiValueHeaders\"",
        "\"body\"",
        "\"isBase64Encoded\"",
        "\"version\"",
        "\"2.0\"",
        "\"stage\"",
        "\"é\"",
    ];
    let value = text(&["é", "\u{0}", "%", "<>", "/", "?", "[::1]", "1.2.3.4", ",", "=", "GET", "bearer "]);
    for_each((text(WORDS), value), |(text, value)| {
        FUNCTION.with(|function| function.send(&text));
        let http_api = json!({
            "version": "2.0", "rawPath": value, "rawQueryString": value,
            "headers": { "host": "h", "x-forwarded-for": "x" },
            "requestContext": { "http": { "method": "GET", "sourceIp": value, "path": value }, "stage": value },
            "body": value, "isBase64Encoded": true,
        });
        let rest_api = json!({
            "httpMethod": "GET", "path": value,
            "queryStringParameters": { "a": value }, "multiValueQueryStringParameters": null,
            "requestContext": { "httpMethod": "GET", "identity": { "sourceIp": value }, "requestId": value },
            "body": value,
        });
        let load_balancer = json!({
            "httpMethod": "POST", "path": value, "queryStringParameters": { "length": value },
            "headers": { "x-forwarded-for": value },
            "requestContext": { "elb": { "targetGroupArn": value } },
            "body": value, "isBase64Encoded": false,
        });
        for event in [http_api, rest_api, load_balancer] {
            send(event);
        }
    });
}
