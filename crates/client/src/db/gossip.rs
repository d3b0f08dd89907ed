//! Roots of the key directory that others named inside their sealed messages.

use rusqlite::{Row, params};
use zegel_directory::SeenRoot;
use zegel_proto::AccountId;

use super::Db;
use crate::Result;

/// So many are kept, and wait, at most.
const MOST: i64 = 64;

/// A root that somebody saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// Local number.
    pub id: i64,
    /// What they saw.
    pub seen: SeenRoot,
    /// Account id of who said so.
    pub account: Vec<u8>,
    /// How often the service did not answer for it.
    pub tried: u32,
}

fn heard(row: &Row<'_>) -> rusqlite::Result<Heard> {
    let seen = SeenRoot {
        epoch: row.get::<_, i64>(1)? as u64,
        hash: row.get(2)?,
        signer: row.get(3)?,
        signature: row.get(4)?,
    };
    Ok(Heard { id: row.get(0)?, seen, account: row.get(5)?, tried: row.get(6)? })
}

impl Db {
    /// Keeps a root to be checked, unless it is known or too many wait. Checked ones make room.
    pub(crate) fn hear(&self, seen: &SeenRoot, account: &AccountId) -> Result<()> {
        let mut waiting = self.conn.prepare_cached("SELECT count(*) FROM gossip WHERE checked = 0")?;
        if waiting.query_row([], |row| row.get::<_, i64>(0))? >= MOST {
            return Ok(());
        }
        let mut add = self.conn.prepare_cached(
            "INSERT OR IGNORE INTO gossip (epoch, hash, signer, signature, account) VALUES (?, ?, ?, ?, ?)",
        )?;
        add.execute(params![seen.epoch as i64, seen.hash, seen.signer, seen.signature, account.0])?;
        let mut trim = self.conn.prepare_cached(
            "DELETE FROM gossip WHERE checked = 1 AND id <= (SELECT max(id) FROM gossip) - ?",
        )?;
        trim.execute([MOST])?;
        Ok(())
    }

    /// The oldest that wait to be checked.
    pub(crate) fn heard(&self, most: usize) -> Result<Vec<Heard>> {
        let mut all = self.conn.prepare_cached(
            "SELECT id, epoch, hash, signer, signature, account, tried FROM gossip WHERE checked = 0
             ORDER BY tried, id LIMIT ?",
        )?;
        Ok(all.query_map([most as i64], heard)?.collect::<rusqlite::Result<_>>()?)
    }

    /// It was held against our history.
    pub(crate) fn gossip_checked(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("UPDATE gossip SET checked = 1 WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    /// The service did not answer for it.
    pub(crate) fn gossip_tried(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("UPDATE gossip SET tried = tried + 1 WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    /// Forgets all of it, and what we named to others.
    pub(crate) fn forget_gossip(&self) -> Result<()> {
        Ok(self.conn.execute_batch("DELETE FROM gossip; UPDATE conversation SET gossiped = 0")?)
    }
}
