//! The key of the verifiable random function, which places handles in the tree.

use std::sync::Arc;

use akd_core::ecvrf::{VRFKeyStorage, VRFPrivateKey, VRFPublicKey, VrfError};
use async_trait::async_trait;
use zeroize::Zeroizing;

/// The secret key that places handles in the tree: who has it can find out which handles are there. It stays the same
/// for the whole life of a directory. No `Debug`: nothing may print it.
#[derive(Clone)]
pub struct VrfKey(Arc<Zeroizing<[u8; 32]>>);

impl VrfKey {
    /// From what was kept.
    pub fn new(secret: [u8; 32]) -> Self {
        Self(Arc::new(Zeroizing::new(secret)))
    }

    /// For a new directory.
    pub fn random() -> Self {
        Self::new(rand::random())
    }

    /// The secret, to be kept.
    pub fn secret(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public half, which every root states.
    pub fn public(&self) -> [u8; 32] {
        let secret = VRFPrivateKey::try_from(&self.0[..]).expect("32 bytes are asked for, and these are 32");
        VRFPublicKey::from(&secret).to_bytes()
    }
}

#[async_trait]
impl VRFKeyStorage for VrfKey {
    async fn retrieve(&self) -> Result<Vec<u8>, VrfError> {
        Ok(self.0.to_vec())
    }
}
