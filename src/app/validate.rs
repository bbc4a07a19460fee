//! Checks a password against a policy. Nothing about the password is recorded, not even its length.

use super::error::Failure;
use super::progress::Progress;
use super::services::Services;
use crate::access::Caller;
use crate::http::HttpRequest;
use crate::http::request::ValidateRequest;
use crate::http::response::{self, Response};
use crate::password::{WorkBudget, strength};

pub(super) async fn validate(
    services: &Services,
    caller: &Caller,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let ValidateRequest { password, check, preset } = ValidateRequest::read(request)?;
    progress.record.policy = preset;
    services.admit(caller, progress).await?;
    // The time of the assessment depends on the password.
    progress.measured_until = Some(services.clock.instant());

    let assessment = check.assess(password.expose(), &mut WorkBudget::new(1));
    let strength = strength(password.expose());
    Ok(response::assessment(&assessment, &strength, &progress.record.request_id)?)
}
