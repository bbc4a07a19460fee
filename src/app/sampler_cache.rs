//! The samplers of the last policies, so that counting is done once per policy.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::password::{CountError, PasswordSpec, Sampler};

/// Samplers kept.
const CAPACITY: usize = 4;

/// The samplers of the last policies, the most recent first.
#[derive(Default)]
pub(super) struct SamplerCache(Mutex<Vec<Arc<Sampler>>>);

impl SamplerCache {
    /// The sampler of a specification, from the cache or newly counted. Other requests do not wait while it is counted.
    pub(super) fn get(&self, spec: &PasswordSpec) -> Result<Arc<Sampler>, CountError> {
        let cached = self.lock().iter().find(|one| one.spec() == spec).cloned();
        let sampler = match cached {
            Some(sampler) => sampler,
            None => Arc::new(Sampler::new(spec.clone())?),
        };
        let mut samplers = self.lock();
        // Another request may have added the same sampler meanwhile.
        samplers.retain(|one| one.spec() != spec);
        samplers.insert(0, sampler.clone());
        samplers.truncate(CAPACITY);
        Ok(sampler)
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Sampler>>> {
        // A panic elsewhere cannot leave a sampler half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
