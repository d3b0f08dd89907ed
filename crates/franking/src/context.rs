//! What the server knows about a message that it carries: the part of a stamp that it vouches for.

use crate::hash::sha256;

/// The version of the layout that this build writes and reads.
pub const CONTEXT_VERSION: u16 = 1;

/// Length of an encoded context.
pub const CONTEXT_LEN: usize = 2 + 4 + 16 + 16 + 32 + 8 + 8 + 8 + 32 + 32 + 32;

/// What the server vouches for with a stamp. Encoded as in the TLS presentation language: the version, then
/// each field in this order, numbers in network order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context {
    /// Which of the server's keys made the stamp.
    pub key_id: u32,
    /// The account that the server authenticated.
    pub sender_account: [u8; 16],
    /// Its device.
    pub sender_device: [u8; 16],
    /// The hash of the group id.
    pub room: [u8; 32],
    /// The MLS epoch.
    pub epoch: u64,
    /// The place in the conversation; it grows by one with every stamp.
    pub server_seq: u64,
    /// When the server accepted it, in milliseconds since 1970.
    pub accepted_ms: u64,
    /// The sender's commitment, or [`ZERO_TAG`](crate::ZERO_TAG) for a commit.
    pub franking_tag: [u8; 32],
    /// SHA-256 of the ciphertext.
    pub message_hash: [u8; 32],
    /// [`Context::hash`] of the stamp before this one.
    pub prev_stamp_hash: [u8; 32],
}

/// Bytes that are not a context.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ContextError {
    /// A layout that this build does not know.
    #[error("a stamp context of version {0}, and only version {CONTEXT_VERSION} is known here")]
    Version(u16),
    /// Too short or too long.
    #[error("a stamp context of {got} bytes, and it must be {CONTEXT_LEN}")]
    Length {
        /// Its length in bytes.
        got: usize,
    },
}

impl Context {
    /// The bytes that are stamped.
    pub fn to_bytes(&self) -> [u8; CONTEXT_LEN] {
        let mut bytes = [0; CONTEXT_LEN];
        let mut rest = bytes.as_mut_slice();
        put(&mut rest, CONTEXT_VERSION.to_be_bytes());
        put(&mut rest, self.key_id.to_be_bytes());
        put(&mut rest, self.sender_account);
        put(&mut rest, self.sender_device);
        put(&mut rest, self.room);
        put(&mut rest, self.epoch.to_be_bytes());
        put(&mut rest, self.server_seq.to_be_bytes());
        put(&mut rest, self.accepted_ms.to_be_bytes());
        put(&mut rest, self.franking_tag);
        put(&mut rest, self.message_hash);
        put(&mut rest, self.prev_stamp_hash);
        bytes
    }

    /// Reads what [`Context::to_bytes`] wrote. The version comes first, so that a longer layout of a later
    /// version is refused as what it is.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, ContextError> {
        let wrong_length = ContextError::Length { got: bytes.len() };
        let (version, mut rest) = bytes.split_first_chunk().ok_or(wrong_length)?;
        match u16::from_be_bytes(*version) {
            CONTEXT_VERSION if bytes.len() == CONTEXT_LEN => {}
            CONTEXT_VERSION => return Err(wrong_length),
            unknown => return Err(ContextError::Version(unknown)),
        }
        let rest = &mut rest;
        let context = Self {
            key_id: u32::from_be_bytes(take(rest).ok_or(wrong_length)?),
            sender_account: take(rest).ok_or(wrong_length)?,
            sender_device: take(rest).ok_or(wrong_length)?,
            room: take(rest).ok_or(wrong_length)?,
            epoch: u64::from_be_bytes(take(rest).ok_or(wrong_length)?),
            server_seq: u64::from_be_bytes(take(rest).ok_or(wrong_length)?),
            accepted_ms: u64::from_be_bytes(take(rest).ok_or(wrong_length)?),
            franking_tag: take(rest).ok_or(wrong_length)?,
            message_hash: take(rest).ok_or(wrong_length)?,
            prev_stamp_hash: take(rest).ok_or(wrong_length)?,
        };
        Ok(context)
    }

    /// The stamp hash: what the next context in the conversation names as the one before it.
    pub fn hash(&self) -> [u8; 32] {
        sha256(&self.to_bytes())
    }
}

fn put<const N: usize>(rest: &mut &mut [u8], field: [u8; N]) {
    let (head, tail) =
        std::mem::take(rest).split_first_chunk_mut().expect("CONTEXT_LEN is the sum of the fields");
    *head = field;
    *rest = tail;
}

fn take<const N: usize>(rest: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = rest.split_first_chunk()?;
    *rest = tail;
    Some(*head)
}
