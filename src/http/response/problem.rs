//! Errors as `application/problem+json` (RFC 9457): what a client sees of each.

use std::time::Duration;

use lambda_http::http::header::{self, HeaderName};
use lambda_http::http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::headers::{self, Response};
use crate::access::{BookFull, Denial, MAX_DESCRIPTION, Quota};
use crate::http::lambda::MAX_BODY;
use crate::http::request::{AwsError, MAX_CHARACTERS, RequestError};
use crate::http::routes::NoRoute;

/// What a client sees of an error.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    parameter: Option<String>,
    /// The name of the error in AWS's API, if it has one of its own.
    aws_code: Option<&'static str>,
    /// How long to wait before the next request.
    retry_after: Option<Duration>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

named_enum! {
    /// The type of a problem. A new one exists only if a client would act on it.
    pub enum Kind {
        /// The request is not valid.
        InvalidRequest = "invalid-request",
        /// It came over plain HTTP.
        HttpsRequired = "https-required",
        /// It has no valid key.
        Unauthorized = "unauthorized",
        /// Its key may not do this.
        Forbidden = "forbidden",
        /// Its path does not exist.
        NotFound = "not-found",
        /// Its policy does not exist.
        NoPolicy = "policy-not-found",
        /// Its path does not have this method.
        MethodNotAllowed = "method-not-allowed",
        /// Its client does not accept the form of the answer.
        NotAcceptable = "not-acceptable",
        /// Its body is too large.
        BodyTooLarge = "body-too-large",
        /// Its body is not JSON.
        UnsupportedMediaType = "unsupported-media-type",
        /// The limits of its caller are used up.
        RateLimited = "rate-limited",
        /// Its precondition does not hold.
        PreconditionFailed = "precondition-failed",
        /// It contradicts what is stored.
        Conflict = "conflict",
        /// Something failed that must not fail.
        Internal = "internal-error",
        /// The database cannot be used at the moment.
        Unavailable = "unavailable",
    }
}

impl Kind {
    const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is not valid",
            Self::HttpsRequired => "HTTPS is required",
            Self::Unauthorized => "No valid API key",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Not found",
            Self::NoPolicy => "No such policy",
            Self::MethodNotAllowed => "Method not allowed",
            Self::NotAcceptable => "Not acceptable",
            Self::BodyTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::RateLimited => "Rate limit exceeded",
            Self::Internal => "Internal error",
            Self::PreconditionFailed => "Precondition failed",
            Self::Conflict => "Conflict",
            Self::Unavailable => "Temporarily unavailable",
        }
    }

    /// The status of the response.
    #[must_use]
    pub const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::HttpsRequired => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound | Self::NoPolicy => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAcceptable => StatusCode::NOT_ACCEPTABLE,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::PreconditionFailed => StatusCode::PRECONDITION_FAILED,
            Self::Conflict => StatusCode::CONFLICT,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The members of the body.
