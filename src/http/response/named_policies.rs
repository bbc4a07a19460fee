//! Lists and descriptions of named policies: presets and stored policies.

use lambda_http::http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use serde_json::Error;

use super::describe::Description;
use super::headers::{self, JSON, Response};
use super::policy::ResolvedPolicy;
use crate::access::StoredPolicy;
use crate::password::{Constraints, Count, NamedPolicy, PRESETS, Policy, Preset};

#[derive(Serialize)]
struct PresetsBody {
    presets: Vec<PresetBody>,
}

#[derive(Serialize)]
struct PoliciesBody<'a> {
    policies: Vec<StoredBody<'a>>,
}

#[derive(Serialize)]
struct PresetBody {
    #[serde(flatten)]
    facts: PresetFacts,
    policy: ResolvedPolicy,
}

/// What is known about a preset beyond its policy.
#[derive(Serialize)]
struct PresetFacts {
    name: &'static str,
    summary: &'static str,
    source: SourceBody,
    min_length: u16,
    max_length: u16,
}

#[derive(Serialize)]
struct StoredBody<'a> {
    #[serde(flatten)]
    facts: StoredFacts<'a>,
    policy: ResolvedPolicy,
}

/// What is known about a stored policy beyond its policy.
#[derive(Serialize)]
pub struct StoredFacts<'a> {
    name: &'a str,
    description: &'a str,
    revision: u64,
    updated_at: &'a str,
    /// Only administrators learn who else administers.
    #[serde(skip_serializing_if = "Option::is_none")]
    updated_by: Option<&'a str>,
}

#[derive(Serialize)]
struct NamedBody<'a> {
    #[serde(flatten)]
    preset: Option<PresetFacts>,
    #[serde(flatten)]
    stored: Option<StoredFacts<'a>>,
    #[serde(flatten)]
    description: Description,
}

#[derive(Serialize)]
struct SourceBody {
    standard: &'static str,
    section: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    date: Option<&'static str>,
    url: &'static str,
}

impl From<&Preset> for PresetFacts {
    fn from(preset: &Preset) -> Self {
        Self {
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
        }
    }
}

impl<'a> StoredFacts<'a> {
    /// What answers say of it: who wrote it, only `to_administrator`.
    #[must_use]
    pub fn new(name: &'a str, stored: &'a StoredPolicy, to_administrator: bool) -> Self {
        let StoredPolicy { description, revision, updated_at, updated_by, .. } = stored;
        let updated_by = to_administrator.then_some(updated_by.as_str());
        Self { name, description, revision: *revision, updated_at, updated_by }
    }
}

/// The presets, each with its policy without further parameters.
///
/// # Errors
/// The error of the JSON writer.
pub fn preset_list(request_id: &str) -> Result<Response, Error> {
    let presets = PRESETS.iter().filter_map(|preset| {
        // Each preset makes a policy; a test generates a password for each.
        let policy = Policy::new(&Constraints::default(), Some(preset)).ok()?;
        Some(PresetBody { facts: preset.into(), policy: (&policy).into() })
    });
    let body = serde_json::to_string(&PresetsBody { presets: presets.collect() })?;
    Ok(headers::new(StatusCode::OK, JSON, body, request_id))
}

/// Stored policies, each with its policy without further parameters. Only `to_administrator` the answer says who wrote
/// them.
///
/// # Errors
/// The error of the JSON writer.
pub fn policy_list(
    stored: Vec<(&str, &StoredPolicy, Policy)>,
    to_administrator: bool,
    request_id: &str,
) -> Result<Response, Error> {
    let policies = stored.into_iter().map(|(name, one, policy)| StoredBody {
        facts: StoredFacts::new(name, one, to_administrator),
        policy: (&policy).into(),
    });
    let body = serde_json::to_string(&PoliciesBody { policies: policies.collect() })?;
    Ok(headers::new(StatusCode::OK, JSON, body, request_id))
}

/// The description of a named policy, with its tag if it is stored.
///
/// # Errors
/// The error of the JSON writer.
pub fn named_policy(
    status: StatusCode,
    named: &NamedPolicy,
    stored: Option<StoredFacts<'_>>,
    policy: &Policy,
    combinations: &Count,
    request_id: &str,
) -> Result<Response, Error> {
    // A stored policy may be built on a preset.
    let preset = named.preset.filter(|_| stored.is_none()).map(PresetFacts::from);
    let tag = stored.as_ref().and_then(|stored| HeaderValue::try_from(entity_tag(stored.revision)).ok());
    let body = NamedBody { preset, stored, description: Description::new(policy, combinations) };
    let mut response = headers::new(status, JSON, serde_json::to_string(&body)?, request_id);
    response.headers_mut().extend(tag.map(|tag| (header::ETAG, tag)));
    Ok(response)
}

/// The tag of a stored policy.
#[must_use]
pub fn entity_tag(revision: u64) -> String {
    format!("\"{revision}\"")
}

/// The answer to a deletion.
#[must_use]
pub fn no_content(request_id: &str) -> Response {
    headers::new(StatusCode::NO_CONTENT, JSON, String::new(), request_id)
}
