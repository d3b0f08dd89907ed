//! Whose an account is, as far as blocks go. An account is its own person, unless an invite was made for one person:
//! then all accounts that show it are that person's. Nothing else tells the service that two accounts belong together.

use zegel_proto::AccountId;

use super::seal::SealKey;
use crate::{
    keys::KeyRing,
    store::{StoreResult, Tx},
};

/// A person's name in block tags and in limits. It is on no disk in the clear.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Person([u8; 16]);

impl Person {
    /// The account is nobody's but its own.
    pub(super) fn own(account: &AccountId) -> Self {
        Self(account.0)
    }

    /// Whoever the invite with this hash was made for.
    pub(super) fn invited(keys: &KeyRing, invite: &[u8; 32]) -> Self {
        Self(keys.person_of_invite(invite))
    }

    /// As the account's row keeps it.
    pub(super) fn seal(self, keys: &KeyRing, account: &AccountId) -> Vec<u8> {
        SealKey::of_persons(keys.storage()).seal(&account.0, &self.0)
    }

    /// What the account's row keeps; an account without one, or with a damaged one, is its own person.
    pub(super) fn open(keys: &KeyRing, account: &AccountId, sealed: &[u8]) -> Self {
        let plain = SealKey::of_persons(keys.storage()).open(&account.0, sealed);
        plain.and_then(|plain| plain.as_slice().try_into().ok()).map_or(Self::own(account), Self)
    }

    /// Whose this account is.
    pub(super) fn of(tx: &mut dyn Tx, keys: &KeyRing, account: &AccountId) -> StoreResult<Self> {
        let sealed = tx.person(account)?.unwrap_or_default();
        Ok(Self::open(keys, account, &sealed))
    }

    /// What limits count by.
    pub(super) fn key(self) -> [u8; 16] {
        self.0
    }

    /// What "`receiver` blocked somebody who has this account" may be stored as. A block is stored as the last; the first
    /// holds what was blocked before it was known whose the account is.
    pub(super) fn block_tags(
        self,
        keys: &KeyRing,
        receiver: &AccountId,
        account: &AccountId,
    ) -> [[u8; 32]; 2] {
        [keys.block_tag(receiver, &account.0), keys.block_tag(receiver, &self.0)]
    }
}
