//! The answer of describe: what a policy allows, without a password.

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Error;

use super::headers::{self, JSON, Response};
use super::policy::{ResolvedPolicy, Title};
use crate::password::{Count, NamedPolicy, Policy, password_rules, regular_expression};

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<u16>,
    #[serde(flatten)]
    description: Description,
    #[serde(flatten)]
    title: Option<Title<'a>>,
}

/// What a policy allows.
#[derive(Serialize)]
pub(super) struct Description {
    policy: ResolvedPolicy,
    combinations: String,
    entropy_bits: f64,
    regex: String,
    passwordrules: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    passwordrules_reason: Option<String>,
}

impl Description {
    pub(super) fn new(policy: &Policy, combinations: &Count) -> Self {
        let rules = password_rules(policy);
        Self {
            policy: policy.into(),
            combinations: combinations.to_decimal(),
            entropy_bits: combinations.entropy().rounded_down(),
            regex: regular_expression(policy.spec()),
            passwordrules_reason: rules.as_ref().err().cloned(),
            passwordrules: rules.ok(),
        }
    }
}

/// The description of a policy: how many passwords satisfy it, and the same policy in other languages.
///
/// # Errors
/// The error of the JSON writer.
pub fn policy_description(
    policy: &Policy,
    count: Option<u16>,
    combinations: &Count,
    named: Option<&NamedPolicy>,
    request_id: &str,
) -> Result<Response, Error> {
    let body = Body { count, description: Description::new(policy, combinations), title: named.map(Title::from) };
    Ok(headers::new(StatusCode::OK, JSON, serde_json::to_string(&body)?, request_id))
}
