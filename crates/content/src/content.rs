//! One message.

use std::fmt;

use crate::id::MessageId;
use crate::part::{Body, Disposition, Part};
use crate::shown::{EVENT_TYPE, Event, Shown, TEXT_TYPE};

/// One message, as its sender meant it. Nothing in it is proven until the franking tag has been checked
/// against its bytes, and `sender_uri` and `room_uri` against the MLS leaf and group.
#[derive(Clone, PartialEq, Eq)]
pub struct Content {
    /// Fresh random bytes: the key of the franking tag.
    pub salt: [u8; 16],
    /// The message that this one edits or, with a [`Body::Null`], deletes.
    pub replaces: Option<MessageId>,
    /// The thread within the conversation; empty for none.
    pub topic: Vec<u8>,
    /// When the message wants to vanish.
    pub expires: Option<Expires>,
    /// The message that this one answers.
    pub in_reply_to: Option<MessageId>,
    /// Who says so (extension 1).
    pub sender_uri: String,
    /// Where (extension 2).
    pub room_uri: String,
    /// The newest stamp that the sender had seen (extension 0xF001).
    pub last_seen: Option<LastSeen>,
    /// How often the message was forwarded before (extension 0xF002, absent when 0).
    pub forward_count: u32,
    /// The sender's clock in milliseconds since 1970 (extension 0xF003, absent when 0). The order and the time
    /// to trust are the stamp's.
    pub sent_ms: u64,
    /// The newest root of the key directory that the sender had seen (extension 0xF004).
    pub seen_root: Option<SeenRoot>,
    /// What is said.
    pub part: Part,
}

/// When a message wants to vanish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expires {
    /// Whether `time` counts from the moment it was read, and not from 1970.
    pub relative: bool,
    /// Seconds.
    pub time: u32,
}

/// A place in the conversation's chain of stamps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastSeen {
    /// The sequence number.
    pub server_seq: u64,
    /// The stamp hash with that number.
    pub stamp_hash: [u8; 32],
}

/// A root of the service's key directory, as the service signed it: people who were shown different directories find
/// out by it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenRoot {
    /// Its epoch.
    pub epoch: u64,
    /// Its hash.
    pub hash: [u8; 32],
    /// Which of the directory's keys signed it.
    pub signer: u32,
    /// Ed25519.
    pub signature: [u8; 64],
    /// The directory's keys as the sender knows them, oldest first; from one to [`MAX_SIGNERS`](crate::MAX_SIGNERS).
    pub signers: Vec<SeenSigner>,
}

/// A signing key of the key directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenSigner {
    /// Ed25519 public key.
    pub key: [u8; 32],
    /// Signature of the key before it; the first has none.
    pub endorsement: Option<[u8; 64]>,
}

impl Content {
    /// A text. Over [`MAX_TEXT`](crate::MAX_TEXT) it will not encode.
    pub fn text(
        salt: [u8; 16],
        sender_uri: impl Into<String>,
        room_uri: impl Into<String>,
        sent_ms: u64,
        text: impl Into<String>,
    ) -> Self {
        let part = single(Disposition::Render, TEXT_TYPE, text.into().into_bytes());
        Self::new(salt, sender_uri.into(), room_uri.into(), sent_ms, part)
    }

    /// Something that happened, told by a member's software to the others.
    pub fn event(
        salt: [u8; 16],
        sender_uri: impl Into<String>,
        room_uri: impl Into<String>,
        sent_ms: u64,
        event: Event,
    ) -> Self {
        Self::of_type(salt, sender_uri, room_uri, sent_ms, EVENT_TYPE, event.name().into())
    }

    /// What one member's software tells another's, beside what people say: never shown as a message.
    pub fn of_type(
        salt: [u8; 16],
        sender_uri: impl Into<String>,
        room_uri: impl Into<String>,
        sent_ms: u64,
        content_type: &str,
        body: Vec<u8>,
    ) -> Self {
        let part = single(Disposition::Unspecified, content_type, body);
        Self::new(salt, sender_uri.into(), room_uri.into(), sent_ms, part)
    }

    /// What to show of it.
    pub fn body(&self) -> Shown<'_> {
        Shown::of(&self.part)
    }

    fn new(salt: [u8; 16], sender_uri: String, room_uri: String, sent_ms: u64, part: Part) -> Self {
        Self {
            salt,
            replaces: None,
            topic: Vec::new(),
            expires: None,
            in_reply_to: None,
            sender_uri,
            room_uri,
            last_seen: None,
            forward_count: 0,
            sent_ms,
            seen_root: None,
            part,
        }
    }
}

fn single(disposition: Disposition, content_type: &str, content: Vec<u8>) -> Part {
    let body = Body::Single { content_type: content_type.to_owned(), content };
    Part { disposition, language: String::new(), body }
}

impl fmt::Debug for Content {
    /// Prints neither who, nor where, nor what: it may end up in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Content").field("part", &self.part).finish_non_exhaustive()
    }
}
