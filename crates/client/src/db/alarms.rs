//! What the service was caught at. Kept for good; an alarm is over only when its person says so.

use rusqlite::{Row, params};

use super::Db;
use crate::Result;

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRow {
    /// Local number.
    pub id: i64,
    /// When it was raised, by the device's clock, milliseconds since 1970.
    pub made_ms: u64,
    /// Stable word for its kind.
    pub kind: String,
    /// Whose handle it is about; empty for the directory itself.
    pub about: String,
    /// What happened and what it means.
    pub text: String,
    /// JSON: what the service signed; empty for nothing.
    pub evidence: Vec<u8>,
    /// Whether the person acknowledged it.
    pub seen: bool,
    /// How often the same came again before that.
    pub repeats: u64,
}

fn alarm(row: &Row<'_>) -> rusqlite::Result<AlarmRow> {
    Ok(AlarmRow {
        id: row.get(0)?,
        made_ms: row.get::<_, i64>(1)? as u64,
        kind: row.get(2)?,
        about: row.get(3)?,
        text: row.get(4)?,
        evidence: row.get(5)?,
        seen: row.get(6)?,
        repeats: row.get::<_, i64>(7)? as u64,
    })
}

impl Db {
    /// Keeps an alarm; whether it is new. One of its kind about the same that still waits to be seen counts the
    /// repetition instead: whoever causes alarms shall not fill the profile with them. `apart`: only the same text is
    /// the same.
    pub(crate) fn add_alarm(
        &self,
        now_ms: u64,
        kind: &str,
        about: &str,
        text: &str,
        evidence: &[u8],
        apart: bool,
    ) -> Result<bool> {
        let mut again = self.conn.prepare_cached(
            "UPDATE alarm SET repeats = repeats + 1
             WHERE seen = 0 AND kind = ? AND about = ? AND (text = ? OR NOT ?)",
        )?;
        if again.execute(params![kind, about, text, apart])? > 0 {
            return Ok(false);
        }
        let mut add = self.conn.prepare_cached(
            "INSERT INTO alarm (made_ms, kind, about, text, evidence) VALUES (?, ?, ?, ?, ?)",
        )?;
        add.execute(params![now_ms as i64, kind, about, text, evidence])?;
        Ok(true)
    }

    /// Alarms, oldest first: all, or those that were not acknowledged.
    pub(crate) fn alarms(&self, all: bool) -> Result<Vec<AlarmRow>> {
        let mut found = self.conn.prepare_cached(
            "SELECT id, made_ms, kind, about, text, evidence, seen, repeats FROM alarm
             WHERE ?1 OR seen = 0 ORDER BY id",
        )?;
        Ok(found.query_map([all], alarm)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Acknowledges those up to a number; how many there were.
    pub(crate) fn alarms_seen(&self, up_to: i64) -> Result<usize> {
        Ok(self.conn.execute("UPDATE alarm SET seen = 1 WHERE seen = 0 AND id <= ?", [up_to])?)
    }
}
