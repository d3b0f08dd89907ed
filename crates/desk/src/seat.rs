//! Who sends a request: asked of the service every time, so that whoever was removed is out at once.

use std::sync::{Arc, OnceLock};

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
    response::{IntoResponse as _, Redirect, Response},
};
use subtle::ConstantTimeEq as _;
use zegel_cases::{CaseNumber, Staff};

use crate::{Desk, Office, answer::Trouble, back::Back, form::Form};

/// A person who is signed in.
#[derive(Clone)]
pub(crate) struct Seat {
    /// Who, with the role that they have now.
    pub staff: Staff,
    /// What their forms carry.
    pub csrf: String,
}

/// Where a request's person is noted, for pages that are made after its handler.
#[derive(Clone, Default)]
pub(crate) struct Slot(pub Arc<OnceLock<Seat>>);

/// The page to sign in, for somebody who was in before or not, and who wanted to be somewhere.
fn door(was_in: bool, back: Option<Back>) -> String {
    let out = was_in.then(|| "out=yes".to_owned());
    let next = back.map(|back| format!("next={}", back.path()));
    let query: Vec<_> = out.into_iter().chain(next).collect();
    if query.is_empty() { "/desk/sign-in".into() } else { format!("/desk/sign-in?{}", query.join("&")) }
}

/// A form of a person who is signed in, sent from a page that they were shown.
pub(crate) struct Posted {
    /// Who.
    pub seat: Seat,
    /// What they filled in.
    pub form: Form,
}

impl<O: Office> FromRequestParts<Arc<Desk<O>>> for Seat {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, desk: &Arc<Desk<O>>) -> Result<Self, Response> {
        let token = token(&parts.headers, desk.cookie()).filter(|token| !token.is_empty());
        let was_in = token.is_some();
        let sign_in = || Redirect::to(&door(was_in, Back::of(parts.uri.path()))).into_response();
        let found = token.and_then(|token| desk.sessions().find(&token, desk.office.now_ms()));
        let (id, csrf) = found.ok_or_else(sign_in)?;
        let member = desk.office.member(&id).await.map_err(|error| Trouble::from(error).into_response())?;
        match member {
            Some(member) => {
                let seat = Self { staff: member.staff, csrf };
                if let Some(slot) = parts.extensions.get::<Slot>() {
                    slot.0.set(seat.clone()).ok();
                }
                Ok(seat)
            }
            None => {
                desk.sessions().end_all(&id);
                Err(sign_in())
            }
        }
    }
}

impl<O: Office> FromRequest<Arc<Desk<O>>> for Posted {
    type Rejection = Response;

    async fn from_request(request: Request, desk: &Arc<Desk<O>>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let seat = Seat::from_request_parts(&mut parts, desk).await?;
        let bytes = body_of(Request::from_parts(parts, body)).await.map_err(Trouble::into_response)?;
        let form = Form::read(&bytes);
        if !bool::from(form.get("csrf").as_bytes().ct_eq(seat.csrf.as_bytes())) {
            let what = "This form is not of your present session, so nothing was done.";
            let next = "Go back, load the page again and send the form once more.";
            return Err(Trouble::new(StatusCode::FORBIDDEN, what, next).into_response());
        }
        Ok(Self { seat, form })
    }
}

/// A case's number in a path.
pub(crate) struct Numbered(pub CaseNumber);

impl<S: Send + Sync> FromRequestParts<S> for Numbered {
    type Rejection = Trouble;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Trouble> {
        let values = Path::<Vec<(String, String)>>::from_request_parts(parts, state).await;
        let values = values.map(|Path(values)| values).unwrap_or_default();
        let number = values.iter().find(|(name, _)| name == "number").map_or("", |(_, value)| value.as_str());
        number.parse().map(Self).map_err(|error| no_number(&error))
    }
}

/// A text that is no case's number.
pub(crate) fn no_number(error: &impl ToString) -> Trouble {
    Trouble::new(StatusCode::NOT_FOUND, error.to_string(), "Check the number, or find the case in the queue.")
}

/// The body, unless it is larger than anything that our pages send.
pub(crate) async fn body_of(request: Request) -> Result<Bytes, Trouble> {
    Bytes::from_request(request, &()).await.map_err(|_| {
        Trouble::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "This was too long, or broke off.",
            "Go back and send less.",
        )
    })
}

/// The session's token in a request.
pub(crate) fn token(headers: &HeaderMap, cookie: &str) -> Option<String> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs = lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.filter(|(name, _)| *name == cookie).map(|(_, value)| value.to_owned()).next()
}
