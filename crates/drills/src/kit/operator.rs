//! The operator's keys.

use std::time::SystemTime;

use zegel_directory::{Entry, Label, Promise, Root, SignedPromise, SignedRoot, SignerKey, SignerLink};
use zegel_franking::{Context, StampKey, stamp};
use zegel_identity::{Chain, SigningKey};
use zegel_proto::v1;

use super::{Stage, tree::Tree};
use crate::drill::Verdict;

/// Now, milliseconds since 1970.
pub fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}

fn bytes32(text: &str) -> Verdict<[u8; 32]> {
    let mut bytes = [0; 32];
    hex::decode_to_slice(text, &mut bytes)?;
    Ok(bytes)
}

/// Whoever runs the service: has its key file.
pub struct Operator {
    /// The service's domain.
    pub domain: String,
    secret: [u8; 32],
    links: Vec<SignerLink>,
    pub(super) vrf: [u8; 32],
}

impl Operator {
    /// Reads the key file of a stage's server.
    pub fn of(stage: &Stage) -> Verdict<Self> {
        let file = std::fs::read_to_string(stage.server(|server| server.keys()))?;
        let file: toml::Value = toml::from_str(&file)?;
        let part = |name: &str| file.get("directory").and_then(|part| part.get(name));
        let text = |name: &str| part(name).and_then(toml::Value::as_str).ok_or("an unknown key file");
        let mut links = Vec::new();
        for link in part("keys").and_then(toml::Value::as_array).ok_or("an unknown key file")? {
            let text = |name: &str| link.get(name).and_then(toml::Value::as_str).unwrap_or_default();
            let endorsement = hex::decode(text("endorsement"))?;
            links.push(SignerLink { key: bytes32(text("public"))?, endorsement });
        }
        let (secret, vrf) = (bytes32(text("secret")?)?, bytes32(text("vrf")?)?);
        Ok(Self { domain: text("domain")?.to_owned(), secret, links, vrf })
    }

    /// The stamp of a stage's server on any context.
    pub fn stamps(stage: &Stage, context: &Context) -> Verdict<[u8; 32]> {
        let file = std::fs::read_to_string(stage.server(|server| server.keys()))?;
        let file: toml::Value = toml::from_str(&file)?;
        let keys = file.get("franking").and_then(toml::Value::as_array).ok_or("an unknown key file")?;
        let is = |key: &&toml::Value| {
            key.get("id").and_then(toml::Value::as_integer) == Some(i64::from(context.key_id))
        };
        let key = keys.iter().find(is).and_then(|key| key.get("key")).and_then(toml::Value::as_str);
        Ok(stamp(&StampKey::new(bytes32(key.ok_or("no such stamp key")?)?), context))
    }

    /// An impostor, who has none of the service's keys.
    pub fn impostor(domain: &str) -> Verdict<Self> {
        let key = zegel_identity::new_signing_key();
        let link = SignerLink { key: key.verifying_key().to_bytes(), endorsement: Vec::new() };
        let mut vrf = [0; 32];
        getrandom::fill(&mut vrf)?;
        Ok(Self { domain: domain.into(), secret: key.to_bytes(), links: vec![link], vrf })
    }

    /// The same directory with one more signing key, which the key before it names; made anew at each call.
    pub fn with_next_key(self) -> Verdict<Self> {
        let signer = self.signer()?.rotate(&self.domain, zegel_identity::new_signing_key());
        let (secret, links) = (signer.secret().to_bytes(), signer.links().to_vec());
        Ok(Self { secret, links, ..self })
    }

    /// Public key of what places handles.
    pub async fn places(&self) -> Verdict<[u8; 32]> {
        Tree::new(self.vrf, true).await?.vrf()
    }

    /// Its signing keys as they are shown.
    pub fn signers(&self) -> Vec<v1::DirectorySigner> {
        self.links.iter().map(Into::into).collect()
    }

    /// The key that signs the directory.
    pub fn signer(&self) -> Verdict<SignerKey> {
        let key = SignerKey::from_parts(self.links.clone(), SigningKey::from_bytes(&self.secret));
        Ok(key.ok_or("the key file's directory keys do not fit")?)
    }

    /// The directory's word about a chain, signed as the real one.
    pub fn promise(&self, handle: &str, chain: &Chain, by_epoch: u64) -> Verdict<SignedPromise> {
        self.promise_of(handle, chain, by_epoch, now_ms())
    }

    /// The same, made at any time.
    pub fn promise_of(
        &self,
        handle: &str,
        chain: &Chain,
        by_epoch: u64,
        made_ms: u64,
    ) -> Verdict<SignedPromise> {
        let (label, entry) = (Label::of(&self.domain, handle), Entry::of(chain));
        let promise = Promise { label, entry, by_epoch, made_ms };
        Ok(promise.sign(&self.domain, &self.signer()?))
    }

    /// Signs a root.
    pub fn sign(&self, root: Root) -> Verdict<SignedRoot> {
        Ok(SignedRoot::sign(&self.domain, root, &self.signer()?))
    }
}
