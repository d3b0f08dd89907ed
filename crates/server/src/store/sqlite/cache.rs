//! What the writer remembers between commits, so that the hot rows are not read again.

use std::{collections::HashMap, hash::Hash};

use zegel_proto::{DeviceId, RoomId};

use crate::store::{Head, Mailbox};

/// How many rows of a kind are surely remembered; at most twice as many are.
const ROOM: usize = 1 << 16;

/// A bounded map that forgets what was not used lately: when the young half is full, the old half is dropped.
#[derive(Debug)]
pub(super) struct Recent<K, V> {
    young: HashMap<K, V>,
    old: HashMap<K, V>,
    room: usize,
}

impl<K: Eq + Hash, V> Recent<K, V> {
    fn new(room: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), room }
    }

    pub(super) fn get(&mut self, key: &K) -> Option<&V> {
        if let Some((key, value)) = self.old.remove_entry(key) {
            self.put(key, value);
        }
        self.young.get(key)
    }

    pub(super) fn put(&mut self, key: K, value: V) {
        if self.young.len() >= self.room {
            self.old = std::mem::take(&mut self.young);
        }
        self.old.remove(&key);
        self.young.insert(key, value);
    }

    pub(super) fn forget(&mut self, key: &K) {
        self.old.remove(key);
        self.young.remove(key);
    }

    pub(super) fn clear(&mut self) {
        self.old.clear();
        self.young.clear();
    }
}

/// Rows as the open transaction sees them, and those it has yet to write.
///
/// *Invariant:* what is in `heads`, `mailboxes` and `addresses` is in the database too, as this transaction sees
/// it. So all of it is forgotten when a transaction is rolled back, or when another process wrote.
#[derive(Debug)]
pub(super) struct Cache {
    pub(super) heads: Recent<RoomId, Head>,
    pub(super) mailboxes: Recent<DeviceId, Mailbox>,
    pub(super) addresses: Recent<[u8; 32], Vec<u8>>,
    /// Not yet in the database: written once per commit, however often they change in it.
    pub(super) new_heads: HashMap<RoomId, Head>,
    pub(super) new_mailboxes: HashMap<DeviceId, Mailbox>,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self {
            heads: Recent::new(ROOM),
            mailboxes: Recent::new(ROOM),
            addresses: Recent::new(ROOM),
            new_heads: HashMap::new(),
            new_mailboxes: HashMap::new(),
        }
    }

    pub(super) fn clear(&mut self) {
        self.heads.clear();
        self.mailboxes.clear();
        self.addresses.clear();
        self.new_heads.clear();
        self.new_mailboxes.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Recent;

    #[test]
    fn keeps_what_is_used_and_stays_bounded() {
        let mut recent = Recent::new(4);
        recent.put(0, "used");
        for n in 1..100 {
            recent.put(n, "once");
            assert_eq!(recent.get(&0), Some(&"used"));
            assert!(recent.young.len() + recent.old.len() <= 8);
        }
        assert_eq!(recent.get(&5), None);
        recent.put(99, "again");
        assert_eq!(recent.get(&99), Some(&"again"));
        recent.forget(&99);
        assert_eq!(recent.get(&99), None);
    }
}
