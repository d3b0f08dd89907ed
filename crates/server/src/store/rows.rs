//! The rows as the service sees them.

use bytes::Bytes;
use zegel_cases::State;
use zegel_proto::{AccountId, v1::AgeBand};

/// An account record (DESIGN.md section 4).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// Stable random name.
    pub id: AccountId,
    /// The branded app it belongs to.
    pub app: String,
    /// Public name.
    pub handle: String,
    /// Declared, or set by an invite.
    pub age_band: AgeBand,
    /// `person` for now; the desk brings other roles.
    pub role: String,
    /// What the desk decided; ask [`Account::state_on`], which knows of its end and of the operator.
    pub state: AccountState,
    /// The last day of that state; 0 if it has no end.
    pub until_day: u32,
    /// Whether the operator suspended it, until they lift that: no decision of the desk does.
    pub held: bool,
    /// BCP 47, for texts from the service.
    pub language: String,
    /// Day of registration.
    pub created_day: u32,
    /// Day of the last connection.
    pub last_seen_day: u32,
    /// Whose it is, as far as blocks go: the account itself, or whoever an invite was made for; sealed.
    pub person: Vec<u8>,
    /// SHA-256 of what the guardian's device knows, if there is a guardian.
    pub guardian: Option<[u8; 32]>,
}

impl Account {
    /// What holds on this day, of what the desk decided and the operator did: the most severe.
    pub fn state_on(&self, today: u32) -> AccountState {
        match self.decided_on(today) {
            AccountState::Banned => AccountState::Banned,
            _ if self.held => AccountState::Suspended,
            decided => decided,
        }
    }

    /// What the desk's decisions are on this day: one whose end has passed counts for nothing.
    pub fn decided_on(&self, today: u32) -> AccountState {
        if self.until_day > 0 && self.until_day < today { AccountState::Active } else { self.state }
    }
}

/// Whether an account may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// It may.
    Active,
    /// An operator or the desk suspended it.
    Suspended,
    /// It may connect but not introduce itself to strangers.
    Restricted,
    /// The desk banned it.
    Banned,
}

impl AccountState {
    /// Its name.
    pub fn word(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Restricted => "restricted",
            Self::Banned => "banned",
        }
    }

    /// Whether it may connect for mail; who may not can still appeal.
    pub fn may_connect(self) -> bool {
        matches!(self, Self::Active | Self::Restricted)
    }
}

/// A device's queue. `first_seq..next_seq` wait; both begin at the same random 48-bit number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mailbox {
    /// Whose device it is.
    pub account: AccountId,
    /// The lowest number not acknowledged.
    pub first_seq: u64,
    /// The number of the next entry.
    pub next_seq: u64,
}

/// Owns the mailbox that nobody reads (DESIGN.md section 6); there is no such account.
pub const NOBODY: AccountId = AccountId(*b"zegel has no one");

/// A contact code or connection token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenRow {
    /// Its name.
    pub hash: [u8; 32],
    /// Whose it is, sealed.
    pub sealed: Vec<u8>,
}

/// One sealed entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// The hour key that opens it.
    pub hour_key: u64,
    /// Nonce and ciphertext.
    pub sealed: Bytes,
}

/// A key of one device, hour and server start, sealed to the device's queue key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HourKeyRow {
    /// Random.
    pub id: u64,
    /// The hour it was made in.
    pub hour: u32,
    /// HPKE encapsulated key.
    pub encapsulated: Bytes,
    /// HPKE ciphertext of the 32-byte key.
    pub sealed: Bytes,
}

/// The head of a conversation (DESIGN.md section 5).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Head {
    /// In use.
    Live {
        /// Current epoch.
        epoch: u64,
        /// H(token) of that epoch.
        token_hash: [u8; 32],
        /// Sequence number of the last stamped message.
        seq: u64,
        /// Stamp hash of the last stamped message.
        stamp_hash: [u8; 32],
        /// Month (days / 30) of the last use; coarse, for the sweeper.
        month: u32,
    },
    /// Swept; the group id is never accepted again.
    Tombstone,
}

