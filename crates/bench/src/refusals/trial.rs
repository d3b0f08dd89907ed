//! One introduction as its sender sees it: frames and times.

use std::time::Instant;

use tokio::time::timeout;
use zegel_proto::{
    Message as _,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::kinds::Kind;
use crate::{
    common::Result,
    raw::{BUILT, Client, PATIENCE, Talk},
};

/// An introduction that is about to be made.
pub struct Attempt {
    pub kind: Kind,
    /// Who makes it: a place in the list of senders.
    pub sender: usize,
    pub talk: Talk,
    pub newcomer: v1::Newcomer,
}

/// What the sender saw.
pub struct Seen {
    pub kind: Kind,
    /// Milliseconds until the answer, until the confirmation was pushed, and until a message right after was answered.
    pub times: [f64; 3],
    /// Every frame, by what it is and how long.
    pub frames: Vec<(&'static str, usize)>,
    /// Whether the confirmation came before the answer.
    pub confirmed_first: bool,
    /// An hour began for the sender, and a frame brought its key: longer than others, whatever became of the
    /// introduction.
    pub at_the_hour: bool,
}

/// The names of the times.
pub const TIMES: [&str; 3] = ["answer", "confirmation", "next call"];

impl Attempt {
    /// Makes it.
    pub async fn make(mut self, sender: &mut Client) -> Result<Seen> {
        let introduction = frame(BUILT, self.talk.adds(vec![self.newcomer.clone()]));
        self.talk.join(&self.newcomer)?;
        let next = frame(BUILT + 1, self.talk.text());
        let mut seen = Seen {
            kind: self.kind,
            times: [0.0; 3],
            frames: Vec::new(),
            confirmed_first: false,
            at_the_hour: false,
        };
        let (answer, confirmation) = seen.listen(sender, introduction).await?;
        seen.confirmed_first = confirmation < answer;
        let (next, _) = seen.listen(sender, next).await?;
        seen.times = [answer, confirmation, next];
        Ok(seen)
    }
}

impl Seen {
    /// Sends, and waits for answer and confirmation; the milliseconds until each.
    async fn listen(&mut self, sender: &mut Client, frame: bytes::Bytes) -> Result<(f64, f64)> {
        let begun = Instant::now();
        sender.feed(frame).await?;
        sender.flush().await?;
        let (mut answer, mut confirmation) = (None, None);
        loop {
            let (_, body) = timeout(PATIENCE, sender.next()).await??;
            let now = begun.elapsed().as_secs_f64() * 1000.0;
            match body {
                tell::Body::Submitted(submitted) => {
                    answer = Some(now);
                    self.frames.push(("answer", submitted.encoded_len()));
                }
                tell::Body::Deliver(deliver) => {
                    confirmation = Some(now);
                    sender.take(&deliver)?;
                    self.at_the_hour |= !deliver.hour_keys.is_empty();
                    self.frames.push(("delivery", length(deliver)));
                }
                other => return Err(format!("not an answer to an introduction: {other:?}").into()),
            }
            if let (Some(answer), Some(confirmation)) = (answer, confirmation) {
                return Ok((answer, confirmation));
            }
        }
    }
}

/// How long a delivery is but for the numbers of mailbox and key, which go on for each sender by themselves.
fn length(mut deliver: v1::Deliver) -> usize {
    for entry in &mut deliver.entries {
        (entry.seq, entry.hour_key) = (0, 0);
    }
    deliver.encoded_len()
}

fn frame(call: u64, submit: v1::Submit) -> bytes::Bytes {
    v1::ClientFrame { call, body: Some(ask::Body::Submit(submit)) }.encode_to_vec().into()
}
