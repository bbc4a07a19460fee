//! A caller, what is known about it, and the result of asking for its admission. Pure: a [`CallerState`] holds what
//! the database last reported, and everything that follows from it is computed here.

use std::net::IpAddr;
use std::time::{Duration, SystemTime};

use super::address::AddressBlock;
use super::api_key::ApiKey;
use super::key_record::{Denial, KeyRecord};
use super::limiter::window::{Counters, Limits, Quota};

/// The party whose requests are counted together.
#[derive(Clone, Debug)]
pub enum Caller {
    /// The holder of a key, whose limits are in the table, and the address of the request, if it is certain.
    Key(ApiKey, Option<IpAddr>),
    /// A caller at an address, held to the limits of the deployment.
    Address(AddressBlock, Limits),
}

/// A request was admitted and counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// The caller's admissions so far, this one included. A gap in a key's audit lines is a lost line, or a request
    /// that was counted and then failed.
    pub sequence: u64,
    /// The record of the key; none for an address.
    pub key: Option<KeyRecord>,
    /// What remains of the limits.
    pub quota: Quota,
    /// The clock reading of the write that counted the request.
    pub counted_at: SystemTime,
}

/// A request was not admitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The key does not exist, or has another secret.
    UnknownKey,
    /// The key exists, and may not be used now or from this address.
    Denied {
        /// The name that the administrator gave the key.
        key_name: String,
        /// The reason.
        denial: Denial,
    },
    /// The caller's limits are used up.
    RateLimited {
        /// The name that the administrator gave the key.
        key_name: Option<String>,
        /// What remains of the limits.
        quota: Quota,
        /// How long until the next request can be admitted.
        retry_after: Duration,
    },
    /// The database gave no answer that shows the request as counted.
    Unavailable {
        /// What went wrong, for the audit line only.
        cause: String,
    },
    /// The request was counted, but the answer came so late that the limit might not hold.
    Late {
        /// The caller's admissions so far, this one included.
        sequence: u64,
        /// The clock reading of the write that counted the request.
        counted_at: SystemTime,
    },
}

/// What the database last reported about a caller.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CallerState {
    /// The record of a key; none for an address.
    pub key: Option<KeyRecord>,
    /// How often the caller is admitted.
    pub limits: Limits,
    /// Its counters.
    pub counters: Counters,
    /// Whether the caller has an item.
    pub stored: bool,
    /// When the database reported this.
    pub read_at: SystemTime,
}

impl Caller {
    /// The primary key of the caller's item.
    #[must_use]
    pub fn pk(&self) -> String {
        match self {
            Self::Key(key, _) => key.id().to_string(),
            Self::Address(block, _) => format!("ip:{block}"),
        }
    }
}

impl CallerState {
    fn key_name(&self) -> Option<String> {
        self.key.as_ref().map(|key| key.name.clone())
    }

    /// Whether the caller has proven its identity. A secret may have expired since the state was read.
    pub(crate) fn is_proven_by(&self, caller: &Caller, now: SystemTime) -> bool {
        match (&self.key, caller) {
            (Some(record), Caller::Key(key, _)) => record.is_proven_by(&key.secret_hash(), now),
            _ => true,
        }
    }

    /// Why the caller may not use its key, if it may not.
    pub(crate) fn denied(&self, caller: &Caller, now: SystemTime) -> Option<Refusal> {
        let (Some(key), Caller::Key(_, address)) = (&self.key, caller) else { return None };
        key.denial(*address, now).map(|denial| Refusal::Denied { key_name: key.name.clone(), denial })
    }

    pub(crate) fn rate_limited(&self, until: SystemTime, now: SystemTime) -> Refusal {
        Refusal::RateLimited {
            key_name: self.key_name(),
            quota: self.counters.quota(self.limits, now),
            retry_after: until.duration_since(now).unwrap_or_default(),
        }
    }

    /// The admission that the write behind this state shows. The write was based on the clock reading `counted_at`.
    pub(crate) fn admission(&self, counted_at: SystemTime) -> Admission {
        Admission {
            sequence: self.counters.n,
            key: self.key.clone(),
            quota: self.counters.quota(self.limits, counted_at),
            counted_at,
        }
    }
}
