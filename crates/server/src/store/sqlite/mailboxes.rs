//! Mailboxes: read once, written once per commit.

use rusqlite::{Params, params};
use zegel_proto::{AccountId, DeviceId};

use super::{stock, tx::SqliteTx};
use crate::store::{Mailbox, NOBODY, StoreResult};

pub(super) fn get(tx: &mut SqliteTx<'_>, device: &DeviceId) -> StoreResult<Option<Mailbox>> {
    if let Some(mailbox) = tx.cache.new_mailboxes.get(device).or_else(|| tx.cache.mailboxes.get(device)) {
        return Ok(Some(mailbox.clone()));
    }
    let sql = "SELECT device, account, first_seq, next_seq FROM mailbox WHERE device = ?1";
    Ok(find(tx, sql, params![device.0])?.map(|(_, mailbox)| mailbox))
}

/// One that no commit has written yet is passed over.
pub(super) fn near(tx: &mut SqliteTx<'_>, device: &DeviceId) -> StoreResult<Option<DeviceId>> {
    let sql = "SELECT device, account, first_seq, next_seq FROM mailbox WHERE device >= ?1 AND account <> ?2
               ORDER BY device LIMIT 1";
    let found = match find(tx, sql, params![device.0, NOBODY.0])? {
        None => find(tx, sql, params![[0u8; DeviceId::LEN], NOBODY.0])?,
        found => found,
    };
    Ok(found.map(|(device, _)| device))
}

fn find(tx: &mut SqliteTx<'_>, sql: &str, params: impl Params) -> StoreResult<Option<(DeviceId, Mailbox)>> {
    let found = tx.find("reading a mailbox", sql, params, |row| {
        let account = AccountId(row.get(1)?);
        let (first_seq, next_seq) = (row.get::<_, i64>(2)? as u64, row.get::<_, i64>(3)? as u64);
        Ok((DeviceId(row.get(0)?), Mailbox { account, first_seq, next_seq }))
    })?;
    if let Some((device, mailbox)) = &found {
        tx.cache.mailboxes.put(*device, mailbox.clone());
    }
    Ok(found)
}

pub(super) fn put(tx: &mut SqliteTx<'_>, device: &DeviceId, mailbox: &Mailbox) -> StoreResult<()> {
    tx.writing()?;
    tx.cache.new_mailboxes.insert(*device, mailbox.clone());
    Ok(())
}

pub(super) fn remove(tx: &mut SqliteTx<'_>, device: &DeviceId) -> StoreResult<()> {
    let doing = "removing a mailbox";
    tx.cache.new_mailboxes.remove(device);
    tx.cache.mailboxes.forget(device);
    tx.execute(doing, "DELETE FROM mailbox WHERE device = ?1", [device.0])?;
    tx.execute(doing, "DELETE FROM entry WHERE device = ?1", [device.0])?;
    tx.execute(doing, "DELETE FROM hour_key WHERE device = ?1", [device.0])?;
    tx.execute(doing, "DELETE FROM queue_key WHERE device = ?1", [device.0])?;
    stock::clear(tx, device)
}

pub(super) fn put_queue_key(tx: &mut SqliteTx<'_>, device: &DeviceId, sealed: &[u8]) -> StoreResult<()> {
    let sql = "INSERT INTO queue_key (device, sealed) VALUES (?1, ?2)
               ON CONFLICT (device) DO UPDATE SET sealed = ?2";
    tx.execute("keeping a queue key", sql, params![device.0, sealed]).map(drop)
}

pub(super) fn queue_key(tx: &mut SqliteTx<'_>, device: &DeviceId) -> StoreResult<Option<Vec<u8>>> {
    let sql = "SELECT sealed FROM queue_key WHERE device = ?1";
    tx.find("reading a queue key", sql, [device.0], |row| row.get(0))
}

/// Writes what changed. Before the commit, and before anything that looks at the table as a whole.
pub(super) fn flush(tx: &mut SqliteTx<'_>) -> StoreResult<()> {
    let doing = "writing a mailbox";
    for (device, mailbox) in std::mem::take(&mut tx.cache.new_mailboxes) {
        let numbers = (mailbox.first_seq as i64, mailbox.next_seq as i64);
        // The index over accounts need not be touched where the owner is known to be the same.
        if tx.cache.mailboxes.get(&device).is_some_and(|old| old.account == mailbox.account) {
            let sql = "UPDATE mailbox SET first_seq = ?2, next_seq = ?3 WHERE device = ?1";
            tx.execute(doing, sql, params![device.0, numbers.0, numbers.1])?;
        } else {
            let sql = "INSERT INTO mailbox (device, account, first_seq, next_seq) VALUES (?1, ?2, ?3, ?4)
                       ON CONFLICT (device) DO UPDATE SET account = ?2, first_seq = ?3, next_seq = ?4";
            tx.execute(doing, sql, params![device.0, mailbox.account.0, numbers.0, numbers.1])?;
        }
        tx.cache.mailboxes.put(device, mailbox);
    }
    Ok(())
}
