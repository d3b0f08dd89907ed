//! Recently used records, as many as fit.

use std::collections::HashMap;

/// What a record takes beside its bytes: two boxes and their places in a table that is between half and nearly full.
const OVERHEAD: usize = 128;

type Table = HashMap<Box<[u8]>, Box<[u8]>>;

/// Two generations: what is used is young; when the young ones fill half of the memory, they become the old ones,
/// and those that were old and not used since are forgotten.
pub(super) struct Cache {
    half: usize,
    young: Table,
    young_bytes: usize,
    old: Table,
}

impl Cache {
    /// Takes at most about this many bytes of memory.
    pub(super) fn new(bytes: usize) -> Self {
        Self { half: bytes / 2, young: Table::new(), young_bytes: 0, old: Table::new() }
    }

    /// The value of a key, if it is at hand.
    pub(super) fn get(&mut self, key: &[u8]) -> Option<Vec<u8>> {
        if let Some(value) = self.young.get(key) {
            return Some(value.to_vec());
        }
        let (key, value) = self.old.remove_entry(key)?;
        let found = value.to_vec();
        self.insert(key, value);
        Some(found)
    }

    /// Keeps a value; one that was there before is forgotten.
    pub(super) fn put(&mut self, key: Vec<u8>, value: Vec<u8>) {
        self.old.remove(key.as_slice());
        self.insert(key.into(), value.into());
    }

    fn insert(&mut self, key: Box<[u8]>, value: Box<[u8]>) {
        self.young_bytes += key.len() + value.len() + OVERHEAD;
        let key_len = key.len();
        if let Some(before) = self.young.insert(key, value) {
            self.young_bytes -= key_len + before.len() + OVERHEAD;
        }
        if self.young_bytes > self.half {
            self.old = std::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_value_is_found_and_the_memory_is_bounded() {
        let mut cache = Cache::new(100 * (OVERHEAD + 8));
        for n in 0..10_000u32 {
            cache.put(n.to_be_bytes().into(), 0u32.to_be_bytes().into());
            cache.put(n.to_be_bytes().into(), n.to_be_bytes().into());
            assert_eq!(cache.get(&n.to_be_bytes()), Some(n.to_be_bytes().into()));
            assert!(cache.young.len() + cache.old.len() <= 102);
        }
        assert_eq!(cache.get(&0u32.to_be_bytes()), None);
    }

    #[test]
    fn what_is_used_stays() {
        let mut cache = Cache::new(100 * (OVERHEAD + 8));
        cache.put(b"used".into(), b"here".into());
        for n in 0..10_000u32 {
            cache.put(n.to_be_bytes().into(), n.to_be_bytes().into());
            assert_eq!(cache.get(b"used").as_deref(), Some(&b"here"[..]));
        }
    }

    #[test]
    fn a_new_value_replaces_one_that_grew_old() {
        let mut cache = Cache::new(4 * (OVERHEAD + 2));
        for n in 0..3u8 {
            cache.put(vec![n], vec![0]);
        }
        assert!(cache.old.contains_key(&[0u8][..]));
        cache.put(vec![0], vec![1]);
        assert_eq!(cache.get(&[0]), Some(vec![1]));
    }
}
