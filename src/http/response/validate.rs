//! The answer of validate. It says nothing about the password except which constraints it violates.

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Error;

use super::headers::{self, JSON, Response};
use super::policy::PolicyTitle;
use crate::password::{Assessment, Entropy, Strength};

#[derive(Serialize)]
struct Body<'a> {
    valid: bool,
    violations: Vec<ViolationBody<'a>>,
    entropy_bits: Option<f64>,
    strength: StrengthBody<'a>,
    #[serde(flatten)]
    title: Option<&'a PolicyTitle>,
}

#[derive(Serialize)]
struct ViolationBody<'a> {
    constraint: &'static str,
    message: &'a str,
}

#[derive(Serialize)]
struct StrengthBody<'a> {
    score: u8,
    guesses: u64,
    feedback: FeedbackBody<'a>,
}

#[derive(Serialize)]
struct FeedbackBody<'a> {
    warning: Option<&'a str>,
    suggestions: &'a [String],
}

/// The assessment of a password.
///
/// # Errors
/// The error of the JSON writer.
pub fn assessment(
    assessment: &Assessment,
    strength: &Strength,
    title: Option<&PolicyTitle>,
    request_id: &str,
) -> Result<Response, Error> {
    let violations = assessment.violations.iter();
    let body = serde_json::to_string(&Body {
        valid: assessment.violations.is_empty(),
        violations: violations
            .map(|violation| ViolationBody { constraint: violation.constraint, message: &violation.message })
            .collect(),
        entropy_bits: assessment.entropy.map(Entropy::rounded_down),
        strength: StrengthBody {
            score: strength.score,
            guesses: strength.guesses,
            feedback: FeedbackBody { warning: strength.warning.as_deref(), suggestions: &strength.suggestions },
        },
        title,
    })?;
    Ok(headers::new(StatusCode::OK, JSON, body, request_id))
}
