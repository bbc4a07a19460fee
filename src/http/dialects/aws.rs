//! `GetRandomPassword` of AWS Secrets Manager (JSON protocol 1.1).
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html>

use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Error;

use crate::access::{ApiKey, Authenticated};
use crate::http::lambda::{BodyError, HttpRequest};
use crate::http::request::{AwsError, PolicyRequest, Value, members};
use crate::http::response::problem::{Kind, Problem};
use crate::http::response::{Generated, Response, headers};
use crate::password::{CharSet, Class, ClassOptions, Constraints, Requirement};

/// The header that names the operation.
pub const TARGET: &str = "x-amz-target";
const OPERATION: &str = "secretsmanager.GetRandomPassword";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// The largest body, in bytes: `ExcludeCharacters` alone may have 4096 characters.
const MAX_BODY: usize = 32 << 10;
const DEFAULT_LENGTH: u16 = 32;
const MAX_LENGTH: u16 = 4096;
const MAX_EXCLUDED: usize = 4096;

/// A request for a password.
#[derive(Debug)]
pub struct AwsRequest {
    /// The policy, for a key that is not bound to one.
    pub alone: PolicyRequest,
    /// What the members that were sent add to the policy that the key is bound to.
    pub added: PolicyRequest,
    /// Whether a password may have a space.
    pub includes_space: bool,
}

/// The members of a request, as they were sent.
#[derive(Default)]
struct Members {
    length: Option<u16>,
    excluded: Option<String>,
    exclude: [Option<bool>; 4],
    space: Option<bool>,
    require_each: Option<bool>,
}

/// The types of characters, in the order of [`Class::ALL`], with the members that exclude them.
const EXCLUDE: [&str; 4] = ["ExcludeLowercase", "ExcludeUppercase", "ExcludeNumbers", "ExcludePunctuation"];

/// The keys of a request: session tokens, and those access key ids of signatures that have the form of a key. Clients
/// that sign with another access key id send the key as session token.
pub(super) fn keys(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let tokens = headers.get_all("x-amz-security-token").iter().map(|token| token.to_str().unwrap_or_default());
    let ids = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let credential = value.to_str().ok()?.strip_prefix("AWS4-HMAC-SHA256")?.split_once("Credential=")?.1;
        credential.split('/').next().filter(|id| id.starts_with(ApiKey::PREFIX))
    });
    tokens.chain(ids)
}

/// Reads a request.
///
/// # Errors
/// An [`AwsError`] that names what is wrong.
pub fn read(request: &HttpRequest, caller: &Authenticated) -> Result<AwsRequest, AwsError> {
    if request.headers.get(TARGET).is_none_or(|target| target != OPERATION) {
        return Err(AwsError::new("UnknownOperationException", "This service has only GetRandomPassword"));
    }
    let too_large = || AwsError::new("ValidationException", "The body has more than 32768 bytes");
    let body = request.body(caller, MAX_BODY).map_err(|error| match error {
        BodyError::TooLarge => too_large(),
        BodyError::NotBase64 => malformed("the body"),
    })?;
    let body = if body.is_empty() { b"{}" } else { body.as_ref() };
    let members = read_members(members(body).map_err(|_| malformed("the body"))?)?;
    Ok(AwsRequest {
        alone: PolicyRequest::new(alone(&members)?),
        added: PolicyRequest::new(added(&members)),
        includes_space: members.space == Some(true),
    })
}

/// The error for a key whose policy has no space.
#[must_use]
pub fn space_is_not_allowed() -> AwsError {
    AwsError::new("InvalidRequestException", "The policy of this API key requires that IncludeSpace is false.")
}

fn malformed(what: &str) -> AwsError {
    AwsError::new("SerializationException", format!("{what} has a wrong type"))
}

fn read_members(sent: Vec<(String, Value)>) -> Result<Members, AwsError> {
    let mut members = Members::default();
    let mut seen = Vec::new();
    for (name, value) in sent {
        if seen.contains(&name) {
            return Err(AwsError::new("SerializationException", "a member is given more than once"));
        }
        let boolean = |value: &Value, name| value.boolean(name).map(Some).map_err(|_| malformed(name));
        match name.as_str() {
            "PasswordLength" => members.length = Some(length(&value)?),
            "ExcludeCharacters" => {
                let text = value.string("ExcludeCharacters").map_err(|_| malformed("ExcludeCharacters"))?;
                if text.chars().count() > MAX_EXCLUDED {
                    let constraint = format!("length less than or equal to {MAX_EXCLUDED}");
                    return Err(AwsError::constraint("…", "excludeCharacters", &constraint));
                }
                members.excluded = Some(text);
            }
            "IncludeSpace" => members.space = boolean(&value, "IncludeSpace")?,
            "RequireEachIncludedType" => members.require_each = boolean(&value, "RequireEachIncludedType")?,
            other => {
                let exclude = EXCLUDE.into_iter().zip(&mut members.exclude).find(|(name, _)| *name == other);
                let unknown = || AwsError::new("ValidationException", "GetRandomPassword has no such member");
                let (name, option) = exclude.ok_or_else(unknown)?;
                *option = boolean(&value, name)?;
            }
        }
        seen.push(name);
    }
    Ok(members)
}

