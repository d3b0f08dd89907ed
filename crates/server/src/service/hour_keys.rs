//! Hour keys: what mailbox entries are sealed under. Each is random, lives in memory only while its hour
//! lasts, and is stored once, sealed to the device's queue key.
//!
//! *Invariant:* the server seals to queue keys and has no key to open with.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use hpke::{
    Deserializable as _, Kem as _, OpModeS, Serializable as _, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing, single_shot_seal,
};
use zegel_identity::DeviceInfo;
use zegel_proto::{AccountId, Code, DeviceId, HOUR_KEY_INFO};
use zeroize::Zeroizing;

use super::{post::new_mailbox, refusal::Refusal, seal::SealKey};
use crate::{
    keys::KeyRing,
    store::{HourKeyRow, StoreResult, Tx},
};

/// The mailbox that nobody reads: what is dropped is written all the same. No account has it.
pub(super) const SINK: DeviceId = DeviceId(*b"zegel sink boxes");
pub(super) use crate::store::NOBODY;

/// Queue keys kept in memory, so that a busy device's is not read and unpacked every hour. Each is 1.6 kB, and an idle
/// device needs none.
const QUEUE_KEYS: usize = 1 << 10;

type QueueKey = <XWing as hpke::Kem>::PublicKey;

/// A device that may be listed, with its queue key, sealed. That stands in a row of its own: to look for it in the chain
/// would take longer the longer that is, and whoever introduces themself could see whose was looked at.
pub(super) struct Admissible {
    pub(super) id: DeviceId,
    queue_key: Vec<u8>,
}

impl Admissible {
    /// Opens its mailbox.
    pub(super) fn open(&self, tx: &mut dyn Tx, account: &AccountId) -> StoreResult<()> {
        tx.put_queue_key(&self.id, &self.queue_key)?;
        tx.put_mailbox(&self.id, &new_mailbox(*account))
    }
}

/// A key of one device and hour.
pub(super) struct HourKey {
    pub(super) id: u64,
    hour: u32,
    /// Not the expanded cipher: this is kept for every connected device, and that is thirty times as large.
    key: Zeroizing<[u8; 32]>,
    /// Until the commit that stored it, and every job until then stores it again. Afterwards it is read from the
    /// store: it is ten times as large as the rest of this.
    row: Mutex<Option<Arc<HourKeyRow>>>,
}

impl HourKey {
    fn new(device: &DeviceId, queue_key: &QueueKey, hour: u32) -> Option<Self> {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).expect("the operating system gives random bytes");
        let id: u64 = rand::random();
        let aad = [&device.0[..], &id.to_be_bytes()].concat();
        let (encapsulated, sealed) = single_shot_seal::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            queue_key,
            HOUR_KEY_INFO,
            key.as_ref(),
            &aad,
        )
        .ok()?;
        let encapsulated = Bytes::copy_from_slice(&encapsulated.to_bytes());
        let row = Arc::new(HourKeyRow { id, hour, encapsulated, sealed: sealed.into() });
        Some(Self { id, hour, key, row: Mutex::new(Some(row)) })
    }

    /// An entry, bound to its mailbox and number.
    pub(super) fn seal(&self, device: &DeviceId, seq: u64, plain: &[u8]) -> Bytes {
        let mut aad = [0; 24];
        aad[..16].copy_from_slice(&device.0);
        aad[16..].copy_from_slice(&seq.to_be_bytes());
        SealKey::new(&self.key).seal(&aad, plain).into()
    }

    /// The row, if no commit has stored it yet.
    pub(super) fn not_stored(&self) -> Option<Arc<HourKeyRow>> {
        self.row.lock().expect("no panic holds this lock").clone()
    }
    pub(super) fn set_stored(&self) {
        self.row.lock().expect("no panic holds this lock").take();
    }
}

/// The hour keys in use.
pub(super) struct HourKeys {
    keys: Mutex<HashMap<DeviceId, Arc<HourKey>>>,
    queue_keys: Mutex<HashMap<DeviceId, Arc<QueueKey>>>,
    /// Of the rows of queue keys: else whoever writes to the disk could have new hour keys sealed to a key of theirs.
    rows: SealKey,
}

impl HourKeys {
    pub(super) fn new(keys: &KeyRing) -> Self {
        // The secret half is thrown away here: nothing in the sink can ever be opened.
        let (_, sink) = XWing::gen_keypair();
        let queue_keys = Mutex::new(HashMap::from([(SINK, Arc::new(sink))]));
        Self { keys: Mutex::default(), queue_keys, rows: SealKey::of_queue_keys(keys.storage()) }
    }

