//! Checks a password against a policy. Nothing about the password is recorded, not even its length.

use std::time::SystemTime;

use super::error::Failure;
use super::services::Services;
use crate::access::Caller;
use crate::audit::Record;
use crate::http::HttpRequest;
use crate::http::request::{RequestError, ValidateRequest};
use crate::http::response::{self, Response, headers};
use crate::password::{assess, strength};

pub(super) async fn validate(
    services: &Services,
    caller: &Caller,
    request: &HttpRequest,
    now: SystemTime,
    record: &mut Record,
) -> Result<Response, Failure> {
    let ValidateRequest { password, constraints, preset } = ValidateRequest::read(request)?;
    record.policy = preset.map(|preset| preset.name);
    let assessment = assess(&constraints, preset, password.expose()).map_err(RequestError::from)?;

    let admission = services.admit(caller, now, record).await?;
    let strength = strength(password.expose());
    let mut response = response::assessment(&assessment, &strength, &record.request_id)?;
    headers::add_quota(&mut response, &admission.quota);
    Ok(response)
}
