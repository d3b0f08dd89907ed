//! Follows a service's key directory from outside, from epoch to epoch, and says so when it lies.
//!
//! An [`Auditor`] needs nobody's permission: it asks for what anyone may ask for, holds every root against the one
//! before, checks that each epoch only added to the tree, and remembers. With a key of its own it is a *witness*:
//! what it signs ([`Statement`]) lets auditors find out whether all of them were shown one directory.
//!
//! *Invariant:* the service is the accused. Nothing that it sends may stop the auditor in another way than by being
//! called what it is, and what only a disturbed network or a damaged disk of our own explains is never called a lie.

mod auditor;
mod check;
mod desk;
mod evidence;
mod failure;
mod peers;
mod proofs;
mod seen;
mod source;
mod state;
mod statement;
mod steps;

pub mod daemon;

pub use auditor::{Auditor, Options, Progress};
pub use desk::{CaseFound, LogFound, check_case, check_log};
pub use failure::{Charge, Exhibit, Failure, Finding};
pub use proofs::{Folder, check_folder};
pub use statement::{Key, Said, Statement, WitnessKey};

/// What the clock says, milliseconds since 1970.
fn now_ms() -> u64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0, |since| u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
