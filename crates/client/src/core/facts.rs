//! Group facts: what all members of a conversation agree on beside its keys, and who may change it.

use serde::{Deserialize, Serialize};
use zegel_proto::AccountId;

/// The facts component of a group context. Format 1.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Facts {
    /// Format version.
    pub version: u16,
    /// Whether it is a chat of two people.
    pub direct: bool,
    /// A group's name; empty for a direct chat.
    pub name: String,
    /// Who may add, remove and rename; ascending.
    pub admins: Vec<AccountId>,
}

/// The longest group name, in bytes.
pub(crate) const MAX_NAME: usize = 128;

impl Facts {
    pub(crate) fn direct(founder: AccountId, peer: AccountId) -> Self {
        let mut admins = vec![founder, peer];
        admins.sort();
        Self { version: 1, direct: true, name: String::new(), admins }
    }

    pub(crate) fn group(name: &str, founder: AccountId) -> Self {
        Self { version: 1, direct: false, name: name.into(), admins: vec![founder] }
    }

    pub(crate) fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        ciborium::into_writer(self, &mut bytes).expect("writing CBOR into memory cannot fail");
        bytes
    }

    /// Reads facts; `None` for what this release does not understand.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let facts: Self = ciborium::de::from_reader_with_recursion_limit(bytes, 8).ok()?;
        let sound = facts.version == 1 && facts.name.len() <= MAX_NAME && !facts.admins.is_empty();
        sound.then_some(facts)
    }
}

/// What a commit does, in terms of people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Change {
    /// Accounts that get a leaf they did not have.
    pub added: Vec<AccountId>,
    /// Accounts that lose a leaf for good.
    pub removed: Vec<AccountId>,
    /// Accounts with a device whose leaf is swapped for a fresh one of the same device (a rejoin).
    pub swapped: Vec<AccountId>,
    /// Accounts that get a further device.
    pub widened: Vec<AccountId>,
}

/// Whether `committer` may do this. `left` are those who said that they leave.
pub(crate) fn allowed(
    old: &Facts,
    new: &Facts,
    change: &Change,
    committer: &AccountId,
    left: &[AccountId],
) -> bool {
    if old.direct {
        // A direct chat stays between its two people, for ever.
        let tidy = change.removed.iter().all(|who| left.contains(who));
        let own_devices = change.widened.iter().all(|who| who == committer);
        return new == old && tidy && own_devices && change.added.iter().all(|who| old.admins.contains(who));
    }
    if new.direct {
        return false;
    }
    if old.admins.contains(committer) {
        return true;
    }
    // Anyone may tidy away who left, and let a fallen device of a member in again; nothing else. When that was the
    // last admin, who tidies becomes the next.
    let orphaned = old.admins.iter().all(|admin| change.removed.contains(admin));
    let heir = Facts { admins: vec![*committer], ..old.clone() };
    let facts = if orphaned { *new == heir } else { new == old };
    let own_devices = change.widened.iter().all(|who| who == committer);
    facts && own_devices && change.added.is_empty() && change.removed.iter().all(|who| left.contains(who))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_admins_change_a_group() {
        let [admin, member, other] = [1, 2, 3].map(|n| AccountId([n; 16]));
        let old = Facts::group("club", admin);
        let add = Change { added: vec![other], ..Change::default() };
        let remove = Change { removed: vec![other], ..Change::default() };
        let mut renamed = old.clone();
        renamed.name = "mine".into();
        let mut usurped = old.clone();
        usurped.admins = vec![member];
        for (new, change) in [(&old, &add), (&old, &remove), (&renamed, &Change::default())] {
            assert!(allowed(&old, new, change, &admin, &[]));
            assert!(!allowed(&old, new, change, &member, &[]));
        }
        assert!(!allowed(&old, &usurped, &Change::default(), &member, &[]));
        assert!(allowed(&old, &old, &remove, &member, &[other]), "who left is tidied away by anyone");
        let orphan = Change { removed: vec![admin], ..Change::default() };
        assert!(allowed(&old, &usurped, &orphan, &member, &[admin]), "the last admin left");
        assert!(!allowed(&old, &usurped, &orphan, &other, &[admin]), "the heir is who commits");
        assert!(!allowed(&old, &usurped, &orphan, &member, &[]), "the admin did not leave");
        let swap = Change { swapped: vec![other], ..Change::default() };
        assert!(allowed(&old, &old, &swap, &member, &[]));
    }

    #[test]
    fn a_direct_chat_takes_no_third() {
        let [a, b, c] = [1, 2, 3].map(|n| AccountId([n; 16]));
        let facts = Facts::direct(a, b);
        let add = |who| Change { added: vec![who], ..Change::default() };
        assert!(!allowed(&facts, &facts, &add(c), &a, &[]));
        assert!(allowed(&facts, &facts, &add(b), &a, &[]), "another device of the same person");
        assert!(!allowed(&facts, &Facts::group("x", a), &Change::default(), &a, &[]));
    }
}
