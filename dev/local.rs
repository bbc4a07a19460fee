//! `make run`: the function on this machine, with an embedded DynamoDB and an API key. `make database`: the database
//! alone, for a function that `cargo lambda watch` builds and starts.
//!
//! `cargo lambda watch` provides the Lambda runtime API and turns HTTP requests into events. With `make run` the function
//! is the program `passloom` beside this one. The database, the signing secret and the key are kept in `.local/`, so that the
//! next start finds them, with the events of `events/` in which the key is in place, and the environment of the function
//! and of `passloom-admin`, `.local/env`. Only their owner can read them.

mod embedded;

use std::error::Error;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::process::{ExitCode, ExitStatus, Stdio};
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use embedded::TABLE;
use passloom::access::{ApiKey, Limits, SigningSecrets};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::{sleep, timeout};

const FOLDER: &str = ".local";
const SIGNING_SECRET: &str = "signing-secret";
const API_KEY: &str = "api-key";
const DATABASE: &str = "dynamodb.sqlite";
const ENVIRONMENT: &str = "env";
const DATABASE_URL: &str = "AWS_ENDPOINT_URL_DYNAMODB";
/// The events of the repository, also the name of the folder with those that have the key.
const EVENTS: &str = "events";
/// What the events of the repository have in the place of the key.
const PLACEHOLDER: &str = "PASSLOOM_API_KEY";
const PER_MINUTE: NonZeroU32 = NonZeroU32::new(60).unwrap();
const PER_DAY: NonZeroU32 = NonZeroU32::new(10_000).unwrap();

/// The name under which `cargo lambda watch` knows a function that it has not started. Requests to this function
/// need no prefix in their path.
const FUNCTION_NAME: &str = "_";
const MEMORY_MB: &str = "128";

const POLL_INTERVAL: Duration = Duration::from_millis(50);
const STOP_TIMEOUT: Duration = Duration::from_secs(5);

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "passloom: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["database"] => run_database().await,
        ["run", port] => {
            let port = port.parse().ok().filter(|port: &u16| *port > 0);
            run_all(port.ok_or("PORT must be a whole number from 1 to 65535")?).await
        }
        _ => Err("the arguments must be `run PORT` or `database`".into()),
    }
}

/// `make database`.
async fn run_database() -> Result<(), Box<dyn Error>> {
    let database = Local::start().await?;
    print(&format!(
        "\nThe database listens on {}. In another terminal:\n\n  \
         cargo lambda watch --env-file {FOLDER}/{ENVIRONMENT}\n\n\
         and in a third one:\n\n  \
         cargo lambda invoke passloom --data-file {FOLDER}/{EVENTS}/http-api.json\n\n\
         The key is kept in {FOLDER}/{API_KEY}. Ctrl-C stops the database.\n",
        database.url
    ))?;
    stop_signal().await;
    Ok(())
}

/// `make run`.
async fn run_all(port: u16) -> Result<(), Box<dyn Error>> {
    if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        return Err(format!("port {port} is in use; choose another one: make run PORT={}", port ^ 1).into());
    }

    let local = Local::start().await?;
    print("Starting cargo lambda watch.")?;
    let mut emulator = start_emulator(port)?;
    let mut function = None;
    let served = tokio::select! {
        failed = serve(port, &local, &mut function) => failed,
        failed = serve_on_ipv6(port) => Ok(failed?),
        ended = emulator.wait() => Err(format!("cargo lambda watch has ended: {}", ended?).into()),
        () = stop_signal() => Ok(()),
    };
    // The function first: it reports an error when the runtime API is gone.
    if let Some(function) = function {
        stop(function).await?;
    }
    stop(emulator).await?;
    served
}

