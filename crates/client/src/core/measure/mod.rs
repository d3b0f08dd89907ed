//! The make and receive path without a network, for `zegel-bench client`.
//!
//! Two real profiles on disk and the steps that every message goes through, with a stand-in for the server between them
//! that stamps. Entries are handed in opened: the hour key's AES is left out. See [`Bare`] for what it is held against.

mod bare;
mod people;

use std::path::Path;

use sha2::{Digest, Sha256};
use zegel_franking::{Context, StampKey, ZERO_TAG, stamp};
use zegel_proto::{Kind as MlsKind, Message as _, read_mls_head, v1};

pub use self::bare::Bare;
use self::people::{People, device, now_ms};
use super::{Core, mailbox::Opened, outbox::Ready};
use crate::{
    Error, Result,
    db::{Conversation, Intent, ItemKind, OutboxRow},
};

const DOING: &str = "measuring";

fn odd(why: impl std::fmt::Display) -> Error {
    Error::mls(DOING)(&why)
}

/// Two devices of a group of any size.
pub struct Pair {
    sender: Core,
    receiver: Core,
    conversation: Conversation,
    post: Post,
}

/// Messages with their stamps, on their way to the receiver, and the confirmations for the sender.
pub struct Mail {
    messages: Vec<Opened>,
    confirmations: Vec<Opened>,
}

impl Pair {
    /// Two profiles in a folder, and a group of `members` (at least 2) that both are in.
    pub fn new(folder: &Path, members: usize) -> Result<Self> {
        let (mut sender, of_sender) = device(folder, "sender")?;
        let (mut receiver, of_receiver) = device(folder, "receiver")?;
        let mut people = People::new(members.saturating_sub(2))?;
        let address = people.invite(&mut receiver)?;
        people.introduce(&mut sender, [&of_sender, &of_receiver])?;
        people.introduce(&mut receiver, [&of_sender, &of_receiver])?;
        let rows = sender.found_group("measured", &people.accounts, &people.packages)?;
        let conversation = sender.db.conversations()?.pop().ok_or_else(|| odd("no group was founded"))?;
        let mut pair = Self { sender, receiver, conversation, post: Post::default() };
        let mut last = None;
        for row in rows {
            let made = match pair.sender.db.outbox_row(row)? {
                Some(row) if row.intent == Intent::Found => row,
                _ => pair
                    .sender
                    .make_add(row, &people.accounts, &people.packages)?
                    .ok_or_else(|| odd("nobody was added"))?,
            };
            let mail = pair.carry(std::slice::from_ref(&made))?;
            pair.confirm(&mail)?;
            last = Some((made, mail));
        }
        let (made, _) = last.ok_or_else(|| odd("nobody was invited"))?;
        pair.welcome(&made, address)?;
        Ok(pair)
    }

    fn welcome(&mut self, made: &OutboxRow, address: bytes::Bytes) -> Result<()> {
        let submit = v1::Submit::decode(made.submit.as_slice()).map_err(odd)?;
        let welcome = submit.welcome.unwrap_or_default();
        let entry = v1::entry::Body::Introduction(v1::Introduction {
            origin: self.post.last.clone(),
            welcome: welcome.welcome,
            tree_blob: welcome.tree_blob,
            group_id: submit.group_id,
            address,
            ..Default::default()
        });
        let opened = [self.post.entry(entry, true)];
        self.receiver.take(&opened)?;
        if self.receiver.db.is_held(&self.conversation.group)? {
            self.receiver.take_held(&self.conversation.group, Some(&made.blob.1))?;
        }
        let request = self.receiver.requests()?.pop().ok_or_else(|| odd("the invitation was not taken"))?;
        self.receiver.accept(&request).map(drop)
    }

    /// Says and encrypts these texts in one transaction.
    pub fn send(&mut self, texts: &[String]) -> Result<Vec<Sent>> {
        let conversation = &self.conversation;
        self.sender.step(|core| {
            let mut sent = Vec::with_capacity(texts.len());
            for text in texts {
                let (content, _, item) = core.text_content(conversation, text)?;
                let row = core.db.add_intent(conversation.id, &Intent::App(content), item, 0)?;
                let row = core.db.outbox_row(row)?.ok_or_else(|| odd("the outbox lost a row"))?;
                match core.make(row)? {
                    Some(Ready::Send(row)) => sent.push(Sent(row)),
                    _ => return Err(odd("a text did not become a message")),
                }
            }
            Ok(sent)
        })
    }

