//! The DynamoDB table: one conditional write that authenticates and counts.
//!
//! ```text
//! UpdateItem pk = :pk
//! SET m<slot> = if_not_exists(m<slot>, n), d<day> = if_not_exists(d<day>, n), n = n + :one, rid = :rid
//! REMOVE <snapshots nobody needs>
//! IF   n < :ceiling AND rid <> :rid AND v = :v AND h = :h
//! ```
//!
//! The function remembers what the last answer said of each caller, its *view*, and computes the
//! ceiling from it ([`super::limit`]). Everything an old view could be wrong about is pinned by the
//! condition: `n` by the ceiling, what administrators change by `v`, the secret by `h`. A condition that
//! fails brings the item along, and with it the truth.
//!
//! `rid` is the mark of the request that wrote last. A write whose answer was lost is sent once more
//! under the same mark: if the first had landed, the condition fails and the item carries the mark. It
//! stands in the first write too, so that one that arrives after the second changes nothing.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValue, ReturnValuesOnConditionCheckFailure};
use tokio::time::timeout;

use super::admission::{Admission, Caller, Refusal, View};
use super::limit::{self, Decision};
use super::record::{self, Item, RequestMark};

/// Longest wait for the database in one request, all calls together.
const BUDGET: Duration = Duration::from_secs(2);
/// Longest wait for one call, so that a lost answer leaves time to ask again.
const ATTEMPT: Duration = Duration::from_millis(1_300);
/// How long a refusal is remembered without asking the database again.
const REMEMBERED: Duration = Duration::from_secs(10);
/// How often a write is tried with a newer view when the condition fails and nothing forbids it.
const VIEWS: usize = 3;
/// Callers remembered at a time.
const CALLERS: usize = 512;
/// The item of an address is kept for this long after its last request: more than the day that its
/// snapshots span.
const ADDRESS_KEPT: Duration = Duration::from_hours(48);

/// The table of callers.
pub struct Store {
    client: Client,
    table: String,
    memories: Mutex<HashMap<Identity, Memory>>,
}

/// A caller as the cache knows it: see [`Caller::identity`].
type Identity = (String, Option<[u8; 32]>);

#[derive(Clone)]
enum Memory {
    Known(Box<View>),
    Unknown { since: SystemTime },
}

/// What a write did.
enum Written {
    /// It took place; this is the item after it.
    Landed(Item),
    /// Its condition failed; this is the item, if there is one.
    Rejected(Option<Item>),
}

/// A call that gave no usable answer.
struct Fault {
    cause: String,
    /// Whether asking again can help.
    again: bool,
}

impl Store {
    /// The table of the given name.
    #[must_use]
    pub fn new(client: Client, table: String) -> Self {
        Self { client, table, memories: Mutex::default() }
    }

    /// Admits one request and counts it, or does neither.
    ///
    /// `mark` names the request: 16 random bytes, never used before. `now` decides which slot and day
    /// the request falls into.
    ///
    /// # Errors
    /// A [`Refusal`]. Nothing was counted then, unless the answer of the database was lost.
    pub async fn admit(&self, caller: &Caller, now: SystemTime, mark: [u8; 16]) -> Result<Admission, Refusal> {
        let within = timeout(BUDGET, self.admit_by_views(caller, now, mark)).await;
        within.unwrap_or_else(|_| Err(Refusal::Unavailable { cause: "no answer within the time budget".into() }))
    }

