//! Seeing: the queue, and a case with all that is in it.

use std::collections::HashSet;

use zegel_cases::{CaseNumber, Permission, Report, Staff, State};
use zegel_desk::{Line, OfficeError, OfficeResult, Queue, Whole};

use super::{CaseKeys, Desk, log, may};
use crate::{
    clock::Now,
    store::{CaseRow, QueuePlace, StoreResult, Tx},
};

/// Cases on a page of the queue, and earlier cases beside a case.
const PAGE: usize = 50;
/// Reports on a case's page; all of them are in its archive.
const SHOWN: usize = 100;
const HOUR_MS: u64 = 60 * 60 * 1000;

impl Desk {
    pub(super) async fn part(&self, who: &Staff, state: State, from: Option<&str>) -> OfficeResult<Queue> {
        let (keys, who, now) = (self.keys(), who.clone(), Now::get());
        // What is no place begins at the first.
        let from = from.and_then(place);
        self.read(move |tx| {
            if let Err(why) = may(tx, &who, Permission::SeeCases)? {
                return Ok(Err(why.into()));
            }
            let mut rows = tx.queue(state, from, PAGE + 1)?;
            let more = rows.len() > PAGE;
            rows.truncate(PAGE);
            let next = rows.last().filter(|_| more).map(|row| text(&row.place()));
            let lines = rows.iter().map(|row| line(&keys, row, now)).collect::<StoreResult<_>>()?;
            Ok(Ok(Queue { lines, total: tx.queue_length(state)?, next }))
        })
        .await
    }

    pub(super) async fn look_into(&self, who: &Staff, number: CaseNumber) -> OfficeResult<Whole> {
        let (keys, who, now) = (self.keys(), who.clone(), Now::get());
        // The log first: nobody sees what is not in it.
        self.write(move |tx| {
            if let Err(why) = may(tx, &who, Permission::SeeCases)? {
                return Ok(Err(why.into()));
            }
            if tx.case(number.get())?.is_none() {
                return Ok(Err(OfficeError::NotFound));
            }
            log(tx, now, &who.id, "see", Some(number), String::new()).map(Ok)
        })
        .await?;
        self.read(move |tx| {
            let Some(row) = tx.case(number.get())? else { return Ok(Err(OfficeError::NotFound)) };
            let line = self::line(&keys, &row, now)?;
            let reports = reports_of(tx, &keys, number)?;
            let mut recent = Recent::default();
            recent.count(&reports, now);
            let mut others = Vec::new();
            for row in tx.cases_about(&row.subject, PAGE + 1)? {
                if row.number == number.get() || others.len() == PAGE {
                    continue;
                }
                if row.day + 1 >= now.day() {
                    recent.count(&reports_of(tx, &keys, CaseNumber::new(row.number))?, now);
                }
                others.push(self::line(&keys, &row, now)?);
            }
            others.sort_by_key(|line| std::cmp::Reverse(line.case.opened_ms));
            let cluster = (recent.reports, recent.young.len() as u32);
            let reports = the_most_telling(reports);
            Ok(Ok(Whole { line, reports, others, cluster }))
        })
        .await
    }
}

/// Reports of the last hour.
#[derive(Default)]
struct Recent {
    reports: u32,
    young: HashSet<[u8; 16]>,
}

impl Recent {
    fn count(&mut self, reports: &[Report], now: Now) {
        let last_hour = reports.iter().filter(|report| now.ms < report.made_ms.saturating_add(HOUR_MS));
        for report in last_hour {
            self.reports += 1;
            if report.young {
                self.young.insert(report.reporter.0);
            }
        }
    }
}

fn line(keys: &CaseKeys, row: &CaseRow, now: Now) -> StoreResult<Line> {
    let case = keys.open_case(row)?;
    let state = case.state(now.ms);
    Ok(Line { case, state, doubtful: row.doubtful })
}

/// A case's reports, oldest first.
pub(super) fn reports_of(tx: &mut dyn Tx, keys: &CaseKeys, number: CaseNumber) -> StoreResult<Vec<Report>> {
    let rows = tx.reports_in(number.get())?;
    let mut reports = rows.iter().map(|row| keys.open_report(row)).collect::<StoreResult<Vec<_>>>()?;
    reports.sort_by_key(|report| report.made_ms);
    Ok(reports)
}

/// Those with the most that is proven, if there are too many for a page, so that no crowd hides a victim; still in the
/// order that they came.
fn the_most_telling(mut reports: Vec<Report>) -> Vec<Report> {
    reports.sort_by_key(|report| std::cmp::Reverse(report.counts().1));
    reports.truncate(SHOWN);
    reports.sort_by_key(|report| report.made_ms);
    reports
}

/// A place as it stands in a link.
fn text(place: &QueuePlace) -> String {
    let doubtful = u8::from(place.doubtful);
    format!("{}.{doubtful}.{}.{}", place.urgency, place.opened_hour, CaseNumber::new(place.number))
}

fn place(text: &str) -> Option<QueuePlace> {
    let mut parts = text.splitn(4, '.');
    let mut part = || parts.next();
    Some(QueuePlace {
        urgency: part()?.parse().ok()?,
        doubtful: part()? == "1",
        opened_hour: part()?.parse().ok()?,
        number: part()?.parse::<CaseNumber>().ok()?.get(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_as_it_was_written() {
        let written = QueuePlace { urgency: 2, doubtful: true, opened_hour: 500_000, number: 77 };
        let read = place(&text(&written)).expect("a place");
        assert!(read == written);
        for wrong in ["", "1", "1.0.5", "1.0.5.x", "a.0.5.00000-00001"] {
            assert!(place(wrong).is_none(), "{wrong}");
        }
    }
}
