//! JSON or plain text, and the headers that every answer carries.

use std::time::Duration;

use lambda_http::http::header::{self, HeaderName};
use lambda_http::http::{self, HeaderMap, HeaderValue, StatusCode};
use serde::Serialize;

use crate::access::Quota;
use crate::password::{Class, Count, Entropy, Policy, Secret, Start, password_rules, regular_expression};

/// An answer on its way out.
pub type Response = http::Response<String>;

const ON_EVERY_ANSWER: [(HeaderName, &str); 4] = [
    (header::CACHE_CONTROL, "no-store"),
    (header::STRICT_TRANSPORT_SECURITY, "max-age=63072000; includeSubDomains"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::REFERRER_POLICY, "no-referrer"),
];

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

/// The function runs.
#[must_use]
pub fn health(request_id: &str) -> Response {
    let body = format!(r#"{{"status":"ok","version":"{}"}}"#, env!("CARGO_PKG_VERSION"));
    new(StatusCode::OK, "application/json", body, request_id)
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

/// What an answer says beside the passwords.
#[derive(Serialize)]
struct Facts<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    length: u16,
    entropy_bits: f64,
    policy: Normalised<'a>,
}

/// A policy in the parameters that make it: sent back, they make the same policy.
#[derive(Serialize)]
#[expect(clippy::struct_excessive_bools, reason = "they are the parameters")]
struct Normalised<'a> {
    length: u16,
    lowercase: bool,
    uppercase: bool,
    digits: bool,
    special: bool,
    min_lowercase: u16,
    min_uppercase: u16,
    min_digits: u16,
    min_special: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    symbols: Option<&'a str>,
    exclude: String,
    exclude_similar: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_consecutive: Option<u16>,
    no_repeats: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    start: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    min_classes: Option<u16>,
}

/// The special characters of a policy, none where they are not in use.
fn symbols(policy: &Policy) -> Option<String> {
    policy.class(Class::Special).map(|one| one.characters.to_string())
}

fn normalised<'a>(policy: &Policy, symbols: Option<&'a str>) -> Normalised<'a> {
    let minimum = |class| policy.class(class).map_or(0, |one| one.minimum);
    let in_use = |class| policy.class(class).is_some();
    Normalised {
        length: policy.length(),
        lowercase: in_use(Class::Lowercase),
        uppercase: in_use(Class::Uppercase),
        digits: in_use(Class::Digits),
        special: in_use(Class::Special),
        min_lowercase: minimum(Class::Lowercase),
        min_uppercase: minimum(Class::Uppercase),
        min_digits: minimum(Class::Digits),
        min_special: minimum(Class::Special),
        symbols,
        exclude: policy.exclude().to_string(),
        exclude_similar: policy.exclude_similar(),
        max_consecutive: policy.shape().max_consecutive,
        no_repeats: policy.shape().no_repeats,
        start: policy.start().map(Start::name),
        min_classes: policy.min_classes(),
    }
}

/// What a policy amounts to.
#[derive(Serialize)]
struct Description<'a> {
    policy: Normalised<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    combinations: String,
    entropy_bits: f64,
    regex: String,
    passwordrules: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passwordrules_reason: Option<String>,
}

/// The answer to a request for what a policy amounts to.
///
/// # Errors
/// That of the JSON writer.
pub fn described(
    policy: &Policy,
    asked: Option<u16>,
    passwords: &Count,
    request_id: &str,
) -> Result<Response, serde_json::Error> {
    let rules = password_rules(policy);
    let symbols = symbols(policy);
    let body = serde_json::to_string(&Description {
        policy: normalised(policy, symbols.as_deref()),
        count: asked,
        combinations: passwords.to_decimal(),
        entropy_bits: passwords.entropy().rounded_down(),
        regex: regular_expression(policy.shape()),
        passwordrules_reason: rules.as_ref().err().cloned(),
        passwordrules: rules.ok(),
    })?;
    Ok(new(StatusCode::OK, "application/json", body, request_id))
}

/// The answer to a request for passwords, and the one place where they leave as text.
///
/// # Errors
/// That of the JSON writer.
pub fn generated(
    passwords: &[Secret],
    count: Option<u16>,
    policy: &Policy,
    entropy: Entropy,
    format: Format,
    request_id: &str,
) -> Result<Response, serde_json::Error> {
    let texts = passwords.iter().map(Secret::expose);
    if format == Format::Text {
        let body = texts.flat_map(|text| [text, "\n"]).collect();
        return Ok(new(StatusCode::OK, "text/plain; charset=utf-8", body, request_id));
    }
    let drawn = match (count, passwords) {
        (None, [one]) => format!("\"password\":{}", serde_json::to_string(one.expose())?),
        _ => format!("\"passwords\":{}", serde_json::to_string(&texts.collect::<Vec<_>>())?),
    };
    let symbols = symbols(policy);
    let policy = normalised(policy, symbols.as_deref());
    let facts = Facts { count, length: policy.length, entropy_bits: entropy.rounded_down(), policy };
    let facts = serde_json::to_string(&facts)?;
    // The passwords are no part of a struct that could be serialised elsewhere.
    let body = format!("{{{drawn},{}", facts.trim_start_matches('{'));
    Ok(new(StatusCode::OK, "application/json", body, request_id))
}
