//! Roots of the key directory that others named inside their sealed messages, and the last ones that we saw ourselves.

use rusqlite::{OptionalExtension as _, Row, params};
use zegel_directory::{SeenRoot, SignerLink};
use zegel_proto::AccountId;

use super::Db;
use crate::Result;

/// So many people's roots wait at most.
const MOST: i64 = 64;
/// So many of our own past roots are kept.
const PAST: i64 = 32;
/// A root is asked for again this long after the last time, milliseconds.
const PAUSE_MS: i64 = 1_000;

/// A root that somebody saw, and the keys that it was signed with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// What they saw.
    pub root: SeenRoot,
    /// The directory's keys as they know them.
    pub signers: Vec<SignerLink>,
}

/// What somebody saw, waiting to be held against our history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Heard {
    /// What they said.
    pub said: Said,
    /// Account id of who said so.
    pub account: Vec<u8>,
    /// How often the service denied to have it.
    pub denied: u32,
    /// How often it gave no answer, or none to this question.
    pub failed: u32,
    /// Since when, by the device's clock, milliseconds since 1970; 0: it did not.
    pub failing_ms: u64,
}

/// What came of asking the service for a root that somebody saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tried {
    /// It was too much at once; that says nothing.
    Paused,
    /// The service says that there is no such root.
    Denied,
    /// It gave no answer, or none to this question.
    Failed,
}

fn seen(row: &Row<'_>, from: usize) -> rusqlite::Result<SeenRoot> {
    Ok(SeenRoot {
        epoch: row.get::<_, i64>(from)? as u64,
        hash: row.get(from + 1)?,
        signer: row.get(from + 2)?,
        signature: row.get(from + 3)?,
    })
}

fn heard(row: &Row<'_>) -> rusqlite::Result<Heard> {
    let signers: Vec<u8> = row.get(4)?;
    let signers = postcard::from_bytes(&signers).map_err(|e| {
        rusqlite::Error::FromSqlConversionFailure(4, rusqlite::types::Type::Blob, Box::new(e))
    })?;
    Ok(Heard {
        said: Said { root: seen(row, 0)?, signers },
        account: row.get(5)?,
        denied: row.get(6)?,
        failed: row.get(7)?,
        failing_ms: row.get::<_, i64>(8)? as u64,
    })
}

impl Db {
    /// Keeps a root to be checked: one for each who says so, the newest, in the place of their last. If too many wait,
    /// the oldest epoch gives way. Only what a directory signed may come here.
    pub(crate) fn hear(&self, said: &Said, account: &AccountId, now_ms: u64) -> Result<()> {
        let signers = postcard::to_allocvec(&said.signers).expect("writing into memory cannot fail");
        let root = &said.root;
        let mut keep = self.conn.prepare_cached(
            "INSERT INTO gossip (account, epoch, hash, signer, signature, signers, turn_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?)
             ON CONFLICT (account) DO UPDATE SET epoch = excluded.epoch, hash = excluded.hash,
               signer = excluded.signer, signature = excluded.signature, signers = excluded.signers
             WHERE excluded.epoch > epoch",
        )?;
        let (epoch, now) = (root.epoch as i64, now_ms as i64);
        keep.execute(params![account.0, epoch, root.hash, root.signer, root.signature, signers, now])?;
        let mut trim = self.conn.prepare_cached(
            "DELETE FROM gossip WHERE account IN
               (SELECT account FROM gossip ORDER BY tried_ms > 0 DESC, epoch DESC LIMIT -1 OFFSET ?)",
        )?;
        trim.execute([MOST])?;
        Ok(())
    }

    /// What may be checked now, whose turn came first before the others. What is older than our newest epoch `ours` is
    /// asked for once for each account while we are at that epoch: nobody can make us ask without end.
    pub(crate) fn heard(&self, ours: u64, now_ms: u64, most: usize) -> Result<Vec<Heard>> {
        let mut all = self.conn.prepare_cached(
            "SELECT g.epoch, g.hash, g.signer, g.signature, g.signers, g.account, g.denied, g.failed, g.failing_ms
             FROM gossip g LEFT JOIN contact c ON c.account = g.account
             WHERE g.tried_ms NOT BETWEEN ?2 - ?3 + 1 AND ?2
               AND (g.tried_ms > 0 OR g.epoch > ?1 OR c.asked_epoch IS NOT ?1)
             ORDER BY g.turn_ms LIMIT ?4",
        )?;
        let rows = all.query_map(params![ours as i64, now_ms as i64, PAUSE_MS, most as i64], heard)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// It is settled, at our newest epoch `ours`. A newer one that its account named meanwhile waits on.
    pub(crate) fn gossip_checked(&self, heard: &Heard, ours: u64) -> Result<()> {
        let root = &heard.said.root;
        let mut done =
            self.conn.prepare_cached("DELETE FROM gossip WHERE account = ? AND epoch = ? AND hash = ?")?;
        done.execute(params![heard.account, root.epoch as i64, root.hash])?;
        let mut asked = self.conn.prepare_cached("UPDATE contact SET asked_epoch = ? WHERE account = ?")?;
        asked.execute(params![ours as i64, heard.account])?;
        Ok(())
    }

    /// The service was asked for it, and that did not settle it.
    pub(crate) fn gossip_tried(&self, account: &[u8], tried: Tried, now_ms: u64) -> Result<()> {
        let (denied, failed) = (tried == Tried::Denied, tried == Tried::Failed);
        let mut note = self.conn.prepare_cached(
            "UPDATE gossip SET tried_ms = ?2, turn_ms = ?2, denied = denied + ?3, failed = failed + ?4,
               failing_ms = CASE WHEN ?4 AND failing_ms = 0 THEN ?2 ELSE failing_ms END
             WHERE account = ?1",
        )?;
        note.execute(params![account, now_ms as i64, denied, failed])?;
        Ok(())
    }

    /// Keeps a root that was our newest.
    pub(crate) fn keep_past_root(&self, root: &SeenRoot) -> Result<()> {
        let mut keep = self.conn.prepare_cached(
            "INSERT OR REPLACE INTO past_root (epoch, hash, signer, signature) VALUES (?, ?, ?, ?)",
        )?;
        keep.execute(params![root.epoch as i64, root.hash, root.signer, root.signature])?;
        let mut trim = self.conn.prepare_cached(
            "DELETE FROM past_root WHERE epoch IN (SELECT epoch FROM past_root ORDER BY epoch DESC LIMIT -1 OFFSET ?)",
        )?;
        trim.execute([PAST])?;
        Ok(())
    }

    /// A root that was our newest, if it is one of the last.
    pub(crate) fn past_root(&self, epoch: u64) -> Result<Option<SeenRoot>> {
        let mut find = self
            .conn
            .prepare_cached("SELECT epoch, hash, signer, signature FROM past_root WHERE epoch = ?")?;
        Ok(find.query_row([epoch as i64], |row| seen(row, 0)).optional()?)
    }

    /// Forgets all of it, and what we named to others.
    pub(crate) fn forget_gossip(&self) -> Result<()> {
        let sql = "DELETE FROM gossip; DELETE FROM past_root; UPDATE conversation SET gossiped = 0;
                   UPDATE contact SET asked_epoch = NULL";
        Ok(self.conn.execute_batch(sql)?)
    }
}
