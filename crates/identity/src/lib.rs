//! Accounts, devices and their signed history: the sigchain.
//!
//! A device makes its own keys and they never leave it. The list of an account's devices is a chain of signed
//! links (DESIGN.md section 4). Server and clients hold a chain to the same rules with the same code.
//!
//! *Invariant:* no I/O; a chain that [`Chain`] holds was verified link by link from the first one on, and a
//! device that was revoked can never be listed again.

mod chain;
mod link;
mod messages;

pub use chain::{Chain, ChainError, Device};
pub use link::{Action, DeviceInfo, Link, LinkError, MAX_LINK, QUEUE_KEY_LEN, SignedLink, Signer, sign_link};
pub use messages::{auth_message, device_proof_message, rejoin_message, verify};

pub use ed25519_dalek::SigningKey;

/// A fresh Ed25519 signing key from the operating system's randomness.
pub fn new_signing_key() -> SigningKey {
    let mut seed = zeroize::Zeroizing::new([0; 32]);
    getrandom::fill(seed.as_mut()).expect("the operating system gives random bytes");
    SigningKey::from_bytes(&seed)
}