fn length(value: &Value) -> Result<u16, AwsError> {
    if let Ok(length) = value.integer("PasswordLength", 1, MAX_LENGTH) {
        return Ok(length);
    }
    let number = value.whole_number().ok_or_else(|| malformed("PasswordLength"))?;
    let constraint = if number > MAX_LENGTH.into() {
        format!("value less than or equal to {MAX_LENGTH}")
    } else {
        "value greater than or equal to 1".to_owned()
    };
    Err(AwsError::constraint(&number.to_string(), "passwordLength", &constraint))
}

/// The policy of a request: one set for each type, and one for the space.
fn alone(members: &Members) -> Result<Constraints, AwsError> {
    let excluded = CharSet::from_text(members.excluded.as_deref().unwrap_or_default());
    let require_each = members.require_each.unwrap_or(true);
    let mut charsets = Vec::new();
    let included = Class::ALL.into_iter().zip(members.exclude).filter(|(_, exclude)| *exclude != Some(true));
    for (class, _) in included {
        let all = if class == Class::Special { CharSet::punctuation() } else { class.characters() };
        charsets.push(Requirement { characters: all.without(excluded), min: u16::from(require_each) });
    }
    let types = charsets.len();
    if members.space == Some(true) {
        charsets.push(Requirement { characters: CharSet::space().without(excluded), min: 0 });
    }
    let invalid = |message: &str| Err(AwsError::new("InvalidParameterException", message));
    if charsets.iter().all(|set| set.characters.is_empty()) {
        return invalid("All characters have been excluded from selection.");
    }
    if charsets.iter().any(|set| set.min > 0 && set.characters.is_empty()) {
        return invalid("All characters of the desired type have been excluded.");
    }
    if require_each && members.length.is_some_and(|length| usize::from(length) < types) {
        return invalid("Password length is too short based on the required types.");
    }
    let min_length = members.length.is_none().then_some(DEFAULT_LENGTH);
    Ok(Constraints { length: members.length, min_length, charsets: Some(charsets), ..Constraints::default() })
}

/// What a request adds to a policy: only members that were sent, and that ask for less than everything.
fn added(members: &Members) -> Constraints {
    let classes =
        members.exclude.map(|exclude| ClassOptions { in_use: exclude.filter(|on| *on).map(|_| false), min: None });
    Constraints { length: members.length, exclude: members.excluded.clone(), classes, ..Constraints::default() }
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct Body<'a> {
    random_password: &'a str,
}

/// The answer with a password.
///
/// # Errors
/// The error of the JSON writer.
pub fn answer(generated: &Generated<'_>, request_id: &str) -> Result<Response, Error> {
    let response = generated.response(request_id, |texts| {
        let (password, _) = texts.members();
        serde_json::to_string(&Body { random_password: password.unwrap_or_default() })
    })?;
    Ok(with_headers(response, request_id))
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    __type: &'a str,
    message: &'a str,
}

/// An error with the name that AWS gives it.
pub(super) fn error(problem: &Problem, request_id: &str) -> Response {
    let (status, code) = match problem.kind() {
        Kind::Unauthorized => (400, "UnrecognizedClientException"),
        Kind::RateLimited => (400, "ThrottlingException"),
        Kind::Unavailable => (503, "InternalServiceError"),
        Kind::Internal => (500, "InternalServiceError"),
        Kind::Forbidden | Kind::HttpsRequired => (400, "AccessDeniedException"),
        _ => (400, "InvalidRequestException"),
    };
    let code = problem.aws_code().unwrap_or(code);
    let message = match code {
        "UnrecognizedClientException" => "The security token included in the request is invalid.",
        "ThrottlingException" => "Rate exceeded",
        _ => problem.detail(),
    };
    // A struct of strings always serialises.
    let body = serde_json::to_string(&ErrorBody { __type: code, message }).unwrap_or_default();
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let mut response = headers::new(status, CONTENT_TYPE, body, request_id);
    if let Some(wait) = problem.retry_after() {
        response
            .headers_mut()
            .insert("x-amz-retry-after", HeaderValue::from(wait.as_millis().try_into().unwrap_or(u64::MAX)));
    }
    with_headers(response, request_id)
}

fn with_headers(mut response: Response, request_id: &str) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-amzn-requestid", id);
    }
    response
}
