//! Pages as answers, and what is shown when something cannot be done.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Request, State},
    http::{StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use zegel_cases::{CaseNumber, Permission, WhyNot};

use crate::{
    Desk, Office, OfficeError,
    seat::{Seat, Slot},
    text::Text,
};

/// What surrounds every page.
pub(crate) struct Frame<'a> {
    /// The service's domain; empty where it is not known.
    pub domain: &'a str,
    /// Who is signed in.
    pub seat: Option<&'a Seat>,
    /// Which page of the menu this is.
    pub here: &'static str,
}

impl Frame<'_> {
    pub(crate) fn may_see_cases(&self) -> bool {
        self.seat.is_some_and(|seat| seat.staff.role.may(Permission::SeeCases))
    }

    pub(crate) fn may_see_log(&self) -> bool {
        self.seat.is_some_and(|seat| seat.staff.role.may(Permission::SeeLog))
    }
}

/// A page.
pub(crate) fn page(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => (status, [(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(error) => {
            tracing::error!(%error, "while making a page of the desk");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

/// A file to keep. `name` is ours, never anybody's text.
pub(crate) fn download(name: &str, kind: &'static str, bytes: Vec<u8>) -> Response {
    let keep = format!("attachment; filename=\"{name}\"");
    ([(header::CONTENT_TYPE, kind.to_owned()), (header::CONTENT_DISPOSITION, keep)], bytes).into_response()
}

/// Says what was not done, and what to do now.
#[derive(Clone, Debug)]
pub(crate) struct Trouble {
    /// Of the answer.
    pub status: StatusCode,
    /// What happened.
    pub what: String,
    /// What to do now.
    pub next: String,
    /// Where the page leads.
    back: Option<CaseNumber>,
}

#[derive(Template)]
#[template(path = "trouble.html")]
struct TroublePage<'a> {
    frame: Frame<'a>,
    title: &'static str,
    what: Text,
    next: &'a str,
    back: Option<CaseNumber>,
}

impl Trouble {
    pub(crate) fn new(status: StatusCode, what: impl Into<String>, next: impl Into<String>) -> Self {
        Self { status, what: what.into(), next: next.into(), back: None }
    }

    /// Leads back to a case.
    pub(crate) fn at(self, number: CaseNumber) -> Self {
        Self { back: Some(number), ..self }
    }
}

impl From<OfficeError> for Trouble {
    fn from(error: OfficeError) -> Self {
        let (status, next) = match &error {
            OfficeError::WhyNot(WhyNot::Role) => {
                (StatusCode::FORBIDDEN, "If it should be your work, ask the operator for another role.")
            }
            OfficeError::WhyNot(WhyNot::Days | WhyNot::Words(_) | WhyNot::Person | WhyNot::Harsher) => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "Nothing was changed. Go back and change what you filled in.",
            ),
            OfficeError::WhyNot(_) => {
                (StatusCode::CONFLICT, "Nothing was changed. Look at the case as it stands now.")
            }
            OfficeError::NotFound => {
                (StatusCode::NOT_FOUND, "Check its number; cases are deleted when their time is over.")
            }
            OfficeError::Filing(_) => (StatusCode::BAD_GATEWAY, "The case is as it was; you can try again."),
            OfficeError::Store => (
                StatusCode::SERVICE_UNAVAILABLE,
                "Load the page again in a minute; if it stays so, tell the operator.",
            ),
        };
        Self::new(status, sentence(&error.to_string()), next)
    }
}

/// An error's text as a sentence of a page.
fn sentence(text: &str) -> String {
    let mut letters = text.trim_end_matches('.').chars();
    letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).chain(['.']).collect()
}

/// Around the handlers: whoever is signed in keeps the menu also where something went wrong.
pub(crate) async fn framed<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    mut request: Request,
    next: Next,
) -> Response {
    let slot = Slot::default();
    request.extensions_mut().insert(slot.clone());
    let mut response = next.run(request).await;
    match (response.extensions_mut().remove::<Trouble>(), slot.0.get()) {
        (Some(trouble), Some(seat)) => {
            trouble.page(Frame { domain: desk.office.domain(), seat: Some(seat), here: "" })
        }
        _ => response,
    }
}

impl IntoResponse for Trouble {
    fn into_response(self) -> Response {
        let mut response = self.page(Frame { domain: "", seat: None, here: "" });
        response.extensions_mut().insert(self);
        response
    }
}

impl Trouble {
    fn page(&self, frame: Frame<'_>) -> Response {
        let title = match self.status {
            StatusCode::FORBIDDEN => "Not allowed",
            StatusCode::NOT_FOUND => "Not found",
            StatusCode::CONFLICT => "Not possible now",
            StatusCode::BAD_GATEWAY => "Not filed",
            StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS => "Try again later",
            _ => "This could not be read",
        };
        let (what, next) = (Text(self.what.clone()), self.next.as_str());
        page(self.status, &TroublePage { frame, title, what, next, back: self.back })
    }
}
