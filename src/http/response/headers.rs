//! The headers that every response has, and those of the rate limit.

use std::time::Duration;

use lambda_http::http::header::{self, HeaderName};
use lambda_http::http::{self, HeaderValue, StatusCode};

use crate::access::Quota;

/// A response before it gets the form of its front end.
pub type Response = http::Response<Body>;

/// The body of a response.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
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

pub(in crate::http) const JSON: &str = "application/json";

const ALWAYS: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// A response with the headers that every response has.
pub(in crate::http) fn new(
    status: StatusCode,
    content_type: &'static str,
    body: impl Into<Body>,
    request_id: &str,
) -> Response {
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

/// Removes the body, for the answer to HEAD.
pub fn remove_body(response: &mut Response) {
    *response.body_mut() = Body::Text(String::new());
}

/// Adds what remains of the caller's limits.
pub fn add_quota(response: &mut Response, quota: &Quota) {
    response.headers_mut().extend(quota_headers(quota));
}

/// What remains of the caller's limits, in the headers of draft-ietf-httpapi-ratelimit-headers-10.
pub(super) fn quota_headers(quota: &Quota) -> [(HeaderName, HeaderValue); 2] {
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
pub(in crate::http) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::whole_seconds;

    #[test]
    fn whole_seconds_of_wait_are_rounded_up() {
        for (milliseconds, seconds) in [(0, 0), (1, 1), (999, 1), (1_000, 1), (1_001, 2)] {
            assert_eq!(whole_seconds(Duration::from_millis(milliseconds)), seconds, "{milliseconds} ms");
        }
    }
}
