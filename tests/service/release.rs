//! The function as it is shipped, polling a Runtime API: what it prints, what it posts, what it
//! sends to the database.

use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Once;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::support::{Database, Function, Request, unknown_key};

/// A value of `exclude` that nobody would print by accident.
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

/// The forms in which a secret may stand in an output.
fn forms(secret: &str) -> Vec<Vec<u8>> {
    let json = serde_json::to_string(secret).unwrap();
    let debug = format!("{secret:?}");
    let percent = |keep| percent_encoded(secret, keep);
    let mut forms = vec![
        secret.to_owned(),
        json[1..json.len() - 1].to_owned(),
        // Text inside of JSON inside of JSON, as a log of a whole event would hold it.
        serde_json::to_string(&json).unwrap()[3..json.len()].to_owned(),
        percent(|byte| byte.is_ascii_alphanumeric()),
        percent(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)),
        percent(|_| false),
        debug[1..debug.len() - 1].to_owned(),
    ];
    // Base64 of a longer text that holds the secret: three alignments, without the edges.
    for skipped in 0..3 {
        for engine in [&STANDARD, &URL_SAFE] {
            let encoded = engine.encode([&[0; 3][..skipped], secret.as_bytes()].concat());
            let inner = &encoded[if skipped == 0 { 0 } else { 4 }..];
            forms.push(inner[..inner.len() / 4 * 4 - 4].to_owned());
        }
    }
    forms.into_iter().map(String::into_bytes).filter(|form| form.len() >= 6).collect()
}

fn holds(output: &[u8], form: &[u8]) -> bool {
    output.windows(form.len()).any(|window| window == form)
}

#[track_caller]
fn assert_silent(output: &[u8], secrets: &[String], what: &str) {
    for secret in secrets {
        for form in forms(secret) {
            assert!(!holds(output, &form), "{what} holds {secret:?} as {:?}", String::from_utf8_lossy(&form));
        }
    }
}

#[test]
fn the_search_for_secrets_finds_them() {
    let secret = "x!Y\"2\\z&4<5>6%7";
    let event = json!({ "body": json!({ "password": secret }).to_string() }).to_string();
    let encoded = STANDARD.encode(format!("some text before {secret} and after"));
    for output in [secret, &event, &format!("{secret:?}"), &encoded, "x%21Y%222%5Cz%264%3C5%3E6%257"] {
        assert!(forms(secret).iter().any(|form| holds(output.as_bytes(), form)), "{output}");
    }
    assert!(!forms(secret).iter().any(|form| holds(b"nothing of the kind, x!Y or otherwise", form)));
}

/// The library of `interpose.c`, compiled once.
fn interposer() -> PathBuf {
    static MADE: Once = Once::new();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let library = folder.join(format!("interpose-{}.so", std::process::id()));
    MADE.call_once(|| {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/service/interpose.c");
        let compiler =
            std::process::Command::new("cc").args(["-shared", "-fPIC", "-o"]).arg(&library).arg(source).status();
        assert!(compiler.unwrap().success());
    });
    library
}

/// A file that arms a fault while it exists.
struct Fault(PathBuf);

