//! The stored policies of a deployment, as texts: what they mean is not decided here.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// The most stored policies of a deployment.
const MAX_POLICIES: usize = 64;
/// The most bytes of the item that holds them.
const MAX_BYTES: usize = 64 << 10;
/// The most characters of a description.
pub const MAX_DESCRIPTION: usize = 256;

/// A stored policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StoredPolicy {
    /// The parameters of generate, a JSON object.
    pub parameters: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// Its text in Vault's language, if it came in that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hcl: Option<String>,
    /// The revision of the book that wrote it.
    pub revision: u64,
    /// When it was written, RFC 3339 in UTC.
    pub updated_at: String,
    /// Who wrote it: the name of an administrator's key, or that of the tool's user.
    pub updated_by: String,
}

/// All stored policies of a deployment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicyBook {
    /// Grows by one with each change, and is never used again.
    pub revision: u64,
    /// The policies by name.
    pub policies: BTreeMap<String, StoredPolicy>,
}

/// A change of one policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyChange {
    /// The name.
    pub name: String,
    /// What it becomes; `None` deletes it.
    pub policy: Option<StoredPolicy>,
}

/// Why a policy cannot be stored.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum CannotStore {
    /// Another policy has the same name, except for case.
    #[error("The policy {like} has the same name, except for upper and lower case; use another name.")]
    Name {
        /// The other name.
        like: String,
    },
    /// There are as many as there may be.
    #[error("This deployment has {MAX_POLICIES} policies, and may have no more; delete one first.")]
    Policies,
    /// Their texts together are as long as they may be.
    #[error("All policies together may have {} KiB; shorten this one, or delete another.", MAX_BYTES >> 10)]
    Bytes,
}

impl PolicyBook {
    /// Whether the book has room for a policy, and no other one with its name.
    ///
    /// # Errors
    /// [`CannotStore`].
    pub fn check_room(&self, name: &str, policy: &StoredPolicy) -> Result<(), CannotStore> {
        let others = self.policies.iter().filter(|(other, _)| other.as_str() != name);
        let is_new = !self.policies.contains_key(name);
        if let Some((like, _)) = others.clone().find(|(other, _)| is_new && other.eq_ignore_ascii_case(name)) {
            return Err(CannotStore::Name { like: like.clone() });
        }
        let (number, bytes) = others.fold((0, 0), |(number, bytes), (name, one)| (number + 1, bytes + size(name, one)));
        if number >= MAX_POLICIES {
            return Err(CannotStore::Policies);
        }
        if bytes + size(name, policy) > MAX_BYTES {
            return Err(CannotStore::Bytes);
        }
        Ok(())
    }
}

/// The bytes that a policy takes in the item: its name and its text, with room for what JSON escapes.
fn size(name: &str, policy: &StoredPolicy) -> usize {
    name.len() + serde_json::to_string(policy).map_or(MAX_BYTES, |text| text.len()) + 16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(parameters: usize) -> StoredPolicy {
        StoredPolicy {
            parameters: "x".repeat(parameters),
            description: String::new(),
            hcl: None,
            revision: 1,
            updated_at: "2026-01-01T00:00:00Z".into(),
            updated_by: "admin".into(),
        }
    }

    #[test]
    fn full_book_has_room_only_for_a_policy_that_it_has() {
        let mut book = PolicyBook::default();
        for number in 0..MAX_POLICIES {
            assert_eq!(book.check_room(&number.to_string(), &policy(2)), Ok(()));
            book.policies.insert(number.to_string(), policy(2));
        }
        assert_eq!(book.check_room("another", &policy(2)), Err(CannotStore::Policies));
        assert_eq!(book.check_room("7", &policy(3)), Ok(()));
        assert_eq!(book.check_room("7", &policy(MAX_BYTES)), Err(CannotStore::Bytes));
    }
}
