//! Invites, as people show them: to register, and to become older.

use zegel_proto::token_hash;

use crate::store::{Invite, StoreResult, Tx};

/// What the code that somebody typed is kept under; none if they typed none.
pub(super) fn invite_hash(code: &str) -> Option<[u8; 32]> {
    let code = code.trim().to_ascii_lowercase();
    (!code.is_empty()).then(|| token_hash(code.as_bytes()))
}

/// The invite, if it is good today.
pub(super) fn valid_invite(tx: &mut dyn Tx, hash: &[u8; 32], today: u32) -> StoreResult<Option<Invite>> {
    Ok(tx.invite(hash)?.filter(|invite| invite.uses > 0 && today <= invite.expires_day))
}

/// Takes one of its uses.
pub(super) fn use_invite(tx: &mut dyn Tx, hash: &[u8; 32], invite: &Invite) -> StoreResult<()> {
    tx.put_invite(hash, &Invite { uses: invite.uses.saturating_sub(1), ..invite.clone() })
}
