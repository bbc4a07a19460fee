//! JSON or plain text, and the headers that every answer carries.

use std::time::Duration;

use lambda_http::http::header::{self, HeaderName};
use lambda_http::http::{self, HeaderMap, HeaderValue, StatusCode};

use crate::access::Quota;

/// An answer on its way out.
pub type Response = http::Response<String>;

const ON_EVERY_ANSWER: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

/// The same without its body: the answer to HEAD.
pub fn without_body(response: &mut Response) {
    response.body_mut().clear();
}

/// An answer with the headers that every answer carries.
pub(super) fn new(status: StatusCode, content_type: &'static str, body: String, request_id: &str) -> Response {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    for (name, value) in ON_EVERY_ANSWER {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert("x-request-id", id);
    }
    response
}

/// What is left of the caller's limits (draft-ietf-httpapi-ratelimit-headers-10), as headers.
pub(super) fn quota_headers(quota: &Quota) -> [(HeaderName, HeaderValue); 2] {
    let Quota { limits, minute, minute_reset, day, day_reset } = quota;
    let policy = format!("\"minute\";q={};w=60, \"day\";q={};w=86400", limits.per_minute, limits.per_day);
    let [minute_reset, day_reset] = [minute_reset, day_reset].map(|&wait| whole_seconds(wait));
    let left = format!("\"minute\";r={minute};t={minute_reset}, \"day\";r={day};t={day_reset}");
    [("ratelimit-policy", policy), ("ratelimit", left)].map(|(name, value)| {
        // Digits, quotes and punctuation are all good in a header.
        (HeaderName::from_static(name), HeaderValue::try_from(value).unwrap_or(HeaderValue::from_static("")))
    })
}

/// Says in an answer what is left of the caller's limits.
pub fn add_quota(response: &mut Response, quota: &Quota) {
    response.headers_mut().extend(quota_headers(quota));
}

/// A wait in seconds, never too short.
pub(super) fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

/// The form of an answer that a caller prefers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// A JSON object.
    Json,
    /// The bare passwords, one a line.
    Text,
}

impl Format {
    /// Reads `Accept`: plain text where it is preferred to JSON, JSON otherwise.
    #[must_use]
    pub fn preferred(headers: &HeaderMap) -> Self {
        let ranges = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
        let ranges: Vec<&str> = ranges.flat_map(|value| value.split(',')).collect();
        if quality(&ranges, "text", "plain") > quality(&ranges, "application", "json") {
            Self::Text
        } else {
            Self::Json
        }
    }
}

/// How much a media type is wanted, in thousandths: by the most specific range that covers it (RFC
/// 9110, section 12.5.1).
fn quality(ranges: &[&str], kind: &str, subtype: &str) -> u16 {
    let covering = ranges.iter().filter_map(|range| {
        let mut parts = range.split(';').map(str::trim);
        let (range_kind, range_subtype) = parts.next()?.split_once('/')?;
        let specificity = match (range_kind, range_subtype) {
            ("*", "*") => 0,
            (one, "*") if one.eq_ignore_ascii_case(kind) => 1,
            (one, other) if one.eq_ignore_ascii_case(kind) && other.eq_ignore_ascii_case(subtype) => 2,
            _ => return None,
        };
        let weight = parts.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some((specificity, weight.map_or(1_000, thousandths)))
    });
    covering.max_by_key(|&(specificity, _)| specificity).map_or(0, |(_, weight)| weight)
}

/// `0.75` -> 750; what is no weight counts for nothing.
fn thousandths(weight: &str) -> u16 {
    let (whole, fraction) = weight.split_once('.').unwrap_or((weight, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return 0;
    }
    match whole {
        "1" => 1_000,
        "0" => format!("{fraction:0<3}").parse().unwrap_or_default(),
        _ => 0,
    }
}
