//! Where openmls keeps its state: two tables of the profile database.
//!
//! *Invariant:* nothing here begins, commits or rolls back. The caller wraps each step in one SQLite
//! transaction, so that MLS state, messages and outbox change together. After a rollback every `MlsGroup`
//! in memory that the step touched must be dropped and loaded again: it is ahead of its stored state.
//!
//! **Deferred message secrets.** openmls writes the whole store of message secrets after every message: tens
//! to hundreds of kilobytes in a large group. A provider made with [`Provider::deferring`] notes that this
//! write is due instead of doing it, and [`Provider::settle`] does it once, from the `MlsGroup` in memory.
//! *Invariant:* a transaction with a due write must not be committed: its generations would be used again
//! after a restart, and a key and nonce with them. [`Unsettled::check`] right before COMMIT holds that line;
//! until then the stored row is stale, and reading it is an error rather than an old answer.

mod codec;
mod storage;
#[cfg(test)]
mod tests;

use std::{
    cell::{Cell, RefCell, RefMut},
    collections::BTreeSet,
    time::Duration,
};

use openmls::{
    group::{GroupId, MlsGroup},
    prelude::PastEpochDeletion,
};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::OpenMlsProvider;
use rusqlite::{Connection, OptionalExtension, params};
use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

pub use codec::CodecError;

/// The tables: one value per (kind, key), and lists that keep the order in which they grew.
pub const SCHEMA: &str = "
CREATE TABLE mls (
  kind INTEGER NOT NULL,
  key BLOB NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (kind, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE mls_list (
  kind INTEGER NOT NULL,
  key BLOB NOT NULL,
  position INTEGER NOT NULL,
  item BLOB NOT NULL,
  value BLOB NOT NULL,
  PRIMARY KEY (kind, key, position)
) STRICT, WITHOUT ROWID;
";

/// What a row holds. The numbers are stored: never change or reuse one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// How a group was joined: padding, past epochs, ratchet tolerance.
    JoinConfig = 1,
    /// Our own proposed leaves, a list.
    OwnLeafNodes = 2,
    /// Proposals that wait for a commit, a list.
    Proposals = 3,
    /// The public ratchet tree.
    Tree = 4,
    /// The interim transcript hash.
    InterimTranscriptHash = 5,
    /// The group context.
    GroupContext = 6,
    /// The confirmation tag.
    ConfirmationTag = 7,
    /// Whether a commit is pending, and that commit.
    GroupState = 8,
    /// The secret tree of this epoch, and of those past that are kept.
    MessageSecrets = 9,
    /// Resumption secrets of recent epochs.
    ResumptionPsks = 10,
    /// Our place in the tree.
    OwnLeafIndex = 11,
    /// The epoch's secrets.
    EpochSecrets = 12,
    /// The forward secure exporter.
    ExportTree = 13,
    /// Signature keys that the application chose to keep here.
    SignatureKeyPair = 14,
    /// Key pairs of proposed updates.
    EncryptionKeyPair = 15,
    /// Our private keys along the path to the root, by epoch.
    EpochKeyPairs = 16,
    /// Key packages that we published, with their private keys.
    KeyPackage = 17,
    /// External pre-shared keys.
    Psk = 18,
}

/// Why MLS state could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database refused.
    #[error(
        "{doing} MLS state ({kind:?}) in the profile failed: {source}; check the disk's space and health"
    )]
    Sql {
        /// Reading, writing or deleting.
        doing: &'static str,
        /// What it was about.
        kind: Kind,
        /// SQLite's reason.
        source: rusqlite::Error,
    },
    /// A value does not fit its format.
    #[error("MLS state ({kind:?}) in the profile: {source}")]
    Codec {
        /// What it was about.
        kind: Kind,
        /// The reason.
        source: CodecError,
    },
    /// A deferred write is due.
    #[error("message secrets of a group are not written yet: settle the group, or roll the step back")]
    Unsettled,
    /// openmls would not write the message secrets.
    #[error("writing deferred message secrets failed: {0}; roll the step back")]
    Settle(String),
}

