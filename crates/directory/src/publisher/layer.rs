//! The tree as `akd` sees it: the store, the cache before it, and the epoch that is being made.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use akd::errors::StorageError;
use akd::storage::types::{DbRecord, KeyData, StorageType, ValueState, ValueStateRetrievalFlag};
use akd::storage::{Database, DbSetState, Storable};
use akd::tree_node::{TreeNode, TreeNodeWithPreviousValue};
use akd::{AkdLabel, AkdValue, NodeLabel};
use async_trait::async_trait;

use super::cache::Cache;
use super::epoch::Epoch;
use super::layout::{self, Damaged};
use super::records::{Records, RecordsError};

/// The store and the cache before it.
pub(super) struct Kept<R> {
    records: R,
    cache: Mutex<Cache>,
}

impl<R: Records> Kept<R> {
    pub(super) fn new(records: R, cache_bytes: usize) -> Self {
        Self { records, cache: Mutex::new(Cache::new(cache_bytes)) }
    }

    pub(super) fn cache(&self) -> MutexGuard<'_, Cache> {
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn read(&self, keys: &[Vec<u8>]) -> Result<Vec<Option<Vec<u8>>>, RecordsError> {
        let mut found: Vec<Option<Vec<u8>>> = {
            let mut cache = self.cache();
            keys.iter().map(|key| cache.get(key)).collect()
        };
        let missing: Vec<usize> = (0..keys.len()).filter(|&at| found[at].is_none()).collect();
        if missing.is_empty() {
            return Ok(found);
        }
        let values = self.records.get(missing.iter().map(|&at| keys[at].clone()).collect()).await?;
        if values.len() != missing.len() {
            return Err(RecordsError("the store gave another number of records than was asked for".into()));
        }
        let mut cache = self.cache();
        for (at, value) in missing.into_iter().zip(values) {
            if let Some(value) = &value {
                cache.put(keys[at].clone(), value.clone());
            }
            found[at] = value;
        }
        Ok(found)
    }

    async fn read_one(&self, key: Vec<u8>) -> Result<Option<Vec<u8>>, RecordsError> {
        let at_hand = self.cache().get(&key);
        match at_hand {
            Some(value) => Ok(Some(value)),
            None => Ok(self.read(&[key]).await?.pop().flatten()),
        }
    }
}

/// The tree as it is kept, or as the epoch that is being made leaves it.
pub(super) struct Layer<R> {
    kept: Arc<Kept<R>>,
    epoch: Option<Arc<Epoch>>,
}

impl<R: Records> Layer<R> {
    /// Only to be read.
    pub(super) fn kept(kept: Arc<Kept<R>>) -> Self {
        Self { kept, epoch: None }
    }

    /// What is written goes to this epoch and nowhere else.
    pub(super) fn of_epoch(kept: Arc<Kept<R>>, epoch: Arc<Epoch>) -> Self {
        Self { kept, epoch: Some(epoch) }
    }

    /// The newest state of a label; `None` if it never had one.
    pub(super) async fn newest(&self, label: &AkdLabel) -> Result<Option<ValueState>, StorageError> {
        let found = self.other(layout::newest_key(label)).await?;
        found.map(|bytes| layout::read_state(label, &bytes).map_err(StorageError::from)).transpose()
    }

    /// A record that is no node.
    async fn other(&self, key: Vec<u8>) -> Result<Option<Vec<u8>>, StorageError> {
        match self.epoch.as_ref().and_then(|epoch| epoch.other(&key)) {
            Some(changed) => Ok(Some(changed)),
            None => Ok(self.kept.read_one(key).await?),
        }
    }

    /// A node; `None` if it is not there.
    pub(super) async fn node(&self, label: NodeLabel) -> Result<Option<TreeNode>, StorageError> {
        if let Some(node) = self.epoch.as_ref().and_then(|epoch| epoch.node(&label)) {
            return Ok(Some(node));
        }
        let bytes = self.kept.read_one(layout::node_key(&label)).await?;
        let node = layout::read_node(label, bytes.as_deref())?;
        if let (Some(epoch), Some(node)) = (&self.epoch, &node) {
            epoch.know(node.clone());
        }
        Ok(node)
    }

    /// All states of a label, oldest first.
    async fn states(&self, label: &AkdLabel) -> Result<Vec<ValueState>, StorageError> {
        let past = self.kept.records.range(layout::past_prefix(label)).await?;
        let past = past.iter().map(|(_, bytes)| layout::read_state(label, bytes));
        let mut states: Vec<ValueState> = past.collect::<Result<_, _>>()?;
        states.extend(self.newest(label).await?);
        Ok(states)
    }
}

impl From<Damaged> for StorageError {
    fn from(_: Damaged) -> Self {
        Self::Other("a record is damaged".into())
    }
}

/// The only use of this variant here, so that it can be told apart again.
impl From<RecordsError> for StorageError {
    fn from(error: RecordsError) -> Self {
        Self::Connection(error.0)
    }
}

#[async_trait]
impl<R: Records> Database for Layer<R> {
    async fn set(&self, record: DbRecord) -> Result<(), StorageError> {
        self.batch_set(vec![record], DbSetState::General).await
    }

