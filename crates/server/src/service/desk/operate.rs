//! What an operator does about the people at the desk, and in its stead about an account, beside a running server.

use zegel_cases::{Role, StaffId};

use super::{log, people::code_hash};
use crate::{
    clock::Now,
    store::{Account, DeskInvite, StaffRow, Store, StoreResult, read, write},
};

/// How long an invitation is good for.
const INVITE_MS: u64 = 24 * 60 * 60 * 1000;
/// The longest name.
const MAX_NAME: usize = StaffId::MAX;
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
    if !StaffId(name.to_owned()).has_form() || RESERVED.contains(&name) {
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

/// Suspends an account, or lifts that; a measure of the desk stays as it is. Returns the account as it is then, and
/// whether anything changed. The log says that it was done, and not to whom.
pub(crate) async fn hold(
    store: &dyn Store,
    handle: &str,
    held: bool,
) -> StoreResult<Option<(Account, bool)>> {
    let handle = handle.to_owned();
    write(store, move |tx| {
        let Some(id) = tx.account_of_handle(&handle)? else { return Ok(None) };
        let Some(account) = tx.account(&id)? else { return Ok(None) };
        let changes = account.held != held;
        if changes {
            tx.set_account_held(&id, held)?;
            let act = if held { "suspend" } else { "lift" };
            log(tx, Now::get(), &operator(), act, None, String::new())?;
        }
        Ok(Some((Account { held, ..account }, changes)))
    })
    .await
}
