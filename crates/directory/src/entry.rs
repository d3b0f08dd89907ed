//! What the directory says about a handle.

use serde::{Deserialize, Serialize};
use zegel_identity::{Chain, SignedLink};
use zegel_proto::AccountId;

use crate::digest;

/// The version that every entry begins with.
const VERSION: u8 = 1;
/// Length of an entry in bytes.
const LEN: usize = 1 + 1 + AccountId::LEN + 8 + 32;

/// The name of a handle in the directory: a hash of its domain and itself, so that no table, error or log of the
/// directory holds a handle.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Label(pub [u8; 32]);

impl Label {
    /// The label of a handle.
    pub fn of(domain: &str, handle: &str) -> Self {
        Self(digest("directory label", &[domain.as_bytes(), handle.as_bytes()]))
    }
}

impl std::fmt::Debug for Label {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Label(..)")
    }
}

/// An entry that cannot be read.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum EntryError {
    /// Not the layout that this build knows.
    #[error("the directory's entry has another form")]
    Form,
    /// Made by a newer Zegel.
    #[error("the directory's entry has version {0}, which is not known to this build; update it")]
    Version(u8),
}

/// Whose a handle is, and where their sigchain stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Whose.
    pub account: AccountId,
    /// Number of links of the sigchain.
    pub len: u64,
    /// Hash of the last link.
    pub head: [u8; 32],
    /// The account is gone; the handle stays its own for ever.
    pub ended: bool,
}

impl Entry {
    /// The entry of a living account with this chain.
    pub fn of(chain: &Chain) -> Self {
        let (len, head) = chain.head();
        Self { account: chain.account(), len, head, ended: false }
    }

    /// The same account, gone.
    pub fn tombstone(self) -> Self {
        Self { ended: true, ..self }
    }

    /// Whether a chain with these links, already verified to be this account's, stood here once or stands here now.
    pub fn is_point_of(&self, account: &AccountId, links: &[SignedLink]) -> bool {
        let last = usize::try_from(self.len).ok().and_then(|len| len.checked_sub(1));
        self.account == *account && last.and_then(|at| links.get(at)).map(SignedLink::hash) == Some(self.head)
    }

    /// Version, state, account, length, head.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(LEN);
        bytes.extend([VERSION, u8::from(self.ended)]);
        bytes.extend(self.account.0);
        bytes.extend(self.len.to_be_bytes());
        bytes.extend(self.head);
        bytes
    }

    /// Reads what [`Entry::to_bytes`] wrote.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, EntryError> {
        match bytes.first() {
            Some(&VERSION) => {}
            Some(&other) => return Err(EntryError::Version(other)),
            None => return Err(EntryError::Form),
        }
        let bytes: &[u8; LEN] = bytes.try_into().map_err(|_| EntryError::Form)?;
        let ended = match bytes[1] {
            0 => false,
            1 => true,
            _ => return Err(EntryError::Form),
        };
        let account = AccountId::from_slice(&bytes[2..18]).map_err(|_| EntryError::Form)?;
        let len = u64::from_be_bytes(bytes[18..26].try_into().map_err(|_| EntryError::Form)?);
        let head = bytes[26..].try_into().map_err(|_| EntryError::Form)?;
        if len == 0 {
            return Err(EntryError::Form);
        }
        Ok(Self { account, len, head, ended })
    }
}
