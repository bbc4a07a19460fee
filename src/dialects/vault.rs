//! Vault's password policies, which `OpenBao` has, too: the routes that their clients call.
//! <https://developer.hashicorp.com/vault/api-docs/system/policies-password>

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use lambda_http::http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::{Error, Value as JsonValue, json};

use super::{Dialect, keys_in};
use crate::access::Authenticated;
use crate::admission::{Failure, Line};
use crate::clock::rfc3339_of_seconds;
use crate::http::headers::{self, JSON, Response};
use crate::http::lambda::{HttpRequest, Query};
use crate::http::parameters::{self, Value};
use crate::http::precondition::Precondition;
use crate::http::problem::{Kind, Problem};
use crate::http::request_error::{MAX_BODY, RequestError};
use crate::http::routes::VAULT_PREFIX;
use crate::http::secrets::Generated;
use crate::invisible;
use crate::operations::generate::{Generate, GenerateRequest, Passwords};
use crate::operations::key::{KeyFacts, ReadKey};
use crate::operations::policy_parameters::PolicyRequest;
use crate::operations::random::{Random, RandomRequest};
use crate::operations::stored_policies::{
    Delete, DeleteRequest, List, NamedAnswer, PolicyList, PolicySource, ReadPolicy, Write, WriteRequest, Written,
    name_in_path, name_to_change,
};
use crate::password::{PolicyName, write_hcl};

/// Vault's API.
pub(crate) struct Vault;

/// The version of Vault whose routes these are, as clients compare it.
const VERSION: &str = concat!("1.20.0+passloom.", env!("CARGO_PKG_VERSION"));
const POLICIES: &str = "sys/policies/password";
const GENERATE: &str = "/generate";
const RANDOM: &str = "sys/tools/random";
const MAX_RANDOM: u32 = 128 << 10;
const DEFAULT_RANDOM: u32 = 32;

/// What a request asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum VaultRoute {
    /// Whether the service is ready, for anyone.
    Status,
    List,
    Read,
    Write,
    Delete,
    Generate,
    LookupSelf,
    Random,
}

/// The keys that a request presents.
pub(crate) fn keys(headers: &HeaderMap) -> Vec<&str> {
    keys_in("x-vault-token", headers).collect()
}

/// The route of a request; `None` if this service does not have it. A path is matched part by part, so that a gateway in
/// front, which compares paths as they are, knows each path that is answered.
pub(crate) fn route(http: &HttpRequest) -> Option<VaultRoute> {
    let path = http.path.strip_prefix(VAULT_PREFIX)?;
    let method = http.method.as_str();
    let is_read = ["GET", "HEAD"].contains(&method);
    let is_write = ["PUT", "POST"].contains(&method);
    let is_list = method == "LIST" || is_read && lists(&query(http));
    if let Some(name) = path.strip_prefix(POLICIES).filter(|name| !["", "/"].contains(name)) {
        // A name with a slash exists nowhere, and is refused by what uses it.
        return match name.strip_prefix('/')?.strip_suffix(GENERATE) {
            Some(_) if is_read || is_write => Some(VaultRoute::Generate),
            None if is_write => Some(VaultRoute::Write),
            None if is_read && !is_list => Some(VaultRoute::Read),
            None if method == "DELETE" => Some(VaultRoute::Delete),
            _ => None,
        };
    }
    match path.split('/').collect::<Vec<_>>().as_slice() {
        ["sys", "seal-status" | "health"] => is_read.then_some(VaultRoute::Status),
        // Clients that list add a slash.
        ["sys", "policies", "password"] | ["sys", "policies", "password", ""] => {
            (is_read || is_list).then_some(VaultRoute::List)
        }
        ["sys", "tools", "random"] | ["sys", "tools", "random", _] if is_write => Some(VaultRoute::Random),
        ["auth", "token", "lookup-self"] if is_read => Some(VaultRoute::LookupSelf),
        _ => None,
    }
}

/// The name of the policy in a path.
fn name(http: &HttpRequest) -> &str {
    let path = http.path.strip_prefix(VAULT_PREFIX).and_then(|path| path.strip_prefix(POLICIES)).unwrap_or_default();
    let name = path.strip_prefix('/').unwrap_or_default();
    name.strip_suffix(GENERATE).unwrap_or(name)
}

impl Dialect<List> for Vault {
    fn read(http: &HttpRequest, _: &Authenticated) -> Result<(), Failure> {
        check_unwrapped(http)
    }

