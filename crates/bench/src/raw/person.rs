//! Somebody with one device and real keys.

use std::sync::atomic::{AtomicU64, Ordering};

use ed25519_dalek::Signer as _;
use hpke::{Kem as _, Serializable as _, kem::XWing};
use zegel_identity::{Action, DeviceInfo, Signer, SigningKey, auth_message, new_signing_key, sign_link};
use zegel_proto::{
    AccountId, DeviceId,
    v1::{self, client_frame as ask},
};

/// What opens the hour keys of a device.
pub type QueueSecret = <XWing as hpke::Kem>::PrivateKey;

/// See the module.
pub struct Person {
    pub account: AccountId,
    pub device: DeviceId,
    pub queue_secret: QueueSecret,
    age_band: v1::AgeBand,
    queue_key: Vec<u8>,
    handle: String,
    key: SigningKey,
}

impl Person {
    /// An adult whom no server knows, with a handle of their own in this process.
    pub fn new() -> Self {
        Self::of(v1::AgeBand::Adult)
    }

    /// Somebody of this age.
    pub fn of(age_band: v1::AgeBand) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let (queue_secret, queue_key) = XWing::gen_keypair();
        Self {
            account: AccountId::random(),
            device: DeviceId::random(),
            queue_secret,
            age_band,
            queue_key: queue_key.to_bytes().to_vec(),
            handle: format!("bench{:06}", COUNT.fetch_add(1, Ordering::Relaxed)),
            key: new_signing_key(),
        }
    }

    /// Their handle.
    pub fn handle(&self) -> &str {
        &self.handle
    }

    /// What makes the account at a server that says hello so.
    pub fn registration(&self, hello: &v1::HelloAnswer) -> ask::Body {
        let device = DeviceInfo::new(&self.account, self.device, &self.key, self.queue_key.clone());
        let action = Action::Create {
            handle: self.handle.clone(),
            app: hello.app.clone(),
            domain: hello.domain.clone(),
            device,
            recovery: new_signing_key().verifying_key().to_bytes(),
        };
        let signer = Signer::Device(self.device);
        let link = sign_link(self.account, (0, [0; 32]), hello.server_ms, action, signer, &self.key);
        ask::Body::Register(v1::Register {
            app: hello.app.clone(),
            handle: self.handle.clone(),
            age_band: self.age_band as i32,
            language: "en".into(),
            invite: String::new(),
            entry: Some(link.into()),
        })
    }

    /// What proves the device's key to that server.
    pub fn proof(&self, hello: &v1::HelloAnswer) -> ask::Body {
        let message = auth_message(&hello.domain, &hello.nonce, &self.account, &self.device);
        ask::Body::Authenticate(v1::Authenticate {
            account: self.account.to_field(),
            device: self.device.to_field(),
            signature: self.key.sign(&message).to_vec().into(),
            appeal_only: false,
        })
    }
}
