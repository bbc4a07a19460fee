//! Vault's password policies.

use std::time::UNIX_EPOCH;

use rand::TryRng;
use rand::rngs::SysRng;
use serde_json::json;
use zeroize::Zeroizing;

use super::error::{BoundKeyError, Failure};
use super::generate::{Drawn, draw};
use super::named_policy::{self, binding};
use super::policies::{admit_administrator, change, check_name};
use super::services::{Progress, Services};
use crate::access::{Admission, Authenticated, BoundPolicy, StoredPolicy};
use crate::audit::{Event, Reason};
use crate::clock::rfc3339;
use crate::http::HttpRequest;
use crate::http::dialects::vault::{self, VaultRequest};
use crate::http::request::{PolicyDocument, PolicyName, PolicyRequest, Precondition, RequestError};
use crate::http::response::{self, Format, Generated, Response};
use crate::password::{Count, NamedPolicy, PRESETS, Secret, VaultPolicy, WorkBudget, write_hcl};

type Outcome = Result<(Event, Response), Failure>;

/// What needs no key.
pub(super) fn status(request: &HttpRequest, progress: &Progress) -> Outcome {
    vault::check_unwrapped(request)?;
    let response = vault::status(seconds(progress), &progress.record.request_id)?;
    Ok((Event::HealthChecked, response))
}

pub(super) async fn perform(
    services: &Services,
    caller: &Authenticated,
    request: VaultRequest<'_>,
    progress: &mut Progress,
) -> Outcome {
    match request {
        VaultRequest::List => list(services, caller, progress).await,
        VaultRequest::Read(name) => read(services, caller, name, progress).await,
        VaultRequest::Write(name, text) => write(services, caller, name, text, progress).await,
        VaultRequest::Delete(name) => delete(services, caller, name, progress).await,
        VaultRequest::Generate(name) => generate(services, caller, name, progress).await,
        VaultRequest::LookupSelf => {
            let admission = services.admit(caller, progress).await?;
            let key = admission.key.as_ref();
            Ok((Event::KeyRead, vault::lookup_self(key, seconds(progress), &progress.record.request_id)?))
        }
        VaultRequest::Random { bytes, hex } => random(services, caller, bytes, hex, progress).await,
    }
}

