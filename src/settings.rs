//! Every environment variable, read once into typed values. A bad one stops the start, by name and
//! without its value.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use aws_sdk_dynamodb::config::Credentials;
use zeroize::Zeroizing;

use crate::access::{Endpoint, Limits, Peppers, are_usable_roots};
use crate::audit::AuditFormat;
use crate::http::Origins;

const PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
const PER_DAY: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);
/// A thousand writes a second of as many admissions are a million a second: beyond every limit of Lambda.
const MOST_LEASED: u32 = 1_000;

/// What the function needs to know.
pub struct Settings {
    /// `TABLE_NAME`: the table of callers.
    pub table: String,
    /// `AUTH`: who may ask.
    pub auth: Auth,
    /// `ALLOWED_ORIGINS`: the origins whose pages may call, separated by commas. None unless set.
    pub origins: Origins,
    /// `LEASE`: most admissions of a caller that one write takes, 1 to 1000. 1 unless set.
    pub lease: NonZeroU32,
    /// `AUDIT_FORMAT`: how audit lines are written, `json`, the default, or `ocsf`.
    pub audit: AuditFormat,
    /// `ALLOW_HTTP`: whether requests over plain HTTP are answered. False unless set.
    pub allow_http: bool,
    /// Where DynamoDB is: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN`, `AWS_ENDPOINT_URL_DYNAMODB` or `AWS_ENDPOINT_URL`, `AWS_CA_BUNDLE`.
    pub endpoint: Endpoint,
}

/// Who may ask.
#[derive(Debug)]
pub enum Auth {
    /// `AUTH=key`, the default: holders of a key. `KEY_PEPPER`: 32 bytes in hexadecimal, or two of
    /// those separated by a comma while one replaces the other.
    Key(Peppers),
    /// `AUTH=none`: anybody, counted by address. `PER_MINUTE` (60 unless set) and `PER_DAY` (10000).
    Address(Limits),
}

/// Variables that are missing or no good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(Vec<String>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads the variables that `variable` knows.
    ///
    /// # Errors
    /// [`SettingsError`] names every variable that is missing or no good.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(&variable);
        let table = reader.required("TABLE_NAME");
        let limits = Limits {
            per_minute: reader.parsed("PER_MINUTE", PER_MINUTE, "a whole number from 1 to 4294967295"),
            per_day: reader.parsed("PER_DAY", PER_DAY, "a whole number from 1 to 4294967295"),
        };
        let auth = match reader.optional("AUTH").as_deref() {
            None | Some("key") => reader.peppers().map(Auth::Key),
            Some("none") => Some(Auth::Address(limits)),
            Some(_) => reader.fault("AUTH", "must be key or none"),
        };
        let audit = match reader.optional("AUDIT_FORMAT").as_deref() {
            None | Some("json") => Some(AuditFormat::Json),
            Some("ocsf") => Some(AuditFormat::Ocsf),
            Some(_) => reader.fault("AUDIT_FORMAT", "must be json or ocsf"),
        };
        let allow_http = reader.parsed("ALLOW_HTTP", false, "true or false");
        let origins = reader.origins();
        let lease = reader.lease();
        let endpoint = reader.endpoint();
        reader.finish(|| {
            Some(Self {
                table: table?,
                auth: auth?,
                audit: audit?,
                origins: origins?,
                lease: lease?,
                allow_http,
                endpoint: endpoint?,
            })
        })
    }
}

/// Reads what [`Endpoint`] needs from the AWS variables alone.
///
/// # Errors
/// [`SettingsError`] names every variable that is missing or no good.
pub fn endpoint(variable: impl Fn(&str) -> Option<String>) -> Result<Endpoint, SettingsError> {
    let mut reader = Reader::new(&variable);
    let endpoint = reader.endpoint();
    reader.finish(|| endpoint)
}

