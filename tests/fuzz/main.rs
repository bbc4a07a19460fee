//! No input makes a parser panic: random bytes, and random sequences of the words that the parser knows, because random
//! bytes seldom pass its first check.
//!
//! Inputs differ from run to run. An input that fails is reduced to a small one, saved in `tests/proptest-regressions`,
//! and tested first from then on.
//!
//! `make test` tests some thousands of inputs per parser, `make fuzz` ten million in all, or `FUZZ=…` per parser.

#![expect(clippy::unwrap_used, reason = "tests stop at unexpected errors")]

use std::collections::BTreeMap;

use passloom::access::{ApiKey, Auth, Authenticated, Limits, SigningSecrets};
use passloom::http::dialects::vault::VaultRoute;
use passloom::http::dialects::{Dialect, aws};
use passloom::http::lambda::{Query, decode};
use passloom::http::request::{
    GenerateRequest, PassphraseRequest, PolicyDocument, Precondition, RequestError, ValidateRequest,
};
use passloom::http::response::Body;
use passloom::http::{HttpRequest, Problem};
use passloom::password::{CharSet, Sampler, VaultPolicy, WorkBudget, parse_rules, verify};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rand::SeedableRng;
use rand::rngs::{StdRng, SysRng};
use serde_json::json;

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

/// A request as an HTTP API passes it on, or with a decoded query as a REST API does.
fn request(method: &str, path: &str, query: Query, body: &[u8]) -> HttpRequest {
    let body = aws_smithy_types::base64::encode(body);
    let headers = json!({ "content-type": "application/json", aws::TARGET: "secretsmanager.GetRandomPassword" });
    let event = match query {
        Query::Encoded(query) => json!({
            "version": "2.0", "rawPath": path, "rawQueryString": query, "headers": headers,
            "requestContext": { "http": { "method": method, "path": path } },
            "body": body, "isBase64Encoded": true,
        }),
        Query::Decoded(pairs) => json!({
            "httpMethod": method, "path": path, "headers": headers,
            "queryStringParameters": pairs.into_iter().collect::<BTreeMap<_, _>>(),
            "requestContext": { "httpMethod": method, "identity": {} },
            "body": body, "isBase64Encoded": true,
        }),
    };
    decode(&event.to_string()).unwrap()
}

/// A caller of a deployment without keys.
fn caller() -> Authenticated {
    let limits = Limits { per_minute: 1.try_into().unwrap(), per_day: 1.try_into().unwrap() };
    Auth::Address(limits).authenticate([], Some([192, 0, 2, 1].into())).unwrap()
}

/// Reads a request as each operation does, and writes the error answers.
fn read(request: &HttpRequest) {
    let caller = &caller();
    let errors = [
        GenerateRequest::read(request, caller).err(),
        PassphraseRequest::read(request, caller).err(),
        ValidateRequest::read(request, caller).err(),
        PolicyDocument::read(request, caller).err(),
        Precondition::read(&request.headers).err(),
    ];
    for error in errors.into_iter().flatten() {
        let answer = Problem::invalid(&error).to_response("fuzz");
        assert!(answer.status().is_client_error());
        let Body::Text(text) = answer.body() else { panic!("an error is a text") };
        let body: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(body["status"], answer.status().as_u16());
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
    for_each(text(WORDS), |query| read(&request("GET", "/api/generate", Query::Encoded(query), b"")));
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
            read(&request("POST", "/api/generate", Query::Encoded(String::new()), body));
        }
        let query = vec![("exclude".into(), text), ("length".into(), value)];
        read(&request("GET", "/api/generate", Query::Decoded(query), b""));
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
        let mut body = json!({ "passwordrules": rules, "exclude": exclude });
        if let Some(length) = length {
            body["length"] = length.into();
        }
        let request = request("POST", "/api/generate", Query::Encoded(String::new()), body.to_string().as_bytes());
        if let Ok(GenerateRequest { policy, .. }) = GenerateRequest::read(&request, &caller())
            && let Ok(policy) = policy.policy(None)
            && let Ok(sampler) = Sampler::new(policy.spec().clone(), &mut WorkBudget::new(1))
        {
            let drawn = sampler.draw(&mut SysRng).unwrap();
            assert_eq!(verify(policy.spec(), drawn.expose()), Ok(()));
            // A space is drawn only if a required set has no other character.
            let requires_space = policy.rules().is_some_and(|rules| rules.required.contains(&CharSet::space().into()));
            assert!(requires_space || !drawn.expose().contains(' '), "{rules}");
        }
        read(&request);
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
            let caller = caller();
            let mut errors = Vec::new();
            for path in [&format!("/v1/{path}"), "/v1/sys/policies/password/ci"] {
                let request = request("POST", path, Query::Encoded(String::new()), body.as_bytes());
                errors.push(aws::read(&request, &caller).err().map(RequestError::from));
                if let Some(VaultRoute::Keyed(route)) = VaultRoute::find(&request) {
                    errors.push(route.read(&request, &caller).err());
                }
            }
            for error in errors.into_iter().flatten() {
                let problem = Problem::invalid(&error);
                for dialect in Dialect::ALL {
                    assert!(dialect.error(&problem, "fuzz").status().is_client_error());
                }
            }
        }
    });
}

#[test]
fn any_key_except_a_generated_one_is_rejected() {
    const WORDS: &[&str] =
        &["plk_", "0", "z", "Z", "4Fh", "0000000000000000000000000000000000000000000000000000000", "é", "\u{0}"];
    let secrets = SigningSecrets::parse(SIGNING_SECRET).unwrap();
    // The same key in every run, so that a saved input fails again.
    let Ok((_, generated)) = ApiKey::generate(&mut StdRng::seed_from_u64(1), &secrets);
    let generated = generated.to_string();
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
        let _ = decode(&text);
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
            read(&decode(&event.to_string()).unwrap());
        }
    });
}