/// The database, and what is in `.local/`.
struct Local {
    url: String,
    key: String,
    /// The environment of the function and of `passloom-admin`.
    environment: [(&'static str, String); 7],
}

impl Local {
    async fn start() -> Result<Self, Box<dyn Error>> {
        print("Starting the database.")?;
        create_private_folder(Path::new(FOLDER))?;
        create_private_file(DATABASE)?;
        let database = dynoxide::Database::new(&format!("{FOLDER}/{DATABASE}"))?;
        let url = embedded::serve(database, last_port()?).await?;
        let signing_secret = match read(SIGNING_SECRET)? {
            Some(secret) => secret,
            None => save(SIGNING_SECRET, embedded::new_signing_secret()?)?,
        };
        let key = api_key(&url, &embedded::parse_signing_secret(&signing_secret)?).await?;
        save_events(&key)?;
        let environment = [
            ("AWS_REGION", "local".to_owned()),
            ("AWS_ACCESS_KEY_ID", "local".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "local".to_owned()),
            (DATABASE_URL, url.clone()),
            ("TABLE_NAME", TABLE.to_owned()),
            ("KEY_SIGNING_SECRET", signing_secret),
            ("ALLOW_HTTP", "true".to_owned()),
        ];
        let lines: Vec<String> = environment.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        save(ENVIRONMENT, lines.concat())?;
        Ok(Self { url, key, environment })
    }
}

/// The port of the database's last start, so that a function that is still running finds it again; 0 for any.
fn last_port() -> io::Result<u16> {
    let environment = read(ENVIRONMENT)?.unwrap_or_default();
    let url = environment.lines().find_map(|line| line.strip_prefix(DATABASE_URL));
    Ok(url.and_then(|url| url.rsplit(':').next()?.parse().ok()).unwrap_or(0))
}

/// Listens on `[::1]`, to which `cargo lambda invoke` connects, and forwards to `cargo lambda watch`, which listens on one
/// address. Does nothing on a machine without IPv6.
async fn serve_on_ipv6(port: u16) -> io::Result<()> {
    let Ok(listener) = TcpListener::bind((Ipv6Addr::LOCALHOST, port)).await else {
        return std::future::pending().await;
    };
    loop {
        let (mut client, _) = listener.accept().await?;
        tokio::spawn(async move {
            let mut server = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
            tokio::io::copy_bidirectional(&mut client, &mut server).await
        });
    }
}

/// Starts the function, prints how to call it, and returns an error when the function ends.
async fn serve(port: u16, local: &Local, process: &mut Option<Child>) -> Result<(), Box<dyn Error>> {
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await.is_err() {
        sleep(POLL_INTERVAL).await;
    }
    print("Waiting for the function.")?;
    let function = process.insert(start_function(port, local)?);
    tokio::select! {
        ended = function.wait() => return Err(function_ended(ended?)),
        () = healthy(port) => {}
    }
    let key = &local.key;
    print(&format!(
        "\nPassloom listens on http://127.0.0.1:{port}. Open http://127.0.0.1:{port}/ in a browser and enter the key\n\n  \
         {key}\n\nor try:\n\n  \
         curl -H 'X-Api-Key: {key}' 'http://127.0.0.1:{port}/api/generate?length=24&special=true'\n\n\
         The key is kept in {FOLDER}/{API_KEY}. Audit lines follow. Ctrl-C stops everything.\n"
    ))?;
    Err(function_ended(function.wait().await?))
}

fn function_ended(status: ExitStatus) -> Box<dyn Error> {
    format!("the function has ended: {status}").into()
}

fn print(line: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(out, "{line}")?;
    out.flush()
}

/// Waits for Ctrl-C, a closed terminal or a request to terminate.
async fn stop_signal() {
    let kinds = [SignalKind::interrupt(), SignalKind::hangup(), SignalKind::terminate()];
    let [Ok(mut interrupt), Ok(mut hangup), Ok(mut terminate)] = kinds.map(signal) else { return };
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
        _ = terminate.recv() => {}
    }
}

/// Returns the saved key if it still is in the table; otherwise creates one.
async fn api_key(database: &str, secrets: &SigningSecrets) -> Result<String, Box<dyn Error>> {
    let client = embedded::connect(database).await?;
    if let Some(text) = read(API_KEY)?
        && let Ok(key) = ApiKey::parse(&text, secrets)
        && exists(&client, &key).await?
    {
        return Ok(text);
    }
    let limits = Limits { per_minute: PER_MINUTE, per_day: PER_DAY };
    save(API_KEY, embedded::create_key(&client, secrets, "local", limits).await?)
}

async fn exists(client: &Client, key: &ApiKey) -> Result<bool, Box<dyn Error>> {
    let id = AttributeValue::S(key.id().to_string());
    Ok(client.get_item().table_name(TABLE).key("pk", id).send().await?.item.is_some())
}

/// Reads a file in `.local/`.
fn read(name: &str) -> io::Result<Option<String>> {
    match fs::read_to_string(Path::new(FOLDER).join(name)) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a file in `.local/`.
fn save(name: &str, text: String) -> Result<String, Box<dyn Error>> {
    let mut file = create_private_file(name)?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())?;
    Ok(text)
}

/// Writes the events of the repository with the key into `.local/events/`.
fn save_events(key: &str) -> Result<(), Box<dyn Error>> {
    create_private_folder(&Path::new(FOLDER).join(EVENTS))?;
    for event in fs::read_dir(EVENTS)? {
        let event = event?;
        let text = fs::read_to_string(event.path())?.replace(PLACEHOLDER, key);
        save(&format!("{EVENTS}/{}", event.file_name().display()), text)?;
    }
    Ok(())
}

/// Opens a file in `.local/` that only its owner can read, and creates it if it does not exist.
fn create_private_file(name: &str) -> io::Result<File> {
    let path = Path::new(FOLDER).join(name);
    let file = OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)?;
    // Others could read files of earlier versions.
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

/// Creates a folder that only its owner can enter.
fn create_private_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o700))
}

