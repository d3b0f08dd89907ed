//! The key directory: records of its tree, its roots, and what it owes.

use rusqlite::{Row, params};
use zegel_proto::AccountId;

use super::tx::SqliteTx;
use crate::store::{Owed, RootRow, StoreResult};

pub(super) fn records(tx: &mut SqliteTx<'_>, keys: &[Vec<u8>]) -> StoreResult<Vec<Option<Vec<u8>>>> {
    let sql = "SELECT value FROM directory_record WHERE key = ?1";
    let read = |key: &Vec<u8>| tx.find("reading the directory's tree", sql, [key], |row| row.get(0));
    keys.iter().map(read).collect()
}

pub(super) fn range(tx: &mut SqliteTx<'_>, prefix: &[u8]) -> StoreResult<Vec<(Vec<u8>, Vec<u8>)>> {
    let sql = "SELECT key, value FROM directory_record WHERE key >= ?1 ORDER BY key";
    tx.list("reading the directory's tree", sql, [prefix], |row| {
        let key: Vec<u8> = row.get(0)?;
        Ok(if key.starts_with(prefix) { Some((key, row.get(1)?)) } else { None })
    })
}

pub(super) fn put_records(tx: &mut SqliteTx<'_>, records: &[(Vec<u8>, Vec<u8>)]) -> StoreResult<()> {
    let sql = "INSERT INTO directory_record (key, value) VALUES (?1, ?2)
               ON CONFLICT (key) DO UPDATE SET value = ?2";
    records
        .iter()
        .try_for_each(|(key, value)| tx.execute("writing the directory's tree", sql, [key, value]).map(drop))
}

pub(super) fn newest_root(tx: &mut SqliteTx<'_>) -> StoreResult<Option<RootRow>> {
    let sql = "SELECT epoch, body, signature FROM directory_root ORDER BY epoch DESC LIMIT 1";
    tx.find("reading the directory's newest root", sql, [], root_row)
}

pub(super) fn root(tx: &mut SqliteTx<'_>, epoch: u64) -> StoreResult<Option<RootRow>> {
    let sql = "SELECT epoch, body, signature FROM directory_root WHERE epoch = ?1";
    tx.find("reading a root of the directory", sql, [epoch as i64], root_row)
}

pub(super) fn put_root(tx: &mut SqliteTx<'_>, root: &RootRow, proof: &[u8]) -> StoreResult<()> {
    let sql = "INSERT INTO directory_root (epoch, body, signature, proof) VALUES (?1, ?2, ?3, ?4)";
    let values = params![root.epoch as i64, root.body, root.signature, proof];
    tx.execute("writing a root of the directory", sql, values).map(drop)
}

pub(super) fn root_proof(tx: &mut SqliteTx<'_>, epoch: u64) -> StoreResult<Option<Vec<u8>>> {
    let sql = "SELECT proof FROM directory_root WHERE epoch = ?1";
    tx.find("reading a proof of the directory", sql, [epoch as i64], |row| row.get(0))
}

pub(super) fn owed(tx: &mut SqliteTx<'_>, account: &AccountId) -> StoreResult<Option<Owed>> {
    let sql = "SELECT account, due_epoch, by_epoch, made_ms FROM directory_pending WHERE account = ?1";
    let found = tx.find("reading what the directory owes", sql, [account.0], owed_row)?;
    Ok(found.map(|(_, owed)| owed))
}

pub(super) fn put_owed(tx: &mut SqliteTx<'_>, account: &AccountId, owed: &Owed) -> StoreResult<()> {
    let sql = "INSERT INTO directory_pending (account, due_epoch, by_epoch, made_ms) VALUES (?1, ?2, ?3, ?4)
               ON CONFLICT (account) DO UPDATE SET due_epoch = ?2, by_epoch = ?3, made_ms = ?4";
    let Owed { due_epoch, by_epoch, made_ms } = *owed;
    let values = params![account.0, due_epoch as i64, by_epoch as i64, made_ms as i64];
    tx.execute("noting what the directory owes", sql, values).map(drop)
}

pub(super) fn owed_last(tx: &mut SqliteTx<'_>) -> StoreResult<(u64, u64)> {
    let sql = "SELECT by_epoch, count(*) FROM directory_pending
               WHERE by_epoch = (SELECT max(by_epoch) FROM directory_pending)";
    let last = tx.find("counting what the directory owes", sql, [], |row| {
        Ok((row.get::<_, Option<i64>>(0)?.unwrap_or_default() as u64, row.get::<_, i64>(1)? as u64))
    })?;
    Ok(last.unwrap_or_default())
}

pub(super) fn all_owed(tx: &mut SqliteTx<'_>, limit: usize) -> StoreResult<Vec<(AccountId, Owed)>> {
    let sql =
        "SELECT account, due_epoch, by_epoch, made_ms FROM directory_pending ORDER BY due_epoch LIMIT ?1";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    tx.list("reading what the directory owes", sql, [limit], |row| owed_row(row).map(Some))
}

pub(super) fn settle_owed(tx: &mut SqliteTx<'_>, account: &AccountId, paid: &Owed) -> StoreResult<()> {
    let doing = "noting what the directory has paid";
    let sql = "DELETE FROM directory_pending WHERE account = ?1 AND by_epoch = ?2 AND made_ms = ?3";
    let values = params![account.0, paid.by_epoch as i64, paid.made_ms as i64];
    if tx.execute(doing, sql, values)? == 0 {
        let sql = "UPDATE directory_pending SET due_epoch = by_epoch WHERE account = ?1";
        tx.execute(doing, sql, [account.0])?;
    }
    Ok(())
}

fn root_row(row: &Row<'_>) -> rusqlite::Result<RootRow> {
    Ok(RootRow { epoch: row.get::<_, i64>(0)? as u64, body: row.get(1)?, signature: row.get(2)? })
}

fn owed_row(row: &Row<'_>) -> rusqlite::Result<(AccountId, Owed)> {
    let number = |column| row.get::<_, i64>(column).map(|n| n as u64);
    Ok((AccountId(row.get(0)?), Owed { due_epoch: number(1)?, by_epoch: number(2)?, made_ms: number(3)? }))
}
