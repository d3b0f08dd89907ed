//! Tools that cargo installs: found on the PATH, or else built once.

use std::path::PathBuf;
use std::process::Command;

use crate::failure::Outcome;
use crate::layout::Layout;
use crate::shell;

/// A tool that is run as `cargo NAME`.
pub struct Tool {
    /// The crate, which is also the program: cargo-NAME.
    krate: &'static str,
    /// Exactly this one, so that a new one does not change what the checks mean.
    version: &'static str,
}

/// Runs the tests.
pub const NEXTEST: Tool = Tool { krate: "cargo-nextest", version: "0.9.143" };
/// Checks licences, bans and sources.
pub const DENY: Tool = Tool { krate: "cargo-deny", version: "0.20.2" };
/// Builds and runs the fuzz targets.
pub const FUZZ: Tool = Tool { krate: "cargo-fuzz", version: "0.13.2" };

impl Tool {
    /// The program, installed if need be.
    pub fn get(&self, layout: &Layout) -> Outcome<PathBuf> {
        let works = |program: &PathBuf| shell::succeeds(Command::new(program).arg("--version"));
        let on_path = PathBuf::from(self.krate);
        if works(&on_path) {
            return Ok(on_path);
        }
        let installed = layout.tools().join("bin").join(self.krate);
        if !works(&installed) {
            let mut install = layout.cargo();
            install.args(["install", self.krate, "--version", self.version, "--locked", "--root"]);
            shell::run(install.arg(layout.tools()))?;
        }
        Ok(installed)
    }
}
