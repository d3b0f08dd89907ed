//! `/` and `/safety`: what this is, the rules that protect people, what young people and guardians need to know, and where help is. Pages in
//! English and Dutch, without a script or a cookie. Who reads them is noted nowhere.

mod language;
mod pages;
mod words;

use std::sync::Arc;

use askama::Template;
use axum::{
    Router,
    extract::{RawQuery, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use zegel_desk::Origin;
use zegel_proto::v1;

use super::{Shared, http::Peer};
use language::{country, language};
use pages::{Frame, GuardiansPage, HelpPage, RulesPage, WelcomePage, YoungPage};

/// Leaves a browser nothing to do but show the page, and tells the next site nothing of where one came from.
const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; style-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'",
    ),
    // On a shared computer the next person does not find it by going back.
    (header::CACHE_CONTROL, "no-store"),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

/// `/`, and all paths below `/safety`. `origin` is where browsers open the desk.
pub(super) fn router(shared: Arc<Shared>, origin: &Origin) -> Router<Arc<Shared>> {
    let desk: Arc<str> = format!("{origin}/desk").into();
    let welcome =
        async move |State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap| {
            let frame = frame(&shared, "/", query.as_deref(), &headers);
            page(&WelcomePage { frame, desk: &desk })
        };
    Router::new()
        .route("/", get(welcome))
        .route("/safety", get(rules))
        .route("/safety/young", get(young))
        .route("/safety/guardians", get(guardians))
        .route("/safety/help", get(help))
        .route("/safety/rules.toml", get(file))
        .route("/safety/style.css", get(style))
        .layer(from_fn_with_state(shared, guard))
}

/// Around every page.
async fn guard(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let Some(&Peer(peer)) = request.extensions().get::<Peer>() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut response = match shared.service.may_audit(shared.proxies.client(peer, request.headers())) {
        Ok(()) => next.run(request).await,
        Err(refusal) => {
            let wait = v1::Error::from(refusal).retry_after_ms.div_ceil(1000);
            let said = "Your network asked for too much at once. Try again in a minute.\n";
            (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, wait.to_string())], said).into_response()
        }
    };
    let headers = response.headers_mut();
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
    response
}

async fn rules(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let frame = frame(&shared, "/safety", query.as_deref(), &headers);
    page(&RulesPage::new(frame, shared.service.safety(), shared.service.policies()))
}

async fn young(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let frame = frame(&shared, "/safety/young", query.as_deref(), &headers);
    page(&YoungPage { frame, policy: shared.service.safety() })
}

async fn guardians(
    State(shared): State<Arc<Shared>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let frame = frame(&shared, "/safety/guardians", query.as_deref(), &headers);
    page(&GuardiansPage { frame, policy: shared.service.safety() })
}

async fn help(State(shared): State<Arc<Shared>>, RawQuery(query): RawQuery, headers: HeaderMap) -> Response {
    let frame = frame(&shared, "/safety/help", query.as_deref(), &headers);
    page(&HelpPage::new(frame, country(&headers)))
}

/// The rules in force, to check and to compare.
async fn file(State(shared): State<Arc<Shared>>) -> Response {
    let toml = shared.service.safety().to_toml();
    ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], toml).into_response()
}

async fn style() -> Response {
    let style = include_str!("../../assets/safety.css");
    ([(header::CONTENT_TYPE, "text/css; charset=utf-8")], style).into_response()
}

fn frame<'a>(shared: &'a Shared, here: &'static str, query: Option<&str>, headers: &HeaderMap) -> Frame<'a> {
    Frame { domain: shared.service.domain(), here, language: language(query, headers) }
}

fn page(template: &impl Template) -> Response {
    match template.render() {
        Ok(html) => ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], html).into_response(),
        Err(error) => {
            tracing::error!(%error, "while making a page about safety");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}
