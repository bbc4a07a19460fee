//! Lists, reads and changes named policies.

use lambda_http::http::{Method, StatusCode};

use super::error::{BoundKeyError, Failure};
use super::named_policy::{self, binding};
use super::services::{Progress, Services, new_write_token};
use crate::access::{
    Admission, Authenticated, Binding, BoundPolicy, Changed, PolicyBook, PolicyChange, StoredPolicy, is_policy_name,
};
use crate::audit::Event;
use crate::clock::rfc3339;
use crate::http::HttpRequest;
use crate::http::request::{
    PolicyDocument, PolicyName, PolicyRequest, Precondition, RequestError, read_no_query, read_nothing,
};
use crate::http::response::{self, Response, StoredFacts};
use crate::password::{NamedPolicy, PRESETS, WorkBudget};

/// How often a change is tried if other changes are made before it.
const MAX_ATTEMPTS: usize = 4;

/// The presets. Anyone may read them, so nothing is counted.
pub(super) fn presets(request: &HttpRequest, progress: &Progress) -> Result<Response, Failure> {
    read_no_query(request)?;
    Ok(response::preset_list(&progress.record.request_id)?)
}

/// The stored policies; for a bound key its policy alone.
pub(super) async fn list(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    read_nothing(request, caller)?;
    let admission = services.admit(caller, progress).await?;
    let Binding { policy: bound, admin, .. } = binding(&admission);
    let book = services.policies().await?;
    let is_visible = |name: &str| match &bound {
        Some(BoundPolicy::Preset(_)) => false,
        Some(BoundPolicy::Stored(only)) => name == only,
        None => true,
    };
    let stored = book.policies.iter().filter(|(name, _)| is_visible(name)).map(|(name, one)| {
        let named = named_policy::stored(name, one)?;
        Ok((name.as_str(), one, PolicyRequest::default().policy(Some(&named))?))
    });
    let stored = stored.collect::<Result<Vec<_>, Failure>>()?;
    Ok(response::policy_list(stored, admin, &progress.record.request_id)?)
}

/// The operations on one named policy.
pub(super) async fn one(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    name: &str,
    progress: &mut Progress,
) -> Result<(Event, Response), Failure> {
    if request.method == Method::PUT {
        return put(services, caller, request, name, progress).await;
    }
    read_nothing(request, caller)?;
    if request.method == Method::DELETE {
        return delete(services, caller, request, name, progress).await;
    }
    read(services, caller, name, progress).await.map(|response| (Event::PolicyDescribed, response))
}

async fn read(
    services: &Services,
    caller: &Authenticated,
    name: &str,
    progress: &mut Progress,
) -> Result<Response, Failure> {
    let name = PolicyName::parse(name).ok_or(Failure::NoPolicy)?;
    let admission = services.admit(caller, progress).await?;
    let Binding { policy: bound, admin, .. } = binding(&admission);
    if let Some(bound) = bound.filter(|bound| bound.name() != name.as_str()) {
        return Err(BoundKeyError::OtherPolicy { bound: bound.name().to_owned() }.into());
    }
    let book;
    let (named, facts) = match &name {
        PolicyName::Preset(preset) => (NamedPolicy::preset(preset), None),
        PolicyName::Other(name) => {
            book = services.policies().await?;
            let stored = book.policies.get(name).ok_or(Failure::NoPolicy)?;
            (named_policy::stored(name, stored)?, Some(StoredFacts::new(name, stored, admin)))
        }
    };
    named_policy::record(&named, &mut progress.record);
    let policy = PolicyRequest::default().policy(Some(&named))?;
    let (policy, sampler) = services.count(caller, policy, &mut WorkBudget::new(1))?;
    Ok(response::named_policy(StatusCode::OK, &named, facts, &policy, sampler.count(), &progress.record.request_id)?)
}

async fn put(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    name: &str,
    progress: &mut Progress,
) -> Result<(Event, Response), Failure> {
    check_name(name)?;
    let document = PolicyDocument::read(request, caller)?;
    let precondition = Precondition::read(&request.headers)?;
    let administrator = admit_administrator(services, caller, progress).await?;

    // A policy is stored only if it can be satisfied and counted.
    let named = document.named(name);
    let policy = PolicyRequest::default().policy(Some(&named))?;
    let (policy, sampler) = policy.sampler(&mut WorkBudget::new(1)).map_err(RequestError::from)?;
    let mut stored = StoredPolicy {
        parameters: document.parameters,
        description: document.description,
        hcl: None,
        revision: 0,
        updated_at: rfc3339(progress.time),
        updated_by: administrator,
    };
    let existed = change(services, name, &precondition, |book| {
        stored.revision = book.revision + 1;
        book.check_room(name, &stored).map_err(Failure::BookFull)?;
        Ok(Some(stored.clone()))
    })
    .await?;
    (progress.record.policy, progress.record.policy_revision) = (Some(name.to_owned()), Some(stored.revision));
    let (event, status) =
        if existed { (Event::PolicyUpdated, StatusCode::OK) } else { (Event::PolicyCreated, StatusCode::CREATED) };
    let facts = Some(StoredFacts::new(name, &stored, true));
    Ok((event, response::named_policy(status, &named, facts, &policy, sampler.count(), &progress.record.request_id)?))
}

async fn delete(
    services: &Services,
    caller: &Authenticated,
    request: &HttpRequest,
    name: &str,
    progress: &mut Progress,
) -> Result<(Event, Response), Failure> {
    check_name(name)?;
    let precondition = Precondition::read(&request.headers)?;
    admit_administrator(services, caller, progress).await?;
    let mut revision = 0;
    change(services, name, &precondition, |book| {
        let stored = book.policies.get(name).ok_or(Failure::NoPolicy)?;
        revision = stored.revision;
        Ok(None)
    })
    .await?;
    (progress.record.policy, progress.record.policy_revision) = (Some(name.to_owned()), Some(revision));
    Ok((Event::PolicyDeleted, response::no_content(&progress.record.request_id)))
}

/// Makes a change of one policy, again if another change was made before it. Returns whether the policy existed.
pub(super) async fn change(
    services: &Services,
    name: &str,
    precondition: &Precondition,
    mut next: impl FnMut(&PolicyBook) -> Result<Option<StoredPolicy>, Failure>,
) -> Result<bool, Failure> {
    for _ in 0..MAX_ATTEMPTS {
        let book = services.store.current_policies(&services.clock).await?;
        let existing = book.policies.get(name);
        if !precondition.holds(existing.map(|one| response::entity_tag(one.revision)).as_deref()) {
            return Err(Failure::Precondition);
        }
        let change = PolicyChange { name: name.to_owned(), policy: next(&book)? };
        match services.store.change_policies(book.revision, &change, new_write_token()?).await? {
            Changed::Yes => return Ok(existing.is_some()),
            Changed::Overtaken => {}
        }
    }
    Err(Failure::Policies { cause: "the policies changed faster than they could be read".into() })
}

/// Admits an administrator, and returns the name of its key.
pub(super) async fn admit_administrator(
    services: &Services,
    caller: &Authenticated,
    progress: &mut Progress,
) -> Result<String, Failure> {
    let Admission { key, .. } = services.admit(caller, progress).await?;
    key.filter(|key| key.binding.admin).map(|key| key.name).ok_or(Failure::NotAdministrator)
}

/// Only stored policies can be changed, so a preset's name is refused.
pub(super) fn check_name(name: &str) -> Result<(), Failure> {
    if PRESETS.iter().any(|preset| preset.name == name) || !is_policy_name(name) {
        return Err(RequestError::PolicyName.into());
    }
    Ok(())
}