    async fn admit_by_views(&self, caller: &Caller, now: SystemTime, mark: RequestMark) -> Result<Admission, Refusal> {
        let mut view = match self.recall(caller) {
            Some(Memory::Unknown { since }) if recent(since, now) => return Err(Refusal::UnknownKey),
            Some(Memory::Known(view)) => *view,
            _ => self.read(caller, now).await?,
        };
        for _ in 0..VIEWS {
            if !view.is_proven_by(caller, now) {
                view = self.read(caller, now).await?;
            }
            if let Some(refusal) = view.barred(caller, now) {
                if recent(view.seen, now) {
                    return Err(refusal);
                }
                view = self.read(caller, now).await?;
                continue;
            }
            let ceiling = match view.counters.decide(view.limits, now) {
                Decision::Admit { ceiling } => ceiling,
                Decision::Refuse { until } if recent(view.seen, now) => return Err(view.rate_limited(until, now)),
                // Whatever was read of the counters still holds, but the key may have changed since.
                Decision::Refuse { .. } => {
                    view = self.read(caller, now).await?;
                    continue;
                }
            };
            match self.write(caller, &view, ceiling, now, mark).await? {
                Written::Landed(item) => {
                    let admission = match View::of(caller, Some(&item), now).map_err(Fault::from)? {
                        Some(after) => view.admission(&after, &item, ceiling, now, mark).map(|made| (made, after)),
                        None => Err(Refusal::UnknownKey),
                    };
                    // What cannot be believed is not remembered either: the next request reads anew.
                    return match admission {
                        Ok((admission, after)) => {
                            self.remember(caller, Memory::Known(Box::new(after)));
                            Ok(admission)
                        }
                        Err(refusal) => {
                            self.memories().remove(&caller.identity());
                            Err(refusal)
                        }
                    };
                }
                Written::Rejected(item) => view = self.learn(caller, item.as_ref(), now)?,
            }
        }
        Err(Refusal::Unavailable { cause: "the item changed faster than it could be read".into() })
    }

