//! Format, lints and dependencies.

use crate::failure::Outcome;
use crate::layout::Layout;
use crate::{shell, tools};

/// Checks all three; changes nothing.
pub fn tidy(layout: &Layout) -> Outcome {
    shell::run(layout.cargo().args(["fmt", "--all", "--check"]))?;
    shell::run(layout.cargo().args(["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"]))?;
    shell::run(layout.cargo().args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))?;
    // `advisories` is left out: it needs a database from the network, and would turn red without a change of ours.
    let deny = tools::DENY.get(layout)?;
    shell::run(shell::command(deny, &layout.root).args(["check", "licenses", "bans", "sources"]))
}
