//! The DynamoDB table: one conditional write that authenticates and counts.
//!
//! The function remembers what the last answer said of each caller, its *view*, and computes the
//! ceiling from it ([`super::limit`]). Everything an old view could be wrong about is pinned by the
//! condition of the write ([`super::update`]): `n` by the ceiling, what administrators change by `v`, the
//! secret by `h`. A condition that fails brings the item along, and with it the truth.
//!
//! A write whose answer was lost is repeated once, in a way that cannot count twice ([`super::claim`]).

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::time::timeout;

use super::admission::{Admission, Caller, Refusal, View};
use super::claim::{Claim, Fate};
use super::lease::Lease;
use super::limit::{Decision, RequestMark};
use super::record::{self, Item};
use super::update;

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

/// The table of callers.
pub struct Store {
    client: Client,
    table: String,
    /// Most places that one write takes.
    lease: NonZeroU32,
    callers: Mutex<HashMap<Identity, Entry>>,
}

/// A caller as the cache knows it: see [`Caller::identity`].
type Identity = (String, Option<[u8; 32]>);

/// What the function holds of a caller.
struct Entry {
    memory: Memory,
    lease: Lease,
}

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
    again: Again,
}

/// Whether asking again can help.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Again {
    No,
    /// It can, and a write has certainly not landed.
    Plainly,
    /// It can, and a write may have landed.
    InDoubt,
}

impl Store {
    /// The table of the given name. One write takes `lease` admissions of a caller at most: 1 counts
    /// each by itself.
    #[must_use]
    pub fn new(client: Client, table: String, lease: NonZeroU32) -> Self {
        Self { client, table, lease, callers: Mutex::default() }
    }

    /// Admits one request and counts it, or does neither.
    ///
    /// `mark` names the request: 16 random bytes, never used before. `now` decides which slot and day
    /// the request falls into.
    ///
    /// # Errors
    /// A [`Refusal`]. Nothing was counted then, unless the answer of the database was lost.
    pub async fn admit(&self, caller: &Caller, now: SystemTime, mark: RequestMark) -> Result<Admission, Refusal> {
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
            if let Some((sequence, left)) = self.spend(caller, now) {
                return Ok(view.admission(sequence, left, now));
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
            let claim = Claim::new(&view.counters, ceiling, self.wanted(caller, now), now, mark);
            let claim = if view.stored { claim } else { claim.first() };
            match self.write(caller, &view, &claim, now).await? {
                Written::Landed(item) => return self.conclude(caller, &view, &claim, &item, now),
                Written::Rejected(item) => view = self.learn(caller, item.as_ref(), now)?,
            }
        }
        Err(Refusal::Unavailable { cause: "the item changed faster than it could be read".into() })
    }

