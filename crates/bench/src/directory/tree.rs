//! The publisher over the server's store, each epoch on disk before it counts.

use std::ops::Range;
use std::sync::Arc;
use std::time::Instant;

use tempfile::TempDir;
use zegel_directory::publisher::{Publisher, Record, Records, RecordsError, VrfKey};
use zegel_directory::{Entry, Label, Root};
use zegel_proto::AccountId;
use zegel_server::store::{RootRow, SqliteStore, Store, read, write};

use crate::common::Result;

/// The tree in the server's store, as the server itself reads it.
pub struct Kept(Arc<dyn Store>);

impl Records for Kept {
    async fn get(&self, keys: Vec<Vec<u8>>) -> std::result::Result<Vec<Option<Vec<u8>>>, RecordsError> {
        let found = read(&*self.0, move |tx| tx.directory_records(&keys)).await;
        found.map_err(|error| RecordsError(error.to_string()))
    }

    async fn range(&self, prefix: Vec<u8>) -> std::result::Result<Vec<Record>, RecordsError> {
        let found = read(&*self.0, move |tx| tx.directory_range(&prefix)).await;
        found.map_err(|error| RecordsError(error.to_string()))
    }
}

/// What an epoch cost.
pub struct Published {
    pub seconds: f64,
    pub records: usize,
    pub record_bytes: usize,
    pub proof_bytes: usize,
}

/// See the module.
pub struct Tree {
    pub publisher: Publisher<Kept>,
    /// The tree before the newest epoch, and the proof that leads from there.
    pub newest: ([u8; 32], Vec<u8>),
    store: Arc<dyn Store>,
    epoch: u64,
    tree: [u8; 32],
    /// Gone with this.
    _folder: TempDir,
}

impl Tree {
    pub async fn new(cache_mib: usize) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("zegel-directory-").tempdir()?;
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(folder.path())?);
        let publisher = Publisher::open(Kept(store.clone()), VrfKey::random(), cache_mib << 20).await?;
        let (epoch, tree) = publisher.tree().await?;
        Ok(Self { publisher, newest: (tree, Vec::new()), store, epoch, tree, _folder: folder })
    }

    /// Publishes an epoch and stores it as the server does: records, root and proof in one commit.
    pub async fn publish(&mut self, updates: Vec<(Label, Entry)>) -> Result<Published> {
        let begun = Instant::now();
        let mut prepared = self.publisher.publish(updates).await?.ok_or("nothing changed")?;
        let records = std::mem::take(&mut prepared.records);
        let proof = std::mem::take(&mut prepared.proof);
        let (epoch, tree) = (prepared.epoch, prepared.tree);
        let mut published = Published {
            seconds: 0.0,
            records: records.len(),
            record_bytes: records.iter().map(|(key, value)| key.len() + value.len()).sum(),
            proof_bytes: proof.len(),
        };
        let kept = proof.clone();
        let row = RootRow { epoch, body: vec![1; 149], signature: vec![1; 64] };
        write(&*self.store, move |tx| {
            tx.put_root(&row, &proof)?;
            tx.put_directory_records(&records)
        })
        .await?;
        prepared.commit();
        published.seconds = begun.elapsed().as_secs_f64();
        self.newest = (self.tree, kept);
        (self.epoch, self.tree) = (epoch, tree);
        Ok(published)
    }

    /// The newest root; nobody signs it here.
    pub fn root(&self) -> Root {
        Root {
            epoch: self.epoch,
            time_ms: 1,
            tree: self.tree,
            vrf: self.publisher.vrf_public(),
            ..Root::FIRST
        }
    }
}

/// The label of a handle.
pub fn label(n: usize) -> Label {
    Label::of("example.org", &format!("person{n}"))
}

/// A handle's entry after so many changes.
pub fn entry(n: usize, changes: u64) -> Entry {
    let mut head = [0; 32];
    head[..8].copy_from_slice(&(n as u64).to_be_bytes());
    head[8..16].copy_from_slice(&changes.to_be_bytes());
    Entry { account: AccountId([1; 16]), len: changes + 1, head, ended: false }
}

/// The first entries of these handles.
pub fn newcomers(handles: Range<usize>) -> Vec<(Label, Entry)> {
    handles.map(|n| (label(n), entry(n, 0))).collect()
}
