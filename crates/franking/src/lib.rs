//! The stamp: how the service that carried a sealed message can later check what was said, by whom, where
//! and when, once a receiver discloses it. The sender commits ([`franking_tag`]), the server stamps
//! ([`stamp`]), the receiver checks ([`check_received`], [`Chain`]), and the server verifies a report
//! ([`check_report`]).
//!
//! *Invariant:* no I/O, no clock and no randomness; nothing here can open a message; every comparison of a
//! tag or stamp is in constant time; a broken chain is shown and never hides a message; a report proves nothing
//! that no device committed to.

mod chain;
mod context;
mod hash;
mod keys;
mod receive;
pub mod report;
mod stamp;
mod tag;

pub use chain::{Chain, Link};
pub use context::{CONTEXT_LEN, CONTEXT_VERSION, Context, ContextError};
pub use keys::{KeyPart, KeysError, REPORTING_WINDOW_MS, StampKeys};
pub use receive::{Expected, Mismatch, check_commit, check_received};
pub use report::{Claimed, Fault, Opened, Verdict, check_report};
pub use stamp::{StampKey, stamp, verify_stamp};
pub use tag::{ZERO_TAG, franking_tag, verify_tag};
