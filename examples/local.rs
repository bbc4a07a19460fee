//! `make run`: the function under `cargo lambda watch`, with an embedded DynamoDB and a key.
//!
//! Keeps its database and the key in `.local/`, so that both are there the next time.

use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::net::Ipv4Addr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use rand::TryRng;
use rand::rngs::SysRng;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};

const FOLDER: &str = ".local";
const TABLE: &str = "passloom-local";

#[tokio::main]
async fn main() -> ExitCode {
    match serve().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "make run: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> Result<(), Box<dyn Error>> {
    let port = std::env::args().nth(1).ok_or("which port?")?;
    let port: u16 = port.parse().ok().filter(|port| *port > 0).ok_or("PORT must be a number from 1 to 65535")?;
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        return Err(format!("port {port} is taken; choose another: make run PORT={}", port ^ 1).into());
    }
    fs::create_dir_all(FOLDER)?;

    let database = database().await?;
    let pepper = kept("pepper", || (0..4).map(|_| Ok(format!("{:016x}", SysRng.try_next_u64()?))).collect())?;
    let variables = [
        ("TABLE_NAME", TABLE),
        ("KEY_PEPPER", &pepper),
        ("ALLOW_HTTP", "true"),
        ("AWS_REGION", "local"),
        ("AWS_ACCESS_KEY_ID", "local"),
        ("AWS_SECRET_ACCESS_KEY", "local"),
        ("AWS_ENDPOINT_URL_DYNAMODB", &database),
    ];
    let key = kept("api-key", || make_key(&variables))?;

    let mut watch = Command::new("cargo-lambda");
    watch.args(["lambda", "watch", "--bin", "passloom", "--disable-cors", "--invoke-address", "127.0.0.1"]);
    watch.args(["--invoke-port", &port.to_string()]).envs(variables);
    // A process group of its own: whichever way this one is told to stop, all of that one is told.
    let mut function = watch.process_group(0).spawn()?;
    let answering = async {
        announce(port, &key).await?;
        std::future::pending().await
    };
    tokio::select! {
        failed = answering => failed,
        ended = function.wait() => Err(format!("cargo lambda ended: {}", ended?).into()),
        () = told_to_stop() => Ok(()),
    }
    .and(stop(function).await)
}

/// Ctrl-C, a closed terminal, or a polite kill.
async fn told_to_stop() {
    let kinds = [SignalKind::interrupt(), SignalKind::hangup(), SignalKind::terminate()];
    let [Ok(mut interrupt), Ok(mut hangup), Ok(mut terminate)] = kinds.map(signal) else { return };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Starts the embedded DynamoDB and says where it is.
async fn database() -> Result<String, Box<dyn Error>> {
    let engine = dynoxide::Database::new(&format!("{FOLDER}/dynamodb.sqlite"))?;
    let exists = engine.get_table_metadata(TABLE)?.is_some();
    if !exists {
        engine.create_table(serde_json::from_value(json!({
            "TableName": TABLE,
            "KeySchema": [{ "AttributeName": "pk", "KeyType": "HASH" }],
            "AttributeDefinitions": [{ "AttributeName": "pk", "AttributeType": "S" }],
            "BillingMode": "PAY_PER_REQUEST"
        }))?)?;
    }
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    let address = listener.local_addr()?;
    tokio::spawn(dynoxide::server::serve_on(listener, engine));
    Ok(format!("http://{address}"))
}

/// The text of a file in `.local/`, made on first use and readable to its owner only.
fn kept(name: &str, make: impl FnOnce() -> Result<String, Box<dyn Error>>) -> Result<String, Box<dyn Error>> {
    let path = Path::new(FOLDER).join(name);
    if path.exists() {
        return Ok(fs::read_to_string(path)?.trim().to_owned());
    }
    let text = make()?;
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?.write_all(text.as_bytes())?;
    Ok(text)
}

/// Makes a key as an operator would.
fn make_key(variables: &[(&str, &str)]) -> Result<String, Box<dyn Error>> {
    let tool = std::env::current_exe()?.with_file_name("../passloom-keys");
    let mut create = std::process::Command::new(tool);
    create.args(["create", "--name", "local", "--per-minute", "60", "--per-day", "10000", "--json"]);
    let output = create.envs(variables.iter().copied()).stderr(Stdio::inherit()).output()?;
    if !output.status.success() {
        return Err("passloom-keys made no key".into());
    }
    let made: Value = serde_json::from_slice(&output.stdout)?;
    Ok(made["key"].as_str().ok_or("passloom-keys printed no key")?.to_owned())
}

/// Waits until the function answers, then says how to ask it.
async fn announce(port: u16, key: &str) -> Result<(), Box<dyn Error>> {
    while !answers(port).await {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let mut out = io::stdout();
    writeln!(out, "\nPassloom answers on http://127.0.0.1:{port}. Try:\n")?;
    writeln!(out, "  curl -H 'X-Api-Key: {key}' 'http://127.0.0.1:{port}/api/generate?length=24&special=true'\n")?;
    writeln!(out, "The key is kept in {FOLDER}/api-key. Audit lines follow; Ctrl-C stops everything.\n")?;
    Ok(out.flush()?)
}

async fn answers(port: u16) -> bool {
    let health = async {
        let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        connection.write_all(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
        let mut answer = String::new();
        connection.read_to_string(&mut answer).await?;
        io::Result::Ok(answer.starts_with("HTTP/1.1 200"))
    };
    health.await.unwrap_or(false)
}

/// Ends cargo-lambda and the function it runs, and waits for them, so that the terminal is free.
async fn stop(mut function: Child) -> Result<(), Box<dyn Error>> {
    if let Some(group) = function.id() {
        for name in ["INT", "KILL"] {
            Command::new("kill").args(["-s", name, "--", &format!("-{group}")]).stderr(Stdio::null()).status().await?;
            if tokio::time::timeout(Duration::from_secs(5), function.wait()).await.is_ok() {
                break;
            }
        }
    }
    Ok(())
}
