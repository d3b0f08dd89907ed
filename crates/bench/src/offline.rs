//! `offline`: messages for devices that are away, then the server is killed and started again, and they come back. All
//! must be there, once and in order. Beside it, in the same run, bare rusqlite with the same rows.

use std::{sync::Arc, time::Instant};

use bytes::Bytes;
use tokio::time::timeout;
use zegel_proto::v1;

use crate::{
    common::{Progress, ROOMY, Report, Result, Server},
    raw::{Bare, Built, Client, PATIENCE, Person, Place, Rounds, Sending, Sizes, Talk, together},
};

/// Length of a ciphertext in bytes.
const BODY: usize = 256;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Messages in a round, for all devices together
    #[arg(long, default_value_t = 20_000)]
    messages: usize,
    /// Devices that are away, each written to by somebody else
    #[arg(long, default_value_t = 200)]
    devices: usize,
    /// Messages of a sender that may wait to be accepted at once
    #[arg(long, default_value_t = 8)]
    in_flight: usize,
    /// Rounds, each with a server of its own
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Runs it.
pub fn run(args: Args) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(args))
}

async fn measure(args: Args) -> Result {
    let mut rounds = Rounds::new(
        "offline",
        ["stored/s", "drained/s", "drained/s, connecting aside", "there, once and in order"],
    );
    let mut yardstick = Rounds::new("bare rusqlite", ["stored/s", "drained/s"]);
    let each = args.messages.div_ceil(args.devices).max(1);
    let total = each * args.devices;
    let progress = Progress::new("offline", args.rounds as u64);
    for _ in 0..args.rounds {
        let (figures, sizes) = round(args.devices, each, args.in_flight).await?;
        rounds.add(figures);
        let folder = tempfile::tempdir()?;
        let mut bare = Bare::new(folder.path(), args.devices, sizes)?;
        yardstick.add([bare.fill(total)?, bare.drain()?]);
        progress.add(1);
    }
    progress.finish();
    let mut report = Report::new("offline");
    rounds.tell(&mut report);
    yardstick.tell(&mut report);
    let ratio = |column| rounds.median(column) / yardstick.median(column);
    report.row([
        ("measured", "offline : bare rusqlite".into()),
        ("round", "median".into()),
        ("stored/s", ratio(0).into()),
        ("drained/s", ratio(1).into()),
    ]);
    report.print();
    Ok(())
}

/// Somebody who writes, and somebody who is away.
struct Away {
    sender: Client,
    receiver: Arc<Person>,
    talk: Talk,
}

/// One round: stored and drained a second, and how many were there. What was lost or came twice is an error.
async fn round(devices: usize, each: usize, in_flight: usize) -> Result<([f64; 4], Sizes)> {
    let mut server = Server::start(ROOMY)?;
    let place = Place::new(server.url(), None)?;
    let senders = Client::newcomers(&place, devices).await?;
    let receivers = Client::newcomers(&place, devices).await?;
    let found = senders.into_iter().zip(receivers).map(|(mut sender, mut receiver)| async {
        let talk = Talk::found(&mut sender, std::slice::from_mut(&mut receiver)).await?;
        Ok(Away { sender, receiver: receiver.person, talk })
    });
    let mut people = together(found).await?;

    let (sent, frames): (Vec<_>, Vec<_>) =
        people.iter().map(|away| away.talk.build(each, BODY)).map(halves).unzip();
    let begun = Instant::now();
    let fills = people.iter_mut().zip(frames).map(|(away, frames)| away.fill(frames, in_flight));
    let sizes = all(fills).await?;
    let stored = begun.elapsed().as_secs_f64();
    server.kill()?;

    server.begin()?;
    let place = Place::new(server.url(), None)?;
    let begun = Instant::now();
    let returns = people.iter().map(|away| Client::connect(&place, away.receiver.clone()));
    let mut back = together(returns).await?;
    let connected = begun.elapsed().as_secs_f64();
    let came = all(back.iter_mut().map(|client| client.drain(each))).await?;
    let drained = begun.elapsed().as_secs_f64();
    let total = (each * devices) as f64;
    let mut sizes = sizes.first().copied().unwrap_or_default();
    for ((client, sent), came) in back.iter().zip(&sent).zip(&came) {
        sizes.entry = compare(client, sent, came)?;
    }
    Ok(([total / stored, total / drained, total / (drained - connected), total], sizes))
}

impl Away {
    /// Sends everything until the server has accepted it.
    async fn fill(&mut self, frames: Vec<Bytes>, in_flight: usize) -> Result<Sizes> {
        let mut sending = Sending::new(frames, in_flight);
        while !sending.is_done() {
            sending.send(&mut self.sender, sending.accepted).await?;
            let frame =
                timeout(PATIENCE, self.sender.next()).await.map_err(|_| "messages were not accepted")??;
            sending.hear(&mut self.sender, frame).await?;
        }
        let (answer, confirmation) = sending.kept;
        Ok(Sizes { answer, confirmation, ..Default::default() })
    }
}

fn halves(built: Built) -> (Vec<Bytes>, Vec<Bytes>) {
    (built.messages, built.frames)
}

/// Runs all at once.
async fn all<T>(steps: impl Iterator<Item = impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    futures_util::future::join_all(steps).await.into_iter().collect()
}

/// Opens all that came: it is what was sent, each once and in its place. Returns the length of an entry.
fn compare(client: &Client, sent: &[Bytes], came: &[v1::Deliver]) -> Result<usize> {
    let entries: Vec<_> = came.iter().flat_map(|deliver| &deliver.entries).collect();
    for (sent, entry) in sent.iter().zip(&entries) {
        if client.opener.message(entry, &[])?.as_ref() != Some(sent) {
            return Err("a message came in another's place".into());
        }
    }
    Ok(entries.first().map_or(0, |entry| entry.sealed.len()))
}
