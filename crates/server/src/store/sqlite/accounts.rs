//! Accounts, their sigchains, and the handles that are used up.

use rusqlite::{Error, Row, params};
use sha2::{Digest, Sha256};
use zegel_identity::SignedLink;
use zegel_proto::{AccountId, DeviceId, v1::AgeBand};

use super::{mailboxes, tx::SqliteTx};
use crate::store::{Account, AccountState, StoreResult};

pub(super) fn get(tx: &mut SqliteTx<'_>, id: &AccountId) -> StoreResult<Option<Account>> {
    let sql = "SELECT id, app, handle, age_band, role, state, language, created_day, last_seen_day,
                 until_day, held, person, guardian
               FROM account WHERE id = ?1";
    tx.find("reading an account", sql, [id.0], |row| {
        Ok(Account {
            id: AccountId(row.get(0)?),
            app: row.get(1)?,
            handle: row.get(2)?,
            age_band: age_band(row, 3)?,
            role: row.get(4)?,
            state: state(row, 5)?,
            language: row.get(6)?,
            created_day: row.get(7)?,
            last_seen_day: row.get(8)?,
            until_day: row.get(9)?,
            held: row.get(10)?,
            person: row.get(11)?,
            guardian: row.get::<_, Vec<u8>>(12)?.try_into().ok(),
        })
    })
}

pub(super) fn of_handle(tx: &mut SqliteTx<'_>, handle: &str) -> StoreResult<Option<AccountId>> {
    let sql = "SELECT id FROM account WHERE handle = ?1";
    tx.find("looking up a handle", sql, [handle], |row| row.get(0).map(AccountId))
}

pub(super) fn skeleton_used(tx: &mut SqliteTx<'_>, skeleton: &str) -> StoreResult<bool> {
    let sql = "SELECT 1 FROM used_skeleton WHERE hash = ?1";
    Ok(tx.find("looking up a skeleton", sql, [skeleton_hash(skeleton)], |_| Ok(()))?.is_some())
}

pub(super) fn put(tx: &mut SqliteTx<'_>, account: &Account, skeleton: &str) -> StoreResult<()> {
    let doing = "writing an account";
    let sql = "INSERT INTO account
                 (id, app, handle, age_band, role, state, language, created_day, last_seen_day,
                  until_day, held, person, guardian)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)
               ON CONFLICT (id) DO UPDATE SET
                 app = ?2, handle = ?3, age_band = ?4, role = ?5, state = ?6, language = ?7,
                 created_day = ?8, last_seen_day = ?9, until_day = ?10, held = ?11, person = ?12,
                 guardian = ?13";
    let values = params![
        account.id.0,
        account.app,
        account.handle,
        account.age_band as i32,
        account.role,
        state_number(account.state),
        account.language,
        account.created_day,
        account.last_seen_day,
        account.until_day,
        account.held,
        account.person,
        account.guardian.as_ref().map_or(&[][..], |hash| hash),
    ];
    tx.execute(doing, sql, values)?;
    let sql = "INSERT INTO used_skeleton (hash) VALUES (?1) ON CONFLICT DO NOTHING";
    tx.execute(doing, sql, [skeleton_hash(skeleton)]).map(drop)
}

pub(super) fn set_state(
    tx: &mut SqliteTx<'_>,
    id: &AccountId,
    state: AccountState,
    until_day: u32,
) -> StoreResult<()> {
    let sql = "UPDATE account SET state = ?2, until_day = ?3 WHERE id = ?1";
    tx.execute("changing an account's state", sql, params![id.0, state_number(state), until_day]).map(drop)
}

pub(super) fn set_held(tx: &mut SqliteTx<'_>, id: &AccountId, held: bool) -> StoreResult<()> {
    let sql = "UPDATE account SET held = ?2 WHERE id = ?1";
    tx.execute("suspending an account", sql, params![id.0, held]).map(drop)
}

pub(super) fn set_age(tx: &mut SqliteTx<'_>, id: &AccountId, age_band: AgeBand) -> StoreResult<()> {
    let sql = "UPDATE account SET age_band = ?2 WHERE id = ?1";
    tx.execute("changing an age band", sql, params![id.0, age_band as i32]).map(drop)
}

pub(super) fn set_guardian(
    tx: &mut SqliteTx<'_>,
    id: &AccountId,
    guardian: Option<[u8; 32]>,
) -> StoreResult<()> {
    let sql = "UPDATE account SET guardian = ?2 WHERE id = ?1";
    let guardian = guardian.as_ref().map_or(&[][..], |hash| hash);
    tx.execute("noting a guardian", sql, params![id.0, guardian]).map(drop)
}

pub(super) fn set_person(tx: &mut SqliteTx<'_>, id: &AccountId, person: &[u8]) -> StoreResult<()> {
    let sql = "UPDATE account SET person = ?2 WHERE id = ?1";
    tx.execute("noting whose an account is", sql, params![id.0, person]).map(drop)
}

