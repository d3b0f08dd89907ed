//! The two ceremonies: a passkey is made with an invitation, and used to sign in. Whoever signs in names nobody: the
//! passkey says whose it is, so there is no name to try.

use std::sync::Arc;

use axum::{
    body::Bytes,
    extract::{Path, RawQuery, Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use rand::RngCore as _;
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use webauthn_rs::prelude::{
    DiscoverableAuthentication, Passkey, PasskeyRegistration, PublicKeyCredential,
    RegisterPublicKeyCredential, Uuid,
};

use super::door;
use crate::{Desk, Member, Office, OfficeError, answer::Trouble, locked, seat::body_of};

/// Someone with an invitation is about to make a passkey.
pub(crate) struct Joining {
    code: String,
    handle: [u8; 16],
    state: PasskeyRegistration,
}

/// Somebody is about to use one.
pub(crate) struct Entering(DiscoverableAuthentication);

/// What a browser sends when its part is done.
#[derive(Deserialize)]
struct Done<T> {
    attempt: String,
    credential: T,
}

/// Why there was no passkey, as the script shows it.
pub(crate) struct Failed(Trouble);

impl From<Trouble> for Failed {
    fn from(trouble: Trouble) -> Self {
        Self(trouble)
    }
}

impl From<OfficeError> for Failed {
    fn from(error: OfficeError) -> Self {
        Self(error.into())
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let Self(trouble) = self;
        json_answer(trouble.status, &json!({ "error": format!("{} {}", trouble.what, trouble.next) }))
    }
}

/// Begins to make a passkey.
pub(crate) async fn start_joining<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    Path(code): Path<String>,
) -> Result<Response, Failed> {
    let staff = desk.office.invited(&code).await?.ok_or_else(door::no_invitation)?;
    let mut handle = [0; 16];
    rand::rng().fill_bytes(&mut handle);
    let (name, id) = (&staff.id.0, Uuid::from_bytes(handle));
    let started = desk.origin.webauthn.start_passkey_registration(id, name, name, None);
    let (options, state) = started.map_err(|error| refused("made", &error))?;
    let mut options = json!(options);
    // The passkey must know whose it is: nobody types a name to sign in.
    options["publicKey"]["authenticatorSelection"]["residentKey"] = json!("required");
    options["publicKey"]["authenticatorSelection"]["requireResidentKey"] = json!(true);
    let attempt = locked(&desk.joining).put(Joining { code, handle, state }, desk.office.now_ms());
    Ok(json_answer(StatusCode::OK, &json!({ "attempt": attempt, "options": options })))
}

/// The passkey was made.
pub(crate) async fn join<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    Path(code): Path<String>,
    request: Request,
) -> Result<Response, Failed> {
    let done: Done<RegisterPublicKeyCredential> = read(&body_of(request).await?)?;
    let joining = locked(&desk.joining).take(&done.attempt, desk.office.now_ms());
    let joining = joining.filter(|joining| joining.code == code).ok_or_else(too_late)?;
    let passkey = desk.origin.webauthn.finish_passkey_registration(&done.credential, &joining.state);
    let passkey = passkey.map_err(|error| refused("made", &error))?;
    if !desk.office.enrol(&code, joining.handle, json!(passkey).to_string()).await? {
        return Err(door::no_invitation().into());
    }
    Ok(json_answer(StatusCode::OK, &json!({ "go": "/desk/sign-in?joined" })))
}

/// Begins to sign in.
pub(crate) async fn start_entering<O: Office>(State(desk): State<Arc<Desk<O>>>) -> Result<Response, Failed> {
    let started = desk.origin.webauthn.start_discoverable_authentication();
    let (mut options, state) = started.map_err(|error| refused("used", &error))?;
    // A person presses a button; nothing is offered before.
    options.mediation = None;
    let attempt = locked(&desk.entering).put(Entering(state), desk.office.now_ms());
    Ok(json_answer(StatusCode::OK, &json!({ "attempt": attempt, "options": options })))
}

/// The passkey was used. Whatever is wrong with it, and with whose it is, the answer is one and the same.
pub(crate) async fn enter<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Result<Response, Failed> {
    let done: Done<PublicKeyCredential> = read(&body_of(request).await?)?;
    let now_ms = desk.office.now_ms();
    let Entering(state) = locked(&desk.entering).take(&done.attempt, now_ms).ok_or_else(too_late)?;
    let handle = done.credential.get_user_unique_id().and_then(|handle| handle.try_into().ok());
    let member = match handle {
        Some(handle) => desk.office.member_by_handle(&handle).await?,
        None => None,
    };
    let (member, passkeys) = member
        .and_then(|member| verified(&desk, member, &done.credential, state))
        .ok_or_else(|| refused("used", &"it is not of anybody at the desk, or did not sign"))?;
    desk.office.signed_in(&member.staff.id, passkeys).await?;
    let token = desk.sessions().start(member.staff.id, now_ms);
    let cookie = [(header::SET_COOKIE, door::cookie(&desk, &token, ""))];
    Ok((cookie, json_answer(StatusCode::OK, &json!({ "go": door::then(query.as_deref()) }))).into_response())
}

/// Whether one of this person's passkeys signed; all of them then, as they are to be kept.
fn verified<O>(
    desk: &Desk<O>,
    member: Member,
    credential: &PublicKeyCredential,
    state: DiscoverableAuthentication,
) -> Option<(Member, Vec<String>)> {
    let keys = member.passkeys.iter().map(|key| serde_json::from_str(key));
    let keys: Result<Vec<Passkey>, _> = keys.collect();
    let mut keys =
        keys.inspect_err(|error| tracing::error!(%error, "while reading a passkey of the desk")).ok()?;
    let id = credential.get_credential_id();
    let key = keys.iter_mut().find(|key| key.cred_id().as_slice() == id)?;
    let used = desk.origin.webauthn.finish_discoverable_authentication_v2(credential, state, &*key);
    let used = used.inspect_err(|error| tracing::info!(%error, "a passkey of the desk was refused")).ok()?;
    key.update_credential(&used);
    used.user_verified().then(|| (member, keys.iter().map(|key| json!(key).to_string()).collect()))
}

fn read<T: DeserializeOwned>(bytes: &Bytes) -> Result<T, Failed> {
    serde_json::from_slice(bytes).map_err(|_| {
        let what = "What the browser sent could not be read.";
        Trouble::new(StatusCode::BAD_REQUEST, what, "Load the page again and try once more.").into()
    })
}

fn too_late() -> Trouble {
    let what = "This took longer than five minutes, or was done already.";
    Trouble::new(StatusCode::CONFLICT, what, "Load the page again and try once more.")
}

fn refused(done: &str, why: &dyn std::fmt::Display) -> Failed {
    tracing::info!(%why, "a passkey could not be {done}");
    let what = "This passkey was not accepted.";
    let next =
        "Choose the one that you made for this desk; if you have none, ask the operator for an invitation.";
    Trouble::new(StatusCode::FORBIDDEN, what, next).into()
}

fn json_answer(status: StatusCode, value: &Value) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], value.to_string()).into_response()
}
