//! Vault's password policies, which `OpenBao` has, too: the routes that their clients call.
//! <https://developer.hashicorp.com/vault/api-docs/system/policies-password>

use lambda_http::http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::{Error, Value as JsonValue, json};

use super::hcl::VaultPolicy;
use crate::access::{KeyRecord, is_policy_name};
use crate::clock::rfc3339_of_seconds;
use crate::http::lambda::{HttpRequest, Query, RequestBody};
use crate::http::request::{RequestError, Value, members};
use crate::http::response::headers::JSON;
use crate::http::response::problem::{Kind, Problem};
use crate::http::response::{Generated, Response, headers};
use crate::http::routes::Operation;

/// What the paths of this API begin with.
pub(super) const PREFIX: &str = "/v1/";
/// The version of Vault whose routes these are, as clients compare it.
const VERSION: &str = concat!("1.20.0+passloom.", env!("CARGO_PKG_VERSION"));
const POLICIES: &str = "sys/policies/password";
const MAX_RANDOM: u32 = 128 << 10;
const DEFAULT_RANDOM: u32 = 32;

/// A request in Vault's API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultRequest {
    /// The names of all policies.
    List,
    /// The text of a policy.
    Read(String),
    /// A policy and its text.
    Write(String, String),
    /// Deletes a policy.
    Delete(String),
    /// A password of a policy.
    Generate(String),
    /// What the holder of a token may know of it.
    LookupSelf,
    /// Whether the service is ready.
    SealStatus,
    /// The same.
    Health,
    /// Random bytes.
    Random {
        /// How many.
        bytes: u32,
        /// Whether they are written in hexadecimal instead of base64.
        hex: bool,
    },
}

impl VaultRequest {
    /// The name of the operation in audit lines.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::List => Operation::Policies.name(),
            Self::Read(_) | Self::Write(..) | Self::Delete(_) => Operation::NamedPolicy.name(),
            Self::Generate(_) => Operation::Generate.name(),
            Self::LookupSelf => Operation::Key.name(),
            Self::SealStatus | Self::Health => Operation::Health.name(),
            Self::Random { .. } => "random",
        }
    }
}

/// The key of a request.
pub fn key(headers: &HeaderMap) -> Option<&str> {
    if let Some(token) = headers.get("x-vault-token") {
        return Some(token.to_str().unwrap_or_default());
    }
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
}

/// Reads a request; `None` if this service does not have its route.
///
/// # Errors
/// A [`RequestError`] that names what is wrong.
pub fn read(request: &HttpRequest) -> Result<Option<VaultRequest>, RequestError> {
    let invalid = |message: &str| Err(RequestError::Vault(message.to_owned()));
    if request.headers.contains_key("x-vault-wrap-ttl") {
        return invalid("this service does not wrap answers; omit X-Vault-Wrap-TTL");
    }
    let path = request.path.strip_prefix(PREFIX).unwrap_or_default().trim_end_matches('/');
    let method = request.method.as_str();
    let is_read = ["GET", "HEAD"].contains(&method);
    let is_write = ["PUT", "POST"].contains(&method);
    let listed = list_is_requested(request)?;
    let name = path.strip_prefix(POLICIES).map(|rest| rest.trim_start_matches('/'));
    let random = path.strip_prefix("sys/tools/random").map(|rest| rest.trim_start_matches('/'));
    let found = match (name, random) {
        (Some(""), _) if is_read || method == "LIST" => VaultRequest::List,
        (Some(name), _) if !name.is_empty() => match name.strip_suffix("/generate") {
            Some(name) if is_read || is_write => {
                no_body(request)?;
                VaultRequest::Generate(valid_name(name)?)
            }
            None if is_read && !listed => VaultRequest::Read(valid_name(name)?),
            None if is_write => VaultRequest::Write(valid_name(name)?, policy_text(request)?),
            None if method == "DELETE" => VaultRequest::Delete(valid_name(name)?),
            _ => return Ok(None),
        },
        (None, Some(bytes)) if is_write => read_random(request, bytes)?,
        _ => match path {
            "auth/token/lookup-self" if is_read => VaultRequest::LookupSelf,
            "sys/seal-status" if is_read => VaultRequest::SealStatus,
            "sys/health" if is_read => VaultRequest::Health,
            _ => return Ok(None),
        },
    };
    Ok(Some(found))
}

