//! What an operator does about the people at the desk, and in its stead about an account, beside a running server.

use zegel_cases::{RULES, Role, StaffId};

use super::{log, people::code_hash};
use crate::{
    clock::Now,
    store::{Account, DeskInvite, StaffRow, Store, StoreResult, Tx, read, write},
};

/// How long an invitation is good for.
const INVITE_MS: u64 = 24 * 60 * 60 * 1000;
/// The longest name.
const MAX_NAME: usize = StaffId::MAX;
/// Who else stands in the log and in decisions.
const RESERVED: [&str; 4] = ["operator", "service", "person", RULES];

/// A name that nobody at the desk can have.
#[derive(Debug, thiserror::Error)]
pub enum NameError {
    /// Not the form of one.
    #[error(
        "while inviting {0:?} to the desk: a name has 1 to {MAX_NAME} small letters, digits, hyphens and dots, and is \
         not operator, service, person or {RULES}; try another"
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

/// Who came, left or may come: what an operator sees.
pub(crate) struct People {
    /// Everybody who is or was at the desk, by name.
    pub staff: Vec<StaffRow>,
    /// The invitations that can still be used, by name.
    pub invites: Vec<DeskInvite>,
}

/// What was taken from whoever had a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Removed {
    /// A place at the desk.
    Place,
    /// An invitation that nobody had used.
    Invitation,
}

/// Ends the links of a name; whether there were any that could still be used.
fn take_back(tx: &mut dyn Tx, name: &str, now: Now) -> StoreResult<bool> {
    let mut usable = false;
    for (hash, invite) in tx.desk_invites()? {
        if invite.name == name {
            usable |= now.ms < invite.expires_ms;
            tx.delete_desk_invite(&hash)?;
        }
    }
    Ok(usable)
}

/// Makes an invitation that is used with `code`. Older ones of the same name end.
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
        take_back(tx, &name, now)?;
        let (expires_ms, detail) = (now.ms + INVITE_MS, format!("{name} as {}", role.word()));
        tx.put_desk_invite(&hash, &DeskInvite { name, role: role.word().into(), expires_ms })?;
        log(tx, now, &operator(), "desk-invite", None, detail)?;
        Ok(Ok(()))
    })
    .await
}

/// Everybody who is or was at the desk, and who is invited.
pub(crate) async fn all_people(store: &dyn Store) -> StoreResult<People> {
    let now = Now::get();
    read(store, move |tx| {
        let staff = tx.all_staff()?;
        let open = |invite: &DeskInvite| {
            now.ms < invite.expires_ms && staff.iter().all(|row| row.name != invite.name)
        };
        let invites = tx.desk_invites()?.into_iter().map(|(_, invite)| invite).filter(open).collect();
        Ok(People { staff, invites })
    })
    .await
}

/// Takes somebody's passkeys away, at once and for good, or their invitation, if they have not come yet. `None` if
/// nobody has the name.
pub(crate) async fn remove(store: &dyn Store, name: &str) -> StoreResult<Option<Removed>> {
    let (name, now) = (name.to_owned(), Now::get());
    write(store, move |tx| {
        let invited = take_back(tx, &name, now)?;
        let removed = match tx.staff(&name)? {
            Some(row) if !row.removed => {
                tx.put_staff(&StaffRow { passkeys: "[]".into(), removed: true, ..row })?;
                Removed::Place
            }
            None if invited => Removed::Invitation,
            _ => return Ok(None),
        };
        let act = match removed {
            Removed::Place => "desk-remove",
            Removed::Invitation => "desk-uninvite",
        };
        log(tx, now, &operator(), act, None, name)?;
        Ok(Some(removed))
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

/// Forgets that a child's account has a guardian; whether it had one, or `None` without such an account. For guardians
/// who are gone: where the two devices are still linked, the child's says so again. The log does not say whose it was.
pub(crate) async fn release_guardian(store: &dyn Store, handle: &str) -> StoreResult<Option<bool>> {
    let handle = handle.to_owned();
    write(store, move |tx| {
        let Some(id) = tx.account_of_handle(&handle)? else { return Ok(None) };
        let had = tx.account(&id)?.is_some_and(|account| account.guardian.is_some());
        if had {
            tx.set_account_guardian(&id, None)?;
            log(tx, Now::get(), &operator(), "release-guardian", None, String::new())?;
        }
        Ok(Some(had))
    })
    .await
}
