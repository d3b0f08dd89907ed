//! The service's signed word that an entry will be in the directory soon.

use serde::{Deserialize, Serialize};
use zegel_proto::v1;

use crate::{
    CLOCK_SLACK_MS, Entry, EntryError, Label, PATIENCE_MS, PROMISE_EPOCHS, Root, SignerKey, Signers, labelled,
};

/// What is promised: from epoch `by_epoch` on, the directory's entry for `label` is `entry` or a later one of the
/// same account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promise {
    /// Which handle.
    pub label: Label,
    /// What its entry will be.
    pub entry: Entry,
    /// The first epoch that must have it.
    pub by_epoch: u64,
    /// The service's clock when it promised, milliseconds since 1970.
    pub made_ms: u64,
}

/// A promise with the signature of a key of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedPromise {
    /// What is promised.
    pub promise: Promise,
    /// Which key signed.
    pub signer: u32,
    /// Ed25519.
    pub signature: Vec<u8>,
}

impl Promise {
    fn message(&self, domain: &str) -> Vec<u8> {
        let parts: [&[u8]; 5] = [
            domain.as_bytes(),
            &self.label.0,
            &self.entry.to_bytes(),
            &self.by_epoch.to_be_bytes(),
            &self.made_ms.to_be_bytes(),
        ];
        labelled("directory promise", &parts)
    }

    /// Signs it.
    pub fn sign(self, domain: &str, key: &SignerKey) -> SignedPromise {
        let signature = key.sign(&self.message(domain)).to_vec();
        SignedPromise { promise: self, signer: key.number(), signature }
    }
}

impl SignedPromise {
    /// Whether a key of the directory signed it.
    pub fn is_signed(&self, domain: &str, signers: &Signers) -> bool {
        signers.signed(self.signer, &self.promise.message(domain), &self.signature)
    }

    /// Whether it falls due soon, held against the newest root and the service's clock: a promise for a day that never
    /// comes could never be broken.
    pub fn is_sane(&self, root: &Root, server_ms: u64) -> bool {
        let Promise { by_epoch, made_ms, .. } = self.promise;
        by_epoch <= root.epoch.saturating_add(PROMISE_EPOCHS)
            && made_ms <= server_ms.max(root.time_ms).saturating_add(CLOCK_SLACK_MS)
    }

    /// Whether the directory must have kept it in this root, or, by the service's own clock, long before now.
    pub fn is_due(&self, root: &Root, server_ms: u64) -> bool {
        root.epoch >= self.promise.by_epoch
            || server_ms.max(root.time_ms) > self.promise.made_ms.saturating_add(PATIENCE_MS)
    }
}

impl From<&SignedPromise> for v1::SignedPromise {
    fn from(signed: &SignedPromise) -> Self {
        let promise = &signed.promise;
        Self {
            label: promise.label.0.to_vec().into(),
            entry: promise.entry.to_bytes().into(),
            by_epoch: promise.by_epoch,
            made_ms: promise.made_ms,
            signer: signed.signer,
            signature: signed.signature.clone().into(),
        }
    }
}

impl TryFrom<&v1::SignedPromise> for SignedPromise {
    type Error = EntryError;
    fn try_from(signed: &v1::SignedPromise) -> Result<Self, EntryError> {
        let promise = Promise {
            label: Label(signed.label.as_ref().try_into().map_err(|_| EntryError::Form)?),
            entry: Entry::from_bytes(&signed.entry)?,
            by_epoch: signed.by_epoch,
            made_ms: signed.made_ms,
        };
        Ok(Self { promise, signer: signed.signer, signature: signed.signature.to_vec() })
    }
}
