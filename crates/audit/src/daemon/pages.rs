//! `/metrics`, `/healthz`, `/witness` and `/witness/EPOCH`.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use axum::{
    Router,
    extract::{Path as Asked, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
    routing::get,
};
use tokio::runtime::Runtime;

use super::status::Status;
use crate::{Auditor, Failure, WitnessKey, seen};

struct Pages {
    status: Status,
    key: Option<WitnessKey>,
    roots: PathBuf,
}

/// Shows them until the runtime is dropped; says where on standard output.
pub(super) fn show(
    listen: &str,
    state: &Path,
    status: Status,
    key: Option<WitnessKey>,
) -> Result<Runtime, Failure> {
    let failed = |error| Failure::own(format!("listening on {listen}"), error, "another --listen");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
    let runtime = runtime.map_err(failed)?;
    let listener = runtime.block_on(tokio::net::TcpListener::bind(listen)).map_err(failed)?;
    super::say(format_args!("listening on http://{}", listener.local_addr().map_err(failed)?));
    let pages = Arc::new(Pages { status, key, roots: Auditor::roots_file(state) });
    let router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/witness", get(newest))
        .route("/witness/{epoch}", get(at))
        .with_state(pages);
    // It ends with the program: what it serves is only read.
    runtime.spawn(async move { axum::serve(listener, router).await });
    Ok(runtime)
}

async fn metrics(State(pages): State<Arc<Pages>>) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4")], pages.status.metrics()).into_response()
}

async fn healthz(State(pages): State<Arc<Pages>>) -> Response {
    if pages.status.is_healthy() {
        (StatusCode::OK, "ok\n").into_response()
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the directory was not found in order lately\n").into_response()
    }
}

async fn newest(State(pages): State<Arc<Pages>>) -> Response {
    pages.witness(None)
}

async fn at(State(pages): State<Arc<Pages>>, Asked(epoch): Asked<u64>) -> Response {
    pages.witness(Some(epoch))
}

impl Pages {
    fn witness(&self, epoch: Option<u64>) -> Response {
        let not_found = |why: &'static str| (StatusCode::NOT_FOUND, why).into_response();
        let Some(key) = &self.key else { return not_found("this auditor signs nothing (--sign-with)\n") };
        let Some(progress) = self.status.progress() else { return not_found("nothing was checked yet\n") };
        let seen = match epoch {
            Some(epoch) if epoch > progress.seen.epoch => return not_found("not checked yet\n"),
            Some(epoch) => seen::look_up(&self.roots, epoch),
            None => Ok(progress.seen),
        };
        match seen {
            Ok(seen) => axum::Json(key.state(&progress.domain, &seen, &progress.signers)).into_response(),
            Err(failure) => {
                super::complain(&failure);
                (StatusCode::INTERNAL_SERVER_ERROR, "the roots cannot be read\n").into_response()
            }
        }
    }
}
