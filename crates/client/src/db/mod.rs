//! The profile database: SQLCipher natively, the same code on OPFS in a browser.
//!
//! *Invariant:* MLS state, messages and outbox change in one transaction (a `begin` and a `commit` around each step of the core), so that crypto and
//! history never disagree.

mod alarms;
mod contacts;
pub(crate) mod conversations;
mod errands;
mod evidence;
mod gossip;
mod guardians;
mod items;
pub mod mls;
mod outbox;
mod reports;
mod schema;
mod statements;
mod tokens;
mod waiting;

use std::path::Path;

use rusqlite::{Connection, OptionalExtension, params};
use zeroize::Zeroizing;

use crate::{Error, Result};

pub use alarms::AlarmRow;
pub use contacts::{Contact, Trust};
pub use conversations::{Conversation, ConversationState, Intro, Kind};
pub use errands::Errand;
pub use evidence::{Evidence, Place};
pub use gossip::{Heard, Said, Tried};
pub use guardians::{Ask, ChildContacts, Guardianship, LinkState, OfChild, OfGuardian, Role, With};
pub use items::{Item, ItemKind, ItemState, NewItem};
pub use outbox::{Intent, OutboxRow, OutboxState};
pub use statements::{Standing, StatementRow};
pub(crate) use tokens::HeldToken;
pub use waiting::Held;

/// An open profile database.
pub struct Db {
    conn: Connection,
}

impl Db {
    /// Opens or makes the database at `path` under a raw 32-byte key.
    pub fn open(path: &Path, key: &Zeroizing<[u8; 32]>) -> Result<Self> {
        Self::prepare(Connection::open(path)?, key)
    }

    fn prepare(conn: Connection, key: &Zeroizing<[u8; 32]>) -> Result<Self> {
        let raw = Zeroizing::new(format!("x'{}'", hex::encode(key.as_ref())));
        conn.pragma_update(None, "key", raw.as_str())?;
        let wrong_key = |_| Error::Profile {
            why: "its key does not open its database, or the database is damaged".into(),
            fix: "the profile folder's own key file, or a copy of the folder",
        };
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).map_err(wrong_key)?;
        conn.pragma_update(None, "journal_mode", "WAL")?;
        conn.pragma_update(None, "synchronous", "FULL")?;
        conn.pragma_update(None, "secure_delete", "ON")?;
        conn.pragma_update(None, "temp_store", "MEMORY")?;
        conn.set_prepared_statement_cache_capacity(128);
        let db = Self { conn };
        db.migrate()?;
        Ok(db)
    }

    fn migrate(&self) -> Result<()> {
        let done: u32 = self.conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
        let done = done as usize;
        if done > schema::MIGRATIONS.len() {
            return Err(Error::Profile {
                why: "it was written by a newer release".into(),
                fix: "that release or a later one",
            });
        }
        for (number, script) in schema::MIGRATIONS.iter().enumerate().skip(done) {
            let tx = self.conn.unchecked_transaction()?;
            tx.execute_batch(script)?;
            if number == 0 {
                tx.execute_batch(mls::SCHEMA)?;
            }
            tx.pragma_update(None, "user_version", number as u32 + 1)?;
            tx.commit()?;
        }
        Ok(())
    }

    /// The connection, for the MLS provider.
    pub(crate) fn conn(&self) -> &Connection {
        &self.conn
    }

    pub(crate) fn begin(&self) -> Result<()> {
        Ok(self.conn.execute_batch("BEGIN IMMEDIATE")?)
    }
    pub(crate) fn commit(&self) -> Result<()> {
        Ok(self.conn.execute_batch("COMMIT")?)
    }
    pub(crate) fn rollback(&self) {
        // Fails only when SQLite has rolled back by itself.
        let _ = self.conn.execute_batch("ROLLBACK");
    }

    /// Marks a place within the transaction to come back to.
    pub(crate) fn savepoint(&self) -> Result<()> {
        Ok(self.conn.execute_batch("SAVEPOINT here")?)
    }
    pub(crate) fn keep_savepoint(&self) -> Result<()> {
        Ok(self.conn.execute_batch("RELEASE here")?)
    }
    pub(crate) fn undo_savepoint(&self) -> Result<()> {
        Ok(self.conn.execute_batch("ROLLBACK TO here; RELEASE here")?)
    }

    /// A small named value.
    pub(crate) fn meta(&self, key: &str) -> Result<Option<Vec<u8>>> {
        let mut found = self.conn.prepare_cached("SELECT value FROM meta WHERE key = ?")?;
        Ok(found.query_row([key], |row| row.get(0)).optional()?)
    }

    /// Forgets a small named value.
    pub(crate) fn drop_meta(&self, key: &str) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM meta WHERE key = ?")?.execute([key])?;
        Ok(())
    }

    /// Sets a small named value.
    pub(crate) fn set_meta(&self, key: &str, value: &[u8]) -> Result<()> {
        let mut set = self.conn.prepare_cached("INSERT OR REPLACE INTO meta VALUES (?, ?)")?;
        set.execute(params![key, value])?;
        Ok(())
    }
}
