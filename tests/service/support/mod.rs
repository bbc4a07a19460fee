//! A deployment of its own for each test.

mod database;
mod runtime_api;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonschema::Validator;
use passloom::access::{self, ApiKey, Endpoint, KeyRecord, Limits, Peppers, Store};
use passloom::app::App;
use passloom::audit::{AuditFormat, AuditLog};
use passloom::http::Origins;
use passloom::settings::Auth;
use rand::rngs::SysRng;
use serde_json::{Value, json};

pub use database::{Database, Fault, Outcome, TABLE, error};
pub use runtime_api::Function;

/// 32 bytes that no deployment has.
pub const PEPPER: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// The one origin whose pages may call.
pub const ORIGIN: &str = "https://app.example.com";

/// 2026-01-01T00:00:00Z, in milliseconds: a moment at which no slot and no day is under way.
const MIDNIGHT: u64 = 1_767_225_600_000;

/// An app with its database, its clock and its audit log.
pub struct Deployment {
    pub app: App,
    pub database: Database,
    pub clock: Clock,
    pub log: Lines,
    requests: AtomicU64,
}

/// Stands still until told otherwise.
#[derive(Clone)]
pub struct Clock(Arc<AtomicU64>);

impl Clock {
    pub fn advance(&self, by: Duration) {
        self.0.fetch_add(u64::try_from(by.as_millis()).unwrap(), Ordering::SeqCst);
    }

    fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// Audit lines as they were written.
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

    /// Every line, each held against the schema that is published.
    pub fn all(&self) -> Vec<Value> {
        let lines = self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect::<Vec<Value>>();
        for line in &lines {
            assert_fits_schema(line);
        }
        lines
    }

    pub fn last(&self) -> Value {
        self.all().pop().unwrap()
    }
}

/// Checks an audit line against the schema of its format.
#[track_caller]
pub fn assert_fits_schema(line: &Value) {
    static SCHEMAS: LazyLock<[Validator; 2]> = LazyLock::new(|| {
        [include_str!("../../../docs/audit.schema.json"), include_str!("../../../docs/audit-ocsf.schema.json")]
            .map(|schema| jsonschema::validator_for(&serde_json::from_str(schema).unwrap()).unwrap())
    });
    let [plain, ocsf] = &*SCHEMAS;
    let schema = if line.get("class_uid").is_some() { ocsf } else { plain };
    if let Err(error) = schema.validate(line) {
        panic!("{} at {}: {line}", error, error.instance_path());
    }
}

impl Deployment {
    /// One that asks for keys.
    pub async fn new() -> Self {
        Self::with(Auth::Key(Peppers::parse(PEPPER).unwrap()), false).await
    }

    /// One that asks for none.
    pub async fn open(per_minute: u32, per_day: u32) -> Self {
        Self::with(Auth::Address(limits(per_minute, per_day)), false).await
    }

    pub async fn with(auth: Auth, allow_http: bool) -> Self {
        let log = Lines::default();
        Self::with_log(auth, allow_http, log.clone(), log).await
    }

    /// One whose audit lines go to `out`.
    pub async fn with_log(auth: Auth, allow_http: bool, out: impl Write + Send + 'static, log: Lines) -> Self {
        Self::over(Database::start().await, auth, allow_http, NonZeroU32::MIN, (out, AuditFormat::Json), log).await
    }

    /// One that writes audit lines for security lakes.
    pub async fn ocsf() -> Self {
        let auth = Auth::Key(Peppers::parse(PEPPER).unwrap());
        let log = Lines::default();
        Self::over(Database::start().await, auth, false, NonZeroU32::MIN, (log.clone(), AuditFormat::Ocsf), log).await
    }

    /// One that takes several admissions in one write.
    pub async fn leasing(lease: u32) -> Self {
        let auth = Auth::Key(Peppers::parse(PEPPER).unwrap());
        let log = Lines::default();
        Self::over(
            Database::start().await,
            auth,
            false,
            NonZeroU32::new(lease).unwrap(),
            (log.clone(), AuditFormat::Json),
            log,
        )
        .await
    }

    /// Another function over the same table.
    pub async fn sibling(&self) -> Self {
        let log = Lines::default();
        let auth = Auth::Key(Peppers::parse(PEPPER).unwrap());
        Self::over(self.database.sibling().await, auth, false, NonZeroU32::MIN, (log.clone(), AuditFormat::Json), log)
            .await
    }

