//! The desk: where people deal with what was reported. Server-rendered pages under `/desk`, signed into with passkeys;
//! the only script is the one that passkeys need.
//!
//! *Invariant:* nothing here decides what may be done; [`zegel_cases::Case`] does. Every page that shows or changes
//! a case goes through [`Office`], which logs it. What people wrote is shown as text, never as markup.

mod answer;
mod back;
mod form;
mod guard;
mod office;
mod origin;
mod pages;
mod pending;
mod seat;
mod session;
mod text;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::header,
    middleware,
    response::{IntoResponse, Redirect},
    routing::{get, post},
};

pub use guard::{is_knock, too_often};
pub use office::{Line, Member, Office, OfficeError, OfficeResult, Queue, Whole, role_line};
pub use origin::{Origin, OriginError};
use pages::{acts, case, decide, door, log, passkey, queue};
use pending::Pending;
use session::Sessions;

/// The longest body of a request, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// What every page has at hand.
pub(crate) struct Desk<O> {
    office: Arc<O>,
    origin: Arc<Origin>,
    sessions: Mutex<Sessions>,
    joining: Mutex<Pending<passkey::Joining>>,
    entering: Mutex<Pending<passkey::Entering>>,
}

impl<O> Desk<O> {
    fn sessions(&self) -> MutexGuard<'_, Sessions> {
        locked(&self.sessions)
    }

    /// The session cookie's name. With https it has the prefix `__Host-`: no neighbour under the same domain can set
    /// one, which costs that browsers send it to every path of this host.
    fn cookie(&self) -> &'static str {
        if self.origin.is_https() { "__Host-zegel-desk" } else { "zegel-desk" }
    }
}

/// Whoever panicked while holding it left it whole: every change of these tables is one call.
fn locked<T>(what: &Mutex<T>) -> MutexGuard<'_, T> {
    what.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The desk's pages, all under `/desk`; merge it into the server's own router.
pub fn router<O: Office>(office: Arc<O>, origin: Origin) -> Router {
    let origin = Arc::new(origin);
    let desk = Arc::new(Desk {
        office,
        origin: origin.clone(),
        sessions: Mutex::default(),
        joining: Mutex::default(),
        entering: Mutex::default(),
    });
    Router::new()
        .route("/desk", get(queue::open::<O>))
        .route("/desk/", get(|| async { Redirect::permanent("/desk") }))
        .route("/desk/appeals", get(queue::appeals::<O>))
        .route("/desk/decided", get(queue::decided::<O>))
        .route("/desk/closed", get(queue::closed::<O>))
        .route("/desk/case", get(queue::by_number::<O>))
        .route("/desk/case/{number}", get(case::case::<O>))
        .route("/desk/case/{number}/decide", post(decide::decide::<O>))
        .route("/desk/case/{number}/evidence", post(acts::evidence::<O>))
        .route("/desk/case/{number}/file", post(acts::file::<O>))
        .route("/desk/case/{number}/{act}", post(acts::act::<O>))
        .route("/desk/log", get(log::log::<O>))
        .route("/desk/log/verify", post(log::verify::<O>))
        .route("/desk/log/export", post(log::export::<O>))
        .route("/desk/sign-in", get(door::sign_in::<O>))
        .route("/desk/sign-in/start", post(passkey::start_entering::<O>))
        .route("/desk/sign-in/finish", post(passkey::enter::<O>))
        .route("/desk/sign-out", post(door::sign_out::<O>))
        .route("/desk/join/{code}", get(door::join::<O>))
        .route("/desk/join/{code}/start", post(passkey::start_joining::<O>))
        .route("/desk/join/{code}/finish", post(passkey::join::<O>))
        .route("/desk/style.css", get(style))
        .route("/desk/passkey.js", get(script))
        .route("/desk/{*other}", get(door::lost::<O>))
        .method_not_allowed_fallback(door::not_so::<O>)
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(desk.clone(), answer::framed::<O>))
        .layer(middleware::from_fn_with_state(origin, guard::guard))
        .with_state(desk)
}

async fn style() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], include_str!("../assets/style.css"))
}

async fn script() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript; charset=utf-8")], include_str!("../assets/passkey.js"))
}
