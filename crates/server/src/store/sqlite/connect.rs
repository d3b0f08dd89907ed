//! Connections, and the settings that durability and discretion rest on.

use std::{path::Path, time::Duration};

use rusqlite::{Connection, OpenFlags};

use super::error::unusable;
use crate::store::{StoreError, StoreResult};

/// How long a connection waits for another one's commit or checkpoint.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// `zegl`, in the header of the file: another program's database is refused.
pub(super) const APPLICATION_ID: i32 = 0x7a65_676c;
/// Statements kept ready; more than the store has.
const STATEMENTS: usize = 128;

/// Settings of every connection. `secure_delete` overwrites what is deleted; `trusted_schema` and
/// `cell_size_check` distrust a file that somebody changed.
const COMMON: &str = "
    PRAGMA temp_store = MEMORY;
    PRAGMA trusted_schema = OFF;
    PRAGMA cell_size_check = ON;
    PRAGMA secure_delete = ON;
    PRAGMA foreign_keys = OFF;
";

/// A connection that writes: each commit is on disk before it is acknowledged. The writer's thread itself
/// decides when the write-ahead log is copied back (`writer.rs`).
pub(super) fn writer(path: &Path) -> StoreResult<Connection> {
    let conn = open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    let mode: String = conn.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0)).map_err(unusable)?;
    if mode != "wal" {
        return Err(StoreError::Unusable(format!(
            "the file system of {} allows no write-ahead log (journal mode {mode}); use a local disk",
            path.display()
        )));
    }
    conn.execute_batch(
        "PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = 67108864;
         PRAGMA cache_size = -65536;",
    )
    .map_err(unusable)?;
    Ok(conn)
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path) -> StoreResult<Connection> {
    let conn = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    conn.execute_batch("PRAGMA query_only = ON; PRAGMA cache_size = -4096;").map_err(unusable)?;
    Ok(conn)
}

fn open(path: &Path, flags: OpenFlags) -> StoreResult<Connection> {
    let conn =
        Connection::open_with_flags(path, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX).map_err(unusable)?;
    conn.busy_timeout(PATIENCE).map_err(unusable)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    conn.execute_batch(COMMON).map_err(unusable)?;
    Ok(conn)
}
