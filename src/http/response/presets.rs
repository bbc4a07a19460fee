//! The list of presets.

use lambda_http::http::StatusCode;
use serde::Serialize;
use serde_json::Error;

use super::headers::{self, JSON, Response};
use super::policy::ResolvedPolicy;
use crate::password::{Constraints, PRESETS, Policy};

#[derive(Serialize)]
struct Body {
    policies: Vec<PresetBody>,
}

#[derive(Serialize)]
struct PresetBody {
    name: &'static str,
    summary: &'static str,
    source: SourceBody,
    min_length: u16,
    max_length: u16,
    policy: ResolvedPolicy,
}

#[derive(Serialize)]
struct SourceBody {
    standard: &'static str,
    section: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'static str>,
    url: &'static str,
}

/// The presets, each with its source and its policy without further parameters.
///
/// # Errors
/// The error of the JSON writer.
pub fn preset_list(request_id: &str) -> Result<Response, Error> {
    let policies = PRESETS.iter().filter_map(|preset| {
        // Each preset makes a policy; a test generates a password for each.
        let policy = Policy::new(&Constraints::default(), Some(preset)).ok()?;
        Some(PresetBody {
            name: preset.name,
            summary: preset.summary,
            source: SourceBody {
                standard: preset.source.standard,
                section: preset.source.section,
                date: preset.source.date,
                url: preset.source.url,
            },
            min_length: preset.lengths.min,
            max_length: preset.lengths.max,
            policy: (&policy).into(),
        })
    });
    let body = serde_json::to_string(&Body { policies: policies.collect() })?;
    Ok(headers::new(StatusCode::OK, JSON, body, request_id))
}
