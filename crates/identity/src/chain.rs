//! A verified sigchain, and the rules for each further link.

use std::collections::BTreeMap;

use zegel_proto::{AccountId, DeviceId, HandleError, check_handle};

use crate::{
    link::{Action, DeviceInfo, LinkError, QUEUE_KEY_LEN, SignedLink, Signer},
    messages::{link_message, verify},
};

/// Why a link does not follow.
#[derive(Debug, thiserror::Error)]
pub enum ChainError {
    /// It cannot be read.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// There is none.
    #[error("a sigchain has at least one link")]
    Empty,
    /// It belongs to another account.
    #[error("the link belongs to another account")]
    Account,
    /// Wrong place or wrong predecessor.
    #[error("the link does not follow link {0} of the chain")]
    Order(u64),
    /// The first link must create, and no other may.
    #[error("only the first link creates the account")]
    Create,
    /// The handle is malformed.
    #[error(transparent)]
    Handle(#[from] HandleError),
    /// The signer is not listed, or was revoked.
    #[error("the signer is not a device that the chain lists")]
    Signer,
    /// The signature does not verify.
    #[error("the signature is wrong")]
    Signature,
    /// The id or key was listed before.
    #[error("the device or its key was listed before; a revoked device cannot come back")]
    Reused,
    /// Its proof of possession does not verify, or its queue key has the wrong length.
    #[error("the new device's keys are not proven")]
    Proof,
    /// There is no such device to revoke.
    #[error("there is no such device to revoke")]
    NoDevice,
    /// Only the recovery key rotates the recovery key.
    #[error("only the recovery key may do this")]
    RecoveryOnly,
}

/// A device in a verified chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Device {
    /// As listed.
    pub info: DeviceInfo,
    /// Whether a later link revoked it.
    pub revoked: bool,
}

/// A chain, verified from its first link to its head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chain {
    account: AccountId,
    handle: String,
    app: String,
    domain: String,
    devices: BTreeMap<DeviceId, Device>,
    recovery: [u8; 32],
    len: u64,
    head: [u8; 32],
}

impl Chain {
    /// Verifies a whole chain.
    pub fn verify(links: &[SignedLink]) -> Result<Self, ChainError> {
        let (first, rest) = links.split_first().ok_or(ChainError::Empty)?;
        let mut chain = Self::begin(first)?;
        for link in rest {
            chain.append(link)?;
        }
        Ok(chain)
    }

    fn begin(signed: &SignedLink) -> Result<Self, ChainError> {
        let link = signed.link()?;
        if link.seq != 0 || link.prev != [0; 32] {
            return Err(ChainError::Order(0));
        }
        let Action::Create { handle, app, domain, device, recovery } = link.action else {
            return Err(ChainError::Create);
        };
        check_handle(&handle)?;
        if link.signer != Signer::Device(device.id) {
            return Err(ChainError::Signer);
        }
        if !verify(&device.signing_key, &link_message(&signed.body), &signed.signature) {
            return Err(ChainError::Signature);
        }
        let mut chain = Self {
            account: link.account,
            handle,
            app,
            domain,
            devices: BTreeMap::new(),
            recovery,
            len: 1,
            head: signed.hash(),
        };
        chain.list(device)?;
        Ok(chain)
    }

    /// Verifies one more link and takes it; on an error the chain is as before.
    pub fn append(&mut self, signed: &SignedLink) -> Result<(), ChainError> {
        let link = signed.link()?;
        if link.account != self.account {
            return Err(ChainError::Account);
        }
        if link.seq != self.len || link.prev != self.head {
            return Err(ChainError::Order(self.len - 1));
        }
        let key = match link.signer {
            Signer::Recovery => self.recovery,
            Signer::Device(id) => self.device(&id).ok_or(ChainError::Signer)?.signing_key,
        };
        if !verify(&key, &link_message(&signed.body), &signed.signature) {
            return Err(ChainError::Signature);
        }
        match link.action {
            Action::Create { .. } => return Err(ChainError::Create),
            Action::AddDevice(info) => self.list(info)?,
            Action::RevokeDevice(id) => match self.devices.get_mut(&id) {
                Some(device) if !device.revoked => device.revoked = true,
                _ => return Err(ChainError::NoDevice),
            },
            Action::RotateRecovery(key) => match link.signer {
                Signer::Recovery => self.recovery = key,
                Signer::Device(_) => return Err(ChainError::RecoveryOnly),
            },
        }
        self.len += 1;
        self.head = signed.hash();
        Ok(())
    }

    fn list(&mut self, info: DeviceInfo) -> Result<(), ChainError> {
        let reused = |d: &Device| d.info.id == info.id || d.info.signing_key == info.signing_key;
        if self.devices.values().any(reused) {
            return Err(ChainError::Reused);
        }
        if info.queue_key.len() != QUEUE_KEY_LEN || !info.proves_possession(&self.account) {
            return Err(ChainError::Proof);
        }
        self.devices.insert(info.id, Device { info, revoked: false });
        Ok(())
    }

    /// The account's id.
    pub fn account(&self) -> AccountId {
        self.account
    }
    /// The handle it was created with.
    pub fn handle(&self) -> &str {
        &self.handle
    }
    /// The app it belongs to.
    pub fn app(&self) -> &str {
        &self.app
    }
    /// The domain of its service.
    pub fn domain(&self) -> &str {
        &self.domain
    }
    /// A device that is listed and not revoked.
    pub fn device(&self, id: &DeviceId) -> Option<&DeviceInfo> {
        self.devices.get(id).filter(|d| !d.revoked).map(|d| &d.info)
    }
    /// All devices that are listed and not revoked.
    pub fn devices(&self) -> impl Iterator<Item = &DeviceInfo> {
        self.devices.values().filter(|d| !d.revoked).map(|d| &d.info)
    }
    /// Number of links, and the hash of the last: what the next link follows.
    pub fn head(&self) -> (u64, [u8; 32]) {
        (self.len, self.head)
    }
}
