//! Our own identity: the keys that never leave this device.

use ed25519_dalek::Signer as _;
use hpke::{Deserializable, Kem, OpModeR, Serializable};
use openmls_traits::{
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};
use serde::{Deserialize, Serialize};
use zegel_identity::{Action, DeviceInfo, SignedLink, SigningKey, new_signing_key, sign_link};
use zegel_proto::{AccountId, DeviceId};
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::{Error, Result};

type QueueKem = hpke::kem::XWing;
type QueueKdf = hpke::kdf::HkdfSha256;
type QueueAead = hpke::aead::ChaCha20Poly1305;

/// Our account and this device, with its secrets. No `Debug`: nothing may print it.
pub struct Me {
    pub(crate) account: AccountId,
    pub(crate) device: DeviceId,
    pub(crate) handle: String,
    pub(crate) domain: String,
    pub(crate) app: String,
    pub(crate) server: String,
    pub(crate) signing: SigningKey,
    pub(super) queue_private: Zeroizing<Vec<u8>>,
    recovery: SigningKey,
}

/// As stored in the profile. Format 1.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
struct Stored {
    version: u16,
    #[zeroize(skip)]
    account: AccountId,
    #[zeroize(skip)]
    device: DeviceId,
    handle: String,
    domain: String,
    app: String,
    server: String,
    signing: [u8; 32],
    #[serde(with = "serde_bytes")]
    queue_private: Vec<u8>,
    recovery: [u8; 32],
}

impl Me {
    /// Makes a new account with this as its first device; returns the first link of its sigchain.
    pub(crate) fn create(
        handle: &str,
        app: &str,
        domain: &str,
        server: &str,
        now_ms: u64,
    ) -> (Self, SignedLink) {
        let (queue_private, queue_public) = QueueKem::gen_keypair();
        let me = Self {
            account: AccountId::random(),
            device: DeviceId::random(),
            handle: handle.into(),
            domain: domain.into(),
            app: app.into(),
            server: server.into(),
            signing: new_signing_key(),
            queue_private: Zeroizing::new(queue_private.to_bytes().to_vec()),
            recovery: new_signing_key(),
        };
        let action = Action::Create {
            handle: handle.into(),
            app: app.into(),
            domain: domain.into(),
            device: DeviceInfo::new(&me.account, me.device, &me.signing, queue_public.to_bytes().to_vec()),
            recovery: me.recovery.verifying_key().to_bytes(),
        };
        let signer = zegel_identity::Signer::Device(me.device);
        let link = sign_link(me.account, (0, [0; 32]), now_ms, action, signer, &me.signing);
        (me, link)
    }

    pub(crate) fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let stored = Stored {
            version: 1,
            account: self.account,
            device: self.device,
            handle: self.handle.clone(),
            domain: self.domain.clone(),
            app: self.app.clone(),
            server: self.server.clone(),
            signing: self.signing.to_bytes(),
            queue_private: self.queue_private.to_vec(),
            recovery: self.recovery.to_bytes(),
        };
        let mut bytes = Zeroizing::new(Vec::new());
        ciborium::into_writer(&stored, &mut *bytes).expect("writing CBOR into memory cannot fail");
        bytes
    }

    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let damaged = |why: String| Error::Profile { why, fix: "a copy of the profile folder" };
        let stored: Stored = ciborium::from_reader(bytes).map_err(|e| damaged(e.to_string()))?;
        if stored.version != 1 {
            return Err(damaged(format!(
                "its identity has version {}, which this release does not know",
                stored.version
            )));
        }
        Ok(Self {
            account: stored.account,
            device: stored.device,
            handle: stored.handle.clone(),
            domain: stored.domain.clone(),
            app: stored.app.clone(),
            server: stored.server.clone(),
            signing: SigningKey::from_bytes(&stored.signing),
            queue_private: Zeroizing::new(stored.queue_private.clone()),
            recovery: SigningKey::from_bytes(&stored.recovery),
        })
    }

    /// What `Authenticate` carries as signature.
    pub(crate) fn sign_auth(&self, domain: &str, nonce: &[u8]) -> Vec<u8> {
        self.signing.sign(&zegel_identity::auth_message(domain, nonce, &self.account, &self.device)).to_vec()
    }

    /// Opens what was sealed to this device's queue key.
    pub(crate) fn open_sealed(
        &self,
        encapsulated: &[u8],
        sealed: &[u8],
        info: &[u8],
        aad: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        let key = <QueueKem as Kem>::PrivateKey::from_bytes(&self.queue_private).ok()?;
        let encapsulated = <QueueKem as Kem>::EncappedKey::from_bytes(encapsulated).ok()?;
        hpke::single_shot_open::<QueueAead, QueueKdf, QueueKem>(
            &OpModeR::Base,
            &key,
            &encapsulated,
            info,
            sealed,
            aad,
        )
        .ok()
        .map(Zeroizing::new)
    }
}

/// Seals to another device's queue key: (encapsulated key, ciphertext).
pub(crate) fn seal_to(queue_key: &[u8], info: &[u8], plain: &[u8], aad: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let key = <QueueKem as Kem>::PublicKey::from_bytes(queue_key).ok()?;
    let mode = hpke::OpModeS::Base;
    let (encapsulated, sealed) =
        hpke::single_shot_seal::<QueueAead, QueueKdf, QueueKem>(&mode, &key, info, plain, aad).ok()?;
    Some((encapsulated.to_bytes().to_vec(), sealed))
}

/// The device key signs MLS leaves too; MLS's own labels keep the purposes apart.
impl Signer for Me {
    fn sign(&self, payload: &[u8]) -> std::result::Result<Vec<u8>, SignerError> {
        Ok(self.signing.sign(payload).to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}
