//! Reads the environment variables once, into typed values. An invalid value aborts the start; the message names the
//! variable, without its value.

use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use aws_sdk_dynamodb::config::Credentials;
use zeroize::Zeroizing;

use crate::access::{Auth, Limits, SigningSecrets};
use crate::http::headers::AllowedOrigins;
use crate::http::routes::CompatibleApis;
use crate::store::{Endpoint, are_usable_roots};

const DEFAULT_PER_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(59);
const DEFAULT_PER_DAY: NonZeroU32 = NonZeroU32::MIN.saturating_add(9_999);

/// The settings of the function.
pub struct Settings {
    /// `TABLE_NAME`: the table of callers.
    pub table: String,
    /// `AUTH`: how callers are identified. `key`, the default: by an API key, and `KEY_SIGNING_SECRET` is 32 bytes in
    /// hexadecimal, or two such values separated by a comma while one replaces the other. `none`: by their address, with
    /// `PER_MINUTE` (defaults to 60) and `PER_DAY` (defaults to 10000).
    pub auth: Auth,
    /// `ALLOWED_ORIGINS`: the origins whose pages may call, separated by commas. Defaults to none.
    pub origins: AllowedOrigins,
    /// `COMPATIBLE_APIS`: the APIs of other services that are answered, `aws` and `vault`, separated by a comma, or
    /// `none`. Defaults to both.
    pub apis: CompatibleApis,
    /// `ALLOW_HTTP`: whether requests over plain HTTP are answered. Defaults to false.
    pub allow_http: bool,
    /// `PAGES`: whether the pages for browsers are served, `on`, the default, or `off`.
    pub pages: bool,
    /// The address of DynamoDB and the credentials: `AWS_REGION`, `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`,
    /// `AWS_SESSION_TOKEN`, `AWS_ENDPOINT_URL_DYNAMODB` or `AWS_ENDPOINT_URL`, `AWS_CA_BUNDLE`.
    pub endpoint: Endpoint,
}

/// Variables that are missing or invalid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingsError(Vec<String>);

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("; "))
    }
}

impl std::error::Error for SettingsError {}

impl Settings {
    /// Reads the settings from the variables that `variable` returns.
    ///
    /// # Errors
    /// [`SettingsError`] names every variable that is missing or invalid.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = EnvironmentReader::new(&variable);
        let table = reader.required("TABLE_NAME");
        let limits = Limits {
            per_minute: reader.parsed("PER_MINUTE", DEFAULT_PER_MINUTE, "a whole number from 1 to 4294967295"),
            per_day: reader.parsed("PER_DAY", DEFAULT_PER_DAY, "a whole number from 1 to 4294967295"),
        };
        let auth = match reader.optional("AUTH").as_deref() {
            None | Some("key") => reader.signing_secrets().map(Auth::Key),
            Some("none") => Some(Auth::Address(limits)),
            Some(_) => reader.error("AUTH", "must be key or none"),
        };
        let apis = match reader.optional("COMPATIBLE_APIS").as_deref().map(CompatibleApis::parse) {
            None => Some(CompatibleApis::default()),
            Some(Some(apis)) => Some(apis),
            Some(None) => reader.error("COMPATIBLE_APIS", "must list aws and vault, separated by a comma, or be none"),
        };
        let allow_http = reader.parsed("ALLOW_HTTP", false, "true or false");
        let pages = match reader.optional("PAGES").as_deref() {
            None | Some("on") => Some(true),
            Some("off") => Some(false),
            Some(_) => reader.error("PAGES", "must be on or off"),
        };
        let origins = reader.origins();
        let endpoint = reader.endpoint();
        reader.finish(|| {
            let (table, auth, origins) = (table?, auth?, origins?);
            let (apis, pages, endpoint) = (apis?, pages?, endpoint?);
            Some(Self { table, auth, origins, apis, allow_http, pages, endpoint })
        })
    }
}

/// Reads only the AWS variables.
///
/// # Errors
/// [`SettingsError`] names every variable that is missing or invalid.
pub fn endpoint(variable: impl Fn(&str) -> Option<String>) -> Result<Endpoint, SettingsError> {
    let mut reader = EnvironmentReader::new(&variable);
    let endpoint = reader.endpoint();
    reader.finish(|| endpoint)
}

/// Reads only `KEY_SIGNING_SECRET`.
///
/// # Errors
/// [`SettingsError`] when it is missing or invalid.
pub fn signing_secrets(variable: impl Fn(&str) -> Option<String>) -> Result<SigningSecrets, SettingsError> {
    let mut reader = EnvironmentReader::new(&variable);
    let secrets = reader.signing_secrets();
    reader.finish(|| secrets)
}

/// The value of an environment variable of the process.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "the only place that reads the environment")]
pub fn from_process(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// Collects all errors, so that they can be fixed in one pass.
struct EnvironmentReader<'v> {
    variable: &'v dyn Fn(&str) -> Option<String>,
    errors: Vec<String>,
}

impl<'v> EnvironmentReader<'v> {
    fn new(variable: &'v dyn Fn(&str) -> Option<String>) -> Self {
        Self { variable, errors: Vec::new() }
    }

    fn finish<T>(self, value: impl FnOnce() -> Option<T>) -> Result<T, SettingsError> {
        if self.errors.is_empty() { value().ok_or(SettingsError(self.errors)) } else { Err(SettingsError(self.errors)) }
    }

    fn error<T>(&mut self, name: &str, error: &str) -> Option<T> {
        self.errors.push(format!("{name} {error}"));
        None
    }

    /// An empty variable counts as absent, because templates cannot omit one.
    fn optional(&self, name: &str) -> Option<String> {
        (self.variable)(name).filter(|value| !value.is_empty())
    }

    fn required(&mut self, name: &str) -> Option<String> {
        self.optional(name).or_else(|| self.error(name, "is not set"))
    }

    fn parsed<T: FromStr>(&mut self, name: &str, default: T, expected: &str) -> T {
        match self.optional(name).map(|value| value.parse()) {
            Some(Ok(value)) => value,
            Some(Err(_)) => self.error(name, &format!("must be {expected}")).unwrap_or(default),
            None => default,
        }
    }

    fn origins(&mut self) -> Option<AllowedOrigins> {
        let Some(text) = self.optional("ALLOWED_ORIGINS") else { return Some(AllowedOrigins::default()) };
        let expected = "must list origins such as https://app.example.com, separated by commas";
        AllowedOrigins::parse(&text).or_else(|| self.error("ALLOWED_ORIGINS", expected))
    }

    fn signing_secrets(&mut self) -> Option<SigningSecrets> {
        let text = Zeroizing::new(self.required("KEY_SIGNING_SECRET")?);
        let expected = "must be 64 hexadecimal digits, or two such values separated by a comma";
        SigningSecrets::parse(&text).ok().or_else(|| self.error("KEY_SIGNING_SECRET", expected))
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
            Some((name, _)) => self.error(name, "must start with https:// or http://"),
            None => None,
        };
        let trusted = self.optional("AWS_CA_BUNDLE").and_then(|path| match std::fs::read(path) {
            Ok(roots) if are_usable_roots(&roots) => Some(roots),
            Ok(_) => self.error("AWS_CA_BUNDLE", "must name a file of PEM certificates"),
            Err(_) => self.error("AWS_CA_BUNDLE", "must name a file that can be read"),
        });
        let credentials = Credentials::new(id?, secret?, token, None, "environment");
        Some(Endpoint { region: region?, credentials, url, trusted })
    }
}
