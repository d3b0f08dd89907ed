//! Retention: deletes what is past its time, in steps small enough to share the writer with the mail.

use std::collections::HashSet;

use rusqlite::params;
use zegel_proto::{DeviceId, RoomId};

use super::{
    accounts, cases, entries, heads, mailboxes,
    tx::{SqliteTx, first_id, hour_of},
};
use crate::store::{Counts, Cut, StoreResult};

const DOING: &str = "sweeping";
/// How many pages of candidates one step looks at, where most of them may have to stay.
const PAGES: usize = 16;

pub(super) fn sweep(tx: &mut SqliteTx<'_>, cut: &Cut, limit: usize) -> StoreResult<u64> {
    heads::flush(tx)?;
    mailboxes::flush(tx)?;
    let held = held(tx, cut)?;
    let mut gone = old_entries(tx, cut, limit, &held)?;
    gone += idle_hour_keys(tx, cut, limit, &held)?;
    let rows = i64::try_from(limit).unwrap_or(i64::MAX);
    for (sql, before) in [
        (
            "DELETE FROM payload WHERE id IN (SELECT id FROM payload WHERE id < ?1 LIMIT ?2)",
            first_id(cut.mail_hour),
        ),
        (
            "DELETE FROM answer WHERE id IN (SELECT id FROM answer WHERE id < ?1 LIMIT ?2)",
            first_id(cut.answer_hour),
        ),
        (
            "DELETE FROM token WHERE hash IN (SELECT hash FROM token WHERE day < ?1 LIMIT ?2)",
            cut.token_day.into(),
        ),
        (
            "DELETE FROM invite WHERE hash IN (SELECT hash FROM invite WHERE expires_day < ?1 LIMIT ?2)",
            cut.invite_day.into(),
        ),
        (
            "DELETE FROM desk_invite WHERE hash IN (SELECT hash FROM desk_invite WHERE expires_ms < ?1 LIMIT ?2)",
            i64::try_from(cut.desk_invite_ms).unwrap_or(i64::MAX),
        ),
    ] {
        gone += tx.execute(DOING, sql, params![before, rows])?;
    }
    gone += dead_addresses(tx, cut, rows)?;
    gone += old_heads(tx, cut, rows)?;
    gone += ended_chains(tx, cut, limit)?;
    gone += cases::sweep(tx, cut, limit)?;
    Ok(gone as u64)
}

/// The devices of accounts under a legal hold.
fn held(tx: &mut SqliteTx<'_>, cut: &Cut) -> StoreResult<HashSet<DeviceId>> {
    let mut held = HashSet::new();
    for account in &cut.held {
        let sql = "SELECT device FROM mailbox WHERE account = ?1";
        held.extend(tx.list(DOING, sql, [account.0], |row| row.get(0).map(DeviceId).map(Some))?);
    }
    Ok(held)
}

fn old_entries(
    tx: &mut SqliteTx<'_>,
    cut: &Cut,
    limit: usize,
    held: &HashSet<DeviceId>,
) -> StoreResult<usize> {
    let before = first_id(cut.mail_hour);
    let mut seen = held.clone();
    let (mut gone, mut after) = (0, i64::MIN);
    for _ in 0..PAGES {
        let sql = "SELECT id, device FROM entry WHERE id > ?1 AND id < ?2 ORDER BY id LIMIT ?3";
        let page = tx.list(DOING, sql, params![after, before, limit.max(64) as i64], |row| {
            Ok(Some((row.get(0)?, DeviceId(row.get(1)?))))
        })?;
        let Some(last) = page.last() else { break };
        after = last.0;
        for (_, device) in page {
            if gone >= limit {
                return Ok(gone);
            }
            if seen.insert(device) {
                gone += expire(tx, &device, before, limit - gone)?;
            }
        }
    }
    Ok(gone)
}

/// Deletes the oldest entries of a mailbox as far as they are past the cut. Never past one that is not, so that
/// no hole comes about, and a clock that once ran wrong costs nobody fresh mail.
fn expire(tx: &mut SqliteTx<'_>, device: &DeviceId, before: i64, limit: usize) -> StoreResult<usize> {
    let sql = "SELECT seq, id FROM entry WHERE device = ?1 ORDER BY seq LIMIT ?2";
    let old = tx.list(DOING, sql, params![device.0, limit as i64], |row| {
        let seq = row.get::<_, i64>(0)? as u64;
        Ok((row.get::<_, i64>(1)? < before).then_some(seq))
    })?;
    let Some(last) = old.last() else { return Ok(0) };
    entries::delete(tx, device, *last)?;
    if let Some(mut mailbox) = mailboxes::get(tx, device)? {
        mailbox.first_seq = mailbox.first_seq.max(last + 1);
        mailboxes::put(tx, device, &mailbox)?;
    }
    Ok(old.len())
}

