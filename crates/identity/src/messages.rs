//! What device keys sign beside MLS. Each message begins with a label of its own, and none begins with
//! "MLS 1.0 ", so that a signature made for one purpose serves no other.

use ed25519_dalek::{Signature, VerifyingKey};
use zegel_proto::{AccountId, DeviceId};

fn labelled(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut message = format!("Zegel 1 {label}\0").into_bytes();
    for part in parts {
        message.extend((part.len() as u32).to_be_bytes());
        message.extend(*part);
    }
    message
}

pub(crate) fn link_message(body: &[u8]) -> Vec<u8> {
    labelled("sigchain link", &[body])
}

/// What a device signs to open a connection: `nonce` is the one the server just sent.
pub fn auth_message(domain: &str, nonce: &[u8], account: &AccountId, device: &DeviceId) -> Vec<u8> {
    labelled("authenticate", &[domain.as_bytes(), nonce, &account.0, &device.0])
}

/// What a new device signs so that nobody can list a key that is not theirs.
pub fn device_proof_message(account: &AccountId, device: &DeviceId, queue_key: &[u8]) -> Vec<u8> {
    labelled("new device", &[&account.0, &device.0, queue_key])
}

/// What a device signs when it asks to be let into a conversation again.
pub fn rejoin_message(
    group: &[u8],
    account: &AccountId,
    device: &DeviceId,
    key_package: &[u8],
    asked_ms: u64,
) -> Vec<u8> {
    labelled("rejoin", &[group, &account.0, &device.0, key_package, &asked_ms.to_be_bytes()])
}

/// Strict Ed25519 verification (small-order keys are refused).
pub fn verify(key: &[u8; 32], message: &[u8], signature: &[u8]) -> bool {
    let Ok(key) = VerifyingKey::from_bytes(key) else { return false };
    let Ok(signature) = Signature::from_slice(signature) else { return false };
    key.verify_strict(message, &signature).is_ok()
}