    /// Reads the item, in one consistent read.
    async fn read(&self, caller: &Caller, now: SystemTime) -> Result<View, Refusal> {
        let call = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(caller.pk()))
            .consistent_read(true)
            .send();
        let answer = match timeout(ATTEMPT, call).await {
            Ok(answer) => answer.map_err(|error| Fault::of(&error))?,
            Err(_) => return Err(Fault::silence().into()),
        };
        self.learn(caller, answer.item(), now)
    }

    /// Writes once, and once more under the same mark when the answer to the first was lost.
    async fn write(
        &self,
        caller: &Caller,
        view: &View,
        ceiling: u64,
        now: SystemTime,
        mark: RequestMark,
    ) -> Result<Written, Fault> {
        match self.send(caller, view, ceiling, now, mark).await {
            Err(fault) if fault.again => match self.send(caller, view, ceiling, now, mark).await? {
                // The first write had landed, and nobody has written since.
                Written::Rejected(Some(item)) if record::last_writer(&item) == Some(&mark) => Ok(Written::Landed(item)),
                written => Ok(written),
            },
            outcome => outcome,
        }
    }

    async fn send(
        &self,
        caller: &Caller,
        view: &View,
        ceiling: u64,
        now: SystemTime,
        mark: RequestMark,
    ) -> Result<Written, Fault> {
        let (slot, day) = (limit::slot(now), limit::day(now));
        let mut call = self
            .client
            .update_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(caller.pk()))
            .expression_attribute_values(":rid", record::bytes(&mark))
            .expression_attribute_values(":one", record::number(1))
            .return_values(ReturnValue::AllNew)
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let mut update;
        let mut condition;
        if view.stored {
            update = format!(
                "SET m{slot} = if_not_exists(m{slot}, n), d{day} = if_not_exists(d{day}, n), n = n + :one, rid = :rid"
            );
            condition = "n < :ceiling AND rid <> :rid".to_owned();
            call = call.expression_attribute_values(":ceiling", record::number(ceiling));
        } else {
            update = format!("SET m{slot} = :zero, d{day} = :zero, n = :one, rid = :rid");
            condition = "attribute_not_exists(pk)".to_owned();
            call = call.expression_attribute_values(":zero", record::number(0));
        }
        if let (Some(key), Caller::Key(presented, _)) = (&view.key, caller) {
            let hash = presented.secret_hash();
            let attribute = if hash == key.secret_hash { "h" } else { "h2" };
            condition.extend([" AND v = :v AND ", attribute, " = :h"]);
            call = call
                .expression_attribute_values(":v", record::number(key.version))
                .expression_attribute_values(":h", record::bytes(&hash));
        } else {
            update.push_str(", delete_after = :delete_after");
            call =
                call.expression_attribute_values(":delete_after", record::number(limit::seconds(now + ADDRESS_KEPT)));
        }
        let (slots, days) = view.counters.stale(now);
        let stale: Vec<String> =
            slots.iter().map(|slot| format!("m{slot}")).chain(days.iter().map(|day| format!("d{day}"))).collect();
        if !stale.is_empty() {
            update.push_str(" REMOVE ");
            update.push_str(&stale.join(", "));
        }
        let call = call.update_expression(update).condition_expression(condition).send();
        match timeout(ATTEMPT, call).await {
            Ok(Ok(answer)) => Ok(Written::Landed(answer.attributes.unwrap_or_default())),
            Ok(Err(error)) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(failed)) => {
                    Ok(Written::Rejected(failed.item().cloned()))
                }
                _ => Err(Fault::of(&error)),
            },
            Err(_) => Err(Fault::silence()),
        }
    }

    /// Takes in what the database says of a caller.
    fn learn(&self, caller: &Caller, item: Option<&Item>, now: SystemTime) -> Result<View, Refusal> {
        let Some(view) = View::of(caller, item, now).map_err(Fault::from)? else {
            self.remember(caller, Memory::Unknown { since: now });
            return Err(Refusal::UnknownKey);
        };
        self.remember(caller, Memory::Known(Box::new(view.clone())));
        Ok(view)
    }

    fn recall(&self, caller: &Caller) -> Option<Memory> {
        self.memories().get(&caller.identity()).cloned()
    }

    fn remember(&self, caller: &Caller, memory: Memory) {
        let identity = caller.identity();
        let mut memories = self.memories();
        // Answers to requests that run side by side may come in another order than they were given.
        if let (Some(Memory::Known(held)), Memory::Known(new)) = (memories.get(&identity), &memory)
            && held.counters.n > new.counters.n
            && held.seen >= new.seen
        {
            return;
        }
        if memories.len() >= CALLERS && !memories.contains_key(&identity) {
            let oldest = memories.iter().min_by_key(|(_, memory)| memory.seen()).map(|(identity, _)| identity.clone());
            oldest.and_then(|oldest| memories.remove(&oldest));
        }
        memories.insert(identity, memory);
    }

    fn memories(&self) -> MutexGuard<'_, HashMap<Identity, Memory>> {
        // Entries are replaced whole, so a panic elsewhere leaves none half written.
        self.memories.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Memory {
    const fn seen(&self) -> SystemTime {
        match self {
            Self::Known(view) => view.seen,
            Self::Unknown { since } => *since,
        }
    }
}

impl Fault {
    fn silence() -> Self {
        Self { cause: "no answer in time".into(), again: true }
    }

    fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        match error {
            SdkError::ConstructionFailure(_) => Self { cause: "the call could not be made".into(), again: false },
            SdkError::TimeoutError(_) => Self::silence(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::silence(),
            SdkError::DispatchFailure(_) => Self { cause: "no connection".into(), again: true },
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().unwrap_or("an unnamed error");
                let throttled = code.contains("Throttl") || code.contains("Exceeded");
                let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
                Self {
                    cause: format!("DynamoDB answered {code}"),
                    again: throttled || answer.raw().status().is_server_error(),
                }
            }
            _ => Self { cause: "an answer that cannot be read".into(), again: true },
        }
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Unavailable { cause: fault.cause }
    }
}

impl From<record::RecordError> for Fault {
    fn from(error: record::RecordError) -> Self {
        Self { cause: error.to_string(), again: false }
    }
}

fn recent(then: SystemTime, now: SystemTime) -> bool {
    now.duration_since(then).is_ok_and(|age| age < REMEMBERED)
}