fn list_is_requested(request: &HttpRequest) -> Result<bool, RequestError> {
    let pairs = match &request.query {
        Query::Encoded(text) => text.split('&').filter(|pair| !pair.is_empty()).map(str::to_owned).collect(),
        Query::Decoded(pairs) => pairs.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>(),
    };
    match pairs.as_slice() {
        [] => Ok(false),
        // As Go reads it; hvac sends True.
        [only] if ["list=true", "list=True", "list=TRUE", "list=1", "list=t", "list=T"].contains(&only.as_str()) => {
            Ok(true)
        }
        _ => Err(RequestError::Vault("the only query parameter is list=true".into())),
    }
}

fn valid_name(name: &str) -> Result<String, RequestError> {
    if is_policy_name(name) { Ok(name.to_owned()) } else { Err(RequestError::PolicyName) }
}

/// The members of the body. It is JSON whatever its type says: clients send none, or that of a form.
fn body(request: &HttpRequest) -> Result<Vec<(String, Value)>, RequestError> {
    match &request.body {
        RequestBody::Bytes(body) if body.len() > crate::http::lambda::MAX_BODY => Err(RequestError::BodyTooLarge),
        RequestBody::Bytes(body) if body.is_empty() => Ok(Vec::new()),
        RequestBody::Bytes(body) => members(body),
        RequestBody::NotBase64 => Err(RequestError::BodyEncoding),
        RequestBody::TooLarge => Err(RequestError::BodyTooLarge),
    }
}

fn no_body(request: &HttpRequest) -> Result<(), RequestError> {
    if body(request)?.is_empty() { Ok(()) } else { Err(RequestError::Vault("generate has no parameters".into())) }
}

/// The text of a policy: HCL, its JSON form, or base64 of it.
fn policy_text(request: &HttpRequest) -> Result<String, RequestError> {
    let invalid = |message: &str| RequestError::Vault(message.to_owned());
    let mut members = body(request)?;
    let text = match (members.pop(), members.is_empty()) {
        (Some((name, value)), true) if name == "policy" => {
            value.string("policy").map_err(|_| invalid("policy must be a string"))?
        }
        (None, _) => return Err(invalid("missing policy")),
        _ => return Err(invalid("the body has policy, and nothing else")),
    };
    if text.is_empty() {
        return Err(invalid("missing policy"));
    }
    let decoded = aws_smithy_types::base64::decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = decoded.unwrap_or(text);
    VaultPolicy::parse(&text).map_err(RequestError::Vault)?;
    Ok(text)
}

fn read_random(request: &HttpRequest, in_path: &str) -> Result<VaultRequest, RequestError> {
    let invalid = |message: &str| RequestError::Vault(message.to_owned());
    let range = || invalid("bytes must be a whole number from 1 to 131072");
    let mut bytes = if in_path.is_empty() { None } else { Some(in_path.parse().map_err(|_| range())?) };
    let mut hex = None;
    for (name, value) in body(request)? {
        match name.as_str() {
            "bytes" if bytes.is_none() => bytes = value.whole_number().and_then(|number| number.try_into().ok()),
            "format" if hex.is_none() => {
                hex = match value.string("format").as_deref() {
                    Ok("hex") => Some(true),
                    Ok("base64") => Some(false),
                    _ => return Err(invalid("format must be \"base64\" or \"hex\"")),
                };
            }
            "source" if value.string("source").as_deref() == Ok("platform") => {}
            _ => return Err(invalid("the body has bytes, format and the source \"platform\", and nothing else")),
        }
    }
    let bytes = bytes.unwrap_or(DEFAULT_RANDOM);
    if !(1..=MAX_RANDOM).contains(&bytes) {
        return Err(range());
    }
    Ok(VaultRequest::Random { bytes, hex: hex.unwrap_or(false) })
}

