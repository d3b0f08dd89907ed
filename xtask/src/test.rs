//! Everything that CI runs.

use crate::failure::Outcome;
use crate::layout::Layout;
use crate::{drills, fuzz, packages, shell, tidy, tools, wasm};

const FUZZ_SECONDS: u32 = 10;
/// One fault in each kind of defence: the directory's proofs, its promises, what people compare, groups, franking, who comes to a minor. All
/// of them take a while: `cargo xtask drills --mutate`.
const MUTATIONS: [&str; 6] =
    ["ghost-entry-2", "broken-promise-2", "split-view", "external-commit", "forged-stamp", "false-age"];

/// The quick and strict checks first; nextest last, so that its summary closes the output.
pub fn test(layout: &Layout) -> Outcome {
    packages::ensure(packages::Purpose::Test)?;
    let nextest = tools::NEXTEST.get(layout)?;
    tidy::tidy(layout)?;
    shell::run(layout.cargo().args(["test", "--doc", "--workspace"]))?;
    wasm::wasm(layout)?;
    fuzz::fuzz_if_possible(layout, FUZZ_SECONDS)?;
    drills::check(layout)?;
    drills::mutate(layout, &MUTATIONS.map(ToOwned::to_owned), None)?;
    shell::run(shell::command(nextest, &layout.root).args(["nextest", "run", "--workspace"]))
}
