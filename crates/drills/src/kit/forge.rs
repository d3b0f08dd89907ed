//! What a changed server can put into a mailbox: whatever it likes, sealed as its own entries are.

use aes_gcm::{
    Aes256Gcm, KeyInit as _,
    aead::{Aead as _, Payload},
};
use hpke::{
    Deserializable as _, Kem, OpModeS, Serializable as _, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing, single_shot_seal,
};
use zegel_proto::{DeviceId, HOUR_KEY_INFO, Message as _, padding_for, v1};

use crate::drill::Verdict;

/// Seals entries to one device with an hour key of its own making.
pub struct Forger {
    device: DeviceId,
    key: [u8; 32],
    hour_key: v1::HourKey,
}

impl Forger {
    /// For the device with this queue key.
    pub fn new(device: DeviceId, queue_key: &[u8]) -> Verdict<Self> {
        let (mut key, mut id) = ([0; 32], [0; 8]);
        getrandom::fill(&mut key)?;
        getrandom::fill(&mut id)?;
        let id = u64::from_be_bytes(id);
        let aad = [&device.0[..], &id.to_be_bytes()].concat();
        let queue_key = <XWing as Kem>::PublicKey::from_bytes(queue_key)?;
        let (encapsulated, sealed) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &queue_key,
            HOUR_KEY_INFO,
            &key,
            &aad,
        )?;
        let encapsulated = encapsulated.to_bytes().to_vec().into();
        Ok(Self { device, key, hour_key: v1::HourKey { id, encapsulated, sealed: sealed.into() } })
    }

    /// A delivery of one entry at a place of the mailbox.
    pub fn deliver(&self, seq: u64, body: v1::entry::Body) -> Verdict<v1::Deliver> {
        let mut entry = v1::Entry { body: Some(body), padding: Default::default() };
        entry.padding = vec![0; padding_for(entry.encoded_len())].into();
        let aad = [&self.device.0[..], &seq.to_be_bytes()].concat();
        let mut nonce = [0; 12];
        getrandom::fill(&mut nonce)?;
        let payload = Payload { msg: &entry.encode_to_vec(), aad: &aad };
        let sealed = Aes256Gcm::new(&self.key.into())
            .encrypt(&nonce.into(), payload)
            .map_err(|_| "an entry is too long to seal")?;
        let sealed = [&nonce[..], &sealed].concat().into();
        Ok(v1::Deliver {
            hour_keys: vec![self.hour_key.clone()],
            entries: vec![v1::SealedEntry { seq, hour_key: self.hour_key.id, sealed }],
            payloads: Vec::new(),
        })
    }
}
