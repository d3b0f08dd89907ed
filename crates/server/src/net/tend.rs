//! What a server does by itself: publish epochs of the key directory, sweep, settle, and notice what operators change from outside.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::{Instant, interval, sleep},
};

use super::Shared;
use crate::keys::KeyRing;

/// Without calls for this long, the server is idle.
const IDLE: Duration = Duration::from_millis(500);
/// Time between two settlings of an idle server. Until then the log shows which mailboxes changed together.
const SETTLE: Duration = Duration::from_secs(2);
/// A busy server settles all the same after this long.
const SETTLE_BUSY: Duration = Duration::from_secs(10);

/// Starts the background tasks.
pub(super) fn start(
    shared: &Arc<Shared>,
    keys: PathBuf,
    data: PathBuf,
    [publish_every, sweep_every]: [Duration; 2],
) -> [JoinHandle<()>; 4] {
    [
        tokio::spawn(publish(shared.clone(), publish_every)),
        tokio::spawn(sweep(shared.clone(), sweep_every)),
        tokio::spawn(settle(shared.clone())),
        tokio::spawn(watch(shared.clone(), keys, data)),
    ]
}

async fn publish(shared: Arc<Shared>, every: Duration) {
    loop {
        sleep(every).await;
        shared.service.publish_all().await;
    }
}

async fn sweep(shared: Arc<Shared>, every: Duration) {
    loop {
        sleep(every).await;
        shared.service.sweep_once().await;
        shared.work.fetch_add(1, Relaxed);
        shared.report.tidy();
    }
}

/// Lets the store forget what its log still holds of deleted rows.
async fn settle(shared: Arc<Shared>) {
    let (mut settled, mut settled_at) = (shared.work.load(Relaxed), Instant::now());
    let (mut seen, mut seen_at) = (settled, Instant::now());
    let mut tick = interval(Duration::from_millis(500));
    loop {
        tick.tick().await;
        let work = shared.work.load(Relaxed);
        if work != seen {
            (seen, seen_at) = (work, Instant::now());
        }
        let since = settled_at.elapsed();
        let due = (seen_at.elapsed() >= IDLE && since >= SETTLE) || since >= SETTLE_BUSY;
        if work == settled || !due {
            continue;
        }
        let store = shared.store.clone();
        if let Ok(Err(error)) = spawn_blocking(move || store.settle()).await {
            tracing::warn!(%error, "while settling the store; it is tried again");
        }
        (settled, settled_at) = (work, Instant::now());
    }
}

/// Notices operators' commands: in the store, and in the key file.
async fn watch(shared: Arc<Shared>, keys: PathBuf, data: PathBuf) {
    let mut tick = interval(Duration::from_secs(1));
    let mut known = face(&keys);
    loop {
        tick.tick().await;
        shared.service.check_foreign_changes().await;
        let now = face(&keys);
        if now.is_none() || now == known {
            continue;
        }
        match KeyRing::load(&keys, &data).map(|ring| shared.service.reload(ring)) {
            Ok(Ok(())) => tracing::info!("the key file was read again"),
            Ok(Err(error)) => tracing::error!(%error, "the keys stay as they were"),
            Err(error) => tracing::error!(%error, "the keys stay as they were"),
        }
        known = now;
    }
}

/// What changes when a file is replaced or written.
fn face(path: &Path) -> Option<(SystemTime, u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    let metadata = std::fs::metadata(path).ok()?;
    Some((metadata.modified().ok()?, metadata.len(), metadata.ino()))
}
