//! The SDK: all conversation secrets live here.
//!
//! `core` is a set of steps without I/O, each one transaction over messages, outbox and MLS state; `flow` strings
//! steps and calls to the server together; `native` is the thin driver for tokio, and [`Client`] its face.
//!
//! *Invariant:* MLS state and history change together or not at all; a message is shown only after its stamp,
//! tag, sender, room and epoch were checked; nothing is sent to a device that its owner's sigchain does not
//! list, or whose sigchain the key directory neither proves nor promises.

#![cfg_attr(
    not(feature = "native"),
    allow(dead_code, unused_imports, reason = "the steps and flows wait for the browser's driver")
)]

pub mod db;
mod error;
mod view;

mod core;
mod flow;
#[cfg(feature = "native")]
mod native;

pub use crate::core::AskKind;
#[cfg(feature = "measure")]
#[doc(hidden)]
pub use crate::core::measure;
#[cfg(feature = "hostile")]
#[doc(hidden)]
pub use crate::core::{Change, Member};
pub use db::{ChildContacts, Role};
pub use error::{Error, Result};
pub use view::{Disclosure, Draft, Line, Named, Reported, Statement};
pub use zegel_cases::Category;
pub use zegel_content::is_active;
pub use zegel_proto::{Code, v1::AgeBand};
pub use zegel_safety as safety;
pub use zegel_safety::{Policy, QuietHours};

#[cfg(feature = "native")]
pub use native::{
    Alarm, Approval, Client, Device, DirectoryEntry, DirectoryRoot, Group, GuardianLink, GuardianState,
    HistoryEntry, Me, Outcome, Registration, Request, SafetyNumber, default_home,
};
