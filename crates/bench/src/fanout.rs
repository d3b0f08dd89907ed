//! `fanout`: one conversation of many connected devices, one of which writes; each message on disk before it is accepted.

use std::time::Instant;

use tokio::{task::JoinSet, time::timeout};
use zegel_proto::v1::server_frame as tell;

use crate::{
    common::{Progress, ROOMY, Report, Result, Server, cpu_seconds},
    raw::{Built, Client, PATIENCE, Place, Rounds, Sending, Talk},
};

/// Length of a ciphertext in bytes.
const BODY: usize = 256;

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Devices that each message goes to
    #[arg(long, default_value_t = 500)]
    devices: usize,
    /// Messages in a round
    #[arg(long, default_value_t = 200)]
    messages: usize,
    /// Messages that may wait to be accepted at once
    #[arg(long, default_value_t = 8)]
    in_flight: usize,
    /// Rounds that are measured, after a shorter one that is not
    #[arg(long, default_value_t = 5)]
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
    let mut sender = Client::newcomers(&place, 1).await?.pop().ok_or("nobody came")?;
    let mut devices = Client::newcomers(&place, args.devices).await?;
    let talk = Talk::found(&mut sender, &mut devices).await?;
    let mut rounds = Rounds::new("fanout", ["deliveries/s", "messages/s", "server CPU s/100k deliveries"]);
    let progress = Progress::new("fanout", args.rounds as u64 + 1);
    for round in 0..=args.rounds {
        let count = if round == 0 { args.messages.div_ceil(10) } else { args.messages };
        let built = talk.build(count, BODY);
        let before = cpu_seconds(server.pid()?)?;
        let begun = Instant::now();
        devices = send_to_all(&mut sender, devices, built, args.in_flight).await?;
        let seconds = begun.elapsed().as_secs_f64();
        let cpu = cpu_seconds(server.pid()?)? - before;
        let deliveries = (count * args.devices) as f64;
        if round > 0 {
            rounds.add([deliveries / seconds, count as f64 / seconds, cpu / deliveries * 100_000.0]);
        }
        progress.add(1);
    }
    progress.finish();
    let mut report = Report::new("fanout");
    rounds.tell(&mut report);
    report.print();
    Ok(())
}

/// Returns when every device has got and acknowledged every message, in order.
async fn send_to_all(
    sender: &mut Client,
    devices: Vec<Client>,
    built: Built,
    in_flight: usize,
) -> Result<Vec<Client>> {
    let mut receiving = JoinSet::new();
    for device in devices {
        receiving.spawn(receive(device, built.messages.clone()));
    }
    let mut sending = Sending::new(built.frames, in_flight);
    while !sending.is_done() {
        sending.send(sender, sending.accepted).await?;
        let frame = timeout(PATIENCE, sender.next()).await.map_err(|_| "messages were not accepted")??;
        sending.hear(sender, frame).await?;
    }
    sender.flush().await?;
    let mut back = Vec::new();
    while let Some(device) = receiving.join_next().await {
        back.push(device??);
    }
    Ok(back)
}

/// Takes and acknowledges every message; the last one is opened and compared.
async fn receive(mut device: Client, messages: Vec<bytes::Bytes>) -> Result<Client> {
    let mut taken = 0;
    while taken < messages.len() {
        let first = timeout(PATIENCE, device.next()).await;
        let mut next = Some(first.map_err(|_| format!("{} messages were lost", messages.len() - taken))??);
        while let Some((_, body)) = next {
            let tell::Body::Deliver(deliver) = body else { return Err("not a delivery".into()) };
            device.take(&deliver)?;
            taken += deliver.entries.len();
            let last = deliver.entries.last().filter(|_| taken == messages.len());
            let opened = last.map(|entry| device.opener.message(entry, &deliver.payloads)).transpose()?;
            if opened.is_some_and(|message| message.as_ref() != messages.last()) {
                return Err("a message came in another's place".into());
            }
            next = device.ready()?;
        }
        device.feed_ack().await?;
        device.flush().await?;
    }
    Ok(device)
}