pub(super) fn person(tx: &mut SqliteTx<'_>, id: &AccountId) -> StoreResult<Option<Vec<u8>>> {
    let sql = "SELECT person FROM account WHERE id = ?1
               UNION ALL SELECT person FROM chain_link WHERE account = ?1 AND seq = 0 AND ended_day > 0";
    tx.find("reading whose an account is", sql, [id.0], |row| row.get(0))
}

/// Compares first: most connections of a day are not the first one.
pub(super) fn set_last_seen(tx: &mut SqliteTx<'_>, id: &AccountId, day: u32) -> StoreResult<()> {
    let sql = "UPDATE account SET last_seen_day = ?2 WHERE id = ?1 AND last_seen_day <> ?2";
    tx.execute("noting the day of a connection", sql, params![id.0, day]).map(drop)
}

pub(super) fn remove(tx: &mut SqliteTx<'_>, id: &AccountId, today: u32) -> StoreResult<()> {
    let doing = "removing an account";
    mailboxes::flush(tx)?;
    let sql = "SELECT device FROM mailbox WHERE account = ?1";
    let devices = tx.list(doing, sql, [id.0], |row| row.get(0).map(DeviceId).map(Some))?;
    for device in devices {
        mailboxes::remove(tx, &device)?;
    }
    // Whom somebody blocks after all stays the same person, for as long as the chain stays.
    let sql = "UPDATE chain_link SET person = (SELECT person FROM account WHERE id = ?1)
               WHERE account = ?1 AND seq = 0 AND EXISTS (SELECT 1 FROM account WHERE id = ?1)";
    tx.execute(doing, sql, [id.0])?;
    tx.execute(doing, "UPDATE chain_link SET ended_day = ?2 WHERE account = ?1", params![id.0, today])?;
    tx.execute(doing, "DELETE FROM account WHERE id = ?1", [id.0]).map(drop)
}

/// Removed accounts whose chains ended before this day, once the directory has said so: until then it needs them.
pub(super) fn ended(tx: &mut SqliteTx<'_>, before_day: u32) -> StoreResult<Vec<AccountId>> {
    let sql = "SELECT account FROM chain_link WHERE ended_day > 0 AND ended_day < ?1 AND seq = 0
               AND account NOT IN (SELECT account FROM directory_pending)";
    tx.list("looking for ended sigchains", sql, [before_day], |row| row.get(0).map(AccountId).map(Some))
}

pub(super) fn delete_chain(tx: &mut SqliteTx<'_>, id: &AccountId) -> StoreResult<usize> {
    tx.execute("deleting a sigchain", "DELETE FROM chain_link WHERE account = ?1", [id.0])
}

pub(super) fn chain(tx: &mut SqliteTx<'_>, id: &AccountId) -> StoreResult<Vec<SignedLink>> {
    let sql = "SELECT body, signature FROM chain_link WHERE account = ?1 ORDER BY seq";
    tx.list("reading a sigchain", sql, [id.0], |row| {
        Ok(Some(SignedLink { body: row.get(0)?, signature: row.get(1)? }))
    })
}

pub(super) fn append_chain(
    tx: &mut SqliteTx<'_>,
    id: &AccountId,
    seq: u64,
    link: &SignedLink,
) -> StoreResult<()> {
    let sql = "INSERT INTO chain_link (account, seq, body, signature) VALUES (?1, ?2, ?3, ?4)";
    tx.execute("adding to a sigchain", sql, params![id.0, seq as i64, link.body, link.signature]).map(drop)
}

/// Only the hash outlives an account: enough to refuse the handle, not a list of who was here.
fn skeleton_hash(skeleton: &str) -> [u8; 32] {
    Sha256::new().chain_update(b"zegel skeleton v1\0").chain_update(skeleton).finalize().into()
}

fn state_number(state: AccountState) -> i64 {
    match state {
        AccountState::Active => 0,
        AccountState::Suspended => 1,
        AccountState::Restricted => 2,
        AccountState::Banned => 3,
    }
}

fn state(row: &Row<'_>, column: usize) -> rusqlite::Result<AccountState> {
    match row.get(column)? {
        0 => Ok(AccountState::Active),
        1 => Ok(AccountState::Suspended),
        2 => Ok(AccountState::Restricted),
        3 => Ok(AccountState::Banned),
        other => Err(Error::IntegralValueOutOfRange(column, other)),
    }
}

/// A column that holds an [`AgeBand`]'s number.
pub(super) fn age_band(row: &Row<'_>, column: usize) -> rusqlite::Result<AgeBand> {
    let number: i32 = row.get(column)?;
    AgeBand::try_from(number).map_err(|_| Error::IntegralValueOutOfRange(column, number.into()))
}
