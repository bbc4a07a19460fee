//! The policy of a request: what it names, what its key is bound to, and what its entropy must be.

use std::sync::Arc;

use super::error::{BoundKeyError, Failure};
use super::services::{Floor, Progress, Services};
use crate::access::{Admission, Binding, BoundPolicy, PolicyBook, StoredPolicy};
use crate::audit::Record;
use crate::http::request::{PolicyDocument, PolicyName, PolicyRequest, RequestError, unknown_policy};
use crate::password::{NamedPolicy, PRESETS};

/// The preset of this name.
pub(super) fn preset(name: &str) -> Option<NamedPolicy> {
    PRESETS.iter().find(|preset| preset.name == name).map(NamedPolicy::preset)
}

/// A stored policy.
///
/// # Errors
/// [`Failure::Policies`] when this version does not understand it.
pub(super) fn stored(name: &str, stored: &StoredPolicy) -> Result<NamedPolicy, Failure> {
    let unreadable = |_: RequestError| Failure::Policies { cause: format!("policy {name} is malformed") };
    let document = PolicyDocument::parse(stored.parameters.as_bytes()).map_err(unreadable)?;
    let has_exact_length = stored.hcl.is_some();
    Ok(NamedPolicy { has_exact_length, revision: Some(stored.revision), ..document.named(name) })
}

/// Tells the audit line which policy it is.
pub(super) fn record(policy: &NamedPolicy, record: &mut Record) {
    (record.policy, record.policy_revision) = (Some(policy.name.clone()), policy.revision);
}

/// What the key of an admitted request is bound to.
pub(super) fn binding(admission: &Admission) -> Binding {
    admission.key.as_ref().map(|key| key.binding.clone()).unwrap_or_default()
}

impl Services {
    /// The named policy of an admitted request, and what its key requires. The audit line learns the name.
    pub(super) async fn named_policy(
        &self,
        request: &PolicyRequest,
        admission: &Admission,
        progress: &mut Progress,
    ) -> Result<(Option<NamedPolicy>, Floor), Failure> {
        let binding = binding(admission);
        let min_entropy = binding.min_entropy;
        let Some(bound) = binding.policy else {
            let named = match &request.named {
                Some(name) => Some(self.find_policy(name).await?),
                None => None,
            };
            if let Some(named) = &named {
                record(named, &mut progress.record);
            }
            return Ok((named, Floor { min_entropy, bound: None }));
        };
        if request.named.as_ref().is_some_and(|name| name.as_str() != bound.name()) {
            return Err(BoundKeyError::OtherPolicy { bound: bound.name().to_owned() }.into());
        }
        let named = self.bound_policy(&bound).await?;
        record(&named, &mut progress.record);
        let floor = Floor { min_entropy, bound: Some(named.clone()) };
        Ok((Some(named), floor))
    }

    /// The policy that a key is bound to.
    pub(super) async fn bound_policy(&self, bound: &BoundPolicy) -> Result<NamedPolicy, Failure> {
        let missing = || Failure::from(BoundKeyError::NoPolicy { bound: bound.name().to_owned() });
        match bound {
            BoundPolicy::Preset(name) => preset(name).ok_or_else(missing),
            BoundPolicy::Stored(name) => {
                let book = self.policies().await?;
                stored(name, book.policies.get(name).ok_or_else(missing)?)
            }
        }
    }

    /// A preset or a stored policy, for a key that is not bound.
    async fn find_policy(&self, name: &PolicyName) -> Result<NamedPolicy, Failure> {
        match name {
            PolicyName::Preset(preset) => Ok(NamedPolicy::preset(preset)),
            PolicyName::Other(name) => {
                let book = self.policies().await?;
                let unknown = || unknown_policy(book.policies.keys().map(String::as_str));
                stored(name, book.policies.get(name).ok_or_else(unknown)?)
            }
        }
    }

    /// The stored policies, as they were at most ten seconds ago.
    pub(super) async fn policies(&self) -> Result<Arc<PolicyBook>, Failure> {
        Ok(self.store.policies(&self.clock).await?)
    }
}
