//! The samplers of the last policies, so that a policy is counted once for several requests.

use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use crate::access::Caller;
use crate::password::{Constraints, PRESETS, PasswordSpec, Policy, PolicyError, Sampler, WorkBudget};

/// The most samplers.
const MAX_SAMPLERS: usize = 16;
/// The memory of all their tables together, in bytes.
const MAX_BYTES: usize = WorkBudget::BYTES;

/// The policies that every caller uses: the default, and the presets without further parameters.
static COMMON: LazyLock<Vec<PasswordSpec>> = LazyLock::new(|| {
    let presets = PRESETS.iter().map(Some).chain([None]);
    let policies = presets.filter_map(|preset| Policy::new(&Constraints::default(), preset).ok());
    policies.map(|policy| policy.spec().clone()).collect()
});

/// The samplers of the last policies, the most recent first.
///
/// Counting takes time, so a caller could tell from the time of its answer which policies another one has used. A sampler
/// is therefore found only by the caller whose request counted it, unless its policy is one that all use.
///
/// One policy is counted at a time.
#[derive(Default)]
pub(super) struct SamplerCache(Mutex<Vec<Entry>>);

struct Entry {
    /// The primary key of the caller whose request counted the policy; none if all callers may find it.
    owner: Option<String>,
    sampler: Arc<Sampler>,
}

impl SamplerCache {
    /// The final policy and its sampler, from the cache or newly counted.
    pub(super) fn get(
        &self,
        caller: &Caller,
        policy: Policy,
        budget: &mut WorkBudget,
    ) -> Result<(Policy, Arc<Sampler>), PolicyError> {
        let mut entries = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let policy = policy.with_entropy(budget)?;
        let owner = (!COMMON.contains(policy.spec())).then(|| caller.pk());
        let cached = entries.iter().position(|one| one.owner == owner && one.sampler.spec() == policy.spec());
        let entry = if let Some(index) = cached {
            entries.remove(index)
        } else {
            let sampler = Sampler::new(policy.spec().clone(), budget);
            Entry { owner, sampler: Arc::new(sampler.map_err(|error| policy.explain(error))?) }
        };
        let sampler = entry.sampler.clone();
        entries.insert(0, entry);
        let mut bytes = 0;
        entries.retain(|one| {
            bytes += one.sampler.bytes();
            bytes <= MAX_BYTES
        });
        entries.truncate(MAX_SAMPLERS);
        Ok((policy, sampler))
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;
    use crate::access::Limits;

    fn sampler(cache: &SamplerCache, address: u8, constraints: &Constraints) -> Arc<Sampler> {
        let limits = Limits { per_minute: 1.try_into().unwrap(), per_day: 1.try_into().unwrap() };
        let caller = Caller::Address(IpAddr::from([192, 0, 2, address]).into(), limits);
        let policy = Policy::new(constraints, None).unwrap();
        cache.get(&caller, policy, &mut WorkBudget::new(1)).unwrap().1
    }

    #[test]
    fn cached_sampler_is_found_only_by_the_caller_that_had_it_counted() {
        let cache = SamplerCache::default();
        let own = Constraints { length: Some(21), ..Constraints::default() };
        let first = sampler(&cache, 1, &own);
        assert!(Arc::ptr_eq(&first, &sampler(&cache, 1, &own)));
        assert!(!Arc::ptr_eq(&first, &sampler(&cache, 2, &own)));
        // An explicit value that is the default makes no difference.
        let common = sampler(&cache, 1, &Constraints::default());
        let explicit = Constraints { length: Some(16), ..Constraints::default() };
        assert!(Arc::ptr_eq(&common, &sampler(&cache, 2, &explicit)));
    }

    #[test]
    fn cache_of_many_callers_keeps_16_samplers() {
        let cache = SamplerCache::default();
        let own = Constraints { length: Some(21), ..Constraints::default() };
        for address in 0..40 {
            sampler(&cache, address, &own);
        }
        assert_eq!(cache.0.lock().unwrap().len(), MAX_SAMPLERS);
    }
}
