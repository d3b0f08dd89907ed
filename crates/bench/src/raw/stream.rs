//! The sending side of a stream of messages: so many in flight, each timed.

use std::time::Instant;

use bytes::Bytes;
use zegel_proto::{Message as _, v1::server_frame as tell};

use super::{BUILT, Client};
use crate::common::Result;

/// What a remembered answer has beside the answer: a hash of the content, nonce and tag.
const SEALING: usize = 32 + 12 + 16;

/// See the module.
pub struct Sending {
    frames: Vec<Bytes>,
    in_flight: usize,
    /// When each was sent.
    pub sent_at: Vec<Instant>,
    /// How many the server has accepted.
    pub accepted: usize,
    /// How many confirmations came.
    pub confirmed: usize,
    /// Lengths in bytes of what the server keeps about one of them: the answer, the confirmation.
    pub kept: (usize, usize),
}

impl Sending {
    /// Nothing sent yet.
    pub fn new(frames: Vec<Bytes>, in_flight: usize) -> Self {
        let sent_at = Vec::with_capacity(frames.len());
        Self { frames, in_flight, sent_at, accepted: 0, confirmed: 0, kept: (0, 0) }
    }

    /// Whether all were accepted and confirmed.
    pub fn is_done(&self) -> bool {
        self.accepted == self.frames.len() && self.confirmed == self.frames.len()
    }

    /// Puts in line what may be in flight, of which `done` have arrived, and sends what is in line.
    pub async fn send(&mut self, client: &mut Client, done: usize) -> Result {
        while self.sent_at.len() < self.frames.len() && self.sent_at.len() < done + self.in_flight {
            let frame = std::mem::take(&mut self.frames[self.sent_at.len()]);
            self.sent_at.push(Instant::now());
            client.feed(frame).await?;
        }
        client.flush().await
    }

    /// Takes a frame, and all that are here already; confirmations are acknowledged together, with the next send.
    pub async fn hear(&mut self, client: &mut Client, first: (u64, tell::Body)) -> Result {
        let before = self.confirmed;
        let mut next = Some(first);
        while let Some((call, body)) = next {
            match body {
                tell::Body::Submitted(answer) if call >= BUILT => {
                    self.accepted += 1;
                    self.kept.0 = SEALING + answer.encoded_len();
                }
                tell::Body::Deliver(deliver) => {
                    client.take(&deliver)?;
                    self.kept.1 = deliver.entries.first().map_or(0, |entry| entry.sealed.len());
                    self.confirmed += deliver.entries.len();
                }
                other => return Err(format!("not an answer to a submission: {other:?}").into()),
            }
            next = client.ready()?;
        }
        match self.confirmed > before {
            true => client.feed_ack().await,
            false => Ok(()),
        }
    }
}
