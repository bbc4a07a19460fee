//! The table of callers: it does what [`Admitting`] says, and tells it what DynamoDB answered.

use std::sync::{self, Arc, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::sync::Mutex;
use tokio::time::timeout;

use super::cache::CallerCache;
use super::fault::Fault;
use super::item::{self, Item, ItemError};
use super::policies::{Changed, PoliciesUnavailable, change_policies, read_policies};
use super::update::update_item;
use crate::access::limiter::admitting::{Admitting, Exact, Memory, REFUSAL_TTL, Reading, Step, TimedWrite};
use crate::access::{Admission, Caller, KeyRecord, PolicyBook, PolicyChange, Refusal, WriteToken};
use crate::clock::Clock;

/// Longest wait for the database in one request, all calls together.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(2);
/// How long after an answer the connection is expected to be alive. Lambda freezes a function between requests, and a
/// connection that was closed meanwhile loses the next answer.
const CONNECTION_TTL: Duration = Duration::from_secs(10);
/// The table of callers.
pub struct Store {
    client: Client,
    table: String,
    cache: CallerCache,
    /// When the database last answered.
    answered_at: sync::Mutex<SystemTime>,
    policies: Mutex<Option<(SystemTime, Arc<PolicyBook>)>>,
}

/// The answer to a write.
enum Answer {
    /// It was applied; this is the item after it.
    Applied(Item),
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
        let read_clocks = || {
            let (now, instant) = clock.now_and_instant();
            Reading { now, instant }
        };
        let (remembered, is_connected) = (self.cache.get(caller), self.is_connected(clock.now()));
        let (mut admitting, mut step) =
            Admitting::<Exact>::start(caller, write_token, remembered, is_connected, read_clocks());
        loop {
            let answered = match step {
                Step::Done(result) => return result,
                Step::Read { wait } => self.read(caller, wait).await.and_then(|item| {
                    let at = read_clocks();
                    let state = item::caller_state(caller, item.as_ref(), at.now)?;
                    Ok(admitting.found(caller, state, at))
                }),
                Step::Write { write, pinned, wait } => {
                    let record = pinned.as_ref().and_then(|state| state.key.as_ref());
                    self.write(caller, record, &write, wait).await.and_then(|answer| {
                        let at = read_clocks();
                        let state = |item: Option<&Item>| item::caller_state(caller, item, at.now);
                        Ok(match answer {
                            Answer::Rejected(item) => admitting.rejected(caller, state(item.as_ref())?, at),
                            Answer::Applied(item) => {
                                let after = state(Some(&item))?.ok_or(ItemError { attribute: "pk" })?;
                                admitting.written(caller, after, at)
                            }
                        })
                    })
                }
            };
            step = match answered {
                Ok((step, memory)) => {
                    self.mark_answered(clock.now());
                    match memory {
                        Memory::Keep => {}
                        Memory::Replace(remembered) => self.cache.insert(caller, remembered),
                        Memory::Forget => self.cache.remove(caller),
                    }
                    step
                }
                Err(fault) => admitting.failed(fault.retry, fault.cause, read_clocks()),
            };
        }
    }

    /// One consistent read.
    async fn read(&self, caller: &Caller, wait: Duration) -> Result<Option<Item>, Fault> {
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

    /// One conditional write.
    async fn write(
        &self,
        caller: &Caller,
        record: Option<&KeyRecord>,
        TimedWrite { write, at }: &TimedWrite,
        wait: Duration,
    ) -> Result<Answer, Fault> {
        let call = update_item(self.client.update_item().table_name(&self.table), caller, record, write, at.now);
        match timeout(wait, call.send()).await {
            Ok(Ok(answer)) => Ok(Answer::Applied(answer.attributes.unwrap_or_default())),
            Ok(Err(error)) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Answer::Rejected(failed.item().cloned()))
                }
                _ => Err(Fault::from_sdk(&error)),
            },
            Err(_) => Err(Fault::timeout()),
        }
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
