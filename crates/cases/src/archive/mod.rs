//! The evidence of a case as one file: a ZIP that names and hashes all it holds, signed with the directory's key. It
//! proves what this service stated, to whoever knows that key; stamps are MACs, and convince nobody but the service.

mod build;
mod check;
mod error;
mod link;
mod log;
mod manifest;

pub use build::build;
pub use check::{Checked, check};
pub use error::{ArchiveError, Stated, Wrong};
pub use log::{Apart, CheckedLog, ExportError, check_log, export_log};

/// The most bytes of all files together, unpacked.
pub const MAX_BYTES: u64 = 256 << 20;
/// The most files.
pub const MAX_FILES: usize = 50_000;
