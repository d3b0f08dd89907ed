//! The log: its newest lines, the whole of it as it is exported, and what it says of one case.

use zegel_cases::{CaseNumber, LogEntry, LogHead, Permission, Staff, archive::export_log, verify_log};
use zegel_desk::OfficeResult;
use zegel_directory::Statement;

use super::{Desk, failed, log, may};
use crate::{
    clock::Now,
    store::{StoreError, StoreResult, Tx},
};

/// Lines on the page.
const NEWEST: u64 = 200;
/// Lines that are read at once.
const BATCH: usize = 5000;

impl Desk {
    pub(super) async fn newest_lines(&self, who: &Staff) -> OfficeResult<(Vec<LogEntry>, LogHead)> {
        let (who, now) = (who.clone(), Now::get());
        self.write(move |tx| {
            if let Err(why) = may(tx, &who, Permission::SeeLog)? {
                return Ok(Err(why.into()));
            }
            let head = head(tx)?;
            let from = head.seq.saturating_sub(NEWEST) + 1;
            let lines = tx.log_lines(from, NEWEST as usize)?;
            let entries = lines.iter().rev().map(|line| entry(line)).collect::<StoreResult<_>>()?;
            log(tx, now, &who.id, "see-log", None, String::new())?;
            Ok(Ok((entries, head)))
        })
        .await
    }

    /// Where the log ends, if it is whole.
    pub(super) async fn verified_log(&self, who: &Staff) -> OfficeResult<Result<LogHead, String>> {
        let (head, lines) = self.all_lines(who, "verify-log").await?;
        let read = tokio::task::spawn_blocking(move || verified(&head, &lines).map(|()| head));
        read.await.map_err(|_| failed(&StoreError::Closed))
    }

    pub(super) async fn whole_log(&self, who: &Staff) -> OfficeResult<Result<String, String>> {
        let (head, lines) = self.all_lines(who, "export-log").await?;
        let (domain, keys) = (self.service.config.domain.clone(), self.service.keys());
        let made = tokio::task::spawn_blocking(move || {
            verified(&head, &lines)?;
            let signer = keys.directory();
            let sign = |head: &[u8]| signer.sign_statement(&domain, Statement::Log, head);
            Ok(export_log(&domain, signer.links(), &lines, &head, Now::get().ms, sign))
        });
        made.await.map_err(|_| failed(&StoreError::Closed))
    }

    /// The whole log, and where it should end; its last line says that it was read, under `act`.
    async fn all_lines(&self, who: &Staff, act: &'static str) -> OfficeResult<(LogHead, Vec<String>)> {
        let (who, now) = (who.clone(), Now::get());
        self.write(move |tx| {
            if let Err(why) = may(tx, &who, Permission::SeeLog)? {
                return Ok(Err(why.into()));
            }
            log(tx, now, &who.id, act, None, String::new()).map(Ok)
        })
        .await?;
        self.read(|tx| Ok(Ok((head(tx)?, lines(tx, |_| true)?)))).await
    }
}

fn verified(head: &LogHead, lines: &[String]) -> Result<(), String> {
    match verify_log(LogHead::default(), lines.iter().map(String::as_str)) {
        Ok((_, end)) if end == *head => Ok(()),
        Ok((_, end)) => {
            let (is, should) = (end.seq, head.seq);
            Err(format!("the log ends with line {is} and should end with line {should}"))
        }
        Err(error) => Err(error.to_string()),
    }
}

fn head(tx: &mut dyn Tx) -> StoreResult<LogHead> {
    let (seq, hash) = tx.log_head()?;
    Ok(LogHead { seq, hash })
}

/// The lines about a case, oldest first.
pub(super) fn lines_about(tx: &mut dyn Tx, number: CaseNumber) -> StoreResult<Vec<String>> {
    let name = number.to_string();
    // Most lines are about others, and need not be read as JSON.
    lines(tx, |line| line.contains(&name) && entry(line).is_ok_and(|entry| entry.case == Some(number)))
}

fn lines(tx: &mut dyn Tx, wanted: impl Fn(&str) -> bool) -> StoreResult<Vec<String>> {
    let mut all = Vec::new();
    let mut from = 1;
    loop {
        let batch = tx.log_lines(from, BATCH)?;
        let read = batch.len();
        from += read as u64;
        all.extend(batch.into_iter().filter(|line| wanted(line)));
        if read < BATCH {
            return Ok(all);
        }
    }
}

pub(super) fn entry(line: &str) -> StoreResult<LogEntry> {
    serde_json::from_str(line)
        .map_err(|error| StoreError::Failed { doing: "reading the desk's log", why: error.to_string() })
}
