//! The developers' commands: `cargo xtask COMMAND`.
//!
//! *Invariant:* nothing here is part of the product; every command prints what it runs before it runs it, and
//! what one command needs it finds or installs by itself, or names the exact command that would.

mod audit_week;
mod clang;
mod debian_compiler;
mod demo_server;
mod drills;
mod failure;
mod fuzz;
mod interrupt;
mod layout;
mod mutant;
mod packages;
mod shell;
mod test;
mod tidy;
mod tools;
mod up;
mod wasm;
mod wasm_toolchain;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::failure::Outcome;
use crate::layout::Layout;

#[derive(Parser)]
#[command(bin_name = "cargo xtask", about = "The developers' commands of Zegel")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Starts a server with demo people and says how to chat; runs until Ctrl-C
    Up,
    /// Runs everything that CI runs
    Test,
    /// Compiles the crates that a client needs for wasm32-unknown-unknown
    Wasm,
    /// Makes ready what `wasm` needs, and nothing else
    WasmSetup {
        /// Sets up anew, even if it was done before
        #[arg(long)]
        again: bool,
    },
    /// Fuzzes the parsers of foreign bytes
    Fuzz {
        /// How long each target runs
        #[arg(long, default_value_t = 60)]
        seconds: u32,
        /// One target of fuzz/Cargo.toml; all of them if left out
        target: Option<String>,
    },
    /// Follows a week's epochs of a key directory with zegel-audit, and says how long that takes
    AuditWeek,
    /// Attacks the real client and server, and writes docs/drills.md
    Drills {
        /// Plants faults in a copy of the source instead: each must turn its drill red
        #[arg(long, value_name = "NAME", num_args = 0..)]
        mutate: Option<Vec<String>>,
        /// Only the first so many mutations
        #[arg(long, value_name = "N", requires = "mutate")]
        first: Option<usize>,
    },
    /// Checks format, lints and dependencies
    Tidy,
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("xtask: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Outcome {
    let layout = Layout::find()?;
    match command {
        Command::Up => up::up(&layout),
        Command::Test => test::test(&layout),
        Command::Wasm => wasm::wasm(&layout),
        Command::WasmSetup { again } => wasm_toolchain::set_up(&layout, again).map(drop),
        Command::Fuzz { seconds, target } => fuzz::fuzz(&layout, seconds, target.as_deref()),
        Command::AuditWeek => audit_week::audit_week(&layout),
        Command::Drills { mutate: None, .. } => drills::drills(&layout),
        Command::Drills { mutate: Some(names), first } => drills::mutate(&layout, &names, first),
        Command::Tidy => tidy::tidy(&layout),
    }
}
