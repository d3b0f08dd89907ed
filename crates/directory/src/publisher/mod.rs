//! The server's half: keeps the tree, publishes epochs, makes proofs. One publisher at a time for one store.

mod append;
mod cache;
mod epoch;
mod layer;
mod layout;
mod records;
mod vrf;

use std::sync::Arc;

use akd::errors::{AkdError, StorageError};
use akd::storage::StorageManager;
use akd::{AkdValue, AzksParallelismConfig, Directory, EpochHash, HistoryParams};
use akd_core::proto::specs::types;
use protobuf::Message;
use tokio::sync::{MutexGuard, RwLock, RwLockWriteGuard};
use tokio::task::spawn_blocking;

use crate::{Entry, Hashing, Label, proof::akd_label};
use epoch::Epoch;
use layer::{Kept, Layer};
pub use records::{MemoryRecords, Record, Records, RecordsError};
pub use vrf::VrfKey;

/// Why nothing was published or proven. No variant names a handle or its label.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum PublisherError {
    /// The store failed.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// A label was given twice for one epoch.
    #[error(
        "while publishing an epoch of the key directory: one handle is there twice; try its newest entry only"
    )]
    Twice,
    /// The tree is not as it was left, or could not be read.
    #[error(
        "while working on the key directory's tree: {0}; try again, and if it stays, check the server's disk"
    )]
    Tree(&'static str),
}

type Akd<R> = Directory<Hashing, Layer<R>, VrfKey>;

/// Keeps the tree of a directory.
pub struct Publisher<R: Records> {
    kept: Arc<Kept<R>>,
    vrf: VrfKey,
    reader: Akd<R>,
    /// Held while an epoch is made.
    turn: tokio::sync::Mutex<()>,
    /// Held by who reads, and alone by who has an epoch ready to be stored.
    gate: RwLock<()>,
}

/// An entry with its proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// The epoch of the tree under whose root it is proven.
    pub epoch: u64,
    /// What the directory says.
    pub entry: Entry,
    /// For [`crate::verify_lookup`].
    pub proof: Vec<u8>,
}

/// An epoch that is ready to be stored. Readers wait as long as it lives; dropped without [`Prepared::commit`] it
/// never was. Whoever holds one must not look anything up: that would wait for ever.
pub struct Prepared<'a, R: Records> {
    /// The new epoch.
    pub epoch: u64,
    /// Root hash of the new tree.
    pub tree: [u8; 32],
    /// What the store must take, all or nothing; ascending by key.
    pub records: Vec<Record>,
    /// For [`crate::verify_append_only`], from the epoch before to this one.
    pub proof: Vec<u8>,
    kept: &'a Kept<R>,
    changes: Vec<Record>,
    _readers: RwLockWriteGuard<'a, ()>,
    _turn: MutexGuard<'a, ()>,
}

impl<R: Records> Prepared<'_, R> {
    /// The store has the records: readers go on, and see the new epoch.
    pub fn commit(self) {
        let mut cache = self.kept.cache();
        for (key, value) in self.changes {
            cache.put(key, value);
        }
    }
}

impl<R: Records> Publisher<R> {
    /// Opens the tree that is in a store; an empty store has the empty tree, epoch 0. Nothing is written. At most
    /// about `cache_bytes` of memory keep what was used last.
    ///
    /// # Errors
    /// [`PublisherError`] if the store cannot be read.
    pub async fn open(records: R, vrf: VrfKey, cache_bytes: usize) -> Result<Self, PublisherError> {
        let kept = Arc::new(Kept::new(records, cache_bytes));
        let reader = directory(Layer::kept(kept.clone()), &vrf).await?;
        Ok(Self { kept, vrf, reader, turn: tokio::sync::Mutex::default(), gate: RwLock::default() })
    }

    /// Public key of the function that places handles in the tree.
    pub fn vrf_public(&self) -> [u8; 32] {
        self.vrf.public()
    }

    /// The epoch of the tree and its root hash.
    ///
    /// # Errors
    /// [`PublisherError`] if the store cannot be read.
    pub async fn tree(&self) -> Result<(u64, [u8; 32]), PublisherError> {
        let _reading = self.gate.read().await;
        let EpochHash(epoch, hash) = self.reader.get_epoch_hash().await.map_err(failed)?;
        Ok((epoch, hash))
    }