    fn answer(answer: PolicyList, line: &Line) -> Result<Response, Failure> {
        let stored = answer.stored.into_iter().map(|one| one.name);
        let names: Vec<String> = answer.presets.iter().map(|preset| preset.name.to_owned()).chain(stored).collect();
        data(&json!({ "keys": names }), line)
    }
}

impl Dialect<ReadPolicy> for Vault {
    fn read(http: &HttpRequest, _: &Authenticated) -> Result<PolicyName, Failure> {
        check_unwrapped(http)?;
        name_in_path(name(http))
    }

    fn answer(answer: NamedAnswer, line: &Line) -> Result<Response, Failure> {
        let text = match answer.stored.and_then(|stored| stored.hcl) {
            Some(text) => text,
            None => write_hcl(&answer.policy).map_err(|why| {
                invalid(format!("{why}; read the policy with GET /api/policies/{} instead", answer.named.name))
            })?,
        };
        data(&json!({ "policy": text }), line)
    }
}

impl Dialect<Write> for Vault {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<WriteRequest, Failure> {
        check_unwrapped(http)?;
        let source = PolicySource::Vault(policy_text(http, caller)?);
        Ok(WriteRequest { name: name_to_change(name(http))?, source, precondition: Precondition::None })
    }

    fn answer(_: Written, line: &Line) -> Result<Response, Failure> {
        Ok(headers::no_content(line.request_id()))
    }
}

impl Dialect<Delete> for Vault {
    fn read(http: &HttpRequest, _: &Authenticated) -> Result<DeleteRequest, Failure> {
        check_unwrapped(http)?;
        let name = name_to_change(name(http))?;
        // As in Vault, it is no error if there is none.
        Ok(DeleteRequest { name, precondition: Precondition::None, must_exist: false })
    }

    fn answer((): (), line: &Line) -> Result<Response, Failure> {
        Ok(headers::no_content(line.request_id()))
    }
}

impl Dialect<Generate> for Vault {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<GenerateRequest, Failure> {
        check_unwrapped(http)?;
        if !body(http, caller)?.is_empty() {
            return Err(invalid("generate has no parameters").into());
        }
        Ok(GenerateRequest::of_one(PolicyRequest::of_path(name_in_path(name(http))?)))
    }

    fn answer(answer: Passwords, line: &Line) -> Result<Response, Failure> {
        secret(&answer.generated, "password", line)
    }
}

impl Dialect<ReadKey> for Vault {
    fn read(http: &HttpRequest, _: &Authenticated) -> Result<(), Failure> {
        check_unwrapped(http)
    }

    /// What the holder of a token may know of it.
    fn answer(answer: KeyFacts, line: &Line) -> Result<Response, Failure> {
        let key = answer.key.as_ref();
        let expires_at = key.and_then(|key| key.expires_at);
        let policies = match key.map(|key| &key.binding) {
            Some(binding) if binding.admin => vec!["default", "admin"],
            _ => vec!["default"],
        };
        let facts = json!({
            "type": "service",
            "display_name": key.map_or("", |key| key.name.as_str()),
            "ttl": expires_at.map_or(0, |end| end.saturating_sub(seconds(line))),
            "expire_time": expires_at.map(rfc3339_of_seconds),
            "policies": policies,
            "renewable": false,
            "orphan": true,
            "path": "auth/token/create",
        });
        data(&facts, line)
    }
}

impl Dialect<Random> for Vault {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<RandomRequest, Failure> {
        check_unwrapped(http)?;
        let range = || invalid("bytes must be a whole number from 1 to 131072");
        let path = http.path.strip_prefix(VAULT_PREFIX).and_then(|path| path.strip_prefix(RANDOM)).unwrap_or_default();
        let mut bytes = path.strip_prefix('/').map(str::parse).transpose().map_err(|_| range())?;
        let (mut hex, mut source) = (None, None);
        for (name, value) in body(http, caller)? {
            let is_repeated = match name.as_str() {
                "bytes" => bytes.replace(number_of_bytes(value).ok_or_else(range)?).is_some(),
                "format" => match value.string("format").as_deref() {
                    Ok("hex") => hex.replace(true).is_some(),
                    Ok("base64") => hex.replace(false).is_some(),
                    _ => return Err(invalid("format must be \"base64\" or \"hex\"").into()),
                },
                "source" if value.string("source").as_deref() == Ok("platform") => source.replace(()).is_some(),
                _ => {
                    return Err(
                        invalid("the body has bytes, format and the source \"platform\", and nothing else").into()
                    );
                }
            };
            if is_repeated {
                return Err(invalid(format!("{name} is given more than once")).into());
            }
        }
        let bytes = bytes.unwrap_or(DEFAULT_RANDOM);
        if !(1..=MAX_RANDOM).contains(&bytes) {
            return Err(range().into());
        }
        Ok(RandomRequest { bytes, hex: hex.unwrap_or(false) })
    }

