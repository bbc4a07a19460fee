//! Admission, and what an admitted request may use: stored policies, samplers, and the generator of secrets.

use std::sync::Arc;

use rand::TryRng;

use super::failure::{BoundKeyError, Failure};
use super::line::Line;
use super::sampler_cache::SamplerCache;
use crate::access::{
    Admission, Authenticated, Binding, BoundPolicy, Caller, KeyRecord, PolicyBook, Quota, Refusal, StoredPolicy,
    WriteToken,
};
use crate::audit::{AuditLog, Reason, Record};
use crate::clock::Clock;
use crate::http::request_error::RequestError;
use crate::password::{
    Constraints, Count, FloorError, NamedPolicy, Policy, PolicyError, PolicyName, Preset, Sampler, Secret, WorkBudget,
};
use crate::store::Store;

/// The generator of the operating system, which draws every secret and write token.
#[expect(clippy::disallowed_types, reason = "it is lent to what draws secrets, and to nothing else")]
type Generator = rand::rngs::SysRng;

/// Whose key an operation needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// Anyone's.
    Any,
    /// An administrator's.
    Administrator,
}

/// What requests share.
pub(crate) struct Services {
    store: Store,
    clock: Clock,
    audit: AuditLog,
    samplers: SamplerCache,
}

/// A request that is counted, of a caller that is proven. Only [`Services::admit`] makes one.
///
/// What draws a secret, and what reads or changes stored policies, is reachable only through it.
pub(crate) struct Admitted<'a> {
    services: &'a Services,
    caller: &'a Caller,
    key: Option<KeyRecord>,
    quota: Quota,
    generator: Generator,
    line: &'a mut Line,
}

/// A policy that a request names, or that its key is bound to.
pub(crate) enum FoundPolicy {
    Preset(&'static Preset),
    Stored { name: String, policy: StoredPolicy },
}

impl Services {
    pub(crate) fn new(store: Store, clock: Clock, audit: AuditLog) -> Self {
        Self { store, clock, audit, samplers: SamplerCache::default() }
    }

    pub(crate) const fn clock(&self) -> &Clock {
        &self.clock
    }

    pub(crate) const fn audit(&self) -> &AuditLog {
        &self.audit
    }

    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// Proves the caller and counts the request, in one write, and checks the role of its key.
    pub(crate) async fn admit<'a>(
        &'a self,
        caller: &'a Authenticated,
        role: Role,
        line: &'a mut Line,
    ) -> Result<Admitted<'a>, Failure> {
        let caller = caller.caller();
        // Boxed because the SDK's future is twenty times as large as the rest of a request.
        let admitted = Box::pin(self.store.admit(caller, &self.clock, new_write_token()?)).await;
        let record = &mut line.record;
        match &admitted {
            Ok(admission) => {
                record.sequence = Some(admission.sequence);
                record.key_name = admission.key.as_ref().map(|key| key.name.clone());
                record.remaining = Some(admission.quota.minute);
                line.time = admission.counted_at;
                line.quota = Some(admission.quota);
            }
            Err(Refusal::Denied { key_name, .. }) => record.key_name = Some(key_name.clone()),
            Err(Refusal::RateLimited { key_name, quota, .. }) => {
                record.key_name.clone_from(key_name);
                record.remaining = Some(quota.minute);
            }
            Err(Refusal::Late { sequence, counted_at }) => {
                record.sequence = Some(*sequence);
                line.time = *counted_at;
            }
            Err(Refusal::UnknownKey | Refusal::Unavailable { .. }) => {}
        }
        let Admission { key, quota, .. } = admitted?;
        if role == Role::Administrator && !key.as_ref().is_some_and(|key| key.binding.admin) {
            return Err(Failure::NotAdministrator);
        }
        Ok(Admitted { services: self, caller, key, quota, generator: Generator::default(), line })
    }
}

impl<'a> Admitted<'a> {
    /// The generator of everything secret.
    pub(crate) const fn generator(&mut self) -> &mut Generator {
        &mut self.generator
    }

    /// Draws secrets, and checks that each one holds. The audit line learns their number.
    pub(crate) fn draw<E>(
        &mut self,
        count: u16,
        draw: impl Fn(&mut Generator) -> Result<Secret, E>,
        holds: impl Fn(&str) -> bool,
    ) -> Result<Vec<Secret>, Failure> {
        let drawn = (0..count).map(|_| draw(&mut self.generator)).collect::<Result<Vec<_>, _>>();
        let drawn = drawn.map_err(|_| Failure::Internal(Reason::Randomness))?;
        if !drawn.iter().all(|secret| holds(secret.expose())) {
            return Err(Failure::Internal(Reason::Verification));
        }
        self.line.record.count = Some(drawn.len());
        Ok(drawn)
    }

    /// The record of the key; none for a caller that is known by its address.
    pub(crate) const fn key(&self) -> Option<&KeyRecord> {
        self.key.as_ref()
    }

    /// What the key is bound to.
    pub(crate) fn binding(&self) -> Binding {
        self.key.as_ref().map(|key| key.binding.clone()).unwrap_or_default()
    }

