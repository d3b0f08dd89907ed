//! Holds real conversations between real clients through a real server, and then looks for them in the server.
//!
//! Every conversation of the file is between two people of its own, each with the SDK and a profile: the first
//! text is the introduction, which the other accepts, and from then on each sends when it is their turn in the
//! file. Half way, under load, and at the end the server's data folder and its memory are searched for every
//! text; see [`plants`] for how a search proves that it would have found one.

mod places;
mod plants;
mod search;
mod talk;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};

use self::{
    plants::Plants,
    search::{Finds, Place, Scanner},
    talk::{Outcome, Talk},
};
use crate::common::{Error, Progress, ROOMY, Report, Result, Server};

/// A shorter text may be in a program's memory by chance.
const LONG_ENOUGH: usize = 12;

/// How many problems of a conversation are said.
const PROBLEMS: usize = 5;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Conversations, one a line: {"id", "messages": [{"from": "a" or "b", "text"}]}
    file: PathBuf,
    /// Only so many conversations, from the beginning
    #[arg(long)]
    limit: Option<usize>,
    /// How many conversations are held at the same time
    #[arg(long, default_value_t = 16)]
    pairs_at_once: usize,
}

/// Runs it.
pub fn run(args: Args) -> Result {
    let mut talks = talk::read(&args.file)?;
    talks.truncate(args.limit.unwrap_or(usize::MAX));
    let empty: u64 = talks.iter().map(|talk| talk.empty).sum();
    if empty > 0 {
        eprintln!("{empty} empty texts are left out: a client refuses to send one");
    }
    // The longest first, so that none is left alone at the end.
    talks.sort_by_key(|talk| std::cmp::Reverse(talk.messages.len()));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(8).enable_all().build()?;
    runtime.block_on(replay(talks, args.pairs_at_once.max(1)))
}

async fn replay(talks: Vec<Talk>, at_once: usize) -> Result {
    let texts = Arc::new(texts(&talks));
    let total: u64 = talks.iter().map(|talk| talk.messages.len() as u64).sum();
    let homes = tempfile::Builder::new().prefix("zegel-replay-").tempdir()?;
    let plants = Plants::new();
    let mut server = Server::start(&format!("domain = {:?}\n{ROOMY}", plants.domain))?;
    plants.in_database(&mut server, homes.path()).await?;
    plants.in_blobs(&server).await?;

    let progress = Arc::new(Progress::new("holding conversations", total));
    let url = server.url().to_owned();
    let over = AtomicBool::new(false);
    let held = async {
        let held = hold_all(talks, at_once, homes.path().to_owned(), url, progress.clone()).await;
        over.store(true, Relaxed);
        held
    };
    let half_way = async {
        while progress.done() < total / 2 {
            // Should conversations fail, the half is never reached; the end is.
            if over.load(Relaxed) {
                return Ok(None);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        search_all("half way", &plants, &texts, &server, homes.path()).await.map(Some)
    };
    let (outcomes, under_load) = tokio::join!(held, half_way);
    progress.finish();
    let at_end = search_all("at the end", &plants, &texts, &server, homes.path()).await?;
    server.stop()?;
    conclude(&outcomes, &texts, under_load?.into_iter().chain([at_end]).collect())
}

async fn hold_all(
    talks: Vec<Talk>,
    at_once: usize,
    homes: PathBuf,
    url: String,
    progress: Arc<Progress>,
) -> Vec<Outcome> {
    let held = stream::iter(talks.into_iter().enumerate()).map(|(number, talk)| {
        let (home, url, progress) = (homes.join(format!("talk-{number}")), url.clone(), progress.clone());
        let held = tokio::spawn(async move { talk::hold(talk, number, &home, &url, &progress).await });
        async move { held.await.unwrap_or_else(|panic| Outcome::failed(panic.to_string())) }
    });
    held.buffer_unordered(at_once).collect().await
}

fn texts(talks: &[Talk]) -> Vec<String> {
    let all = talks.iter().flat_map(|talk| &talk.messages).map(|message| &message.text);
    let long: BTreeSet<&String> = all.filter(|text| text.len() >= LONG_ENOUGH).collect();
    long.into_iter().cloned().collect()
}

/// One search of every place; an error if a plant was not found where it is.
async fn search_all(
    when: &'static str,
    plants: &Plants,
    texts: &Arc<Vec<String>>,
    server: &Server,
    homes: &Path,
) -> Result<Finds> {
    let _snapshot = places::hold_log(&server.data())?;
    let log = plants.in_log(server, homes).await?;
    let (planted, texts) = (plants.all(log), texts.clone());
    let (data, pid) = (server.data(), server.pid()?);
    let finds = tokio::task::spawn_blocking(move || {
        let scanner = Scanner::new(&texts, &planted)?;
        let mut finds = Finds::new(when);
        places::search_folder(&scanner, &data, &mut finds)?;
        places::search_memory(&scanner, pid, &mut finds)?;
        for (place, plant) in &planted {
            if !finds.plants.contains(&(*place, plant.clone())) {
                return Err(format!(
                    "while searching {when}: the planted {plant:?} was not found in the {}, so nothing else would be",
                    place.name()
                )
                .into());
            }
        }
        Ok::<_, Error>(finds)
    });
    finds.await?
}

fn conclude(outcomes: &[Outcome], texts: &[String], searches: Vec<Finds>) -> Result {
    let mut report = Report::new("replay");
    for finds in &searches {
        for place in Place::ALL {
            let planted = finds.plants.iter().filter(|(at, _)| *at == place).count();
            report.row([
                ("searched", finds.when.into()),
                ("place", place.name().into()),
                ("bytes", finds.bytes.get(&place).copied().unwrap_or(0).into()),
                ("plants found", planted.into()),
                ("texts looked for", texts.len().into()),
                ("texts found", finds.texts.iter().filter(|(at, _)| *at == place).count().into()),
            ]);
        }
    }
    report.print();
    for (place, text) in searches.iter().flat_map(|finds| &finds.texts).take(20) {
        eprintln!("found in the {}: {:?}", place.name(), texts.get(*text));
    }
    for outcome in outcomes {
        for problem in outcome.problems.iter().take(PROBLEMS) {
            eprintln!("{problem}");
        }
    }
    let sum = |of: fn(&Outcome) -> u64| outcomes.iter().map(of).sum::<u64>();
    let (sent, shown, lost) = (sum(|o| o.sent), sum(|o| o.shown), sum(|o| o.lost));
    let found: BTreeSet<usize> =
        searches.iter().flat_map(|finds| &finds.texts).map(|(_, text)| *text).collect();
    println!(
        "{sent} sent, {shown} shown once and in order, {lost} lost, {} found in the server's data or memory",
        found.len()
    );
    let problems = sum(|o| o.problems.len() as u64);
    match sent == shown && lost == 0 && found.is_empty() && problems == 0 {
        true => Ok(()),
        false => Err(format!("the conversations did not go as promised ({problems} problems)").into()),
    }
}
