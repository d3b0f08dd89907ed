//! `zegel-bench`: load, measurements and searches, each against a real `zegel-server` process, and a simulation.
//!
//! Exit status: 0 done and as promised, 1 failed or not as promised, 2 the command line was wrong.
//!
//! *Invariant:* nothing here is linked by what ships, and nothing here runs inside the server.

mod client;
mod common;
mod deliver;
mod directory;
mod fanout;
mod group;
mod idle;
mod offline;
mod population;
mod raw;
mod refusals;
mod replay;
mod report_check;
mod seized_disk;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(name = "zegel-bench", version, about = "Measures Zegel, and searches what its server keeps")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Messages between connected pairs, each on disk before it is accepted
    Deliver(deliver::Args),
    /// The key directory: publishing, proofs, memory
    Directory(directory::Args),
    /// What an idle connection costs the server
    Idle(idle::Args),
    /// One group of many devices
    Fanout(fanout::Args),
    /// A group of a thousand people
    Group(group::Args),
    /// Messages for absent devices, across a kill of the server
    Offline(offline::Args),
    /// What a message costs a device, beside bare openmls
    Client(client::Args),
    /// Holds real conversations, then searches the server for any word of them
    Replay(replay::Args),
    /// Whether somebody can tell from an introduction that it was dropped
    Refusals(refusals::Args),
    /// What it costs to check a report, beside bare HMACs
    ReportCheck(report_check::Args),
    /// Whom the safety rules find, and whom they trouble, in a simulated population
    Population(population::Args),
    /// What the thief of the server's disk can guess about who knows whom
    SeizedDisk(seized_disk::Args),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Deliver(args) => deliver::run(args),
        Command::Directory(args) => directory::run(args),
        Command::Idle(args) => idle::run(args),
        Command::Fanout(args) => fanout::run(args),
        Command::Group(args) => group::run(args),
        Command::Offline(args) => offline::run(args),
        Command::Client(args) => client::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Refusals(args) => refusals::run(args),
        Command::ReportCheck(args) => report_check::run(args),
        Command::Population(args) => population::run(args),
        Command::SeizedDisk(args) => seized_disk::run(args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("zegel-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
