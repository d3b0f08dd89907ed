//! What one observer has seen of a directory, and what it accepts next.

use serde::{Deserialize, Serialize};

use crate::{
    Entry, Found, Label, Lie, Root, SeenRoot, SignedPromise, SignedRoot, SignerLink, Signers, verify_history,
    verify_lookup,
};

/// A directory as one observer knows it: its keys and the newest root seen. Clients and auditors keep one each;
/// every root that they take is proven to be in one history with the root before.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    domain: String,
    signers: Signers,
    latest: SignedRoot,
}

impl View {
    /// The first meeting: whatever the service shows is taken, and held against it from then on.
    pub fn begin(domain: &str, signers: &[SignerLink], root: SignedRoot) -> Result<Self, Lie> {
        let signers = Signers::verify(domain, signers)?;
        if !root.is_signed(domain, &signers) {
            return Err(Lie::Signature);
        }
        Ok(Self { domain: domain.into(), signers, latest: root })
    }

    /// The newest root seen.
    pub fn latest(&self) -> &SignedRoot {
        &self.latest
    }
    /// The keys of the directory.
    pub fn signers(&self) -> &Signers {
        &self.signers
    }
    /// The domain of the service.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// Takes more keys, each named by the one before.
    pub fn learn_signers(&mut self, links: &[SignerLink]) -> Result<(), Lie> {
        let signers = Signers::verify(&self.domain, links)?;
        if !signers.continues(&self.signers) {
            // Fewer than we know is an old answer, not a lie; others are.
            return if self.signers.continues(&signers) { Ok(()) } else { Err(Lie::Keys) };
        }
        self.signers = signers;
        Ok(())
    }

    /// Takes a root that is as new or newer; `path` proves that the one seen before is in its history
    /// ([`crate::path_epochs`]).
    pub fn advance(&mut self, next: SignedRoot, path: &[Root]) -> Result<(), Lie> {
        let (seen, shown) = (&self.latest.root, &next.root);
        if !next.is_signed(&self.domain, &self.signers) {
            return Err(Lie::Signature);
        }
        if shown.vrf != seen.vrf {
            return Err(Lie::Vrf);
        }
        if shown.epoch < seen.epoch {
            return Err(Lie::Rollback { seen: seen.epoch, shown: shown.epoch });
        }
        match shown.ancestor(seen.epoch, path) {
            Some(hash) if hash == seen.hash() => {}
            Some(_) => return Err(Lie::Fork(seen.epoch)),
            None => return Err(Lie::Unlinked { seen: seen.epoch, shown: shown.epoch }),
        }
        if shown.time_ms < seen.time_ms {
            return Err(Lie::Time(shown.epoch));
        }
        if shown.signer < seen.signer {
            return Err(Lie::OldKey(shown.epoch));
        }
        self.latest = next;
        Ok(())
    }

    /// Holds what somebody else saw against our own history: `path` leads from the newest root to its epoch, which
    /// must not be newer. Call it only with what a key of the directory signed ([`View::believes`]).
    pub fn compare(&self, seen: &SeenRoot, path: &[Root]) -> Result<(), Lie> {
        match self.latest.root.ancestor(seen.epoch, path) {
            Some(hash) if hash == seen.hash => Ok(()),
            Some(_) => Err(Lie::Fork(seen.epoch)),
            None => Err(Lie::Unlinked { seen: seen.epoch, shown: self.latest.root.epoch }),
        }
    }

    /// Whether the directory signed what somebody says that they saw.
    pub fn believes(&self, seen: &SeenRoot) -> bool {
        seen.is_signed(&self.domain, &self.signers)
    }

    /// The label of a handle in this directory.
    pub fn label(&self, handle: &str) -> Label {
        Label::of(&self.domain, handle)
    }

    /// The entry of a handle, proven under the newest root.
    pub fn lookup(&self, handle: &str, proof: &[u8]) -> Result<Found, Lie> {
        Ok(verify_lookup(&self.latest.root, &self.label(handle), proof)?)
    }

    /// All entries that a handle ever had, or the newest `most_recent` of them, newest first, proven under the
    /// newest root.
    pub fn history(&self, handle: &str, most_recent: Option<usize>, proof: &[u8]) -> Result<Vec<Found>, Lie> {
        Ok(verify_history(&self.latest.root, &self.label(handle), most_recent, proof)?)
    }

    /// What the service promised about a handle.
    pub fn promised(&self, handle: &str, promise: &SignedPromise) -> Result<Entry, Lie> {
        let about = promise.promise.label == self.label(handle);
        if !about || !promise.is_signed(&self.domain, &self.signers) {
            return Err(Lie::Promise);
        }
        Ok(promise.promise.entry)
    }
}
