//! Reports that we made.

use rusqlite::params;
use zegel_proto::{Message as _, v1};

use super::Db;
use crate::Result;

impl Db {
    /// A report on its way.
    pub(crate) fn add_report(&self, report: &v1::Report, about: &str) -> Result<()> {
        let mut add = self.conn.prepare_cached("INSERT INTO report (id, about, call) VALUES (?, ?, ?)")?;
        add.execute(params![report.id.as_ref(), about, report.encode_to_vec()])?;
        Ok(())
    }

    /// What each is about that the service has not taken, or not said so, and the report.
    pub(crate) fn kept_reports(&self) -> Result<Vec<(String, v1::Report)>> {
        let mut all = self.conn.prepare_cached("SELECT about, call FROM report WHERE length(call) > 0")?;
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows = rows.collect::<rusqlite::Result<Vec<(String, Vec<u8>)>>>()?;
        let read = |(about, call): (String, Vec<u8>)| {
            v1::Report::decode(call.as_slice()).ok().map(|report| (about, report))
        };
        Ok(rows.into_iter().filter_map(read).collect())
    }

    /// What the service says of a report; of one that another device made too.
    pub(crate) fn report_answered(&self, state: &v1::ReportState) -> Result<()> {
        let mut set = self.conn.prepare_cached(
            "INSERT INTO report (id, about, state) VALUES (?1, '', ?2)
             ON CONFLICT (id) DO UPDATE SET call = x'', state = ?2",
        )?;
        set.execute(params![state.id.as_ref(), state.encode_to_vec()])?;
        Ok(())
    }

    /// The service refused it for good.
    pub(crate) fn drop_report(&self, id: &[u8]) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM report WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    /// What each is about and how it stands, newest first.
    pub(crate) fn reports(&self) -> Result<Vec<(String, v1::ReportState)>> {
        let mut all = self.conn.prepare_cached("SELECT about, state FROM report WHERE length(state) > 0")?;
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        let rows = rows.collect::<rusqlite::Result<Vec<(String, Vec<u8>)>>>()?;
        let read = |(about, state): (String, Vec<u8>)| {
            v1::ReportState::decode(state.as_slice()).ok().map(|state| (about, state))
        };
        let mut reports: Vec<_> = rows.into_iter().filter_map(read).collect();
        reports.sort_by_key(|(_, state)| std::cmp::Reverse(state.reported_ms));
        Ok(reports)
    }
}
