//! What a holder may know of its own key.

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Error;

use super::headers::{self, JSON, Response};
use crate::access::{BoundPolicy, KeyRecord, Quota};
use crate::clock::rfc3339_of_seconds;

#[derive(Serialize)]
struct Body<'a> {
    name: Option<&'a str>,
    admin: bool,
    policy: Option<BoundBody<'a>>,
    min_entropy: Option<u16>,
    expires_at: Option<String>,
    limits: LimitsBody,
    remaining: RemainingBody,
}

#[derive(Serialize)]
struct BoundBody<'a> {
    name: &'a str,
    kind: &'static str,
}

#[derive(Serialize)]
struct LimitsBody {
    per_minute: u32,
    per_day: u32,
}

#[derive(Serialize)]
struct RemainingBody {
    minute: u64,
    day: u64,
}

/// What a holder may know of its own key; of a caller that is known by its address, only the limits.
///
/// # Errors
/// The error of the JSON writer.
pub fn key_facts(key: Option<&KeyRecord>, quota: &Quota, request_id: &str) -> Result<Response, Error> {
    let binding = key.map(|key| &key.binding);
    let bound = binding.and_then(|binding| binding.policy.as_ref()).map(|policy| BoundBody {
        name: policy.name(),
        kind: match policy {
            BoundPolicy::Preset(_) => "preset",
            BoundPolicy::Stored(_) => "stored",
        },
    });
    let body = serde_json::to_string(&Body {
        name: key.map(|key| key.name.as_str()),
        admin: binding.is_some_and(|binding| binding.admin),
        policy: bound,
        min_entropy: binding.and_then(|binding| binding.min_entropy),
        expires_at: key.and_then(|key| key.expires_at).map(rfc3339_of_seconds),
        limits: LimitsBody { per_minute: quota.limits.per_minute.get(), per_day: quota.limits.per_day.get() },
        remaining: RemainingBody { minute: quota.minute, day: quota.day },
    })?;
    Ok(headers::new(StatusCode::OK, JSON, body, request_id))
}
