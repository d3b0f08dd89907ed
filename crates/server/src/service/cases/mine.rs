//! What people see of their own reports, and of what was decided about them.

use std::cmp::Reverse;

use zegel_cases::{CaseNumber, Finding, Measure, Report, State};
use zegel_proto::{AccountId, Message as _, v1};

use super::rows::CaseKeys;
use crate::{
    clock::Now,
    keys::KeyRing,
    service::{Service, Session, refusal::Refusal},
    store::{ReportRow, StoreResult, Tx, read},
};

/// The most reports or statements in one answer, the newest: a frame has a limit.
pub(in crate::service) const MOST: usize = 200;
/// And the most bytes that are opened for it: a few of the longest reports, and all of any others.
const MOST_BYTES: usize = 64 << 20;
/// What reading all of them counts as, in look-ups of accounts: each is opened.
pub(in crate::service) const WORK: u32 = 20;

impl Service {
    pub(in crate::service) async fn fetch_reports(&self, session: &Session) -> Result<v1::Reports, Refusal> {
        let (account, _) = session.member()?;
        self.limits.lookup(Some(account), session.peer, WORK)?;
        let keys = self.keys();
        let reports = read(&*self.store, move |tx| reports(tx, &CaseKeys::of(&keys), &account));
        Ok(v1::Reports { reports: reports.await? })
    }

    pub(in crate::service) async fn fetch_statements(
        &self,
        session: &Session,
    ) -> Result<v1::Statements, Refusal> {
        let (account, _) = session.member()?;
        self.limits.lookup(Some(account), session.peer, WORK)?;
        let keys = self.keys();
        let told = read(&*self.store, move |tx| statements(tx, &CaseKeys::of(&keys), &account));
        Ok(v1::Statements { statements: told.await?.into_iter().map(|(signed, _)| signed).collect() })
    }
}

/// How a report stands; none if its case is gone.
pub(super) fn report_state(
    tx: &mut dyn Tx,
    rows: &CaseKeys,
    row: &ReportRow,
    now: Now,
) -> StoreResult<Option<v1::ReportState>> {
    use v1::report_state::{Outcome, State as Stands};
    let Some(case) = tx.case(row.case)? else { return Ok(None) };
    let case = rows.open_case(&case)?;
    let (id, report) = rows.open_named_report(row)?;
    let state = match case.state(now.ms) {
        State::Open if case.claimed_by(now.ms).is_some() => Stands::InReview,
        State::Open => Stands::Received,
        State::Appealed | State::Decided | State::Closed => Stands::Decided,
    };
    let outcome = match case.standing().map(|decision| decision.measure) {
        None => Outcome::None,
        Some(Measure::Dismiss) => Outcome::NoAction,
        Some(_) => Outcome::Action,
    };
    let (messages, proven) = report.counts();
    Ok(Some(v1::ReportState {
        id: bytes::Bytes::copy_from_slice(&id),
        case_number: case.number.to_string(),
        category: v1::ReportCategory::from(report.category).into(),
        state: state.into(),
        outcome: outcome.into(),
        messages,
        proven,
        findings: findings(&report),
        reported_ms: report.made_ms,
    }))
}

/// Of each disclosed message why it is not proven.
fn findings(report: &Report) -> Vec<String> {
    let disclosed = report.run.iter().filter(|shown| shown.is_disclosed());
    disclosed
        .map(|shown| match &shown.finding {
            Finding::Unproven(why) => why.clone(),
            Finding::Proven | Finding::Withheld | Finding::Change => String::new(),
        })
        .collect()
}

/// The reports of an account, newest first.
fn reports(tx: &mut dyn Tx, rows: &CaseKeys, account: &AccountId) -> StoreResult<Vec<v1::ReportState>> {
    let (now, mut bytes) = (Now::get(), 0);
    let mut states = Vec::new();
    for (id, _) in tx.reports_by(&rows.person(account), MOST)? {
        if bytes > MOST_BYTES {
            break;
        }
        let Some(row) = tx.report(&id)? else { continue };
        bytes += row.sealed.len();
        states.extend(report_state(tx, rows, &row, now)?);
    }
    states.sort_by_key(|state| Reverse(state.reported_ms));
    Ok(states)
}

/// What an account was told, newest first.
fn statements(
    tx: &mut dyn Tx,
    rows: &CaseKeys,
    account: &AccountId,
) -> StoreResult<Vec<(v1::SignedStatement, v1::Statement)>> {
    let mut told = Vec::new();
    for sealed in tx.statements_for(&rows.person(account))? {
        let signed = rows.open_statement(account, &sealed)?;
        let statement = v1::Statement::decode(&signed.body[..]).unwrap_or_default();
        told.push((signed, statement));
    }
    told.sort_by_key(|(_, statement)| Reverse(statement.made_ms));
    told.truncate(MOST);
    Ok(told)
}

/// What is held of an account's reports and of what it was told: the newest.
pub(in crate::service) fn held(
    tx: &mut dyn Tx,
    keys: &KeyRing,
    account: &AccountId,
) -> StoreResult<serde_json::Value> {
    let rows = CaseKeys::of(keys);
    let (mut reports, mut bytes) = (Vec::new(), 0);
    for (id, case) in tx.reports_by(&rows.person(account), MOST)? {
        if bytes > MOST_BYTES {
            break;
        }
        let Some(row) = tx.report(&id)? else { continue };
        bytes += row.sealed.len();
        let report = rows.open_report(&row)?;
        reports.push(serde_json::json!({
            "case": CaseNumber::new(case).to_string(),
            "category": report.category.word(),
            "made_ms": report.made_ms,
            "note": report.note,
            "messages": report.counts().0,
        }));
    }
    let told = statements(tx, &rows, account)?;
    let statements = told.iter().map(|(_, statement)| {
        serde_json::json!({
            "case": statement.case_number,
            "kind": statement.kind().as_str_name(),
            "made_ms": statement.made_ms,
            "text": statement.text,
        })
    });
    Ok(serde_json::json!({ "reports": reports, "statements": statements.collect::<Vec<_>>() }))
}