    async fn over(
        database: Database,
        auth: Auth,
        allow_http: bool,
        lease: NonZeroU32,
        (out, format): (impl Write + Send + 'static, AuditFormat),
        log: Lines,
    ) -> Self {
        let client = access::connect(database.endpoint(), Duration::from_secs(1)).await.unwrap();
        let clock = Clock(Arc::new(AtomicU64::new(MIDNIGHT)));
        let ticking = clock.clone();
        let store = Store::new(client, TABLE.to_owned(), lease);
        let origins = Origins::parse(ORIGIN).unwrap();
        let app =
            App::new(auth, allow_http, origins, store, AuditLog::new(out, format), Box::new(move || ticking.now()));
        Self { app, database, clock, log, requests: AtomicU64::new(0) }
    }

    /// Makes a key as `passloom-keys create` does.
    pub async fn key(&self, per_minute: u32, per_day: u32) -> String {
        self.database.key("test", per_minute, per_day).await
    }

    /// Sends a request, the way an HTTP API hands it over.
    pub async fn send(&self, request: Request) -> Answer {
        self.send_event(&request.event().to_string()).await
    }

    /// Sends an event as it is.
    pub async fn send_event(&self, event: &str) -> Answer {
        let invocation = format!("invocation-{}", self.requests.fetch_add(1, Ordering::SeqCst));
        Answer::of(&serde_json::to_value(self.app.handle(event, &invocation).await).unwrap())
    }

    /// Lambda's id of the event that was sent last.
    pub fn last_invocation(&self) -> String {
        format!("invocation-{}", self.requests.load(Ordering::SeqCst) - 1)
    }

    /// GET /api/generate with a key and a query.
    pub async fn generate(&self, key: &str, query: &str) -> Answer {
        self.send(Request::get(query).key(key)).await
    }
}

pub fn limits(per_minute: u32, per_day: u32) -> Limits {
    Limits { per_minute: NonZeroU32::new(per_minute).unwrap(), per_day: NonZeroU32::new(per_day).unwrap() }
}

/// A request to `/api/generate`, unless told otherwise.
#[derive(Clone)]
pub struct Request {
    pub method: &'static str,
    pub path: String,
    pub query: String,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub source_ip: &'static str,
}

impl Request {
    pub fn get(query: &str) -> Self {
        Self {
            method: "GET",
            path: "/api/generate".into(),
            query: query.into(),
            headers: BTreeMap::from([
                ("host".into(), "passloom.example".into()),
                ("x-forwarded-proto".into(), "https".into()),
                ("user-agent".into(), "tests/1".into()),
            ]),
            body: None,
            source_ip: "192.0.2.7",
        }
    }

    pub fn post(body: impl Into<String>) -> Self {
        let mut request = Self::get("").header("content-type", "application/json");
        (request.method, request.body) = ("POST", Some(body.into()));
        request
    }

    pub fn key(self, key: &str) -> Self {
        self.header("x-api-key", key)
    }

    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.insert(name.into(), value.into());
        self
    }

    pub fn path(mut self, path: &str) -> Self {
        self.path = path.into();
        self
    }

    pub fn method(mut self, method: &'static str) -> Self {
        self.method = method;
        self
    }

    pub fn from(mut self, address: &'static str) -> Self {
        self.source_ip = address;
        self
    }

    pub fn event(&self) -> Value {
        json!({
            "version": "2.0",
            "routeKey": "$default",
            "rawPath": self.path,
            "rawQueryString": self.query,
            "headers": self.headers,
            "requestContext": {
                "accountId": "123456789012",
                "apiId": "api-id",
                "domainName": "passloom.example",
                "domainPrefix": "passloom",
                "http": {
                    "method": self.method,
                    "path": self.path,
                    "protocol": "HTTP/1.1",
                    "sourceIp": self.source_ip,
                    "userAgent": "tests/1"
                },
                "requestId": "gateway-id",
                "routeKey": "$default",
                "stage": "$default",
                "time": "01/Jan/2026:00:00:00 +0000",
                "timeEpoch": 1_767_225_600_000_u64
            },
            "body": self.body,
            "isBase64Encoded": false
        })
    }
}

/// What the front end sends on to the caller.
#[derive(Debug)]
pub struct Answer {
    pub status: u64,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Answer {
    pub fn of(reply: &Value) -> Self {
        let single = reply["headers"].as_object().into_iter().flatten();
        let several = reply["multiValueHeaders"].as_object().into_iter().flatten();
        let headers = several.chain(single).map(|(name, value)| {
            let value = value.as_array().and_then(|values| values.first()).unwrap_or(value);
            (name.to_ascii_lowercase(), value.as_str().unwrap().to_owned())
        });
        Self {
            status: reply["statusCode"].as_u64().unwrap(),
            headers: headers.collect(),
            body: reply["body"].as_str().unwrap_or_default().to_owned(),
        }
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    #[track_caller]
    pub fn password(&self) -> String {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()["password"].as_str().unwrap().to_owned()
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    /// Checks that it is a problem with this status, in the form that every problem has.
    #[track_caller]
    pub fn assert_problem(&self, status: u64) -> Value {
        let problem = self.json();
        assert_eq!(self.status, status, "{problem}");
        assert_eq!(self.header("content-type"), "application/problem+json");
        assert_eq!(problem["status"], status);
        for member in ["type", "title", "detail", "error"] {
            assert!(problem[member].as_str().is_some_and(|text| !text.is_empty()), "{member} in {problem}");
        }
        assert!(problem.get("password").is_none() && problem.get("passwords").is_none());
        problem
    }
}

/// A new key that the database does not know.
pub fn unknown_key(pepper: &str) -> String {
    ApiKey::generate(&mut SysRng, &Peppers::parse(pepper).unwrap()).unwrap().1.to_string()
}

/// A new secret for a key, as text and as the hash that the table holds.
pub fn rotated(id: &str) -> (String, aws_sdk_dynamodb::primitives::Blob) {
    let peppers = Peppers::parse(PEPPER).unwrap();
    let (key, text) = ApiKey::generate_for(id.parse().unwrap(), &mut SysRng, &peppers).unwrap();
    (text.to_string(), aws_sdk_dynamodb::primitives::Blob::new(key.secret_hash()))
}

/// A new key and its record.
pub fn new_key(name: &str, limits: Limits) -> (String, KeyRecord) {
    let (key, text) = ApiKey::generate(&mut SysRng, &Peppers::parse(PEPPER).unwrap()).unwrap();
    (text.to_string(), KeyRecord::new(&key, name.into(), limits, "2026-01-01T00:00:00Z".into()))
}

/// The endpoint of an emulator: any region and any credentials do.
fn endpoint_at(url: String) -> Endpoint {
    let credentials = aws_sdk_dynamodb::config::Credentials::new("test", "test", None, None, "test");
    Endpoint { region: "eu-central-1".into(), credentials, url: Some(url), trusted: None }
}
