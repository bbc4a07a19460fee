//! Describes a policy: how many passwords satisfy it, and the same policy in other languages.

use super::error::Failure;
use super::progress::Progress;
use super::services::Services;
use crate::access::Caller;
use crate::http::HttpRequest;
use crate::http::request::GenerateRequest;
use crate::http::response::{self, Response};
use crate::password::WorkBudget;

pub(super) async fn describe(
    services: &Services,
    caller: &Caller,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let GenerateRequest { policy, preset, count } = GenerateRequest::read(request)?;
    progress.record.policy = preset;
    services.admit(caller, progress).await?;

    let (policy, sampler) = services.sampler(policy, &mut WorkBudget::new(1), progress).await?;
    Ok(response::policy_description(&policy, count, sampler.count(), &progress.record.request_id)?)
}
