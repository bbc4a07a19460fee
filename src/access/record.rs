//! The item of a caller in the table, and its attributes.
//!
//! | attribute | meaning |
//! |---|---|
//! | `pk` | key id, or `ip:` and an address block |
//! | `h` | SHA-256 of the key's secret |
//! | `v` | version of everything an administrator can change; any change adds one |
//! | `name`, `per_minute`, `per_day`, `created_at` | facts and limits |
//! | `expires_at` | when the key ends, in seconds since 1970; absent where it does not |
//! | `cidrs` | the address ranges that the key may be used from; absent where it may be from any |
//! | `revoked_at` | when the key was revoked, in seconds since 1970 |
//! | `h2`, `h2_until` | the secret before this one, and how long it is good, in seconds since 1970 |
//! | `n` | admissions so far |
//! | `m<slot>`, `d<day>` | `n` before the first admission of a 2-second slot, of a UTC day |
//! | `rid` | the request that wrote last |
//! | `e` | repetitions of writes whose answer was lost |
//! | `delete_after` | for addresses: when DynamoDB may forget the item, in seconds since 1970 |

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::net::IpAddr;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::SystemTime;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use ipnet::IpNet;

use super::api_key::ApiKey;
use super::limit::{Counters, Limits, RequestMark, day, seconds, slot_begins};

pub(super) type Item = HashMap<String, AttributeValue>;

/// An item lacks an attribute or holds one of another kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordError {
    /// The attribute.
    pub attribute: &'static str,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attribute {} is missing or malformed", self.attribute)
    }
}

impl std::error::Error for RecordError {}

/// What the table holds of one key, its counters aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// The key's public part, 24 hexadecimal digits.
    pub id: String,
    /// What the administrator calls it.
    pub name: String,
    /// SHA-256 of the key's secret.
    pub secret_hash: [u8; 32],
    /// Rises by one with each change of what an administrator can change.
    pub version: u64,
    /// How often the key is admitted.
    pub limits: Limits,
    /// When it was made, RFC 3339 in UTC.
    pub created_at: String,
    /// When it ends, in seconds since 1970.
    pub expires_at: Option<u64>,
    /// The address ranges that it may be used from; any, where there are none.
    pub allowed: Vec<IpNet>,
    /// When it was revoked, in seconds since 1970.
    pub revoked_at: Option<u64>,
    /// SHA-256 of the secret before this one, and how long that is good, in seconds since 1970.
    pub previous: Option<([u8; 32], u64)>,
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
            revoked_at: None,
            previous: None,
        }
    }

    /// The item of a key that nobody has used.
    #[must_use]
    pub fn to_new_item(&self) -> HashMap<String, AttributeValue> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        let mut item = HashMap::from([
            ("pk".to_owned(), text(&self.id)),
            ("name".to_owned(), text(&self.name)),
            ("h".to_owned(), bytes(&self.secret_hash)),
            ("v".to_owned(), number(self.version)),
            ("per_minute".to_owned(), number(self.limits.per_minute.get().into())),
            ("per_day".to_owned(), number(self.limits.per_day.get().into())),
            ("created_at".to_owned(), text(&self.created_at)),
            ("n".to_owned(), number(0)),
            ("e".to_owned(), number(0)),
            ("rid".to_owned(), bytes(&RequestMark::default())),
        ]);
        item.extend(self.expires_at.map(|when| ("expires_at".to_owned(), number(when))));
        if !self.allowed.is_empty() {
            let ranges = self.allowed.iter().map(ToString::to_string).collect();
            item.insert("cidrs".to_owned(), AttributeValue::Ss(ranges));
        }
        item
    }

    /// Reads the item of a key.
    ///
    /// # Errors
    /// [`RecordError`] when it is not the item of a key.
    pub fn from_item(item: &HashMap<String, AttributeValue>) -> Result<Self, RecordError> {
        let previous =
            if item.contains_key("h2") { Some((blob(item, "h2")?, parsed(item, "h2_until")?)) } else { None };
        let ranges = item.get("cidrs").map(|value| value.as_ss().map_err(|_| RecordError { attribute: "cidrs" }));
        let ranges = ranges.transpose()?.map(Vec::as_slice).unwrap_or_default();
        let allowed: Result<Vec<IpNet>, _> = ranges.iter().map(|range| range.parse()).collect();
        Ok(Self {
            id: string(item, "pk")?,
            name: string(item, "name")?,
            secret_hash: blob(item, "h")?,
            version: parsed(item, "v")?,
            limits: Limits { per_minute: parsed::<NonZeroU32>(item, "per_minute")?, per_day: parsed(item, "per_day")? },
            created_at: string(item, "created_at")?,
            expires_at: optional(item, "expires_at")?,
            allowed: allowed.map_err(|_| RecordError { attribute: "cidrs" })?,
            revoked_at: optional(item, "revoked_at")?,
            previous,
        })
    }

    /// Whether a secret with this hash proves that one holds the key.
    #[must_use]
    pub fn is_proven_by(&self, secret_hash: &[u8; 32], now: SystemTime) -> bool {
        // Hashes of random secrets: how far two of them agree tells nobody anything.
        let is_previous = self.previous.is_some_and(|(hash, until)| hash == *secret_hash && seconds(now) < until);
        self.revoked_at.is_none() && (self.secret_hash == *secret_hash || is_previous)
    }

    /// Why the key may not be used now or from an address, if it may not.
    #[must_use]
    pub fn bar(&self, address: Option<IpAddr>, now: SystemTime) -> Option<Bar> {
        if self.expires_at.is_some_and(|end| end <= seconds(now)) {
            return Some(Bar::Expired);
        }
        let inside = |address: IpAddr| self.allowed.iter().any(|range| range.contains(&address.to_canonical()));
        (!self.allowed.is_empty() && !address.is_some_and(inside)).then_some(Bar::Address)
    }

    /// How the key was used.
    ///
    /// # Errors
    /// [`RecordError`] when the item does not say.
    pub fn usage(item: &HashMap<String, AttributeValue>, now: SystemTime) -> Result<Usage, RecordError> {
        let counters = counters(item)?;
        let today = counters.days.get(&day(now)).map_or(0, |before| counters.n - before);
        // A write that removes old slots leaves its own.
        let last_use = counters.slots.keys().next_back().map(|&slot| slot_begins(slot));
        Ok(Usage { admissions: counters.n, today, last_use })
    }
}

