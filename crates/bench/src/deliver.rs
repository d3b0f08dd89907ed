//! `deliver`: pairs of connected people, messages of 256 bytes, each on disk before it is accepted. Beside it, in the
//! same run, bare rusqlite with the same rows.

use std::time::Instant;

use bytes::Bytes;
use tokio::{select, task::JoinSet, time::sleep};
use zegel_proto::v1::{self, server_frame as tell};

use crate::{
    common::{Progress, ROOMY, Report, Result, Server, cpu_seconds, percentile},
    raw::{Bare, Built, Client, PATIENCE, Place, Rounds, Sending, Sizes, Talk, together},
};

/// Length of a ciphertext in bytes.
const BODY: usize = 256;
/// One in so many messages is opened and compared with what was sent.
const SAMPLE: usize = 64;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Pairs of one who sends and one who receives
    #[arg(long, default_value_t = 100)]
    pairs: usize,
    /// Messages in a round, of all pairs together
    #[arg(long, default_value_t = 100_000)]
    messages: usize,
    /// Messages of a pair that may be on their way at once
    #[arg(long, default_value_t = 8)]
    in_flight: usize,
    /// Rounds that are measured, after a shorter one that is not
    #[arg(long, default_value_t = 3)]
    rounds: usize,
}

/// Runs it.
pub fn run(args: Args) -> Result {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(measure(args))
}

async fn measure(args: Args) -> Result {
    let server = Server::start(ROOMY)?;
    let place = Place::new(server.url(), None)?;
    let each = args.messages.div_ceil(args.pairs).max(1);
    let mut pairs = Pair::many(&place, args.pairs).await?;
    let mut rounds = Rounds::new("deliver", ["delivered/s", "p50 ms", "p99 ms", "server CPU s/100k"]);
    let mut sizes = Sizes::default();
    let progress = Progress::new("deliver", args.rounds as u64 + 1);
    for round in 0..=args.rounds {
        let count = if round == 0 { each.div_ceil(10) } else { each };
        let built = pairs.iter().map(|pair| pair.talk.build(count, BODY)).collect();
        let before = cpu_seconds(server.pid()?)?;
        let (seconds, outcomes);
        (pairs, outcomes, seconds) = exchange(pairs, built, args.in_flight).await?;
        let cpu = cpu_seconds(server.pid()?)? - before;
        let total = (count * pairs.len()) as f64;
        let latencies: Vec<f64> = outcomes.iter().flat_map(|outcome| outcome.latencies.clone()).collect();
        for (pair, outcome) in pairs.iter().zip(&outcomes) {
            outcome.compare(pair)?;
        }
        sizes = outcomes.first().map_or(sizes, |outcome| outcome.sizes);
        if round > 0 {
            let [p50, p99] = [0.5, 0.99].map(|part| percentile(&latencies, part));
            rounds.add([total / seconds, p50, p99, cpu / total * 100_000.0]);
        }
        progress.add(1);
    }
    progress.finish();
    nothing_left(&place, pairs).await?;
    drop(server);

    let folder = tempfile::tempdir()?;
    let mut bare = Bare::new(folder.path(), args.pairs, sizes)?;
    let mut yardstick = Rounds::new("bare rusqlite", ["delivered/s"]);
    bare.deliver(args.messages / 10)?;
    for _ in 0..args.rounds {
        yardstick.add([bare.deliver(args.messages)?]);
    }
    let mut report = Report::new("deliver");
    rounds.tell(&mut report);
    yardstick.tell(&mut report);
    let ratio = rounds.median(0) / yardstick.median(0);
    report.row([
        ("measured", "deliver : bare rusqlite".into()),
        ("round", "median".into()),
        ("ratio", ratio.into()),
    ]);
    report.print();
    Ok(())
}

/// Two people in a conversation.
struct Pair {
    sender: Client,
    receiver: Client,
    talk: Talk,
}

impl Pair {
    async fn many(place: &Place, count: usize) -> Result<Vec<Self>> {
        let senders = Client::newcomers(place, count).await?;
        let receivers = Client::newcomers(place, count).await?;
        let found = senders.into_iter().zip(receivers).map(|(mut sender, mut receiver)| async {
            let talk = Talk::found(&mut sender, std::slice::from_mut(&mut receiver)).await?;
            Ok(Self { sender, receiver, talk })
        });
        together(found).await
    }

