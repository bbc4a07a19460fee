//! Vault's password policies, which `OpenBao` has, too: the routes that their clients call.
//! <https://developer.hashicorp.com/vault/api-docs/system/policies-password>

use std::borrow::Cow;

use lambda_http::http::{StatusCode, header};
use serde::Serialize;
use serde_json::{Error, Value as JsonValue, json};

use crate::access::{Authenticated, KeyRecord};
use crate::clock::rfc3339_of_seconds;
use crate::http::lambda::{HttpRequest, MAX_BODY, Query};
use crate::http::request::{RequestError, Value, members};
use crate::http::response::headers::JSON;
use crate::http::response::problem::{Kind, Problem};
use crate::http::response::{Generated, Response, headers};
use crate::http::routes::Operation;
use crate::invisible;

/// What the paths of this API begin with.
pub(super) const PREFIX: &str = "/v1/";
/// The version of Vault whose routes these are, as clients compare it.
const VERSION: &str = concat!("1.20.0+passloom.", env!("CARGO_PKG_VERSION"));
const POLICIES: &str = "sys/policies/password";
const MAX_RANDOM: u32 = 128 << 10;
const DEFAULT_RANDOM: u32 = 32;

/// A route of Vault's API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VaultRoute<'p> {
    /// Whether the service is ready, for anyone.
    Status,
    /// One that needs a key.
    Keyed(KeyedRoute<'p>),
}

