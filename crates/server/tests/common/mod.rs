//! What the store's tests share: a place to keep a store in, blocking calls, and rows to put into it.

#![allow(dead_code, missing_docs, clippy::unwrap_used, reason = "each test file uses its part of it")]

use std::{path::Path, sync::mpsc};

use bytes::Bytes;
use zegel_identity::SignedLink;
use zegel_proto::{AccountId, DeviceId, v1::AgeBand};
use zegel_server::store::{
    Account, AccountState, Head, HourKeyRow, Mailbox, SqliteStore, Store, StoreResult, StoredEntry, Tx,
};

/// Where a backend keeps one store for one test.
pub trait Place {
    fn open(&self) -> Box<dyn Store>;
    /// As another process would, while it is open.
    fn open_beside(&self) -> Box<dyn Store>;
    /// What [`Store::backup`] made.
    fn open_copy(&self, copy: &Path) -> Box<dyn Store>;
    /// An empty folder.
    fn scratch(&self) -> &Path;
}

/// A fresh folder for SQLite.
pub struct SqlitePlace(pub tempfile::TempDir);

impl SqlitePlace {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    pub fn data(&self) -> std::path::PathBuf {
        self.0.path().join("data")
    }
    /// Beside the store, past all its rules.
    pub fn raw(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.data().join("zegel.db")).unwrap()
    }
}

impl Place for SqlitePlace {
    fn open(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open(&self.data()).unwrap())
    }
    fn open_beside(&self) -> Box<dyn Store> {
        Box::new(SqliteStore::open_beside(&self.data()).unwrap())
    }
    fn open_copy(&self, copy: &Path) -> Box<dyn Store> {
        Box::new(SqliteStore::open(copy).unwrap())
    }
    fn scratch(&self) -> &Path {
        self.0.path()
    }
}

/// An answer that is on its way.
pub struct Pending<T>(mpsc::Receiver<StoreResult<()>>, mpsc::Receiver<T>);

impl<T> Pending<T> {
    pub fn wait(self) -> StoreResult<T> {
        self.0.recv().expect("each job is answered").map(|()| self.1.recv().unwrap())
    }
}

/// Queues a write and does not wait.
pub fn queue<T: Send + 'static>(
    store: &dyn Store,
    job: impl FnOnce(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
) -> Pending<T> {
    let (value_out, value) = mpsc::channel();
    let (done_out, done) = mpsc::channel();
    let job = move |tx: &mut dyn Tx| job(tx).map(|value| value_out.send(value).unwrap());
    store.write_job(Box::new(job), Box::new(move |result| done_out.send(result).unwrap()));
    Pending(done, value)
}

/// Writes and waits.
pub fn write<T: Send + 'static>(
    store: &dyn Store,
    job: impl FnOnce(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    queue(store, job).wait()
}

/// Reads and waits.
pub fn read<T: Send + 'static>(
    store: &dyn Store,
    job: impl FnOnce(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    let (value_out, value) = mpsc::channel();
    let (done_out, done) = mpsc::channel();
    let job = move |tx: &mut dyn Tx| job(tx).map(|value| value_out.send(value).unwrap());
    store.read_job(Box::new(job), Box::new(move |result| done_out.send(result).unwrap()));
    Pending(done, value).wait()
}

/// Keeps the writer busy until the returned end is dropped, so that what is queued meanwhile shares one commit.
pub fn hold(store: &dyn Store) -> mpsc::Sender<()> {
    let (release, held) = mpsc::channel::<()>();
    let (begun, has_begun) = mpsc::channel();
    store.write_job(
        Box::new(move |_| {
            begun.send(()).unwrap();
            let _ = held.recv();
            Ok(())
        }),
        Box::new(|_| {}),
    );
    has_begun.recv().unwrap();
    release
}

pub fn account(handle: &str) -> Account {
    Account {
        id: AccountId::random(),
        app: "zegel".into(),
        handle: handle.into(),
        age_band: AgeBand::Adult,
        role: "person".into(),
        state: AccountState::Active,
        until_day: 0,
        held: false,
        language: "en".into(),
        created_day: 20_000,
        last_seen_day: 20_000,
        person: b"sealed".to_vec(),
        guardian: None,
    }
}

pub fn link(n: u8) -> SignedLink {
    SignedLink { body: vec![n; 40], signature: vec![n; 64] }
}

pub fn mailbox(account: AccountId, first_seq: u64, next_seq: u64) -> Mailbox {
    Mailbox { account, first_seq, next_seq }
}

pub fn entry(hour_key: u64, text: &str) -> StoredEntry {
    StoredEntry { hour_key, sealed: Bytes::copy_from_slice(text.as_bytes()) }
}

pub fn hour_key(id: u64, hour: u32) -> HourKeyRow {
    HourKeyRow { id, hour, encapsulated: vec![1; 1120].into(), sealed: vec![2; 48].into() }
}

pub fn head(seq: u64) -> Head {
    Head::Live { epoch: seq / 2, token_hash: [1; 32], seq, stamp_hash: [2; 32], month: 680 }
}

/// Puts the next entry into a device's mailbox, as a submission does.
pub fn deliver(tx: &mut dyn Tx, device: &DeviceId, hour: u32, key: u64, text: &str) -> StoreResult<u64> {
    let mut mailbox = tx.mailbox(device)?.expect("the device has a mailbox");
    let seq = mailbox.next_seq;
    mailbox.next_seq += 1;
    tx.put_hour_key(device, &hour_key(key, hour))?;
    tx.put_entry(device, seq, hour, &entry(key, text))?;
    tx.put_mailbox(device, &mailbox)?;
    Ok(seq)
}

/// An account with one device, whose mailbox starts at `first`.
pub fn person(tx: &mut dyn Tx, handle: &str, first: u64) -> StoreResult<(AccountId, DeviceId)> {
    let account = account(handle);
    let device = DeviceId::random();
    tx.put_account(&account, handle)?;
    tx.append_chain(&account.id, 0, &link(0))?;
    tx.put_queue_key(&device, b"queue key")?;
    tx.put_mailbox(&device, &mailbox(account.id, first, first))?;
    Ok((account.id, device))
}

/// Everything that waits for a device.
pub fn waiting(tx: &mut dyn Tx, device: &DeviceId) -> StoreResult<Vec<(u64, String)>> {
    let entries = tx.entries(device, 0, usize::MAX, usize::MAX)?;
    Ok(entries.into_iter().map(|(seq, e)| (seq, String::from_utf8(e.sealed.to_vec()).unwrap())).collect())
}