/// How a key was used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Usage {
    /// Admissions so far.
    pub admissions: u64,
    /// Admissions in this UTC day.
    pub today: u64,
    /// When it was admitted last, to two seconds.
    pub last_use: Option<SystemTime>,
}

/// Why a key that is known may not be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bar {
    /// It has ended.
    Expired,
    /// It may not be used from this address, or the address is not known.
    Address,
}

/// Reads the counters of an item.
pub(super) fn counters(item: &Item) -> Result<Counters, RecordError> {
    Ok(Counters {
        n: parsed(item, "n")?,
        slots: snapshots(item, 'm'),
        days: snapshots(item, 'd'),
        epoch: parsed(item, "e")?,
        last: blob(item, "rid")?,
    })
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn bytes(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// Attributes named by a letter and digits; other attributes have other names.
fn snapshots(item: &Item, letter: char) -> BTreeMap<u64, u64> {
    item.iter()
        .filter_map(|(name, value)| {
            let numbered = name.strip_prefix(letter)?.parse().ok()?;
            Some((numbered, value.as_n().ok()?.parse().ok()?))
        })
        .collect()
}

fn string(item: &Item, attribute: &'static str) -> Result<String, RecordError> {
    item.get(attribute).and_then(|value| value.as_s().ok()).cloned().ok_or(RecordError { attribute })
}

fn blob<const BYTES: usize>(item: &Item, attribute: &'static str) -> Result<[u8; BYTES], RecordError> {
    let bytes = item.get(attribute).and_then(|value| value.as_b().ok()).map(Blob::as_ref);
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(RecordError { attribute })
}

fn optional(item: &Item, attribute: &'static str) -> Result<Option<u64>, RecordError> {
    if item.contains_key(attribute) { parsed(item, attribute).map(Some) } else { Ok(None) }
}

fn parsed<T: FromStr>(item: &Item, attribute: &'static str) -> Result<T, RecordError> {
    let digits = item.get(attribute).and_then(|value| value.as_n().ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or(RecordError { attribute })
}
