//! `zegel-audit`: checks a service's key directory from outside.
//!
//! Exit status: 0 in order, 1 could not check (said on standard error), 2 the service was caught, or
//! another auditor sees another directory.

use std::{io::Write, path::PathBuf, process::ExitCode, time::Duration};

use clap::{Args, Parser, Subcommand, error::ErrorKind};
use zegel_audit::{Auditor, Failure, Options, WitnessKey, check_case, check_folder, check_log, daemon};
use zegel_cases::one_line;

#[derive(Parser)]
#[command(
    name = "zegel-audit",
    version,
    about = "Follows a service's key directory from outside, and says so when it lies",
    after_help = "Exit status: 0 in order, 1 could not check, 2 the service was caught, or others see another directory.",
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true
)]
struct Arguments {
    #[command(flatten)]
    follow: Option<Follow>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Args)]
struct Follow {
    /// The service, like https://chat.example.org
    #[arg(long, value_name = "URL")]
    server: String,
    /// What was seen; made if it is missing. Other files beside it begin with its name
    #[arg(long, value_name = "FILE")]
    state: PathBuf,
    /// Check up to now and end; without it, go on for ever
    #[arg(long)]
    once: bool,
    /// Follow nothing but the directory of this domain
    #[arg(long, value_name = "NAME")]
    domain: Option<String>,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..))]
    every: u64,
    /// Show /metrics, /healthz and /witness here; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", conflicts_with = "once")]
    listen: Option<String>,
    /// Be a witness: sign each checked root with the key in this file, made if it is missing
    #[arg(long, value_name = "FILE", requires = "listen")]
    sign_with: Option<PathBuf>,
    /// Compare with the auditor that listens here; may be given several times
    #[arg(long, value_name = "URL")]
    peer: Vec<String>,
    /// Keep the proofs in this folder, as other AKD auditors read them
    #[arg(long, value_name = "DIR")]
    keep: Option<PathBuf>,
    /// Seconds that something may be missing or older before it is called a lie; what the service signed twice is one
    /// at once
    #[arg(long, value_name = "SECONDS", default_value_t = 120)]
    patience: u64,
    /// Trust these certificates instead of the usual ones
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
}

#[derive(Subcommand)]
enum Command {
    /// Checks a folder of proofs (EPOCH/BEFORE/AFTER) alone
    Proofs {
        /// The folder
        dir: PathBuf,
    },
    /// Checks the evidence of a case, offline
    Case {
        /// The archive
        file: PathBuf,
        /// What this auditor saw of the service: shows whether the archive is signed with that service's key
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
    },
    /// Checks an exported log of a service's desk, offline
    Log {
        /// The log
        file: PathBuf,
        /// An older export, which this one must continue
        #[arg(long, value_name = "OLDER")]
        before: Option<PathBuf>,
        /// What this auditor saw of the service: shows whether the logs are signed with that service's key
        #[arg(long, value_name = "FILE")]
        state: Option<PathBuf>,
    },
}

fn main() -> ExitCode {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            // The only thing that can fail here is the terminal itself.
            let _ = error.print();
            // Not 2: that is said of the service, not of whoever typed this.
            let asked = matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion);
            return if asked { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
    };
    let outcome = match arguments {
        Arguments { command: Some(Command::Proofs { dir }), .. } => proofs(&dir),
        Arguments { command: Some(Command::Case { file, state }), .. } => {
            check_case(&file, state.as_deref()).map(|found| say_all(&found))
        }
        Arguments { command: Some(Command::Log { file, before, state }), .. } => {
            check_log(&file, before.as_deref(), state.as_deref()).map(|found| say_all(&found))
        }
        Arguments { follow: Some(options), .. } => follow(options),
        Arguments { .. } => unreachable!("clap asks for one of them"),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("zegel-audit: {}", one_line(&failure.to_string()));
            ExitCode::from(failure.exit_code())
        }
    }
}

fn follow(it: Follow) -> Result<(), Failure> {
    let Follow { server, state, once, domain, every, listen, sign_with, peer, keep, patience, ca } = it;
    let options = Options {
        server,
        state: state.clone(),
        domain,
        ca,
        peers: peer,
        keep,
        patience: Duration::from_secs(patience),
    };
    let mut auditor = Auditor::open(options)?;
    if let Some(lies) = auditor.progress().map(|progress| progress.lies).filter(|lies| *lies > 0) {
        let state = state.display();
        eprintln!("zegel-audit: lies found with this state before: {lies}; see {state}.lie-*.json");
    }
    if once {
        let done = auditor.catch_up(|_| ())?;
        let (epoch, root) = (done.seen.epoch, hex::encode(done.seen.hash));
        say(format_args!(
            "{}: {} new epochs checked; nothing was removed or rewritten",
            done.domain, done.new
        ));
        say(format_args!("epoch {epoch} has root {root}"));
        return Ok(());
    }
    let key = sign_with.as_deref().map(WitnessKey::load_or_create).transpose()?;
    let every = Duration::from_secs(every);
    Err(daemon::run(auditor, &state, daemon::Settings { every, listen, key }))
}

fn proofs(dir: &std::path::Path) -> Result<(), Failure> {
    let found = check_folder(dir)?;
    let runs: Vec<String> = found.runs.iter().map(|(first, last)| format!("{first} to {last}")).collect();
    say(format_args!("epochs {}: nothing was removed or rewritten", runs.join(", ")));
    say(format_args!("the tree ends with {}", found.tree));
    match found.runs[..] {
        [_] => Ok(()),
        _ => Err(Failure::Own {
            doing: format!("checking {}", dir.display()),
            why: "proofs are missing between these epochs".into(),
            fix: "again when they are there".into(),
        }),
    }
}

/// What a service calls itself or its people is text from others. The exit status tells the same to a reader that is
/// gone.
fn say(line: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stdout(), "{}", one_line(&line.to_string()));
}

/// Several lines; no name in them that was checked has a line's end.
fn say_all(found: &impl std::fmt::Display) {
    found.to_string().split('\n').for_each(|line| say(format_args!("{line}")));
}
