//! The driver for tokio, files and WebSockets, and the SDK's face: [`Client`].

mod client;
mod directory;
mod groups;
mod guardians;
mod link;
mod ops;
mod profile;
mod reports;
mod requests;
#[cfg(feature = "hostile")]
mod rogue;
mod safety;
mod session;
mod watch;

pub use client::{Client, Registration};
pub use directory::{Alarm, Device, DirectoryEntry, DirectoryRoot, HistoryEntry, SafetyNumber};
pub use groups::Group;
pub use guardians::{Approval, GuardianLink, GuardianState, Outcome};
pub use ops::{Me, default_home};
pub use requests::Request;