    async fn batch_set(&self, records: Vec<DbRecord>, _: DbSetState) -> Result<(), StorageError> {
        let Some(epoch) = &self.epoch else {
            return Err(StorageError::Other("the tree is only to be read".into()));
        };
        let (mut nodes, mut others, mut states) = (Vec::with_capacity(records.len()), Vec::new(), Vec::new());
        for record in records {
            match record {
                DbRecord::TreeNode(node) => nodes.push(node.latest_node),
                DbRecord::Azks(tree) => others.push((layout::tree_key(), layout::write_tree(&tree)?)),
                DbRecord::ValueState(state) => states.push(state),
            }
        }
        // What was the newest state of a label moves to its past.
        let older = states.iter().filter(|state| state.version > 1);
        let keys: Vec<_> = older.clone().map(|state| layout::newest_key(&state.username)).collect();
        for (state, before) in older.zip(self.kept.read(&keys).await?) {
            let before = before.ok_or_else(missing)?;
            let epoch = layout::read_state(&state.username, &before)?.epoch;
            others.push((layout::past_key(&state.username, epoch), before));
        }
        for state in &states {
            others.push((layout::newest_key(&state.username), layout::write_state(state)?));
        }
        epoch.change_nodes(nodes);
        epoch.change_others(others);
        Ok(())
    }

    async fn get<St: Storable>(&self, id: &St::StorageKey) -> Result<DbRecord, StorageError> {
        let id = St::get_full_binary_key_id(id);
        match St::data_type() {
            StorageType::Azks => {
                let bytes = self.other(layout::tree_key()).await?;
                Ok(DbRecord::Azks(layout::read_tree(bytes.as_deref())?))
            }
            StorageType::TreeNode => {
                let key =
                    TreeNodeWithPreviousValue::key_from_full_binary(&id).map_err(StorageError::Other)?;
                let latest_node = self.node(key.0).await?.ok_or_else(missing)?;
                let label = latest_node.label;
                let node = TreeNodeWithPreviousValue { label, latest_node, previous_node: None };
                Ok(DbRecord::TreeNode(node))
            }
            StorageType::ValueState => {
                let key = ValueState::key_from_full_binary(&id).map_err(StorageError::Other)?;
                let all = self.states(&AkdLabel(key.0)).await?;
                let state = all.into_iter().find(|state| state.epoch == key.1);
                state.map(DbRecord::ValueState).ok_or_else(missing)
            }
        }
    }

    async fn batch_get<St: Storable>(&self, ids: &[St::StorageKey]) -> Result<Vec<DbRecord>, StorageError> {
        let mut records = Vec::with_capacity(ids.len());
        for id in ids {
            records.push(self.get::<St>(id).await?);
        }
        Ok(records)
    }

    async fn get_user_data(&self, label: &AkdLabel) -> Result<KeyData, StorageError> {
        let states = self.states(label).await?;
        if states.is_empty() { Err(nothing()) } else { Ok(KeyData { states }) }
    }

    async fn get_user_state(
        &self,
        label: &AkdLabel,
        flag: ValueStateRetrievalFlag,
    ) -> Result<ValueState, StorageError> {
        let newest = self.newest(label).await?.ok_or_else(nothing)?;
        if is_last(&newest, flag) {
            return Ok(newest);
        }
        let mut states = self.states(label).await?.into_iter();
        match flag {
            ValueStateRetrievalFlag::SpecificVersion(version) => {
                states.find(|state| state.version == version)
            }
            ValueStateRetrievalFlag::SpecificEpoch(epoch) => states.find(|state| state.epoch == epoch),
            ValueStateRetrievalFlag::LeqEpoch(epoch) => states.rfind(|state| state.epoch <= epoch),
            ValueStateRetrievalFlag::MaxEpoch => states.next_back(),
            ValueStateRetrievalFlag::MinEpoch => states.next(),
        }
        .ok_or_else(nothing)
    }

    async fn get_user_state_versions(
        &self,
        labels: &[AkdLabel],
        flag: ValueStateRetrievalFlag,
    ) -> Result<HashMap<AkdLabel, (u64, AkdValue)>, StorageError> {
        let keys: Vec<_> = labels.iter().map(|label| layout::newest_key(label)).collect();
        let found = self.kept.read(&keys).await?;
        let mut states = HashMap::with_capacity(labels.len());
        for (label, bytes) in labels.iter().zip(found) {
            let Some(bytes) = bytes else { continue };
            let mut state = layout::read_state(label, &bytes)?;
            if !is_last(&state, flag) {
                state = match self.get_user_state(label, flag).await {
                    Ok(state) => state,
                    Err(StorageError::NotFound(_)) => continue,
                    Err(other) => return Err(other),
                };
            }
            states.insert(label.clone(), (state.version, state.value));
        }
        Ok(states)
    }
}

/// Whether the newest state is the one that is asked for.
fn is_last(newest: &ValueState, flag: ValueStateRetrievalFlag) -> bool {
    match flag {
        ValueStateRetrievalFlag::MaxEpoch => true,
        ValueStateRetrievalFlag::LeqEpoch(epoch) => newest.epoch <= epoch,
        _ => false,
    }
}

/// Not `NotFound`: akd asks only for what must be there, and would take a hole for an empty branch.
fn missing() -> StorageError {
    StorageError::Other("a record is missing".into())
}

/// `akd` would name the label here.
fn nothing() -> StorageError {
    StorageError::NotFound("no such label".into())
}
