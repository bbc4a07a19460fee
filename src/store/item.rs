//! The item of a caller in the table: the only place that reads or creates one.
//!
//! | attribute | meaning |
//! |---|---|
//! | `pk` | key id, or `ip:` and an address block |
//! | `h` | SHA-256 of the key's secret |
//! | `v` | version of everything that an administrator can change; each change adds one |
//! | `name`, `per_minute`, `per_day`, `created_at` | facts and limits |
//! | `expires_at` | when the key expires, in seconds since 1970; absent if it does not |
//! | `cidrs` | the address ranges that the key may be used from; absent if any address may use it |
//! | `binding` | a map: `preset` or `stored`, the name of the policy that the key is bound to; `min_entropy`, its least
//! |  | entropy in bits; `admin`, whether it may manage policies. Absent if there is none of it |
//! | `revoked_at` | when the key was revoked, in seconds since 1970 |
//! | `h2`, `h2_until` | the previous secret, and until when it is valid, in seconds since 1970 |
//! | `n` | admissions so far |
//! | `m<slot>`, `d<day>` | `n` before the first admission of a 4-second slot, of a UTC day |
//! | `rid` | the token of the last write |
//! | `c` | for keys: the ceiling of the last write; absent after a change by an administrator |
//! | `e` | repeated writes whose first answer was lost |
//! | `delete_after` | for addresses: when DynamoDB may delete the item, in seconds since 1970 |

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;
use std::time::SystemTime;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use ipnet::IpNet;

use crate::access::limiter::window::{Counters, day, slot_begins};
use crate::access::{Binding, BoundPolicy, Caller, CallerState, KeyRecord, Limits, Usage, WriteToken};

/// The attributes of a caller by name.
pub type Item = HashMap<String, AttributeValue>;

/// An item lacks an attribute, or an attribute has the wrong type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ItemError {
    /// The attribute.
    pub attribute: &'static str,
}

impl fmt::Display for ItemError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "attribute {} is missing or malformed", self.attribute)
    }
}

impl std::error::Error for ItemError {}

/// The item of a key that has never been used.
#[must_use]
pub fn new_key_item(record: &KeyRecord) -> Item {
    let text = |text: &str| AttributeValue::S(text.to_owned());
    let mut item = Item::from([
        ("pk".to_owned(), text(&record.id)),
        ("name".to_owned(), text(&record.name)),
        ("h".to_owned(), bytes(&record.secret_hash)),
        ("v".to_owned(), number(record.version)),
        ("per_minute".to_owned(), number(record.limits.per_minute.get().into())),
        ("per_day".to_owned(), number(record.limits.per_day.get().into())),
        ("created_at".to_owned(), text(&record.created_at)),
        ("n".to_owned(), number(0)),
        ("e".to_owned(), number(0)),
        ("rid".to_owned(), bytes(&WriteToken::default())),
        ("c".to_owned(), number(record.limits.per_minute.min(record.limits.per_day).get().into())),
    ]);
    item.extend(record.expires_at.map(|when| ("expires_at".to_owned(), number(when))));
    if !record.allowed.is_empty() {
        let ranges = record.allowed.iter().map(ToString::to_string).collect();
        item.insert("cidrs".to_owned(), AttributeValue::Ss(ranges));
    }
    item.extend(binding_attribute(&record.binding).map(|binding| ("binding".to_owned(), binding)));
    item
}

/// Reads the record of a key.
///
/// # Errors
/// [`ItemError`] when it is not the item of a key.
pub fn key_record(item: &Item) -> Result<KeyRecord, ItemError> {
    let previous = if item.contains_key("h2") { Some((blob(item, "h2")?, parsed(item, "h2_until")?)) } else { None };
    let ranges = item.get("cidrs").map(|value| value.as_ss().map_err(|_| ItemError { attribute: "cidrs" }));
    let ranges = ranges.transpose()?.map(Vec::as_slice).unwrap_or_default();
    let allowed: Result<Vec<IpNet>, _> = ranges.iter().map(|range| range.parse()).collect();
    Ok(KeyRecord {
        id: string(item, "pk")?,
        name: string(item, "name")?,
        secret_hash: blob(item, "h")?,
        version: parsed(item, "v")?,
        limits: Limits { per_minute: parsed::<NonZeroU32>(item, "per_minute")?, per_day: parsed(item, "per_day")? },
        created_at: string(item, "created_at")?,
        expires_at: optional(item, "expires_at")?,
        allowed: allowed.map_err(|_| ItemError { attribute: "cidrs" })?,
        binding: item.get("binding").map(binding).transpose()?.unwrap_or_default(),
        revoked_at: optional(item, "revoked_at")?,
        previous,
    })
}

