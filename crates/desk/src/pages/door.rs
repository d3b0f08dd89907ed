//! Coming in, going out, and paths that lead nowhere.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, RawQuery, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Redirect, Response},
};

use crate::{
    Desk, Office,
    answer::{Frame, Trouble, page},
    back::Back,
    form::Form,
    guard,
    office::role_line,
    seat::{Posted, Seat, token},
    text::Text,
};

#[derive(Template)]
#[template(path = "sign-in.html")]
struct SignInPage<'a> {
    frame: Frame<'a>,
    /// Whether they just made their passkey.
    joined: bool,
    /// Whether they had a session, which ended.
    out: bool,
    /// Where they go then.
    next: Option<String>,
    origin: &'a str,
    /// Whether the page was opened at another address than the one that passkeys are for.
    elsewhere: bool,
}

#[derive(Template)]
#[template(path = "join.html")]
struct JoinPage<'a> {
    frame: Frame<'a>,
    name: Text,
    role: &'static str,
    what: &'static str,
    code: &'a str,
    origin: &'a str,
    elsewhere: bool,
}

/// Asks for a passkey, or leads on whoever is signed in.
pub(crate) async fn sign_in<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    seat: Result<Seat, Response>,
) -> Response {
    if seat.is_ok() {
        return Redirect::to(&then(query.as_deref())).into_response();
    }
    let form = Form::read(query.as_deref().unwrap_or_default().as_bytes());
    let template = SignInPage {
        frame: Frame { domain: desk.office.domain(), seat: None, here: "" },
        joined: query.as_deref() == Some("joined"),
        out: form.get("out") == "yes",
        next: Back::of(form.get("next")).map(Back::path),
        origin: desk.origin.as_str(),
        elsewhere: elsewhere(&headers, &desk),
    };
    guard::with_script(page(StatusCode::OK, &template))
}

/// Where somebody who is in now goes: to the page of the desk that a query names, or to the first one.
pub(crate) fn then(query: Option<&str>) -> String {
    let form = Form::read(query.unwrap_or_default().as_bytes());
    Back::of(form.get("next")).map_or_else(|| "/desk".into(), Back::path)
}

/// What a one-time link shows.
pub(crate) async fn join<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    code: Result<Path<String>, PathRejection>,
    headers: HeaderMap,
) -> Result<Response, Trouble> {
    let Ok(Path(code)) = code else { return Err(no_invitation()) };
    let staff = desk.office.invited(&code).await?.ok_or_else(no_invitation)?;
    let template = JoinPage {
        frame: Frame { domain: desk.office.domain(), seat: None, here: "" },
        name: Text(staff.id.0),
        role: staff.role.word(),
        what: role_line(staff.role),
        code: &code,
        origin: desk.origin.as_str(),
        elsewhere: elsewhere(&headers, &desk),
    };
    Ok(guard::with_script(page(StatusCode::OK, &template)))
}

/// For a link that is good no more, and for one that never was.
pub(crate) fn no_invitation() -> Trouble {
    let what = "This invitation is not known, was used, or is over.";
    Trouble::new(StatusCode::NOT_FOUND, what, "Ask the operator for another; one is good for a day, once.")
}

/// Ends the session.
pub(crate) async fn sign_out<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    headers: HeaderMap,
    posted: Posted,
) -> Result<Response, Trouble> {
    if let Some(token) = token(&headers, desk.cookie()) {
        desk.sessions().end(&token);
    }
    desk.office.signed_out(&posted.seat.staff.id).await?;
    Ok(([(header::SET_COOKIE, cookie(&desk, "", "; Max-Age=0"))], Redirect::to("/desk/sign-in"))
        .into_response())
}

/// Sets the session's cookie.
pub(crate) fn cookie<O>(desk: &Desk<O>, token: &str, more: &str) -> String {
    let place = if desk.origin.is_https() { "Path=/; Secure" } else { "Path=/desk" };
    format!("{}={token}; {place}; HttpOnly; SameSite=Strict{more}", desk.cookie())
}

/// A path that is no page.
pub(crate) async fn nowhere() -> Trouble {
    Trouble::new(StatusCode::NOT_FOUND, "There is no such page.", "Go on from the queue.")
}

/// The same, with the menu for whoever is signed in.
pub(crate) async fn lost<O: Office>(State(_): State<Arc<Desk<O>>>, _: Result<Seat, Response>) -> Trouble {
    nowhere().await
}

/// A page that is asked for in a way that it does not know.
pub(crate) async fn not_so<O: Office>(State(_): State<Arc<Desk<O>>>, _: Result<Seat, Response>) -> Trouble {
    let what = "This page cannot be opened like that.";
    Trouble::new(StatusCode::METHOD_NOT_ALLOWED, what, "Go on from the queue.")
}

/// A proxy may have changed the header, so this only ever leads to a hint.
fn elsewhere<O>(headers: &HeaderMap, desk: &Desk<O>) -> bool {
    let host = headers.get(header::HOST).map(|host| host.as_bytes());
    host.is_some_and(|host| !host.eq_ignore_ascii_case(desk.origin.authority().as_bytes()))
}
