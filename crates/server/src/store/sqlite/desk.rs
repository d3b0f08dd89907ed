//! The people at the desk, invitations to it, and its log.

use rusqlite::{Connection, Row, params};
use zegel_cases::{LogHead, verify_log};

use super::tx::SqliteTx;
use crate::store::{DeskInvite, StaffRow, StoreResult};

pub(super) fn staff(tx: &mut SqliteTx<'_>, name: &str) -> StoreResult<Option<StaffRow>> {
    let sql = "SELECT name, role, handle, passkeys, removed FROM desk_staff WHERE name = ?1";
    tx.find("reading who is at the desk", sql, [name], staff_row)
}

pub(super) fn staff_by_handle(tx: &mut SqliteTx<'_>, handle: &[u8; 16]) -> StoreResult<Option<StaffRow>> {
    let sql = "SELECT name, role, handle, passkeys, removed FROM desk_staff WHERE handle = ?1";
    tx.find("reading who is at the desk", sql, [handle], staff_row)
}

pub(super) fn all_staff(tx: &mut SqliteTx<'_>) -> StoreResult<Vec<StaffRow>> {
    let sql = "SELECT name, role, handle, passkeys, removed FROM desk_staff ORDER BY name";
    tx.list("reading who is at the desk", sql, [], |row| staff_row(row).map(Some))
}

pub(super) fn put_staff(tx: &mut SqliteTx<'_>, row: &StaffRow) -> StoreResult<()> {
    let sql = "INSERT INTO desk_staff (name, role, handle, passkeys, removed) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (name) DO UPDATE SET role = ?2, handle = ?3, passkeys = ?4, removed = ?5";
    let values = params![row.name, row.role, row.handle, row.passkeys, row.removed];
    tx.execute("writing who is at the desk", sql, values).map(drop)
}

pub(super) fn invite(tx: &mut SqliteTx<'_>, hash: &[u8; 32]) -> StoreResult<Option<DeskInvite>> {
    let sql = "SELECT name, role, expires_ms FROM desk_invite WHERE hash = ?1";
    tx.find("reading an invitation to the desk", sql, [hash], invite_row)
}

pub(super) fn invites(tx: &mut SqliteTx<'_>) -> StoreResult<Vec<([u8; 32], DeskInvite)>> {
    let sql = "SELECT name, role, expires_ms, hash FROM desk_invite ORDER BY name, hash";
    tx.list("reading the invitations to the desk", sql, [], |row| Ok(Some((row.get(3)?, invite_row(row)?))))
}

pub(super) fn put_invite(tx: &mut SqliteTx<'_>, hash: &[u8; 32], row: &DeskInvite) -> StoreResult<()> {
    let sql = "INSERT INTO desk_invite (hash, name, role, expires_ms) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (hash) DO UPDATE SET name = ?2, role = ?3, expires_ms = ?4";
    let values = params![hash, row.name, row.role, row.expires_ms as i64];
    tx.execute("writing an invitation to the desk", sql, values).map(drop)
}

pub(super) fn delete_invite(tx: &mut SqliteTx<'_>, hash: &[u8; 32]) -> StoreResult<()> {
    let sql = "DELETE FROM desk_invite WHERE hash = ?1";
    tx.execute("using up an invitation to the desk", sql, [hash]).map(drop)
}

pub(super) fn log_head(tx: &mut SqliteTx<'_>) -> StoreResult<(u64, [u8; 32])> {
    let sql = "SELECT seq, hash FROM desk_log ORDER BY seq DESC LIMIT 1";
    let head = tx.find("reading the end of the desk's log", sql, [], |row| {
        Ok((row.get::<_, i64>(0)? as u64, row.get(1)?))
    })?;
    Ok(head.unwrap_or_default())
}

pub(super) fn append_log(tx: &mut SqliteTx<'_>, seq: u64, line: &str, hash: &[u8; 32]) -> StoreResult<()> {
    let sql = "INSERT INTO desk_log (seq, line, hash) VALUES (?1, ?2, ?3)";
    tx.execute("adding to the desk's log", sql, params![seq as i64, line, hash]).map(drop)
}

pub(super) fn log_lines(tx: &mut SqliteTx<'_>, from_seq: u64, limit: usize) -> StoreResult<Vec<String>> {
    let sql = "SELECT line FROM desk_log WHERE seq >= ?1 ORDER BY seq LIMIT ?2";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    tx.list("reading the desk's log", sql, params![from_seq as i64, limit], |row| row.get(0).map(Some))
}

/// Where the desk's log is not what was written, if anywhere. What comes after that place cannot be judged.
pub(super) fn log_fault(conn: &Connection) -> rusqlite::Result<Option<String>> {
    let mut statement = conn.prepare("SELECT seq, line, hash FROM desk_log ORDER BY seq")?;
    let mut rows = statement.query([])?;
    let mut head = LogHead::default();
    while let Some(row) = rows.next()? {
        let (seq, line, hash): (i64, String, [u8; 32]) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let next = head.seq + 1;
        if seq as u64 != next {
            return Ok(Some(format!("line {next} of the desk's log is missing")));
        }
        match verify_log(head, [line.as_str()]) {
            Ok((_, end)) if end.hash == hash => head = end,
            Ok(_) => {
                return Ok(Some(format!("line {next} of the desk's log is not the one that was hashed")));
            }
            Err(_) => {
                let fault = "does not follow from the line before it: one of them was changed";
                return Ok(Some(format!("line {next} of the desk's log {fault}")));
            }
        }
    }
    Ok(None)
}

fn invite_row(row: &Row<'_>) -> rusqlite::Result<DeskInvite> {
    Ok(DeskInvite { name: row.get(0)?, role: row.get(1)?, expires_ms: row.get::<_, i64>(2)? as u64 })
}

fn staff_row(row: &Row<'_>) -> rusqlite::Result<StaffRow> {
    Ok(StaffRow {
        name: row.get(0)?,
        role: row.get(1)?,
        handle: row.get(2)?,
        passkeys: row.get(3)?,
        removed: row.get(4)?,
    })
}
