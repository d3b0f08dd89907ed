//! Hashes that client and server compute alike; each has its own label.

use sha2::{Digest, Sha256};

use crate::{Address, GroupId, RoomId};

fn labelled(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    hash.update(label.as_bytes());
    hash.update([0]);
    for part in parts {
        hash.update(part);
    }
    hash.finalize().into()
}

/// H(address): what the server stores in place of an address.
pub fn address_hash(address: &Address) -> [u8; 32] {
    labelled("zegel address", &[&address.0])
}

/// H(address || group id): binds an address to the one conversation that may use it.
pub fn address_tag(address: &Address, group: &GroupId) -> [u8; 32] {
    labelled("zegel address tag", &[&address.0, &group.0])
}

/// H(group id): what a conversation is called in franking contexts, room URIs and the server's store.
pub fn room_of(group: &GroupId) -> RoomId {
    RoomId(labelled("zegel room", &[&group.0]))
}

/// SHA-256 of a head token or of a contact code's secret.
pub fn token_hash(token: &[u8]) -> [u8; 32] {
    labelled("zegel token", &[token])
}