/// The form of every answer with data.
#[derive(Serialize)]
struct Envelope<'a, T> {
    request_id: &'a str,
    lease_id: &'static str,
    renewable: bool,
    lease_duration: u32,
    data: T,
    wrap_info: Option<()>,
    warnings: Option<()>,
    auth: Option<()>,
}

fn text<T: Serialize>(data: T, request_id: &str) -> Result<String, Error> {
    let (lease_id, renewable, lease_duration) = ("", false, 0);
    let (wrap_info, warnings, auth) = (None, None, None);
    serde_json::to_string(&Envelope {
        request_id,
        lease_id,
        renewable,
        lease_duration,
        data,
        wrap_info,
        warnings,
        auth,
    })
}

/// An answer with data.
///
/// # Errors
/// The error of the JSON writer.
pub fn data(data: &JsonValue, request_id: &str) -> Result<Response, Error> {
    Ok(headers::new(StatusCode::OK, JSON, text(data, request_id)?, request_id))
}

/// The answer with a password, or with random bytes as text, in the member of that name.
///
/// # Errors
/// The error of the JSON writer.
pub fn secret(generated: &Generated<'_>, member: &str, request_id: &str) -> Result<Response, Error> {
    generated.response(request_id, |texts| {
        let (secret, _) = texts.members();
        text([(member, secret)].into_iter().collect::<std::collections::BTreeMap<_, _>>(), request_id)
    })
}

/// What the holder of a token may know of it.
///
/// # Errors
/// The error of the JSON writer.
pub fn lookup_self(key: Option<&KeyRecord>, now: u64, request_id: &str) -> Result<Response, Error> {
    let expires_at = key.and_then(|key| key.expires_at);
    let policies = match key.map(|key| &key.binding) {
        Some(binding) if binding.admin => vec!["default", "admin"],
        _ => vec!["default"],
    };
    let facts = json!({
        "type": "service",
        "display_name": key.map_or("", |key| key.name.as_str()),
        "ttl": expires_at.map_or(0, |end| end.saturating_sub(now)),
        "expire_time": expires_at.map(rfc3339_of_seconds),
        "policies": policies,
        "renewable": false,
        "orphan": true,
        "path": "auth/token/create",
    });
    data(&facts, request_id)
}

/// Whether the service is ready, for clients that ask before anything else.
///
/// # Errors
/// The error of the JSON writer.
pub fn status(now: u64, request_id: &str) -> Result<Response, Error> {
    let status = json!({
        "type": "shamir", "initialized": true, "sealed": false, "standby": false, "performance_standby": false,
        "t": 1, "n": 1, "progress": 0, "nonce": "", "version": VERSION, "build_date": "", "migration": false,
        "recovery_seal": false, "storage_type": "dynamodb", "server_time_utc": now,
    });
    Ok(headers::new(StatusCode::OK, JSON, serde_json::to_string(&status)?, request_id))
}

/// An error in Vault's form.
pub(super) fn error(problem: &Problem, request_id: &str) -> Response {
    let status = match problem.kind() {
        Kind::Unauthorized => StatusCode::FORBIDDEN,
        Kind::Conflict | Kind::BodyTooLarge => StatusCode::BAD_REQUEST,
        _ => problem.status(),
    };
    let message = match problem.kind() {
        Kind::Unauthorized => "permission denied",
        Kind::NoPolicy => "policy does not exist",
        _ => problem.detail(),
    };
    // A list of strings always serialises.
    let body = serde_json::to_string(&json!({ "errors": [message] })).unwrap_or_default();
    let mut response = headers::new(status, JSON, body, request_id);
    if let Some(wait) = problem.retry_after() {
        response.headers_mut().insert(header::RETRY_AFTER, headers::whole_seconds(wait).into());
    }
    response
}

/// Whether a request of this route needs no key.
#[must_use]
pub fn needs_no_key(request: &VaultRequest) -> bool {
    matches!(request, VaultRequest::SealStatus | VaultRequest::Health)
}
