//! Compiles for the browser.

use crate::failure::Outcome;
use crate::layout::Layout;
use crate::wasm_toolchain::{self, TARGET};
use crate::{clang, shell};

/// The crates that a client needs, and how each is built.
const CRATES: &[(&str, &[&str])] = &[
    ("zegel-content", &[]),
    ("zegel-franking", &[]),
    ("zegel-proto", &[]),
    ("zegel-identity", &[]),
    ("zegel-directory", &[]),
    ("zegel-cases", &[]),
    ("zegel-safety", &[]),
    ("zegel-client", &["--no-default-features"]),
];

/// The workspace optimises dependencies even in a development build, macros and build scripts included. Here only
/// whether it compiles is asked.
const UNOPTIMISED: [&str; 2] = ["--config", "profile.dev.package.\"*\".opt-level=0"];

/// Each crate by itself, so that none leans on a feature that another one happens to turn on.
pub fn wasm(layout: &Layout) -> Outcome {
    let toolchain = wasm_toolchain::set_up(layout, false)?;
    for (name, options) in CRATES {
        let mut build = layout.cargo();
        build.args(["build", "--target", TARGET, "--package", name]).args(*options).args(UNOPTIMISED);
        // A folder of its own: another compiler, so that host builds are not thrown away.
        build.arg("--target-dir").arg(layout.target.join("wasm"));
        toolchain.put_into(&mut build);
        clang::put_into(&mut build)?;
        shell::run(&mut build)?;
    }
    Ok(())
}