/// Starts the Lambda runtime API and the HTTP server in front of it.
fn start_emulator(port: u16) -> io::Result<Child> {
    let mut watch = Command::new("cargo-lambda");
    watch.args(["lambda", "watch", "--only-lambda-apis", "--disable-cors", "--invoke-address", "127.0.0.1"]);
    watch.args(["--invoke-port", &port.to_string()]);
    // Its messages at the start tell how to start a function by hand, which this program does.
    watch.env("RUST_LOG", "warn");
    spawn(watch)
}

/// Starts the function with the variables that Lambda and the template would set.
fn start_function(port: u16, local: &Local) -> io::Result<Child> {
    let mut function = Command::new(std::env::current_exe()?.with_file_name("passloom"));
    function.envs([
        ("AWS_LAMBDA_RUNTIME_API", format!("http://127.0.0.1:{port}/.rt").as_str()),
        ("AWS_LAMBDA_FUNCTION_NAME", FUNCTION_NAME),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", MEMORY_MB),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
    ]);
    function.envs(local.environment.iter().map(|(name, value)| (name, value)));
    spawn(function)
}

/// Starts a program in a process group of its own, so that Ctrl-C in the terminal reaches this program only.
fn spawn(mut program: Command) -> io::Result<Child> {
    let started = program.process_group(0).kill_on_drop(true).spawn();
    started
        .map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", program.as_std().get_program().display())))
}

/// Waits until the function answers a request.
async fn healthy(port: u16) {
    while !matches!(timeout(STOP_TIMEOUT, check_health(port)).await, Ok(Ok(true))) {
        sleep(POLL_INTERVAL).await;
    }
}

async fn check_health(port: u16) -> io::Result<bool> {
    let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
    connection.write_all(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut response = String::new();
    connection.read_to_string(&mut response).await?;
    Ok(response.starts_with("HTTP/1.1 200"))
}

/// Ends a program, its children included, and waits for it.
async fn stop(mut program: Child) -> io::Result<()> {
    for name in ["INT", "KILL"] {
        let Some(group) = program.id() else { break };
        Command::new("kill").args(["-s", name, "--", &format!("-{group}")]).stderr(Stdio::null()).status().await?;
        if timeout(STOP_TIMEOUT, program.wait()).await.is_ok() {
            break;
        }
    }
    Ok(())
}
