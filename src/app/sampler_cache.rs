//! The samplers of the last policies, so that a policy is counted once for several requests.

use std::sync::Arc;

use tokio::sync::Mutex;

use crate::password::{Policy, PolicyError, Sampler, WorkBudget};

/// The most samplers.
const MAX_SAMPLERS: usize = 16;
/// The memory of all their tables together, in bytes.
const MAX_BYTES: usize = WorkBudget::BYTES;

/// The samplers of the last policies, the most recent first.
///
/// One policy is counted at a time, so that concurrent requests do not multiply the memory. A Tokio mutex, because the
/// thread must be free for other requests while one waits.
#[derive(Default)]
pub(super) struct SamplerCache(Mutex<Vec<Arc<Sampler>>>);

impl SamplerCache {
    /// The final policy and its sampler, from the cache or newly counted.
    pub(super) async fn get(
        &self,
        policy: Policy,
        budget: &mut WorkBudget,
    ) -> Result<(Policy, Arc<Sampler>), PolicyError> {
        let mut samplers = self.0.lock().await;
        let policy = policy.with_entropy(budget)?;
        let cached = samplers.iter().position(|one| one.spec() == policy.spec());
        let sampler = if let Some(index) = cached {
            samplers.remove(index)
        } else {
            let sampler = Sampler::new(policy.spec().clone(), budget);
            Arc::new(sampler.map_err(|error| policy.explain(error))?)
        };
        samplers.insert(0, sampler.clone());
        let mut bytes = 0;
        samplers.retain(|one| {
            bytes += one.bytes();
            bytes <= MAX_BYTES
        });
        samplers.truncate(MAX_SAMPLERS);
        Ok((policy, sampler))
    }
}
