//! The paths: `/`, `/v1/socket`, `/v1/directory`, `/safety`, `/desk`, `/healthz`, `/metrics`.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::{Next, from_fn_with_state},
    response::{IntoResponse, Response},
    routing::get,
};
use base64::{Engine, prelude::BASE64_STANDARD};
use hyper::upgrade::Upgraded;
use hyper_util::rt::TokioIo;
use sha1::{Digest, Sha1};
use zegel_desk::Origin;
use zegel_proto::{DeviceId, v1};

use super::{Shared, connection, directory, safety, transport::Transport};
use crate::{service::Desk, store};

/// Who asks; the accept loop puts it into every request.
#[derive(Clone, Copy)]
pub(super) struct Peer(pub IpAddr);

/// All paths. `origin` is where browsers open the desk.
pub(super) fn router(shared: Arc<Shared>, origin: Origin) -> Router {
    let safety = safety::router(shared.clone(), &origin);
    let desk = zegel_desk::router(Arc::new(Desk::new(shared.service.clone())), origin);
    let desk = desk.layer(from_fn_with_state(shared.clone(), knock));
    Router::new()
        .route("/v1/socket", get(socket))
        .merge(directory::router())
        .merge(safety)
        .route("/healthz", get(healthz))
        .route("/metrics", get(metrics))
        .with_state(shared)
        .merge(desk)
}

/// Whoever has no session comes to the desk's door only so often.
async fn knock(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    if zegel_desk::is_knock(&request) {
        let Some(&Peer(peer)) = request.extensions().get::<Peer>() else {
            return StatusCode::INTERNAL_SERVER_ERROR.into_response();
        };
        if let Err(refusal) = shared.service.may_knock(shared.proxies.client(peer, request.headers())) {
            return zegel_desk::too_often(&request, v1::Error::from(refusal).retry_after_ms);
        }
    }
    next.run(request).await
}

/// "ok" only if the store can be read.
async fn healthz(State(shared): State<Arc<Shared>>) -> Response {
    let nobody = DeviceId([0; 16]);
    match store::read(shared.store.as_ref(), move |tx| tx.mailbox(&nobody)).await {
        Ok(_) => (StatusCode::OK, "ok\n").into_response(),
        Err(error) => {
            tracing::error!(%error, "while reading the store for /healthz");
            (StatusCode::SERVICE_UNAVAILABLE, "the store cannot be read\n").into_response()
        }
    }
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let text = shared.report.text(&shared).await;
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], text).into_response()
}

/// Turns the HTTP connection into a WebSocket (RFC 6455 section 4.2).
async fn socket(State(shared): State<Arc<Shared>>, mut request: Request) -> Response {
    let accept = match accept_key(request.headers()) {
        Ok(accept) => accept,
        Err(why) => {
            let upgrade = [(header::UPGRADE, "websocket"), (header::SEC_WEBSOCKET_VERSION, "13")];
            return (StatusCode::UPGRADE_REQUIRED, upgrade, format!("{why}\n")).into_response();
        }
    };
    let Some(&Peer(peer)) = request.extensions().get::<Peer>() else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let client = shared.proxies.client(peer, request.headers());
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        // The HTTP layer is left behind: what runs from here on holds the bare stream.
        if let Ok(Ok(parts)) = upgrade.await.map(Upgraded::downcast::<TokioIo<Transport>>) {
            connection::run(shared, parts.io.into_inner(), parts.read_buf, client).await;
        }
    });
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

/// Checks a WebSocket request and computes the answer to its key.
fn accept_key(headers: &HeaderMap) -> Result<HeaderValue, &'static str> {
    let lists = |name, word: &str| {
        headers.get_all(name).iter().any(|value| {
            let words = value.to_str().unwrap_or_default().split(',');
            words.into_iter().any(|given| given.trim().eq_ignore_ascii_case(word))
        })
    };
    if !lists(header::CONNECTION, "upgrade") || !lists(header::UPGRADE, "websocket") {
        return Err("this is a WebSocket; connect with a Zegel client");
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err("only WebSocket version 13 is known");
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).ok_or("Sec-WebSocket-Key is missing")?;
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    let accept = BASE64_STANDARD.encode(hash.finalize());
    HeaderValue::try_from(accept).map_err(|_| "Sec-WebSocket-Key is malformed")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_rfc_6455() {
        let mut headers = HeaderMap::new();
        let mut set = |name, value| headers.insert(name, HeaderValue::from_static(value));
        set(header::CONNECTION, "keep-alive, Upgrade");
        set(header::UPGRADE, "websocket");
        set(header::SEC_WEBSOCKET_VERSION, "13");
        set(header::SEC_WEBSOCKET_KEY, "dGhlIHNhbXBsZSBub25jZQ==");
        assert_eq!(accept_key(&headers), Ok(HeaderValue::from_static("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")));
        headers.remove(header::UPGRADE);
        assert!(accept_key(&headers).is_err());
    }
}
