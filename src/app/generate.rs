//! Generates passwords.

use std::time::SystemTime;

use rand::rngs::SysRng;

use super::error::Failure;
use super::services::Services;
use crate::access::Caller;
use crate::audit::{Reason, Record};
use crate::http::HttpRequest;
use crate::http::request::{GenerateRequest, RequestError};
use crate::http::response::{self, Format, Generated, Response, headers};
use crate::password::{Sampler, Secret, verify};

pub(super) async fn generate(
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
    let secrets = draw(&sampler, count.unwrap_or(1))?;
    record.count = Some(secrets.len());
    let (entropy, format) = (sampler.entropy(), Format::preferred(&request.headers));
    let generated = Generated { secrets: &secrets, count, entropy, format };
    let mut response = response::passwords(&generated, &policy, &record.request_id)?;
    headers::add_quota(&mut response, &admission.quota);
    Ok(response)
}

/// Draws passwords, and checks each against its specification with code that the sampler does not use.
fn draw(sampler: &Sampler, count: u16) -> Result<Vec<Secret>, Failure> {
    let drawn = (0..count).map(|_| sampler.draw(&mut SysRng)).collect::<Result<Vec<_>, _>>();
    let drawn = drawn.map_err(|_| Failure::Internal(Reason::Randomness))?;
    if drawn.iter().any(|secret| verify(sampler.spec(), secret.expose()).is_err()) {
        return Err(Failure::Internal(Reason::Verification));
    }
    Ok(drawn)
}
