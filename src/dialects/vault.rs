//! Vault's password policies, which `OpenBao` has, too: the routes that their clients call.
//! <https://developer.hashicorp.com/vault/api-docs/system/policies-password>

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use lambda_http::http::{HeaderMap, StatusCode, header};
use serde::Serialize;
use serde_json::{Error, Value as JsonValue, json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Dialect, keys_in};
use crate::access::{Authenticated, Caller, CredentialsError};
use crate::admission::{Failure, Line};
use crate::clock::rfc3339_of_seconds;
use crate::http::headers::{self, JSON, Response};
use crate::http::lambda::HttpRequest;
use crate::http::parameters::{self, Value};
use crate::http::precondition::Precondition;
use crate::http::problem::{Kind, Problem};
use crate::http::request_error::{MAX_BODY, RequestError};
use crate::http::routes::VAULT_PREFIX;
use crate::http::secrets::{Generated, presented};
use crate::invisible;
use crate::operations::generate::{Generate, GenerateRequest, Passwords};
use crate::operations::key::{KeyFacts, KeyRequest, ReadKey};
use crate::operations::policy_parameters::PolicyRequest;
use crate::operations::random::{Random, RandomRequest};
use crate::operations::stored_policies::{
    Delete, DeleteRequest, List, NamedAnswer, Page, PolicyList, PolicySource, ReadPolicy, Write, WriteRequest, Written,
    name_in_path, name_to_change,
};
use crate::password::{PolicyName, Secret, write_hcl};

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
    /// What clients ask before anything else, for anyone.
    Status(StatusRoute),
    List,
    Read,
    Write,
    Delete,
    Generate,
    LookupSelf,
    Random,
    /// What keys cannot do, and what to do instead.
    Token(&'static str),
}

/// What clients ask before anything else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StatusRoute {
    Health,
    Initialized,
    Leader,
    SealStatus,
}

const RENEW: &str = "keys of this service are not renewed: an administrator changes when they expire with passloom-admin \
                     keys update --expires-at";
const CREATE: &str = "this service creates no tokens: use the key itself, in Terraform's provider with skip_child_token = \
                      true";
const REVOKE: &str = "a key cannot revoke itself: an administrator revokes it with passloom-admin keys revoke";

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
    let is_list = method == "LIST" || is_read && lists(http);
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
        ["sys", "health"] if is_read => Some(VaultRoute::Status(StatusRoute::Health)),
        ["sys", "init"] if is_read => Some(VaultRoute::Status(StatusRoute::Initialized)),
        ["sys", "leader"] if is_read => Some(VaultRoute::Status(StatusRoute::Leader)),
        ["sys", "seal-status"] if is_read => Some(VaultRoute::Status(StatusRoute::SealStatus)),
        // Clients that list add a slash.
        ["sys", "policies", "password"] | ["sys", "policies", "password", ""] if is_read || is_list => {
            Some(VaultRoute::List)
        }
        ["sys", "tools", "random"] | ["sys", "tools", "random", _] if is_write => Some(VaultRoute::Random),
        ["auth", "token", "lookup-self"] if is_read => Some(VaultRoute::LookupSelf),
        ["auth", "token", "renew-self"] if is_write => Some(VaultRoute::Token(RENEW)),
        ["auth", "token", "create"] if is_write => Some(VaultRoute::Token(CREATE)),
        ["auth", "token", "revoke-self"] if is_write => Some(VaultRoute::Token(REVOKE)),
        _ => None,
    }
}

/// Whether a query asks for a list, as Go reads it; hvac sends True.
fn lists(http: &HttpRequest) -> bool {
    let truths = ["1", "t", "T", "true", "True", "TRUE"];
    let asks = |(name, value): &(String, Option<String>)| {
        name == "list" && value.as_deref().is_some_and(|value| truths.contains(&value))
    };
    parameters::query(http).is_ok_and(|query| query.iter().any(asks))
}

/// The name of the policy in a path.
fn name(http: &HttpRequest) -> &str {
    let path = http.path.strip_prefix(VAULT_PREFIX).and_then(|path| path.strip_prefix(POLICIES)).unwrap_or_default();
    let name = path.strip_prefix('/').unwrap_or_default();
    name.strip_suffix(GENERATE).unwrap_or(name)
}

impl Dialect<List> for Vault {
    /// With `after` and `limit` as in `OpenBao`. What else the query has is ignored, as by Vault.
    fn read(http: &HttpRequest, _: &Authenticated) -> Result<Page, Failure> {
        check_headers(http)?;
        let mut page = Page::default();
        for (name, value) in parameters::query(http)? {
            match name.as_str() {
                "after" => page.after = value.unwrap_or_default(),
                "limit" => {
                    let limit = value.unwrap_or_default().parse::<i64>();
                    let limit = limit.map_err(|_| invalid("limit must be a whole number"))?;
                    page.limit = usize::try_from(limit).ok().filter(|limit| *limit > 0);
                }
                _ => {}
            }
        }
        Ok(page)
    }

    fn answer(answer: PolicyList, line: &Line) -> Result<Response, Failure> {
        data(&json!({ "keys": answer.names() }), line)
    }
}

impl Dialect<ReadPolicy> for Vault {
    fn read(http: &HttpRequest, _: &Authenticated) -> Result<PolicyName, Failure> {
        check(http)?;
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
        check(http)?;
        let source = PolicySource::Vault(policy_text(http, caller)?);
        Ok(WriteRequest { name: name_to_change(name(http))?, source, precondition: Precondition::None })
    }

