//! Who is at the desk: invitations are used up, passkeys kept.

use std::net::IpAddr;

use zegel_cases::{Staff, StaffId};
use zegel_desk::{Member, OfficeResult};
use zegel_proto::token_hash;

use super::{Desk, log, role};
use crate::{
    clock::Now,
    service::{Service, refusal::Refusal},
    store::{DeskInvite, StaffRow, StoreResult, Tx},
};

impl Service {
    /// Whether somebody there may try once more to join or to sign in at the desk.
    pub(crate) fn may_knock(&self, peer: IpAddr) -> Result<(), Refusal> {
        self.limits.desk(peer)
    }
}

/// What the store keeps of an invitation's code, however it was typed.
pub(crate) fn code_hash(code: &str) -> [u8; 32] {
    token_hash(code.trim().to_ascii_lowercase().as_bytes())
}

/// The invitation, if it can still be used: names are never given twice.
fn usable(tx: &mut dyn Tx, hash: &[u8; 32], now: Now) -> StoreResult<Option<DeskInvite>> {
    match tx.desk_invite(hash)?.filter(|invite| now.ms < invite.expires_ms) {
        Some(invite) if tx.staff(&invite.name)?.is_none() => Ok(Some(invite)),
        _ => Ok(None),
    }
}

fn staff(name: String, word: &str) -> Option<Staff> {
    Some(Staff { id: StaffId(name), role: role(word)? })
}

/// Somebody who is there still.
pub(super) fn member(row: StaffRow) -> Option<Member> {
    if row.removed {
        return None;
    }
    let passkeys = serde_json::from_str(&row.passkeys).unwrap_or_else(|error| {
        tracing::error!(%error, "while reading the passkeys of someone at the desk; they cannot sign in");
        Vec::new()
    });
    Some(Member { staff: staff(row.name, &row.role)?, handle: row.handle, passkeys })
}

fn list(passkeys: &[String]) -> String {
    serde_json::to_string(passkeys).expect("strings are JSON")
}

impl Desk {
    pub(super) async fn invited_by(&self, code: &str) -> OfficeResult<Option<Staff>> {
        let hash = code_hash(code);
        let invite = self.read(move |tx| usable(tx, &hash, Now::get()).map(Ok)).await?;
        Ok(invite.and_then(|invite| staff(invite.name, &invite.role)))
    }

    pub(super) async fn use_invitation(
        &self,
        code: &str,
        handle: [u8; 16],
        passkey: String,
    ) -> OfficeResult<bool> {
        let (hash, now) = (code_hash(code), Now::get());
        self.write(move |tx| {
            let Some(DeskInvite { name, role, .. }) = usable(tx, &hash, now)? else { return Ok(Ok(false)) };
            if tx.staff_by_handle(&handle)?.is_some() {
                return Ok(Ok(false));
            }
            tx.delete_desk_invite(&hash)?;
            let (who, detail) = (StaffId(name.clone()), format!("as {role}"));
            tx.put_staff(&StaffRow { name, role, handle, passkeys: list(&[passkey]), removed: false })?;
            log(tx, now, &who, "joined-desk", None, detail)?;
            Ok(Ok(true))
        })
        .await
    }

    pub(super) async fn keep_passkeys(&self, who: StaffId, passkeys: Vec<String>) -> OfficeResult<()> {
        self.write(move |tx| {
            // Removed meanwhile: the passkeys stay gone.
            if let Some(row) = tx.staff(&who.0)?.filter(|row| !row.removed) {
                tx.put_staff(&StaffRow { passkeys: list(&passkeys), ..row })?;
                log(tx, Now::get(), &who, "sign-in", None, String::new())?;
            }
            Ok(Ok(()))
        })
        .await
    }
}
