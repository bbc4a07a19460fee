//! What the operations share: admission and samplers.

use std::time::SystemTime;

use rand::TryRng;
use rand::rngs::SysRng;

use super::error::Failure;
use super::sampler_cache::SamplerCache;
use crate::access::{Admission, Caller, Refusal, Store};
use crate::audit::{Reason, Record};

pub(super) struct Services {
    pub(super) store: Store,
    pub(super) samplers: SamplerCache,
}

impl Services {
    /// Authenticates the caller and counts the request.
    pub(super) async fn admit(
        &self,
        caller: &Caller,
        now: SystemTime,
        record: &mut Record,
    ) -> Result<Admission, Failure> {
        let mut write_token = [0; 16];
        SysRng.try_fill_bytes(&mut write_token).map_err(|_| Failure::Internal(Reason::Randomness))?;
        // Boxed because the SDK's future is twenty times as large as the rest of a request.
        let admitted = Box::pin(self.store.admit(caller, now, write_token)).await;
        match &admitted {
            Ok(admission) => {
                record.sequence = Some(admission.sequence);
                record.key_name.clone_from(&admission.key_name);
                record.remaining = Some(admission.quota.minute);
            }
            Err(Refusal::Denied { key_name, .. }) => record.key_name = Some(key_name.clone()),
            Err(Refusal::RateLimited { key_name, quota, .. }) => {
                record.key_name.clone_from(key_name);
                record.remaining = Some(quota.minute);
            }
            Err(Refusal::UnknownKey | Refusal::Unavailable { .. }) => {}
        }
        Ok(admitted?)
    }
}
