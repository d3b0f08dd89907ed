//! Everything that CI runs.

use crate::failure::Outcome;
use crate::layout::Layout;
use crate::{drills, fuzz, packages, shell, tidy, tools, wasm};

const FUZZ_SECONDS: u32 = 10;
/// The others take a while: `cargo xtask drills --mutate`.
const MUTATIONS: usize = 5;

/// The quick and strict checks first; nextest last, so that its summary closes the output.
pub fn test(layout: &Layout) -> Outcome {
    packages::ensure()?;
    let nextest = tools::NEXTEST.get(layout)?;
    tidy::tidy(layout)?;
    shell::run(layout.cargo().args(["test", "--doc", "--workspace"]))?;
    wasm::wasm(layout)?;
    fuzz::fuzz_if_possible(layout, FUZZ_SECONDS)?;
    drills::check(layout)?;
    drills::mutate(layout, &[], Some(MUTATIONS))?;
    shell::run(shell::command(nextest, &layout.root).args(["nextest", "run", "--workspace"]))
}
