//! How long proofs are, and how long it takes to make and to check them.

use std::time::Instant;

use akd::SingleAppendOnlyProof;
use akd_core::proto::specs::types;
use protobuf::Message;
use zegel_directory::{verify_append_only, verify_history, verify_lookup};

use super::tree::{Tree, entry, label};
use crate::common::{Report, Result, median, percentile};

/// Changes in an audited epoch.
const AUDITED: usize = 1_000;

#[derive(Default)]
struct Figures {
    bytes: Vec<f64>,
    made: Vec<f64>,
    checked: Vec<f64>,
}

impl Figures {
    fn tell(&self, report: &mut Report, what: &str) {
        let mut row = vec![("measured", what.into())];
        let columns: [(_, _, _, &Vec<f64>); 3] = [
            ("bytes", "bytes p10", "bytes p90", &self.bytes),
            ("made ms", "made p10", "made p90", &self.made),
            ("checked ms", "checked p10", "checked p90", &self.checked),
        ];
        for (middle, low, high, values) in columns.into_iter().filter(|(.., values)| !values.is_empty()) {
            row.push((middle, median(values).into()));
            row.push((low, percentile(values, 0.1).into()));
            row.push((high, percentile(values, 0.9).into()));
        }
        report.row(row);
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}

/// Entries of handles spread over the whole directory.
pub async fn lookups(report: &mut Report, tree: &Tree, handles: usize, count: usize) -> Result {
    let (root, mut figures) = (tree.root(), Figures::default());
    for at in 0..count {
        let n = at * 7919 % handles;
        let begun = Instant::now();
        let looked = tree.publisher.lookup(&label(n)).await?.ok_or("a handle is missing")?;
        figures.made.push(milliseconds(begun));
        figures.bytes.push(looked.proof.len() as f64);
        let begun = Instant::now();
        let found = verify_lookup(&root, &label(n), &looked.proof)?;
        figures.checked.push(milliseconds(begun));
        if found.entry != entry(n, 0) {
            return Err("a handle has another entry than was published".into());
        }
    }
    figures.tell(report, "lookup");
    Ok(())
}

/// The history of a handle that changed five times.
pub async fn histories(report: &mut Report, tree: &mut Tree, rounds: usize) -> Result {
    let mut figures = Figures::default();
    for n in 0..rounds {
        for changes in 1..=5 {
            tree.publish(vec![(label(n), entry(n, changes))]).await?;
        }
        let begun = Instant::now();
        let (_, proof) = tree.publisher.history(&label(n), None).await?.ok_or("a handle is missing")?;
        figures.made.push(milliseconds(begun));
        figures.bytes.push(proof.len() as f64);
        let begun = Instant::now();
        let all = verify_history(&tree.root(), &label(n), None, &proof)?;
        figures.checked.push(milliseconds(begun));
        if all.len() != 6 {
            return Err("a history has another length than was published".into());
        }
    }
    figures.tell(report, "history of 6");
    Ok(())
}

/// Epochs of [`AUDITED`] handles that changed, each checked by ours and by akd's auditor.
pub async fn audits(report: &mut Report, tree: &mut Tree, handles: usize, rounds: usize) -> Result {
    let (mut ours, mut theirs) = (Figures::default(), Figures::default());
    for round in 0..rounds as u64 {
        let changed = (0..AUDITED).map(|at| at * 7919 % handles);
        tree.publish(changed.map(|n| (label(n), entry(n, 100 + round))).collect()).await?;
        let root = tree.root();
        let (before, proof) = &tree.newest;
        let begun = Instant::now();
        verify_append_only(root.epoch, before, &root.tree, proof)?;
        ours.checked.push(milliseconds(begun));
        ours.bytes.push(proof.len() as f64);
        let begun = Instant::now();
        let read = types::SingleAppendOnlyProof::parse_from_bytes(proof)?;
        let read = SingleAppendOnlyProof::try_from(&read).map_err(|_| "the proof cannot be read")?;
        akd::auditor::verify_consecutive_append_only::<akd::WhatsAppV1Configuration>(
            &read, *before, root.tree, root.epoch,
        )
        .await?;
        theirs.checked.push(milliseconds(begun));
    }
    ours.tell(report, &format!("audit of {AUDITED} changes"));
    theirs.tell(report, "the same by akd's auditor");
    Ok(())
}
