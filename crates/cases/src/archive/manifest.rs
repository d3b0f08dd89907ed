//! The list of all files, which is what is signed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use zegel_directory::{SignedStatement, SignerLink};

use super::ArchiveError;
use crate::CaseNumber;

/// The version that this build writes and reads.
pub(super) const VERSION: u32 = 1;
/// The list.
pub(super) const MANIFEST: &str = "manifest.json";
/// The signature of its bytes.
pub(super) const SEAL: &str = "manifest.sig.json";

/// What is signed: the file's bytes, as they are.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Manifest {
    pub version: u32,
    pub domain: String,
    pub case: CaseNumber,
    pub made_ms: u64,
    pub signers: Vec<Key>,
    pub files: BTreeMap<String, FileSum>,
}

#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Key {
    #[serde(with = "hex")]
    pub key: [u8; 32],
    #[serde(with = "hex")]
    pub endorsement: Vec<u8>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileSum {
    #[serde(with = "hex")]
    pub sha256: [u8; 32],
    pub size: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Seal {
    pub signer: u32,
    #[serde(with = "hex")]
    pub signature: Vec<u8>,
}

impl FileSum {
    pub fn of(bytes: &[u8]) -> Self {
        Self { sha256: Sha256::digest(bytes).into(), size: bytes.len() as u64 }
    }
    pub fn fits(&self, bytes: &[u8]) -> bool {
        let other = Self::of(bytes);
        (self.size, self.sha256) == (other.size, other.sha256)
    }
}

impl From<&SignerLink> for Key {
    fn from(link: &SignerLink) -> Self {
        Self { key: link.key, endorsement: link.endorsement.clone() }
    }
}

impl From<Key> for SignerLink {
    fn from(key: Key) -> Self {
        Self { key: key.key, endorsement: key.endorsement }
    }
}

impl From<SignedStatement> for Seal {
    fn from(signed: SignedStatement) -> Self {
        Self { signer: signed.signer, signature: signed.signature }
    }
}

impl From<Seal> for SignedStatement {
    fn from(seal: Seal) -> Self {
        Self { signer: seal.signer, signature: seal.signature }
    }
}

impl Manifest {
    /// Reads one; nothing in it is proven yet.
    pub fn read(bytes: &[u8]) -> Result<Self, ArchiveError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let form = |error: serde_json::Error| ArchiveError::Form { name: MANIFEST, why: error.to_string() };
        match serde_json::from_slice::<Versioned>(bytes).map_err(form)?.version {
            VERSION => serde_json::from_slice(bytes).map_err(form),
            other => Err(ArchiveError::Version(other)),
        }
    }
}

impl Seal {
    pub fn read(bytes: &[u8]) -> Result<Self, ArchiveError> {
        let form = |error: serde_json::Error| ArchiveError::Form { name: SEAL, why: error.to_string() };
        serde_json::from_slice(bytes).map_err(form)
    }
}

/// Names of files in an archive; reports and messages are counted from 1.
pub(super) mod name {
    pub const README: &str = "README.txt";
    pub const CASE: &str = "case.json";
    pub const CUSTODY: &str = "custody.jsonl";

    pub fn report(report: usize) -> String {
        format!("reports/{report}.json")
    }
    pub fn message(report: usize, message: usize) -> String {
        format!("messages/{report}-{message}.txt")
    }
    pub fn content(report: usize, message: usize) -> String {
        format!("content/{report}-{message}.cbor")
    }

    /// Whether unpacking it can only write below the folder it is unpacked in, on any system.
    pub fn is_sane(name: &str) -> bool {
        let letter = |letter: u8| letter.is_ascii_alphanumeric() || matches!(letter, b'.' | b'-');
        let part = |part: &str| {
            !part.is_empty() && !part.starts_with('.') && !part.ends_with('.') && part.bytes().all(letter)
        };
        name.len() <= 100 && name.split('/').count() <= 2 && name.split('/').all(part)
    }
}
