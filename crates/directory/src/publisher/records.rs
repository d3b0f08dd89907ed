//! Where the tree is kept.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, PoisonError, RwLock};

/// The store failed; the text says how.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
#[error("while reading the key directory's tree: {0}")]
pub struct RecordsError(pub String);

/// A key and its value; both mean nothing to the store.
pub type Record = (Vec<u8>, Vec<u8>);

/// Where the tree is kept: opaque keys and values.
pub trait Records: Send + Sync + 'static {
    /// The values of these keys, in their order.
    ///
    /// # Errors
    /// [`RecordsError`] if the store cannot be read.
    fn get(
        &self,
        keys: Vec<Vec<u8>>,
    ) -> impl Future<Output = Result<Vec<Option<Vec<u8>>>, RecordsError>> + Send;

    /// Everything whose key begins so, ascending by key.
    ///
    /// # Errors
    /// [`RecordsError`] if the store cannot be read.
    fn range(&self, prefix: Vec<u8>) -> impl Future<Output = Result<Vec<Record>, RecordsError>> + Send;
}

/// A tree in memory: for tests, drills and benches. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryRecords(Arc<RwLock<BTreeMap<Vec<u8>, Vec<u8>>>>);

impl MemoryRecords {
    /// Stores what was published.
    pub fn apply(&self, records: impl IntoIterator<Item = Record>) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).extend(records);
    }

    /// Bytes of all keys and values.
    pub fn bytes(&self) -> usize {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        all.iter().map(|(key, value)| key.len() + value.len()).sum()
    }
}

impl Records for MemoryRecords {
    async fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, RecordsError> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        Ok(keys.iter().map(|key| all.get(key).cloned()).collect())
    }

    async fn range(&self, prefix: Vec<u8>) -> Result<Vec<Record>, RecordsError> {
        let all = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let from = all.range(prefix.clone()..);
        let found = from.take_while(|(key, _)| key.starts_with(&prefix));
        Ok(found.map(|(key, value)| (key.clone(), value.clone())).collect())
    }
}
