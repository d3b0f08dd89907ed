//! `/v1/directory`: the key directory for auditors. Roots, and the proofs of the existing AKD auditors' file layout:
//! `audit/{epoch}/{root hash of the tree before}/{root hash of its tree}`. None of it names anybody, and none of it
//! changes once it is there, so caches may keep it.

use std::{net::IpAddr, sync::Arc};

use axum::{
    Router,
    extract::{Extension, Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use zegel_proto::{Code, Message as _, v1};

use super::{Shared, http::Peer};

const IMMUTABLE: &str = "public, max-age=31536000, immutable";
const FRESH: &str = "no-cache";

/// All paths below `/v1/directory`.
pub(super) fn router() -> Router<Arc<Shared>> {
    Router::new()
        .route("/v1/directory/root", get(newest_root))
        .route("/v1/directory/root/{epoch}", get(root))
        .route("/v1/directory/audit/{epoch}/{before}/{after}", get(audit))
}

async fn newest_root(shared: State<Arc<Shared>>, peer: Extension<Peer>, headers: HeaderMap) -> Response {
    answer_root(&shared, peer.0.0, &headers, None).await
}

async fn root(
    shared: State<Arc<Shared>>,
    peer: Extension<Peer>,
    headers: HeaderMap,
    Path(epoch): Path<u64>,
) -> Response {
    answer_root(&shared, peer.0.0, &headers, Some(epoch)).await
}

/// A `RootAnswer` without a way to an earlier root.
async fn answer_root(shared: &Shared, peer: IpAddr, headers: &HeaderMap, epoch: Option<u64>) -> Response {
    if let Err(refusal) = shared.service.may_audit(shared.proxies.client(peer, headers)) {
        return refused(refusal.into());
    }
    match shared.service.root_answer(epoch, None).await {
        Ok(Some(root)) => {
            let cache = if epoch.is_some() { IMMUTABLE } else { FRESH };
            bytes(cache, "application/x-protobuf", root.encode_to_vec())
        }
        Ok(None) => not_found("the directory has no such epoch"),
        Err(refusal) => refused(refusal.into()),
    }
}

async fn audit(
    shared: State<Arc<Shared>>,
    peer: Extension<Peer>,
    headers: HeaderMap,
    Path((epoch, before, after)): Path<(u64, String, String)>,
) -> Response {
    if let Err(refusal) = shared.service.may_audit(shared.proxies.client(peer.0.0, &headers)) {
        return refused(refusal.into());
    }
    let hash = |text: &str| {
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).ok().map(|()| hash)
    };
    let (Some(before), Some(after)) = (hash(&before), hash(&after)) else {
        return not_found("a root hash has 64 hexadecimal digits");
    };
    match shared.service.append_only_proof(epoch, before, after).await {
        Ok(Some(proof)) => bytes(IMMUTABLE, "application/octet-stream", proof),
        Ok(None) => not_found("the directory has no such epoch, or its roots are others"),
        Err(refusal) => refused(refusal.into()),
    }
}

fn bytes(cache: &'static str, kind: &'static str, body: Vec<u8>) -> Response {
    ([(header::CACHE_CONTROL, cache), (header::CONTENT_TYPE, kind)], body).into_response()
}

fn not_found(why: &'static str) -> Response {
    (StatusCode::NOT_FOUND, [(header::CACHE_CONTROL, "no-store")], format!("{why}\n")).into_response()
}

fn refused(error: v1::Error) -> Response {
    let no_store = (header::CACHE_CONTROL, "no-store".to_owned());
    match Code::from_wire(error.code) {
        Code::RateLimited => {
            let seconds = error.retry_after_ms.div_ceil(1000).to_string();
            let headers = [no_store, (header::RETRY_AFTER, seconds)];
            (StatusCode::TOO_MANY_REQUESTS, headers, "too much at once\n").into_response()
        }
        _ => (StatusCode::SERVICE_UNAVAILABLE, [no_store], "the store cannot be read\n").into_response(),
    }
}
