//! What the service told us about cases, as it was signed.

use rusqlite::{Row, params};
use sha2::{Digest, Sha256};

use super::{Db, conversations::stored_as};
use crate::Result;

/// What is known of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The key that it names is not known yet.
    Waits,
    /// It is the service's word to us.
    Stated,
    /// It is not.
    Refused,
}
stored_as!(Standing: Waits = 0, Stated = 1, Refused = 2);

/// A statement's row.
#[derive(Clone)]
pub struct StatementRow {
    /// Local number, in the order of arrival.
    pub id: i64,
    /// `v1::Statement`, as it was signed.
    pub body: Vec<u8>,
    /// Which of the directory's keys.
    pub signer: u32,
    /// Ed25519.
    pub signature: Vec<u8>,
    /// The epoch that the directory was known at when it came.
    pub epoch: u64,
}

fn row(row: &Row<'_>) -> rusqlite::Result<StatementRow> {
    Ok(StatementRow {
        id: row.get(0)?,
        body: row.get(1)?,
        signer: row.get(2)?,
        signature: row.get(3)?,
        epoch: row.get::<_, i64>(4)? as u64,
    })
}

fn hash(body: &[u8]) -> [u8; 32] {
    Sha256::digest(body).into()
}

impl Db {
    /// Keeps what came; `None` if exactly this came before.
    pub(crate) fn add_statement(
        &self,
        body: &[u8],
        signer: u32,
        signature: &[u8],
        epoch: u64,
    ) -> Result<Option<i64>> {
        let mut add = self.conn.prepare_cached(
            "INSERT OR IGNORE INTO statement (hash, body, signer, signature, epoch) VALUES (?, ?, ?, ?, ?)",
        )?;
        let added = add.execute(params![hash(body), body, signer, signature, epoch as i64])?;
        Ok((added > 0).then(|| self.conn.last_insert_rowid()))
    }

    /// Those of a standing, oldest first.
    pub(crate) fn statements(&self, standing: Standing) -> Result<Vec<StatementRow>> {
        let mut all = self.conn.prepare_cached(
            "SELECT id, body, signer, signature, epoch FROM statement WHERE standing = ? ORDER BY id",
        )?;
        Ok(all.query_map([standing], row)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Whether the service is known to have said this, perhaps under another of its keys.
    pub(crate) fn is_stated(&self, body: &[u8]) -> Result<bool> {
        let sql = "SELECT 1 FROM statement WHERE hash = ? AND standing = ?";
        Ok(self.conn.prepare_cached(sql)?.exists(params![hash(body), Standing::Stated])?)
    }

    pub(crate) fn set_standing(&self, id: i64, standing: Standing) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE statement SET standing = ? WHERE id = ?")?;
        set.execute(params![standing, id])?;
        Ok(())
    }

    pub(crate) fn drop_statement(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM statement WHERE id = ?")?.execute([id])?;
        Ok(())
    }
}
