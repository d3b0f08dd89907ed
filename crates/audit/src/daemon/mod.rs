//! Follows for ever, and shows how far it is.

mod pages;
mod status;

use std::{
    fmt,
    io::{self, Write},
    path::Path,
    thread,
    time::Duration,
};

use zegel_cases::one_line;

use crate::{Auditor, Failure, WitnessKey};
use status::Status;

/// The longest pause between two tries when the service cannot be reached.
const LONGEST: Duration = Duration::from_secs(300);

/// How a daemon runs.
pub struct Settings {
    /// Pause between two looks.
    pub every: Duration,
    /// Where to show metrics and statements, ADDRESS:PORT.
    pub listen: Option<String>,
    /// The key that statements are signed with.
    pub key: Option<WitnessKey>,
}

/// Follows until the service is caught, or something of our own breaks. `state` is the auditor's state file.
pub fn run(mut auditor: Auditor, state: &Path, settings: Settings) -> Failure {
    let Settings { every, listen, key } = settings;
    if let Some(key) = &key {
        say(format_args!("witness key {}", key.public()));
    }
    let status = Status::new(auditor.progress(), every);
    // Lives as long as the daemon: with it the pages go.
    let _pages = match listen.map(|listen| pages::show(&listen, state, status.clone(), key)).transpose() {
        Ok(pages) => pages,
        Err(failure) => return failure,
    };
    let mut pause = every;
    loop {
        match auditor.look(|progress| status.heard(progress)) {
            Ok(progress) => {
                if status.checked(&progress) {
                    let (epoch, domain) = (progress.seen.epoch, &progress.domain);
                    say(format_args!("{domain}: nothing was removed or rewritten up to epoch {epoch}"));
                }
                pause = every;
            }
            Err(failure @ Failure::Unreachable { .. }) => {
                status.failed();
                complain(&failure);
                pause = (pause * 2).min(LONGEST.max(every));
            }
            Err(failure @ Failure::Doubtful { .. }) => {
                status.failed();
                complain(&failure);
                pause = every;
            }
            // No other auditor can make this one stop.
            Err(Failure::Caught(charge)) if !charge.finding.accuses() => {
                status.failed();
                complain(&Failure::Caught(charge));
                pause = every;
            }
            Err(failure) => return failure,
        }
        thread::sleep(pause);
    }
}

/// A line on standard output, at once. A reader that is gone is no reason to stop following.
fn say(line: fmt::Arguments<'_>) {
    let mut out = io::stdout().lock();
    let _ = writeln!(out, "{}", one_line(&line.to_string())).and_then(|()| out.flush());
}

/// The same on standard error, for what is tried again.
fn complain(failure: &Failure) {
    let _ = writeln!(io::stderr(), "zegel-audit: {}", one_line(&failure.to_string()));
}
