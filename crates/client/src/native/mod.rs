//! The driver for tokio, files and WebSockets, and the SDK's face: [`Client`].

mod client;
mod directory;
mod groups;
mod link;
mod ops;
mod profile;
mod reports;
#[cfg(feature = "hostile")]
mod rogue;
mod session;
mod watch;

pub use client::{Client, Registration};
pub use directory::{Alarm, Device, DirectoryEntry, DirectoryRoot, HistoryEntry, SafetyNumber};
pub use groups::Group;
pub use ops::{Me, Request, default_home};
