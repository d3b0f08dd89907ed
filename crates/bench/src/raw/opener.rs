//! Opens entries as their device does, to compare what came with what was sent.

use std::{collections::HashMap, sync::Arc};

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use bytes::Bytes;
use hpke::{
    Deserializable as _, OpModeR, aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::XWing, single_shot_open,
};
use zegel_proto::{Message as _, v1};

use super::Person;
use crate::common::Result;

const NONCE: usize = 12;

/// See the module.
pub struct Opener {
    person: Arc<Person>,
    keys: HashMap<u64, Aes256Gcm>,
}

impl Opener {
    /// For the mail of this device.
    pub fn new(person: Arc<Person>) -> Self {
        Self { person, keys: HashMap::new() }
    }

    /// Learns the hour keys of a delivery.
    pub fn learn(&mut self, deliver: &v1::Deliver) -> Result {
        for key in &deliver.hour_keys {
            let opened = self.hour_key(key)?;
            self.keys.insert(key.id, opened);
        }
        Ok(())
    }

    fn hour_key(&self, key: &v1::HourKey) -> Result<Aes256Gcm> {
        let aad = [&self.person.device.0[..], &key.id.to_be_bytes()].concat();
        let encapsulated = <XWing as hpke::Kem>::EncappedKey::from_bytes(&key.encapsulated)
            .map_err(|e| format!("an hour key is malformed: {e}"))?;
        let secret = single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.person.queue_secret,
            &encapsulated,
            zegel_proto::HOUR_KEY_INFO,
            &key.sealed,
            &aad,
        )
        .map_err(|e| format!("an hour key does not open: {e}"))?;
        Ok(Aes256Gcm::new_from_slice(&secret).map_err(|_| "an hour key is not 32 bytes")?)
    }

    /// The MLS message that an entry of a delivery holds; none if it holds something else.
    pub fn message(&self, entry: &v1::SealedEntry, payloads: &[v1::SharedPayload]) -> Result<Option<Bytes>> {
        let key = self.keys.get(&entry.hour_key).ok_or("an entry came before its hour key")?;
        let aad = [&self.person.device.0[..], &entry.seq.to_be_bytes()].concat();
        let plain = open(key, &aad, &entry.sealed)?;
        let Some(v1::entry::Body::Message(message)) = v1::Entry::decode(&plain[..])?.body else {
            return Ok(None);
        };
        let Some(shared) = message.shared else { return Ok(Some(message.message)) };
        let payload = payloads.iter().find(|payload| payload.name == shared.name);
        let payload = payload.ok_or("a shared payload did not come along")?;
        let key = Aes256Gcm::new_from_slice(&shared.key).map_err(|_| "a payload's key is not 32 bytes")?;
        Ok(Some(open(&key, b"", &payload.sealed)?.into()))
    }
}

fn open(key: &Aes256Gcm, aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let (nonce, msg) = sealed.split_at_checked(NONCE).ok_or("something sealed is too short")?;
    Ok(key
        .decrypt(Nonce::from_slice(nonce), Payload { msg, aad })
        .map_err(|_| "something sealed does not open")?)
}
