//! The safety rules that were in force, one row for each time that they changed.

use rusqlite::params;

use super::tx::SqliteTx;
use crate::store::{PolicyRow, StoreResult};

pub(super) fn changes(tx: &mut SqliteTx<'_>) -> StoreResult<Vec<PolicyRow>> {
    let sql = "SELECT day, hash, toml FROM policy_change ORDER BY seq DESC";
    tx.list("reading how the safety rules changed", sql, [], |row| {
        Ok(Some(PolicyRow { day: row.get(0)?, hash: row.get(1)?, toml: row.get(2)? }))
    })
}

pub(super) fn put(tx: &mut SqliteTx<'_>, row: &PolicyRow) -> StoreResult<()> {
    let sql = "INSERT INTO policy_change (seq, day, hash, toml)
               VALUES ((SELECT coalesce(max(seq), 0) + 1 FROM policy_change), ?1, ?2, ?3)";
    tx.execute("noting that the safety rules changed", sql, params![row.day, row.hash, row.toml]).map(drop)
}
