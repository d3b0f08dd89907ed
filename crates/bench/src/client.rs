//! Being written.

use crate::common::Result;

/// Options.
#[derive(clap::Args)]
pub struct Args {}

/// Runs it.
pub fn run(_args: Args) -> Result {
    Ok(())
}
