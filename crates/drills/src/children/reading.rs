//! Whether somebody read.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use zegel_client::AgeBand;
use zegel_proto::{DeviceId, Message as _, v1::client_frame as ask};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Frame, Passing, Person, Stage, befriend, device_of, pass},
};

/// Somebody wants to know whether a message was read.
pub const READING: Drill = Drill {
    name: "reading-tells-nothing",
    attacker: Attacker::Member,
    attempt: "Alice writes to Mia, and compares every frame that her changed client gets while Mia leaves a message unread with those while she reads one.",
    defence: "Reading happens on the device: it calls nobody, and there is no message that would tell of it.",
    caught: "at once: the frames are the same",
    run: |stage| Box::pin(reading(stage)),
};

/// How long what reading might send is waited for.
const LISTENS: Duration = Duration::from_millis(1500);

/// A frame, as whoever sees it pass can tell it from others: whose, upwards, its kind and its size.
type Seen = (Option<DeviceId>, bool, String, usize);
type Log = Arc<Mutex<Vec<Seen>>>;

async fn reading(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let mia = Person::registers_as(AgeBand::Teen, "mia", &proxy.url()).await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    befriend(&mia, &alice).await?;
    for who in [&mia, &alice] {
        stage.proven(&who.handle).await?;
        who.looks().await?;
        who.client()?.sync(crate::kit::WAIT).await?;
    }
    // Tokens, looks at the directory and all that befriending brings.
    tokio::time::sleep(Duration::from_secs(3)).await;
    let log = Log::default();
    let seen = log.clone();
    proxy
        .rule(move |passing: Passing| {
            let frame = match &passing.frame {
                Frame::Up(frame) => frame
                    .body
                    .as_ref()
                    .filter(|body| !is_lookup(body))
                    .map(|body| (true, name(body), frame.encoded_len())),
                Frame::Down(frame) if passing.asked.as_ref().is_some_and(is_lookup) => None,
                Frame::Down(frame) => {
                    frame.body.as_ref().map(|body| (false, name(body), frame.encoded_len()))
                }
                Frame::RawDown(_) => None,
            };
            if let Some((up, kind, size)) = frame {
                seen.lock().expect("no panic holds this lock").push((passing.device, up, kind, size));
            }
            pass(passing)
        })
        .await;
    let mut rounds = Vec::new();
    for (number, reads) in [false, true, false].into_iter().enumerate() {
        rounds.push(round(&log, &alice, &mia, number, reads).await?);
    }
    let [unread, read, again] = &rounds[..] else { return Err("three rounds".into()) };
    carried_out(!unread.sender.is_empty() && unread.sender == again.sender, "comparing what is the same")?;
    held(read.after.is_empty(), format!("Mia's device sends {:?} when she reads", kinds(&read.after)))?;
    held(
        read.sender == unread.sender,
        format!(
            "Alice's frames are {:?}, and {:?} when Mia read",
            kinds(&unread.sender),
            kinds(&read.sender)
        ),
    )?;
    let seen_by_alice = alice.said_by("mia");
    held(seen_by_alice == ["hello alice"], format!("Alice reads {seen_by_alice:?}"))?;
    mia.sends("I saw it", "alice").await?;
    alice.reads("I saw it").await?;
    let after = log.lock().expect("no panic holds this lock").len();
    carried_out(after > 0, "seeing a frame when something is said")?;
    Ok(format!("{} frames of Alice's, alike whether Mia read or not; reading sent none", read.sender.len()))
}

/// What passed while a message was left, or read.
struct Round {
    /// All of the sender's.
    sender: Vec<Seen>,
    /// The reader's, after the message had come.
    after: Vec<Seen>,
}

async fn round(log: &Log, alice: &Person, mia: &Person, number: usize, reads: bool) -> Verdict<Round> {
    let take = || std::mem::take(&mut *log.lock().expect("no panic holds this lock"));
    let (alices, mias) = (device_of(alice)?, device_of(mia)?);
    take();
    let text = format!("have you seen {number}?");
    alice.sends(&text, "mia").await?;
    mia.reads(&text).await?;
    tokio::time::sleep(LISTENS).await;
    let mut all = take();
    let is_new = || -> Verdict<bool> {
        let lines = mia.client()?.read(Some("alice"), 0, true, false)?;
        Ok(lines.iter().any(|line| line.text == text))
    };
    carried_out(is_new()?, "an unread message")?;
    if reads {
        mia.client()?.read(Some("alice"), 0, true, true)?;
        carried_out(!is_new()?, "reading it")?;
    }
    tokio::time::sleep(LISTENS).await;
    let later = take();
    all.extend(later.iter().cloned());
    let of = |device: DeviceId, frames: Vec<Seen>| -> Vec<Seen> {
        let mut frames: Vec<_> = frames.into_iter().filter(|frame| frame.0 == Some(device)).collect();
        // A push and an answer may overtake each other.
        frames.sort();
        frames
    };
    Ok(Round { sender: of(alices, all), after: of(mias, later) })
}

/// Looks at the directory happen by the clock, whatever anybody does.
fn is_lookup(call: &ask::Body) -> bool {
    matches!(call, ask::Body::FetchRoot(_) | ask::Body::FetchAccount(_))
}

/// The kind of a frame, by the name of its variant.
fn name(body: &impl std::fmt::Debug) -> String {
    let shown = format!("{body:?}");
    shown.split(['(', ' ']).next().unwrap_or_default().to_owned()
}

fn kinds(frames: &[Seen]) -> Vec<String> {
    frames.iter().map(|(_, up, kind, size)| format!("{}{kind} {size}", if *up { ">" } else { "<" })).collect()
}
