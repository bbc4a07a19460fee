//! Describes a policy: how many passwords satisfy it, and the same policy in other languages.

use std::time::SystemTime;

use super::error::Failure;
use super::services::Services;
use crate::access::Caller;
use crate::audit::Record;
use crate::http::HttpRequest;
use crate::http::request::{GenerateRequest, RequestError};
use crate::http::response::{self, Response, headers};

pub(super) async fn describe(
    services: &Services,
    caller: &Caller,
    request: &HttpRequest,
    now: SystemTime,
    record: &mut Record,
) -> Result<Response, Failure> {
    let GenerateRequest { policy, preset, count } = GenerateRequest::read(request)?;
    let sampler = services.samplers.get(policy.spec()).map_err(|error| RequestError::from(policy.explain(error)))?;
    record.policy = preset;
    record.length = Some(policy.length());
    record.classes = Some(policy.class_names());
    record.entropy_bits = Some(sampler.entropy().rounded_down());

    let admission = services.admit(caller, now, record).await?;
    let mut response = response::policy_description(&policy, count, sampler.count(), &record.request_id)?;
    headers::add_quota(&mut response, &admission.quota);
    Ok(response)
}