    /// What remains of the limits.
    pub(crate) const fn quota(&self) -> Quota {
        self.quota
    }

    /// What the audit line says.
    pub(crate) fn record(&mut self) -> &mut Record {
        &mut self.line.record
    }

    pub(super) const fn line(&mut self) -> &mut Line {
        self.line
    }

    pub(super) const fn services(&self) -> &'a Services {
        self.services
    }

    /// The stored policies, as they were at most ten seconds ago.
    pub(crate) async fn policies(&self) -> Result<Arc<PolicyBook>, Failure> {
        Ok(self.services.store.policies(&self.services.clock).await?)
    }

    /// The policy that the key is bound to, or else the one that the request names.
    pub(crate) async fn find_policy(&self, name: Option<&PolicyName>) -> Result<Option<FoundPolicy>, Failure> {
        let bound = self.key.as_ref().and_then(|key| key.binding.policy.as_ref());
        let Some(bound) = bound else {
            return match name {
                None => Ok(None),
                Some(PolicyName::Preset(preset)) => Ok(Some(FoundPolicy::Preset(preset))),
                Some(PolicyName::Other(name)) => {
                    let book = self.policies().await?;
                    let unknown = || RequestError::unknown_policy(book.policies.keys().map(String::as_str));
                    let policy = book.policies.get(name).ok_or_else(unknown)?.clone();
                    Ok(Some(FoundPolicy::Stored { name: name.clone(), policy }))
                }
            };
        };
        if name.is_some_and(|name| name.as_str() != bound.name()) {
            return Err(BoundKeyError::OtherPolicy { bound: bound.name().to_owned() }.into());
        }
        let missing = || BoundKeyError::NoPolicy { bound: bound.name().to_owned() };
        match bound {
            BoundPolicy::Preset(name) => match PolicyName::parse(name) {
                Some(PolicyName::Preset(preset)) => Ok(Some(FoundPolicy::Preset(preset))),
                _ => Err(missing().into()),
            },
            BoundPolicy::Stored(name) => {
                let policy = self.policies().await?.policies.get(name).ok_or_else(missing)?.clone();
                Ok(Some(FoundPolicy::Stored { name: name.clone(), policy }))
            }
        }
    }

    /// The policy that a path names, if the key may use it.
    pub(crate) async fn find_policy_in_path(&self, name: &PolicyName) -> Result<FoundPolicy, Failure> {
        match self.find_policy(Some(name)).await {
            Ok(found) => found.ok_or(Failure::NoPolicy),
            Err(Failure::Request(_) | Failure::BoundKey(BoundKeyError::NoPolicy { .. })) => Err(Failure::NoPolicy),
            Err(failure) => Err(failure),
        }
    }

    /// The final policy and its sampler, without what the key requires.
    pub(crate) fn count(&self, policy: Policy, budget: &mut WorkBudget) -> Result<(Policy, Arc<Sampler>), PolicyError> {
        self.services.samplers.get(self.caller, policy, budget)
    }

    /// The final policy and its sampler. It has as much entropy as the key requires, and no less than the policy that the
    /// key is bound to has alone.
    pub(crate) fn sampler(
        &mut self,
        policy: Policy,
        named: Option<&NamedPolicy>,
        budget: &mut WorkBudget,
    ) -> Result<(Policy, Arc<Sampler>), Failure> {
        let Binding { policy: bound, min_entropy, .. } = self.binding();
        let bound = named.filter(|_| bound.is_some());
        let (mut policy, mut sampler) = self.count(policy, budget).map_err(RequestError::from)?;
        if bound.is_some() || min_entropy.is_some() {
            let mut fewest = Count::of_bits(min_entropy.unwrap_or_default().into());
            if let Some(bound) = bound {
                let alone = bound.policy(&Constraints::default()).map_err(RequestError::from)?;
                let (_, alone) = self.count(alone, budget).map_err(RequestError::from)?;
                fewest = fewest.max(alone.count().clone());
            }
            if *sampler.count() < fewest {
                policy = policy.with_at_least(&fewest, budget).map_err(|error| match error {
                    FloorError::TooFew(most) => {
                        BoundKeyError::TooLittleEntropy { has: most.entropy(), needs: fewest.entropy() }.into()
                    }
                    FloorError::Policy(error) => Failure::from(RequestError::from(error)),
                })?;
                (policy, sampler) = self.count(policy, budget).map_err(RequestError::from)?;
            }
        }
        let record = self.record();
        record.length = Some(policy.length());
        record.classes = Some(policy.class_names());
        record.entropy_bits = Some(sampler.entropy().rounded_down());
        Ok((policy, sampler))
    }
}

/// A token that no write has had before.
pub(super) fn new_write_token() -> Result<WriteToken, Failure> {
    let mut write_token = WriteToken::default();
    Generator::default().try_fill_bytes(&mut write_token).map_err(|_| Failure::Internal(Reason::Randomness))?;
    Ok(write_token)
}
