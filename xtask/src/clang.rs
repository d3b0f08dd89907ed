//! The C compiler for wasm32: SQLite and other C code is compiled by it.

use std::env;
use std::process::Command;
use std::sync::OnceLock;

use crate::failure::{Failure, Outcome};
use crate::shell;

const COMPILER: &str = "CC_wasm32_unknown_unknown";
const ARCHIVER: &str = "AR_wasm32_unknown_unknown";
const NEWEST: u32 = 22;
const OLDEST: u32 = 14;

/// A clang that compiles for wasm32, and its archiver.
#[derive(Clone)]
struct Clang {
    compiler: String,
    archiver: String,
}

/// Whether one is there.
pub fn is_there() -> bool {
    find().is_some()
}

/// Sets the variables that crates with C code look at; what the caller has set already stays.
pub fn put_into(build: &mut Command) -> Outcome {
    let clang = find().ok_or_else(|| {
        Failure::new(format!(
            "no clang (from {OLDEST} on) that compiles for wasm32 was found: install clang and llvm"
        ))
    })?;
    build.env(COMPILER, clang.compiler).env(ARCHIVER, clang.archiver);
    Ok(())
}

fn find() -> Option<Clang> {
    static FOUND: OnceLock<Clang> = OnceLock::new();
    if let Some(clang) = FOUND.get() {
        return Some(clang.clone());
    }
    let versions = (OLDEST..=NEWEST).rev().map(|v| format!("-{v}")).chain([String::new()]);
    let known = versions.map(|v| Clang { compiler: format!("clang{v}"), archiver: format!("llvm-ar{v}") });
    let set = env::var(COMPILER).ok().map(|compiler| Clang {
        compiler,
        archiver: env::var(ARCHIVER).unwrap_or_else(|_| "llvm-ar".into()),
    });
    let clang = set.into_iter().chain(known).find(works)?;
    Some(FOUND.get_or_init(|| clang).clone())
}

fn works(clang: &Clang) -> bool {
    let mut compile = Command::new(&clang.compiler);
    // An empty program: what counts is whether this clang was built with the target.
    compile.args(["--target=wasm32-unknown-unknown", "-x", "c", "-c", "-o", "/dev/null", "/dev/null"]);
    shell::succeeds(&mut compile) && shell::succeeds(Command::new(&clang.archiver).arg("--version"))
}
