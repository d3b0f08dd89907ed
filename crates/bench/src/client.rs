//! What a message costs a device, beside what openmls alone costs in the same run.
//!
//! Ours is the whole step on a real profile: content, franking tag, MLS, outbox, line on screen, and the commit to
//! disk. openmls alone is measured twice: with its secrets never written, and with them written to memory after every
//! message, as it does by itself.

use std::time::{Duration, Instant};

use serde_json::Value;
use zegel_client::measure::{Bare, Pair};

use crate::common::{Progress, Report, Result, median, percentile};

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// Sizes of the group
    #[arg(long, value_delimiter = ',', default_values_t = [2, 32, 256, 1024])]
    members: Vec<usize>,
    /// How many rounds are measured, after one that is not
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// How many messages a transaction takes
    #[arg(long, default_value_t = 50)]
    batch: usize,
    /// How long a text is, in bytes
    #[arg(long, default_value_t = 256)]
    bytes: usize,
}

/// What surrounds a text in its content (sender, room, salt, times): openmls alone is given as much.
const AROUND: usize = 200;

/// Microseconds a message, one value a round.
#[derive(Default)]
struct Times {
    send: Vec<f64>,
    receive: Vec<f64>,
    confirm: Vec<f64>,
    /// openmls alone: sending and receiving, with secrets never written and with secrets written after each.
    bare: [[Vec<f64>; 2]; 2],
}

/// Runs it.
pub fn run(args: Args) -> Result {
    let mut report = Report::new("client");
    let (batch, rounds) = (args.batch.max(1), args.rounds.max(1));
    for &members in &args.members {
        let times = measure(members.max(2), rounds, batch, args.bytes.max(1))?;
        let [[send, receive], [kept_send, kept_receive]] = &times.bare;
        let rows = [
            ("encrypt+store", &times.send, Some((send, kept_send))),
            ("receive+decrypt+verify+store", &times.receive, Some((receive, kept_receive))),
            ("confirm", &times.confirm, None),
        ];
        for (what, ours, bare) in rows {
            let mut row = vec![
                ("members", members.into()),
                ("step", what.into()),
                ("us", round(median(ours))),
                ("p10", round(percentile(ours, 0.1))),
                ("p90", round(percentile(ours, 0.9))),
            ];
            if let Some((bare, kept)) = bare {
                row.push(("openmls us", round(median(bare))));
                row.push(("times", (median(ours) / median(bare)).into()));
                row.push(("openmls writing us", round(median(kept))));
                row.push(("times writing", (median(ours) / median(kept)).into()));
            }
            report.row(row);
        }
    }
    report.print();
    Ok(())
}

fn round(value: f64) -> Value {
    ((value * 10.0).round() / 10.0).into()
}

fn measure(members: usize, rounds: usize, batch: usize, bytes: usize) -> Result<Times> {
    let folder = tempfile::Builder::new().prefix("zegel-client-").tempdir()?;
    let progress = Progress::new(format!("{members} members"), rounds as u64 + 1);
    let mut pair = Pair::new(folder.path(), members)?;
    let mut bare = [Bare::new(members, false)?, Bare::new(members, true)?];
    let content = vec![b'x'; bytes + AROUND];
    let mut times = Times::default();
    for round in 0..=rounds {
        // One after the other in every round, so that both meet the same weather.
        let texts: Vec<String> = (0..batch).map(|n| text(bytes, round * batch + n)).collect();
        let (sent, send) = timed(|| pair.send(&texts))?;
        let mail = pair.stamp(sent)?;
        let ((), receive) = timed(|| pair.receive(&mail))?;
        let ((), confirm) = timed(|| pair.confirm(&mail))?;
        let each = |time: Duration| time.as_secs_f64() * 1e6 / batch as f64;
        for (bare, [bare_send, bare_receive]) in bare.iter_mut().zip(&mut times.bare) {
            let (messages, send) =
                timed(|| (0..batch).map(|_| bare.send(&content)).collect::<zegel_client::Result<Vec<_>>>())?;
            let ((), receive) = timed(|| messages.iter().try_for_each(|m| bare.receive(m).map(drop)))?;
            if round > 0 {
                bare_send.push(each(send));
                bare_receive.push(each(receive));
            }
        }
        if round > 0 {
            times.send.push(each(send));
            times.receive.push(each(receive));
            times.confirm.push(each(confirm));
        }
        progress.add(1);
    }
    progress.finish();
    let (shown, sent) = (pair.shown()?, (rounds + 1) * batch);
    match shown == sent {
        true => Ok(times),
        false => Err(format!("{sent} were sent and {shown} are shown").into()),
    }
}

fn text(bytes: usize, number: usize) -> String {
    let mut text = format!("message {number} ");
    text.extend(std::iter::repeat_n('x', bytes.saturating_sub(text.len())));
    text
}

fn timed<T>(step: impl FnOnce() -> zegel_client::Result<T>) -> Result<(T, Duration)> {
    let begun = Instant::now();
    let value = step()?;
    Ok((value, begun.elapsed()))
}
