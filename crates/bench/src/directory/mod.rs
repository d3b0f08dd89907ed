//! `directory`: what the key directory costs.
//!
//! Its publisher runs here, over the server's real store, beside bare akd in memory in the same run; its memory is
//! that of a real server process.

mod bare;
mod memory;
mod newcomers;
mod proofs;
mod tree;

use crate::common::{Progress, Report, Result};
use crate::raw::Rounds;

use self::{bare::Bare, tree::Tree};

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Handles in the directory before anything is measured
    #[arg(long, default_value_t = 100_000)]
    accounts: usize,
    /// New handles in an epoch
    #[arg(long, value_delimiter = ',', default_values_t = [100, 1_000, 5_000])]
    epoch: Vec<usize>,
    /// Epochs of each size that are measured
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Proofs of each kind that are measured
    #[arg(long, default_value_t = 300)]
    proofs: usize,
    /// Memory of the tree's cache, MiB: what the server takes by itself
    #[arg(long, default_value_t = 64)]
    cache: usize,
    /// Measures the memory of a server process instead, with so many accounts
    #[arg(long)]
    memory: bool,
    /// Measures instead how soon so many new accounts can be written to, and are proven
    #[arg(long, value_name = "PEOPLE", conflicts_with = "memory")]
    newcomers: Option<usize>,
}

/// How many handles an epoch takes while the directory is filled.
const FILLING: usize = 5_000;

/// Runs it.
pub fn run(args: Args) -> Result {
    rlimit::increase_nofile_limit(u64::MAX)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let mut report = Report::new("directory");
    if let Some(people) = args.newcomers {
        runtime.block_on(newcomers::measure(&mut report, people))?;
    } else if args.memory {
        runtime.block_on(memory::measure(&mut report, args.accounts, args.cache))?;
    } else {
        runtime.block_on(measure(&mut report, &args))?;
    }
    report.print();
    Ok(())
}

async fn measure(report: &mut Report, args: &Args) -> Result {
    let (mut tree, mut bare) = (Tree::new(args.cache).await?, Bare::new().await?);
    let progress = Progress::new("filling", args.accounts as u64);
    let mut handles = 0;
    while handles < args.accounts {
        let count = FILLING.min(args.accounts - handles);
        let updates = tree::newcomers(handles..handles + count);
        bare.publish(&updates).await?;
        tree.publish(updates).await?;
        handles += count;
        progress.add(count as u64);
    }
    progress.finish();
    for &size in &args.epoch {
        let columns = ["keys/s", "bare keys/s", "ratio", "records", "record kB", "proof kB"];
        let mut rounds = Rounds::new(format!("publish {size}"), columns);
        for round in 0..args.rounds {
            // Each of both first in turn, so that both meet the same weather.
            let updates = tree::newcomers(handles..handles + size);
            handles += size;
            let (ours, theirs) = if round % 2 == 0 {
                let theirs = bare.publish(&updates).await?;
                (tree.publish(updates).await?, theirs)
            } else {
                let ours = tree.publish(updates.clone()).await?;
                (ours, bare.publish(&updates).await?)
            };
            let rate = |seconds: f64| size as f64 / seconds;
            let kilobytes = |bytes: usize| bytes as f64 / 1e3;
            rounds.add([
                rate(ours.seconds),
                rate(theirs),
                theirs / ours.seconds,
                ours.records as f64,
                kilobytes(ours.record_bytes),
                kilobytes(ours.proof_bytes),
            ]);
        }
        rounds.tell(report);
    }
    proofs::lookups(report, &tree, handles, args.proofs).await?;
    proofs::histories(report, &mut tree, args.rounds).await?;
    proofs::audits(report, &mut tree, handles, args.rounds).await
}
