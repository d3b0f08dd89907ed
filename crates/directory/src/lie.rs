//! What a directory can be caught at.

use crate::{EntryError, KeysError, ProofError, RootError};

/// A statement of the service that cannot be true, or contradicts another one. Each text completes "the service's
/// directory …".
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Lie {
    /// Unreadable.
    #[error("made no sense ({0})")]
    Form(&'static str),
    /// A root that no key of the directory signed.
    #[error("showed a root that its keys did not sign")]
    Signature,
    /// Its keys are not the ones that it had, nor named by them.
    #[error("changed its keys without the old ones' consent")]
    Keys,
    /// The function that places handles is another one.
    #[error("places handles in another way than before")]
    Vrf,
    /// Two different roots for one epoch.
    #[error("showed two different roots for epoch {0}")]
    Fork(u64),
    /// A root without the way down to the one that was seen before.
    #[error("did not show how epoch {shown} follows from epoch {seen}")]
    Unlinked {
        /// What was seen before.
        seen: u64,
        /// What came now.
        shown: u64,
    },
    /// A signature of a key that was replaced before.
    #[error("signed epoch {0} with a key that it had replaced")]
    OldKey(u64),
    /// A root that does not come after the one seen before.
    #[error("showed epoch {shown} after epoch {seen}: it went back")]
    Rollback {
        /// What was seen before.
        seen: u64,
        /// What came now.
        shown: u64,
    },
    /// It says that an epoch does not exist whose signed root somebody has.
    #[error("hides epoch {0}, which others have seen")]
    Hidden(u64),
    /// A time before that of an earlier root.
    #[error("dated epoch {0} before the one before it")]
    Time(u64),
    /// An entry whose proof does not hold.
    #[error("could not prove what it said ({0})")]
    Proof(ProofError),
    /// A promise that no key of the directory signed, or about something else.
    #[error("gave a promise that is not its own")]
    Promise,
    /// A promise that was not kept.
    #[error("did not keep its promise for epoch {0}")]
    Broken(u64),
    /// Something was removed or rewritten between two epochs.
    #[error("removed or rewrote something in epoch {epoch} ({why})")]
    Rewritten {
        /// In which epoch.
        epoch: u64,
        /// What the check said.
        why: ProofError,
    },
}

impl From<RootError> for Lie {
    fn from(_: RootError) -> Self {
        Self::Form("a root")
    }
}
impl From<EntryError> for Lie {
    fn from(_: EntryError) -> Self {
        Self::Form("an entry")
    }
}
impl From<KeysError> for Lie {
    fn from(_: KeysError) -> Self {
        Self::Keys
    }
}
impl From<ProofError> for Lie {
    fn from(error: ProofError) -> Self {
        Self::Proof(error)
    }
}
