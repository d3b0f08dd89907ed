//! What is done with a case by one button.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State, rejection::PathRejection},
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use zegel_cases::{Act, CaseNumber, Permission};

use super::door;
use crate::{
    Desk, Office,
    answer::{Frame, Trouble, download, page},
    seat::{Numbered, Posted},
    text::Text,
};

#[derive(Template)]
#[template(path = "filed.html")]
struct FiledPage<'a> {
    frame: Frame<'a>,
    number: CaseNumber,
    receipt: Text,
}

/// Claims a case, releases it, asks for its evidence or allows that.
pub(crate) async fn act<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    Numbered(number): Numbered,
    path: Result<Path<(String, String)>, PathRejection>,
    posted: Posted,
) -> Result<Response, Trouble> {
    let word = path.map(|Path((_, word))| word).unwrap_or_default();
    let known = [Act::Claim, Act::Release, Act::AskExport, Act::AllowExport];
    let Some(act) = known.into_iter().find(|act| act.word() == word) else {
        return Ok(door::nowhere().await.into_response());
    };
    let done = desk.office.act(&posted.seat.staff, number, act).await;
    done.map_err(|error| Trouble::from(error).at(number))?;
    Ok(Redirect::to(&format!("/desk/case/{number}")).into_response())
}

/// The evidence, to keep.
pub(crate) async fn evidence<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    Numbered(number): Numbered,
    posted: Posted,
) -> Result<Response, Trouble> {
    let archive = desk.office.evidence(&posted.seat.staff, number).await;
    let archive = archive.map_err(|error| Trouble::from(error).at(number))?;
    Ok(download(&format!("zegel-case-{number}.zip"), "application/zip", archive))
}

/// Files the case with the authority.
pub(crate) async fn file<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    Numbered(number): Numbered,
    posted: Posted,
) -> Result<Response, Trouble> {
    // Whoever may not file at all is refused by the office, which notes it.
    let may = posted.seat.staff.role.may(Permission::AskExport);
    if may && posted.form.get("looked").is_empty() {
        let what = "Nobody files what they have not looked at.";
        let next = "Nothing was filed. Look at the evidence, say so at the button, and file it then.";
        return Err(Trouble::new(StatusCode::UNPROCESSABLE_ENTITY, what, next).at(number));
    }
    let receipt = desk.office.file(&posted.seat.staff, number).await;
    let receipt = Text(receipt.map_err(|error| Trouble::from(error).at(number))?);
    let frame = Frame { domain: desk.office.domain(), seat: Some(&posted.seat), here: "" };
    Ok(page(StatusCode::OK, &FiledPage { frame, number, receipt }))
}
