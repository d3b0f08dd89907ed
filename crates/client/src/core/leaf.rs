//! A leaf is accepted only if its account's sigchain lists its device with its key.

use openmls::treesync::LeafNode;
use zegel_proto::AccountId;

use super::groups::{Seat, seat};
use crate::{Result, db::Db};

/// What a check of a leaf found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum LeafCheck {
    /// The chain that we hold lists it.
    Good(Seat),
    /// We hold no chain of this account, or one that does not list the device (yet).
    NeedsChain(AccountId),
    /// No credential or address of ours in it.
    Malformed,
}

/// Checks a leaf against the chains that we hold. `index` is only noted.
pub(crate) fn check_leaf(db: &Db, index: u32, leaf: &LeafNode) -> Result<LeafCheck> {
    let Some(seat) = seat(index, leaf) else { return Ok(LeafCheck::Malformed) };
    let contact = db.contact(&seat.account)?;
    let listed = contact.as_ref().and_then(|contact| contact.chain.device(&seat.device));
    Ok(match listed {
        Some(device) if device.signing_key == leaf.signature_key().as_slice() => LeafCheck::Good(seat),
        _ => LeafCheck::NeedsChain(seat.account),
    })
}
