//! The key directory: where each account's sigchain stands, published in epochs that anyone can check.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `mod` | the tree in the store, and how it is opened |
//! | `owing` | what is promised: noted with each change of a chain, signed when told |
//! | `publish` | making an epoch |
//! | `answer` | proofs and roots, for whoever asks |
//! | `check` | whether what is stored is one history |
//!
//! *Invariant:* nothing is shown that is not on disk, and nothing is promised that the store does not know it owes.

mod answer;
mod check;
mod owing;
mod publish;

use std::sync::Arc;

use tokio::sync::Mutex;
use zegel_directory::{
    Root, SignedRoot, Signers,
    publisher::{Publisher, PublisherError, Record, Records, RecordsError},
};

use super::refusal::Refusal;
use crate::{
    clock::Now,
    keys::KeyRing,
    store::{RootRow, Store, StoreError, StoreResult, read, write},
};

pub(crate) use check::faults;
pub(super) use owing::{entry_of, has_room, owe, promise};

/// Why the directory cannot be opened or go on. No text holds a handle.
#[derive(Debug, thiserror::Error)]
pub enum DirectoryError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The tree could not be read.
    #[error(transparent)]
    Publisher(#[from] PublisherError),
    /// What is stored contradicts itself, or the key file.
    #[error(
        "while opening the key directory: {0}; try the key file that this data was made with, `zegel-server verify`, \
         or `zegel-server restore` with a backup"
    )]
    Unfit(&'static str),
}

impl From<DirectoryError> for Refusal {
    fn from(error: DirectoryError) -> Self {
        match error {
            DirectoryError::Store(error) => error.into(),
            error => {
                tracing::error!(%error, "the key directory failed");
                Self::internal()
            }
        }
    }
}

const OTHER_KEYS: &str = "the key file is that of another directory, or an older copy";

/// The tree, as the publisher sees it in the store.
struct Tree(Arc<dyn Store>);

impl Records for Tree {
    async fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, RecordsError> {
        let records = read(&*self.0, move |tx| tx.directory_records(&keys)).await;
        records.map_err(|error| RecordsError(error.to_string()))
    }

    async fn range(&self, prefix: Vec<u8>) -> Result<Vec<Record>, RecordsError> {
        let records = read(&*self.0, move |tx| tx.directory_range(&prefix)).await;
        records.map_err(|error| RecordsError(error.to_string()))
    }
}

/// The directory of a running server; the only one over its store.
pub(super) struct Directory {
    store: Arc<dyn Store>,
    publisher: Publisher<Tree>,
    /// Held while an epoch is made and stored.
    publishing: Mutex<()>,
}

impl Directory {
    /// Opens it, and publishes the empty epoch 0 of a new one.
    ///
    /// # Errors
    /// If the newest root is not that of the stored tree, or not signed by these keys: clients would take whatever
    /// came next for a lie.
    pub(super) async fn open(
        store: Arc<dyn Store>,
        keys: &KeyRing,
        cache_bytes: usize,
    ) -> Result<Self, DirectoryError> {
        let publisher = Publisher::open(Tree(store.clone()), keys.vrf().clone(), cache_bytes).await?;
        let (epoch, tree) = publisher.tree().await?;
        match read(&*store, |tx| tx.newest_root()).await? {
            Some(row) => fits(&signed(&row)?, epoch, &tree, keys)?,
            None if epoch > 0 => return Err(DirectoryError::Unfit("it has a tree and no root")),
            None => {
                let vrf = publisher.vrf_public();
                let time_ms = Now::get().ms;
                let root = Root { time_ms, tree, vrf, ..Root::FIRST };
                let row = row(&SignedRoot::sign(keys.domain(), root, keys.directory()));
                write(&*store, move |tx| tx.put_root(&row, &[])).await?;
            }
        }
        Ok(Self { store, publisher, publishing: Mutex::default() })
    }
}

/// Whether these keys are those in use, and perhaps more.
pub(super) fn continues(next: &KeyRing, now: &KeyRing) -> Result<(), DirectoryError> {
    let signers = |keys: &KeyRing| Signers::verify(keys.domain(), keys.directory().links());
    let same = next.domain() == now.domain() && next.vrf().public() == now.vrf().public();
    match (signers(next), signers(now)) {
        (Ok(next), Ok(now)) if same && next.continues(&now) => Ok(()),
        _ => Err(DirectoryError::Unfit(OTHER_KEYS)),
    }
}

/// Whether the newest root is the root of this tree, and of the directory that these keys sign.
fn fits(newest: &SignedRoot, epoch: u64, tree: &[u8; 32], keys: &KeyRing) -> Result<(), DirectoryError> {
    let signers = Signers::verify(keys.domain(), keys.directory().links());
    let ours = signers.is_ok_and(|signers| newest.is_signed(keys.domain(), &signers));
    if !ours || newest.root.vrf != keys.vrf().public() {
        return Err(DirectoryError::Unfit(OTHER_KEYS));
    }
    if newest.root.epoch != epoch || newest.root.tree != *tree {
        return Err(DirectoryError::Unfit("its newest root is not the root of its tree: it is damaged"));
    }
    Ok(())
}

fn row(signed: &SignedRoot) -> RootRow {
    RootRow { epoch: signed.root.epoch, body: signed.root.to_bytes(), signature: signed.signature.clone() }
}

/// A stored root; a row that holds another one is damaged.
fn signed(row: &RootRow) -> StoreResult<SignedRoot> {
    match Root::from_bytes(&row.body) {
        Ok(root) if root.epoch == row.epoch => Ok(SignedRoot { root, signature: row.signature.clone() }),
        Ok(_) => Err(damaged("it is that of another epoch".into())),
        Err(error) => Err(damaged(error.to_string())),
    }
}

fn damaged(why: String) -> StoreError {
    StoreError::Failed { doing: "reading a root of the directory", why }
}
