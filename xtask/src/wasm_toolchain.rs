//! A Rust compiler with the wasm32 target: rustup's, or (`ZEGEL_WASM=debian`) the one that Debian packages.

use std::env;
use std::path::PathBuf;
use std::process::Command;

use crate::failure::{Failure, Outcome};
use crate::layout::Layout;
use crate::{debian_compiler, shell};

/// What browsers run.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// Which compiler to build with.
pub enum WasmToolchain {
    /// The one that cargo takes by itself.
    Usual,
    /// The `bin` folder of another one.
    At(PathBuf),
}

impl WasmToolchain {
    /// Makes a build use this compiler.
    pub fn put_into(&self, build: &mut Command) {
        if let Self::At(bin) = self {
            build.env("RUSTC", bin.join("rustc")).env("RUSTDOC", bin.join("rustdoc"));
        }
    }
}

/// Sets up what is missing; quick if nothing is.
pub fn set_up(layout: &Layout, again: bool) -> Outcome<WasmToolchain> {
    match env::var("ZEGEL_WASM").as_deref() {
        Ok("debian") => debian_compiler::set_up(layout, again).map(WasmToolchain::At),
        Ok("rustup") | Err(_) => rustup_target(layout).map(|()| WasmToolchain::Usual),
        Ok(other) => {
            Err(Failure::new(format!("ZEGEL_WASM is `{other}`; it may be `rustup` (usual) or `debian`")))
        }
    }
}

fn rustup_target(layout: &Layout) -> Outcome {
    let mut ask = shell::command("rustc", &layout.root);
    let libraries = shell::read(ask.args(["--print", "target-libdir", "--target", TARGET]))?;
    if PathBuf::from(libraries.trim()).is_dir() {
        return Ok(());
    }
    shell::run(shell::command("rustup", &layout.root).args(["target", "add", TARGET])).map_err(|failure| {
        Failure::new(format!(
            "{failure}\nOn Debian, `ZEGEL_WASM=debian cargo xtask wasm` gets a compiler without rustup."
        ))
    })
}
