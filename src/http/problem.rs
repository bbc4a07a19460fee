//! `application/problem+json` (RFC 9457). Every error message that a caller can see stands here or in
//! the `Display` of [`PolicyError`](crate::password::PolicyError).

use std::time::Duration;

use lambda_http::http::header::{self, HeaderName};
use lambda_http::http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::request::RequestError;
use super::response::{self, Response};
use super::routes::NoRoute;
use crate::access::{Bar, Quota};

/// What a caller is told when the request is not answered, and what the audit line says of it.
#[derive(Debug)]
pub struct Problem {
    kind: Kind,
    detail: String,
    parameter: Option<String>,
    /// For the audit line only.
    cause: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

/// What went wrong, as far as a client would act on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    InvalidRequest,
    HttpsRequired,
    Unauthorized,
    Forbidden,
    NotFound,
    MethodNotAllowed,
    BodyTooLarge,
    UnsupportedMediaType,
    RateLimited,
    Internal,
    Unavailable,
}

impl Kind {
    /// The last part of `type`, and the `reason` of the audit line unless there is a closer one.
    const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid-request",
            Self::HttpsRequired => "https-required",
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::NotFound => "not-found",
            Self::MethodNotAllowed => "method-not-allowed",
            Self::BodyTooLarge => "body-too-large",
            Self::UnsupportedMediaType => "unsupported-media-type",
            Self::RateLimited => "rate-limited",
            Self::Internal => "internal-error",
            Self::Unavailable => "unavailable",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::InvalidRequest => "The request is not valid",
            Self::HttpsRequired => "HTTPS is required",
            Self::Unauthorized => "No valid API key",
            Self::Forbidden => "Not allowed",
            Self::NotFound => "Not found",
            Self::MethodNotAllowed => "Method not allowed",
            Self::BodyTooLarge => "The body is too large",
            Self::UnsupportedMediaType => "Unsupported media type",
            Self::RateLimited => "Rate limit exceeded",
            Self::Internal => "Internal error",
            Self::Unavailable => "Temporarily unavailable",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::InvalidRequest | Self::HttpsRequired => StatusCode::BAD_REQUEST,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::NotFound => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::UnsupportedMediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::RateLimited => StatusCode::TOO_MANY_REQUESTS,
            Self::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

/// The members of the body.
#[derive(Serialize)]
struct Members<'a> {
    #[serde(rename = "type")]
    kind: String,
    title: &'static str,
    status: u16,
    detail: &'a str,
    /// What clients of older services of this kind read.
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
}

impl Problem {
    fn new(kind: Kind, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self { kind, detail, parameter: None, cause: None, headers: Vec::new() }
    }

    /// The event is not an HTTP request.
    #[must_use]
    pub fn unknown_event() -> Self {
        Self::new(
            Kind::InvalidRequest,
            "This is not an HTTP request of API Gateway, a Function URL or a load balancer.",
        )
        .caused_by("unknown-event")
    }

    /// The request says that it came over plain HTTP.
    #[must_use]
    pub fn https_required() -> Self {
        Self::new(Kind::HttpsRequired, "Send this request over HTTPS; the key in it should be replaced.")
    }

    /// The key does not admit, for a reason that only the audit line names.
    #[must_use]
    pub fn unauthorized(reason: &'static str) -> Self {
        let detail = "Send a valid API key as X-Api-Key or as Authorization: Bearer.";
        let mut problem = Self::new(Kind::Unauthorized, detail).caused_by(reason);
        let challenge = HeaderValue::from_static("Bearer realm=\"passloom\"");
        problem.headers.push((header::WWW_AUTHENTICATE, challenge));
        problem
    }

    /// Two different keys came with the request.
    #[must_use]
    pub fn conflicting_keys() -> Self {
        Self::new(Kind::InvalidRequest, "The request carries different API keys; send one.")
            .caused_by("conflicting-keys")
    }

    /// Callers are told apart by address, and the front end does not say it.
    #[must_use]
    pub fn address_unknown() -> Self {
        let detail = "This deployment counts requests by address, and the address of this one is not known.";
        Self::new(Kind::Forbidden, detail).caused_by("address-unknown")
    }

    /// The limits are used up.
    #[must_use]
    pub fn rate_limited(quota: &Quota, retry_after: Duration) -> Self {
        let seconds = response::whole_seconds(retry_after);
        let mut problem = Self::new(Kind::RateLimited, format!("Try again in {seconds} seconds."));
        problem.headers.push((header::RETRY_AFTER, HeaderValue::from(seconds)));
        problem.headers.extend(response::quota_headers(quota));
        problem
    }

    /// The counter cannot be reached.
    #[must_use]
    pub fn unavailable(cause: &str) -> Self {
        let mut problem =
            Self::new(Kind::Unavailable, "The request could not be counted, so it was not answered. Try again.");
        problem.headers.push((header::RETRY_AFTER, HeaderValue::from_static("1")));
        problem.caused_by(&format!("store: {cause}"))
    }

