//! What the function remembers about its last callers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::access::{Caller, CallerState};

/// Callers remembered at a time.
const CAPACITY: usize = 512;

/// The state of callers as the database last reported it.
#[derive(Default)]
pub(super) struct CallerCache(Mutex<HashMap<Identity, CacheEntry>>);

/// The primary key of a caller's item and, for an API key, the hash of the secret: so the holder of an old secret
/// cannot change what is cached about the new one.
type Identity = (String, Option<[u8; 32]>);

/// What is cached about one caller.
#[derive(Clone)]
pub(super) enum CacheEntry {
    /// The caller's state.
    Known(Box<CallerState>),
    /// The key does not exist, or has another secret.
    Unknown { since: SystemTime },
}

impl CacheEntry {
    const fn read_at(&self) -> SystemTime {
        match self {
            Self::Known(state) => state.read_at,
            Self::Unknown { since } => *since,
        }
    }
}

impl CallerCache {
    pub(super) fn get(&self, caller: &Caller) -> Option<CacheEntry> {
        self.entries().get(&identity(caller)).cloned()
    }

    /// Stores an entry, unless a newer one is there.
    pub(super) fn insert(&self, caller: &Caller, entry: CacheEntry) {
        let identity = identity(caller);
        let mut entries = self.entries();
        // Answers to concurrent requests may arrive in another order than DynamoDB gave them.
        if let (Some(CacheEntry::Known(held)), CacheEntry::Known(new)) = (entries.get(&identity), &entry)
            && held.counters.n > new.counters.n
            && held.read_at >= new.read_at
        {
            return;
        }
        if entries.len() >= CAPACITY && !entries.contains_key(&identity) {
            let oldest = entries.iter().min_by_key(|(_, entry)| entry.read_at()).map(|(identity, _)| identity.clone());
            oldest.and_then(|oldest| entries.remove(&oldest));
        }
        entries.insert(identity, entry);
    }

    pub(super) fn remove(&self, caller: &Caller) {
        self.entries().remove(&identity(caller));
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Identity, CacheEntry>> {
        // A panic elsewhere cannot leave an entry half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn identity(caller: &Caller) -> Identity {
    let secret = match caller {
        Caller::Key(key, _) => Some(key.secret_hash()),
        Caller::Address(..) => None,
    };
    (caller.pk(), secret)
}