    /// Makes the next epoch, with these entries for these labels; `None` if the directory says all that already.
    /// Readers go on while it is made, and wait from when this returns until it is committed or dropped.
    ///
    /// # Errors
    /// [`PublisherError`] if the store cannot be read, or a label is there twice. Then everything is as before.
    pub async fn publish(
        &self,
        updates: Vec<(Label, Entry)>,
    ) -> Result<Option<Prepared<'_, R>>, PublisherError> {
        let mut labels: Vec<&Label> = updates.iter().map(|(label, _)| label).collect();
        labels.sort_unstable();
        if labels.windows(2).any(|pair| pair[0] == pair[1]) {
            return Err(PublisherError::Twice);
        }
        let turn = self.turn.lock().await;
        let new = Arc::new(Epoch::default());
        let writer = directory(Layer::of_epoch(self.kept.clone(), new.clone()), &self.vrf).await?;
        let EpochHash(before, _) = writer.get_epoch_hash().await.map_err(failed)?;
        let updates = updates.iter().map(|(label, entry)| (akd_label(label), AkdValue(entry.to_bytes())));
        let EpochHash(epoch, tree) = writer.publish(updates.collect()).await.map_err(failed)?;
        if epoch == before {
            return Ok(None);
        }
        let layer = Layer::of_epoch(self.kept.clone(), new.clone());
        let proof = append::append_only(&layer, before).await.map_err(|error| failed(error.into()))?;
        // Beside the records: both take a while when the epoch is large.
        let proof = spawn_blocking(move || written(&types::SingleAppendOnlyProof::from(&proof)));
        let records = new.records().map_err(|_| PublisherError::Tree("it does not fit together"))?;
        let changes = records.clone();
        let proof = proof.await.map_err(|_| PublisherError::Tree("a task ended before its time"))??;
        let readers = self.gate.write().await;
        let kept = &self.kept;
        Ok(Some(Prepared { epoch, tree, records, proof, kept, changes, _readers: readers, _turn: turn }))
    }

    /// The newest entry of a label with its proof; `None` if it has none.
    ///
    /// The proof is `akd`'s history proof of one entry, not its lookup proof: see [`crate::verify_lookup`].
    ///
    /// # Errors
    /// [`PublisherError`] if the store cannot be read.
    pub async fn lookup(&self, label: &Label) -> Result<Option<Looked>, PublisherError> {
        let _reading = self.gate.read().await;
        let Some(entry) = self.newest(label).await? else {
            return Ok(None);
        };
        let (epoch, proof) = self.proven(label, HistoryParams::MostRecent(1)).await?;
        Ok(Some(Looked { epoch, entry, proof }))
    }

    /// The newest entry of a label without a proof; `None` if it has none.
    ///
    /// # Errors
    /// [`PublisherError`] if the store cannot be read.
    pub async fn entry(&self, label: &Label) -> Result<Option<Entry>, PublisherError> {
        let _reading = self.gate.read().await;
        self.newest(label).await
    }

    /// The epoch of the tree, and the proof of all entries that a label ever had or of the newest `most_recent` of
    /// them, for [`crate::verify_history`]; `None` if it has none.
    ///
    /// # Errors
    /// [`PublisherError`] if the store cannot be read.
    pub async fn history(
        &self,
        label: &Label,
        most_recent: Option<usize>,
    ) -> Result<Option<(u64, Vec<u8>)>, PublisherError> {
        let _reading = self.gate.read().await;
        if most_recent == Some(0) || self.newest(label).await?.is_none() {
            return Ok(None);
        }
        let params = most_recent.map_or(HistoryParams::Complete, HistoryParams::MostRecent);
        self.proven(label, params).await.map(Some)
    }

    async fn proven(&self, label: &Label, params: HistoryParams) -> Result<(u64, Vec<u8>), PublisherError> {
        let proof = self.reader.key_history(&akd_label(label), params).await;
        let (proof, EpochHash(epoch, _)) = proof.map_err(failed)?;
        Ok((epoch, written(&types::HistoryProof::from(&proof))?))
    }

    async fn newest(&self, label: &Label) -> Result<Option<Entry>, PublisherError> {
        let state = Layer::kept(self.kept.clone()).newest(&akd_label(label)).await;
        let Some(state) = state.map_err(|error| failed(error.into()))? else {
            return Ok(None);
        };
        Entry::from_bytes(&state.value).map(Some).map_err(|_| PublisherError::Tree("an entry is damaged"))
    }
}

async fn directory<R: Records>(layer: Layer<R>, vrf: &VrfKey) -> Result<Akd<R>, PublisherError> {
    let storage = StorageManager::new_no_cache(layer);
    Directory::new(storage, vrf.clone(), AzksParallelismConfig::default()).await.map_err(failed)
}

fn written(message: &impl Message) -> Result<Vec<u8>, PublisherError> {
    message.write_to_bytes().map_err(|_| PublisherError::Tree("a proof is too long"))
}

/// The errors of `akd` name labels; ours do not.
fn failed(error: AkdError) -> PublisherError {
    match error {
        AkdError::Storage(StorageError::Connection(why)) => RecordsError(why).into(),
        AkdError::Storage(_) | AkdError::TreeNode(_) => PublisherError::Tree("a part of it cannot be read"),
        AkdError::Parallelism(_) => PublisherError::Tree("a task ended before its time"),
        _ => PublisherError::Tree("it does not fit together"),
    }
}
