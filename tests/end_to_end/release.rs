//! The function as it is released, with a Runtime API: what it prints, what it posts, and what it sends to the
//! database.

use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Once;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};

use crate::support::{
    Database, Function, OTHER_SIGNING_SECRET, Request, SIGNING_SECRET, Table, check_all, unknown_key,
};

/// A value of `exclude` that no output contains by accident.
const EXCLUDED: &str = "<CANARY>\"\\&é";

fn percent_encoded(text: &str, keep: fn(u8) -> bool) -> String {
    text.bytes().fold(String::new(), |mut encoded, byte| {
        if keep(byte) {
            encoded.push(char::from(byte));
        } else {
            write!(encoded, "%{byte:02X}").unwrap();
        }
        encoded
    })
}

/// The encodings in which an output may contain a secret.
fn encodings(secret: &str) -> Vec<Vec<u8>> {
    let json = serde_json::to_string(secret).unwrap();
    let debug = format!("{secret:?}");
    let percent = |keep| percent_encoded(secret, keep);
    let mut encodings = vec![
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        // A JSON string inside of a JSON string, as in a log of a whole event.
        serde_json::to_string(&json).unwrap()[3..json.len()].to_owned(),
        percent(|byte| byte.is_ascii_alphanumeric()),
        percent(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
        percent(|_| false),
        debug[1..debug.len() - 1].to_owned(),
    ];
    // Base64 of a longer text that contains the secret, in three alignments, without the digits that depend on the
    // rest of the text.
    for skipped in 0..3 {
        for engine in [&STANDARD, &URL_SAFE] {
            let encoded = engine.encode([&[0; 3][..skipped], secret.as_bytes()].concat());
            let inner = &encoded[if skipped == 0 { 0 } else { 4 }..];
            encodings.push(inner[..inner.len() / 4 * 4 - 4].to_owned());
        }
    }
    encodings.into_iter().map(String::into_bytes).filter(|encoding| encoding.len() >= 6).collect()
}

fn contains(output: &[u8], text: &[u8]) -> bool {
    output.windows(text.len()).any(|window| window == text)
}

#[track_caller]
fn assert_contains_none(output: &[u8], secrets: &[String], what: &str) {
    for secret in secrets {
        for encoding in encodings(secret) {
            let text = String::from_utf8_lossy(&encoding);
            assert!(!contains(output, &encoding), "{what} contains {secret:?} as {text:?}");
        }
    }
}

#[test]
fn secret_search_finds_every_encoding() {
    let secret = "x!Y\"2\\z&4<5>6%7";
    let event = json!({ "body": json!({ "password": secret }).to_string() }).to_string();
    let encoded = STANDARD.encode(format!("some text before {secret} and after"));
    for output in [secret, &event, &format!("{secret:?}"), &encoded, "x%21Y%222%5Cz%264%3C5%3E6%257"] {
        assert!(encodings(secret).iter().any(|one| contains(output.as_bytes(), one)), "{output}");
    }
    assert!(!encodings(secret).iter().any(|one| contains(b"a text without the secret, but with x!Y", one)));
}

/// The path of the library of `interpose.c`, which is compiled once.
fn interposer() -> PathBuf {
    static COMPILED: Once = Once::new();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join(format!("interpose-{}.so", std::process::id()));
    COMPILED.call_once(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/interpose.c");
        let compiler =
            std::process::Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
        assert!(compiler.unwrap().success());
    });
    library
}

/// A file that causes a fault while it exists.
struct FaultFile(PathBuf);

