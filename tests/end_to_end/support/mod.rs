//! A deployment for each test: an app with its own database, clock and audit log.

mod database;
mod engine;
mod hostile;
mod request;
mod runtime_api;
mod table;

use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_sdk_dynamodb::primitives::Blob;
use jsonschema::Validator;
use passloom::AllowedOrigins;
use passloom::App;
use passloom::access::Auth;
use passloom::access::{ApiKey, KeyRecord, Limits, SigningSecrets};
use passloom::audit::AuditLog;
use passloom::clock;
use passloom::store::{self, Endpoint, Store};
#[expect(clippy::disallowed_types, reason = "the generator of the function")]
use rand::rngs::SysRng;
use serde_json::Value;

pub use database::{Database, Fault, Reply, Table, error};
pub(crate) use hostile::hostile_requests;
pub use request::{Answer, Request};
pub use runtime_api::{Function, max_peak_kilobytes};
pub use table::check_all;

/// The signing secret of the tests.
pub const SIGNING_SECRET: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
/// The signing secret of another deployment.
pub const OTHER_SIGNING_SECRET: &str = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The access key and the region of the tests.
const ACCESS_KEY: &str = "test";
const REGION: &str = "eu-central-1";

/// The only origin whose pages may read answers.
pub const ORIGIN: &str = "https://app.example.com";

/// When the clock of a deployment starts: 2026-01-01T00:00:00Z, in seconds since 1970. A slot and a day begin then.
pub const START: u64 = 1_767_225_600;

/// An app with its database, its clock and its audit log.
pub struct Deployment {
    pub app: App,
    pub database: Database,
    pub clock: Clock,
    pub log: Lines,
    requests: AtomicU64,
}

/// The settings of a deployment. The defaults are those of the function, except that it has an allowed origin.
pub struct DeploymentBuilder {
    auth: Auth,
    allow_http: bool,
    log: Lines,
    out: Box<dyn Write + Send>,
    database: Option<Database>,
}

impl DeploymentBuilder {
    /// How callers are identified. Defaults to an API key made under [`SIGNING_SECRET`].
    pub fn auth(self, auth: Auth) -> Self {
        Self { auth, ..self }
    }

    /// Identifies callers by their address, and sets the limits of each address.
    pub fn by_address(self, per_minute: u32, per_day: u32) -> Self {
        self.auth(Auth::Address(limits(per_minute, per_day)))
    }

    /// Answers requests over plain HTTP.
    pub fn allow_http(self) -> Self {
        Self { allow_http: true, ..self }
    }

    /// Writes audit lines to `out` instead of the deployment's `log`.
    pub fn log_to(self, out: impl Write + Send + 'static) -> Self {
        Self { out: Box::new(out), ..self }
    }

    /// Uses an existing database.
    pub fn database(self, database: Database) -> Self {
        Self { database: Some(database), ..self }
    }

    pub async fn start(self) -> Deployment {
        let database = match self.database {
            Some(database) => database,
            None => Database::start().await,
        };
        let client = store::connect(database.endpoint(), Duration::from_secs(1)).await.unwrap();
        let clock = Clock(Arc::new(AtomicU64::new(START * 1_000)));
        let (time, stopwatch, base) = (clock.clone(), clock.clone(), clock::Clock::system().instant());
        let app = App::new(
            self.auth,
            self.allow_http,
            AllowedOrigins::parse(ORIGIN).unwrap(),
            Store::new(client, database.table().name, clock.now()),
            AuditLog::new(self.out),
            clock::Clock::new(move || time.now(), move || base + stopwatch.elapsed()),
        );
        Deployment { app, database, clock, log: self.log, requests: AtomicU64::new(0) }
    }
}

impl Deployment {
    /// Starts a deployment with the default settings.
    pub async fn start() -> Self {
        Self::builder().start().await
    }

    pub fn builder() -> DeploymentBuilder {
        let log = Lines::default();
        DeploymentBuilder {
            auth: Auth::Key(SigningSecrets::parse(SIGNING_SECRET).unwrap()),
            allow_http: false,
            out: Box::new(log.clone()),
            log,
            database: None,
        }
    }

