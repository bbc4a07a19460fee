//! The item of a caller in the table, and its attributes.
//!
//! | attribute | meaning |
//! |---|---|
//! | `pk` | key id, or `ip:` and an address block |
//! | `h` | SHA-256 of the key's secret |
//! | `v` | version of everything an administrator can change; any change adds one |
//! | `name`, `per_minute`, `per_day`, `created_at` | facts and limits |
//! | `n` | admissions so far |
//! | `m<slot>`, `d<day>` | `n` before the first admission of a 2-second slot, of a UTC day |
//! | `rid` | the request that wrote last |
//! | `delete_after` | for addresses: when DynamoDB may forget the item, in seconds since 1970 |

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::num::NonZeroU32;
use std::str::FromStr;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;

use super::api_key::ApiKey;
use super::limit::{Counters, Limits};

pub(super) type Item = HashMap<String, AttributeValue>;

/// Which request a write belongs to: random, so that a lost answer can be told from a lost write.
pub(super) type RequestMark = [u8; 16];

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
}

impl KeyRecord {
    /// The record of a new key.
    #[must_use]
    pub fn new(key: &ApiKey, name: String, limits: Limits, created_at: String) -> Self {
        Self { id: key.id().to_string(), name, secret_hash: key.secret_hash(), version: 1, limits, created_at }
    }

    /// The item of a key that nobody has used.
    #[must_use]
    pub fn to_new_item(&self) -> HashMap<String, AttributeValue> {
        let text = |text: &str| AttributeValue::S(text.to_owned());
        HashMap::from([
            ("pk".to_owned(), text(&self.id)),
            ("name".to_owned(), text(&self.name)),
            ("h".to_owned(), bytes(&self.secret_hash)),
            ("v".to_owned(), number(self.version)),
            ("per_minute".to_owned(), number(self.limits.per_minute.get().into())),
            ("per_day".to_owned(), number(self.limits.per_day.get().into())),
            ("created_at".to_owned(), text(&self.created_at)),
            ("n".to_owned(), number(0)),
            // Present from the start: a comparison with a missing attribute is nothing to rely on.
            ("rid".to_owned(), bytes(&RequestMark::default())),
        ])
    }

    /// Reads the item of a key.
    ///
    /// # Errors
    /// [`RecordError`] when it is not the item of a key.
    pub fn from_item(item: &HashMap<String, AttributeValue>) -> Result<Self, RecordError> {
        let secret_hash = item.get("h").and_then(|value| value.as_b().ok()).map(Blob::as_ref);
        Ok(Self {
            id: string(item, "pk")?,
            name: string(item, "name")?,
            secret_hash: secret_hash.and_then(|hash| hash.try_into().ok()).ok_or(RecordError { attribute: "h" })?,
            version: parsed(item, "v")?,
            limits: Limits { per_minute: parsed::<NonZeroU32>(item, "per_minute")?, per_day: parsed(item, "per_day")? },
            created_at: string(item, "created_at")?,
        })
    }

    /// How often the key was admitted so far.
    ///
    /// # Errors
    /// [`RecordError`] when the item does not say.
    pub fn admissions(item: &HashMap<String, AttributeValue>) -> Result<u64, RecordError> {
        parsed(item, "n")
    }
}

/// Reads the counters of an item.
pub(super) fn counters(item: &Item) -> Result<Counters, RecordError> {
    Ok(Counters { n: parsed(item, "n")?, slots: snapshots(item, 'm'), days: snapshots(item, 'd') })
}

/// Which request wrote the item last.
pub(super) fn last_writer(item: &Item) -> Option<&[u8]> {
    item.get("rid")?.as_b().ok().map(Blob::as_ref)
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

fn parsed<T: FromStr>(item: &Item, attribute: &'static str) -> Result<T, RecordError> {
    let digits = item.get(attribute).and_then(|value| value.as_n().ok());
    digits.and_then(|digits| digits.parse().ok()).ok_or(RecordError { attribute })
}
