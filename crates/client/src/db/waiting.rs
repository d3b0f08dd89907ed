//! What waits: held entries, small calls, leavers; key packages on offer, and contact codes given out.

use rusqlite::{OptionalExtension, params};
use zegel_proto::{AccountId, Address, GroupId, Message as _, Token, v1};

use super::Db;
use crate::Result;

/// A mailbox entry that waits (for a sigchain, or for a ratchet tree).
#[derive(Clone, Debug)]
pub struct Held {
    /// Local number, in the order of arrival.
    pub id: i64,
    /// `v1::Entry`, encoded.
    pub entry: Vec<u8>,
}

impl Db {
    pub(crate) fn hold(&self, group: &GroupId, entry: &[u8]) -> Result<()> {
        let mut add = self.conn.prepare_cached("INSERT INTO held (group_id, entry) VALUES (?, ?)")?;
        add.execute(params![group.0, entry])?;
        Ok(())
    }

    pub(crate) fn is_held(&self, group: &GroupId) -> Result<bool> {
        let mut found = self.conn.prepare_cached("SELECT 1 FROM held WHERE group_id = ? LIMIT 1")?;
        Ok(found.exists([group.0])?)
    }

    /// Groups with held entries.
    pub(crate) fn held_groups(&self) -> Result<Vec<GroupId>> {
        let mut all =
            self.conn.prepare_cached("SELECT group_id FROM held GROUP BY group_id ORDER BY min(id)")?;
        Ok(all.query_map([], |row| row.get(0).map(GroupId))?.collect::<rusqlite::Result<_>>()?)
    }

    /// The oldest held entry of a group.
    pub(crate) fn first_held(&self, group: &GroupId) -> Result<Option<Held>> {
        let sql = "SELECT id, entry FROM held WHERE group_id = ? ORDER BY id LIMIT 1";
        let mut found = self.conn.prepare_cached(sql)?;
        Ok(found.query_row([group.0], |row| Ok(Held { id: row.get(0)?, entry: row.get(1)? })).optional()?)
    }

    pub(crate) fn release_held(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM held WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    pub(crate) fn add_offer(
        &self,
        address: &Address,
        reference: &[u8],
        last_resort: bool,
        now_ms: u64,
    ) -> Result<()> {
        let mut add = self.conn.prepare_cached("INSERT INTO offered VALUES (?, ?, ?, ?)")?;
        add.execute(params![address.0, reference, last_resort, now_ms as i64])?;
        Ok(())
    }

    /// Whether a key package that we offered holds this address, and whether it is a last resort.
    pub(crate) fn offer(&self, address: &Address) -> Result<Option<bool>> {
        let mut found = self.conn.prepare_cached("SELECT last_resort FROM offered WHERE address = ?")?;
        Ok(found.query_row([address.0], |row| row.get(0)).optional()?)
    }

    pub(crate) fn delete_offer(&self, address: &Address) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM offered WHERE address = ?")?.execute([address.0])?;
        Ok(())
    }

    /// References of offers made before a time: their secrets can go.
    pub(crate) fn offers_before(&self, ms: u64) -> Result<Vec<(Address, Vec<u8>)>> {
        let mut all = self.conn.prepare_cached("SELECT address, reference FROM offered WHERE made_ms < ?")?;
        let rows = all.query_map([ms as i64], |row| Ok((Address(row.get(0)?), row.get(1)?)))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn add_code(&self, token: &Token, now_ms: u64) -> Result<()> {
        let mut add = self.conn.prepare_cached("INSERT INTO code VALUES (?, ?)")?;
        add.execute(params![token.0, now_ms as i64])?;
        Ok(())
    }

    /// Uses a contact code of ours up; returns whether it was one.
    pub(crate) fn use_code(&self, token: &[u8]) -> Result<bool> {
        Ok(self.conn.prepare_cached("DELETE FROM code WHERE token = ?")?.execute([token])? > 0)
    }

    /// Queues a small call that may be repeated; returns its local number.
    pub(crate) fn add_call(&self, body: v1::client_frame::Body) -> Result<i64> {
        let frame = v1::ClientFrame { call: 0, body: Some(body) }.encode_to_vec();
        self.conn.prepare_cached("INSERT INTO call (frame) VALUES (?)")?.execute([frame])?;
        Ok(self.conn.last_insert_rowid())
    }

    /// The oldest queued call that the server did not put off.
    pub(crate) fn next_call(&self) -> Result<Option<(i64, v1::client_frame::Body)>> {
        let sql = "SELECT id, frame FROM call WHERE put_off = 0 ORDER BY id LIMIT 1";
        let mut found = self.conn.prepare_cached(sql)?;
        let row: Option<(i64, Vec<u8>)> =
            found.query_row([], |row| Ok((row.get(0)?, row.get(1)?))).optional()?;
        Ok(row.and_then(|(id, frame)| Some((id, v1::ClientFrame::decode(frame.as_slice()).ok()?.body?))))
    }

    /// Whether this call is still to be made.
    pub(crate) fn call_waits(&self, id: i64) -> Result<bool> {
        Ok(self.conn.prepare_cached("SELECT 1 FROM call WHERE id = ?")?.exists([id])?)
    }

    /// Whether a call is to be made that the server did not put off.
    pub(crate) fn has_calls(&self) -> Result<bool> {
        Ok(self.conn.prepare_cached("SELECT 1 FROM call WHERE put_off = 0 LIMIT 1")?.exists([])?)
    }

    /// The server wants no more calls of this kind now.
    pub(crate) fn put_call_off(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("UPDATE call SET put_off = 1 WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    /// What was put off is tried again.
    pub(crate) fn retry_calls(&self) -> Result<()> {
        self.conn.prepare_cached("UPDATE call SET put_off = 0 WHERE put_off = 1")?.execute([])?;
        Ok(())
    }

    pub(crate) fn call_done(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM call WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    pub(crate) fn set_leaver(&self, conversation: i64, account: &AccountId, leaves: bool) -> Result<()> {
        let sql = match leaves {
            true => "INSERT OR IGNORE INTO leaver VALUES (?, ?)",
            false => "DELETE FROM leaver WHERE conversation = ? AND account = ?",
        };
        self.conn.prepare_cached(sql)?.execute(params![conversation, account.0])?;
        Ok(())
    }

    pub(crate) fn leavers(&self, conversation: i64) -> Result<Vec<AccountId>> {
        let mut all = self.conn.prepare_cached("SELECT account FROM leaver WHERE conversation = ?")?;
        Ok(all
            .query_map([conversation], |row| row.get(0).map(AccountId))?
            .collect::<rusqlite::Result<_>>()?)
    }
}
