//! Checks a password against a policy. Nothing about the password is recorded, not even its length.

use super::error::Failure;
use super::services::{Progress, Services};
use crate::access::Authenticated;
use crate::http::HttpRequest;
use crate::http::request::ValidateRequest;
use crate::http::response::{self, Response};
use crate::password::WorkBudget;

pub(super) async fn validate(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let request = ValidateRequest::read(request, caller)?;
    let policy = &request.policy;
    let admission = services.admit(caller, progress).await?;
    let (named, _) = services.named_policy(policy, &admission, progress).await?;
    let check = policy.password_check(named.as_ref())?;
    let mut budget = WorkBudget::new(1);
    policy.check_satisfiable(&check, &mut budget)?;

    let password = request.password(&progress.measurement.end(&services.clock));
    let assessment = check.assess(password.expose(), &mut budget);
    Ok(response::assessment(&assessment, named.as_ref(), &progress.record.request_id)?)
}
