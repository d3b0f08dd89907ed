//! `zegel`: a person's messages at the command line, for people and for scripts.
//!
//! Exit status: 0 done, 1 failed (said on standard error), 2 the command line was wrong.
//!
//! *Invariant:* everything goes through `zegel_client::Client`; nothing that another person wrote reaches the
//! terminal before [`safe`] has seen it.

mod age;
mod args;
mod ask;
mod commands;
mod contacts;
mod country;
mod directory;
mod fail;
mod follow;
mod guardian;
mod lines;
mod out;
mod read;
mod reports;
mod safe;
mod safety;
mod time;

use std::process::ExitCode;

use clap::{Parser, error::ErrorKind};

use crate::{
    args::Arguments,
    fail::{Fail, tell},
    out::Out,
};

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => return not_understood(&error),
    };
    let json = arguments.json;
    match run(arguments) {
        // Whoever closed the pipe has read what they wanted.
        Ok(()) | Err(Fail::Pipe) => ExitCode::SUCCESS,
        Err(fail) => {
            tell(&fail, json);
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Fail> {
    let home = arguments.home.or_else(zegel_client::default_home);
    let home =
        home.ok_or_else(|| Fail::own("choosing the profile", "no home folder is known", "--home DIR"))?;
    let runtime = tokio::runtime::Runtime::new()
        .map_err(|error| Fail::own("starting", error, "again with fewer programs running"))?;
    let mut out = Out::new(arguments.json);
    runtime.block_on(commands::run(arguments.command, &home, &mut out))?;
    out.flush()
}

/// Help and version are answers; anything else is a wrong command line.
fn not_understood(error: &clap::Error) -> ExitCode {
    let answer = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
    if !answer && std::env::args_os().any(|word| word == "--json") {
        let said = error.render().to_string();
        tell(&Fail::CommandLine(said.trim_end().to_owned()), true);
    } else {
        // The only thing that can fail here is the terminal itself.
        let _ = error.print();
    }
    if answer { ExitCode::SUCCESS } else { ExitCode::from(2) }
}
