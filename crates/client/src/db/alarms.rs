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
    })
}

impl Db {
    /// Keeps an alarm, unless the same one still waits to be seen; whether it is new.
    pub(crate) fn add_alarm(
        &self,
        now_ms: u64,
        kind: &str,
        about: &str,
        text: &str,
        evidence: &[u8],
    ) -> Result<bool> {
        let mut add = self.conn.prepare_cached(
            "INSERT INTO alarm (made_ms, kind, about, text, evidence) SELECT ?1, ?2, ?3, ?4, ?5
             WHERE NOT EXISTS (SELECT 1 FROM alarm WHERE seen = 0 AND kind = ?2 AND about = ?3 AND text = ?4)",
        )?;
        Ok(add.execute(params![now_ms as i64, kind, about, text, evidence])? > 0)
    }

    /// Alarms, oldest first: all, or those that were not acknowledged.
    pub(crate) fn alarms(&self, all: bool) -> Result<Vec<AlarmRow>> {
        let mut found = self.conn.prepare_cached(
            "SELECT id, made_ms, kind, about, text, evidence, seen FROM alarm WHERE ?1 OR seen = 0 ORDER BY id",
        )?;
        Ok(found.query_map([all], alarm)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Acknowledges all; how many there were.
    pub(crate) fn alarms_seen(&self) -> Result<usize> {
        Ok(self.conn.execute("UPDATE alarm SET seen = 1 WHERE seen = 0", [])?)
    }
}
