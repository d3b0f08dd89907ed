//! `/metrics`: counts for the operator. No label names anybody or says where they are.

use std::{sync::atomic::Ordering::Relaxed, time::Duration};

use metrics::Counter;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tokio::{sync::Mutex, time::Instant};

use super::Shared;
use crate::store::{self, Counts};

/// Counting rows takes a while in a large store, so a count is good for this long.
const COUNTS_GOOD: Duration = Duration::from_secs(10);

/// Renders the metrics.
pub struct Report {
    recorded: PrometheusHandle,
    // Handles of what is counted with each message: to look them up by name costs more than to count.
    pub(super) submits: Counter,
    pub(super) acks: Counter,
    pub(super) delivered: Counter,
    counts: Mutex<Option<(Instant, Counts)>>,
}

impl Report {
    /// Begins to record.
    pub fn install() -> Result<Self, String> {
        let recorded = PrometheusBuilder::new().install_recorder().map_err(|e| e.to_string())?;
        metrics::describe_counter!("zegel_calls_total", "Calls of clients, by kind");
        metrics::describe_counter!(
            "zegel_refusals_total",
            "Connections and calls refused by the socket layer, by code"
        );
        metrics::describe_counter!("zegel_delivered_total", "Mailbox entries sent to devices");
        metrics::describe_gauge!("zegel_connections", "Open WebSockets");
        metrics::describe_gauge!(
            "zegel_devices_connected",
            "Devices that have authenticated and are connected"
        );
        metrics::describe_gauge!("zegel_accounts", "Accounts");
        metrics::describe_gauge!("zegel_mailboxes", "Mailboxes");
        metrics::describe_gauge!("zegel_entries", "Entries that wait in mailboxes");
        metrics::describe_gauge!("zegel_heads", "Conversation heads");
        metrics::describe_gauge!("zegel_directory_epoch", "The newest epoch of the key directory");
        metrics::describe_gauge!(
            "zegel_directory_pending",
            "Accounts whose entries in the key directory are promised and not published yet"
        );
        metrics::describe_counter!(
            "zegel_directory_failures_total",
            "Epochs that could not be published; promises are broken when this goes on for ten minutes"
        );
        metrics::describe_histogram!(
            "zegel_directory_publish_seconds",
            metrics::Unit::Seconds,
            "How long it took to make and store an epoch of the key directory"
        );
        Ok(Self {
            recorded,
            submits: calls("submit"),
            acks: calls("ack"),
            delivered: metrics::counter!("zegel_delivered_total"),
            counts: Mutex::default(),
        })
    }

    /// Keeps what was recorded from piling up; called now and then.
    pub fn tidy(&self) {
        self.recorded.run_upkeep();
    }

    /// Prometheus text.
    pub(super) async fn text(&self, shared: &Shared) -> String {
        metrics::gauge!("zegel_connections").set(shared.connections.load(Relaxed) as f64);
        metrics::gauge!("zegel_devices_connected").set(shared.hub.len() as f64);
        if let Some(counts) = self.counts(shared).await {
            metrics::gauge!("zegel_accounts").set(counts.accounts as f64);
            metrics::gauge!("zegel_mailboxes").set(counts.devices as f64);
            metrics::gauge!("zegel_entries").set(counts.entries as f64);
            metrics::gauge!("zegel_heads").set(counts.heads as f64);
            metrics::gauge!("zegel_directory_epoch").set(counts.epoch as f64);
            metrics::gauge!("zegel_directory_pending").set(counts.owed as f64);
        }
        self.recorded.render()
    }

    async fn counts(&self, shared: &Shared) -> Option<Counts> {
        let mut kept = self.counts.lock().await;
        if kept.is_none_or(|(at, _)| at.elapsed() > COUNTS_GOOD) {
            let counted = store::read(shared.store.as_ref(), |tx| tx.counts()).await;
            *kept = counted.ok().map(|counts| (Instant::now(), counts));
        }
        kept.map(|(_, counts)| counts)
    }
}

/// The counter of calls of a kind.
pub(super) fn calls(kind: &'static str) -> Counter {
    metrics::counter!("zegel_calls_total", "call" => kind)
}
