//! One link of a sigchain: its CBOR form and its signature.

use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zegel_proto::{AccountId, DeviceId, v1::SigchainEntry};

use crate::messages::link_message;

/// The version that every link's body begins with.
const VERSION: u16 = 1;
/// The largest link body accepted, in bytes.
pub const MAX_LINK: usize = 8 << 10;
/// Length of a queue key: HPKE with X-Wing (X25519 + ML-KEM-768), in bytes.
pub const QUEUE_KEY_LEN: usize = 1216;

/// A link that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// Not CBOR of the right shape, or too large.
    #[error("while reading a sigchain link: {0}")]
    Form(String),
    /// Made by a newer Zegel.
    #[error("while reading a sigchain link: version {0} is not known to this build; update it")]
    Version(u16),
}

/// A device as its account's chain lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeviceInfo {
    /// Its random name; also its mailbox.
    pub id: DeviceId,
    /// Ed25519; signs links, connections and MLS leaves.
    pub signing_key: [u8; 32],
    /// HPKE public key that the server seals mailbox hour keys to.
    #[serde(with = "serde_bytes")]
    pub queue_key: Vec<u8>,
    /// Ed25519 by `signing_key` over [`crate::device_proof_message`].
    #[serde(with = "serde_bytes")]
    pub proof: Vec<u8>,
}

impl DeviceInfo {
    /// Describes the device that holds `key`.
    pub fn new(account: &AccountId, id: DeviceId, key: &SigningKey, queue_key: Vec<u8>) -> Self {
        let proof = key.sign(&crate::device_proof_message(account, &id, &queue_key)).to_vec();
        Self { id, signing_key: key.verifying_key().to_bytes(), queue_key, proof }
    }

    pub(crate) fn proves_possession(&self, account: &AccountId) -> bool {
        let message = crate::device_proof_message(account, &self.id, &self.queue_key);
        crate::verify(&self.signing_key, &message, &self.proof)
    }
}

/// What a link does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    /// The first link: the account begins, with one device.
    Create {
        /// The handle; never reissued.
        handle: String,
        /// The branded app the account belongs to.
        app: String,
        /// The domain of the service.
        domain: String,
        /// The first device; it signs this link.
        device: DeviceInfo,
        /// Ed25519 public key of the recovery key.
        recovery: [u8; 32],
    },
    /// One more device.
    AddDevice(DeviceInfo),
    /// A device is gone for good.
    RevokeDevice(DeviceId),
    /// A new recovery key; only the old one may sign this.
    RotateRecovery([u8; 32]),
}

/// Who signs a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Signer {
    /// A device that the previous link lists.
    Device(DeviceId),
    /// The recovery key.
    Recovery,
}

/// The signed part of a link.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Format version.
    pub version: u16,
    /// Whose chain.
    pub account: AccountId,
    /// 0 for the first link, then one more each.
    pub seq: u64,
    /// [`SignedLink::hash`] of the link before; zero for the first.
    pub prev: [u8; 32],
    /// The signer's clock, milliseconds since 1970; for showing only.
    pub time_ms: u64,
    /// What it does.
    pub action: Action,
    /// Who signs.
    pub signer: Signer,
}

/// A link as it is stored and sent: the exact bytes that were signed, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedLink {
    /// CBOR of a [`Link`].
    pub body: Vec<u8>,
    /// Ed25519.
    pub signature: Vec<u8>,
}

impl SignedLink {
    /// Reads the body (without verifying anything).
    pub fn link(&self) -> Result<Link, LinkError> {
        if self.body.len() > MAX_LINK {
            return Err(LinkError::Form(format!("{} bytes are more than {MAX_LINK}", self.body.len())));
        }
        let mut rest = self.body.as_slice();
        let link: Link = ciborium::de::from_reader_with_recursion_limit(&mut rest, 16)
            .map_err(|e| LinkError::Form(e.to_string()))?;
        if !rest.is_empty() {
            return Err(LinkError::Form("bytes follow its end".into()));
        }
        if link.version != VERSION {
            return Err(LinkError::Version(link.version));
        }
        Ok(link)
    }

    /// SHA-256 over body and signature: what the next link names, and what the directory will hold.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update((self.body.len() as u64).to_be_bytes());
        hash.update(&self.body);
        hash.update(&self.signature);
        hash.finalize().into()
    }
}

impl From<SigchainEntry> for SignedLink {
    fn from(entry: SigchainEntry) -> Self {
        Self { body: entry.body.to_vec(), signature: entry.signature.to_vec() }
    }
}

impl From<SignedLink> for SigchainEntry {
    fn from(link: SignedLink) -> Self {
        Self { body: link.body.into(), signature: link.signature.into() }
    }
}

/// Makes and signs a link. `after` is the chain's length and head, `(0, [0; 32])` for a new account.
pub fn sign_link(
    account: AccountId,
    after: (u64, [u8; 32]),
    time_ms: u64,
    action: Action,
    signer: Signer,
    key: &SigningKey,
) -> SignedLink {
    let link = Link { version: VERSION, account, seq: after.0, prev: after.1, time_ms, action, signer };
    let mut body = Vec::new();
    ciborium::into_writer(&link, &mut body).expect("writing CBOR into memory cannot fail");
    let signature = key.sign(&link_message(&body)).to_vec();
    SignedLink { body, signature }
}
