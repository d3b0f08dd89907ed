//! What stands in the key file.

use serde::{Deserialize, Serialize};
use zegel_directory::{SignerKey, SignerLink, Signers, publisher::VrfKey};
use zegel_franking::KeyPart;
use zegel_identity::SigningKey;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

#[derive(Deserialize)]
pub(super) struct Version {
    pub(super) version: u32,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct Layout {
    pub(super) version: u32,
    pub(super) server_id: String,
    pub(super) pepper: String,
    pub(super) storage: String,
    pub(super) directory: Option<DirectoryLayout>,
    pub(super) franking: Vec<StampLayout>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct DirectoryLayout {
    domain: String,
    vrf: String,
    secret: String,
    keys: Vec<SignerLayout>,
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct SignerLayout {
    public: String,
    endorsement: String,
}

impl DirectoryLayout {
    pub(super) fn of(domain: &str, directory: &SignerKey, vrf: &VrfKey) -> Self {
        let key = |link: &SignerLink| SignerLayout {
            public: hex::encode(link.key),
            endorsement: hex::encode(&link.endorsement),
        };
        Self {
            domain: domain.to_owned(),
            vrf: hex::encode(vrf.secret()),
            secret: hex::encode(Zeroizing::new(directory.secret().to_bytes())),
            keys: directory.links().iter().map(key).collect(),
        }
    }

    /// `None` if a key is malformed or not named by the one before it.
    pub(super) fn read(&self) -> Option<(String, SignerKey, VrfKey)> {
        let link = |key: &SignerLayout| {
            Some(SignerLink { key: *bytes(&key.public)?, endorsement: hex::decode(&key.endorsement).ok()? })
        };
        let links = self.keys.iter().map(link).collect::<Option<Vec<_>>>()?;
        Signers::verify(&self.domain, &links).ok()?;
        let secret = SigningKey::from_bytes(&*bytes(&self.secret)?);
        let directory = SignerKey::from_parts(links, secret)?;
        Some((self.domain.clone(), directory, VrfKey::new(*bytes(&self.vrf)?)))
    }
}

#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub(super) struct StampLayout {
    id: u32,
    key: String,
    created_ms: u64,
    retired_ms: Option<u64>,
}

impl From<KeyPart> for StampLayout {
    fn from(part: KeyPart) -> Self {
        let KeyPart { id, key_hex, created_ms, retired_ms } = part;
        Self { id, key: key_hex.to_string(), created_ms, retired_ms }
    }
}

impl From<StampLayout> for KeyPart {
    fn from(mut stamp: StampLayout) -> Self {
        let key_hex = Zeroizing::new(std::mem::take(&mut stamp.key));
        Self { id: stamp.id, key_hex, created_ms: stamp.created_ms, retired_ms: stamp.retired_ms }
    }
}

/// Hexadecimal digits of exactly so many bytes.
pub(super) fn bytes<const N: usize>(text: &str) -> Option<Zeroizing<[u8; N]>> {
    let mut bytes = Zeroizing::new([0; N]);
    hex::decode_to_slice(text, bytes.as_mut()).ok()?;
    Some(bytes)
}
