//! The keys that sign roots and promises: one at a time, each named by the one before it.

use ed25519_dalek::{Signer as _, SigningKey};
use serde::{Deserialize, Serialize};
use zegel_proto::v1;

use crate::labelled;

/// So many keys a directory has at most, one after the other: a list of them must fit into a message.
pub const MAX_SIGNERS: usize = 16;

/// Why a list of directory keys is not taken.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum KeysError {
    /// None at all.
    #[error("the directory has no signing key")]
    Empty,
    /// More than [`MAX_SIGNERS`].
    #[error("the directory has {0} signing keys, which is more than it may have")]
    TooMany(usize),
    /// One is malformed, or the one before it did not sign it.
    #[error("the directory's signing key number {0} was not named by the one before it")]
    Endorsement(usize),
}

/// A signing key of the directory, and the signature of the one before it (empty for the first).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignerLink {
    /// Ed25519 public key.
    pub key: [u8; 32],
    /// Ed25519 by the key before it.
    pub endorsement: Vec<u8>,
}

/// The directory's signing keys in order; the last is in use.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signers {
    keys: Vec<[u8; 32]>,
    /// For every key, the signature of the one before it.
    endorsements: Vec<Vec<u8>>,
}

fn endorsement(domain: &str, number: usize, key: &[u8; 32]) -> Vec<u8> {
    labelled("directory key", &[domain.as_bytes(), &(number as u64).to_be_bytes(), key])
}

impl Signers {
    /// Verifies a list from its first key on.
    pub fn verify(domain: &str, links: &[SignerLink]) -> Result<Self, KeysError> {
        if links.len() > MAX_SIGNERS {
            return Err(KeysError::TooMany(links.len()));
        }
        let mut keys: Vec<[u8; 32]> = Vec::with_capacity(links.len());
        for (number, link) in links.iter().enumerate() {
            if let Some(before) = keys.last() {
                let message = endorsement(domain, number, &link.key);
                if !zegel_identity::verify(before, &message, &link.endorsement) {
                    return Err(KeysError::Endorsement(number));
                }
            }
            keys.push(link.key);
        }
        if keys.is_empty() {
            return Err(KeysError::Empty);
        }
        Ok(Self { keys, endorsements: links.iter().map(|link| link.endorsement.clone()).collect() })
    }

    /// Whether these are the keys of `older`, and perhaps more.
    pub fn continues(&self, older: &Self) -> bool {
        self.keys.starts_with(&older.keys)
    }

    /// Whether key number `signer` made this signature.
    pub(crate) fn signed(&self, signer: u32, message: &[u8], signature: &[u8]) -> bool {
        let key = usize::try_from(signer).ok().and_then(|number| self.keys.get(number));
        key.is_some_and(|key| zegel_identity::verify(key, message, signature))
    }

    /// The keys, oldest first; a signer's number is its place here.
    pub fn keys(&self) -> &[[u8; 32]] {
        &self.keys
    }

    /// What [`Signers::verify`] read, to be shown to others.
    pub fn links(&self) -> Vec<SignerLink> {
        let pairs = self.keys.iter().zip(&self.endorsements);
        pairs.map(|(key, endorsement)| SignerLink { key: *key, endorsement: endorsement.clone() }).collect()
    }

    /// The first key: what names this directory to people.
    pub fn first(&self) -> &[u8; 32] {
        &self.keys[0]
    }
}

/// The signing keys with the secret of the last one. No `Debug`: nothing may print it.
pub struct SignerKey {
    links: Vec<SignerLink>,
    secret: SigningKey,
}

impl SignerKey {
    /// The first key of a new directory.
    pub fn first(secret: SigningKey) -> Self {
        let link = SignerLink { key: secret.verifying_key().to_bytes(), endorsement: Vec::new() };
        Self { links: vec![link], secret }
    }

    /// From what was kept; `None` if the secret is not the last link's.
    pub fn from_parts(links: Vec<SignerLink>, secret: SigningKey) -> Option<Self> {
        let fits = links.last().is_some_and(|last| last.key == secret.verifying_key().to_bytes());
        fits.then_some(Self { links, secret })
    }

    /// Puts `next` in use; the key before it names it and is destroyed.
    pub fn rotate(mut self, domain: &str, next: SigningKey) -> Self {
        let key = next.verifying_key().to_bytes();
        let message = endorsement(domain, self.links.len(), &key);
        self.links.push(SignerLink { key, endorsement: self.secret.sign(&message).to_vec() });
        Self { links: self.links, secret: next }
    }

    /// The public half.
    pub fn links(&self) -> &[SignerLink] {
        &self.links
    }

    /// The secret of the key in use, to be kept.
    pub fn secret(&self) -> &SigningKey {
        &self.secret
    }

    /// The number of the key in use.
    pub fn number(&self) -> u32 {
        self.links.len() as u32 - 1
    }

    pub(crate) fn sign(&self, message: &[u8]) -> [u8; 64] {
        self.secret.sign(message).to_bytes()
    }
}

impl From<&SignerLink> for v1::DirectorySigner {
    fn from(link: &SignerLink) -> Self {
        Self { key: link.key.to_vec().into(), endorsement: link.endorsement.clone().into() }
    }
}

impl TryFrom<&v1::DirectorySigner> for SignerLink {
    type Error = KeysError;
    fn try_from(link: &v1::DirectorySigner) -> Result<Self, KeysError> {
        let key = link.key.as_ref().try_into().map_err(|_| KeysError::Endorsement(0))?;
        Ok(Self { key, endorsement: link.endorsement.to_vec() })
    }
}
