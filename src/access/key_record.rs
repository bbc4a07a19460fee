//! What the table stores about one API key, apart from its counters.

use std::net::IpAddr;
use std::time::SystemTime;

use ipnet::IpNet;

use super::api_key::ApiKey;
use super::binding::Binding;
use super::limiter::window::{Limits, seconds};

/// What the table stores about one key, apart from its counters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyRecord {
    /// The key's public part, 24 hexadecimal digits.
    pub id: String,
    /// The name that the administrator gave it.
    pub name: String,
    /// SHA-256 of the key's secret.
    pub secret_hash: [u8; 32],
    /// Grows by one with each change that an administrator makes.
    pub version: u64,
    /// How often the key is admitted.
    pub limits: Limits,
    /// When it was created, RFC 3339 in UTC.
    pub created_at: String,
    /// When it expires, in seconds since 1970.
    pub expires_at: Option<u64>,
    /// The address ranges that it may be used from; any address, if there are none.
    pub allowed: Vec<IpNet>,
    /// What it is bound to.
    pub binding: Binding,
    /// When it was revoked, in seconds since 1970.
    pub revoked_at: Option<u64>,
    /// SHA-256 of the secret before this one, and until when that is valid, in seconds since 1970.
    pub previous: Option<([u8; 32], u64)>,
}

/// Why a known key may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// It has expired.
    Expired,
    /// It may not be used from this address, or the address is not known.
    Address,
}

/// How a key has been used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Admissions so far.
    pub admissions: u64,
    /// Admissions in this UTC day.
    pub today: u64,
    /// When it was last admitted, to four seconds.
    pub last_use: Option<SystemTime>,
}

impl KeyRecord {
    /// The record of a new key.
    #[must_use]
    pub fn new(key: &ApiKey, name: String, limits: Limits, created_at: String) -> Self {
        Self {
            id: key.id().to_string(),
            name,
            secret_hash: key.secret_hash(),
            version: 1,
            limits,
            created_at,
            expires_at: None,
            allowed: Vec::new(),
            binding: Binding::default(),
            revoked_at: None,
            previous: None,
        }
    }

    /// Whether a secret with this hash proves that the caller holds the key.
    #[must_use]
    pub fn is_proven_by(&self, secret_hash: &[u8; 32], now: SystemTime) -> bool {
        // Not in constant time: how far the hashes of two random secrets agree reveals neither secret.
        let is_previous = self.previous.is_some_and(|(hash, until)| hash == *secret_hash && seconds(now) < until);
        self.revoked_at.is_none() && (self.secret_hash == *secret_hash || is_previous)
    }

    /// Why the key may not be used now or from an address, if it may not.
    #[must_use]
    pub fn denial(&self, address: Option<IpAddr>, now: SystemTime) -> Option<Denial> {
        if self.expires_at.is_some_and(|end| end <= seconds(now)) {
            return Some(Denial::Expired);
        }
        let inside = |address: IpAddr| self.allowed.iter().any(|range| range.contains(&address.to_canonical()));
        (!self.allowed.is_empty() && !address.is_some_and(inside)).then_some(Denial::Address)
    }
}