/// Groups whose message secrets wait to be written. Belongs beside the groups in memory, and is emptied
/// with them on a rollback.
#[derive(Debug, Default)]
pub struct Unsettled(RefCell<BTreeSet<Vec<u8>>>);

impl Unsettled {
    /// The groups to settle.
    pub fn groups(&self) -> Result<Vec<GroupId>, StoreError> {
        let keys = self.0.borrow();
        let ids = keys.iter().map(|key| codec::decode(key));
        ids.collect::<Result<_, _>>().map_err(codec_error(Kind::MessageSecrets))
    }

    /// Call right before COMMIT: an error if a write is still due.
    pub fn check(&self) -> Result<(), StoreError> {
        if self.0.borrow().is_empty() { Ok(()) } else { Err(StoreError::Unsettled) }
    }

    /// Call after ROLLBACK, when the groups in memory are dropped.
    pub fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}

/// MLS state in a profile database.
pub struct MlsStore<'c> {
    conn: &'c Connection,
    unsettled: Option<&'c Unsettled>,
    settling: Cell<bool>,
    /// One buffer for every value written: secrets are not left behind in freed memory.
    buffer: RefCell<Zeroizing<Vec<u8>>>,
}

impl<'c> MlsStore<'c> {
    /// A store that writes everything at once.
    pub fn new(conn: &'c Connection) -> Self {
        Self { conn, unsettled: None, settling: Cell::new(false), buffer: RefCell::default() }
    }

    /// True if the write was noted as due and must not be done now.
    fn defer(&self, key: &[u8]) -> bool {
        match self.unsettled {
            Some(unsettled) if !self.settling.get() => {
                unsettled.0.borrow_mut().insert(key.to_vec());
                true
            }
            _ => false,
        }
    }

    fn settled(&self, key: &[u8]) {
        if let Some(unsettled) = self.unsettled {
            unsettled.0.borrow_mut().remove(key);
        }
    }

    fn is_settled(&self, key: &[u8]) -> bool {
        self.unsettled.is_none_or(|unsettled| !unsettled.0.borrow().contains(key))
    }

    fn encode(
        &self,
        kind: Kind,
        value: &(impl Serialize + ?Sized),
    ) -> Result<RefMut<'_, Zeroizing<Vec<u8>>>, StoreError> {
        let mut buffer = self.buffer.borrow_mut();
        buffer.clear();
        codec::encode(kind, value, &mut buffer).map_err(codec_error(kind))?;
        Ok(buffer)
    }

    fn put(&self, kind: Kind, key: &[u8], value: &(impl Serialize + ?Sized)) -> Result<(), StoreError> {
        let value = self.encode(kind, value)?;
        let sql = "INSERT INTO mls VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value";
        self.execute("writing", kind, sql, params![kind as i64, key, value.as_slice()])
    }

    fn get<V: DeserializeOwned>(&self, kind: Kind, key: &[u8]) -> Result<Option<V>, StoreError> {
        let mut found = self
            .conn
            .prepare_cached("SELECT value FROM mls WHERE kind = ? AND key = ?")
            .map_err(sql_error("reading", kind))?;
        let value =
            found.query_row(params![kind as i64, key], |row| Ok(codec::decode(row.get_ref(0)?.as_blob()?)));
        let value = value.optional().map_err(sql_error("reading", kind))?;
        value.transpose().map_err(codec_error(kind))
    }

    fn delete(&self, kind: Kind, key: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "deleting",
            kind,
            "DELETE FROM mls WHERE kind = ? AND key = ?",
            params![kind as i64, key],
        )
    }

    /// Deletes every value whose key begins with `prefix`.
    fn delete_under(&self, kind: Kind, prefix: &[u8]) -> Result<(), StoreError> {
        let sql = "DELETE FROM mls WHERE kind = ?1 AND key >= ?2 AND substr(key, 1, length(?2)) = ?2";
        self.execute("deleting", kind, sql, params![kind as i64, prefix])
    }

    fn append(
        &self,
        kind: Kind,
        key: &[u8],
        item: &[u8],
        value: &(impl Serialize + ?Sized),
    ) -> Result<(), StoreError> {
        let value = self.encode(kind, value)?;
        let sql = "INSERT INTO mls_list SELECT ?1, ?2, \
                   (SELECT coalesce(max(position), 0) + 1 FROM mls_list WHERE kind = ?1 AND key = ?2), ?3, ?4";
        self.execute("writing", kind, sql, params![kind as i64, key, item, value.as_slice()])
    }

    /// The list's (item, value) pairs in the order in which they were appended.
    fn list<T>(
        &self,
        kind: Kind,
        key: &[u8],
        read: impl Fn(&[u8], &[u8]) -> Result<T, CodecError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut found = self
            .conn
            .prepare_cached("SELECT item, value FROM mls_list WHERE kind = ? AND key = ? ORDER BY position")
            .map_err(sql_error("reading", kind))?;
        let rows = found.query_map(params![kind as i64, key], |row| {
            Ok(read(row.get_ref(0)?.as_blob()?, row.get_ref(1)?.as_blob()?))
        });
        let rows =
            rows.and_then(Iterator::collect::<Result<Vec<_>, _>>).map_err(sql_error("reading", kind))?;
        rows.into_iter().collect::<Result<_, _>>().map_err(codec_error(kind))
    }

    fn delete_item(&self, kind: Kind, key: &[u8], item: &[u8]) -> Result<(), StoreError> {
        let sql = "DELETE FROM mls_list WHERE kind = ? AND key = ? AND item = ?";
        self.execute("deleting", kind, sql, params![kind as i64, key, item])
    }

    fn delete_list(&self, kind: Kind, key: &[u8]) -> Result<(), StoreError> {
        self.execute(
            "deleting",
            kind,
            "DELETE FROM mls_list WHERE kind = ? AND key = ?",
            params![kind as i64, key],
        )
    }

    fn execute(
        &self,
        doing: &'static str,
        kind: Kind,
        sql: &str,
        values: impl rusqlite::Params,
    ) -> Result<(), StoreError> {
        let done = self.conn.prepare_cached(sql).and_then(|mut statement| statement.execute(values));
        done.map(|_| ()).map_err(sql_error(doing, kind))
    }
}

