//! What a backend can do within one transaction.

use zegel_cases::State;
use zegel_identity::SignedLink;
use zegel_proto::{AccountId, BlobName, DeviceId, RoomId, v1::AgeBand};

use super::{
    Account, AccountState, CaseRow, Counts, Cut, DeskInvite, Head, HourKeyRow, Invite, Mailbox, Owed,
    PolicyRow, QueuePlace, ReportHead, ReportRow, RootRow, StaffRow, StoreResult, StoredEntry, TokenRow,
};

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
    /// Changes what the desk decided about an account, up to and including `until_day`; 0 if it has no end.
    fn set_account_state(&mut self, id: &AccountId, state: AccountState, until_day: u32) -> StoreResult<()>;
    /// Changes whether the operator suspends it.
    fn set_account_held(&mut self, id: &AccountId, held: bool) -> StoreResult<()>;
    /// Gives it another age band.
    fn set_account_age(&mut self, id: &AccountId, age_band: AgeBand) -> StoreResult<()>;
    /// Notes that it has this guardian, or none.
    fn set_account_guardian(&mut self, id: &AccountId, guardian: Option<[u8; 32]>) -> StoreResult<()>;
    /// Notes whose it is.
    fn set_account_person(&mut self, id: &AccountId, person: &[u8]) -> StoreResult<()>;
    /// Whose it is; also of a removed account, until a sweep takes its chain.
    fn person(&mut self, id: &AccountId) -> StoreResult<Option<Vec<u8>>>;
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
    /// The device with a mailbox that comes next in the order of devices, or is this one; after the last the first. None if
    /// nobody has one.
    fn device_near(&mut self, device: &DeviceId) -> StoreResult<Option<DeviceId>>;
    /// Adds or replaces it.
    fn put_mailbox(&mut self, device: &DeviceId, mailbox: &Mailbox) -> StoreResult<()>;
    /// Removes the mailbox of a revoked device with its entries, hour keys, queue key and key packages.
    fn remove_mailbox(&mut self, device: &DeviceId) -> StoreResult<()>;
    /// Keeps a device's queue key, sealed: what its hour keys are sealed to.
    fn put_queue_key(&mut self, device: &DeviceId, sealed: &[u8]) -> StoreResult<()>;
    /// Reads it.
    fn queue_key(&mut self, device: &DeviceId) -> StoreResult<Option<Vec<u8>>>;
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
    /// Leaves a token's hash with a sealed owner; `last_day` is the last day that it is good.
    fn put_token(&mut self, hash: &[u8; 32], last_day: u32, sealed: &[u8]) -> StoreResult<()>;
    /// Reads a token's sealed owner.
    fn token(&mut self, hash: &[u8; 32]) -> StoreResult<Option<Vec<u8>>>;
    /// The token of this hash; if there is none the next in the order of hashes, and after the last the first. None if there
    /// is no token at all.
    fn token_near(&mut self, hash: &[u8; 32]) -> StoreResult<Option<TokenRow>>;
    /// Replaces what is sealed in a token that is there. It costs the same if that is what was there before.
    fn renew_token(&mut self, hash: &[u8; 32], sealed: &[u8]) -> StoreResult<()>;
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

    // Cases. Subjects, persons and reports go by keyed hashes; what they say is sealed.

    /// The case with this number.
    fn case(&mut self, number: u64) -> StoreResult<Option<CaseRow>>;
    /// Adds or replaces it.
    fn put_case(&mut self, case: &CaseRow) -> StoreResult<()>;
    /// Cases about the same account or group, the one last acted upon first.
    fn cases_about(&mut self, subject: &[u8; 32], limit: usize) -> StoreResult<Vec<CaseRow>>;
    /// Cases that were in this state when they were last put, in the order of their places, from behind `after`.
    fn queue(&mut self, state: State, after: Option<QueuePlace>, limit: usize) -> StoreResult<Vec<CaseRow>>;
    /// How many cases [`Self::queue`] has in all.
    fn queue_length(&mut self, state: State) -> StoreResult<u64>;
    /// A report, by the hash of its reporter's name for it.
    fn report(&mut self, id: &[u8; 32]) -> StoreResult<Option<ReportRow>>;
    /// Adds or replaces it.
    fn put_report(&mut self, report: &ReportRow) -> StoreResult<()>;
    /// The reports of a case, by day; within a day in no order. Each may be large, and there may be many, so they are
    /// read one by one.
    fn reports_in(&mut self, case: u64) -> StoreResult<Vec<ReportHead>>;
    /// The reports of one reporter, at most `limit`, by day from the newest on; within a day in no order: the name of
    /// each and its case. Each may be large, so they are read one by one.
    fn reports_by(&mut self, reporter: &[u8; 32], limit: usize) -> StoreResult<Vec<([u8; 32], u64)>>;
    /// Whether this person reported this stamp before; `tag` is made of both.
    fn reported(&mut self, tag: &[u8; 32]) -> StoreResult<bool>;
    /// Notes that they did, on this day.
    fn put_reported(&mut self, tag: &[u8; 32], day: u32) -> StoreResult<()>;
    /// Keeps a statement to a person.
    fn put_statement(&mut self, person: &[u8; 32], day: u32, sealed: &[u8]) -> StoreResult<()>;
    /// All statements to a person, by day; within a day in no order.
    fn statements_for(&mut self, person: &[u8; 32]) -> StoreResult<Vec<Vec<u8>>>;

    // The desk.

    /// Someone at the desk, now or once.
    fn staff(&mut self, name: &str) -> StoreResult<Option<StaffRow>>;
    /// The same, by the user handle of their passkeys.
    fn staff_by_handle(&mut self, handle: &[u8; 16]) -> StoreResult<Option<StaffRow>>;
    /// All that are or were, by name.
    fn all_staff(&mut self) -> StoreResult<Vec<StaffRow>>;
    /// Adds or replaces someone. A handle is one person's.
    fn put_staff(&mut self, staff: &StaffRow) -> StoreResult<()>;
    /// An invitation to the desk, by the hash of its code.
    fn desk_invite(&mut self, hash: &[u8; 32]) -> StoreResult<Option<DeskInvite>>;
    /// All of them with their hashes, by name; those whose time is over may be among them.
    fn desk_invites(&mut self) -> StoreResult<Vec<([u8; 32], DeskInvite)>>;
    /// Adds or replaces it.
    fn put_desk_invite(&mut self, hash: &[u8; 32], invite: &DeskInvite) -> StoreResult<()>;
    /// Uses it up, or takes it back.
    fn delete_desk_invite(&mut self, hash: &[u8; 32]) -> StoreResult<()>;
    /// The number of the desk log's last line and its hash; zeroes if it has none.
    fn log_head(&mut self) -> StoreResult<(u64, [u8; 32])>;
    /// Adds a line to the desk's log. A number has one line for ever.
    fn append_log(&mut self, seq: u64, line: &str, hash: &[u8; 32]) -> StoreResult<()>;
    /// Lines of the desk's log from number `from_seq` on, in order.
    fn log_lines(&mut self, from_seq: u64, limit: usize) -> StoreResult<Vec<String>>;

    // The safety rules.

    /// The rules that are and were in force, the newest first.
    fn policy_changes(&mut self) -> StoreResult<Vec<PolicyRow>>;
    /// Notes that these are in force now.
    fn put_policy_change(&mut self, row: &PolicyRow) -> StoreResult<()>;

    // Retention.

    /// Deletes up to `limit` rows of each kind that are past `cut`; returns how many went.
    fn sweep(&mut self, cut: &Cut, limit: usize) -> StoreResult<u64>;
    /// Counts of accounts, devices, waiting entries, conversations and the directory, for metrics.
    fn counts(&mut self) -> StoreResult<Counts>;
}
