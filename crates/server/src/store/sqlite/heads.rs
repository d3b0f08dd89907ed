//! Heads of conversations: read once, written once per commit. A swept one leaves a tombstone.

use rusqlite::params;
use zegel_proto::RoomId;

use super::tx::SqliteTx;
use crate::store::{Head, StoreResult};

const READING: &str = "reading a head";
const WRITING: &str = "writing a head";

pub(super) fn get(tx: &mut SqliteTx<'_>, room: &RoomId) -> StoreResult<Option<Head>> {
    if let Some(head) = tx.cache.new_heads.get(room).or_else(|| tx.cache.heads.get(room)) {
        return Ok(Some(head.clone()));
    }
    let sql = "SELECT epoch, token_hash, seq, stamp_hash, month FROM head WHERE room = ?1";
    let mut found = tx.find(READING, sql, [room.0], |row| {
        Ok(Head::Live {
            epoch: row.get::<_, i64>(0)? as u64,
            token_hash: row.get(1)?,
            seq: row.get::<_, i64>(2)? as u64,
            stamp_hash: row.get(3)?,
            month: row.get(4)?,
        })
    })?;
    if found.is_none() {
        let sql = "SELECT 1 FROM tombstone WHERE room = ?1";
        found = tx.find(READING, sql, [room.0], |_| Ok(Head::Tombstone))?;
    }
    if let Some(head) = &found {
        tx.cache.heads.put(*room, head.clone());
    }
    Ok(found)
}

pub(super) fn put(tx: &mut SqliteTx<'_>, room: &RoomId, head: &Head) -> StoreResult<()> {
    tx.writing()?;
    tx.cache.new_heads.insert(*room, head.clone());
    Ok(())
}

/// Writes what changed. Before the commit, and before anything that looks at the table as a whole.
pub(super) fn flush(tx: &mut SqliteTx<'_>) -> StoreResult<()> {
    for (room, head) in std::mem::take(&mut tx.cache.new_heads) {
        write(tx, &room, &head)?;
        tx.cache.heads.put(room, head);
    }
    Ok(())
}

fn write(tx: &mut SqliteTx<'_>, room: &RoomId, head: &Head) -> StoreResult<()> {
    let Head::Live { epoch, token_hash, seq, stamp_hash, month } = head else {
        return bury(tx, room);
    };
    let numbers = (*epoch as i64, *seq as i64);
    // The index over months need not be touched where the month is known to be the same.
    if matches!(tx.cache.heads.get(room), Some(Head::Live { month: old, .. }) if old == month) {
        let sql = "UPDATE head SET epoch = ?2, token_hash = ?3, seq = ?4, stamp_hash = ?5 WHERE room = ?1";
        return tx
            .execute(WRITING, sql, params![room.0, numbers.0, token_hash, numbers.1, stamp_hash])
            .map(drop);
    }
    tx.execute(WRITING, "DELETE FROM tombstone WHERE room = ?1", [room.0])?;
    let sql = "INSERT INTO head (room, epoch, token_hash, seq, stamp_hash, month)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (room) DO UPDATE SET
                 epoch = ?2, token_hash = ?3, seq = ?4, stamp_hash = ?5, month = ?6";
    tx.execute(WRITING, sql, params![room.0, numbers.0, token_hash, numbers.1, stamp_hash, month]).map(drop)
}

/// Replaces a row by a tombstone.
pub(super) fn bury(tx: &mut SqliteTx<'_>, room: &RoomId) -> StoreResult<()> {
    tx.execute(WRITING, "DELETE FROM head WHERE room = ?1", [room.0])?;
    let sql = "INSERT INTO tombstone (room) VALUES (?1) ON CONFLICT DO NOTHING";
    tx.execute(WRITING, sql, [room.0]).map(drop)
}
