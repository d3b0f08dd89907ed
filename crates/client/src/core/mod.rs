//! The client without I/O: every step is a function from what happened to a change of the profile.
//!
//! *Invariant:* a step runs in one transaction over messages, outbox and MLS state; when it fails, the
//! profile and the groups in memory are as before it. Nothing here waits, reads a clock or touches a socket.

mod account;
mod again;
mod age;
mod answer;
mod commit;
mod confirm;
pub(crate) mod directory;
mod facts;
mod found;
mod groups;
mod guardian;
#[cfg(test)]
mod hostile;
mod join;
mod leaf;
mod mailbox;
mod make;
mod me;
#[cfg(feature = "measure")]
pub mod measure;
mod membership;
mod notices;
mod outbox;
mod policy;
mod receive;
mod rejoin;
mod reports;
#[cfg(feature = "hostile")]
mod rogue;
mod say;
mod statements;
mod suite;
mod tokens;
mod turns;

use std::collections::HashMap;

use openmls_rust_crypto::RustCrypto;
use zegel_proto::AccountId;
use zegel_safety::Policy;
use zeroize::Zeroizing;

use crate::{
    Error, Result,
    db::{
        Db,
        mls::{Provider, Unsettled},
    },
};

pub(crate) use account::NewAccount;
pub(crate) use groups::Groups;
pub use guardian::AskKind;
pub(crate) use guardian::warning as guardian_warning;
pub(crate) use mailbox::{Opened, unseal};
pub(crate) use me::{Me, seal_to};
pub(crate) use outbox::Ready;
pub(crate) use policy::keep_language;
pub(crate) use reports::{SHORTEST_ID, Subject, short_id};
#[cfg(feature = "hostile")]
pub use rogue::{Change, Member};
pub(crate) use say::Said;

/// What a step needs before it can go on. The driver fetches it and tries again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// Sigchains of these accounts, newer than those we hold.
    Chains(Vec<AccountId>),
    /// The sealed ratchet tree that a Welcome leaves out.
    Tree { name: zegel_proto::BlobName },
}

/// One person's device: profile, identity and groups.
pub(crate) struct Core {
    pub(crate) db: Db,
    pub(crate) me: Me,
    pub(crate) crypto: RustCrypto,
    pub(crate) groups: Groups,
    /// Groups whose secrets are written at the end of the step.
    unsettled: Unsettled,
    /// Opened hour keys by id, of this connection and the ones before.
    hour_keys: HashMap<u64, Zeroizing<[u8; 32]>>,
    /// Server time minus device time, milliseconds.
    pub(crate) clock_offset: i64,
    /// Accounts whose sigchain was asked for, for the step that is being tried again, and whether it could be read.
    pub(crate) tried: HashMap<AccountId, bool>,
    /// What was read of the directory's view.
    seen: directory::Seen,
    /// How many one-time key packages the server has of us, as far as we know.
    pub(crate) stock: u32,
    /// The service's safety rules.
    policy: Policy,
    /// When the directory's keys were last asked for because of a statement, by the device's clock.
    statements_asked_ms: u64,
    /// The device's clock, milliseconds since 1970.
    clock: fn() -> u64,
}

impl Core {
    pub(crate) fn new(db: Db, me: Me, clock: fn() -> u64) -> Self {
        Self {
            policy: policy::kept_policy(&db),
            db,
            me,
            crypto: RustCrypto::default(),
            groups: Groups::default(),
            unsettled: Unsettled::default(),
            hour_keys: HashMap::new(),
            clock_offset: 0,
            tried: HashMap::new(),
            seen: directory::Seen::default(),
            stock: zegel_proto::KEY_PACKAGE_STOCK,
            statements_asked_ms: 0,
            clock,
        }
    }

    /// The device's clock, milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        (self.clock)()
    }

    /// The server's clock as far as we know it, milliseconds since 1970.
    pub(crate) fn server_ms(&self) -> u64 {
        self.now_ms().saturating_add_signed(self.clock_offset)
    }

    /// Runs a step in one transaction. On an error everything is as before.
    pub(crate) fn step<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        self.db.begin()?;
        let result = step(self).and_then(|value| {
            self.tell_contacts()?;
            self.settle()?;
            self.db.commit()?;
            Ok(value)
        });
        if result.is_err() {
            self.roll_back();
        }
        result
    }

    fn roll_back(&mut self) {
        self.db.rollback();
        // Groups in memory may have moved on; they are read again when they are needed.
        self.groups.forget_all();
        self.seen.forget();
        self.unsettled.clear();
    }

    /// Writes what MLS left for the end of the step: secrets of a group that took many messages are written once.
    fn settle(&mut self) -> Result<()> {
        let doing = "writing a conversation's keys";
        for id in self.unsettled.groups().map_err(|e| Error::mls(doing)(&e))? {
            let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
            if let Some(group) = self.groups.loaded(&id) {
                provider.settle(&mut group.mls).map_err(|e| Error::mls(doing)(&e))?;
            }
        }
        self.unsettled.check().map_err(|e| Error::mls(doing)(&e))
    }
}
