//! The table of callers: one conditional write authenticates a caller and counts its request.
//!
//! The function caches what DynamoDB last reported about each caller and computes the ceiling from it
//! ([`crate::access::limiter`]). The write's condition pins everything that a cached state could be wrong about
//! ([`super::update`]): `n` by the ceiling, what administrators change by `v`, the secret by `h`. When the condition
//! fails, DynamoDB returns the item, and with it the current state.
//!
//! A write whose answer was lost is repeated once, in a way that cannot count twice
//! ([`crate::access::limiter::conditional_write`]).

use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::time::timeout;

use super::cache::{CacheEntry, CallerCache};
use super::fault::{Fault, Retry};
use super::item::{self, Item};
use super::update::update_item;
use crate::access::caller::{Admission, Caller, CallerState, Refusal};
use crate::access::limiter::conditional_write::{ConditionalWrite, Outcome};
use crate::access::limiter::window::{Decision, WriteToken};

/// Longest wait for the database in one request, all calls together.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for one call, so that a lost answer leaves time for another call.
const CALL_TIMEOUT: Duration = Duration::from_millis(1_300);
/// How long a refusal is repeated from the cache.
const REFUSAL_TTL: Duration = Duration::from_secs(10);
/// How often a request is tried with a newer state when the condition fails and the new state permits it.
const MAX_ATTEMPTS: usize = 3;

/// The table of callers.
pub struct Store {
    client: Client,
    table: String,
    cache: CallerCache,
}

/// The result of a conditional write.
enum WriteResult {
    /// It was applied; this is the item after it.
    Applied(Item),
    /// Its condition failed; this is the item, if there is one.
    Rejected(Option<Item>),
}

