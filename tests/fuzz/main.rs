//! Whatever comes in, nothing panics: raw bytes, and the same with the words that parsers look for,
//! since raw bytes alone seldom get past the first of them.
//!
//! `make test` tries some thousands of each, `make fuzz` ten million in all (or `FUZZ=…` of each).

#![expect(clippy::unwrap_used, reason = "tests stop at what they did not expect")]

use lambda_http::http::{HeaderMap, HeaderValue, Method};
use passloom::access::{ApiKey, Peppers};
use passloom::http::event::{self, Query};
use passloom::http::request::{Generate, Passphrases, Validate};
use passloom::http::{Incoming, Origin, Problem};
use passloom::password::{PasswordRules, verify};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::json;

const PEPPER: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

#[expect(clippy::disallowed_methods, reason = "the Makefile says so in a variable")]
fn cases() -> u32 {
    std::env::var("FUZZ").map_or(3_000, |cases| cases.parse().unwrap())
}

/// Hands over inputs that differ from run to run; the one that fails is shrunk and shown.
fn try_all<T: std::fmt::Debug>(inputs: impl Strategy<Value = T>, test: impl Fn(T)) {
    let config = Config { cases: cases(), failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&inputs, |input| {
            test(input);
            Ok(())
        })
        .unwrap();
}

/// Text of some bytes, and text of some words with bytes between them.
fn text(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    let bytes = |most| prop::collection::vec(any::<u8>(), 0..most);
    let bytes_as_text = move |most| bytes(most).prop_map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    let word = prop_oneof![8 => prop::sample::select(words).prop_map(str::to_owned), 1 => bytes_as_text(6)];
    prop_oneof![
        1 => bytes_as_text(200),
        3 => prop::collection::vec(word, 0..40).prop_map(|words| words.concat()),
    ]
}

fn incoming(method: Method, query: Query, body: Vec<u8>) -> Incoming {
    let headers =
        HeaderMap::from_iter([("content-type".parse().unwrap(), HeaderValue::from_static("application/json"))]);
    Incoming {
        origin: Origin::HttpApi,
        method,
        path: "/api/generate".into(),
        query,
        headers,
        body: Some(body),
        source_ip: None,
        source_ip_is_certain: false,
        request_id: None,
    }
}

/// Reads a request in every way there is, and writes what would be said of it.
fn read(request: &Incoming) {
    let problems = [
        Generate::read(request).err().map(Problem::from),
        Passphrases::read(request).err().map(Problem::from),
        Validate::read(request).err().map(Problem::from),
    ];
    for problem in problems.into_iter().flatten() {
        let answer = problem.to_response("fuzz");
        assert!(answer.status().is_client_error());
        let body: serde_json::Value = serde_json::from_str(answer.body()).unwrap();
        assert_eq!(body["status"], answer.status().as_u16());
    }
}

#[test]
fn queries() {
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
    try_all(text(WORDS), |query| read(&incoming(Method::GET, Query::Encoded(query), Vec::new())));
}

#[test]
fn decoded_queries_and_bodies() {
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
    try_all(inputs, |(text, bytes, value)| {
        read(&incoming(Method::POST, Query::Encoded(String::new()), text.clone().into_bytes()));
        read(&incoming(Method::POST, Query::Encoded(String::new()), bytes));
        read(&incoming(
            Method::GET,
            Query::Decoded(vec![("exclude".into(), text), ("length".into(), value)]),
            Vec::new(),
        ));
    });
}

#[test]
fn password_rules() {
    const WORDS: &[&str] = &[
        "minlength",
        "maxlength",
        "required",
        "allowed",
        "max-consecutive",
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
    try_all(text(WORDS), |text| {
        let characters = text.chars().count();
        match PasswordRules::parse(&text) {
            // What is written of them makes them again.
            Ok(rules) => assert_eq!(PasswordRules::parse(&rules.to_string()), Ok(rules)),
            Err(error) => {
                assert!((1..=characters + 1).contains(&error.position), "{error}");
                assert!(!error.to_string().is_empty());
            }
        }
    });
}

/// Rules that can be read make a policy or are refused in words, and what is drawn satisfies.
#[test]
fn policies_of_password_rules() {
    const RULES: &[&str] = &[
        "required: lower;",
        "required: upper, digit;",
        "required: special;",
        "required: [ -!];",
        "allowed: digit;",
        "allowed: [a];",
        "allowed: ascii-printable;",
        "max-consecutive: 1;",
        "max-consecutive: 2;",
        "minlength: 6;",
        "maxlength: 9;",
        "required: [ ];",
        "allowed: [ab ];",
    ];
    let rules = prop::collection::vec(prop::sample::select(RULES), 0..6).prop_map(|rules| rules.concat());
    try_all((rules, prop::option::of(4..12_u16), "[ -~]{0,3}"), |(rules, length, exclude)| {
        let mut body = json!({ "passwordrules": rules, "exclude": exclude });
        if let Some(length) = length {
            body["length"] = length.into();
        }
        let request = incoming(Method::POST, Query::Encoded(String::new()), body.to_string().into_bytes());
        if let Ok(Generate { policy, .. }) = Generate::read(&request)
            && let Ok(sampler) = passloom::password::Sampler::new(policy.shape().clone())
        {
            let drawn = sampler.draw(&mut rand::rngs::SysRng).unwrap();
            assert_eq!(verify(policy.shape(), drawn.expose()), Ok(()));
        }
        read(&request);
    });
}

#[test]
fn keys() {
    const WORDS: &[&str] =
        &["plk_", "0", "z", "Z", "4Fh", "0000000000000000000000000000000000000000000000000000000", "é", "\u{0}"];
    let peppers = Peppers::parse(PEPPER).unwrap();
    let (_, good) = ApiKey::generate(&mut rand::rngs::SysRng, &peppers).unwrap();
    let good = good.to_string();
    let changed = (0..good.len(), any::<char>());
    try_all((text(WORDS), changed), |(text, (at, character))| {
        assert!(ApiKey::parse(&text, &peppers).is_err());
        let mut near = good.clone();
        near.replace_range(at..=at, &character.to_string());
        assert_eq!(ApiKey::parse(&near, &peppers).is_ok(), near == good);
    });
}

#[test]
fn events() {
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
    try_all((text(WORDS), value), |(text, value)| {
        let _ = event::decode(&text);
        let events = [
            json!({ "version": "2.0", "rawPath": value, "rawQueryString": value, "headers": { "host": "h", "x-forwarded-for": "x" },
                "requestContext": { "http": { "method": "GET", "sourceIp": value, "path": value }, "stage": value }, "body": value, "isBase64Encoded": true }),
            json!({ "httpMethod": "GET", "path": value, "queryStringParameters": { "a": value }, "multiValueQueryStringParameters": null,
                "requestContext": { "identity": { "sourceIp": value }, "requestId": value }, "body": value }),
            json!({ "httpMethod": "POST", "path": value, "queryStringParameters": { "length": value }, "headers": { "x-forwarded-for": value },
                "requestContext": { "elb": { "targetGroupArn": value } }, "body": value, "isBase64Encoded": false }),
        ];
        for event in events {
            if let Ok(incoming) = event::decode(&event.to_string()) {
                read(&incoming);
            }
        }
    });
}
