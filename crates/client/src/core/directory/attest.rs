//! An answer about a person, held against the directory. Pure: it runs outside the core's lock.

use zegel_directory::{Entry, Found, Lie, Root, SignedPromise, View};
use zegel_identity::{Chain, SignedLink};
use zegel_proto::{AccountId, v1};

/// How the service was asked about somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// By handle.
    Handle(String),
    /// By account id.
    Account(AccountId),
}

impl From<&Asked> for v1::FetchAccount {
    fn from(asked: &Asked) -> Self {
        match asked {
            Asked::Handle(handle) => Self { handle: handle.clone(), ..Self::default() },
            Asked::Account(account) => Self { account: account.to_field(), ..Self::default() },
        }
    }
}

/// Why what the service said about a person is not taken.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum Doubt {
    /// The directory itself.
    #[error("the service's directory {0}")]
    Directory(#[from] Lie),
    /// A link that does not follow.
    #[error("the list of devices that the service gave is not valid: {0}")]
    Chain(String),
    /// An answer about another account.
    #[error("the service answered with another account than was asked for")]
    Other,
    /// Two accounts under one handle.
    #[error("the service gives the handle to another account than before")]
    Handle,
    /// Neither proof nor promise of exactly these devices.
    #[error("the service's directory neither proves nor promises the list of devices that the service gave")]
    Unproven,
    /// A chain that does not continue the one that we hold.
    #[error("the service rewrote the history of the devices")]
    Rewritten,
    /// No answer at all, for so long that it is no fault.
    #[error("the service has long refused to show what its directory says")]
    Refused,
    /// Our own account, and we deleted nothing.
    #[error("the service's directory says that the account was deleted")]
    Ended,
}

/// A verified chain that the directory covers.
#[derive(Clone, Debug)]
pub(crate) struct Attested {
    pub chain: Chain,
    pub links: Vec<SignedLink>,
    /// The newest entry in the directory, if it has one.
    pub found: Option<Found>,
    /// The word for a newer one.
    pub promise: Option<SignedPromise>,
    /// The root under which all this was said.
    pub root: Root,
}

impl Attested {
    /// Holds an answer against the directory. It was given under the newest root of `view`.
    pub(crate) fn check(view: &View, asked: &Asked, answer: &v1::AccountAnswer) -> Result<Self, Doubt> {
        let links: Vec<SignedLink> = answer.chain.iter().cloned().map(SignedLink::from).collect();
        let chain = Chain::verify(&links).map_err(|error| Doubt::Chain(error.to_string()))?;
        let meant = match asked {
            Asked::Handle(handle) => chain.handle() == handle,
            Asked::Account(account) => chain.account() == *account,
        };
        if !meant || answer.account != chain.account().0.as_slice() || chain.domain() != view.domain() {
            return Err(Doubt::Other);
        }
        let found = match answer.lookup.is_empty() {
            true => None,
            false => Some(view.lookup(chain.handle(), &answer.lookup)?),
        };
        let promise = match &answer.promise {
            None => None,
            Some(promise) => {
                let promise = SignedPromise::try_from(promise).map_err(Lie::from)?;
                view.promised(chain.handle(), &promise)?;
                Some(promise)
            }
        };
        let root = view.latest().root.clone();
        let attested = Self { chain, links, found, promise, root };
        attested.is_covered()?;
        Ok(attested)
    }

    /// What is proven must be a point of the chain, and what is promised its head.
    fn is_covered(&self) -> Result<(), Doubt> {
        let account = self.chain.account();
        let (len, head) = self.chain.head();
        let is_head = |entry: &Entry| entry.len == len && entry.head == head;
        if let Some(Found { entry, .. }) = &self.found {
            if entry.account != account {
                return Err(Doubt::Handle);
            }
            if !entry.is_point_of(&account, &self.links) {
                return Err(Doubt::Unproven);
            }
        }
        match (&self.promise, &self.found) {
            (Some(promised), found) => {
                let entry = &promised.promise.entry;
                if entry.account != account || !is_head(entry) {
                    return Err(Lie::Promise.into());
                }
                // Nothing comes after the end.
                match found.as_ref().is_some_and(|found| found.entry.ended) && !entry.ended {
                    true => Err(Doubt::Unproven),
                    false => Ok(()),
                }
            }
            (None, Some(found)) if is_head(&found.entry) => Ok(()),
            (None, _) => Err(Doubt::Unproven),
        }
    }

    /// Whether its chain begins with the one that we hold of this account.
    pub(super) fn continues(&self, held: &Chain) -> bool {
        Entry::of(held).is_point_of(&self.chain.account(), &self.links)
    }

    /// Whether the account was deleted.
    pub(crate) fn ended(&self) -> bool {
        let promised = self.promise.as_ref().is_some_and(|promised| promised.promise.entry.ended);
        promised || self.found.as_ref().is_some_and(|found| found.entry.ended)
    }

    /// Whether the directory has what was promised, or something later.
    pub(crate) fn keeps(&self, promised: &Entry) -> bool {
        self.found.as_ref().is_some_and(|Found { entry, .. }| {
            entry.account == promised.account && entry.len >= promised.len && (entry.ended || !promised.ended)
        })
    }
}