fn sql_error(doing: &'static str, kind: Kind) -> impl Fn(rusqlite::Error) -> StoreError {
    move |source| StoreError::Sql { doing, kind, source }
}

fn codec_error(kind: Kind) -> impl Fn(CodecError) -> StoreError {
    move |source| StoreError::Codec { kind, source }
}

/// What openmls asks for: storage in the profile, cryptography and randomness by `RustCrypto`.
pub struct Provider<'c> {
    /// MLS state in the profile.
    pub storage: MlsStore<'c>,
    crypto: &'c RustCrypto,
}

impl<'c> Provider<'c> {
    /// A provider that writes everything at once.
    pub fn new(conn: &'c Connection, crypto: &'c RustCrypto) -> Self {
        Self { storage: MlsStore::new(conn), crypto }
    }

    /// A provider that leaves the message secrets of each group to [`Self::settle`] (see the module's head).
    pub fn deferring(conn: &'c Connection, crypto: &'c RustCrypto, unsettled: &'c Unsettled) -> Self {
        Self { storage: MlsStore { unsettled: Some(unsettled), ..MlsStore::new(conn) }, crypto }
    }

    /// Writes the message secrets of a group that were deferred.
    pub fn settle(&self, group: &mut MlsGroup) -> Result<(), StoreError> {
        // openmls has no "write now". Deleting what is older than forever deletes nothing, and writes.
        let nothing = PastEpochDeletion::older_than_duration(Duration::MAX);
        self.storage.settling.set(true);
        let done = group.delete_past_epoch_secrets(self, nothing);
        self.storage.settling.set(false);
        done.map_err(|error| StoreError::Settle(error.to_string()))
    }
}

impl<'c> OpenMlsProvider for Provider<'c> {
    type CryptoProvider = RustCrypto;
    type RandProvider = RustCrypto;
    type StorageProvider = MlsStore<'c>;

    fn storage(&self) -> &Self::StorageProvider {
        &self.storage
    }
    fn crypto(&self) -> &Self::CryptoProvider {
        self.crypto
    }
    fn rand(&self) -> &Self::RandProvider {
        self.crypto
    }
}