    /// The admission that a write shows, if its answer is what the write must have made. Anything else
    /// is a failure: no password without a count.
    fn conclude(
        &self,
        caller: &Caller,
        view: &View,
        claim: &Claim,
        item: &Item,
        now: SystemTime,
    ) -> Result<Admission, Refusal> {
        let after = View::of(caller, Some(item), now).map_err(Fault::from)?;
        match after {
            Some(after) if after.key == view.key && claim.fits(&after.counters) => {
                self.remember(caller, Memory::Known(Box::new(after.clone())));
                let (sequence, left) = self.renew(caller, after.counters.n, claim.places, now);
                Ok(after.admission(sequence, left, now))
            }
            // What cannot be believed is not remembered either: the next request reads anew.
            _ => {
                self.entries().remove(&caller.identity());
                Err(Refusal::Unavailable { cause: "the answer does not fit the write".into() })
            }
        }
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

    /// Writes once, and once more where the first call did not tell what it did.
    async fn write(&self, caller: &Caller, view: &View, claim: &Claim, now: SystemTime) -> Result<Written, Fault> {
        match self.send(caller, view, claim, now).await {
            Err(fault) if fault.again == Again::Plainly => self.send(caller, view, claim, now).await,
            Err(fault) if fault.again == Again::InDoubt => {
                match self.send(caller, view, &claim.repeated(), now).await? {
                    Written::Rejected(Some(item)) => match claim.fate(&record::counters(&item)?) {
                        Fate::Landed => Ok(Written::Landed(item)),
                        Fate::Void => Ok(Written::Rejected(Some(item))),
                        Fate::Unknown => Err(Fault { cause: format!("{}, then another write", fault.cause), ..fault }),
                    },
                    written => Ok(written),
                }
            }
            outcome => outcome,
        }
    }

    async fn send(&self, caller: &Caller, view: &View, claim: &Claim, now: SystemTime) -> Result<Written, Fault> {
        let call = update::of(self.client.update_item().table_name(&self.table), caller, view, claim, now);
        match timeout(ATTEMPT, call.send()).await {
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
        self.entries().get(&caller.identity()).map(|entry| entry.memory.clone())
    }

    /// Takes a place that an earlier write has taken for this slot, if there is one.
    fn spend(&self, caller: &Caller, now: SystemTime) -> Option<(u64, u64)> {
        let mut entries = self.entries();
        let lease = &mut entries.get_mut(&caller.identity())?.lease;
        Some((lease.spend(now)?, lease.left()))
    }

    fn wanted(&self, caller: &Caller, now: SystemTime) -> u64 {
        self.entries().get_mut(&caller.identity()).map_or(1, |entry| entry.lease.wanted(now, self.lease))
    }

    /// Takes in the places that a write took, spends the first, and tells how many are left.
    fn renew(&self, caller: &Caller, n: u64, places: u64, now: SystemTime) -> (u64, u64) {
        let mut entries = self.entries();
        match entries.get_mut(&caller.identity()) {
            Some(Entry { lease, .. }) => (lease.renew(n, places, now), lease.left()),
            // Driven out by other callers meanwhile.
            None => (n + 1 - places, 0),
        }
    }

    fn remember(&self, caller: &Caller, memory: Memory) {
        let identity = caller.identity();
        let mut entries = self.entries();
        // Answers to requests that run side by side may come in another order than they were given.
        let held = entries.get(&identity).map(|entry| &entry.memory);
        if let (Some(Memory::Known(held)), Memory::Known(new)) = (held, &memory)
            && held.counters.n > new.counters.n
            && held.seen >= new.seen
        {
            return;
        }
        if let Some(entry) = entries.get_mut(&identity) {
            entry.memory = memory;
            return;
        }
        if entries.len() >= CALLERS {
            let oldest =
                entries.iter().min_by_key(|(_, entry)| entry.memory.seen()).map(|(identity, _)| identity.clone());
            oldest.and_then(|oldest| entries.remove(&oldest));
        }
        entries.insert(identity, Entry { memory, lease: Lease::default() });
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Identity, Entry>> {
        // A panic elsewhere leaves none half written.
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
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
        Self { cause: "no answer in time".into(), again: Again::InDoubt }
    }

    fn of<E: ProvideErrorMetadata>(error: &SdkError<E>) -> Self {
        match error {
            SdkError::ConstructionFailure(_) => Self { cause: "the call could not be made".into(), again: Again::No },
            SdkError::TimeoutError(_) => Self::silence(),
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Self::silence(),
            SdkError::DispatchFailure(_) => Self { cause: "no connection".into(), again: Again::InDoubt },
            SdkError::ServiceError(answer) => {
                let code = answer.err().code().unwrap_or("UnnamedError");
                let throttled = code.contains("Throttl") || code.contains("Exceeded");
                let code: String = code.chars().filter(char::is_ascii_alphanumeric).take(64).collect();
                let again = match () {
                    () if throttled => Again::Plainly,
                    // DynamoDB says of its own faults that a write may have taken place.
                    () if answer.raw().status().is_server_error() => Again::InDoubt,
                    () => Again::No,
                };
                Self { cause: format!("DynamoDB answered {code}"), again }
            }
            _ => Self { cause: "an answer that cannot be read".into(), again: Again::InDoubt },
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
        Self { cause: error.to_string(), again: Again::No }
    }
}

fn recent(then: SystemTime, now: SystemTime) -> bool {
    now.duration_since(then).is_ok_and(|age| age < REMEMBERED)
}