    /// Starts another function over the same table, with its own cache.
    pub async fn sibling(&self) -> Self {
        Self::builder().database(self.database.sibling().await).start().await
    }

    /// Creates a key as `passloom-admin keys create` does.
    pub async fn key(&self, per_minute: u32, per_day: u32) -> String {
        self.database.key("test", per_minute, per_day).await
    }

    /// Creates a key whose limits no test reaches, except those about limits.
    pub async fn ample_key(&self) -> String {
        self.key(10_000, 10_000).await
    }

    /// Sends a request as an HTTP API passes it on.
    pub async fn send(&self, request: Request) -> Answer {
        self.send_event(&request.event().to_string()).await
    }

    /// Sends an event unchanged.
    pub async fn send_event(&self, event: &str) -> Answer {
        let invocation = format!("invocation-{}", self.requests.fetch_add(1, Ordering::SeqCst));
        Answer::of(&serde_json::to_value(Box::pin(self.app.handle(event, &invocation)).await).unwrap())
    }

    /// Lambda's id of the last event.
    pub fn last_invocation(&self) -> String {
        format!("invocation-{}", self.requests.load(Ordering::SeqCst) - 1)
    }

    /// GET /api/generate with a key and a query.
    pub async fn generate(&self, key: &str, query: &str) -> Answer {
        self.send(Request::get(query).key(key)).await
    }
}

/// A clock that a test advances.
#[derive(Clone)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }

    /// The time since [`START`].
    fn elapsed(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::SeqCst) - START * 1_000)
    }
}

/// The audit lines written so far.
#[derive(Clone, Default)]
pub struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Lines {
    pub fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    /// Every line, checked against the published schema.
    pub fn all(&self) -> Vec<Value> {
        let lines = self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
        for line in &lines {
            assert_matches_schema(line);
        }
        lines
    }

    pub fn last(&self) -> Value {
        self.all().pop().unwrap()
    }
}

/// Checks an audit line against the published schema.
#[track_caller]
fn assert_matches_schema(line: &Value) {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let schema = serde_json::from_str(include_str!("../../../docs/audit.schema.json")).unwrap();
        jsonschema::validator_for(&schema).unwrap()
    });
    if let Err(error) = SCHEMA.validate(line) {
        panic!("{} at {}: {line}", error, error.instance_path());
    }
}

pub fn limits(per_minute: u32, per_day: u32) -> Limits {
    Limits { per_minute: NonZeroU32::new(per_minute).unwrap(), per_day: NonZeroU32::new(per_day).unwrap() }
}

/// A new key that is not in the table.
pub fn unknown_key(signing_secret: &str) -> String {
    ApiKey::generate(&mut SysRng, &SigningSecrets::parse(signing_secret).unwrap()).unwrap().1.to_string()
}

/// A new key and its record.
pub fn new_key(name: &str, limits: Limits) -> (String, KeyRecord) {
    let (key, text) = ApiKey::generate(&mut SysRng, &SigningSecrets::parse(SIGNING_SECRET).unwrap()).unwrap();
    (text.to_string(), KeyRecord::new(&key, name.into(), limits, "2026-01-01T00:00:00Z".into()))
}

/// A new secret for an existing key: the text of the key, and the hash that the table stores.
pub fn new_secret(id: &str) -> (String, Blob) {
    let secrets = SigningSecrets::parse(SIGNING_SECRET).unwrap();
    let (key, text) = ApiKey::generate_for(id.parse().unwrap(), &mut SysRng, &secrets).unwrap();
    (text.to_string(), Blob::new(key.secret_hash()))
}

/// The endpoint of an emulator, which accepts any region and credentials.
fn endpoint_at(url: String) -> Endpoint {
    let credentials = aws_sdk_dynamodb::config::Credentials::new(ACCESS_KEY, "test", None, None, "test");
    Endpoint { region: REGION.into(), credentials, url: Some(url), trusted: None }
}
