//! What the service keeps, and the one way to it.
//!
//! [`Store`] runs jobs against a [`Tx`]. Write jobs run one after the other; many share one commit, and each is
//! answered only after the commit is on disk. All rules of the service are written once, against `Tx`, so that
//! another backend needs only these few operations and passes the same conformance suite.
//!
//! *Invariant:* rows name nobody's contacts and no group's members. What could is sealed before it gets here.

mod rows;
mod sqlite;

use std::{
    path::Path,
    sync::{Arc, Mutex},
};

use tokio::sync::oneshot;
use zegel_identity::SignedLink;
use zegel_proto::{AccountId, BlobName, DeviceId, RoomId};

pub use rows::{
    Account, AccountState, Head, HourKeyRow, Invite, Mailbox, NOBODY, Owed, RootRow, StoredEntry,
};
pub use sqlite::SqliteStore;

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

/// The operations of a transaction. Days and hours count from 1970-01-01T00:00Z.
pub trait Tx {
    /// Runs after the commit, on the writer's thread, in the order of the jobs: the place to wake connections,
    /// so that what was stored in order is pushed in order.
    fn after_commit(&mut self, then: Box<dyn FnOnce() + Send>);

    // Accounts.

    /// The account with this id.
    fn account(&mut self, id: &AccountId) -> StoreResult<Option<Account>>;
    /// The id that a handle names; a deleted account's handle names nobody.
    fn account_of_handle(&mut self, handle: &str) -> StoreResult<Option<AccountId>>;
    /// Whether a handle with this confusable skeleton exists or existed.
    fn skeleton_used(&mut self, skeleton: &str) -> StoreResult<bool>;
    /// Adds or replaces the account; the skeleton stays taken for ever.
    fn put_account(&mut self, account: &Account, skeleton: &str) -> StoreResult<()>;
    /// Changes the state of an account.
    fn set_account_state(&mut self, id: &AccountId, state: AccountState) -> StoreResult<()>;
    /// Notes the day of the last connection.
    fn set_last_seen(&mut self, id: &AccountId, day: u32) -> StoreResult<()>;
    /// Removes the account, its mailboxes, entries, hour keys and key packages. Its skeleton stays taken, and its
    /// chain stays until a sweep: groups whose tree still holds a leaf of it verify it.
    fn remove_account(&mut self, id: &AccountId, today: u32) -> StoreResult<()>;
    /// The sigchain, in order; also that of a removed account, until a sweep.
    fn chain(&mut self, id: &AccountId) -> StoreResult<Vec<SignedLink>>;
    /// Adds link number `seq`.
    fn append_chain(&mut self, id: &AccountId, seq: u64, link: &SignedLink) -> StoreResult<()>;

    // Mailboxes.

    /// The mailbox of a device.
    fn mailbox(&mut self, device: &DeviceId) -> StoreResult<Option<Mailbox>>;
    /// Adds or replaces it.
    fn put_mailbox(&mut self, device: &DeviceId, mailbox: &Mailbox) -> StoreResult<()>;
    /// Removes the mailbox of a revoked device with its entries, hour keys and key packages.
    fn remove_mailbox(&mut self, device: &DeviceId) -> StoreResult<()>;
    /// Adds an entry. `hour` places its row: rows are ordered by (hour, random), never by arrival.
    fn put_entry(&mut self, device: &DeviceId, seq: u64, hour: u32, entry: &StoredEntry) -> StoreResult<()>;
    /// Entries from `from` on, in order, until `limit` entries or about `bytes` bytes.
    fn entries(
        &mut self,
        device: &DeviceId,
        from: u64,
        limit: usize,
        bytes: usize,
    ) -> StoreResult<Vec<(u64, StoredEntry)>>;
    /// Deletes entries up to and including `seq`.
    fn delete_entries(&mut self, device: &DeviceId, up_to: u64) -> StoreResult<()>;
    /// Keeps a sealed hour key; one that is there already is left alone.
    fn put_hour_key(&mut self, device: &DeviceId, key: &HourKeyRow) -> StoreResult<()>;
    /// A sealed hour key by its id.
    fn hour_key(&mut self, device: &DeviceId, id: u64) -> StoreResult<Option<HourKeyRow>>;

    // Addresses: H(address) and a sealed value that says whose mailbox, which conversations.

    /// The sealed value of an address.
    fn address(&mut self, hash: &[u8; 32]) -> StoreResult<Option<Vec<u8>>>;
    /// Adds or replaces it; one that is dead stays so.
    fn put_address(&mut self, hash: &[u8; 32], sealed: &[u8]) -> StoreResult<()>;
    /// Replaces it by one that is dead since `day`: it stays until a sweep, so that nobody takes it over.
    fn bury_address(&mut self, hash: &[u8; 32], sealed: &[u8], day: u32) -> StoreResult<()>;

    // Heads.

    /// The head of a conversation.
    fn head(&mut self, room: &RoomId) -> StoreResult<Option<Head>>;
    /// Adds or replaces it.
    fn put_head(&mut self, room: &RoomId, head: &Head) -> StoreResult<()>;

    // Remembered answers.