/// A route of Vault's API that needs a key, with what its path says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyedRoute<'p> {
    /// The names of all policies.
    List,
    /// The text of a policy.
    Read(&'p str),
    /// Stores the text of a policy.
    Write(&'p str),
    /// Deletes a policy.
    Delete(&'p str),
    /// A password of a policy.
    Generate(&'p str),
    /// What the holder of a token may know of it.
    LookupSelf,
    /// Random bytes; how many, if the path says so.
    Random(Option<&'p str>),
}

/// A request in Vault's API of a known caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum VaultRequest<'p> {
    /// The names of all policies.
    List,
    /// The text of a policy.
    Read(&'p str),
    /// A policy and its text, which is not parsed yet.
    Write(&'p str, String),
    /// Deletes a policy.
    Delete(&'p str),
    /// A password of a policy.
    Generate(&'p str),
    /// What the holder of a token may know of it.
    LookupSelf,
    /// Random bytes.
    Random {
        /// How many.
        bytes: u32,
        /// Whether they are written in hexadecimal instead of base64.
        hex: bool,
    },
}

impl<'p> VaultRoute<'p> {
    /// The route of a request; `None` if this service does not have it. A path is matched part by part, so that a gateway
    /// in front, which compares paths as they are, knows each path that is answered.
    #[must_use]
    pub fn find(request: &'p HttpRequest) -> Option<Self> {
        let path = request.path.strip_prefix(PREFIX)?;
        match path {
            "sys/seal-status" | "sys/health" => {
                ["GET", "HEAD"].contains(&request.method.as_str()).then_some(Self::Status)
            }
            _ => KeyedRoute::find(request, path).map(Self::Keyed),
        }
    }

    /// The name of the operation in audit lines.
    #[must_use]
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Status => Operation::Health.name(),
            Self::Keyed(KeyedRoute::List) => Operation::Policies.name(),
            Self::Keyed(KeyedRoute::Read(_) | KeyedRoute::Write(_) | KeyedRoute::Delete(_)) => {
                Operation::NamedPolicy.name()
            }
            Self::Keyed(KeyedRoute::Generate(_)) => Operation::Generate.name(),
            Self::Keyed(KeyedRoute::LookupSelf) => Operation::Key.name(),
            Self::Keyed(KeyedRoute::Random(_)) => "random",
        }
    }
}

impl<'p> KeyedRoute<'p> {
    fn find(request: &HttpRequest, path: &'p str) -> Option<Self> {
        let method = request.method.as_str();
        let is_read = ["GET", "HEAD"].contains(&method);
        let is_write = ["PUT", "POST"].contains(&method);
        let is_list = method == "LIST" || is_read && lists(&query(request));
        if let Some(name) = path.strip_prefix(POLICIES).filter(|name| !["", "/"].contains(name)) {
            // A name with a slash exists nowhere, and is refused by what uses it.
            let name = name.strip_prefix('/')?;
            return match name.strip_suffix("/generate") {
                Some(name) if is_read || is_write => Some(Self::Generate(name)),
                None if is_write => Some(Self::Write(name)),
                None if is_read && !is_list => Some(Self::Read(name)),
                None if method == "DELETE" => Some(Self::Delete(name)),
                _ => None,
            };
        }
        match path.split('/').collect::<Vec<_>>().as_slice() {
            // Clients that list add a slash.
            ["sys", "policies", "password"] | ["sys", "policies", "password", ""] => {
                (is_read || is_list).then_some(Self::List)
            }
            ["sys", "tools", "random"] if is_write => Some(Self::Random(None)),
            ["sys", "tools", "random", bytes] if is_write => Some(Self::Random(Some(bytes))),
            ["auth", "token", "lookup-self"] if is_read => Some(Self::LookupSelf),
            _ => None,
        }
    }

    /// Reads a request of this route.
    ///
    /// # Errors
    /// A [`RequestError`] that names what is wrong.
    pub fn read(self, request: &HttpRequest, caller: &Authenticated) -> Result<VaultRequest<'p>, RequestError> {
        check_unwrapped(request)?;
        Ok(match self {
            Self::List => VaultRequest::List,
            Self::Read(name) => VaultRequest::Read(name),
            Self::Write(name) => VaultRequest::Write(name, policy_text(request, caller)?),
            Self::Delete(name) => VaultRequest::Delete(name),
            Self::Generate(name) => {
                no_body(request, caller)?;
                VaultRequest::Generate(name)
            }
            Self::LookupSelf => VaultRequest::LookupSelf,
            Self::Random(bytes) => read_random(request, caller, bytes)?,
        })
    }
}

fn query(request: &HttpRequest) -> Vec<Cow<'_, str>> {
    match &request.query {
        Query::Encoded(text) => text.split('&').filter(|pair| !pair.is_empty()).map(Cow::Borrowed).collect(),
        Query::Decoded(pairs) => pairs.iter().map(|(name, value)| Cow::Owned(format!("{name}={value}"))).collect(),
    }
}

/// Whether a query asks for a list, as Go reads it; hvac sends True.
fn lists(query: &[Cow<'_, str>]) -> bool {
    matches!(query, [only] if ["list=true", "list=True", "list=TRUE", "list=1", "list=t", "list=T"].contains(&&**only))
}

/// Refuses what would change the answer and is not supported, with or without a key.
///
/// # Errors
/// A [`RequestError`] that names what is wrong.
pub fn check_unwrapped(request: &HttpRequest) -> Result<(), RequestError> {
    let invalid = |message: &str| Err(RequestError::Vault(message.to_owned()));
    if request.headers.contains_key("x-vault-wrap-ttl") {
        return invalid("this service does not wrap answers; omit X-Vault-Wrap-TTL");
    }
    let query = query(request);
    if query.is_empty() || lists(&query) { Ok(()) } else { invalid("the only query parameter is list=true") }
}

/// The members of the body. It is JSON whatever its type says: clients send none, or that of a form.
fn body(request: &HttpRequest, caller: &Authenticated) -> Result<Vec<(String, Value)>, RequestError> {
    let body = request.body(caller, MAX_BODY)?;
    if body.is_empty() { Ok(Vec::new()) } else { members(&body) }
}

fn no_body(request: &HttpRequest, caller: &Authenticated) -> Result<(), RequestError> {
    if body(request, caller)?.is_empty() {
        Ok(())
    } else {
        Err(RequestError::Vault("generate has no parameters".into()))
    }
}

/// The text of a policy: HCL, its JSON form, or base64 of it.
fn policy_text(request: &HttpRequest, caller: &Authenticated) -> Result<String, RequestError> {
    let invalid = |message: &str| RequestError::Vault(message.to_owned());
    let (mut text, mut entropy_source) = (None, None);
    for (name, value) in body(request, caller)? {
        let member = match name.as_str() {
            "policy" => &mut text,
            "entropy_source" => &mut entropy_source,
            _ => return Err(invalid("the body has policy and entropy_source, and nothing else")),
        };
        let value = value.string("policy").map_err(|_| invalid(&format!("{name} must be a string")))?;
        if member.replace(value).is_some() {
            return Err(invalid(&format!("{name} is given more than once")));
        }
    }
    let text = text.filter(|text| !text.is_empty()).ok_or_else(|| invalid("missing policy"))?;
    if !entropy_source.is_none_or(|source| ["", "platform"].contains(&source.as_str())) {
        return Err(invalid("entropy_source must be \"platform\": this service has no other"));
    }
    let decoded = aws_smithy_types::base64::decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = decoded.unwrap_or(text);
    if let Some(character) = invisible::find_in_text(&text) {
        return Err(invalid(&format!(
            "policy must not have {character} or another control, format or bidirectional character, except line breaks \
             and tabs"
        )));
    }
    Ok(text)
}

fn read_random(
    request: &HttpRequest,
    caller: &Authenticated,
    in_path: Option<&str>,
) -> Result<VaultRequest<'static>, RequestError> {
    let invalid = |message: &str| RequestError::Vault(message.to_owned());
    let range = || invalid("bytes must be a whole number from 1 to 131072");
    let mut bytes = in_path.map(str::parse).transpose().map_err(|_| range())?;
    let (mut hex, mut source) = (None, None);
    for (name, value) in body(request, caller)? {
        let is_repeated = match name.as_str() {
            "bytes" => bytes.replace(number_of_bytes(value).ok_or_else(range)?).is_some(),
            "format" => match value.string("format").as_deref() {
                Ok("hex") => hex.replace(true).is_some(),
                Ok("base64") => hex.replace(false).is_some(),
                _ => return Err(invalid("format must be \"base64\" or \"hex\"")),
            },
            "source" if value.string("source").as_deref() == Ok("platform") => source.replace(()).is_some(),
            _ => return Err(invalid("the body has bytes, format and the source \"platform\", and nothing else")),
        };
        if is_repeated {
            return Err(invalid(&format!("{name} is given more than once")));
        }
    }
    let bytes = bytes.unwrap_or(DEFAULT_RANDOM);
    if !(1..=MAX_RANDOM).contains(&bytes) {
        return Err(range());
    }
    Ok(VaultRequest::Random { bytes, hex: hex.unwrap_or(false) })
}

/// A number, or a text of one: Vault's command line writes every value as a text.
fn number_of_bytes(value: Value) -> Option<u32> {
    match value.whole_number() {
        Some(number) => number.try_into().ok(),
        None => value.string("bytes").ok()?.parse().ok(),
    }
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
