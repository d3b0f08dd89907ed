//! Whether the database is sound: SQLite's own checks, and the invariants that the service rests on.

use std::path::Path;

use rusqlite::ErrorCode;

use super::{connect, desk, error::failed, folder};
use crate::store::StoreResult;

const DOING: &str = "verifying the store";

/// Each counts what should not be there.
const INVARIANTS: &[(&str, &str)] = &[
    (
        "mailboxes whose account is missing",
        "SELECT count(*) FROM mailbox
         WHERE account <> CAST('zegel has no one' AS BLOB) AND account NOT IN (SELECT id FROM account)",
    ),
    (
        "entries without a mailbox",
        "SELECT count(*) FROM entry WHERE device NOT IN (SELECT device FROM mailbox)",
    ),
    (
        // A restored backup goes on 2^32 further, so a hole of exactly that is sound.
        "mailboxes whose entries are not first_seq..next_seq without a hole",
        "SELECT count(*) FROM (
           SELECT first_seq AS first, next_seq AS next, count(seq) AS n, min(seq) AS low, max(seq) AS high
           FROM mailbox LEFT JOIN entry USING (device) GROUP BY mailbox.device
         ) WHERE (next - first - n) % 4294967296 <> 0 OR next - first < n
              OR (n > 0 AND ((low - first) % 4294967296 <> 0 OR (next - 1 - high) % 4294967296 <> 0))",
    ),
    (
        "entries whose hour key is missing",
        "SELECT count(*) FROM entry WHERE NOT EXISTS (
           SELECT 1 FROM hour_key WHERE hour_key.device = entry.device AND key_id = entry.hour_key)",
    ),
    (
        "mailboxes without a queue key",
        "SELECT count(*) FROM mailbox
         WHERE account <> CAST('zegel has no one' AS BLOB) AND device NOT IN (SELECT device FROM queue_key)",
    ),
    (
        "queue keys without a mailbox",
        "SELECT count(*) FROM queue_key WHERE device NOT IN (SELECT device FROM mailbox)",
    ),
    (
        "hour keys without a mailbox",
        "SELECT count(*) FROM hour_key WHERE device NOT IN (SELECT device FROM mailbox)",
    ),
    (
        "key packages without a mailbox",
        "SELECT count(*) FROM key_package WHERE device NOT IN (SELECT device FROM mailbox)",
    ),
    (
        "sigchains whose account is missing",
        "SELECT count(DISTINCT account) FROM chain_link
         WHERE ended_day = 0 AND account NOT IN (SELECT id FROM account)",
    ),
    (
        "sigchains that ended while their account is there",
        "SELECT count(DISTINCT account) FROM chain_link
         WHERE ended_day > 0 AND account IN (SELECT id FROM account)",
    ),
    (
        "sigchains with a hole",
        "SELECT count(*) FROM (
           SELECT min(seq) AS low, max(seq) AS high, count(*) AS n FROM chain_link GROUP BY account
         ) WHERE low <> 0 OR high <> n - 1",
    ),
    (
        "accounts that the directory owes an entry and that have no sigchain",
        "SELECT count(*) FROM directory_pending WHERE account NOT IN (SELECT account FROM chain_link)",
    ),
    (
        "epochs of the directory that are missing",
        "SELECT coalesce(max(epoch) + 1 - count(*), 0) FROM directory_root",
    ),
    (
        "conversations that are both in use and swept",
        "SELECT count(*) FROM head WHERE room IN (SELECT room FROM tombstone)",
    ),
    (
        "reports without a case",
        "SELECT count(*) FROM report WHERE case_number NOT IN (SELECT number FROM desk_case)",
    ),
];

/// What is wrong, in sentences that name nobody; empty if all is well.
pub(super) fn verify(data_dir: &Path) -> StoreResult<Vec<String>> {
    let conn = connect::reader(&folder::database(data_dir))?;
    // One snapshot, so that a commit between two checks is no finding.
    conn.execute_batch("BEGIN").map_err(|e| failed(DOING, e))?;
    let mut wrong = match integrity(&conn) {
        Err(e) if is_corrupt(&e) => vec![format!("the file is damaged: {e}")],
        lines => lines.map_err(|e| failed(DOING, e))?,
    };
    for (what, sql) in INVARIANTS {
        match conn.query_row(sql, [], |row| row.get::<_, i64>(0)) {
            Ok(0) => {}
            Ok(count) => wrong.push(format!("{count} {what}")),
            Err(e) if is_corrupt(&e) => wrong.push(format!("{what} could not be counted: {e}")),
            Err(e) => return Err(failed(DOING, e)),
        }
    }
    match desk::log_fault(&conn) {
        Ok(fault) => wrong.extend(fault),
        Err(e) if is_corrupt(&e) => wrong.push(format!("the desk's log could not be read: {e}")),
        Err(e) => return Err(failed(DOING, e)),
    }
    Ok(wrong)
}

/// A damaged file is a finding, not a failure to look.
fn is_corrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

fn integrity(conn: &rusqlite::Connection) -> rusqlite::Result<Vec<String>> {
    let mut statement = conn.prepare("PRAGMA integrity_check")?;
    let lines: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    Ok(lines.into_iter().filter(|line| line != "ok").collect())
}