impl Store {
    /// The table with the given name.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table, cache: CallerCache::default() }
    }

    /// Admits one request and counts it, or does neither.
    ///
    /// `write_token` identifies the request: 16 random bytes, never used before. `now` decides which slot and day the
    /// request belongs to.
    ///
    /// # Errors
    /// A [`Refusal`]. The request was not counted then, unless the answer of the database was lost.
    pub async fn admit(&self, caller: &Caller, now: SystemTime, write_token: WriteToken) -> Result<Admission, Refusal> {
        let admitted = timeout(REQUEST_TIMEOUT, self.try_admit(caller, now, write_token)).await;
        admitted.unwrap_or_else(|_| Err(Refusal::Unavailable { cause: "no answer within the time budget".into() }))
    }

    async fn try_admit(&self, caller: &Caller, now: SystemTime, write_token: WriteToken) -> Result<Admission, Refusal> {
        let mut state = match self.cache.get(caller) {
            Some(CacheEntry::Unknown { since }) if is_recent(since, now) => return Err(Refusal::UnknownKey),
            Some(CacheEntry::Known(state)) => *state,
            _ => self.read(caller, now).await?,
        };
        for _ in 0..MAX_ATTEMPTS {
            if !state.is_proven_by(caller, now) {
                state = self.read(caller, now).await?;
            }
            if let Some(refusal) = state.denied(caller, now) {
                if is_recent(state.read_at, now) {
                    return Err(refusal);
                }
                state = self.read(caller, now).await?;
                continue;
            }
            let ceiling = match state.counters.decide(state.limits, now) {
                Decision::Admit { ceiling } => ceiling,
                Decision::Refuse { until } if is_recent(state.read_at, now) => {
                    return Err(state.rate_limited(until, now));
                }
                // The counters still prove the refusal, but an administrator may have changed the key.
                Decision::Refuse { .. } => {
                    state = self.read(caller, now).await?;
                    continue;
                }
            };
            let write = ConditionalWrite::new(&state.counters, ceiling, now, write_token);
            let write = if state.stored { write } else { write.creating() };
            match self.write(caller, &state, &write, now).await? {
                WriteResult::Applied(item) => return self.conclude(caller, &state, &write, &item, now),
                WriteResult::Rejected(item) => state = self.refresh(caller, item.as_ref(), now)?,
            }
        }
        Err(Refusal::Unavailable { cause: "the item changed faster than it could be read".into() })
    }

    /// The admission that an answer shows, if it is the answer that the write must have caused. Anything else is a
    /// failure, so that no password leaves without a count.
    fn conclude(
        &self,
        caller: &Caller,
        state: &CallerState,
        write: &ConditionalWrite,
        item: &Item,
        now: SystemTime,
    ) -> Result<Admission, Refusal> {
        let after = item::caller_state(caller, Some(item), now).map_err(Fault::from)?;
        match after {
            Some(after) if after.key == state.key && write.matches(&after.counters) => {
                let admission = after.admission(now);
                self.cache.insert(caller, CacheEntry::Known(Box::new(after)));
                Ok(admission)
            }
            // An answer that is not trusted is not cached either: the next request reads the item.
            _ => {
                self.cache.remove(caller);
                Err(Refusal::Unavailable { cause: "the answer does not match the write".into() })
            }
        }
    }

    /// Reads the item, with one consistent read.
    async fn read(&self, caller: &Caller, now: SystemTime) -> Result<CallerState, Refusal> {
        let call = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(caller.pk()))
            .consistent_read(true)
            .send();
        let answer = match timeout(CALL_TIMEOUT, call).await {
            Ok(answer) => answer.map_err(|error| Fault::from_sdk(&error))?,
            Err(_) => return Err(Fault::timeout().into()),
        };
        self.refresh(caller, answer.item(), now)
    }

    /// Writes once, and once more if the first call did not tell its result.
    async fn write(
        &self,
        caller: &Caller,
        state: &CallerState,
        write: &ConditionalWrite,
        now: SystemTime,
    ) -> Result<WriteResult, Fault> {
        match self.send(caller, state, write, now).await {
            Err(fault) if fault.retry == Retry::Safe => self.send(caller, state, write, now).await,
            Err(fault) if fault.retry == Retry::OnlyIfUnapplied => {
                match self.send(caller, state, &write.repeated(), now).await? {
                    WriteResult::Rejected(Some(item)) => match write.outcome(&item::counters(&item)?) {
                        Outcome::Applied => Ok(WriteResult::Applied(item)),
                        Outcome::NotApplied => Ok(WriteResult::Rejected(Some(item))),
                        Outcome::Unknown => {
                            Err(Fault { cause: format!("{}, then another write", fault.cause), ..fault })
                        }
                    },
                    result => Ok(result),
                }
            }
            result => result,
        }
    }

    async fn send(
        &self,
        caller: &Caller,
        state: &CallerState,
        write: &ConditionalWrite,
        now: SystemTime,
    ) -> Result<WriteResult, Fault> {
        let call = update_item(self.client.update_item().table_name(&self.table), caller, state, write, now);
        match timeout(CALL_TIMEOUT, call.send()).await {
            Ok(Ok(answer)) => Ok(WriteResult::Applied(answer.attributes.unwrap_or_default())),
            Ok(Err(error)) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(WriteResult::Rejected(failed.item().cloned()))
                }
                _ => Err(Fault::from_sdk(&error)),
            },
            Err(_) => Err(Fault::timeout()),
        }
    }

    /// Caches what the database reported about a caller, and returns it.
    fn refresh(&self, caller: &Caller, item: Option<&Item>, now: SystemTime) -> Result<CallerState, Refusal> {
        let Some(state) = item::caller_state(caller, item, now).map_err(Fault::from)? else {
            self.cache.insert(caller, CacheEntry::Unknown { since: now });
            return Err(Refusal::UnknownKey);
        };
        self.cache.insert(caller, CacheEntry::Known(Box::new(state.clone())));
        Ok(state)
    }
}

fn is_recent(then: SystemTime, now: SystemTime) -> bool {
    now.duration_since(then).is_ok_and(|age| age < REFUSAL_TTL)
}
