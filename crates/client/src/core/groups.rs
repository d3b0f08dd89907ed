//! MLS groups in memory, read from the profile when first needed.

use std::collections::HashMap;

use openmls::{group::MlsGroup, treesync::LeafNode};
use openmls_rust_crypto::RustCrypto;
use zegel_proto::{AccountId, Address, DeviceId, GroupId};

use super::{
    facts::Facts,
    suite::{address_of, facts_of, named_by},
};
use crate::{Error, Result, db::Db, db::mls::Provider};

/// The label of the head token in the MLS exporter.
const HEAD_LABEL: &str = "zegel head";

/// A member's leaf, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Seat {
    pub leaf: u32,
    pub account: AccountId,
    pub device: DeviceId,
    pub address: Address,
}

/// A group, with what is often asked about its current epoch.
pub(crate) struct Group {
    pub mls: MlsGroup,
    epoch: Option<Epoch>,
}

/// What is derived from an epoch and stays the same through it.
pub(crate) struct Epoch {
    number: u64,
    pub token: Vec<u8>,
    pub facts: Facts,
    pub seats: Vec<Seat>,
}

pub(crate) fn seat(leaf: u32, node: &LeafNode) -> Option<Seat> {
    let (account, device) = named_by(node.credential())?;
    Some(Seat { leaf, account, device, address: address_of(node)? })
}

impl Group {
    pub(crate) fn new(mls: MlsGroup) -> Self {
        Self { mls, epoch: None }
    }

    /// Facts of the current epoch, computed once.
    pub(crate) fn epoch(&mut self, crypto: &RustCrypto) -> Result<&Epoch> {
        let number = self.mls.epoch().as_u64();
        if self.epoch.as_ref().is_none_or(|known| known.number != number) {
            let doing = "reading a conversation's state";
            let token =
                self.mls.export_secret(crypto, HEAD_LABEL, b"", 32).map_err(|e| Error::mls(doing)(&e))?;
            let facts =
                facts_of(self.mls.public_group().group_context()).map_err(|e| Error::mls(doing)(&e))?;
            let facts = Facts::from_bytes(facts).ok_or_else(|| Error::mls(doing)(&"unreadable facts"))?;
            let leaves = self.mls.treesync().full_leaves();
            let seats = leaves.filter_map(|(index, leaf)| seat(index.u32(), leaf)).collect();
            self.epoch = Some(Epoch { number, token, facts, seats });
        }
        Ok(self.epoch.as_ref().expect("it was just computed"))
    }
}

impl Epoch {
    /// Accounts with at least one leaf, ascending.
    pub(crate) fn people(&self) -> Vec<AccountId> {
        let mut people: Vec<_> = self.seats.iter().map(|seat| seat.account).collect();
        people.sort();
        people.dedup();
        people
    }
}

/// The head token of the epoch that a pending commit opens.
pub(crate) fn next_token(mls: &MlsGroup, crypto: &RustCrypto) -> Result<Vec<u8>> {
    let doing = "making a commit";
    let pending = mls.pending_commit().ok_or_else(|| Error::mls(doing)(&"no commit is pending"))?;
    pending.export_secret(crypto, HEAD_LABEL, b"", 32).map_err(|e| Error::mls(doing)(&e))
}

/// The groups of a profile.
#[derive(Default)]
pub(crate) struct Groups {
    loaded: HashMap<GroupId, Group>,
}

impl Groups {
    /// The group with this id, from memory or from the profile.
    pub(crate) fn get(&mut self, db: &Db, crypto: &RustCrypto, id: &GroupId) -> Result<&mut Group> {
        if !self.loaded.contains_key(id) {
            let provider = Provider::new(db.conn(), crypto);
            let doing = "reading a conversation's state";
            let mls = MlsGroup::load(&provider.storage, &openmls::group::GroupId::from_slice(&id.0))
                .map_err(|e| Error::mls(doing)(&e))?
                .ok_or_else(|| Error::mls(doing)(&"it is not in the profile"))?;
            self.loaded.insert(*id, Group::new(mls));
        }
        Ok(self.loaded.get_mut(id).expect("it was just loaded"))
    }

    /// The group with this id, if it is in memory.
    pub(crate) fn loaded(&mut self, id: &openmls::group::GroupId) -> Option<&mut Group> {
        self.loaded.get_mut(&GroupId::from_slice(id.as_slice()).ok()?)
    }

    pub(crate) fn put(&mut self, id: GroupId, mls: MlsGroup) {
        self.loaded.insert(id, Group::new(mls));
    }

    pub(crate) fn forget(&mut self, id: &GroupId) {
        self.loaded.remove(id);
    }

    pub(crate) fn forget_all(&mut self) {
        self.loaded.clear();
    }
}
