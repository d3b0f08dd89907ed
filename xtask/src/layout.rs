//! Where things are.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::failure::{Failure, Outcome};
use crate::shell;

/// The folders that the commands work in.
pub struct Layout {
    /// The root of the workspace.
    pub root: PathBuf,
    /// Where cargo builds.
    pub target: PathBuf,
}

impl Layout {
    /// Asks cargo.
    pub fn find() -> Outcome<Self> {
        // Set by `cargo run`; without it, wherever we are called.
        let here = set_folder("CARGO_MANIFEST_DIR").unwrap_or_else(|| ".".into());
        let mut ask = shell::command("cargo", &here);
        let text = shell::read(ask.args(["metadata", "--no-deps", "--format-version", "1"]))?;
        let metadata: Value = serde_json::from_str(&text)
            .map_err(|error| Failure::new(format!("reading the answer of `cargo metadata`: {error}")))?;
        let folder = |name: &str| {
            let path = metadata[name].as_str().map(PathBuf::from);
            path.ok_or_else(|| Failure::new(format!("`cargo metadata` did not say {name}")))
        };
        Ok(Self { root: folder("workspace_root")?, target: folder("target_directory")? })
    }

    /// Where cargo's own tools are installed: `ZEGEL_TOOLS` if set, else target/tools.
    pub fn tools(&self) -> PathBuf {
        set_folder("ZEGEL_TOOLS").unwrap_or_else(|| self.target.join("tools"))
    }

    /// Where an unpacked compiler is kept, outside `target` so that `cargo clean` spares it: `ZEGEL_TOOLS` if
    /// set, else ~/.cache/zegel.
    pub fn compilers(&self) -> Outcome<PathBuf> {
        let home = || set_folder("HOME").map(|home| home.join(".cache").join("zegel"));
        set_folder("ZEGEL_TOOLS").or_else(home).ok_or_else(|| {
            Failure::new(
                "neither ZEGEL_TOOLS nor HOME is set: set one of them to say where the compiler goes",
            )
        })
    }

    /// `cargo`, run in the root of the workspace.
    pub fn cargo(&self) -> Command {
        cargo_in(&self.root)
    }
}

/// `cargo`, run in `folder`, without what our own `cargo run` tells us about xtask: some build scripts (ring's) watch
/// it and would run again each time, with all that stands on them.
pub fn cargo_in(folder: &Path) -> Command {
    let mut cargo = shell::command("cargo", folder);
    let ours = |name: &str| name.starts_with("CARGO_PKG_") || name.starts_with("CARGO_MANIFEST_");
    for (name, _) in env::vars_os().filter(|(name, _)| name.to_str().is_some_and(ours)) {
        cargo.env_remove(name);
    }
    cargo
}

fn set_folder(variable: &str) -> Option<PathBuf> {
    env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}
