//! Numbered migrations. A database says in `user_version` how many of them it has had.

use rusqlite::{Connection, TransactionBehavior};

use super::{connect::APPLICATION_ID, error::unusable};
use crate::store::{StoreError, StoreResult};

/// Script number n brings version n - 1 to version n. A released script never changes.
const MIGRATIONS: &[&str] = &[include_str!("v1.sql")];

/// The version that this release writes.
const LATEST: u32 = MIGRATIONS.len() as u32;

/// Whether there is nothing left for [`migrate`] to do.
pub(super) fn is_current(conn: &Connection) -> StoreResult<bool> {
    Ok(version(conn)? == LATEST)
}

/// Brings the database to this release's version; refuses what it does not know.
pub(super) fn migrate(conn: &mut Connection) -> StoreResult<()> {
    let tx = conn.transaction_with_behavior(TransactionBehavior::Immediate).map_err(unusable)?;
    let done = version(&tx)?;
    for (script, number) in MIGRATIONS.iter().zip(1_u32..).skip(done as usize) {
        tx.execute_batch(script).map_err(unusable)?;
        tx.pragma_update(None, "user_version", number).map_err(unusable)?;
    }
    if done == 0 {
        tx.pragma_update(None, "application_id", APPLICATION_ID).map_err(unusable)?;
    }
    tx.commit().map_err(unusable)
}

/// How many migrations the database has had.
fn version(conn: &Connection) -> StoreResult<u32> {
    let version: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(unusable)?;
    let application: i32 =
        conn.pragma_query_value(None, "application_id", |row| row.get(0)).map_err(unusable)?;
    let tables: u32 =
        conn.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0)).map_err(unusable)?;
    let empty = version == 0 && tables == 0;
    if application != APPLICATION_ID && !empty {
        return Err(StoreError::Unusable(
            "zegel.db is another program's database; give zegel-server its own folder".into(),
        ));
    }
    if version > LATEST {
        return Err(StoreError::Unusable(format!(
            "zegel.db was written by a newer release (schema {version}; this one knows {LATEST}); start that release"
        )));
    }
    Ok(version)
}
