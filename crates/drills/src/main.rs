//! `zegel-drills`: attacks tried against the real client and the real server, each with the defence that must catch
//! it.
//!
//! Adding one: a `Drill` in the file of its theme, and its place in that file's list.
//!
//! Exit status: 0 all caught, 1 an attack succeeded, 2 one could not be carried out or the command line was wrong.

mod children;
mod directory;
mod drill;
mod kit;
mod list;
mod mail;
mod membership;
mod messages;
mod names;
mod not_caught;
mod reports;
mod run;
mod service;
mod show;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "zegel-drills", about = "Attacks Zegel, and shows that it notices")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Carries out attacks: all of them, or the named ones
    Run {
        /// How many at the same time
        #[arg(long, default_value_t = 4)]
        jobs: usize,
        /// Names, as `list` prints them
        names: Vec<String>,
    },
    /// Prints the names
    List,
    /// Prints docs/drills.md
    Markdown,
}

fn main() -> ExitCode {
    match Arguments::parse().command {
        Command::Run { jobs, names } => run::run(&names, jobs),
        Command::List => {
            for drill in list::all() {
                println!("{}", drill.name);
            }
            ExitCode::SUCCESS
        }
        Command::Markdown => {
            print!("{}", show::markdown());
            ExitCode::SUCCESS
        }
    }
}
