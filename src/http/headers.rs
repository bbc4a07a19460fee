//! Responses, the headers that every one has, and those of the rate limit and of cross-origin requests (the Fetch
//! standard, <https://fetch.spec.whatwg.org/#http-cors-protocol>): browsers show an answer only to the pages of the origins
//! that the deployment names.

use std::time::Duration;

use lambda_http::http::header::{self, HeaderName};
use lambda_http::http::{self, HeaderMap, HeaderValue, StatusCode};

use crate::access::Quota;

/// A response before it gets the form of its front end.
pub(crate) type Response = http::Response<Body>;

/// The body of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// A text.
    Text(String),
    /// Bytes that are not a text.
    Bytes(Vec<u8>),
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

pub(crate) const JSON: &str = "application/json";

const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// A response with the headers that every response has.
pub(crate) fn new(status: StatusCode, content_type: &'static str, body: impl Into<Body>, request_id: &str) -> Response {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in ALWAYS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
    response
}

/// A response without a body.
pub(crate) fn no_content(request_id: &str) -> Response {
    let mut response = new(StatusCode::NO_CONTENT, JSON, String::new(), request_id);
    response.headers_mut().remove(header::CONTENT_TYPE);
    response
}

/// Removes the body, for the answer to HEAD, and says how long it was (RFC 9110, section 8.6).
pub(crate) fn remove_body(response: &mut Response) {
    let length = match response.body() {
        Body::Text(text) => text.len(),
        Body::Bytes(bytes) => bytes.len(),
    };
    *response.body_mut() = Body::Text(String::new());
    if response.status() != StatusCode::NOT_MODIFIED {
        response.headers_mut().insert(header::CONTENT_LENGTH, length.into());
    }
}

/// Adds what remains of the caller's limits.
pub(crate) fn add_quota(response: &mut Response, quota: &Quota) {
    response.headers_mut().extend(quota_headers(quota));
}

/// What remains of the caller's limits, in the headers of draft-ietf-httpapi-ratelimit-headers-10.
pub(crate) fn quota_headers(quota: &Quota) -> [(HeaderName, HeaderValue); 2] {
    let Quota { limits, minute, minute_reset, day, day_reset } = quota;
    let policy = format!("\"minute\";q={};w=60, \"day\";q={};w=86400", limits.per_minute, limits.per_day);
    let [minute_reset, day_reset] = [minute_reset, day_reset].map(|&wait| whole_seconds(wait));
    let left = format!("\"minute\";r={minute};t={minute_reset}, \"day\";r={day};t={day_reset}");
    [("ratelimit-policy", policy), ("ratelimit", left)].map(|(name, value)| {
        // Digits, quotes and punctuation are always valid in a header.
        (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("")))
    })
}

/// A wait in seconds, rounded up.
pub(crate) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The headers that a page may send.
const REQUEST_HEADERS: &str = "Accept, Authorization, Content-Type, If-Match, If-None-Match, X-Api-Key";
/// The headers that a page may read.
const RESPONSE_HEADERS: &str = "ETag, RateLimit, RateLimit-Policy, Retry-After, X-Request-Id";
/// How long a browser may cache the answer to a preflight, in seconds: Chromium's maximum.
const MAX_AGE: &str = "7200";

/// The origins whose pages may read answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins(Vec<String>);

impl AllowedOrigins {
    /// Reads origins separated by commas; `None` if one of them is not an origin. `*` is not supported.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let origins = text.split(',').map(str::trim).map(|origin| is_origin(origin).then(|| origin.to_owned()));
        origins.collect::<Option<_>>().map(Self)
    }

    /// Adds the headers that let a page of one of these origins read the response.
    pub(crate) fn add_headers(&self, request: &HeaderMap, response: &mut Response) {
        if self.0.is_empty() {
            return;
        }
        let headers = response.headers_mut();
        // A cache must not use the answer for one origin for another.
        let vary = if headers.contains_key(header::VARY) { "Accept-Encoding, Origin" } else { "Origin" };
        headers.insert(header::VARY, HeaderValue::from_static(vary));
        let Some(origin) =
            request.get(header::ORIGIN).filter(|origin| self.0.iter().any(|known| *origin == known.as_str()))
        else {
            return;
        };
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
        headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, HeaderValue::from_static(RESPONSE_HEADERS));
        if request.contains_key(header::ACCESS_CONTROL_REQUEST_METHOD)
            && let Some(allow) = headers.get(header::ALLOW).cloned()
        {
            headers.insert(header::ACCESS_CONTROL_ALLOW_METHODS, allow);
            headers.insert(header::ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static(REQUEST_HEADERS));
            headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static(MAX_AGE));
        }
    }
}

/// Whether a text is an origin such as `https://app.example.com` or `http://localhost:3000`: a scheme, a host in lower
/// case, and optionally a port.
fn is_origin(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")) else { return false };
    let (host, port) = match rest.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, Some(port)),
        _ => (rest, None),
    };
    let is_host_byte = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-_[]:".contains(&byte);
    !host.is_empty() && host.bytes().all(is_host_byte) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{AllowedOrigins, whole_seconds};

    #[test]
    fn whole_seconds_of_wait_are_rounded_up() {
        for (milliseconds, seconds) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(milliseconds)), seconds, "{milliseconds} ms");
        }
    }

    #[test]
    fn origins_that_are_not_a_scheme_host_and_port_are_rejected() {
        for text in [
            "*",
            "",
            "app.example.com",
            "https://",
            "https://app.example.com/",
            "https://app.example.com/path",
            "https://App.example.com",
            "https://app.example.com:65536",
            "https://app.example.com:",
            "ftp://app.example.com",
            "https://app.example.com,",
        ] {
            assert_eq!(AllowedOrigins::parse(text), None, "{text}");
        }
        for text in ["https://app.example.com", "http://localhost:3000, https://[2001:db8::1]", "http://[::1]:8080"] {
            assert!(AllowedOrigins::parse(text).is_some(), "{text}");
        }
    }
}