fn seconds(progress: &Progress) -> u64 {
    progress.time.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

async fn list(services: &Services, caller: &Authenticated, progress: &mut Progress) -> Outcome {
    let admission = services.admit(caller, progress).await?;
    let names: Vec<String> = if let Some(bound) = binding(&admission).policy {
        vec![bound.name().to_owned()]
    } else {
        let book = services.policies().await?;
        PRESETS.iter().map(|preset| preset.name.to_owned()).chain(book.policies.keys().cloned()).collect()
    };
    let data = json!({ "keys": names });
    Ok((Event::PoliciesListed, vault::data(&data, &progress.record.request_id)?))
}

/// A named policy for an admitted request, and its text if it was written in Vault's language.
async fn find(
    services: &Services,
    admission: &Admission,
    name: &str,
) -> Result<(NamedPolicy, Option<String>), Failure> {
    let bound = binding(admission).policy;
    if let Some(bound) = bound.as_ref().filter(|bound| bound.name() != name) {
        return Err(BoundKeyError::OtherPolicy { bound: bound.name().to_owned() }.into());
    }
    if !matches!(bound, Some(BoundPolicy::Stored(_)))
        && let Some(preset) = named_policy::preset(name)
    {
        return Ok((preset, None));
    }
    let book = services.policies().await?;
    let stored = book.policies.get(name).ok_or(Failure::NoPolicy)?;
    Ok((named_policy::stored(name, stored)?, stored.hcl.clone()))
}

async fn read(services: &Services, caller: &Authenticated, name: &str, progress: &mut Progress) -> Outcome {
    let admission = services.admit(caller, progress).await?;
    let (named, hcl) = find(services, &admission, name).await?;
    named_policy::record(&named, &mut progress.record);
    let text = if let Some(text) = hcl {
        text
    } else {
        let policy = PolicyRequest::default().policy(Some(&named))?;
        let (policy, _) = services.count(caller, policy, &mut WorkBudget::new(1))?;
        let refused =
            |why| RequestError::Vault(format!("{why}; read the policy with GET /api/policies/{name} instead"));
        write_hcl(&policy).map_err(refused)?
    };
    Ok((Event::PolicyDescribed, vault::data(&json!({ "policy": text }), &progress.record.request_id)?))
}

async fn write(
    services: &Services,
    caller: &Authenticated,
    name: &str,
    text: String,
    progress: &mut Progress,
) -> Outcome {
    check_name(name)?;
    let administrator = admit_administrator(services, caller, progress).await?;
    let parameters = VaultPolicy::parse(&text).map_err(|error| RequestError::Vault(error.to_string()))?.parameters();
    let policy = PolicyDocument::parse(parameters.as_bytes())?.named(name);
    let policy = PolicyRequest::default().policy(Some(&policy))?;
    policy.sampler(&mut WorkBudget::new(1)).map_err(RequestError::from)?;
    let mut stored = StoredPolicy {
        parameters,
        description: String::new(),
        hcl: Some(text),
        revision: 0,
        updated_at: rfc3339(progress.time),
        updated_by: administrator,
    };
    let existed = change(services, name, &Precondition::None, |book| {
        stored.revision = book.revision + 1;
        book.check_room(name, &stored).map_err(Failure::BookFull)?;
        Ok(Some(stored.clone()))
    })
    .await?;
    (progress.record.policy, progress.record.policy_revision) = (Some(name.to_owned()), Some(stored.revision));
    let event = if existed { Event::PolicyUpdated } else { Event::PolicyCreated };
    Ok((event, response::no_content(&progress.record.request_id)))
}

async fn delete(services: &Services, caller: &Authenticated, name: &str, progress: &mut Progress) -> Outcome {
    check_name(name)?;
    admit_administrator(services, caller, progress).await?;
    let deleted = change(services, name, &Precondition::None, |book| {
        book.policies.get(name).ok_or(Failure::NoPolicy).map(|_| None)
    });
    // As in Vault, it is no error if there is none.
    match deleted.await {
        Ok(_) | Err(Failure::NoPolicy) => {}
        Err(failure) => return Err(failure),
    }
    progress.record.policy = Some(name.to_owned());
    Ok((Event::PolicyDeleted, response::no_content(&progress.record.request_id)))
}

async fn generate(services: &Services, caller: &Authenticated, name: &str, progress: &mut Progress) -> Outcome {
    let admission = services.admit(caller, progress).await?;
    find(services, &admission, name).await?;
    let wanted = PolicyName::parse(name).map(PolicyRequest::of).ok_or(Failure::NoPolicy)?;
    let Drawn { secrets, entropy, .. } = draw(services, caller, &wanted, None, &admission, progress).await?;
    let generated = Generated { secrets: &secrets, count: None, entropy, format: Format::Json };
    Ok((Event::Generated, vault::secret(&generated, "password", &progress.record.request_id)?))
}

async fn random(
    services: &Services,
    caller: &Authenticated,
    bytes: u32,
    hex: bool,
    progress: &mut Progress,
) -> Outcome {
    let admission = services.admit(caller, progress).await?;
    let binding = binding(&admission);
    if let Some(policy) = binding.policy {
        return Err(BoundKeyError::RandomBytes { bound: policy.name().to_owned() }.into());
    }
    let bits = u16::try_from(8 * bytes).unwrap_or(u16::MAX);
    let entropy = Count::of_bits(bits).entropy();
    if let Some(needs) = binding.min_entropy.filter(|needs| *needs > bits) {
        return Err(BoundKeyError::TooLittleEntropy { has: entropy, needs: Count::of_bits(needs).entropy() }.into());
    }
    let mut random = Zeroizing::new(vec![0; usize::try_from(bytes).unwrap_or_default()]);
    SysRng.try_fill_bytes(&mut random).map_err(|_| Failure::Internal(Reason::Randomness))?;
    let secret =
        Secret::from_text(if hex { hex::encode(&*random) } else { aws_smithy_types::base64::encode(&*random) });
    progress.record.count = Some(1);
    let generated = Generated { secrets: &[secret], count: None, entropy, format: Format::Json };
    Ok((Event::RandomGenerated, vault::secret(&generated, "random_bytes", &progress.record.request_id)?))
}
