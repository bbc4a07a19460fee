//! Generates passwords.

use rand::rngs::SysRng;

use super::error::Failure;
use super::services::{Progress, Services};
use crate::access::{Admission, Authenticated};
use crate::audit::Reason;
use crate::http::HttpRequest;
use crate::http::request::{GenerateRequest, PolicyRequest, RequestError, check_answer};
use crate::http::response::{self, Format, Generated, Response};
use crate::password::{CountError, Entropy, NamedPolicy, Policy, Sampler, Secret, WorkBudget, verify};

/// Passwords of a request, and the policy that they satisfy.
pub(super) struct Drawn {
    pub(super) secrets: Vec<Secret>,
    pub(super) entropy: Entropy,
    pub(super) policy: Policy,
    pub(super) named: Option<NamedPolicy>,
}

pub(super) async fn generate(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let GenerateRequest { policy, count } = GenerateRequest::read(request, caller)?;
    let admission = services.admit(caller, progress).await?;

    let Drawn { secrets, entropy, policy, named } =
        draw(services, caller, &policy, count, &admission, progress).await?;
    let format = Format::preferred(&request.headers);
    let generated = Generated { secrets: &secrets, count, entropy, format };
    Ok(response::passwords(&generated, &policy, named.as_ref(), &progress.record.request_id)?)
}

/// Draws the passwords of an admitted request of any API, held to what its key is bound to.
pub(super) async fn draw(
    services: &Services,
    caller: &Authenticated,
    request: &PolicyRequest,
    count: Option<u16>,
    admission: &Admission,
    progress: &mut Progress,
) -> Result<Drawn, Failure> {
    let (named, floor) = services.named_policy(request, admission, progress).await?;
    let policy = request.policy(named.as_ref())?;
    check_answer(&policy, count)?;
    let passwords = count.unwrap_or(1);
    let mut budget = WorkBudget::new(passwords);
    let (policy, sampler) = services.sampler(caller, policy, &floor, &mut budget, progress)?;
    // With `min_entropy` the length is known only now.
    check_answer(&policy, count)?;
    let affordable = sampler.spend_draws(passwords, &mut budget);
    affordable.map_err(|_| RequestError::from(policy.explain(CountError::TooExpensive)))?;
    let secrets = draw_verified(&sampler, passwords)?;
    progress.record.count = Some(secrets.len());
    Ok(Drawn { secrets, entropy: sampler.entropy(), policy, named })
}

/// Draws passwords, and checks each against its specification with code that the sampler does not use.
fn draw_verified(sampler: &Sampler, count: u16) -> Result<Vec<Secret>, Failure> {
    let drawn = (0..count).map(|_| sampler.draw(&mut SysRng)).collect::<Result<Vec<_>, _>>();
    let drawn = drawn.map_err(|_| Failure::Internal(Reason::Randomness))?;
    if drawn.iter().any(|secret| verify(sampler.spec(), secret.expose()).is_err()) {
        return Err(Failure::Internal(Reason::Verification));
    }
    Ok(drawn)
}
