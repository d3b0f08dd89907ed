//! A group of a thousand people: founded, joined by some who are awake, spoken in, changed.
//!
//! Everybody has a real account and key packages; only the awake ones run a client meanwhile, because a thousand
//! clients in one process would measure the process.

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use zegel_client::{AgeBand, Client, Registration};

use crate::common::{Error, Progress, ROOMY, Report, Result, Server};

/// Nothing here takes this long.
const PATIENCE: Duration = Duration::from_secs(300);

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// People in the group, its founder included
    #[arg(long, default_value_t = 1000)]
    members: usize,
    /// How many of them read and answer
    #[arg(long, default_value_t = 4)]
    awake: usize,
}

/// Runs it.
pub fn run(args: Args) -> Result {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(4).enable_all().build()?;
    runtime.block_on(measure(&args))
}

async fn measure(args: &Args) -> Result {
    let homes = tempfile::Builder::new().prefix("zegel-group-").tempdir()?;
    let server = Server::start(ROOMY)?;
    let progress = Progress::new("registering", args.members as u64);
    let people: Vec<usize> = (1..args.members).collect();
    let enter = |n: usize| register(server.url(), homes.path(), n, &progress);
    stream::iter(people.iter().copied()).map(enter).buffered(4).try_collect::<Vec<_>>().await?;
    progress.finish();

    let founder = client(server.url(), &home(homes.path(), 0), "founder").await?;
    let awake = args.awake.min(people.len());
    // From the first commit and from the last one. A stranger's large group is not joined: they know the founder.
    let awake: Vec<usize> = (1..=awake).map(|n| if n % 2 == 0 { args.members - n } else { n }).collect();
    for &n in &awake {
        let client = Client::open(&home(homes.path(), n)).await?;
        client.send("founder", "hello").await?;
        client.close().await;
    }
    let handles: Vec<String> = people.iter().map(|n| handle(*n)).collect();
    let began = Instant::now();
    founder.group_create("all", &handles).await?;
    let created = began.elapsed();

    let mut clients = Vec::new();
    let mut joined = Vec::new();
    for &n in &awake {
        let began = Instant::now();
        let client = Client::open(&home(homes.path(), n)).await?;
        // It opens by itself: somebody whom they know added them.
        until(|| Ok(client.groups()?.iter().any(|group| group.name == "all" && group.state == "open")))
            .await?;
        joined.push(began.elapsed().as_secs_f64());
        clients.push(client);
    }
    let began = Instant::now();
    founder.send("all", "hello, everybody").await?;
    let sent = began.elapsed();
    for client in &clients {
        until(|| shown(client, "hello, everybody")).await?;
    }
    let heard = began.elapsed();
    for (n, client) in clients.iter().enumerate() {
        client.send("all", &format!("hello from {n}")).await?;
    }
    for n in 0..clients.len() {
        until(|| shown(&founder, &format!("hello from {n}"))).await?;
    }
    let began = Instant::now();
    founder.group_remove("all", std::slice::from_ref(&handles[handles.len() / 2])).await?;
    let removed = began.elapsed();
    founder.send("all", "one less").await?;
    for client in &clients {
        until(|| shown(client, "one less")).await?;
        let alarms =
            client.read(None, 0, false, false)?.into_iter().filter(|l| l.kind == "gap" || l.kind == "hidden");
        if let Some(alarm) = alarms.map(|line| line.text).next() {
            return Err(Error::from(format!("a member was alarmed: {alarm}")));
        }
    }
    let mut report = Report::new("group");
    report.row([
        ("members", json!(args.members)),
        ("create s", json!(created.as_secs_f64())),
        ("join s (median)", json!(crate::common::median(&joined))),
        ("send ms", json!(sent.as_secs_f64() * 1e3)),
        ("all awake heard ms", json!(heard.as_secs_f64() * 1e3)),
        ("remove s", json!(removed.as_secs_f64())),
    ]);
    report.print();
    Ok(())
}

fn handle(n: usize) -> String {
    format!("member{n}")
}

fn home(homes: &Path, n: usize) -> PathBuf {
    homes.join(n.to_string())
}

async fn register(url: &str, homes: &Path, n: usize, progress: &Progress) -> Result {
    let client = client(url, &home(homes, n), &handle(n)).await?;
    client.close().await;
    progress.add(1);
    Ok(())
}

/// A registered client whose key packages are at the service.
async fn client(url: &str, home: &Path, handle: &str) -> Result<Client> {
    let registration =
        Registration { handle: handle.into(), age: AgeBand::Adult, language: "en".into(), invite: None };
    let client = Client::register(home, url, &registration).await?;
    client.caught_up(PATIENCE).await?;
    client.sync(PATIENCE).await?;
    Ok(client)
}

fn shown(client: &Client, text: &str) -> Result<bool> {
    Ok(client.read(Some("all"), 0, false, false)?.iter().any(|line| line.text == text))
}

async fn until(done: impl Fn() -> Result<bool>) -> Result {
    let began = Instant::now();
    while !done()? {
        if began.elapsed() > PATIENCE {
            return Err(Error::from("a member waits for ever".to_owned()));
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Ok(())
}
