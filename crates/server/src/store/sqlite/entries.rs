//! Sealed entries, and the sealed hour keys that open them.

use bytes::Bytes;
use rusqlite::{Row, params};
use zegel_proto::DeviceId;

use super::tx::{SqliteTx, hour_of, hourly_id};
use crate::store::{HourKeyRow, StoreResult, StoredEntry};

pub(super) fn put(
    tx: &mut SqliteTx<'_>,
    device: &DeviceId,
    seq: u64,
    hour: u32,
    entry: &StoredEntry,
) -> StoreResult<()> {
    let sql = "INSERT INTO entry (id, device, seq, hour_key, sealed) VALUES (?1, ?2, ?3, ?4, ?5)";
    tx.insert(
        "storing an entry",
        sql,
        || hourly_id(hour),
        |id, statement| {
            statement.execute(params![id, device.0, seq as i64, entry.hour_key as i64, &entry.sealed[..]])
        },
    )
}

pub(super) fn list(
    tx: &mut SqliteTx<'_>,
    device: &DeviceId,
    from: u64,
    limit: usize,
    bytes: usize,
) -> StoreResult<Vec<(u64, StoredEntry)>> {
    let sql = "SELECT seq, hour_key, sealed FROM entry WHERE device = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3";
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut size = 0;
    tx.list("reading entries", sql, params![device.0, bound(from), limit], |row| {
        // The first one is given however large it is, or a reader would never get past it.
        if size > 0 && size >= bytes {
            return Ok(None);
        }
        let entry = StoredEntry { hour_key: row.get::<_, i64>(1)? as u64, sealed: blob(row, 2)? };
        size += entry.sealed.len().max(1);
        Ok(Some((row.get::<_, i64>(0)? as u64, entry)))
    })
}

pub(super) fn delete(tx: &mut SqliteTx<'_>, device: &DeviceId, up_to: u64) -> StoreResult<()> {
    let sql = "DELETE FROM entry WHERE device = ?1 AND seq <= ?2";
    tx.execute("deleting entries", sql, params![device.0, bound(up_to)]).map(drop)
}

pub(super) fn put_hour_key(tx: &mut SqliteTx<'_>, device: &DeviceId, key: &HourKeyRow) -> StoreResult<()> {
    let sql = "INSERT INTO hour_key (id, device, key_id, encapsulated, sealed) VALUES (?1, ?2, ?3, ?4, ?5)
               ON CONFLICT (device, key_id) DO NOTHING";
    tx.insert(
        "storing an hour key",
        sql,
        || hourly_id(key.hour),
        |id, statement| {
            statement.execute(params![id, device.0, key.id as i64, &key.encapsulated[..], &key.sealed[..]])
        },
    )
}

pub(super) fn hour_key(tx: &mut SqliteTx<'_>, device: &DeviceId, id: u64) -> StoreResult<Option<HourKeyRow>> {
    let sql = "SELECT id, encapsulated, sealed FROM hour_key WHERE device = ?1 AND key_id = ?2";
    tx.find("reading an hour key", sql, params![device.0, id as i64], |row| {
        Ok(HourKeyRow { id, hour: hour_of(row.get(0)?), encapsulated: blob(row, 1)?, sealed: blob(row, 2)? })
    })
}

/// A number to compare with, whatever a device sent.
fn bound(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn blob(row: &Row<'_>, column: usize) -> rusqlite::Result<Bytes> {
    let blob = row.get_ref(column)?.as_blob();
    blob.map(Bytes::copy_from_slice).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(column, rusqlite::types::Type::Blob, Box::new(e))
    })
}
