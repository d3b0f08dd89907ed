//! Carrying them out, some at a time.

use std::{
    process::ExitCode,
    time::{Duration, Instant},
};

use futures_util::{FutureExt as _, StreamExt as _, stream};

use crate::{
    drill::{Drill, Failure, Verdict},
    kit::Stage,
    list, show,
};

/// No drill takes this long.
const PATIENCE: Duration = Duration::from_secs(180);

/// How often a drill is set up. Some attacks need luck to be carried out at all (a forged tree does not always have a
/// proof); what was carried out is never tried again.
const SET_UPS: usize = 3;

/// How a drill ended, and how long it took.
pub struct Row {
    /// Which.
    pub drill: &'static Drill,
    /// How.
    pub verdict: Verdict,
    /// How long.
    pub took: Duration,
}

/// Runs the named drills, or all; prints a row for each and a line at the end.
pub fn run(names: &[String], jobs: usize) -> ExitCode {
    let all = list::all();
    if let Some(unknown) = names.iter().find(|name| !all.iter().any(|drill| drill.name == **name)) {
        eprintln!("zegel-drills: there is no drill {unknown}; try `zegel-drills list`");
        return ExitCode::from(2);
    }
    let chosen: Vec<_> = all
        .into_iter()
        .filter(|drill| names.is_empty() || names.iter().any(|name| name == drill.name))
        .collect();
    let runtime = match tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("zegel-drills: while starting: {error}");
            return ExitCode::from(2);
        }
    };
    let rows = runtime.block_on(async {
        let tried = stream::iter(chosen).map(|drill| async move {
            let row = one(drill).await;
            println!("{}", show::row(&row));
            row
        });
        tried.buffer_unordered(jobs.max(1)).collect::<Vec<_>>().await
    });
    let count = |of: fn(&Verdict) -> bool| rows.iter().filter(|row| of(&row.verdict)).count();
    let succeeded = count(|verdict| matches!(verdict, Err(Failure::Succeeded(_))));
    let not_run = count(|verdict| matches!(verdict, Err(Failure::NotRun(_))));
    let caught = rows.len() - succeeded - not_run;
    println!("{} attacks: {caught} caught, {succeeded} succeeded, {not_run} not run", rows.len());
    match (succeeded, not_run) {
        (0, 0) => ExitCode::SUCCESS,
        (0, _) => ExitCode::from(2),
        _ => ExitCode::from(1),
    }
}

async fn one(drill: &'static Drill) -> Row {
    let begun = Instant::now();
    let mut verdict = once(drill).await;
    for _ in 1..SET_UPS {
        if !matches!(verdict, Err(Failure::NotRun(_))) {
            break;
        }
        verdict = once(drill).await;
    }
    Row { drill, verdict, took: begun.elapsed() }
}

async fn once(drill: &'static Drill) -> Verdict {
    let stage = Stage::set().map_err(Failure::NotRun)?;
    let run = std::panic::AssertUnwindSafe((drill.run)(&stage)).catch_unwind();
    let verdict = match tokio::time::timeout(PATIENCE, run).await {
        Ok(Ok(verdict)) => match stage.spoilt().why() {
            Some(why) => Err(Failure::NotRun(why)),
            None => verdict,
        },
        Ok(Err(_)) => Err(Failure::NotRun("it panicked".into())),
        Err(_) => Err(Failure::NotRun(format!("it took longer than {} s", PATIENCE.as_secs()))),
    };
    if let (Err(_), Ok(_)) = (&verdict, std::env::var("ZEGEL_DRILLS_LOG")) {
        eprintln!("{}: the server's log:\n{}", drill.name, stage.server(|server| server.log()));
    }
    verdict
}