/// Hour keys that no entry needs. Looks at a bounded number of them and goes on there next time.
fn idle_hour_keys(
    tx: &mut SqliteTx<'_>,
    cut: &Cut,
    limit: usize,
    held: &HashSet<DeviceId>,
) -> StoreResult<usize> {
    let before = cut.idle_hour.max(cut.mail_hour);
    let page_len = limit.max(64);
    let begin = ([0; 16], i64::MIN);
    let mut at_begin = tx.sweep_from == begin;
    let mut gone = 0;
    for _ in 0..PAGES {
        let sql = "SELECT device, key_id, id FROM hour_key WHERE (device, key_id) > (?1, ?2)
                   ORDER BY device, key_id LIMIT ?3";
        let (device, key) = tx.sweep_from;
        let page: Vec<([u8; 16], i64, i64)> =
            tx.list(DOING, sql, params![device, key, page_len as i64], |row| {
                Ok(Some((row.get(0)?, row.get(1)?, row.get(2)?)))
            })?;
        let is_last = page.len() < page_len;
        let mut needed = None;
        for (device, key, id) in page {
            if gone >= limit {
                return Ok(gone);
            }
            tx.sweep_from = (device, key);
            if hour_of(id) >= before || held.contains(&DeviceId(device)) {
                continue;
            }
            let keys = match needed.take() {
                Some((of, keys)) if of == device => keys,
                _ => needed_keys(tx, device)?,
            };
            if !keys.contains(&key) {
                gone += tx.execute(DOING, "DELETE FROM hour_key WHERE id = ?1", [id])?;
            }
            needed = Some((device, keys));
        }
        if is_last {
            tx.sweep_from = begin;
            if at_begin {
                break;
            }
            at_begin = true;
        }
    }
    Ok(gone)
}

fn needed_keys(tx: &mut SqliteTx<'_>, device: [u8; 16]) -> StoreResult<HashSet<i64>> {
    let sql = "SELECT DISTINCT hour_key FROM entry WHERE device = ?1";
    Ok(tx.list(DOING, sql, [device], |row| row.get(0).map(Some))?.into_iter().collect())
}

/// Whole chains, even past the limit: half a chain would list devices that its other half revoked.
fn ended_chains(tx: &mut SqliteTx<'_>, cut: &Cut, limit: usize) -> StoreResult<usize> {
    let mut gone = 0;
    for account in accounts::ended(tx, cut.ended_day)? {
        if gone >= limit {
            break;
        }
        if !cut.held.contains(&account) {
            gone += accounts::delete_chain(tx, &account)?;
        }
    }
    Ok(gone)
}

fn dead_addresses(tx: &mut SqliteTx<'_>, cut: &Cut, limit: i64) -> StoreResult<usize> {
    let sql = "SELECT hash FROM address WHERE dead_day > 0 AND dead_day < ?1 LIMIT ?2";
    let dead: Vec<[u8; 32]> =
        tx.list(DOING, sql, params![cut.dead_day, limit], |row| row.get(0).map(Some))?;
    for hash in &dead {
        tx.cache.addresses.forget(hash);
        tx.execute(DOING, "DELETE FROM address WHERE hash = ?1", [hash])?;
    }
    Ok(dead.len())
}

fn old_heads(tx: &mut SqliteTx<'_>, cut: &Cut, limit: i64) -> StoreResult<usize> {
    let sql = "SELECT room FROM head WHERE month < ?1 LIMIT ?2";
    let rooms =
        tx.list(DOING, sql, params![cut.head_month, limit], |row| row.get(0).map(RoomId).map(Some))?;
    for room in &rooms {
        tx.cache.heads.forget(room);
        heads::bury(tx, room)?;
    }
    Ok(rooms.len())
}

/// Mailboxes are gapless, so what waits is the sum of their lengths; entries need not be counted one by one.
pub(super) fn counts(tx: &mut SqliteTx<'_>) -> StoreResult<Counts> {
    heads::flush(tx)?;
    mailboxes::flush(tx)?;
    let sql = "SELECT (SELECT count(*) FROM account), count(*), coalesce(sum(next_seq - first_seq), 0),
                      (SELECT count(*) FROM head), (SELECT coalesce(max(epoch), 0) FROM directory_root),
                      (SELECT count(*) FROM directory_pending)
               FROM mailbox";
    let counts = tx.find("counting", sql, [], |row| {
        let number = |column| row.get::<_, i64>(column).map(|n| n as u64);
        let [accounts, devices, entries] = [number(0)?, number(1)?, number(2)?];
        let [heads, epoch, owed] = [number(3)?, number(4)?, number(5)?];
        Ok(Counts { accounts, devices, entries, heads, epoch, owed })
    })?;
    Ok(counts.unwrap_or_default())
}
