//! Key packages: a stock per device, in no order, and a last resort.

use rusqlite::params;
use zegel_proto::DeviceId;

use super::tx::{SqliteTx, random_id};
use crate::store::StoreResult;

pub(super) fn count(tx: &mut SqliteTx<'_>, device: &DeviceId) -> StoreResult<(u32, bool)> {
    let sql = "SELECT count(*) FILTER (WHERE last_resort = 0), count(*) FILTER (WHERE last_resort = 1)
               FROM key_package WHERE device = ?1";
    let counts = tx
        .find("counting key packages", sql, [device.0], |row| Ok((row.get(0)?, row.get::<_, u32>(1)? > 0)))?;
    Ok(counts.unwrap_or_default())
}

pub(super) fn put(
    tx: &mut SqliteTx<'_>,
    device: &DeviceId,
    last_resort: bool,
    sealed: &[u8],
) -> StoreResult<()> {
    let doing = "storing a key package";
    if last_resort {
        tx.execute(doing, "DELETE FROM key_package WHERE device = ?1 AND last_resort = 1", [device.0])?;
    }
    let sql = "INSERT INTO key_package (id, device, last_resort, sealed) VALUES (?1, ?2, ?3, ?4)";
    tx.insert(doing, sql, random_id, |id, statement| {
        statement.execute(params![id, device.0, last_resort, sealed])
    })
}

pub(super) fn take(tx: &mut SqliteTx<'_>, device: &DeviceId) -> StoreResult<Option<(Vec<u8>, bool)>> {
    let doing = "taking a key package";
    let sql =
        "SELECT id, sealed, last_resort FROM key_package WHERE device = ?1 ORDER BY last_resort LIMIT 1";
    let found = tx.find(doing, sql, [device.0], |row| {
        Ok((row.get::<_, i64>(0)?, row.get(1)?, row.get::<_, bool>(2)?))
    })?;
    let Some((id, sealed, last_resort)) = found else { return Ok(None) };
    if !last_resort {
        tx.execute(doing, "DELETE FROM key_package WHERE id = ?1", [id])?;
    }
    Ok(Some((sealed, last_resort)))
}

pub(super) fn list(tx: &mut SqliteTx<'_>, device: &DeviceId) -> StoreResult<Vec<(i64, Vec<u8>, bool)>> {
    let sql = "SELECT id, sealed, last_resort FROM key_package WHERE device = ?1";
    tx.list("reading key packages", sql, [device.0], |row| Ok(Some((row.get(0)?, row.get(1)?, row.get(2)?))))
}

pub(super) fn drop_these(tx: &mut SqliteTx<'_>, device: &DeviceId, names: &[i64]) -> StoreResult<()> {
    for id in names {
        let sql = "DELETE FROM key_package WHERE id = ?1 AND device = ?2";
        tx.execute("throwing key packages away", sql, params![id, device.0])?;
    }
    Ok(())
}

pub(super) fn clear(tx: &mut SqliteTx<'_>, device: &DeviceId) -> StoreResult<()> {
    let sql = "DELETE FROM key_package WHERE device = ?1";
    tx.execute("throwing key packages away", sql, [device.0]).map(drop)
}