    fn answer(_: Written, line: &Line) -> Result<Response, Failure> {
        Ok(headers::no_content(line.request_id()))
    }
}

impl Dialect<Delete> for Vault {
    fn read(http: &HttpRequest, _: &Authenticated) -> Result<DeleteRequest, Failure> {
        check(http)?;
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
        check(http)?;
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
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<KeyRequest, Failure> {
        check(http)?;
        let Caller::Key(..) = caller.caller() else { return Err(CredentialsError::NoKey.into()) };
        Ok(KeyRequest { presented: keys(&http.headers).first().map(|key| Secret::from_text((*key).to_owned())) })
    }

    /// What the holder of a token may know of it.
    fn answer(answer: KeyFacts, line: &Line) -> Result<Response, Failure> {
        let key = answer.key.as_ref().ok_or(CredentialsError::NoKey)?;
        let created_at = seconds_of(&key.created_at);
        let left = |from: u64| key.expires_at.map_or(0, |end| end.saturating_sub(from));
        let policies = if key.binding.admin { vec!["default", "admin"] } else { vec!["default"] };
        let facts = json!({
            "id": answer.presented.as_ref().map(presented),
            "accessor": key.id,
            "creation_time": created_at,
            "creation_ttl": left(created_at),
            "display_name": key.name,
            "entity_id": "",
            "expire_time": key.expires_at.map(rfc3339_of_seconds),
            "explicit_max_ttl": left(created_at),
            "issue_time": key.created_at,
            "meta": null,
            "num_uses": 0,
            "orphan": true,
            "path": "auth/token/create",
            "policies": policies,
            "renewable": false,
            "ttl": left(seconds(line)),
            "type": "service",
        });
        data(&facts, line)
    }
}

impl Dialect<Random> for Vault {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<RandomRequest, Failure> {
        check(http)?;
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

/// Checks what a route with a key has beside its path and body: nothing that would change the answer, and no query.
fn check(http: &HttpRequest) -> Result<(), Failure> {
    check_headers(http)?;
    match parameters::query(http)?.into_iter().next() {
        None => Ok(()),
        Some((name, _)) => Err(RequestError::UnknownParameter { name, suggestion: None }.into()),
    }
}

/// Refuses headers that would change the answer, and that this service does not support.
fn check_headers(http: &HttpRequest) -> Result<(), Failure> {
    let mut namespaces = http.headers.get_all("x-vault-namespace").iter();
    if !namespaces.all(|namespace| ["", "/", "root"].contains(&namespace.to_str().unwrap_or("?"))) {
        return Err(invalid("this service has no namespaces; omit X-Vault-Namespace").into());
    }
    check_unwrapped(http)
}

fn check_unwrapped(http: &HttpRequest) -> Result<(), Failure> {
    if http.headers.contains_key("x-vault-wrap-ttl") {
        return Err(invalid("this service does not wrap answers; omit X-Vault-Wrap-TTL").into());
    }
    Ok(())
}

/// The refusal of what keys cannot do, for a caller that is known.
pub(crate) fn refuse(_: &Authenticated, instead: &str) -> Failure {
    invalid(instead).into()
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

/// The seconds since 1970 of a time in RFC 3339.
fn seconds_of(text: &str) -> u64 {
    let time = OffsetDateTime::parse(text, &Rfc3339).ok();
    time.and_then(|time| u64::try_from(time.unix_timestamp()).ok()).unwrap_or_default()
}

fn seconds(line: &Line) -> u64 {
    line.time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// What clients ask before anything else. What the query has chooses codes for states that never occur.
pub(crate) fn status(route: StatusRoute, http: &HttpRequest, line: &Line) -> Result<Response, Failure> {
    check_unwrapped(http)?;
    let (cluster, disabled) = ("passloom", "disabled");
    let status = match route {
        StatusRoute::Health => json!({
            "initialized": true, "sealed": false, "standby": false, "performance_standby": false,
            "replication_performance_mode": disabled, "replication_dr_mode": disabled, "enterprise": false,
            "server_time_utc": seconds(line), "version": VERSION, "cluster_name": cluster, "cluster_id": cluster,
            "echo_duration_ms": 0, "clock_skew_ms": 0, "replication_primary_canary_age_ms": 0,
        }),
        StatusRoute::Initialized => json!({ "initialized": true }),
        StatusRoute::Leader => json!({
            "ha_enabled": false, "is_self": false, "active_time": "0001-01-01T00:00:00Z", "leader_address": "",
            "leader_cluster_address": "", "performance_standby": false, "performance_standby_last_remote_wal": 0,
        }),
        StatusRoute::SealStatus => json!({
            "type": "shamir", "initialized": true, "sealed": false, "t": 1, "n": 1, "progress": 0, "nonce": "",
            "version": VERSION, "build_date": "", "migration": false, "cluster_name": cluster,
            "cluster_id": cluster, "recovery_seal": false, "storage_type": "dynamodb",
        }),
    };
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
        Kind::NotFound => "no handler for this route",
        _ => &problem.detail,
    };
    let body = json!({ "errors": [message] }).to_string();
    let mut response = headers::new(status, JSON, body, request_id);
    if let Some(wait) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, headers::whole_seconds(wait).into());
    }
    response
}
