//! What takes more than one step: steps of the core with calls to the server in between.
//!
//! Generic over [`Link`], so that every driver shares it. A flow holds the core only inside a step, never while
//! it waits.

mod checks;
mod directory;
mod gossip;
mod guardians;
mod mailbox;
mod outbox;
mod people;
mod policy;
mod reports;

use std::sync::{Mutex, MutexGuard};

use zegel_proto::v1::{client_frame::Body as Call, server_frame::Body as Answer};

use crate::{Error, Result, core::Core};

pub(crate) use checks::{check_due, check_own, tolerate_alarm};
pub(crate) use directory::history;
pub(crate) use guardians::run_errands;
pub(crate) use mailbox::{receive, settle_held};
pub(crate) use outbox::{LONG_WAIT_MS, Outcome, send_calls, submit, take_outcome};
pub(crate) use people::{
    check_stock, fetch_fresh, fetch_packages, know, know_account, know_handle, restock, unreadable,
};
pub(crate) use policy::check_policy;
pub(crate) use reports::{appeal, check_statements, fetch_reports, fetch_statements, report};

/// A connection: one call, one answer.
pub(crate) trait Link {
    /// Makes a call; a refusal of the server is an [`Error::Refused`].
    fn call(&self, doing: &'static str, body: Call) -> impl Future<Output = Result<Answer>> + Send;
}

/// The core, shared between flows. A step is short; the lock is never held across an await.
pub(crate) struct Shared(Mutex<Core>);

impl Shared {
    pub(crate) fn new(core: Core) -> Self {
        Self(Mutex::new(core))
    }

    /// The core, for one step.
    pub(crate) fn core(&self) -> MutexGuard<'_, Core> {
        // A panic inside a step would leave its transaction open; going on with that would lose messages.
        self.0.lock().expect("no step panics")
    }
}

/// An answer of another kind than the call has.
pub(crate) fn unexpected<T>(doing: &'static str) -> Result<T> {
    Err(Error::protocol(doing, "an answer of another kind"))
}