impl FaultFile {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self(path)
    }

    fn create(&self) {
        File::create(&self.0).unwrap();
    }

    fn remove(&self) {
        std::fs::remove_file(&self.0).unwrap();
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

/// Sends valid requests, invalid requests and faults, at every log level of Lambda and Rust. Secrets are only in the
/// bodies of answers with status 200.
#[tokio::test]
async fn output_contains_no_secret_at_any_log_level() {
    let levels = [
        ("TRACE", "trace"),
        ("DEBUG", "debug"),
        ("INFO", "info"),
        ("WARN", "warn"),
        ("ERROR", "error"),
        ("FATAL", "off"),
        ("trace", "trace,aws=trace,hyper=trace"),
        ("", ""),
    ];
    check_all(levels, async |(level, rust_log)| {
        let database = Database::start().await;
        let key = database.key("canary", 1_000, 1_000).await;
        let (forged, unknown) = (unknown_key(OTHER_SIGNING_SECRET), unknown_key(SIGNING_SECRET));
        let no_randomness = FaultFile::new(&format!("randomness-{level}"));
        let no_clock = FaultFile::new(&format!("clock-{level}"));
        let mut function = Function::start(
            &database.table(),
            &[
                ("AWS_LAMBDA_LOG_LEVEL", level),
                ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
                ("RUST_LOG", rust_log),
                ("RUST_BACKTRACE", "full"),
                ("LD_PRELOAD", interposer().to_str().unwrap()),
                ("FAIL_RANDOMNESS", no_randomness.path()),
                ("FAIL_CLOCK", no_clock.path()),
            ],
        )
        .await;

        let mut secrets = vec![key.clone(), forged.clone(), unknown.clone(), EXCLUDED.to_owned()];
        let percent = percent_encoded(EXCLUDED, |_| false);
        let query = format!("special=true&length=24&exclude={percent}");
        let json = json!({ "length": 40, "special": true, "exclude": EXCLUDED, "count": 5 }).to_string();
        let mut base64 = Request::post(STANDARD.encode(&json)).key(&key).event();
        base64["isBase64Encoded"] = json!(true);
        let valid = [
            Request::get(&query).key(&key).event(),
            Request::get(&query).header("authorization", &format!("Bearer {key}")).event(),
            Request::get(&query).key(&key).header("accept", "text/plain").event(),
            Request::post(json.clone()).key(&key).event(),
            base64,
        ];
        for event in &valid {
            let answer = function.send(event).await.answer();
            assert_eq!(answer.status, 200, "{}", answer.body);
            secrets.extend(returned_passwords(&answer.body));
        }
        assert_eq!(secrets.len(), 4 + 3 + 10);

        for (status, request) in [
            (400, Request::get(&format!("{query}&length=1")).key(&key)),
            (400, Request::get(&format!("{percent}=1")).key(&key)),
            (400, Request::get(&format!("{key}={key}")).key(&key)),
            (400, Request::get(&format!("length={key}")).key(&key)),
            (400, Request::get("").key(&key).header("authorization", &format!("Bearer {unknown}"))),
            (400, Request::post(json.replace('}', ",")).key(&key)),
            (401, Request::get(&query).key(&forged)),
            (401, Request::get(&query).key(&unknown)),
            (404, Request::get(&query).key(&key).path(&format!("/{key}"))),
            (405, Request::get(&query).key(&key).method("PATCH")),
        ] {
            function.send(&request.event()).await.answer().assert_problem(status);
        }
        function.send(&json!({ "unknown": key, "event": EXCLUDED })).await.answer().assert_problem(400);

        // A panic while the key and the policy are in memory. The next request is answered.
        no_clock.create();
        let problem = function.send(&valid[0]).await.answer().assert_problem(500);
        assert_eq!(problem["type"], "urn:passloom:problem:internal-error");
        no_clock.remove();
        no_randomness.create();
        function.send(&valid[0]).await.answer().assert_problem(500);
        no_randomness.remove();
        database.stop().await;
        function.send(&valid[0]).await.answer().assert_problem(503);
        database.resume();
        let answer = function.send(&valid[0]).await.answer();
        secrets.extend(returned_passwords(&answer.body));
        assert_eq!(answer.status, 200);
        function.stop().await;

        assert_contains_none(&function.stdout.bytes(), &secrets, "stdout");
        assert_contains_none(&function.stderr.bytes(), &secrets, "stderr");
        assert_contains_none(&function.posted(), &secrets, "what the function posted");
        assert_contains_none(&database.sent(), &secrets, "what the database was sent");
        let lines: Vec<Value> =
            function.stdout.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 20, "one line for each request, and no other output");
        let reasons: Vec<&Value> = lines.iter().map(|line| &line["reason"]).collect();
        for reason in ["panic", "randomness", "store: no connection", "unknown-event"] {
            assert!(reasons.contains(&&json!(reason)), "{reason} in {reasons:?}");
        }
        let stderr = function.stderr.text();
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("passloom: panic at ") && stderr.contains(".rs:"), "{stderr}");
    })
    .await;
}

