//! Generates passphrases.

use std::time::SystemTime;

use rand::rngs::SysRng;

use super::error::Failure;
use super::services::Services;
use crate::access::Caller;
use crate::audit::{Reason, Record};
use crate::http::HttpRequest;
use crate::http::request::PassphraseRequest;
use crate::http::response::{self, Format, Generated, Response, headers};
use crate::password::{Passphrase, Secret};

pub(super) async fn generate(
    services: &Services,
    caller: &Caller,
    request: &HttpRequest,
    now: SystemTime,
    record: &mut Record,
) -> Result<Response, Failure> {
    let PassphraseRequest { passphrase, count } = PassphraseRequest::read(request)?;
    let entropy = passphrase.count().entropy();
    record.words = Some(passphrase.words);
    record.entropy_bits = Some(entropy.rounded_down());

    let admission = services.admit(caller, now, record).await?;
    let secrets = draw(&passphrase, count.unwrap_or(1))?;
    record.count = Some(secrets.len());
    let generated = Generated { secrets: &secrets, count, entropy, format: Format::preferred(&request.headers) };
    let mut response = response::passphrases(&generated, &passphrase, &record.request_id)?;
    headers::add_quota(&mut response, &admission.quota);
    Ok(response)
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
