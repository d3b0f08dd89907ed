//! Key transparency: who has which devices, in a directory that everyone sees alike.
//!
//! The directory maps a handle to the head of its account's sigchain. It only grows: every ten seconds in which
//! something changed, the service publishes an *epoch*, a signed [`Root`] over a tree that outsiders check
//! ([`audit`](crate#features)) and whose entries are proven one by one to whoever knows the handle. Roots name the
//! roots before them, so that a client that has seen one can tell whether the next belongs to the same history.
//!
//! What is not proven yet is promised: a [`Promise`] is signed at once, and broken visibly or not at all.
//!
//! *Invariant:* no I/O; whatever a verifier here accepts was signed by a key of the directory, belongs to the
//! history that it saw before, and never came from a panic-able path: proofs are foreign bytes.

#[cfg(feature = "audit")]
mod audit;
mod entry;
mod keys;
mod lie;
mod promise;
mod proof;
#[cfg(feature = "publisher")]
pub mod publisher;
mod root;
mod statement;
mod view;

#[cfg(feature = "audit")]
pub use audit::{MAX_PROOF, verify_append_only};
pub use entry::{Entry, EntryError, Label};
pub use keys::{KeysError, MAX_SIGNERS, SignerKey, SignerLink, Signers};
pub use lie::Lie;
pub use promise::{Promise, SignedPromise};
pub use proof::{Found, ProofError, verify_history, verify_lookup};
pub use root::{Root, RootError, SeenRoot, SignedRoot, next_step, path_epochs, skip_of};
pub use statement::{SignedStatement, Statement};
pub use view::View;

/// How often an epoch is published when something changed, milliseconds.
pub const EPOCH_MS: u64 = 10_000;
/// A promise that is not kept this long after it was made, by the service's own clock, is broken, milliseconds.
pub const PATIENCE_MS: u64 = 600_000;
/// How many epochs ahead of the newest root a promise may reach: one that never falls due is none.
pub const PROMISE_EPOCHS: u64 = 16;
/// How far ahead of the service's own clock, and of its newest root, a promise may be dated, milliseconds.
pub const CLOCK_SLACK_MS: u64 = 600_000;

/// How the tree is hashed: as WhatsApp's is, so that its auditors can read ours.
type Hashing = akd_core::WhatsAppV1Configuration;

/// What a directory key signs. Begins like every message of `zegel-identity`, and no two labels are alike.
fn labelled(label: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut message = format!("Zegel 1 {label}\0").into_bytes();
    for part in parts {
        message.extend((part.len() as u32).to_be_bytes());
        message.extend(*part);
    }
    message
}

fn digest(label: &str, parts: &[&[u8]]) -> [u8; 32] {
    use sha2::Digest;
    sha2::Sha256::digest(labelled(label, parts)).into()
}
