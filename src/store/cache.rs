//! What the function remembers about its last callers.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::access::Caller;
use crate::access::limiter::admitting::Remembered;

/// Callers remembered at a time.
const CAPACITY: usize = 512;

/// What is remembered about callers.
#[derive(Default)]
pub(super) struct CallerCache(Mutex<HashMap<Identity, Remembered>>);

/// The primary key of a caller's item and, for an API key, the hash of the secret: so the holder of an old secret
/// cannot change what is cached about the new one.
type Identity = (String, Option<[u8; 32]>);

fn read_at(entry: &Remembered) -> SystemTime {
    match entry {
        Remembered::Known(state) => state.read_at,
        Remembered::Unknown { since } => *since,
    }
}

impl CallerCache {
    pub(super) fn get(&self, caller: &Caller) -> Option<Remembered> {
        self.entries().get(&identity(caller)).cloned()
    }

    /// Stores an entry, unless a newer one is there.
    pub(super) fn insert(&self, caller: &Caller, entry: Remembered) {
        let identity = identity(caller);
        let mut entries = self.entries();
        // Answers to concurrent requests may arrive in another order than DynamoDB gave them.
        if let (Some(Remembered::Known(held)), Remembered::Known(new)) = (entries.get(&identity), &entry)
            && held.counters.n > new.counters.n
            && held.read_at >= new.read_at
        {
            return;
        }
        if entries.len() >= CAPACITY && !entries.contains_key(&identity) {
            let oldest = entries.iter().min_by_key(|(_, entry)| read_at(entry)).map(|(identity, _)| identity.clone());
            oldest.and_then(|oldest| entries.remove(&oldest));
        }
        entries.insert(identity, entry);
    }

    pub(super) fn remove(&self, caller: &Caller) {
        self.entries().remove(&identity(caller));
    }

    fn entries(&self) -> MutexGuard<'_, HashMap<Identity, Remembered>> {
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
