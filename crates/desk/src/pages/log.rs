//! Every act at the desk, for auditors.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, http::StatusCode, response::Response};
use zegel_cases::{CaseNumber, LogHead};

use super::words;
use crate::{
    Desk, Office,
    answer::{Frame, Trouble, download, page},
    seat::{Posted, Seat},
    text::{Text, time},
};

struct Entry {
    seq: u64,
    time: String,
    who: Text,
    act: Text,
    case: Option<CaseNumber>,
    detail: Text,
}

#[derive(Template)]
#[template(path = "log.html")]
struct LogPage<'a> {
    frame: Frame<'a>,
    csrf: &'a str,
    entries: Vec<Entry>,
    total: String,
    hash: String,
}

#[derive(Template)]
#[template(path = "verified.html")]
struct VerifiedPage<'a> {
    frame: Frame<'a>,
    /// How many lines are whole, and the hash of the last; or where it is broken.
    found: Result<(String, String), Text>,
}

/// The newest lines.
pub(crate) async fn log<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    seat: Seat,
) -> Result<Response, Trouble> {
    let (entries, LogHead { seq, hash }) = desk.office.log(&seat.staff).await?;
    let entries = entries.into_iter().map(|entry| Entry {
        seq: entry.seq,
        time: time(entry.at_ms),
        who: Text(entry.who.0),
        act: Text(entry.act),
        case: entry.case,
        detail: Text(entry.detail),
    });
    let template = LogPage {
        frame: Frame { domain: desk.office.domain(), seat: Some(&seat), here: "/desk/log" },
        csrf: &seat.csrf,
        entries: entries.collect(),
        total: words::count(seq, "line"),
        hash: hex::encode(hash),
    };
    Ok(page(StatusCode::OK, &template))
}

/// Reads the whole log and says whether it is as it was written.
pub(crate) async fn verify<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    Posted { seat, .. }: Posted,
) -> Result<Response, Trouble> {
    let found = desk.office.log_verified(&seat.staff).await?;
    let found = found.map(|head| (words::count(head.seq, "line"), hex::encode(head.hash)));
    let frame = Frame { domain: desk.office.domain(), seat: Some(&seat), here: "/desk/log" };
    let status = if found.is_ok() { StatusCode::OK } else { StatusCode::CONFLICT };
    Ok(page(status, &VerifiedPage { frame, found: found.map_err(Text) }))
}

/// The whole log, to keep.
pub(crate) async fn export<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    Posted { seat, .. }: Posted,
) -> Result<Response, Trouble> {
    match desk.office.log_export(&seat.staff).await? {
        Ok(lines) => Ok(download("zegel-desk-log.jsonl", "application/jsonl", lines.into_bytes())),
        Err(broken) => {
            let frame = Frame { domain: desk.office.domain(), seat: Some(&seat), here: "/desk/log" };
            Ok(page(StatusCode::CONFLICT, &VerifiedPage { frame, found: Err(Text(broken)) }))
        }
    }
}
