//! A copy of the source in which faults are planted; what it is copied from is never touched.
//!
//! The copy shares the folder of intermediate files with the workspace, so that no dependency is built twice. Its own
//! crates have another version there, or cargo would take them for the workspace's.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::drills::BUILD;
use crate::failure::{Failure, Outcome, While};
use crate::layout::{Layout, cargo_in};
use crate::shell;

/// Added to the version of the workspace in the copy.
const MARK: &str = "-mutant";

/// Why a patch shows nothing.
pub enum Unfit {
    /// The source has changed since it was made.
    Apply,
    /// With it the copy does not compile.
    Compile,
}

/// The copy, without a fault.
pub struct Mutant {
    source: PathBuf,
    programs: PathBuf,
    intermediate: PathBuf,
}

impl Mutant {
    /// Copies what git knows of or would add, as it lies there.
    pub fn prepare(layout: &Layout) -> Outcome<Self> {
        let folder = layout.target.join("mutants");
        let it = Self {
            source: folder.join("src"),
            programs: folder.join("out"),
            intermediate: layout.target.clone(),
        };
        it.copy(layout)?;
        Ok(it)
    }

    /// Plants a patch, builds, gives the folder of the programs to `try_it`, and takes the patch out again.
    pub fn with<T>(
        &self,
        patch: &Path,
        try_it: impl FnOnce(&Path) -> Outcome<T>,
    ) -> Outcome<Result<T, Unfit>> {
        if shell::status(self.git_apply().arg(patch))? != 0 {
            return Ok(Err(Unfit::Apply));
        }
        let tried = match shell::status(self.cargo().args(BUILD)) {
            Ok(0) => try_it(&self.programs).map(Ok),
            Ok(_) => Ok(Err(Unfit::Compile)),
            Err(failure) => Err(failure),
        };
        shell::run(self.git_apply().arg("--reverse").arg(patch))?;
        tried
    }

    /// Files that are the same already keep their times, so that cargo builds only what changed.
    fn copy(&self, layout: &Layout) -> Outcome {
        let mut ask = shell::command("git", &layout.root);
        ask.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard", "--deduplicate"]);
        let listed = shell::read(&mut ask)?;
        let mut wanted = BTreeSet::new();
        for name in listed.split('\0').filter(|name| !name.is_empty()) {
            let (from, to) = (layout.root.join(name), self.source.join(name));
            if !from.is_file() {
                continue;
            }
            let mut bytes = fs::read(&from).while_doing("reading", &from)?;
            if name == "Cargo.toml" {
                bytes = marked(&bytes)?;
            }
            if fs::read(&to).ok().as_ref() != Some(&bytes) {
                let folder = to.parent().unwrap_or(&self.source);
                fs::create_dir_all(folder).while_doing("making", folder)?;
                fs::write(&to, bytes).while_doing("writing", &to)?;
            }
            wanted.insert(to);
        }
        remove_others(&self.source, &wanted)
    }

    fn cargo(&self) -> Command {
        let mut cargo = cargo_in(&self.source);
        cargo.env("CARGO_TARGET_DIR", &self.programs).env("CARGO_BUILD_BUILD_DIR", &self.intermediate);
        cargo
    }

    /// Applies to the copy, which lies inside of a repository and is no part of it.
    fn git_apply(&self) -> Command {
        let mut git = shell::command("git", &self.source);
        if let Some(above) = self.source.parent() {
            git.env("GIT_CEILING_DIRECTORIES", above);
        }
        git.arg("apply");
        git
    }
}

/// The workspace's manifest with another version.
fn marked(manifest: &[u8]) -> Outcome<Vec<u8>> {
    let text = String::from_utf8_lossy(manifest);
    let line = text.lines().find(|line| line.starts_with("version = \""));
    let line = line.ok_or_else(|| Failure::new("the workspace's Cargo.toml names no version"))?;
    let new = format!("{}{MARK}\"", line.trim_end().trim_end_matches('"'));
    Ok(text.replacen(line, &new, 1).into_bytes())
}

/// What git knows of no longer; Cargo.lock is cargo's own there.
fn remove_others(folder: &Path, wanted: &BTreeSet<PathBuf>) -> Outcome {
    for entry in fs::read_dir(folder).while_doing("reading", folder)? {
        let path = entry.while_doing("reading", folder)?.path();
        if path.is_dir() {
            remove_others(&path, wanted)?;
        } else if !wanted.contains(&path) {
            fs::remove_file(&path).while_doing("removing", &path)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_copy_has_a_version_of_its_own() {
        let manifest = b"[workspace.package]\nversion = \"0.1.0\"\n[dependencies]\nx = \"1\"\n";
        let new = marked(manifest).expect("a version");
        let wanted = "[workspace.package]\nversion = \"0.1.0-mutant\"\n[dependencies]\nx = \"1\"\n";
        assert_eq!(String::from_utf8_lossy(&new), wanted);
        assert!(marked(b"[workspace]\n").is_err());
    }
}