/// The attribute of a binding, if it binds or permits anything.
#[must_use]
pub fn binding_attribute(binding: &Binding) -> Option<AttributeValue> {
    let mut members = Item::new();
    match &binding.policy {
        Some(BoundPolicy::Preset(name)) => members.insert("preset".into(), AttributeValue::S(name.clone())),
        Some(BoundPolicy::Stored(name)) => members.insert("stored".into(), AttributeValue::S(name.clone())),
        None => None,
    };
    members.extend(binding.min_entropy.map(|bits| ("min_entropy".into(), number(bits.into()))));
    members.extend(binding.admin.then(|| ("admin".into(), AttributeValue::Bool(true))));
    (!members.is_empty()).then_some(AttributeValue::M(members))
}

/// Reads a binding. Anything unknown is an error, because it could bind the key.
fn binding(value: &AttributeValue) -> Result<Binding, ItemError> {
    const ERROR: ItemError = ItemError { attribute: "binding" };
    let mut binding = Binding::default();
    for (name, value) in value.as_m().map_err(|_| ERROR)? {
        let text = || value.as_s().cloned().map_err(|_| ERROR);
        match name.as_str() {
            "preset" if binding.policy.is_none() => binding.policy = Some(BoundPolicy::Preset(text()?)),
            "stored" if binding.policy.is_none() => binding.policy = Some(BoundPolicy::Stored(text()?)),
            "min_entropy" => {
                let bits = value.as_n().ok().and_then(|digits| digits.parse().ok());
                binding.min_entropy = Some(bits.ok_or(ERROR)?);
            }
            "admin" => binding.admin = *value.as_bool().map_err(|_| ERROR)?,
            _ => return Err(ERROR),
        }
    }
    Ok(binding)
}

/// Reads how a key has been used.
///
/// # Errors
/// [`ItemError`] when the item does not hold counters.
pub fn usage(item: &Item, now: SystemTime) -> Result<Usage, ItemError> {
    let counters = counters(item)?;
    let today = counters.days.get(&day(now)).map_or(0, |before| counters.n - before);
    // A write that removes old slots adds its own.
    let last_use = counters.slots.keys().next_back().map(|&slot| slot_begins(slot));
    Ok(Usage { admissions: counters.n, today, last_use })
}

/// Reads the counters of a caller.
fn counters(item: &Item) -> Result<Counters, ItemError> {
    Ok(Counters {
        n: parsed(item, "n")?,
        slots: snapshots(item, 'm'),
        days: snapshots(item, 'd'),
        epoch: parsed(item, "e")?,
        last_write: blob(item, "rid")?,
        ceiling: optional(item, "c")?,
    })
}

/// Reads the state of a caller; `None` when a key does not exist. Whether the caller has proven its identity is not checked.
pub(super) fn caller_state(
    caller: &Caller,
    item: Option<&Item>,
    now: SystemTime,
) -> Result<Option<CallerState>, ItemError> {
    let counters = item.map(counters).transpose()?.unwrap_or_default();
    let (key, limits) = match (caller, item) {
        (Caller::Key(..), None) => return Ok(None),
        (Caller::Key(..), Some(item)) => {
            let record = key_record(item)?;
            (Some(record.clone()), record.limits)
        }
        (Caller::Address(_, limits), _) => (None, *limits),
    };
    Ok(Some(CallerState { key, limits, counters, stored: item.is_some(), read_at: now }))
}

pub(super) fn number(number: u64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub(super) fn bytes(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// Attributes whose name is a letter and a number. No other attribute has such a name.
fn snapshots(item: &Item, letter: char) -> BTreeMap<u64, u64> {
    item.iter()
        .filter_map(|(name, value)| {
            let numbered = name.strip_prefix(letter)?.parse().ok()?;
            Some((numbered, value.as_n().ok()?.parse().ok()?))
        })
        .collect()
}

fn string(item: &Item, attribute: &'static str) -> Result<String, ItemError> {
    item.get(attribute).and_then(|value| value.as_s().ok()).cloned().ok_or(ItemError { attribute })
}

pub(super) fn blob<const BYTES: usize>(item: &Item, attribute: &'static str) -> Result<[u8; BYTES], ItemError> {
    let bytes = item.get(attribute).and_then(|value| value.as_b().ok()).map(Blob::as_ref);
    bytes.and_then(|bytes| bytes.try_into().ok()).ok_or(ItemError { attribute })
}

fn optional<T: FromStr>(item: &Item, attribute: &'static str) -> Result<Option<T>, ItemError> {
    if item.contains_key(attribute) { parsed(item, attribute).map(Some) } else { Ok(None) }
}

pub(super) fn parsed<T: FromStr>(item: &Item, attribute: &'static str) -> Result<T, ItemError> {
    let digits = item.get(attribute).and_then(|value| value.as_n().ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or(ItemError { attribute })
}
