//! What a daemon knows about itself.

use std::{
    fmt::Write,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use crate::{Progress, now_ms};

/// Shared by the loop that follows and the pages that show it.
#[derive(Clone)]
pub(super) struct Status {
    inner: Arc<Mutex<Inner>>,
    patience_ms: u64,
}

struct Inner {
    progress: Option<Progress>,
    errors: u64,
    success_ms: Option<u64>,
}

impl Status {
    /// A daemon that has not been in order for ten looks, or five minutes, is not healthy.
    pub fn new(progress: Option<Progress>, every: Duration) -> Self {
        let inner = Inner { progress, errors: 0, success_ms: None };
        let patience_ms = (every.as_millis() as u64).saturating_mul(10).max(300_000);
        Self { inner: Arc::new(Mutex::new(inner)), patience_ms }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().expect("no panic holds this lock")
    }

    /// So far is it now; there may be more.
    pub fn heard(&self, progress: &Progress) {
        self.inner().progress = Some(progress.clone());
    }

    /// Everything is in order; whether that is so for the first time.
    pub fn checked(&self, progress: &Progress) -> bool {
        let mut inner = self.inner();
        inner.progress = Some(progress.clone());
        inner.success_ms.replace(now_ms()).is_none()
    }

    /// Somebody could not be asked.
    pub fn failed(&self) {
        self.inner().errors += 1;
    }

    /// How far the auditor is.
    pub fn progress(&self) -> Option<Progress> {
        self.inner().progress.clone()
    }

    /// Whether the directory was found in order not long ago.
    pub fn is_healthy(&self) -> bool {
        let success = self.inner().success_ms;
        success.is_some_and(|ms| now_ms().saturating_sub(ms) <= self.patience_ms)
    }

    /// In Prometheus's text format.
    pub fn metrics(&self) -> String {
        let inner = self.inner();
        let epoch = inner.progress.as_ref().map_or(0, |progress| progress.seen.epoch);
        let newest = inner.progress.as_ref().map_or(0, |progress| progress.newest);
        let lies = inner.progress.as_ref().map_or(0, |progress| progress.lies);
        let lines: [(&str, &str, &str, f64); 6] = [
            ("epoch", "gauge", "The newest epoch that was checked", epoch as f64),
            ("newest_epoch", "gauge", "The newest epoch that the service shows", newest as f64),
            ("lag_epochs", "gauge", "Epochs still to be checked", newest.saturating_sub(epoch) as f64),
            ("lies_total", "counter", "Lies found with this state", lies as f64),
            (
                "errors_total",
                "counter",
                "Tries that failed since the start, lies not counted",
                inner.errors as f64,
            ),
            (
                "last_success_timestamp_seconds",
                "gauge",
                "When all was last found in order; 0 if not since the start",
                inner.success_ms.unwrap_or(0) as f64 / 1000.0,
            ),
        ];
        let mut text = String::new();
        for (name, kind, help, value) in lines {
            let name = format!("zegel_audit_{name}");
            // Writing to a string cannot fail.
            let _ = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}");
        }
        text
    }
}