/// Reads `KEY_PEPPER` alone.
///
/// # Errors
/// [`SettingsError`] when it is missing or no good.
pub fn peppers(variable: impl Fn(&str) -> Option<String>) -> Result<Peppers, SettingsError> {
    let mut reader = Reader::new(&variable);
    let peppers = reader.peppers();
    reader.finish(|| peppers)
}

/// A variable of the process.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the one place where the environment is read")]
pub fn from_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Collects faults, so that a person mends them all at once.
struct Reader<'v> {
    variable: &'v dyn Fn(&str) -> Option<String>,
    faults: Vec<String>,
}

impl<'v> Reader<'v> {
    fn new(variable: &'v dyn Fn(&str) -> Option<String>) -> Self {
        Self { variable, faults: Vec::new() }
    }

    fn finish<T>(self, value: impl FnOnce() -> Option<T>) -> Result<T, SettingsError> {
        if self.faults.is_empty() { value().ok_or(SettingsError(self.faults)) } else { Err(SettingsError(self.faults)) }
    }

    fn fault<T>(&mut self, name: &str, fault: &str) -> Option<T> {
        self.faults.push(format!("{name} {fault}"));
        None
    }

    /// An empty variable counts as none: templates have no other way to leave one out.
    fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &str) -> Option<String> {
        self.optional(name).or_else(|| self.fault(name, "is not set"))
    }

    fn parsed<T: FromStr>(&mut self, name: &str, default: T, wanted: &str) -> T {
        match self.optional(name).map(|value| value.parse()) {
            Some(Ok(value)) => value,
            Some(Err(_)) => self.fault(name, &format!("must be {wanted}")).unwrap_or(default),
            None => default,
        }
    }

    fn origins(&mut self) -> Option<Origins> {
        let Some(text) = self.optional("ALLOWED_ORIGINS") else { return Some(Origins::default()) };
        let wanted = "must list origins such as https://app.example.com, separated by commas";
        Origins::parse(&text).or_else(|| self.fault("ALLOWED_ORIGINS", wanted))
    }

    fn lease(&mut self) -> Option<NonZeroU32> {
        let wanted = "a whole number from 1 to 1000";
        let lease = self.parsed("LEASE", NonZeroU32::MIN, wanted);
        if lease.get() <= MOST_LEASED { Some(lease) } else { self.fault("LEASE", &format!("must be {wanted}")) }
    }

    fn peppers(&mut self) -> Option<Peppers> {
        let text = Zeroizing::new(self.required("KEY_PEPPER")?);
        let wanted = "must be 64 hexadecimal digits, or two such values separated by a comma";
        Peppers::parse(&text).ok().or_else(|| self.fault("KEY_PEPPER", wanted))
    }

    fn endpoint(&mut self) -> Option<Endpoint> {
        let region = self.required("AWS_REGION");
        let id = self.required("AWS_ACCESS_KEY_ID");
        let secret = self.required("AWS_SECRET_ACCESS_KEY");
        let token = self.optional("AWS_SESSION_TOKEN");
        let url = ["AWS_ENDPOINT_URL_DYNAMODB", "AWS_ENDPOINT_URL"]
            .into_iter()
            .find_map(|name| self.optional(name).map(|url| (name, url)));
        let url = match url {
            Some((_, url)) if url.starts_with("https://") || url.starts_with("http://") => Some(url),
            Some((name, _)) => self.fault(name, "must begin with https:// or http://"),
            None => None,
        };
        let trusted = self.optional("AWS_CA_BUNDLE").and_then(|path| match std::fs::read(path) {
            Ok(roots) if are_usable_roots(&roots) => Some(roots),
            Ok(_) => self.fault("AWS_CA_BUNDLE", "names a file that is not a list of PEM certificates"),
            Err(_) => self.fault("AWS_CA_BUNDLE", "names a file that cannot be read"),
        });
        let credentials = Credentials::new(id?, secret?, token, None, "environment");
        Some(Endpoint { region: region?, credentials, url, trusted })
    }
}
