//! Generates passwords.

use rand::rngs::SysRng;

use super::error::Failure;
use super::progress::Progress;
use super::services::Services;
use crate::access::Caller;
use crate::audit::Reason;
use crate::http::HttpRequest;
use crate::http::request::{GenerateRequest, RequestError, check_answer};
use crate::http::response::{self, Format, Generated, Response};
use crate::password::{CountError, Sampler, Secret, WorkBudget, verify};

pub(super) async fn generate(
    services: &Services,
    caller: &Caller,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let GenerateRequest { policy, count } = GenerateRequest::read(request)?;
    let admission = services.admit(caller, progress).await?;

    let (named, floor) = services.named_policy(&policy, &admission, progress).await?;
    let policy = policy.policy(named.as_ref().map(|named| &named.policy))?;
    check_answer(&policy, count)?;
    let passwords = count.unwrap_or(1);
    let mut budget = WorkBudget::new(passwords);
    let (policy, sampler) = services.sampler(policy, &floor, &mut budget, progress).await?;
    // With `min_entropy` the length is known only now.
    check_answer(&policy, count)?;
    let affordable = sampler.spend_draws(passwords, &mut budget);
    affordable.map_err(|_| RequestError::from(policy.explain(CountError::TooExpensive)))?;
    let secrets = draw(&sampler, passwords)?;
    progress.record.count = Some(secrets.len());
    let (entropy, format) = (sampler.entropy(), Format::preferred(&request.headers));
    let generated = Generated { secrets: &secrets, count, entropy, format };
    let title = named.map(|named| named.title());
    Ok(response::passwords(&generated, &policy, title.as_ref(), &progress.record.request_id)?)
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
