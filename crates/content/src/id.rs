//! The id by which replies, edits and reactions name a message.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::content::Content;

/// SHA-256 in IANA's registry of named hash algorithms.
const SHA_256: u8 = 1;

/// Names a message: one byte for the hash algorithm, then the first 31 bytes of the hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageId(pub [u8; 32]);

/// A text that is not a message id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a message id is 64 hexadecimal digits")]
pub struct MessageIdError;

/// The id of a message. `encoded` are the bytes that were sent or received, not a new encoding of `content`.
///
/// As in draft-ietf-mimi-content-09, each URI comes after its length, so that no two pairs of URIs run
/// together alike; and the salt comes once more at the end, so that nobody can extend a hash to a longer message.
pub fn message_id(content: &Content, encoded: &[u8]) -> MessageId {
    let hash = Sha256::new()
        .chain_update(length(&content.sender_uri))
        .chain_update(&content.sender_uri)
        .chain_update(length(&content.room_uri))
        .chain_update(&content.room_uri)
        .chain_update(encoded)
        .chain_update(content.salt)
        .finalize();
    let mut id = [SHA_256; 32];
    id[1..].copy_from_slice(&hash[..31]);
    MessageId(id)
}

/// Two bytes always suffice for a URI in a content that can be encoded.
fn length(uri: &str) -> [u8; 2] {
    u16::try_from(uri.len()).unwrap_or(u16::MAX).to_be_bytes()
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MessageId({self})")
    }
}

impl FromStr for MessageId {
    type Err = MessageIdError;

    fn from_str(text: &str) -> Result<Self, MessageIdError> {
        let mut id = [0; 32];
        hex::decode_to_slice(text, &mut id).map_err(|_| MessageIdError)?;
        Ok(Self(id))
    }
}
