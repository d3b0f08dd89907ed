//! What waits, and what was decided.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use zegel_cases::{CaseNumber, Permission, State as Standing, Subject};

use super::{case::handle, words};
use crate::{
    Desk, Line, Office, OfficeError,
    answer::{Frame, Trouble, page},
    form::Form,
    seat::{Seat, no_number},
    text::{Text, age, time},
};

/// A case in a table.
pub(super) struct Row {
    pub number: CaseNumber,
    pub state: &'static str,
    pub urgency: (&'static str, &'static str),
    pub age: String,
    pub opened: String,
    pub category: &'static str,
    /// `None` for a group.
    pub subject: Option<Text>,
    pub reports: u32,
    pub proven: u32,
    pub disclosed: u32,
    pub claimed: Option<Text>,
    pub measure: String,
    pub doubtful: bool,
    /// Whether a safety rule brought it.
    pub ruled: bool,
}

impl Row {
    pub(super) fn of(line: Line, now_ms: u64) -> Self {
        let Line { case, state, doubtful } = line;
        Self {
            number: case.number,
            state: words::state(state),
            urgency: words::urgency(case.category.urgency()),
            age: age(now_ms, case.opened_ms),
            opened: time(case.opened_ms),
            category: case.category.word(),
            claimed: case.claimed_by(now_ms).map(|by| Text(by.0.clone())),
            measure: words::standing(&case),
            subject: matches!(case.subject, Subject::Account(_)).then(|| handle(&case.handle)),
            reports: case.reports,
            proven: case.proven,
            disclosed: case.disclosed,
            doubtful,
            ruled: case.rule.is_some(),
        }
    }
}

#[derive(Template)]
#[template(path = "queue.html")]
struct QueuePage<'a> {
    frame: Frame<'a>,
    title: &'static str,
    empty: &'static str,
    path: &'static str,
    total: String,
    rows: Vec<Row>,
    /// Whether this is not the first part.
    later: bool,
    /// Of the next part.
    next: Option<String>,
}

/// One of the lists, as its tab shows it.
struct Tab {
    state: Standing,
    path: &'static str,
    title: &'static str,
    empty: &'static str,
}

/// What waits for a decision; an auditor has no cases and sees the log.
pub(crate) async fn open<O: Office>(
    desk: State<Arc<Desk<O>>>,
    query: RawQuery,
    seat: Seat,
) -> Result<Response, Trouble> {
    if !seat.staff.role.may(Permission::SeeCases) {
        return Ok(Redirect::to("/desk/log").into_response());
    }
    let tab = Tab { state: Standing::Open, path: "/desk", title: "Open cases", empty: "Nothing waits." };
    list(desk, query, seat, tab).await
}

/// What waits for somebody else's decision.
pub(crate) async fn appeals<O: Office>(
    desk: State<Arc<Desk<O>>>,
    query: RawQuery,
    seat: Seat,
) -> Result<Response, Trouble> {
    let tab =
        Tab { state: Standing::Appealed, path: "/desk/appeals", title: "Appeals", empty: "No appeal waits." };
    list(desk, query, seat, tab).await
}

/// What was decided and not appealed; the line says whether it still may be.
pub(crate) async fn decided<O: Office>(
    desk: State<Arc<Desk<O>>>,
    query: RawQuery,
    seat: Seat,
) -> Result<Response, Trouble> {
    let tab =
        Tab { state: Standing::Decided, path: "/desk/decided", title: "Decided cases", empty: "None yet." };
    list(desk, query, seat, tab).await
}

/// What is over.
pub(crate) async fn closed<O: Office>(
    desk: State<Arc<Desk<O>>>,
    query: RawQuery,
    seat: Seat,
) -> Result<Response, Trouble> {
    let tab =
        Tab { state: Standing::Closed, path: "/desk/closed", title: "Closed cases", empty: "None yet." };
    list(desk, query, seat, tab).await
}

async fn list<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    RawQuery(query): RawQuery,
    seat: Seat,
    tab: Tab,
) -> Result<Response, Trouble> {
    let query = Form::read(query.unwrap_or_default().as_bytes());
    let from = Some(query.get("from")).filter(|from| !from.is_empty());
    let queue = desk.office.queue(&seat.staff, tab.state, from).await.map_err(|error| match error {
        OfficeError::NotFound => {
            let what = "There is no such part of this list.";
            Trouble::new(StatusCode::NOT_FOUND, what, "Start again from the first part of the queue.")
        }
        other => other.into(),
    })?;
    let now_ms = desk.office.now_ms();
    let template = QueuePage {
        frame: Frame { domain: desk.office.domain(), seat: Some(&seat), here: tab.path },
        title: tab.title,
        empty: tab.empty,
        path: tab.path,
        total: words::count(queue.total, "case"),
        rows: queue.lines.into_iter().map(|line| Row::of(line, now_ms)).collect(),
        later: from.is_some(),
        next: queue.next,
    };
    Ok(page(StatusCode::OK, &template))
}

/// Leads to a case whose number somebody typed.
pub(crate) async fn by_number<O: Office>(
    State(_): State<Arc<Desk<O>>>,
    RawQuery(query): RawQuery,
    _: Seat,
) -> Result<Redirect, Trouble> {
    let query = Form::read(query.unwrap_or_default().as_bytes());
    let number: CaseNumber = query.get("number").parse().map_err(|error| no_number(&error))?;
    Ok(Redirect::to(&format!("/desk/case/{number}")))
}
