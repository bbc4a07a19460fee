//! Errors as `application/problem+json` (RFC 9457): what a client sees of each.

use std::time::Duration;

use lambda_http::http::header::HeaderName;
use lambda_http::http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::headers::{self, Response};
use super::request_error::RequestError;

/// What a client sees of an error.
#[derive(Debug)]
pub(crate) struct Problem {
    pub(crate) kind: Kind,
    /// What is wrong, in words.
    pub(crate) detail: String,
    /// The parameter that is wrong, if it is one.
    pub(crate) parameter: Option<String>,
    /// How long to wait before the next request.
    pub(crate) retry_after: Option<Duration>,
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
    instance: String,
    /// The member that clients of older services of this kind read.
    error: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
}

impl Problem {
    /// A problem of this kind.
    pub(crate) fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into(), parameter: None, retry_after: None, headers: Vec::new() }
    }

    /// Adds a header that the response has in this service's own form.
    pub(crate) fn add(&mut self, name: HeaderName, value: HeaderValue) {
        self.headers.push((name, value));
    }

    /// Something failed that must not fail.
    pub(crate) fn internal() -> Self {
        Self::new(Kind::Internal, "Internal error. No password was generated.")
    }

    /// The response in this service's own form.
    pub(crate) fn to_response(&self, request_id: &str) -> Response {
        let body = Body {
            kind: format!("urn:passloom:problem:{}", self.kind.name()),
            title: self.kind.title(),
            status: self.kind.status().as_u16(),
            detail: &self.detail,
            instance: instance(request_id),
            error: if self.kind == Kind::RateLimited { self.kind.title() } else { &self.detail },
            parameter: self.parameter.as_deref(),
        };
        // A struct of strings and a number always serialises.
        let body = serde_json::to_string(&body).unwrap_or_default();
        let mut response = headers::new(self.kind.status(), "application/problem+json", body, request_id);
        response.headers_mut().extend(self.headers.iter().cloned());
        response
    }
}

/// The URN of a request. Some front ends have ids that are not UUIDs.
fn instance(request_id: &str) -> String {
    let is_uuid_byte = |(at, byte): (usize, u8)| match at {
        8 | 13 | 18 | 23 => byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    };
    if request_id.len() == 36 && request_id.bytes().enumerate().all(is_uuid_byte) {
        return format!("urn:uuid:{request_id}");
    }
    let encoded = request_id.bytes().map(|byte| match byte {
        b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    });
    format!("urn:passloom:request:{}", encoded.collect::<String>())
}

impl From<&RequestError> for Problem {
    fn from(error: &RequestError) -> Self {
        let kind = match error {
            RequestError::BodyTooLarge => Kind::BodyTooLarge,
            RequestError::MediaType => Kind::UnsupportedMediaType,
            _ => Kind::InvalidRequest,
        };
        let detail = match error {
            // It is in AWS's words, or a question.
            RequestError::Aws { .. } | RequestError::UnknownParameter { suggestion: Some(_), .. } => error.to_string(),
            _ => format!("{error}."),
        };
        Self { parameter: error.parameter().map(str::to_owned), ..Self::new(kind, detail) }
    }
}

#[cfg(test)]
mod tests {
    use super::instance;

    #[test]
    fn instance_is_a_urn_of_the_request_id() {
        for (id, expected) in [
            ("8f1c1b0e-6d3c-4a53-9d1f-2b7c0a5e4d10", "urn:uuid:8f1c1b0e-6d3c-4a53-9d1f-2b7c0a5e4d10"),
            ("8f1c1b0e-6d3c-4a53-9d1f-2b7c0a5e4d1g", "urn:passloom:request:8f1c1b0e-6d3c-4a53-9d1f-2b7c0a5e4d1g"),
            ("8f1c1b0e06d3c-4a53-9d1f-2b7c0a5e4d10", "urn:passloom:request:8f1c1b0e06d3c-4a53-9d1f-2b7c0a5e4d10"),
            ("JKJaXmPLvHcESHA=", "urn:passloom:request:JKJaXmPLvHcESHA%3D"),
            ("a b/\u{e9}", "urn:passloom:request:a%20b%2F%C3%A9"),
        ] {
            assert_eq!(instance(id), expected);
        }
    }
}
