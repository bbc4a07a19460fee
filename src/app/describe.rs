//! Describes a policy: how many passwords satisfy it, and the same policy in other languages.

use super::error::Failure;
use super::services::{Progress, Services};
use crate::access::Authenticated;
use crate::http::HttpRequest;
use crate::http::request::{GenerateRequest, check_answer};
use crate::http::response::{self, Response};
use crate::password::WorkBudget;

pub(super) async fn describe(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let GenerateRequest { policy, count } = GenerateRequest::read(request, caller)?;
    let admission = services.admit(caller, progress).await?;

    let (named, floor) = services.named_policy(&policy, &admission, progress).await?;
    let policy = policy.policy(named.as_ref())?;
    check_answer(&policy, count)?;
    let (policy, sampler) = services.sampler(caller, policy, &floor, &mut WorkBudget::new(1), progress)?;
    Ok(response::policy_description(&policy, count, sampler.count(), named.as_ref(), &progress.record.request_id)?)
}
