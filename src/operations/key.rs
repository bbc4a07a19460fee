//! Tells a holder about its own key.

use serde::Serialize;

use super::stored_policies::PolicyKind;
use crate::access::{BoundPolicy, KeyRecord, Quota};
use crate::admission::{Admitted, Failure, Operation, Performed};
use crate::audit::Event;
use crate::clock::rfc3339_of_seconds;
use crate::password::Secret;

/// A request about the caller's own key.
#[derive(Debug, Default)]
pub(crate) struct KeyRequest {
    /// The key itself, if the answer repeats it.
    pub(crate) presented: Option<Secret>,
}

/// What a holder may know of its own key; of a caller that is known by its address, only the limits.
pub(crate) struct KeyFacts {
    pub(crate) key: Option<KeyRecord>,
    pub(crate) presented: Option<Secret>,
    quota: Quota,
}

/// Tells a holder about its own key.
pub(crate) struct ReadKey;

impl Operation for ReadKey {
    const NAME: &'static str = "key";
    type Request = KeyRequest;
    type Answer = KeyFacts;

    async fn perform(request: KeyRequest, admitted: &mut Admitted<'_>) -> Result<Performed<KeyFacts>, Failure> {
        let KeyRequest { presented } = request;
        let facts = KeyFacts { key: admitted.key().cloned(), presented, quota: admitted.quota() };
        Ok(Performed::Now(Event::KeyRead, facts))
    }
}

#[derive(Serialize)]
struct Body<'a> {
    name: Option<&'a str>,
    admin: bool,
    policy: Option<BoundBody<'a>>,
    min_entropy: Option<u16>,
    expires_at: Option<String>,
    limits: PerPeriod<u32>,
    remaining: PerPeriod<u64>,
}

#[derive(Serialize)]
struct BoundBody<'a> {
    name: &'a str,
    kind: PolicyKind,
}

#[derive(Serialize)]
struct PerPeriod<T> {
    per_minute: T,
    per_day: T,
}

impl KeyFacts {
    /// The members of the answer.
    pub(crate) fn body(&self) -> impl Serialize + '_ {
        let Self { key, quota, .. } = self;
        let binding = key.as_ref().map(|key| &key.binding);
        let bound = |policy: &'_ BoundPolicy| match policy {
            BoundPolicy::Preset(_) => PolicyKind::Preset,
            BoundPolicy::Stored(_) => PolicyKind::Stored,
        };
        let policy = binding.and_then(|binding| binding.policy.as_ref());
        Body {
            name: key.as_ref().map(|key| key.name.as_str()),
            admin: binding.is_some_and(|binding| binding.admin),
            policy: policy.map(|policy| BoundBody { name: policy.name(), kind: bound(policy) }),
            min_entropy: binding.and_then(|binding| binding.min_entropy),
            expires_at: key.as_ref().and_then(|key| key.expires_at).map(rfc3339_of_seconds),
            limits: PerPeriod { per_minute: quota.limits.per_minute.get(), per_day: quota.limits.per_day.get() },
            remaining: PerPeriod { per_minute: quota.minute, per_day: quota.day },
        }
    }
}
