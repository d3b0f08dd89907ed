//! What it costs the server to check a report, beside the two bare HMACs that no check can do without: one of the
//! content and one of the context.

use std::hint::black_box;
use std::time::Instant;

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zegel_franking::{
    Claimed, Context, Opened, StampKey, StampKeys, Verdict, check_report, franking_tag, stamp,
};

use crate::common::{Report, Result, median, percentile};

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// How many messages a report discloses
    #[arg(long, default_value_t = 30)]
    messages: usize,
    /// Sizes of the contents, in bytes
    #[arg(long, value_delimiter = ',', default_values_t = [1_000, 10_000])]
    bytes: Vec<usize>,
    /// How many reports are measured, after one that is not
    #[arg(long, default_value_t = 500)]
    rounds: usize,
    /// The most microseconds that a message may cost in the middle
    #[arg(long, default_value_t = 50.0)]
    at_most: f64,
}

const NOW_MS: u64 = 1_700_000_000_000;
const KEY: [u8; 32] = [7; 32];

/// A message as it was stamped.
struct Sent {
    context: [u8; zegel_franking::CONTEXT_LEN],
    stamp: [u8; 32],
    salt: [u8; 16],
    content: Vec<u8>,
}

/// Microseconds a message, one value a report; and how many times the bare HMACs that is.
#[derive(Default)]
struct Times {
    ours: Vec<f64>,
    bare: Vec<f64>,
    times: Vec<f64>,
}

/// Runs it.
pub fn run(args: Args) -> Result {
    let mut report = Report::new("report-check");
    let mut worst = 0.0_f64;
    for &bytes in &args.bytes {
        let times = measure(args.messages.max(1), bytes, args.rounds.max(1))?;
        worst = worst.max(median(&times.ours));
        report.row([
            ("messages", args.messages.max(1).into()),
            ("bytes", bytes.into()),
            ("us", median(&times.ours).into()),
            ("p10", percentile(&times.ours, 0.1).into()),
            ("p90", percentile(&times.ours, 0.9).into()),
            ("hmac us", median(&times.bare).into()),
            ("hmac p10", percentile(&times.bare, 0.1).into()),
            ("hmac p90", percentile(&times.bare, 0.9).into()),
            ("times", median(&times.times).into()),
            ("times p10", percentile(&times.times, 0.1).into()),
            ("times p90", percentile(&times.times, 0.9).into()),
        ]);
    }
    report.print();
    match worst <= args.at_most {
        true => Ok(()),
        false => {
            let most = args.at_most;
            Err(format!("while checking reports: a message costs {worst:.1} us, and {most} are allowed; try a release build").into())
        }
    }
}

fn measure(messages: usize, bytes: usize, rounds: usize) -> Result<Times> {
    let keys = StampKeys::new(StampKey::new(KEY), NOW_MS);
    let sent = conversation(messages, bytes);
    let run: Vec<Claimed<'_>> = sent.iter().map(Sent::claimed).collect();
    let mut times = Times::default();
    for round in 0..=rounds {
        // One after the other in every round, so that both meet the same weather.
        let begun = Instant::now();
        let links = black_box(check_report(&keys, NOW_MS, black_box(&run)));
        let ours = begun.elapsed().as_secs_f64() * 1e6 / messages as f64;
        let begun = Instant::now();
        for sent in black_box(&sent) {
            black_box(hmac(&sent.salt, &sent.content));
            black_box(hmac(&KEY, &sent.context));
        }
        let bare = begun.elapsed().as_secs_f64() * 1e6 / messages as f64;
        if links.len() != messages || links.iter().any(|link| link.verdict != Verdict::Proven) {
            return Err("while checking a report: an honest message was not proven".into());
        }
        // The first warms up.
        if round > 0 {
            times.ours.push(ours);
            times.bare.push(bare);
            times.times.push(ours / bare);
        }
    }
    Ok(times)
}

impl Sent {
    fn claimed(&self) -> Claimed<'_> {
        let content = Some(Opened { salt: &self.salt, bytes: &self.content });
        Claimed { context: &self.context, stamp: &self.stamp, content }
    }
}

fn conversation(messages: usize, bytes: usize) -> Vec<Sent> {
    let key = StampKey::new(KEY);
    let mut before = [0; 32];
    let mut send = |n: usize| {
        let (salt, content) = ([n as u8; 16], vec![n as u8; bytes]);
        let context = Context {
            key_id: 1,
            sender_account: [1; 16],
            sender_device: [2; 16],
            room: [3; 32],
            epoch: 4,
            server_seq: n as u64 + 1,
            accepted_ms: NOW_MS,
            franking_tag: franking_tag(&salt, &content),
            message_hash: [5; 32],
            prev_stamp_hash: before,
        };
        before = context.hash();
        Sent { context: context.to_bytes(), stamp: stamp(&key, &context), salt, content }
    };
    (0..messages).map(&mut send).collect()
}

fn hmac(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = <Hmac<Sha256> as Mac>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}