/// A signed root of the key directory: `zegel_directory::Root` in its layout, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RootRow {
    /// Its number.
    pub epoch: u64,
    /// The root.
    pub body: Vec<u8>,
    /// Of the directory's key.
    pub signature: Vec<u8>,
}

/// What the directory owes an account: to show where its chain stands, or that it ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Owed {
    /// The earliest epoch that a promise not kept yet names.
    pub due_epoch: u64,
    /// The epoch that the newest promise names.
    pub by_epoch: u64,
    /// When that promise was made, milliseconds since 1970; never twice the same for one account.
    pub made_ms: u64,
}

/// Leave to register.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// How often it may still be used.
    pub uses: u32,
    /// The age band it sets, if any.
    pub age_band: Option<AgeBand>,
    /// All accounts that it makes are one person's.
    pub for_one: bool,
    /// Last day it is valid.
    pub expires_day: u32,
}

/// A case. Only what orders the queue and the retention is to be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CaseRow {
    /// Random, below 2^63.
    pub number: u64,
    /// Keyed hash of what it is about.
    pub subject: [u8; 32],
    /// In a case about a group that was decided against somebody: the hash that a case about them would have.
    pub against: Option<[u8; 32]>,
    /// Where it stood at the last act.
    pub state: State,
    /// 0 is the most urgent.
    pub urgency: u8,
    /// Whether it waits behind its like.
    pub doubtful: bool,
    /// The hour it was opened in.
    pub opened_hour: u32,
    /// The day of the last act or report.
    pub day: u32,
    /// The case itself.
    pub sealed: Vec<u8>,
}

impl CaseRow {
    /// Its place in the queue of its state.
    pub fn place(&self) -> QueuePlace {
        let Self { number, urgency, doubtful, opened_hour, .. } = *self;
        QueuePlace { urgency, doubtful, opened_hour, number }
    }
}

/// Where a case waits: ordered as the queue is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct QueuePlace {
    /// The most urgent first,
    pub urgency: u8,
    /// then what is not doubtful,
    pub doubtful: bool,
    /// then the oldest,
    pub opened_hour: u32,
    /// then anyhow.
    pub number: u64,
}

/// A report within a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportRow {
    /// Keyed hash of the reporter and their name for it.
    pub id: [u8; 32],
    /// The case's number.
    pub case: u64,
    /// Keyed hash of the reporter's account.
    pub reporter: [u8; 32],
    /// The day it came.
    pub day: u32,
    /// What tells how much the report says, sealed: short, so that those of a whole case can be read.
    pub head: Vec<u8>,
    /// The report itself; up to some MB.
    pub sealed: Vec<u8>,
}

/// What is read of a report to choose among many.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReportHead {
    /// See [`ReportRow::id`].
    pub id: [u8; 32],
    /// See [`ReportRow::head`].
    pub head: Vec<u8>,
    /// How long [`ReportRow::sealed`] is, in bytes.
    pub len: u64,
}

/// Someone at the desk. Never deleted: a name stands in the log for ever, and is not given again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StaffRow {
    /// As it stands in the log.
    pub name: String,
    /// The word of a `zegel_cases::Role`.
    pub role: String,
    /// Random: the user handle that their passkeys carry.
    pub handle: [u8; 16],
    /// Their passkeys (public keys and counters), a JSON array.
    pub passkeys: String,
    /// Whether they left.
    pub removed: bool,
}

/// Leave to join the desk, good once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeskInvite {
    /// Under which name.
    pub name: String,
    /// The word of a `zegel_cases::Role`.
    pub role: String,
    /// Until when, milliseconds since 1970.
    pub expires_ms: u64,
}

/// Safety rules, from the day on that they came into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyRow {
    /// The day.
    pub day: u32,
    /// `zegel_safety::Policy::hash`.
    pub hash: [u8; 32],
    /// The rules, as `zegel_safety::Policy::to_toml` writes them.
    pub toml: String,
}