    /// A device that can get mail: its queue key can be sealed to, and its id is no reserved one.
    pub(super) fn admit(&self, device: &DeviceInfo) -> Result<Admissible, Refusal> {
        if QueueKey::from_bytes(&device.queue_key).is_err() || device.id == SINK {
            return Err(Refusal::new(Code::BadChain, "the device's queue key is no X-Wing public key"));
        }
        Ok(Admissible { id: device.id, queue_key: self.rows.seal(&device.id.0, &device.queue_key) })
    }

    /// Makes the device's key for this hour, if there is none yet. Takes a while: call it outside the writer.
    pub(super) fn prepare(&self, device: &DeviceId, queue_key: &[u8], hour: u32) {
        if self.ready(device, hour).is_none()
            && let Ok(queue_key) = QueueKey::from_bytes(queue_key)
        {
            self.make(device, &self.remember(device, queue_key), hour);
        }
    }

    /// The device's key for this hour. None if its queue key is not here (any more).
    pub(super) fn current(
        &self,
        tx: &mut dyn Tx,
        device: &DeviceId,
        hour: u32,
    ) -> StoreResult<Option<Arc<HourKey>>> {
        if let Some(key) = self.ready(device, hour) {
            return Ok(Some(key));
        }
        let known = self.queue_keys.lock().expect("no panic holds this lock").get(device).cloned();
        let queue_key = match known {
            Some(known) => known,
            None => match self.queue_key_of(tx, device)? {
                Some(read) => self.remember(device, read),
                None => return Ok(None),
            },
        };
        Ok(self.make(device, &queue_key, hour))
    }

    pub(super) fn ready(&self, device: &DeviceId, hour: u32) -> Option<Arc<HourKey>> {
        let keys = self.keys.lock().expect("no panic holds this lock");
        keys.get(device).filter(|key| key.hour == hour).cloned()
    }

    /// A key for this hour that holds for nothing unless it is [settled](Self::settle): always read and made anew, so that it
    /// costs the same whatever came to the device before. None if its queue key is not here (any more).
    pub(super) fn spare(
        &self,
        tx: &mut dyn Tx,
        device: &DeviceId,
        hour: u32,
    ) -> StoreResult<Option<Arc<HourKey>>> {
        let queue_key = self.queue_key_of(tx, device)?;
        Ok(queue_key.and_then(|queue_key| HourKey::new(device, &queue_key, hour)).map(Arc::new))
    }

    fn make(&self, device: &DeviceId, queue_key: &QueueKey, hour: u32) -> Option<Arc<HourKey>> {
        Some(self.settle(device, Arc::new(HourKey::new(device, queue_key, hour)?)))
    }

    /// The key that holds: this one, if there is none yet.
    pub(super) fn settle(&self, device: &DeviceId, made: Arc<HourKey>) -> Arc<HourKey> {
        let hour = made.hour;
        let mut keys = self.keys.lock().expect("no panic holds this lock");
        // Another thread may have made one meanwhile; there is one for each hour.
        match keys.get(device).filter(|key| key.hour == hour) {
            Some(other) => other.clone(),
            None => {
                keys.insert(*device, made.clone());
                made
            }
        }
    }

    fn remember(&self, device: &DeviceId, queue_key: QueueKey) -> Arc<QueueKey> {
        let queue_key = Arc::new(queue_key);
        let mut known = self.queue_keys.lock().expect("no panic holds this lock");
        if known.len() >= QUEUE_KEYS {
            known.retain(|device, _| *device == SINK);
        }
        known.insert(*device, queue_key.clone());
        queue_key
    }

    /// Forgets a device that was revoked.
    pub(super) fn forget_device(&self, device: &DeviceId) {
        self.keys.lock().expect("no panic holds this lock").remove(device);
        self.queue_keys.lock().expect("no panic holds this lock").remove(device);
    }

    /// Forgets the keys of hours that have passed.
    pub(super) fn forget_before(&self, hour: u32) {
        let mut keys = self.keys.lock().expect("no panic holds this lock");
        keys.retain(|_, key| key.hour >= hour);
        keys.shrink_to_fit();
    }

    fn queue_key_of(&self, tx: &mut dyn Tx, device: &DeviceId) -> StoreResult<Option<QueueKey>> {
        let sealed = tx.queue_key(device)?;
        let plain = sealed.and_then(|sealed| self.rows.open(&device.0, &sealed));
        let key = plain.and_then(|plain| QueueKey::from_bytes(&plain).ok());
        if key.is_none() {
            tracing::error!("a stored queue key is missing or does not open; run `zegel-server verify`");
        }
        Ok(key)
    }
}
