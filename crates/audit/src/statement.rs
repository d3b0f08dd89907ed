//! What a witness signs: that it checked the directory up to a root, and which one that was.
//!
//! As JSON, bytes in hexadecimal:
//!
//! ```json
//! {"version":1,"domain":"example.org","epoch":7,"root":"…32 bytes…","signer":0,"signature":"…64 bytes…",
//!  "signers":[{"key":"…32 bytes…","endorsement":""}],"witness":"…32 bytes…","witnessed":"…64 bytes…"}
//! ```
//!
//! `signature` is the directory's own, by its key number `signer`, over "Zegel 1 directory root is", domain, epoch and
//! root. `signers` are the directory's keys as the witness was shown them, each endorsed by the one before it.
//! `witnessed` is Ed25519 by the key `witness` over
//!
//! ```text
//! "Zegel 1 witness root is" 00 | domain | epoch (8 bytes) | root | for each of the signers: key | endorsement
//! ```
//!
//! each part behind its length in 4 bytes, all numbers big-endian. Two statements for one epoch with two roots, each signed by the directory, prove a split
//! view to anyone; so do two whose signers begin alike and then part.

use std::{
    fs::{self, OpenOptions},
    io::{self, Write},
    path::Path,
};

use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Serialize};
use zegel_directory::{SeenRoot, SignerLink, Signers};
use zeroize::Zeroizing;

use crate::Failure;

const VERSION: u32 = 1;
/// The first line of a key file.
const KEY_FILE: &str = "zegel-audit witness key 1";

/// What a witness says about an epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Statement {
    version: u32,
    domain: String,
    epoch: u64,
    root: String,
    signer: u32,
    signature: String,
    signers: Vec<Key>,
    witness: String,
    witnessed: String,
}

/// A key of the directory and the signature of the one before it, in hexadecimal.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Key {
    key: String,
    endorsement: String,
}

impl From<&SignerLink> for Key {
    fn from(link: &SignerLink) -> Self {
        Self { key: hex::encode(link.key), endorsement: hex::encode(&link.endorsement) }
    }
}

/// What a [`Statement`] that holds says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said<'a> {
    /// The root, signed by one of the signers.
    pub seen: SeenRoot,
    /// The directory's keys as the witness knows them.
    pub signers: Signers,
    /// The same with the endorsements.
    pub links: Vec<SignerLink>,
    /// The key of the witness, in hexadecimal.
    pub witness: &'a str,
}

fn message(domain: &str, seen: &SeenRoot, links: &[SignerLink]) -> Vec<u8> {
    let mut message = b"Zegel 1 witness root is\0".to_vec();
    let epoch = seen.epoch.to_be_bytes();
    let root: [&[u8]; 3] = [domain.as_bytes(), &epoch, &seen.hash];
    let keys = links.iter().flat_map(|link| [&link.key[..], &link.endorsement]);
    for part in root.into_iter().chain(keys) {
        message.extend((part.len() as u32).to_be_bytes());
        message.extend(part);
    }
    message
}

impl Statement {
    /// What it says, if the witness signed it, it is about this domain, and the keys that it shows signed the root.
    pub fn verify(&self, domain: &str) -> Result<Said<'_>, &'static str> {
        const UNREADABLE: &str = "it cannot be read";
        if self.version != VERSION {
            return Err("its version is not known to this build");
        }
        if self.domain != domain {
            return Err("it is about another domain");
        }
        let seen = self.seen().ok_or(UNREADABLE)?;
        let links = self.links().ok_or(UNREADABLE)?;
        let key = fixed(&self.witness).ok_or(UNREADABLE)?;
        let signature = hex::decode(&self.witnessed).map_err(|_| UNREADABLE)?;
        if !zegel_identity::verify(&key, &message(domain, &seen, &links), &signature) {
            return Err("its witness did not sign it");
        }
        let signers = Signers::verify(domain, &links);
        let signers = signers.map_err(|_| "it shows keys that did not name each other")?;
        if !seen.is_signed(domain, &signers) {
            return Err("it shows a root that no key of the directory signed");
        }
        Ok(Said { seen, signers, links, witness: &self.witness })
    }

    fn links(&self) -> Option<Vec<SignerLink>> {
        let link = |it: &Key| {
            Some(SignerLink { key: fixed(&it.key)?, endorsement: hex::decode(&it.endorsement).ok()? })
        };
        self.signers.iter().map(link).collect()
    }

    fn seen(&self) -> Option<SeenRoot> {
        let signature = hex::decode(&self.signature).ok()?;
        Some(SeenRoot { epoch: self.epoch, hash: fixed(&self.root)?, signer: self.signer, signature })
    }
}

fn fixed(text: &str) -> Option<[u8; 32]> {
    hex::decode(text).ok()?.try_into().ok()
}

/// The key of a witness. No `Debug`: nothing may print it.
pub struct WitnessKey(SigningKey);

impl WitnessKey {
    /// Reads a key file, or makes it (mode 0600) if there is none.
    pub fn load_or_create(path: &Path) -> Result<Self, Failure> {
        let doing = format!("reading the witness key {}", path.display());
        let own = |why: &dyn std::fmt::Display, fix| Failure::own(doing.clone(), why, fix);
        let text = match fs::read_to_string(path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Self::create(path).map_err(|error| own(&error, "another --sign-with"));
            }
            Err(error) => return Err(own(&error, "another --sign-with")),
        };
        if exposed(path).map_err(|error| own(&error, "another --sign-with"))? {
            return Err(own(&"others can read it", "`chmod 600`, and a new key if it was read"));
        }
        let secret = text.strip_prefix(KEY_FILE).and_then(|rest| fixed(rest.trim())).map(Zeroizing::new);
        let secret = secret.ok_or_else(|| own(&"it is no witness key", "a copy of it"))?;
        Ok(Self(SigningKey::from_bytes(&secret)))
    }

    fn create(path: &Path) -> io::Result<Self> {
        let key = zegel_identity::new_signing_key();
        let secret = Zeroizing::new(hex::encode(Zeroizing::new(key.to_bytes())));
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path)?;
        file.write_all(format!("{KEY_FILE}\n{}\n", *secret).as_bytes())?;
        file.sync_all()?;
        crate::state::sync_folder(path)?;
        Ok(Self(key))
    }

    /// The public half, in hexadecimal: what others know this witness by.
    pub fn public(&self) -> String {
        hex::encode(self.0.verifying_key().to_bytes())
    }

    /// States that a root was checked, in the directory with these keys.
    pub fn state(&self, domain: &str, seen: &SeenRoot, signers: &[SignerLink]) -> Statement {
        Statement {
            version: VERSION,
            domain: domain.into(),
            epoch: seen.epoch,
            root: hex::encode(seen.hash),
            signer: seen.signer,
            signature: hex::encode(&seen.signature),
            signers: signers.iter().map(Key::from).collect(),
            witness: self.public(),
            witnessed: hex::encode(self.0.sign(&message(domain, seen, signers)).to_bytes()),
        }
    }
}

#[cfg(unix)]
fn exposed(path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt;
    Ok(fs::metadata(path)?.mode() & 0o077 != 0)
}
#[cfg(not(unix))]
fn exposed(_: &Path) -> io::Result<bool> {
    Ok(false)
}
