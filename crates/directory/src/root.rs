//! The signed root of an epoch, and how roots name the roots before them.
//!
//! Root `e` holds the hash of root `e - 1` and of root `e` with its lowest bit cleared, so that from any root any
//! earlier one is reached in few steps, and nobody can show two histories to one client.

use serde::{Deserialize, Serialize};
use zegel_proto::v1;

use crate::{SignerKey, Signers, digest, labelled};

/// The version that every root begins with.
const VERSION: u8 = 1;
/// Length of a root in bytes.
const LEN: usize = 1 + 8 + 8 + 4 + 4 * 32;

/// A root that cannot be read.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum RootError {
    /// Not the layout that this build knows.
    #[error("the directory's root has another form")]
    Form,
    /// Made by a newer Zegel.
    #[error("the directory's root has version {0}, which is not known to this build; update it")]
    Version(u8),
}

/// What the service states about one epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Root {
    /// Number of the epoch; 0 is the empty directory.
    pub epoch: u64,
    /// When it was published, milliseconds since 1970; never less than the root before.
    pub time_ms: u64,
    /// Which of the directory's keys signs it.
    pub signer: u32,
    /// Root hash of the tree.
    pub tree: [u8; 32],
    /// Public key of the verifiable random function that places handles in the tree. It is stated here because two
    /// keys over one tree would be two directories.
    pub vrf: [u8; 32],
    /// Hash of the root before; zero for the first.
    pub previous: [u8; 32],
    /// Hash of root [`skip_of`]`(epoch)`; zero for the first.
    pub skip: [u8; 32],
}

/// The number of the root whose hash root `epoch` holds as `skip`: its own with the lowest bit cleared.
pub const fn skip_of(epoch: u64) -> u64 {
    epoch & epoch.saturating_sub(1)
}

/// The next root on the way from `epoch` down to `to`, and whether `skip` leads there (else `previous` does).
/// `None` when the way is at its end.
pub fn next_step(epoch: u64, to: u64) -> Option<(u64, bool)> {
    if epoch <= to {
        return None;
    }
    let skipped = skip_of(epoch);
    Some(if skipped >= to { (skipped, true) } else { (epoch - 1, false) })
}

/// The roots that prove that `to` is in the history of `from`, without both ends, in the order of the way down.
pub fn path_epochs(from: u64, to: u64) -> Vec<u64> {
    let mut path = Vec::new();
    let mut at = from;
    while let Some((next, _)) = next_step(at, to) {
        if next != to {
            path.push(next);
        }
        at = next;
    }
    path
}

impl Root {
    /// The first root of all, before its time, tree and keys are filled in.
    pub const FIRST: Self = Self {
        epoch: 0,
        time_ms: 0,
        signer: 0,
        tree: [0; 32],
        vrf: [0; 32],
        previous: [0; 32],
        skip: [0; 32],
    };

    /// The root that comes after this one when nothing changes: all but its place is as it was. `skip` is the hash of
    /// the root that it skips to, see [`skip_of`].
    #[must_use]
    pub fn next(&self, skip: [u8; 32]) -> Self {
        Self { epoch: self.epoch + 1, previous: self.hash(), skip, ..self.clone() }
    }

    /// What the next root names as `previous` or `skip`, and what people compare.
    pub fn hash(&self) -> [u8; 32] {
        digest("directory root", &[&self.to_bytes()])
    }

    /// The hash of root `to` in this root's history, by way of `path` (see [`path_epochs`]). `None` if the path does
    /// not lead there.
    pub fn ancestor(&self, to: u64, path: &[Root]) -> Option<[u8; 32]> {
        if to == self.epoch {
            return Some(self.hash());
        }
        let mut path = path.iter();
        let mut at = self;
        loop {
            let (next, skips) = next_step(at.epoch, to)?;
            let hash = if skips { at.skip } else { at.previous };
            if next == to {
                return Some(hash);
            }
            at = path.next().filter(|root| root.epoch == next && root.hash() == hash)?;
        }
    }

    /// Version, epoch, time, signer, tree, vrf, previous, skip.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEN);
        bytes.push(VERSION);
        bytes.extend(self.epoch.to_be_bytes());
        bytes.extend(self.time_ms.to_be_bytes());
        bytes.extend(self.signer.to_be_bytes());
        for part in [&self.tree, &self.vrf, &self.previous, &self.skip] {
            bytes.extend(part);
        }
        bytes
    }

    /// Reads what [`Root::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, RootError> {
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&other) => return Err(RootError::Version(other)),
            None => return Err(RootError::Form),
        }
        if bytes.len() != LEN {
            return Err(RootError::Form);
        }
        let fixed = |at: usize| <[u8; 32]>::try_from(&bytes[at..at + 32]).map_err(|_| RootError::Form);
        let long =
            |at: usize| bytes[at..at + 8].try_into().map(u64::from_be_bytes).map_err(|_| RootError::Form);
        Ok(Self {
            epoch: long(1)?,
            time_ms: long(9)?,
            signer: bytes[17..21].try_into().map(u32::from_be_bytes).map_err(|_| RootError::Form)?,
            tree: fixed(21)?,
            vrf: fixed(53)?,
            previous: fixed(85)?,
            skip: fixed(117)?,
        })
    }
}

/// A root with the signature of the key that it names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedRoot {
    /// What is stated.
    pub root: Root,
    /// Ed25519 over domain, epoch and [`Root::hash`].
    pub signature: Vec<u8>,
}

fn root_message(domain: &str, epoch: u64, hash: &[u8; 32]) -> Vec<u8> {
    labelled("directory root is", &[domain.as_bytes(), &epoch.to_be_bytes(), hash])
}

impl SignedRoot {
    /// Signs a root; `root.signer` is set to the key in use.
    pub fn sign(domain: &str, mut root: Root, key: &SignerKey) -> Self {
        root.signer = key.number();
        let signature = key.sign(&root_message(domain, root.epoch, &root.hash())).to_vec();
        Self { root, signature }
    }

    /// Whether a key of the directory signed it.
    pub fn is_signed(&self, domain: &str, signers: &Signers) -> bool {
        self.seen().is_signed(domain, signers)
    }

    /// The short form that travels inside sealed messages.
    pub fn seen(&self) -> SeenRoot {
        SeenRoot {
            epoch: self.root.epoch,
            hash: self.root.hash(),
            signer: self.root.signer,
            signature: self.signature.clone(),
        }
    }
}

/// That somebody saw a root: enough to find out whether two people see one directory, and, when they do not, to prove
/// to anyone that the service signed both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeenRoot {
    /// Its epoch.
    pub epoch: u64,
    /// [`Root::hash`].
    pub hash: [u8; 32],
    /// Which key signed it.
    pub signer: u32,
    /// The signature of the root.
    pub signature: Vec<u8>,
}

impl SeenRoot {
    /// Whether a key of the directory signed it; if not, whoever sent it made it up.
    pub fn is_signed(&self, domain: &str, signers: &Signers) -> bool {
        signers.signed(self.signer, &root_message(domain, self.epoch, &self.hash), &self.signature)
    }
}

impl From<&SignedRoot> for v1::SignedRoot {
    fn from(signed: &SignedRoot) -> Self {
        Self { body: signed.root.to_bytes().into(), signature: signed.signature.clone().into() }
    }
}

impl TryFrom<&v1::SignedRoot> for SignedRoot {
    type Error = RootError;
    fn try_from(signed: &v1::SignedRoot) -> Result<Self, RootError> {
        Ok(Self { root: Root::from_bytes(&signed.body)?, signature: signed.signature.to_vec() })
    }
}
