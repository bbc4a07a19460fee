//! Generates passphrases.

use rand::rngs::SysRng;

use super::error::{BoundKeyError, Failure};
use super::named_policy::binding;
use super::services::{Progress, Services};
use crate::access::Authenticated;
use crate::audit::Reason;
use crate::http::HttpRequest;
use crate::http::request::{PassphraseRequest, RequestError};
use crate::http::response::{self, Format, Generated, Response};
use crate::password::{Count, Passphrase, Secret};

pub(super) async fn generate(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let PassphraseRequest { passphrase, count } = PassphraseRequest::read(request, caller)?;
    let admission = services.admit(caller, progress).await?;

    let binding = binding(&admission);
    if let Some(policy) = binding.policy {
        return Err(BoundKeyError::Passphrases { bound: policy.name().to_owned() }.into());
    }
    let mut passphrase = passphrase.with_entropy().map_err(RequestError::from)?;
    if let Some(bits) = binding.min_entropy {
        let too_little = |most: Count| BoundKeyError::TooLittleEntropy {
            has: most.entropy(),
            needs: Count::of_bits(bits).entropy(),
        };
        passphrase = passphrase.with_at_least(bits).map_err(too_little)?;
    }
    let entropy = passphrase.count().entropy();
    progress.record.words = Some(passphrase.words);
    progress.record.entropy_bits = Some(entropy.rounded_down());
    let secrets = draw(&passphrase, count.unwrap_or(1))?;
    progress.record.count = Some(secrets.len());
    let generated = Generated { secrets: &secrets, count, entropy, format: Format::preferred(&request.headers) };
    Ok(response::passphrases(&generated, &passphrase, &progress.record.request_id)?)
}

/// Draws passphrases, and reads each again word by word.
fn draw(passphrase: &Passphrase, count: u16) -> Result<Vec<Secret>, Failure> {
    let drawn = (0..count).map(|_| passphrase.draw(&mut SysRng)).collect::<Result<Vec<_>, _>>();
    let drawn = drawn.map_err(|_| Failure::Internal(Reason::Randomness))?;
    if drawn.iter().all(|secret| passphrase.matches(secret.expose())) {
        Ok(drawn)
    } else {
        Err(Failure::Internal(Reason::Verification))
    }
}
