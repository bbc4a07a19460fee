//! Who asks, what is known of them, and what comes of it. No database here: a [`View`] is what some
//! answer said, and everything that can be told from it is told from it.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::address::AddressBlock;
use super::api_key::ApiKey;
use super::limit::{Counters, Limits, Quota};
use super::record::{self, Bar, Item, KeyRecord, RecordError};

/// Who asks.
#[derive(Clone, Debug)]
pub enum Caller {
    /// The holder of a key, whose limits stand in the table, and where the request comes from, as far as
    /// that is certain.
    Key(ApiKey, Option<IpAddr>),
    /// Somebody at an address, held to the limits of the deployment.
    Address(AddressBlock, Limits),
}

/// One request was admitted and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The caller's admissions so far, this one included: a gap in a key's audit lines is a lost line, a request
    /// that was counted and then failed, or a place of a lease that was not spent.
    pub sequence: u64,
    /// What the administrator calls the key.
    pub key_name: Option<String>,
    /// What is left.
    pub quota: Quota,
}

/// One request was not admitted, nor counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No such key, or not with this secret.
    UnknownKey,
    /// The key is known, and may not be used now or from here.
    Barred {
        /// What the administrator calls the key.
        key_name: String,
        /// Why not.
        bar: Bar,
    },
    /// The caller's limits are used up.
    RateLimited {
        /// What the administrator calls the key.
        key_name: Option<String>,
        /// What is left.
        quota: Quota,
        /// How long until the next request can be admitted.
        retry_after: Duration,
    },
    /// The database did not give an answer that shows the request as counted.
    Unavailable {
        /// What went wrong, for the log only.
        cause: String,
    },
}

/// What some answer of the database said of a caller.
#[derive(Clone)]
pub(super) struct View {
    /// Facts of a key; nothing for an address.
    pub(super) key: Option<KeyRecord>,
    pub(super) limits: Limits,
    pub(super) counters: Counters,
    /// Whether the item was there.
    pub(super) stored: bool,
    pub(super) seen: SystemTime,
}

impl Caller {
    pub(super) fn pk(&self) -> String {
        match self {
            Self::Key(key, _) => key.id().to_string(),
            Self::Address(block, _) => format!("ip:{block}"),
        }
    }

    /// The item's key and, for an API key, the hash of the secret, so that the holder of an old secret
    /// cannot touch what is remembered of the new one.
    pub(super) fn identity(&self) -> (String, Option<[u8; 32]>) {
        match self {
            Self::Key(key, _) => (self.pk(), Some(key.secret_hash())),
            Self::Address(..) => (self.pk(), None),
        }
    }
}

impl View {
    /// What an item says of a caller; nothing when it does not know the caller.
    pub(super) fn of(caller: &Caller, item: Option<&Item>, now: SystemTime) -> Result<Option<Self>, RecordError> {
        let counters = item.map(record::counters).transpose()?;
        let stored = item.is_some();
        let counters = counters.unwrap_or_default();
        match (caller, item) {
            (Caller::Key(..), None) => Ok(None),
            (Caller::Key(key, _), Some(item)) => {
                let record = KeyRecord::from_item(item)?;
                if !record.is_proven_by(&key.secret_hash(), now) {
                    return Ok(None);
                }
                Ok(Some(Self { limits: record.limits, key: Some(record), counters, stored, seen: now }))
            }
            (Caller::Address(_, limits), _) => {
                Ok(Some(Self { limits: *limits, key: None, counters, stored, seen: now }))
            }
        }
    }

    fn key_name(&self) -> Option<String> {
        self.key.as_ref().map(|key| key.name.clone())
    }

    /// Whether the caller has shown who it is: a secret may have ended since the view was taken.
    pub(super) fn is_proven_by(&self, caller: &Caller, now: SystemTime) -> bool {
        match (&self.key, caller) {
            (Some(record), Caller::Key(key, _)) => record.is_proven_by(&key.secret_hash(), now),
            _ => true,
        }
    }

    pub(super) fn barred(&self, caller: &Caller, now: SystemTime) -> Option<Refusal> {
        let (Some(key), Caller::Key(_, address)) = (&self.key, caller) else { return None };
        key.bar(*address, now).map(|bar| Refusal::Barred { key_name: key.name.clone(), bar })
    }

    pub(super) fn rate_limited(&self, until: SystemTime, now: SystemTime) -> Refusal {
        Refusal::RateLimited {
            key_name: self.key_name(),
            quota: self.counters.quota(self.limits, now),
            retry_after: until.duration_since(now).unwrap_or_default(),
        }
    }

    /// The admission of the request with this sequence number, when `left` places are held beyond it.
    pub(super) fn admission(&self, sequence: u64, left: u64, now: SystemTime) -> Admission {
        let mut quota = self.counters.quota(self.limits, now);
        quota.minute += left;
        quota.day += left;
        Admission { sequence, key_name: self.key_name(), quota }
    }
}