#[derive(Serialize)]
struct Body<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    /// The member that clients of older services of this kind read.
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
}

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), parameter: None, aws_code: None, retry_after: None, headers: Vec::new() }
    }

    fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The event is not an HTTP request.
    #[must_use]
    pub fn unknown_event() -> Self {
        Self::new(
            Kind::InvalidRequest,
            "The event is not an HTTP request of API Gateway, a Function URL or a load balancer.",
        )
    }

    /// The request came over plain HTTP.
    #[must_use]
    pub fn https_required() -> Self {
        Self::new(Kind::HttpsRequired, "Send the request over HTTPS, and replace the API key that it contained.")
    }

    /// The request has no valid key. The answer is the same for every cause.
    #[must_use]
    pub fn unauthorized() -> Self {
        let detail = "Send a valid API key in the header X-Api-Key or Authorization: Bearer.";
        let challenge = HeaderValue::from_static("Bearer realm=\"passloom\"");
        Self::new(Kind::Unauthorized, detail).with_header(header::WWW_AUTHENTICATE, challenge)
    }

    /// The request has different keys.
    #[must_use]
    pub fn conflicting_keys() -> Self {
        Self::new(Kind::InvalidRequest, "The request has different API keys; send only one.")
    }

    /// Requests are counted by address, and the front end does not report it reliably.
    #[must_use]
    pub fn address_unknown() -> Self {
        let detail = "This deployment counts requests by address, and the address of this request is not known.";
        Self::new(Kind::Forbidden, detail)
    }

    /// The key may not be used.
    #[must_use]
    pub fn denied(denial: Denial) -> Self {
        Self::new(
            Kind::Forbidden,
            match denial {
                Denial::Expired => "This API key has expired.",
                Denial::Address => "This API key may not be used from this address.",
            },
        )
    }

    /// The key is bound to something else.
    #[must_use]
    pub fn bound_key(detail: &str) -> Self {
        Self { aws_code: Some("InvalidRequestException"), ..Self::new(Kind::Forbidden, detail) }
    }

    /// The key may not manage policies.
    #[must_use]
    pub fn not_administrator() -> Self {
        Self::new(Kind::Forbidden, "Only the API key of an administrator may change policies.")
    }

    /// There is no such policy.
    #[must_use]
    pub fn no_policy() -> Self {
        Self::new(
            Kind::NoPolicy,
            "This policy does not exist; GET /api/policies and GET /api/presets list all policies.",
        )
    }

    /// The precondition of a change of a policy does not hold.
    #[must_use]
    pub fn precondition_failed() -> Self {
        let detail = "The policy is not as If-Match or If-None-Match requires; read it again, and then change it.";
        Self::new(Kind::PreconditionFailed, detail)
    }

    /// There is no room for another policy.
    #[must_use]
    pub fn book_full(full: BookFull) -> Self {
        Self::new(
            Kind::Conflict,
            match full {
                BookFull::Policies => "This deployment has 64 policies, and may have no more; delete one first.",
                BookFull::Bytes => "All policies together may have 64 KiB; shorten this one, or delete another.",
            },
        )
    }

    /// The stored policies could not be read or written.
    #[must_use]
    pub fn policies_unavailable() -> Self {
        Self::new(Kind::Unavailable, "The stored policies could not be used, so nothing was generated. Try again.")
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// The limits are used up.
    #[must_use]
    pub fn rate_limited(quota: &Quota, retry_after: Duration) -> Self {
        let seconds = headers::whole_seconds(retry_after);
        let mut problem = Self::new(Kind::RateLimited, format!("Try again in {seconds} seconds."))
            .with_header(header::RETRY_AFTER, HeaderValue::from(seconds));
        problem.headers.extend(headers::quota_headers(quota));
        problem.retry_after = Some(retry_after);
        problem
    }

    /// The request could not be counted.
    #[must_use]
    pub fn unavailable() -> Self {
        Self::new(Kind::Unavailable, "The request could not be counted, so no password was generated. Try again.")
            .with_header(header::RETRY_AFTER, HeaderValue::from_static("1"))
    }

    /// Something failed that must not fail.
    #[must_use]
    pub fn internal() -> Self {
        Self::new(Kind::Internal, "Internal error. No password was generated.")
    }

    /// No operation has the path and the method.
    #[must_use]
    pub fn no_route(error: NoRoute) -> Self {
        match error {
            NoRoute::Path => Self::new(Kind::NotFound, "This path does not exist; /openapi.json lists all paths."),
            NoRoute::Method { allow } => Self::new(Kind::MethodNotAllowed, format!("This path supports {allow}."))
                .with_header(header::ALLOW, HeaderValue::from_static(allow)),
        }
    }

    /// The client does not accept gzip.
    #[must_use]
    pub fn not_acceptable() -> Self {
        Self::new(Kind::NotAcceptable, "This file is available in gzip only; send Accept-Encoding: gzip.")
    }

    /// The request is not valid.
    #[must_use]
    pub fn invalid(error: &RequestError) -> Self {
        let (kind, parameter, detail) = match error {
            RequestError::Aws(AwsError { code, message }) => {
                return Self { aws_code: Some(code), ..Self::new(Kind::InvalidRequest, message.clone()) };
            }
            RequestError::Vault(message) => (Kind::InvalidRequest, None, message.clone()),
            RequestError::UnknownParameter { name, suggestion } => return Self::unknown_parameter(name, *suggestion),
            RequestError::RepeatedParameter(name) => {
                (Kind::InvalidRequest, Some(*name), format!("{name} is given more than once"))
            }
            RequestError::NotABoolean(name) => {
                (Kind::InvalidRequest, Some(*name), format!("{name} must be true or false"))
            }
            RequestError::NotInRange { parameter, min, max } => (
                Kind::InvalidRequest,
                Some(*parameter),
                format!("{parameter} must be a whole number from {min} to {max}"),
            ),
            RequestError::NotAString(name) => (Kind::InvalidRequest, Some(*name), format!("{name} must be a string")),
            RequestError::PolicyName => (
                Kind::InvalidRequest,
                None,
                "The name of a policy has 1 to 63 of a-z, 0-9, ., _ and -, begins with a letter or digit, and is not \
                 that of a preset"
                    .into(),
            ),
            RequestError::Description => (
                Kind::InvalidRequest,
                Some("description"),
                format!("description must have at most {MAX_DESCRIPTION} characters"),
            ),
            RequestError::Invisible { parameter, character } => (
                Kind::InvalidRequest,
                Some(*parameter),
                format!("{parameter} must not have {character} or another control, format or bidirectional character"),
            ),
            RequestError::Precondition => (
                Kind::InvalidRequest,
                None,
                "Send If-Match with the tag of the policy, or If-None-Match: * for a new policy, and not both".into(),
            ),
            RequestError::OnlyInJson(name) => {
                (Kind::InvalidRequest, Some(*name), format!("{name} must be sent in the JSON body of a POST"))
            }
            RequestError::NotAListOfObjects(name) => {
                (Kind::InvalidRequest, Some(*name), format!("{name} must be a list of objects"))
            }
            RequestError::Charset { position, problem } => {
                (Kind::InvalidRequest, Some("charsets"), format!("charsets, set {position}: {problem}"))
            }
            RequestError::AnswerTooLong { count, length } => (
                Kind::InvalidRequest,
                Some("count"),
                format!(
                    "{count} passwords of length {length} are {} characters, more than the {MAX_CHARACTERS} of an \
                     answer; decrease count or length",
                    u32::from(*count) * u32::from(*length)
                ),
            ),
            RequestError::NotAName { parameter, names } => {
                (Kind::InvalidRequest, Some(*parameter), format!("{parameter} must be one of {names}"))
            }
            RequestError::Missing(name) => (Kind::InvalidRequest, Some(*name), format!("{name} is missing")),
            RequestError::QueryEncoding => {
                (Kind::InvalidRequest, None, "The query must be UTF-8 in percent-encoding".into())
            }
            RequestError::BodyEncoding => (Kind::InvalidRequest, None, "The body must be valid base64".into()),
            RequestError::BodyNotAnObject => (Kind::InvalidRequest, None, "The body must be a JSON object".into()),
            RequestError::BodyWithGet => {
                (Kind::InvalidRequest, None, "A GET request must have no body; use the query, or send a POST".into())
            }
            RequestError::QueryWithPost => {
                (Kind::InvalidRequest, None, "A POST request must have no query; use the JSON body".into())
            }
            RequestError::BodyTooLarge => {
                (Kind::BodyTooLarge, None, format!("The body must have at most {MAX_BODY} bytes"))
            }
            RequestError::MediaType => (Kind::UnsupportedMediaType, None, "The body must be application/json".into()),
            RequestError::Policy { error, parameter } => (Kind::InvalidRequest, *parameter, error.to_string()),
            RequestError::Passphrase(error) => (Kind::InvalidRequest, Some(error.parameter()), error.to_string()),
        };
        Self { parameter: parameter.map(str::to_owned), ..Self::new(kind, detail + ".") }
    }

    fn unknown_parameter(name: &str, suggestion: Option<&str>) -> Self {
        // A text that does not look like a name may be anything, for example a secret in the wrong place.
        let plain = name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let unknown = if plain { format!("Unknown parameter \"{name}\"") } else { "Unknown parameter".to_owned() };
        let detail = match suggestion {
            None => format!("{unknown}."),
            Some(known) => format!("{unknown}; did you mean \"{known}\"?"),
        };
        Self { parameter: plain.then(|| name.to_owned()), ..Self::new(Kind::InvalidRequest, detail) }
    }

    /// The status of the response.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// What is wrong, as the API's own form classifies it.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The name of the error in AWS's API, if it has one of its own.
    #[must_use]
    pub const fn aws_code(&self) -> Option<&'static str> {
        self.aws_code
    }

    /// How long to wait before the next request.
    #[must_use]
    pub const fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// What is wrong, in words.
    #[must_use]
    pub fn detail(&self) -> &str {
        &self.detail
    }

    /// The parameter that is wrong, if it is one.
    #[must_use]
    pub fn parameter(&self) -> Option<&str> {
        self.parameter.as_deref()
    }

    /// The response.
    #[must_use]
    pub fn to_response(&self, request_id: &str) -> Response {
        let body = Body {
            kind: format!("urn:passloom:problem:{}", self.kind.name()),
            title: self.kind.title(),
            status: self.status().as_u16(),
            detail: &self.detail,
            error: if self.kind == Kind::RateLimited { self.kind.title() } else { &self.detail },
            parameter: self.parameter.as_deref(),
        };
        // A struct of strings and a number always serialises.
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut response = headers::new(self.status(), "application/problem+json", body, request_id);
        response.headers_mut().extend(self.headers.iter().cloned());
        response
    }
}
