//! Seeing: the queue, and a case with all that is in it.

use std::{
    cmp::Reverse,
    collections::{BTreeSet, HashMap, HashSet},
};

use zegel_cases::{Case, CaseNumber, Finding, Language, Permission, Report, Staff, State, Subject, ncmec};
use zegel_desk::{Line, OfficeError, OfficeResult, Queue, Whole};
use zegel_proto::AccountId;

use super::{CaseKeys, Desk, Head, log, may};
use crate::{
    clock::Now,
    store::{CaseRow, QueuePlace, StoreResult, Tx},
};

/// Cases on a page of the queue, and earlier cases beside a case.
const PAGE: usize = 50;
/// Reports on a page of a case: each may be long.
const SHOWN: usize = 25;
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

    pub(super) async fn look_into(&self, who: &Staff, number: CaseNumber, page: u32) -> OfficeResult<Whole> {
        let (keys, who, now) = (self.keys(), who.clone(), Now::get());
        let files = self.service.config.desk.filing.is_some();
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
            let ranked = ranked(tx, &keys, number)?;
            let mut recent = Recent::default();
            recent.count(&ranked, now);
            let mut others = Vec::new();
            for row in tx.cases_about(&row.subject, PAGE + 1)? {
                if row.number == number.get() || others.len() == PAGE {
                    continue;
                }
                if row.day + 1 >= now.day() {
                    recent.count(&self::ranked(tx, &keys, CaseNumber::new(row.number))?, now);
                }
                others.push(self::line(&keys, &row, now)?);
            }
            let cluster = (recent.reports, recent.young.len() as u32);
            let pages = ranked.len().div_ceil(SHOWN).max(1) as u32;
            let page = page.clamp(1, pages);
            let shown = ranked.iter().skip((page as usize - 1) * SHOWN).take(SHOWN);
            let mut reports = Vec::new();
            for chosen in shown {
                reports.extend(open(tx, &keys, chosen)?.map(to_look_at));
            }
            reports.sort_by_key(|report| report.made_ms);
            if matches!(line.case.subject, Subject::Room(_)) {
                for sender in senders(&reports) {
                    let about = keys.subject(&Subject::Account(sender));
                    for row in tx.cases_about(&about, PAGE.saturating_sub(others.len()))? {
                        others.push(self::line(&keys, &row, now)?);
                    }
                }
            }
            others.sort_by_key(|line| Reverse(line.case.opened_ms));
            let language = language(tx, &line.case)?;
            let filing = files && ncmec::takes(&line.case);
            Ok(Ok(Whole { line, reports, page, pages, others, cluster, language, filing }))
        })
        .await
    }
}

/// Who is proven to have sent something in these.
fn senders(reports: &[Report]) -> BTreeSet<AccountId> {
    let shown = reports.iter().flat_map(|report| &report.run);
    let proven = shown.filter(|shown| shown.finding == Finding::Proven);
    proven.filter_map(|shown| AccountId::from_slice(&hex::decode(&shown.sender).ok()?).ok()).collect()
}

/// What the person of a case is told in.
fn language(tx: &mut dyn Tx, case: &Case) -> StoreResult<Option<Language>> {
    let person = match (&case.subject, &case.decision) {
        (_, Some(first)) => &first.against,
        (Subject::Account(account), None) => account,
        (Subject::Room(_), None) => return Ok(None),
    };
    Ok(tx.account(person)?.map(|account| Language::of(&account.language)))
}

/// Reports of the last hour.
#[derive(Default)]
struct Recent {
    reports: u32,
    young: HashSet<[u8; 16]>,
}

impl Recent {
    fn count(&mut self, reports: &[Ranked], now: Now) {
        let heads = reports.iter().map(|report| &report.head);
        for head in heads.filter(|head| now.ms < head.made_ms.saturating_add(HOUR_MS)) {
            self.reports += 1;
            if head.young {
                self.young.insert(head.reporter.0);
            }
        }
    }
}

fn line(keys: &CaseKeys, row: &CaseRow, now: Now) -> StoreResult<Line> {
    let case = keys.open_case(row)?;
    let state = case.state(now.ms);
    Ok(Line { case, state, doubtful: row.doubtful })
}

/// A report of a case, not opened yet.
pub(super) struct Ranked {
    pub(super) id: [u8; 32],
    /// How long the report is as it is kept, in bytes.
    pub(super) len: u64,
    pub(super) head: Head,
}

/// A case's reports, the most telling first, so that no crowd hides a victim: before all those that prove something
/// against whom the case is about, and among them, as among the others, one of each reporter before anybody's second.
pub(super) fn ranked(tx: &mut dyn Tx, keys: &CaseKeys, number: CaseNumber) -> StoreResult<Vec<Ranked>> {
    let mut reports = Vec::new();
    for row in tx.reports_in(number.get())? {
        reports.push(Ranked { id: row.id, len: row.len, head: keys.open_head(&row)? });
    }
    Ok(in_order(reports))
}

fn in_order(mut ranked: Vec<Ranked>) -> Vec<Ranked> {
    ranked.sort_by_key(|Ranked { head, .. }| (Reverse(head.against), head.made_ms));
    let mut before = HashMap::new();
    let mut turn = |reporter| {
        let turn: &mut u32 = before.entry(reporter).or_default();
        *turn += 1;
        *turn
    };
    let mut placed: Vec<_> = ranked
        .into_iter()
        .map(|report| (report.head.against == 0, turn(report.head.reporter), report))
        .collect();
    placed.sort_by_key(|(bare, turn, _)| (*bare, *turn));
    placed.into_iter().map(|(_, _, report)| report).collect()
}

/// `None` if the sweep was faster.
pub(super) fn open(tx: &mut dyn Tx, keys: &CaseKeys, chosen: &Ranked) -> StoreResult<Option<Report>> {
    tx.report(&chosen.id)?.map(|row| keys.open_report(&row)).transpose()
}

/// Without what no page shows.
fn to_look_at(mut report: Report) -> Report {
    for shown in &mut report.run {
        (shown.content, shown.context, shown.stamp) = Default::default();
    }
    report
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

    fn report(reporter: u8, made_ms: u64, against: u32) -> Ranked {
        let head = Head { reporter: AccountId([reporter; 16]), made_ms, against, young: false };
        Ranked { id: [0; 32], len: 0, head }
    }

    #[test]
    fn no_crowd_and_no_loud_accomplice_comes_before_a_victim() {
        // The crowd proves nothing; one accomplice proves much, often; the victim one thing, late.
        let crowd = (0..50).map(|n| report(n, n.into(), 0));
        let accomplice = (100..140).map(|made_ms| report(200, made_ms, 30));
        let reports = crowd.chain(accomplice).chain([report(7, 999, 1)]).collect();
        let order: Vec<_> = in_order(reports)
            .into_iter()
            .map(|report| (report.head.reporter.0[0], report.head.made_ms))
            .collect();
        assert_eq!(order[..3], [(200, 100), (7, 999), (200, 101)]);
        assert_eq!(order[40], (200, 139));
        assert_eq!(order[41..43], [(0, 0), (1, 1)]);
    }

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
