//! The rows as the service sees them.

use bytes::Bytes;
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
    /// Whether it may connect.
    pub state: AccountState,
    /// BCP 47, for texts from the service.
    pub language: String,
    /// Day of registration.
    pub created_day: u32,
    /// Day of the last connection.
    pub last_seen_day: u32,
}

/// Whether an account may connect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// It may.
    Active,
    /// An operator suspended it.
    Suspended,
    /// It may connect but not introduce itself to strangers.
    Restricted,
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
    /// Last day it is valid.
    pub expires_day: u32,
}
