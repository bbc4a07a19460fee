//! The table of callers: one conditional write authenticates a caller and counts its request.
//!
//! The function caches what DynamoDB last reported about each caller and computes the ceiling from it
//! ([`crate::access::limiter`]). The write's condition pins everything that a cached state could be wrong about
//! (`update.rs`): `n` by the ceiling, what administrators change by `v`, the secret by `h`. When the condition
//! fails, DynamoDB returns the item, and with it the current state.
//!
//! A key that is not cached is not read first. The first write is blind: it uses the ceiling that an earlier write left in
//! the item.
//!
//! A write whose answer was lost is repeated once, in a way that cannot count twice
//! ([`crate::access::limiter::conditional_write`]).

use std::sync::{self, Arc, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::cache::{CacheEntry, CallerCache};
use super::fault::{Fault, Retry};
use super::item::{self, Item};
use super::policies::{Changed, PoliciesUnavailable, change_policies, read_policies};
use super::update::update_item;
use crate::access::limiter::conditional_write::{ConditionalWrite, Outcome};
use crate::access::limiter::window::Decision;
use crate::access::{Admission, Caller, CallerState, KeyRecord, PolicyBook, PolicyChange, Refusal, WriteToken};
use crate::clock::Clock;

/// Longest wait for the database in one request, all calls together.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// Longest wait for the first of two equal calls: a lost answer leaves time for a second call over a new connection.
const FIRST_TIMEOUT: Duration = Duration::from_millis(450);
/// How long after its clock reading a write may be answered: the part of the limit's tolerance that the function
/// enforces (`docs/rate-limiting.md`).
const WRITE_TOLERANCE: Duration = Duration::from_secs(1);
/// How long a refusal is repeated from the cache.
const REFUSAL_TTL: Duration = Duration::from_secs(10);
/// How long after an answer the connection is expected to be alive. Lambda freezes a function between requests, and a
/// connection that was closed meanwhile loses the next answer.
const CONNECTION_TTL: Duration = Duration::from_secs(10);
/// How often a request is tried with a newer state when the condition fails and the new state permits it.
const MAX_ATTEMPTS: usize = 3;

/// The table of callers.
pub struct Store {
    client: Client,
    table: String,
    cache: CallerCache,
    /// When the database last answered.
    answered_at: sync::Mutex<SystemTime>,
    policies: Mutex<Option<(SystemTime, Arc<PolicyBook>)>>,
}

/// A conditional write and the clock reading that it is based on.
struct TimedWrite {
    write: ConditionalWrite,
    now: SystemTime,
    began: Instant,
}

/// The result of a conditional write.
enum WriteResult {
    /// This write was applied; this is the item after it.
    Applied(TimedWrite, Item),
    /// Its condition failed; this is the item, if there is one.
    Rejected(Option<Item>),
}

impl Store {
    /// The table with the given name, and when the client connected to the database.
    #[must_use]
    pub fn new(client: Client, table: String, connected_at: SystemTime) -> Self {
        let answered_at = sync::Mutex::new(connected_at);
        Self { client, table, cache: CallerCache::default(), answered_at, policies: Mutex::new(None) }
    }

    /// The stored policies, as they were at most ten seconds ago.
    ///
    /// # Errors
    /// [`PoliciesUnavailable`].
    pub async fn policies(&self, clock: &Clock) -> Result<Arc<PolicyBook>, PoliciesUnavailable> {
        // Held while one request reads, so that concurrent ones read once.
        let mut cached = self.policies.lock().await;
        match &*cached {
            Some((read_at, book)) if is_within(REFUSAL_TTL, *read_at, clock.now()) => Ok(book.clone()),
            _ => {
                *cached = None;
                let book = Arc::new(Box::pin(read_policies(&self.client, &self.table)).await?);
                *cached = Some((clock.now(), book.clone()));
                Ok(book)
            }
        }
    }

    /// The stored policies as they are, for a change of them.
    ///
    /// # Errors
    /// [`PoliciesUnavailable`].
    pub async fn current_policies(&self, clock: &Clock) -> Result<Arc<PolicyBook>, PoliciesUnavailable> {
        *self.policies.lock().await = None;
        self.policies(clock).await
    }

    /// Changes one policy, if no other change was made since the book had this revision.
    ///
    /// # Errors
    /// [`PoliciesUnavailable`] when it was certainly not made.
    pub async fn change_policies(
        &self,
        revision: u64,
        change: &PolicyChange,
        write_token: WriteToken,
    ) -> Result<Changed, PoliciesUnavailable> {
        let call = change_policies(&self.client, &self.table, revision, change, write_token);
        let changed = Box::pin(call).await;
        *self.policies.lock().await = None;
        changed
    }

    /// Admits one request and counts it, or does neither.
    ///
    /// `write_token` identifies the request: 16 random bytes, never used before. The clock is read immediately before
    /// each write, because the caller controls how much time passes before.
    ///
    /// # Errors
    /// A [`Refusal`]. The request was not counted then, except with [`Refusal::Late`], or if the answer of the database
    /// was lost.
    pub async fn admit(&self, caller: &Caller, clock: &Clock, write_token: WriteToken) -> Result<Admission, Refusal> {
        let admitted = timeout(REQUEST_TIMEOUT, self.try_admit(caller, clock, write_token)).await;
        admitted.unwrap_or_else(|_| Err(Refusal::Unavailable { cause: "no answer within the time budget".into() }))
    }

    async fn try_admit(&self, caller: &Caller, clock: &Clock, write_token: WriteToken) -> Result<Admission, Refusal> {
        let mut state = match self.cache.get(caller) {
            Some(CacheEntry::Unknown { since }) if is_within(REFUSAL_TTL, since, clock.now()) => {
                return Err(Refusal::UnknownKey);
            }
            Some(CacheEntry::Known(state)) => *state,
            None if matches!(caller, Caller::Key(..)) && self.is_connected(clock.now()) => {
                let (now, began) = clock.now_and_instant();
                let write = TimedWrite { write: ConditionalWrite::blind(now, write_token), now, began };
                match self.write(caller, None, write, clock).await? {
                    WriteResult::Applied(write, item) => return self.conclude(caller, None, &write, &item, clock),
                    WriteResult::Rejected(item) => self.refresh(caller, item.as_ref(), clock.now())?,
                }
            }
            _ => self.read(caller, clock).await?,
        };
        for _ in 0..MAX_ATTEMPTS {
            if !state.is_proven_by(caller, clock.now()) {
                state = self.read(caller, clock).await?;
            }
            let (now, began) = clock.now_and_instant();
            if let Some(refusal) = state.denied(caller, now) {
                if is_within(REFUSAL_TTL, state.read_at, now) {
                    return Err(refusal);
                }
                state = self.read(caller, clock).await?;
                continue;
            }
            let ceiling = match state.counters.decide(state.limits, now) {
                Decision::Admit { ceiling } => ceiling,
                Decision::Refuse { until } if is_within(REFUSAL_TTL, state.read_at, now) => {
                    return Err(state.rate_limited(until, now));
                }
                // The counters still prove the refusal, but an administrator may have changed the key.
                Decision::Refuse { .. } => {
                    state = self.read(caller, clock).await?;
                    continue;
                }
            };
            let write = ConditionalWrite::new(&state.counters, ceiling, now, write_token);
            let write = if state.stored { write } else { write.creating() };
            let record = state.key.as_ref();
            match self.write(caller, record, TimedWrite { write, now, began }, clock).await? {
                WriteResult::Applied(write, item) => return self.conclude(caller, record, &write, &item, clock),
                WriteResult::Rejected(item) => state = self.refresh(caller, item.as_ref(), clock.now())?,
            }
        }
        Err(Refusal::Unavailable { cause: "the item changed faster than it could be read".into() })
    }

    /// The admission that an answer shows, if it is the answer that the write must have caused. Anything else is a
    /// failure, so that no password leaves without a count. `record` is what was known about the key before.
    fn conclude(
        &self,
        caller: &Caller,
        record: Option<&KeyRecord>,
        TimedWrite { write, now, began }: &TimedWrite,
        item: &Item,
        clock: &Clock,
    ) -> Result<Admission, Refusal> {
        let after = item::caller_state(caller, Some(item), *now).map_err(Fault::from)?;
        let is_same = |after: &CallerState| record.is_none() || after.key.as_ref() == record;
        let is_permitted = |after: &CallerState| is_same(after) && after.denied(caller, *now).is_none();
        let Some(after) = after.filter(|after| is_permitted(after) && write.matches(&after.counters)) else {
            // An answer that is not trusted is not cached either.
            self.cache.remove(caller);
            return Err(Refusal::Unavailable { cause: "the answer does not match the write".into() });
        };
        self.mark_answered(*now);
        let admission = after.admission(*now);
        self.cache.insert(caller, CacheEntry::Known(Box::new(after)));
        if clock.instant().saturating_duration_since(*began) > WRITE_TOLERANCE {
            return Err(Refusal::Late { sequence: admission.sequence, counted_at: *now });
        }
        Ok(admission)
    }

    /// Reads the item, with one consistent read, and once more if the connection was lost: a function that was frozen
    /// for minutes finds its connection closed.
    async fn read(&self, caller: &Caller, clock: &Clock) -> Result<CallerState, Refusal> {
        let item = match self.get(caller, FIRST_TIMEOUT).await {
            Err(fault) if fault.retry != Retry::Never => self.get(caller, REQUEST_TIMEOUT).await?,
            result => result?,
        };
        self.refresh(caller, item.as_ref(), clock.now())
    }

    async fn get(&self, caller: &Caller, wait: Duration) -> Result<Option<Item>, Fault> {
        let call = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(caller.pk()))
            .consistent_read(true)
            .send();
        match timeout(wait, call).await {
            Ok(Ok(answer)) => Ok(answer.item),
            Ok(Err(error)) => Err(Fault::from_sdk(&error)),
            Err(_) => Err(Fault::timeout()),
        }
    }

    /// Writes once, and once more if the first call did not tell its result.
    async fn write(
        &self,
        caller: &Caller,
        record: Option<&KeyRecord>,
        first: TimedWrite,
        clock: &Clock,
    ) -> Result<WriteResult, Fault> {
        let fault = match self.send(caller, record, &first, FIRST_TIMEOUT).await {
            Ok(Ok(item)) => return Ok(WriteResult::Applied(first, item)),
            Ok(Err(item)) => return Ok(WriteResult::Rejected(item)),
            Err(fault) if fault.retry == Retry::Never => return Err(fault),
            Err(fault) => fault,
        };
        let (now, began) = clock.now_and_instant();
        let write = match fault.retry {
            Retry::OnlyIfUnapplied => match first.write.repeated(now) {
                Some(write) => write,
                None => return Err(fault),
            },
            Retry::Safe | Retry::Never => first.write.moved(now),
        };
        let second = TimedWrite { write, now, began };
        match self.send(caller, record, &second, WRITE_TOLERANCE).await? {
            Ok(item) => Ok(WriteResult::Applied(second, item)),
            Err(Some(item)) if fault.retry == Retry::OnlyIfUnapplied => {
                match first.write.outcome(&item::counters(&item)?) {
                    Outcome::Applied => Ok(WriteResult::Applied(first, item)),
                    Outcome::NotApplied => Ok(WriteResult::Rejected(Some(item))),
                    Outcome::Unknown => Err(Fault { cause: format!("{}, then another write", fault.cause), ..fault }),
                }
            }
            Err(item) => Ok(WriteResult::Rejected(item)),
        }
    }

    /// Sends a write. The result is the item after it, or the item that its condition rejected.
    async fn send(
        &self,
        caller: &Caller,
        record: Option<&KeyRecord>,
        TimedWrite { write, now, .. }: &TimedWrite,
        wait: Duration,
    ) -> Result<Result<Item, Option<Item>>, Fault> {
        let call = update_item(self.client.update_item().table_name(&self.table), caller, record, write, *now);
        match timeout(wait, call.send()).await {
            Ok(Ok(answer)) => Ok(Ok(answer.attributes.unwrap_or_default())),
            Ok(Err(error)) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => Ok(Err(failed.item().cloned())),
                _ => Err(Fault::from_sdk(&error)),
            },
            Err(_) => Err(Fault::timeout()),
        }
    }

    /// Caches what the database reported about a caller, and returns it.
    fn refresh(&self, caller: &Caller, item: Option<&Item>, now: SystemTime) -> Result<CallerState, Refusal> {
        self.mark_answered(now);
        let Some(state) = item::caller_state(caller, item, now).map_err(Fault::from)? else {
            self.cache.insert(caller, CacheEntry::Unknown { since: now });
            return Err(Refusal::UnknownKey);
        };
        self.cache.insert(caller, CacheEntry::Known(Box::new(state.clone())));
        Ok(state)
    }

    fn is_connected(&self, now: SystemTime) -> bool {
        is_within(CONNECTION_TTL, *self.answered_at.lock().unwrap_or_else(PoisonError::into_inner), now)
    }

    fn mark_answered(&self, now: SystemTime) {
        *self.answered_at.lock().unwrap_or_else(PoisonError::into_inner) = now;
    }
}

fn is_within(duration: Duration, then: SystemTime, now: SystemTime) -> bool {
    now.duration_since(then).is_ok_and(|age| age < duration)
}
