//! The answer of describe: what a policy allows, without a password.

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Error;

use super::headers::{self, JSON, Response};
use super::policy::ResolvedPolicy;
use crate::password::{Count, Policy, password_rules, regular_expression};

#[derive(Serialize)]
struct Body {
    policy: ResolvedPolicy,
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    combinations: String,
    entropy_bits: f64,
    regex: String,
    passwordrules: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passwordrules_reason: Option<String>,
}

/// The description of a policy: how many passwords satisfy it, and the same policy in other languages.
///
/// # Errors
/// The error of the JSON writer.
pub fn policy_description(
    policy: &Policy,
    count: Option<u16>,
    combinations: &Count,
    request_id: &str,
) -> Result<Response, Error> {
    let rules = password_rules(policy);
    let body = serde_json::to_string(&Body {
        policy: policy.into(),
        count,
        combinations: combinations.to_decimal(),
        entropy_bits: combinations.entropy().rounded_down(),
        regex: regular_expression(policy.spec()),
        passwordrules_reason: rules.as_ref().err().cloned(),
        passwordrules: rules.ok(),
    })?;
    Ok(headers::new(StatusCode::OK, JSON, body, request_id))
}