    fn answer(answer: Generated, line: &Line) -> Result<Response, Failure> {
        secret(&answer, "random_bytes", line)
    }
}

fn invalid(message: impl Into<String>) -> RequestError {
    RequestError::Vault(message.into())
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
fn check_unwrapped(http: &HttpRequest) -> Result<(), Failure> {
    if http.headers.contains_key("x-vault-wrap-ttl") {
        return Err(invalid("this service does not wrap answers; omit X-Vault-Wrap-TTL").into());
    }
    let query = query(http);
    if query.is_empty() || lists(&query) {
        Ok(())
    } else {
        Err(invalid("the only query parameter is list=true").into())
    }
}

/// The members of the body. It is JSON whatever its type says: clients send none, or that of a form.
fn body(http: &HttpRequest, caller: &Authenticated) -> Result<Vec<(String, Value)>, RequestError> {
    let body = http.body(caller, MAX_BODY)?;
    if body.is_empty() { Ok(Vec::new()) } else { parameters::members(&body) }
}

/// The text of a policy: HCL, its JSON form, or base64 of it.
fn policy_text(request: &HttpRequest, caller: &Authenticated) -> Result<String, RequestError> {
    let (mut text, mut entropy_source) = (None, None);
    for (name, value) in body(request, caller)? {
        let member = match name.as_str() {
            "policy" => &mut text,
            "entropy_source" => &mut entropy_source,
            _ => return Err(invalid("the body has policy and entropy_source, and nothing else")),
        };
        let value = value.string("policy").map_err(|_| invalid(format!("{name} must be a string")))?;
        if member.replace(value).is_some() {
            return Err(invalid(format!("{name} is given more than once")));
        }
    }
    let text = text.filter(|text| !text.is_empty()).ok_or_else(|| invalid("missing policy"))?;
    if !entropy_source.is_none_or(|source| ["", "platform"].contains(&source.as_str())) {
        return Err(invalid("entropy_source must be \"platform\": this service has no other"));
    }
    let decoded = aws_smithy_types::base64::decode(&text).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let text = decoded.unwrap_or(text);
    if let Some(character) = invisible::find_in_text(&text) {
        return Err(invalid(format!(
            "policy must not have {character} or another control, format or bidirectional character, except line breaks \
             and tabs"
        )));
    }
    Ok(text)
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
fn data(data: &JsonValue, line: &Line) -> Result<Response, Failure> {
    let id = line.request_id();
    Ok(headers::new(StatusCode::OK, JSON, text(data, id)?, id))
}

/// The answer with a password, or with random bytes as text, in the member of that name.
fn secret(generated: &Generated, member: &str, line: &Line) -> Result<Response, Failure> {
    let id = line.request_id();
    Ok(generated.response(id, |texts| {
        let (secret, _) = texts.members();
        text(BTreeMap::from([(member, secret)]), id)
    })?)
}

fn seconds(line: &Line) -> u64 {
    line.time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Whether the service is ready, for clients that ask before anything else.
pub(crate) fn status(http: &HttpRequest, line: &Line) -> Result<Response, Failure> {
    check_unwrapped(http)?;
    let status = json!({
        "type": "shamir", "initialized": true, "sealed": false, "standby": false, "performance_standby": false,
        "t": 1, "n": 1, "progress": 0, "nonce": "", "version": VERSION, "build_date": "", "migration": false,
        "recovery_seal": false, "storage_type": "dynamodb", "server_time_utc": seconds(line),
    });
    Ok(headers::new(StatusCode::OK, JSON, serde_json::to_string(&status)?, line.request_id()))
}

/// An error in Vault's form.
pub(crate) fn error(problem: &Problem, request_id: &str) -> Response {
    let status = match problem.kind {
        Kind::Unauthorized => StatusCode::FORBIDDEN,
        Kind::Conflict | Kind::BodyTooLarge => StatusCode::BAD_REQUEST,
        _ => problem.kind.status(),
    };
    let message = match problem.kind {
        Kind::Unauthorized => "permission denied",
        Kind::NoPolicy => "policy does not exist",
        _ => &problem.detail,
    };
    let body = json!({ "errors": [message] }).to_string();
    let mut response = headers::new(status, JSON, body, request_id);
    if let Some(wait) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, headers::whole_seconds(wait).into());
    }
    response
}
