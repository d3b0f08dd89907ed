//! What an operator does about the people at the desk, beside a running server.

use zegel_cases::{Role, StaffId};

use super::{log, people::code_hash};
use crate::{
    clock::Now,
    store::{DeskInvite, StaffRow, Store, StoreResult, read, write},
};

/// How long an invitation is good for.
const INVITE_MS: u64 = 24 * 60 * 60 * 1000;
/// The longest name.
const MAX_NAME: usize = 40;
/// Who else stands in the log.
const RESERVED: [&str; 3] = ["operator", "service", "person"];

/// A name that nobody at the desk can have.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// Not the form of one.
    #[error(
        "while inviting {0:?} to the desk: a name has 1 to {MAX_NAME} small letters, digits, hyphens and dots, and is \
         not operator, service or person; try another"
    )]
    Form(String),
    /// Names stand in the log for ever.
    #[error(
        "while inviting {0:?} to the desk: somebody has or had this name, and it is never given twice; try another"
    )]
    Taken(String),
}

fn operator() -> StaffId {
    StaffId("operator".into())
}

/// Makes an invitation that is used with `code`.
pub(crate) async fn invite(
    store: &dyn Store,
    code: &str,
    name: &str,
    role: Role,
) -> StoreResult<Result<(), NameError>> {
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '-' | '.');
    if name.is_empty() || name.len() > MAX_NAME || !name.chars().all(letter) || RESERVED.contains(&name) {
        return Ok(Err(NameError::Form(name.to_owned())));
    }
    let (hash, name, now) = (code_hash(code), name.to_owned(), Now::get());
    write(store, move |tx| {
        if tx.staff(&name)?.is_some() {
            return Ok(Err(NameError::Taken(name)));
        }
        let (expires_ms, detail) = (now.ms + INVITE_MS, format!("{name} as {}", role.word()));
        tx.put_desk_invite(&hash, &DeskInvite { name, role: role.word().into(), expires_ms })?;
        log(tx, now, &operator(), "desk-invite", None, detail)?;
        Ok(Ok(()))
    })
    .await
}

/// Everybody who is or was at the desk.
pub(crate) async fn members(store: &dyn Store) -> StoreResult<Vec<StaffRow>> {
    read(store, |tx| tx.all_staff()).await
}

/// Takes somebody's passkeys away, at once and for good. `false` if nobody there has the name.
pub(crate) async fn remove(store: &dyn Store, name: &str) -> StoreResult<bool> {
    let name = name.to_owned();
    write(store, move |tx| {
        let Some(row) = tx.staff(&name)?.filter(|row| !row.removed) else { return Ok(false) };
        tx.put_staff(&StaffRow { passkeys: "[]".into(), removed: true, ..row })?;
        log(tx, Now::get(), &operator(), "desk-remove", None, name)?;
        Ok(true)
    })
    .await
}
