//! What every subcommand uses.

mod process;
mod progress;
mod report;
mod server;

pub use process::{Memory, cpu_seconds, memory};
pub use progress::Progress;
pub use report::{Report, median, percentile};
pub use server::{ROOMY, Server};

/// A failure, said as a sentence.
pub type Error = Box<dyn std::error::Error + Send + Sync>;

/// The result of a subcommand, and of its parts.
pub type Result<T = ()> = std::result::Result<T, Error>;
