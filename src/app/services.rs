//! What the operations share: admission and samplers.

use std::sync::Arc;

use rand::TryRng;
use rand::rngs::SysRng;

use super::error::Failure;
use super::progress::Progress;
use super::sampler_cache::SamplerCache;
use crate::access::{Caller, Refusal, Store};
use crate::audit::Reason;
use crate::clock::Clock;
use crate::http::request::RequestError;
use crate::password::{Policy, Sampler, WorkBudget};

pub(super) struct Services {
    pub(super) store: Store,
    pub(super) clock: Clock,
    pub(super) samplers: SamplerCache,
}

impl Services {
    /// Authenticates the caller and counts the request.
    pub(super) async fn admit(&self, caller: &Caller, progress: &mut Progress) -> Result<(), Failure> {
        let mut write_token = [0; 16];
        SysRng.try_fill_bytes(&mut write_token).map_err(|_| Failure::Internal(Reason::Randomness))?;
        // Boxed because the SDK's future is twenty times as large as the rest of a request.
        let admitted = Box::pin(self.store.admit(caller, &self.clock, write_token)).await;
        let record = &mut progress.record;
        match &admitted {
            Ok(admission) => {
                record.sequence = Some(admission.sequence);
                record.key_name.clone_from(&admission.key_name);
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
        admitted?;
        Ok(())
    }

    /// The final policy and its sampler. Called after admission, because counting takes time.
    pub(super) async fn sampler(
        &self,
        policy: Policy,
        budget: &mut WorkBudget,
        progress: &mut Progress,
    ) -> Result<(Policy, Arc<Sampler>), Failure> {
        let counted = self.samplers.get(policy, budget).await;
        let (policy, sampler) = counted.map_err(RequestError::from)?;
        progress.record.length = Some(policy.length());
        progress.record.classes = Some(policy.class_names());
        progress.record.entropy_bits = Some(sampler.entropy().rounded_down());
        Ok((policy, sampler))
    }
}