    /// Something failed that must not.
    #[must_use]
    pub fn internal(cause: &str) -> Self {
        Self::new(Kind::Internal, "Something failed on this side. Nothing was generated.").caused_by(cause)
    }

    fn caused_by(mut self, cause: &str) -> Self {
        self.cause = Some(cause.to_owned());
        self
    }

    /// The status of the answer.
    #[must_use]
    pub const fn status(&self) -> StatusCode {
        self.kind.status()
    }

    /// What the audit line says. Never anything that the caller sent, but for the name of a parameter
    /// that exists.
    #[must_use]
    pub fn reason(&self) -> String {
        self.cause.clone().unwrap_or_else(|| self.kind.name().to_owned())
    }

    /// The answer.
    #[must_use]
    pub fn to_response(&self, request_id: &str) -> Response {
        let members = Members {
            kind: format!("urn:passloom:problem:{}", self.kind.name()),
            title: self.kind.title(),
            status: self.status().as_u16(),
            detail: &self.detail,
            error: if self.kind == Kind::RateLimited { self.kind.title() } else { &self.detail },
            parameter: self.parameter.as_deref(),
        };
        // A struct of strings and a number always serialises.
        let body = serde_json::to_string(&members).unwrap_or_default();
        let mut answer = response::new(self.status(), "application/problem+json", body, request_id);
        answer.headers_mut().extend(self.headers.iter().cloned());
        answer
    }
}

impl From<Bar> for Problem {
    fn from(bar: Bar) -> Self {
        let (detail, reason) = match bar {
            Bar::Expired => ("This API key has expired.", "key-expired"),
            Bar::Address => ("This API key may not be used from this address.", "address-not-allowed"),
        };
        Self::new(Kind::Forbidden, detail).caused_by(reason)
    }
}

impl From<NoRoute> for Problem {
    fn from(error: NoRoute) -> Self {
        match error {
            NoRoute::Path => Self::new(Kind::NotFound, "There is nothing here; passwords are at /api/generate."),
            NoRoute::Method { allow } => {
                let mut problem = Self::new(Kind::MethodNotAllowed, format!("This path answers {allow}."));
                problem.headers.push((header::ALLOW, HeaderValue::from_static(allow)));
                problem
            }
        }
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        let (kind, parameter, detail) = match error {
            RequestError::UnknownParameter { name, meant } => return Self::unknown_parameter(&name, meant),
            RequestError::RepeatedParameter(name) => {
                (Kind::InvalidRequest, Some(name), format!("{name} is given more than once"))
            }
            RequestError::NotABoolean(name) => {
                (Kind::InvalidRequest, Some(name), format!("{name} must be true or false"))
            }
            RequestError::NotInRange { parameter, least, most } => (
                Kind::InvalidRequest,
                Some(parameter),
                format!("{parameter} must be a whole number from {least} to {most}"),
            ),
            RequestError::NotAString(name) => (Kind::InvalidRequest, Some(name), format!("{name} must be a string")),
            RequestError::NotAName { parameter, names } => {
                (Kind::InvalidRequest, Some(parameter), format!("{parameter} must be one of {names}"))
            }
            RequestError::Missing(name) => (Kind::InvalidRequest, Some(name), format!("{name} is missing")),
            RequestError::Phrase(error) => (Kind::InvalidRequest, Some(error.parameter()), error.to_string()),
            RequestError::QueryEncoding => {
                (Kind::InvalidRequest, None, "the query must be UTF-8 in percent-encoding".into())
            }
            RequestError::BodyEncoding => (Kind::InvalidRequest, None, "the body is not valid base64".into()),
            RequestError::BodyNotAnObject => (Kind::InvalidRequest, None, "the body must be a JSON object".into()),
            RequestError::BodyWithGet => {
                (Kind::InvalidRequest, None, "GET takes its parameters in the query and no body; send a POST".into())
            }
            RequestError::QueryWithPost => {
                (Kind::InvalidRequest, None, "POST takes its parameters in the JSON body, not in the query".into())
            }
            RequestError::BodyTooLarge => (Kind::BodyTooLarge, None, "the body may have 16384 bytes at most".into()),
            RequestError::MediaType => (Kind::UnsupportedMediaType, None, "the body must be application/json".into()),
            RequestError::Policy(error) => (Kind::InvalidRequest, error.parameter(), error.to_string()),
        };
        let mut problem = Self::new(kind, detail + ".");
        problem.parameter = parameter.map(str::to_owned);
        problem.cause = parameter.map(|name| format!("{}: {name}", kind.name()));
        problem
    }
}

impl Problem {
    fn unknown_parameter(name: &str, meant: Option<&'static str>) -> Self {
        // What looks like no name at all may be anything, a secret in the wrong place included.
        let plain = name.len() <= 32 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte));
        let mut detail =
            if plain { format!("there is no parameter {name}") } else { "there is no such parameter".into() };
        if let Some(meant) = meant {
            detail.extend(["; ", meant, " may be meant"]);
        }
        let mut problem = Self::new(Kind::InvalidRequest, detail + ".").caused_by("unknown-parameter");
        problem.parameter = plain.then(|| name.to_owned());
        problem
    }
}
