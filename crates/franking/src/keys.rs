//! The server's ring of stamp keys: one that stamps, and those before it for as long as their stamps can
//! still be reported.

use std::collections::BTreeMap;
use std::fmt;

use zeroize::Zeroizing;

use crate::stamp::StampKey;

/// How long after it was accepted a message can be reported: 90 days.
pub const REPORTING_WINDOW_MS: u64 = 90 * 24 * 60 * 60 * 1000;

/// The ring. The key with the highest id is the current one; ids are never used again.
#[derive(Debug)]
pub struct StampKeys {
    current: u32,
    keys: BTreeMap<u32, Held>,
}

#[derive(Debug)]
struct Held {
    key: StampKey,
    created_ms: u64,
    retired_ms: Option<u64>,
}

/// A key as it is written to the server's key file.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyPart {
    /// Its id.
    pub id: u32,
    /// Its 32 bytes in hexadecimal.
    pub key_hex: Zeroizing<String>,
    /// When it began to stamp, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it ceased to; none for the current one.
    pub retired_ms: Option<u64>,
}

/// Why a ring could not be read or rotated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeysError {
    /// A key is not 64 hexadecimal digits.
    #[error("stamp key {0} is not 64 hexadecimal digits")]
    NotHex(u32),
    /// Two keys have the same id.
    #[error("stamp key {0} comes twice")]
    Twice(u32),
    /// There must be exactly one current key, and it must have the highest id.
    #[error("not exactly the stamp key with the highest id is current")]
    Current,
    /// There is no id left for a new key.
    #[error("no id is left for a new stamp key")]
    Exhausted,
}

impl StampKeys {
    /// A ring with its first key, which has id 1. Keys are fresh random bytes from the caller.
    pub fn new(key: StampKey, now_ms: u64) -> Self {
        let first = Held { key, created_ms: now_ms, retired_ms: None };
        Self { current: 1, keys: BTreeMap::from([(1, first)]) }
    }

    /// The id of the key to stamp with.
    pub fn current_id(&self) -> u32 {
        self.current
    }

    /// A key, unless it was never there or has been destroyed.
    pub fn get(&self, id: u32) -> Option<&StampKey> {
        self.keys.get(&id).map(|held| &held.key)
    }

    /// Retires the current key in favour of a new one, whose id it returns.
    pub fn rotate(&mut self, key: StampKey, now_ms: u64) -> Result<u32, KeysError> {
        let next = self.current.checked_add(1).ok_or(KeysError::Exhausted)?;
        if let Some(held) = self.keys.get_mut(&self.current) {
            // A clock that went back must not shorten the time that the key's last stamps can be reported.
            held.retired_ms = Some(now_ms.max(held.created_ms));
        }
        self.keys.insert(next, Held { key, created_ms: now_ms, retired_ms: None });
        self.current = next;
        Ok(next)
    }

    /// Destroys every key whose last stamp is older than the reporting window, and returns their ids. The
    /// caller must then write the ring again, or the file keeps them.
    pub fn expire(&mut self, now_ms: u64) -> Vec<u32> {
        let over = |held: &mut Held| {
            held.retired_ms.is_some_and(|at| now_ms > at.saturating_add(REPORTING_WINDOW_MS))
        };
        self.keys.extract_if(.., |_, held| over(held)).map(|(id, _)| id).collect()
    }

    /// All keys by id, to be written to a file.
    pub fn to_parts(&self) -> Vec<KeyPart> {
        let part = |(&id, held): (&u32, &Held)| KeyPart {
            id,
            key_hex: Zeroizing::new(hex::encode(held.key.bytes())),
            created_ms: held.created_ms,
            retired_ms: held.retired_ms,
        };
        self.keys.iter().map(part).collect()
    }

    /// A ring as it was written.
    pub fn from_parts(parts: &[KeyPart]) -> Result<Self, KeysError> {
        let mut keys = BTreeMap::new();
        for part in parts {
            let mut bytes = Zeroizing::new([0; 32]);
            hex::decode_to_slice(part.key_hex.as_bytes(), bytes.as_mut())
                .map_err(|_| KeysError::NotHex(part.id))?;
            let key = StampKey::new(*bytes);
            let held = Held { key, created_ms: part.created_ms, retired_ms: part.retired_ms };
            if keys.insert(part.id, held).is_some() {
                return Err(KeysError::Twice(part.id));
            }
        }
        let mut current = keys.iter().filter(|(_, held)| held.retired_ms.is_none()).map(|(id, _)| *id);
        match (current.next(), current.next(), keys.keys().next_back()) {
            (Some(id), None, Some(&last)) if id == last => Ok(Self { current: id, keys }),
            _ => Err(KeysError::Current),
        }
    }
}

impl fmt::Debug for KeyPart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("KeyPart");
        shown.field("id", &self.id).field("created_ms", &self.created_ms);
        shown.field("retired_ms", &self.retired_ms).finish_non_exhaustive()
    }
}
