//! `GetRandomPassword` of AWS Secrets Manager (JSON protocol 1.1).
//! <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetRandomPassword.html>

use lambda_http::http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::json;

use super::Dialect;
use crate::access::{ApiKey, Authenticated};
use crate::admission::{Failure, Line};
use crate::http::headers::{self, Response};
use crate::http::lambda::HttpRequest;
use crate::http::parameters::{self, Value};
use crate::http::problem::{Kind, Problem};
use crate::http::request_error::RequestError;
use crate::http::routes::AWS_TARGET;
use crate::operations::generate::{Generate, GenerateRequest, Passwords};
use crate::operations::policy_parameters::{PolicyRequest, WhenBound};
use crate::password::{CharSet, Class, ClassOptions, Constraints, Requirement};

/// AWS Secrets Manager's API.
pub(crate) struct Aws;

const OPERATION: &str = "secretsmanager.GetRandomPassword";
const CONTENT_TYPE: &str = "application/x-amz-json-1.1";
/// The largest body, in bytes: `ExcludeCharacters` alone may have 4096 characters.
const MAX_BODY: usize = 32 << 10;
const DEFAULT_LENGTH: u16 = 32;
const MAX_LENGTH: u16 = 4096;
const MAX_EXCLUDED: usize = 4096;

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
pub(crate) fn keys(headers: &HeaderMap) -> Vec<&str> {
    let tokens = headers.get_all("x-amz-security-token").iter().map(|token| token.to_str().unwrap_or_default());
    let ids = headers.get_all(header::AUTHORIZATION).iter().filter_map(|value| {
        let credential = value.to_str().ok()?.strip_prefix("AWS4-HMAC-SHA256")?.split_once("Credential=")?.1;
        credential.split('/').next().filter(|id| id.starts_with(ApiKey::PREFIX))
    });
    tokens.chain(ids).collect()
}

impl Dialect<Generate> for Aws {
    fn read(http: &HttpRequest, caller: &Authenticated) -> Result<GenerateRequest, Failure> {
        if http.headers.get(AWS_TARGET).is_none_or(|target| target != OPERATION) {
            let message = "This service has only GetRandomPassword";
            return Err(RequestError::aws("UnknownOperationException", message).into());
        }
        let body = http.body(caller, MAX_BODY).map_err(|error| match error {
            RequestError::BodyTooLarge => {
                RequestError::aws("ValidationException", "The body has more than 32768 bytes")
            }
            _ => malformed("the body"),
        })?;
        let body = if body.is_empty() { b"{}" } else { body.as_ref() };
        let members = read_members(parameters::members(body).map_err(|_| malformed("the body"))?)?;
        let no_space = || {
            let message = "The policy of this API key requires that IncludeSpace is false.";
            (CharSet::space(), RequestError::aws("InvalidRequestException", message))
        };
        let requires = (members.space == Some(true)).then(no_space);
        let when_bound = WhenBound { constraints: added(&members), requires };
        Ok(GenerateRequest::of_one(PolicyRequest::of_constraints(alone(&members)?, when_bound)))
    }

    fn answer(answer: Passwords, line: &Line) -> Result<Response, Failure> {
        let response = answer.generated.response(line.request_id(), |texts| {
            let (password, _) = texts.members();
            serde_json::to_string(&Body { random_password: password.unwrap_or_default() })
        })?;
        Ok(with_headers(response, line.request_id()))
    }
}

/// A value that is out of its range.
fn out_of_range(value: &str, member: &str, constraint: &str) -> RequestError {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must have \
         {constraint}"
    );
    RequestError::aws("ValidationException", message)
}

fn malformed(what: &str) -> RequestError {
    RequestError::aws("SerializationException", format!("{what} has a wrong type"))
}

fn read_members(sent: Vec<(String, Value)>) -> Result<Members, RequestError> {
    let mut members = Members::default();
    let mut seen = Vec::new();
    for (name, value) in sent {
        if seen.contains(&name) {
            return Err(RequestError::aws("SerializationException", "a member is given more than once"));
        }
        let boolean = |value: &Value, name| value.boolean(name).map(Some).map_err(|_| malformed(name));
        match name.as_str() {
            "PasswordLength" => members.length = Some(length(&value)?),
            "ExcludeCharacters" => {
                let text = value.string("ExcludeCharacters").map_err(|_| malformed("ExcludeCharacters"))?;
                if text.chars().count() > MAX_EXCLUDED {
                    let constraint = format!("length less than or equal to {MAX_EXCLUDED}");
                    return Err(out_of_range("…", "excludeCharacters", &constraint));
                }
                members.excluded = Some(text);
            }
            "IncludeSpace" => members.space = boolean(&value, "IncludeSpace")?,
            "RequireEachIncludedType" => members.require_each = boolean(&value, "RequireEachIncludedType")?,
            other => {
                let exclude = EXCLUDE.into_iter().zip(&mut members.exclude).find(|(name, _)| *name == other);
                let unknown = || RequestError::aws("ValidationException", "GetRandomPassword has no such member");
                let (name, option) = exclude.ok_or_else(unknown)?;
                *option = boolean(&value, name)?;
            }
        }
        seen.push(name);
    }
    Ok(members)
}

fn length(value: &Value) -> Result<u16, RequestError> {
    if let Ok(length) = value.integer("PasswordLength", 1, MAX_LENGTH) {
        return Ok(length);
    }
    let number = value.whole_number().ok_or_else(|| malformed("PasswordLength"))?;
    let constraint = if number > MAX_LENGTH.into() {
        format!("value less than or equal to {MAX_LENGTH}")
    } else {
        "value greater than or equal to 1".to_owned()
    };
    Err(out_of_range(&number.to_string(), "passwordLength", &constraint))
}

/// The policy of a request: one set for each type, and one for the space.
fn alone(members: &Members) -> Result<Constraints, RequestError> {
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
    let invalid = |message: &str| Err(RequestError::aws("InvalidParameterException", message));
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

/// A problem with the name that AWS gives it. `failure` is its cause.
pub(crate) fn error(problem: &Problem, failure: Option<&Failure>, request_id: &str) -> Response {
    let (status, code) = match problem.kind {
        Kind::Unauthorized => (400, "UnrecognizedClientException"),
        Kind::RateLimited => (400, "ThrottlingException"),
        Kind::Unavailable => (503, "InternalServiceError"),
        Kind::Internal => (500, "InternalServiceError"),
        Kind::Forbidden | Kind::HttpsRequired => (400, "AccessDeniedException"),
        _ => (400, "InvalidRequestException"),
    };
    let code = match failure {
        Some(Failure::Request(RequestError::Aws { code, .. })) => code,
        Some(Failure::BoundKey(_)) => "InvalidRequestException",
        _ => code,
    };
    let message = match code {
        "UnrecognizedClientException" => "The security token included in the request is invalid.",
        "ThrottlingException" => "Rate exceeded",
        _ => &problem.detail,
    };
    let body = json!({ "__type": code, "message": message }).to_string();
    let status = StatusCode::from_u16(status).unwrap_or_default();
    let mut response = headers::new(status, CONTENT_TYPE, body, request_id);
    if let Some(wait) = problem.retry_after {
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