/// The passwords in an answer, JSON or text.
fn returned_passwords(body: &str) -> Vec<String> {
    match serde_json::from_str::<Value>(body) {
        Ok(body) => {
            let several = body["passwords"].as_array().cloned().unwrap_or_default();
            let all = several.iter().chain(body.get("password"));
            all.map(|password| password.as_str().unwrap().to_owned()).collect()
        }
        Err(_) => body.lines().map(str::to_owned).collect(),
    }
}

#[tokio::test]
async fn stdout_that_accepts_no_line_returns_500() {
    let database = Database::start().await;
    let key = database.key("test", 1_000, 1_000).await;
    check_all(["full", "closed", "broken pipe", "null device"], async |stdout| {
        let path = Function::path();
        let mut command = Function::command(&path, &database.table());
        match stdout {
            "full" => {
                command.stdout(File::options().write(true).open("/dev/full").unwrap());
            }
            "closed" => {
                command = Function::command("/bin/sh", &database.table());
                command.args(["-c", "exec \"$0\" >&-"]).arg(&path);
            }
            "broken pipe" => {
                let (reader, writer) = std::io::pipe().unwrap();
                drop(reader);
                command.stdout(writer);
            }
            _ => {
                command.stdout(Stdio::null());
            }
        }
        let function = Function::run(command).await;
        for _ in 0..2 {
            function.send(&Request::get("").key(&key).event()).await.answer().assert_problem(500);
        }
    })
    .await;
}

#[tokio::test]
async fn invalid_setting_aborts_start_and_is_named_without_its_value() {
    let not_certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let secret_form = "KEY_SIGNING_SECRET must be 64 hexadecimal digits, or two such values separated by a comma";
    let cases = [
        ("TABLE_NAME", "", "TABLE_NAME is not set"),
        ("KEY_SIGNING_SECRET", "", "KEY_SIGNING_SECRET is not set"),
        ("KEY_SIGNING_SECRET", "c0ffee", secret_form),
        ("AUTH", "canary", "AUTH must be key or none"),
        ("PER_MINUTE", "0", "PER_MINUTE must be a whole number from 1 to 4294967295"),
        ("PER_DAY", "canary", "PER_DAY must be a whole number from 1 to 4294967295"),
        (
            "ALLOWED_ORIGINS",
            "https://app.example.com/canary",
            "ALLOWED_ORIGINS must list origins such as https://app.example.com, separated by commas",
        ),
        ("PAGES", "canary", "PAGES must be on or off"),
        ("ALLOW_HTTP", "canary", "ALLOW_HTTP must be true or false"),
        ("AWS_REGION", "", "AWS_REGION is not set"),
        ("AWS_ACCESS_KEY_ID", "", "AWS_ACCESS_KEY_ID is not set"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "canary", "AWS_ENDPOINT_URL_DYNAMODB must start with https:// or http://"),
        ("AWS_CA_BUNDLE", "/canary", "AWS_CA_BUNDLE must name a file that can be read"),
        ("AWS_CA_BUNDLE", not_certificates.to_str().unwrap(), "AWS_CA_BUNDLE must name a file of PEM certificates"),
    ];
    check_all(cases, async |(name, value, error)| {
        let mut command = Function::command(Function::path(), &Table::unreachable());
        let output = command.env(name, value).env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1").output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("passloom: {error}\n"));
        assert!(!output.status.success() && output.stdout.is_empty());
    })
    .await;
}

#[tokio::test]
async fn missing_settings_are_all_named() {
    let mut command = Function::command(Function::path(), &Table::unreachable());
    let output = command.env_clear().output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    for name in ["TABLE_NAME", "KEY_SIGNING_SECRET", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert!(error.contains(&format!("{name} is not set")), "{error}");
    }
}

/// Lambda's runtime `provided.al2023` has glibc 2.34. A build machine may have a newer version.
#[test]
fn function_requires_at_most_glibc_2_34() {
    let function = std::fs::read(Function::path()).unwrap();
    let marker = b"GLIBC_2.";
    let versions = function.windows(marker.len() + 2).filter(|window| window.starts_with(marker));
    let minors = versions.filter_map(|window| {
        let digits = window[marker.len()..].iter().take_while(|byte| byte.is_ascii_digit());
        String::from_utf8(digits.copied().collect()).unwrap().parse::<u32>().ok()
    });
    let newest = minors.max().expect("versioned symbols");
    assert!(newest <= 34, "GLIBC_2.{newest}");
}