    /// What the server does: stamps each, in order.
    pub fn stamp(&mut self, sent: Vec<Sent>) -> Result<Mail> {
        let rows: Vec<OutboxRow> = sent.into_iter().map(|sent| *sent.0).collect();
        self.carry(&rows)
    }

    fn carry(&mut self, rows: &[OutboxRow]) -> Result<Mail> {
        let mut mail = Mail { messages: Vec::new(), confirmations: Vec::new() };
        for row in rows {
            let submit = v1::Submit::decode(row.submit.as_slice()).map_err(odd)?;
            let stamped = self.post.stamp(&self.sender, &self.conversation, &submit.message)?;
            let confirmation =
                v1::Confirmation { submission_id: submit.submission_id, stamps: vec![stamped.clone()] };
            let message = v1::Message {
                stamped: Some(stamped),
                message: submit.message,
                group_id: submit.group_id,
                ..Default::default()
            };
            mail.confirmations.push(self.post.entry(v1::entry::Body::Confirmation(confirmation), false));
            if matches!(row.intent, Intent::App(_)) {
                mail.messages.push(self.post.entry(v1::entry::Body::Message(message), true));
            }
        }
        Ok(mail)
    }

    /// Decrypts, verifies and stores in one transaction.
    pub fn receive(&mut self, mail: &Mail) -> Result<()> {
        self.receiver.take(&mail.messages).map(drop)
    }

    /// Clears the sender's outbox by the confirmations, in one transaction.
    pub fn confirm(&mut self, mail: &Mail) -> Result<()> {
        self.sender.take(&mail.confirmations).map(drop)
    }

    /// How many texts the receiver sees; an error if anything was hidden or seems to be missing.
    pub fn shown(&self) -> Result<usize> {
        let items = self.receiver.db.items(None, 0, false)?;
        match items.iter().find(|item| matches!(item.kind, ItemKind::Hidden | ItemKind::Gap)) {
            Some(item) => Err(odd(&item.text)),
            None => Ok(items.iter().filter(|item| item.kind == ItemKind::Text).count()),
        }
    }
}

/// A message in the sender's outbox.
pub struct Sent(Box<OutboxRow>);

/// The server's part: stamps and mailbox numbers.
struct Post {
    key: StampKey,
    seq: u64,
    prev: [u8; 32],
    last: Option<v1::Stamped>,
    /// The next numbers in the receiver's and the sender's mailbox.
    next: [u64; 2],
}

impl Default for Post {
    fn default() -> Self {
        Self { key: StampKey::new([7; 32]), seq: 1, prev: [0; 32], last: None, next: [1, 1] }
    }
}

impl Post {
    fn entry(&mut self, body: v1::entry::Body, to_receiver: bool) -> Opened {
        let next = &mut self.next[usize::from(!to_receiver)];
        let seq = *next;
        *next += 1;
        Opened { seq, entry: Ok(v1::Entry { body: Some(body), padding: Default::default() }) }
    }

    fn stamp(&mut self, sender: &Core, conversation: &Conversation, message: &[u8]) -> Result<v1::Stamped> {
        let head = read_mls_head(message).map_err(odd)?;
        let context = Context {
            key_id: 1,
            sender_account: sender.me.account.0,
            sender_device: sender.me.device.0,
            room: conversation.room.0,
            epoch: head.epoch,
            server_seq: self.seq,
            accepted_ms: now_ms(),
            franking_tag: match head.kind {
                MlsKind::Application { franking_tag } => franking_tag,
                MlsKind::Commit => ZERO_TAG,
            },
            message_hash: Sha256::digest(message).into(),
            prev_stamp_hash: self.prev,
        };
        self.seq += 1;
        self.prev = context.hash();
        let stamp = stamp(&self.key, &context).to_vec().into();
        let stamped = v1::Stamped { context: context.to_bytes().to_vec().into(), stamp };
        self.last = Some(stamped.clone());
        Ok(stamped)
    }
}
