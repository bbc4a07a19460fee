//! The answer of validate. It says nothing about the password except which constraints it violates.

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Error;

use super::headers::{self, JSON, Response};
use super::policy::Title;
use crate::password::{Assessment, Entropy, NamedPolicy};

#[derive(Serialize)]
struct Body<'a> {
    valid: bool,
    violations: Vec<ViolationBody<'a>>,
    entropy_bits: Option<f64>,
    #[serde(flatten)]
    title: Option<Title<'a>>,
}

#[derive(Serialize)]
struct ViolationBody<'a> {
    constraint: &'static str,
    message: &'a str,
}

/// The assessment of a password.
///
/// # Errors
/// The error of the JSON writer.
pub fn assessment(assessment: &Assessment, named: Option<&NamedPolicy>, request_id: &str) -> Result<Response, Error> {
    let violations = assessment.violations.iter();
    let body = serde_json::to_string(&Body {
        valid: assessment.violations.is_empty(),
        violations: violations
            .map(|violation| ViolationBody { constraint: violation.constraint, message: &violation.message })
            .collect(),
        entropy_bits: assessment.entropy.map(Entropy::rounded_down),
        title: named.map(Title::from),
    })?;
    Ok(headers::new(StatusCode::OK, JSON, body, request_id))
}
