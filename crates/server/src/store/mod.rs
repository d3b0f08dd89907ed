//! What the service keeps, and the one way to it.
//!
//! [`Store`] runs jobs against a [`Tx`]. Write jobs run one after the other; many share one commit, and each is
//! answered only after the commit is on disk. All rules of the service are written once, against `Tx`, so that
//! another backend needs only these few operations and passes the same conformance suite.
//!
//! *Invariant:* rows name nobody's contacts and no group's members. What could is sealed before it gets here.

mod rows;
mod sqlite;
mod tx;

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use tokio::sync::oneshot;
use zegel_proto::AccountId;

pub use rows::{
    Account, AccountState, CaseRow, DeskInvite, Head, HourKeyRow, Invite, Mailbox, NOBODY, Owed, PolicyRow,
    QueuePlace, ReportHead, ReportRow, RootRow, StaffRow, StoredEntry, TokenRow,
};
pub use sqlite::SqliteStore;
pub use tx::Tx;

/// A failure of the storage itself. Every job of the same commit gets it, and nothing of the commit remains; only
/// a job that failed before it wrote anything, on a row that it could not read, fails alone.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    /// No space left on the device.
    #[error("the disk is full; make room and try again")]
    Full,
    /// The data was written by a newer release, or is damaged.
    #[error("while opening the store: {0}")]
    Unusable(String),
    /// Anything else that the database or the disk said.
    #[error("while {doing}: {why}")]
    Failed {
        /// What was being done.
        doing: &'static str,
        /// What it said.
        why: String,
    },
    /// The store was closed.
    #[error("the store is closed")]
    Closed,
}

/// Shorthand of this module.
pub type StoreResult<T> = Result<T, StoreError>;

/// A unit of work. It reads first and decides; once it has written it may fail only with a [`StoreError`].
pub type Job = Box<dyn FnOnce(&mut dyn Tx) -> StoreResult<()> + Send>;
/// Told after the commit (or its failure).
pub type Done = Box<dyn FnOnce(StoreResult<()>) + Send>;

/// A place where the service's rows live.
pub trait Store: Send + Sync + 'static {
    /// Queues a write job. `done` is called once, after the commit that holds it is on disk.
    fn write_job(&self, job: Job, done: Done);
    /// Runs a job on a snapshot; a write inside it fails.
    fn read_job(&self, job: Job, done: Done);
    /// Copies the whole store into a new folder, consistently, while it is in use. Blocks.
    fn backup(&self, to: &Path) -> StoreResult<()>;
    /// Checks the storage's own structure; returns what is wrong. Blocks.
    fn verify(&self) -> StoreResult<Vec<String>>;
    /// Counts up whenever another process changed the store (an operator's command). Blocks.
    fn foreign_changes(&self) -> StoreResult<u64>;
    /// Leaves no page history behind (truncates the write-ahead log). Called when idle. Blocks.
    fn settle(&self) -> StoreResult<()>;
    /// Finishes queued jobs, settles and closes. Blocks. Later jobs get [`StoreError::Closed`].
    fn close(&self);
}

/// Runs `job` in the next commit and returns what it returned, after the commit.
pub async fn write<T: Send + 'static>(
    store: &dyn Store,
    job: impl FnOnce(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    run(job, |job, done| store.write_job(job, done)).await
}

/// Runs `job` on a snapshot and returns what it returned.
pub async fn read<T: Send + 'static>(
    store: &dyn Store,
    job: impl FnOnce(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
) -> StoreResult<T> {
    run(job, |job, done| store.read_job(job, done)).await
}

async fn run<T: Send + 'static>(
    job: impl FnOnce(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
    start: impl FnOnce(Job, Done),
) -> StoreResult<T> {
    let value_in = Arc::new(Mutex::new(None));
    let value_out = value_in.clone();
    let (done_out, done_in) = oneshot::channel();
    start(
        Box::new(move |tx| {
            let value = job(tx)?;
            *value_out.lock().expect("no panic holds this lock") = Some(value);
            Ok(())
        }),
        Box::new(move |result| {
            let _ = done_out.send(result);
        }),
    );
    done_in.await.map_err(|_| StoreError::Closed)??;
    let value = value_in.lock().expect("no panic holds this lock").take();
    value.ok_or(StoreError::Closed)
}

/// What a sweep deletes: rows older than these (exclusive).
#[derive(Clone, Debug, Default)]
pub struct Cut {
    /// Entries, hour keys without entries, and shared payloads from before this hour.
    pub mail_hour: u32,
    /// Hour keys that no entry needs, from before this hour.
    pub idle_hour: u32,
    /// Remembered answers from before this hour.
    pub answer_hour: u32,
    /// Tokens that were good before this day for the last time.
    pub token_day: u32,
    /// Addresses that were deleted before this day.
    pub dead_day: u32,
    /// Invites that expired before this day.
    pub invite_day: u32,
    /// Heads last used before this month become tombstones.
    pub head_month: u32,
    /// Sigchains of accounts that were removed before this day; each goes as a whole, and not before the directory
    /// says that it ended.
    pub ended_day: u32,
    /// Cases that nothing was done about since this day, with their reports, and statements from before it.
    pub case_day: u32,
    /// Notes that a stamp was reported, from before this day.
    pub reported_day: u32,
    /// Invitations to the desk that expired before this moment, milliseconds since 1970.
    pub desk_invite_ms: u64,
    /// Accounts under a legal hold: their devices' entries and hour keys stay, and their chains.
    pub held: Vec<AccountId>,
    /// The subjects and persons, as cases name them, under a legal hold: cases about them, cases with a report of
    /// theirs, and statements to them stay.
    pub held_tags: Vec<[u8; 32]>,
}

/// See [`Tx::counts`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Accounts that are not deleted.
    pub accounts: u64,
    /// Mailboxes.
    pub devices: u64,
    /// Entries that wait.
    pub entries: u64,
    /// Conversation heads that are no tombstones.
    pub heads: u64,
    /// The directory's newest epoch.
    pub epoch: u64,
    /// Accounts that the directory owes an entry.
    pub owed: u64,
}