    /// Sends all that was built, until both sides have got and acknowledged everything.
    async fn exchange(&mut self, built: Built, in_flight: usize) -> Result<Outcome> {
        let total = built.frames.len();
        let mut sending = Sending::new(built.frames, in_flight);
        let mut outcome = Outcome { latencies: Vec::with_capacity(total), ..Default::default() };
        while outcome.latencies.len() < total || !sending.is_done() {
            sending.send(&mut self.sender, outcome.latencies.len().min(sending.accepted)).await?;
            let late = sleep(PATIENCE);
            select! {
                frame = self.sender.next() => {
                    sending.hear(&mut self.sender, frame?).await?;
                }
                frame = self.receiver.next() => {
                    self.receive(frame?, &sending, &mut outcome).await?;
                }
                () = late => return Err(format!("{} messages were lost", total - outcome.latencies.len()).into()),
            }
        }
        // The last acknowledgements.
        self.sender.flush().await?;
        let (answer, confirmation) = sending.kept;
        outcome.sizes = Sizes { answer, confirmation, ..outcome.sizes };
        outcome.sent = built.messages.into_iter().step_by(SAMPLE).collect();
        Ok(outcome)
    }

    /// Takes what the receiver was sent, and acknowledges it at once.
    async fn receive(
        &mut self,
        frame: (u64, tell::Body),
        sending: &Sending,
        outcome: &mut Outcome,
    ) -> Result {
        let mut next = Some(frame);
        while let Some((_, body)) = next {
            let tell::Body::Deliver(deliver) = body else { return Err("not a delivery".into()) };
            self.receiver.take(&deliver)?;
            outcome.arrived(deliver, sending)?;
            next = self.receiver.ready()?;
        }
        self.receiver.feed_ack().await?;
        self.receiver.flush().await
    }
}

/// What one pair saw in a round.
#[derive(Default)]
struct Outcome {
    /// From sending to arrival, in milliseconds, in order.
    latencies: Vec<f64>,
    /// Every so-manyth message as it was sent, and the entry that it came in.
    sent: Vec<Bytes>,
    came: Vec<v1::SealedEntry>,
    sizes: Sizes,
}

impl Outcome {
    fn arrived(&mut self, deliver: v1::Deliver, sending: &Sending) -> Result {
        let now = Instant::now();
        for entry in deliver.entries {
            let n = self.latencies.len();
            let sent = sending.sent_at.get(n).ok_or("a message came that was not sent")?;
            self.latencies.push(now.duration_since(*sent).as_secs_f64() * 1000.0);
            if n.is_multiple_of(SAMPLE) {
                self.sizes.entry = entry.sealed.len();
                self.came.push(entry);
            }
        }
        Ok(())
    }

    /// Opens the sample: what came is what was sent, each in its place.
    fn compare(&self, pair: &Pair) -> Result {
        for (sent, came) in self.sent.iter().zip(&self.came) {
            if pair.receiver.opener.message(came, &[])?.as_ref() != Some(sent) {
                return Err("a message came in another's place".into());
            }
        }
        Ok(())
    }
}

/// One round of all pairs at once: they, what each saw, and the seconds it took.
async fn exchange(
    pairs: Vec<Pair>,
    built: Vec<Built>,
    in_flight: usize,
) -> Result<(Vec<Pair>, Vec<Outcome>, f64)> {
    let mut running = JoinSet::new();
    let begun = Instant::now();
    for (mut pair, built) in pairs.into_iter().zip(built) {
        running.spawn(async move {
            let outcome = pair.exchange(built, in_flight).await?;
            Result::Ok((pair, outcome))
        });
    }
    let mut done = Vec::new();
    while let Some(pair) = running.join_next().await {
        done.push(pair??);
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (pairs, outcomes) = done.into_iter().unzip();
    Ok((pairs, outcomes, seconds))
}

/// Everybody connects anew: what was acknowledged is gone, and nothing else waits.
async fn nothing_left(place: &Place, pairs: Vec<Pair>) -> Result {
    for mut client in pairs.into_iter().flat_map(|pair| [pair.sender, pair.receiver]) {
        client.settle().await?;
        let again = Client::connect(place, client.person.clone()).await?;
        if again.waiting > 0 {
            return Err(format!("{} entries came back after they were acknowledged", again.waiting).into());
        }
    }
    Ok(())
}