impl Fault {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        Self(path)
    }

    fn arm(&self) {
        File::create(&self.0).unwrap();
    }

    fn disarm(&self) {
        std::fs::remove_file(&self.0).unwrap();
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

/// At every log level that Lambda and Rust know, with good requests, bad ones and faults: secrets
/// leave in the body of an answer 200 and nowhere else.
#[tokio::test]
async fn no_output_holds_a_secret_at_any_log_level() {
    let levels = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];
    for (index, level) in levels.into_iter().chain(["trace", ""]).enumerate() {
        let rust_log = ["trace", "debug", "info", "warn", "error", "off", "trace,aws=trace,hyper=trace", ""][index];
        let database = Database::start().await;
        let key = database.key("canary", 1000, 1000).await;
        let forged = unknown_key(&"ab".repeat(32));
        let unknown = unknown_key(crate::support::PEPPER);
        let (randomness, clock) = (Fault::new(&format!("randomness-{index}")), Fault::new(&format!("clock-{index}")));
        let mut function = Function::start(
            &database.url(),
            &[
                ("AWS_LAMBDA_LOG_LEVEL", level),
                ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
                ("RUST_LOG", rust_log),
                ("RUST_BACKTRACE", "full"),
                ("LD_PRELOAD", interposer().to_str().unwrap()),
                ("FAIL_RANDOMNESS", randomness.path()),
                ("FAIL_CLOCK", clock.path()),
            ],
        )
        .await;

        let mut secrets = vec![key.clone(), forged.clone(), unknown.clone(), EXCLUDED.to_owned()];
        let percent = percent_encoded(EXCLUDED, |_| false);
        let query = format!("special=true&length=24&exclude={percent}");
        let json = json!({ "length": 40, "special": true, "exclude": EXCLUDED, "count": 5 }).to_string();
        let mut base64 = Request::post(STANDARD.encode(&json)).key(&key).event();
        base64["isBase64Encoded"] = json!(true);
        let good = [
            Request::get(&query).key(&key).event(),
            Request::get(&query).header("authorization", &format!("Bearer {key}")).event(),
            Request::get(&query).key(&key).header("accept", "text/plain").event(),
            Request::post(json.clone()).key(&key).event(),
            base64,
        ];
        for event in &good {
            let answer = function.send(event).await.answer();
            assert_eq!(answer.status, 200, "{}", answer.body);
            secrets.extend(handed_out(&answer.body));
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
        function.send(&json!({ "nothing": key, "of": EXCLUDED })).await.answer().assert_problem(400);

        // A panic with everything in hand; the next request is answered.
        clock.arm();
        let problem = function.send(&good[0]).await.answer().assert_problem(500);
        assert_eq!(problem["type"], "urn:passloom:problem:internal-error");
        clock.disarm();
        randomness.arm();
        function.send(&good[0]).await.answer().assert_problem(500);
        randomness.disarm();
        database.stop().await;
        function.send(&good[0]).await.answer().assert_problem(503);
        database.resume();
        let answer = function.send(&good[0]).await.answer();
        secrets.extend(handed_out(&answer.body));
        assert_eq!(answer.status, 200);
        function.stop().await;

        assert_silent(&function.stdout.bytes(), &secrets, "stdout");
        assert_silent(&function.stderr.bytes(), &secrets, "stderr");
        assert_silent(&function.posted(), &secrets, "what the runtime was posted");
        assert_silent(&database.sent(), &secrets, "what the database was sent");
        let lines: Vec<Value> =
            function.stdout.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(lines.len(), 20, "a line per request, and nothing else, at {level}");
        let reasons: Vec<&Value> = lines.iter().map(|line| &line["reason"]).collect();
        for reason in ["panic", "randomness", "store: no connection", "unknown-event"] {
            assert!(reasons.contains(&&json!(reason)), "{reason} in {reasons:?}");
        }
        let stderr = function.stderr.text();
        assert_eq!(stderr.lines().count(), 1, "{stderr}");
        assert!(stderr.starts_with("passloom: panic at ") && stderr.contains(".rs:"), "{stderr}");
    }
}

/// The passwords of an answer, JSON or text.
fn handed_out(body: &str) -> Vec<String> {
    match serde_json::from_str::<Value>(body) {
        Ok(body) => {
            let several = body["passwords"].as_array().cloned().unwrap_or_default();
            let all = several.iter().chain(body.get("password"));
            all.map(|password| password.as_str().unwrap().to_owned()).collect()
        }
        Err(_) => body.lines().map(str::to_owned).collect(),
    }
}

/// A standard output that takes no line lets no password out.
#[tokio::test]
async fn with_the_standard_output_full_or_closed_no_password_leaves() {
    let database = Database::start().await;
    let key = database.key("test", 1000, 1000).await;
    let path = Function::path();
    let full = || {
        let mut command = Function::command(&path, &database.url());
        command.stdout(File::options().write(true).open("/dev/full").unwrap());
        command
    };
    let closed = || {
        let mut command = Function::command("/bin/sh", &database.url());
        command.args(["-c", "exec \"$0\" >&-"]).arg(&path);
        command
    };
    let broken = || {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = Function::command(&path, &database.url());
        command.stdout(writer);
        command
    };
    let discarded = || {
        let mut command = Function::command(&path, &database.url());
        command.stdout(Stdio::null());
        command
    };
    let commands: [(&str, &dyn Fn() -> Command); 4] =
        [("full", &full), ("closed", &closed), ("broken", &broken), ("discarded", &discarded)];
    for (name, command) in commands {
        let function = Function::run(command()).await;
        for _ in 0..2 {
            let answer = function.send(&Request::get("").key(&key).event()).await.answer();
            assert_eq!(answer.status, 500, "{name}");
            answer.assert_problem(500);
        }
    }
}

#[tokio::test]
async fn a_bad_setting_stops_the_start_by_name_and_without_its_value() {
    let not_certificates = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    for (name, value, complaint) in [
        ("TABLE_NAME", "", "TABLE_NAME is not set"),
        ("KEY_PEPPER", "", "KEY_PEPPER is not set"),
        ("KEY_PEPPER", "c0ffee", "KEY_PEPPER must be 64 hexadecimal digits, or two such values separated by a comma"),
        ("AUTH", "canary", "AUTH must be key or none"),
        ("PER_MINUTE", "0", "PER_MINUTE must be a whole number from 1 to 4294967295"),
        ("PER_DAY", "canary", "PER_DAY must be a whole number from 1 to 4294967295"),
        (
            "ALLOWED_ORIGINS",
            "https://app.example.com/canary",
            "ALLOWED_ORIGINS must list origins such as https://app.example.com, separated by commas",
        ),
        ("AUDIT_FORMAT", "canary", "AUDIT_FORMAT must be json or ocsf"),
        ("LEASE", "0", "LEASE must be a whole number from 1 to 1000"),
        ("LEASE", "1001", "LEASE must be a whole number from 1 to 1000"),
        ("ALLOW_HTTP", "canary", "ALLOW_HTTP must be true or false"),
        ("AWS_REGION", "", "AWS_REGION is not set"),
        ("AWS_ACCESS_KEY_ID", "", "AWS_ACCESS_KEY_ID is not set"),
        ("AWS_ENDPOINT_URL_DYNAMODB", "canary", "AWS_ENDPOINT_URL_DYNAMODB must begin with https:// or http://"),
        ("AWS_CA_BUNDLE", "/canary", "AWS_CA_BUNDLE names a file that cannot be read"),
        (
            "AWS_CA_BUNDLE",
            not_certificates.to_str().unwrap(),
            "AWS_CA_BUNDLE names a file that is not a list of PEM certificates",
        ),
    ] {
        let mut command = Function::command(Function::path(), "http://127.0.0.1:1");
        let output = command.env(name, value).env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:1").output().await.unwrap();
        assert_eq!(String::from_utf8_lossy(&output.stderr), format!("passloom: {complaint}\n"), "{name}");
        assert!(!output.status.success() && output.stdout.is_empty());
    }
    let mut nothing = Function::command(Function::path(), "http://127.0.0.1:1");
    let output = nothing.env_clear().output().await.unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    for name in ["TABLE_NAME", "KEY_PEPPER", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"] {
        assert!(complaint.contains(&format!("{name} is not set")), "{complaint}");
    }
}

/// Lambda's `provided.al2023` has glibc 2.34; a build machine may have a newer one.
#[test]
fn the_function_asks_for_no_newer_glibc_than_lambda_has() {
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
