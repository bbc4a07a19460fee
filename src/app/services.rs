//! What the operations share: admission and samplers.

use std::sync::Arc;
use std::time::SystemTime;

use rand::TryRng;
use rand::rngs::SysRng;

use super::error::{BoundKeyError, Failure};
use super::sampler_cache::SamplerCache;
use crate::access::{Admission, Authenticated, Quota, Refusal, Store, WriteToken};
use crate::audit::{Reason, Record};
use crate::clock::{Clock, Measurement};
use crate::http::request::{PolicyRequest, RequestError};
use crate::password::{Count, FloorError, NamedPolicy, Policy, Sampler, WorkBudget};

/// What is known about a request so far. It is filled in step by step, so that a refusal also reports what was known.
pub(super) struct Progress {
    /// The audit line.
    pub(super) record: Record,
    /// The time of the audit line: the clock reading of the write that counted the request, else that of its arrival.
    pub(super) time: SystemTime,
    /// What remains of the caller's limits, once the request is counted.
    pub(super) quota: Option<Quota>,
    /// The duration in the audit line. It ends early if later work would reveal something about a secret.
    pub(super) measurement: Measurement,
}

/// What the key of a request requires beyond the request.
#[derive(Debug, Default)]
pub(super) struct Floor {
    /// The least entropy, in bits.
    pub(super) min_entropy: Option<u16>,
    /// The policy that the key is bound to. What it gets has no less entropy than this policy alone.
    pub(super) bound: Option<NamedPolicy>,
}

impl Floor {
    pub(super) const fn is_none(&self) -> bool {
        self.min_entropy.is_none() && self.bound.is_none()
    }

    /// The fewest passwords, where the bound policy alone has so many.
    pub(super) fn passwords(&self, alone: Option<&Count>) -> Count {
        let floor = Count::of_bits(self.min_entropy.unwrap_or_default());
        alone.map_or_else(|| floor.clone(), |alone| alone.clone().max(floor.clone()))
    }
}

pub(super) struct Services {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) samplers: SamplerCache,
}

impl Services {
    /// Proves the caller and counts the request.
    pub(super) async fn admit(&self, caller: &Authenticated, progress: &mut Progress) -> Result<Admission, Failure> {
        let write_token = new_write_token()?;
        // Boxed because the SDK's future is twenty times as large as the rest of a request.
        let admitted = Box::pin(self.store.admit(caller.caller(), &self.clock, write_token)).await;
        let record = &mut progress.record;
        match &admitted {
            Ok(admission) => {
                record.sequence = Some(admission.sequence);
                record.key_name = admission.key.as_ref().map(|key| key.name.clone());
                record.remaining = Some(admission.quota.minute);
                progress.time = admission.counted_at;
                progress.quota = Some(admission.quota);
            }
            Err(Refusal::Denied { key_name, .. }) => record.key_name = Some(key_name.clone()),
            Err(Refusal::RateLimited { key_name, quota, .. }) => {
                record.key_name.clone_from(key_name);
                record.remaining = Some(quota.minute);
            }
            Err(Refusal::Late { sequence, counted_at }) => {
                record.sequence = Some(*sequence);
                progress.time = *counted_at;
            }
            Err(Refusal::UnknownKey | Refusal::Unavailable { .. }) => {}
        }
        Ok(admitted?)
    }

    /// The final policy and its sampler. Called after admission, because counting takes time.
    pub(super) fn sampler(
        &self,
        caller: &Authenticated,
        policy: Policy,
        floor: &Floor,
        budget: &mut WorkBudget,
        progress: &mut Progress,
    ) -> Result<(Policy, Arc<Sampler>), Failure> {
        let (mut policy, mut sampler) = self.count(caller, policy, budget)?;
        if !floor.is_none() {
            let alone = match &floor.bound {
                Some(bound) => {
                    let alone = PolicyRequest::default().policy(Some(bound))?;
                    Some(self.count(caller, alone, budget)?.1)
                }
                None => None,
            };
            let fewest = floor.passwords(alone.as_deref().map(Sampler::count));
            if *sampler.count() < fewest {
                policy = policy.with_at_least(&fewest, budget).map_err(|error| match error {
                    FloorError::TooFew(most) => {
                        BoundKeyError::TooLittleEntropy { has: most.entropy(), needs: fewest.entropy() }.into()
                    }
                    FloorError::Policy(error) => Failure::from(RequestError::from(error)),
                })?;
                (policy, sampler) = self.count(caller, policy, budget)?;
            }
        }
        progress.record.length = Some(policy.length());
        progress.record.classes = Some(policy.class_names());
        progress.record.entropy_bits = Some(sampler.entropy().rounded_down());
        Ok((policy, sampler))
    }

    /// The final policy and its sampler, without a floor.
    pub(super) fn count(
        &self,
        caller: &Authenticated,
        policy: Policy,
        budget: &mut WorkBudget,
    ) -> Result<(Policy, Arc<Sampler>), Failure> {
        Ok(self.samplers.get(caller.caller(), policy, budget).map_err(RequestError::from)?)
    }
}

/// A token that no write has had before.
pub(super) fn new_write_token() -> Result<WriteToken, Failure> {
    let mut write_token = WriteToken::default();
    SysRng.try_fill_bytes(&mut write_token).map_err(|_| Failure::Internal(Reason::Randomness))?;
    Ok(write_token)
}