    /// The sealed answer to a submission.
    fn answer(&mut self, key: &[u8; 32]) -> StoreResult<Option<Vec<u8>>>;
    /// Remembers it.
    fn put_answer(&mut self, key: &[u8; 32], hour: u32, sealed: &[u8]) -> StoreResult<()>;
    /// Forgets answers that nobody can ask for any more; those that are not there do no harm.
    fn delete_answers(&mut self, keys: &[[u8; 32]]) -> StoreResult<()>;

    // Key packages: sealed, in no order.

    /// How many a device has in stock, and whether a last resort is there.
    fn key_packages(&mut self, device: &DeviceId) -> StoreResult<(u32, bool)>;
    /// Adds one under a random name; `last_resort` replaces the one before.
    fn put_key_package(&mut self, device: &DeviceId, last_resort: bool, sealed: &[u8]) -> StoreResult<()>;
    /// Takes one out of the stock (any), or copies the last resort if none is left: (sealed, is last resort).
    fn take_key_package(&mut self, device: &DeviceId) -> StoreResult<Option<(Vec<u8>, bool)>>;
    /// All that a device has: (name, sealed, is last resort).
    fn stocked(&mut self, device: &DeviceId) -> StoreResult<Vec<(i64, Vec<u8>, bool)>>;
    /// Throws these away; those that are gone already do no harm.
    fn drop_key_packages(&mut self, device: &DeviceId, names: &[i64]) -> StoreResult<()>;
    /// Throws the stock and the last resort away.
    fn clear_key_packages(&mut self, device: &DeviceId) -> StoreResult<()>;

    // Blocks, tokens, invites, shared payloads.

    /// Whether a block tag is there.
    fn blocked(&mut self, tag: &[u8; 32]) -> StoreResult<bool>;
    /// Adds or removes a block tag.
    fn set_block(&mut self, tag: &[u8; 32], blocked: bool) -> StoreResult<()>;
    /// Leaves a token's hash with a sealed owner.
    fn put_token(&mut self, hash: &[u8; 32], day: u32, sealed: &[u8]) -> StoreResult<()>;
    /// Reads a token's sealed owner.
    fn token(&mut self, hash: &[u8; 32]) -> StoreResult<Option<Vec<u8>>>;
    /// Uses a token up.
    fn delete_token(&mut self, hash: &[u8; 32]) -> StoreResult<()>;
    /// An invite, by the hash of its code.
    fn invite(&mut self, hash: &[u8; 32]) -> StoreResult<Option<Invite>>;
    /// Adds or replaces an invite; one without uses left is removed.
    fn put_invite(&mut self, hash: &[u8; 32], invite: &Invite) -> StoreResult<()>;
    /// Stores a sealed shared payload under a random name.
    fn put_payload(&mut self, name: &BlobName, hour: u32, sealed: &[u8]) -> StoreResult<()>;
    /// Reads it.
    fn payload(&mut self, name: &BlobName) -> StoreResult<Option<Vec<u8>>>;

    // The key directory. Its tree is kept as records that mean something only to its publisher.

    /// Records of the tree, in the order of `keys`.
    fn directory_records(&mut self, keys: &[Vec<u8>]) -> StoreResult<Vec<Option<Vec<u8>>>>;
    /// All records whose keys begin with `prefix`, ascending.
    fn directory_range(&mut self, prefix: &[u8]) -> StoreResult<Vec<(Vec<u8>, Vec<u8>)>>;
    /// Adds or replaces records.
    fn put_directory_records(&mut self, records: &[(Vec<u8>, Vec<u8>)]) -> StoreResult<()>;
    /// The newest signed root.
    fn newest_root(&mut self) -> StoreResult<Option<RootRow>>;
    /// The signed root of an epoch.
    fn root(&mut self, epoch: u64) -> StoreResult<Option<RootRow>>;
    /// Adds a root, with the proof that it only adds to the one before. An epoch has one root for ever.
    fn put_root(&mut self, root: &RootRow, proof: &[u8]) -> StoreResult<()>;
    /// The proof that came with a root.
    fn root_proof(&mut self, epoch: u64) -> StoreResult<Option<Vec<u8>>>;
    /// What the directory owes an account.
    fn owed(&mut self, account: &AccountId) -> StoreResult<Option<Owed>>;
    /// Notes it, or replaces what was noted.
    fn put_owed(&mut self, account: &AccountId, owed: &Owed) -> StoreResult<()>;
    /// The last epoch that anything is promised for, and how many promises name it; zeroes if nothing is owed.
    fn owed_last(&mut self) -> StoreResult<(u64, u64)>;
    /// What is owed, by `due_epoch`, at most `limit`.
    fn all_owed(&mut self, limit: usize) -> StoreResult<Vec<(AccountId, Owed)>>;
    /// Strikes out what was `paid`. If more was promised meanwhile, that stays, and is due when it says.
    fn settle_owed(&mut self, account: &AccountId, paid: &Owed) -> StoreResult<()>;

    // Retention.

    /// Deletes up to `limit` rows of each kind that are past `cut`; returns how many went.
    fn sweep(&mut self, cut: &Cut, limit: usize) -> StoreResult<u64>;
    /// Counts of accounts, devices, waiting entries, conversations and the directory, for metrics.
    fn counts(&mut self) -> StoreResult<Counts>;
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
    /// Tokens from before this day.
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
    /// Accounts under a legal hold: their devices' entries and hour keys stay, and their chains.
    pub held: Vec<AccountId>,
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
