//! How fast the key directory grows in the store, and how long reading from it takes:
//! `cargo run --release --example directory_rate [handles]`.
//!
//! Epochs of 5000 handles each, once in memory and once in SQLite; then lookups, and batches of 100 records.

#![allow(clippy::unwrap_used, reason = "a measurement stops where it cannot go on")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use zegel_directory::{
    Entry, Label,
    publisher::{MemoryRecords, Publisher, Record, Records, RecordsError, VrfKey},
};
use zegel_proto::AccountId;
use zegel_server::store::{SqliteStore, Store, read, write};

const EPOCH: usize = 5000;
const CACHE: usize = 64 << 20;

#[derive(Clone)]
struct InStore(Arc<SqliteStore>);

impl Records for InStore {
    async fn get(&self, keys: Vec<Vec<u8>>) -> Result<Vec<Option<Vec<u8>>>, RecordsError> {
        let records = read(&*self.0, move |tx| tx.directory_records(&keys)).await;
        records.map_err(|error| RecordsError(error.to_string()))
    }
    async fn range(&self, prefix: Vec<u8>) -> Result<Vec<Record>, RecordsError> {
        let records = read(&*self.0, move |tx| tx.directory_range(&prefix)).await;
        records.map_err(|error| RecordsError(error.to_string()))
    }
}

fn label(n: usize) -> Label {
    Label::of("localhost", &format!("person{n}"))
}

fn entry(n: usize) -> Entry {
    Entry { account: AccountId::random(), len: 1, head: [n as u8; 32], ended: false }
}

#[tokio::main]
async fn main() {
    let handles = std::env::args().nth(1).map_or(20_000, |n| n.parse().unwrap());
    let dir = std::env::current_dir().unwrap().join(format!("directory-rate-{}", std::process::id()));
    let memory = MemoryRecords::default();
    let publisher = Publisher::open(memory.clone(), VrfKey::random(), CACHE).await.unwrap();
    grow("memory", &publisher, handles, async |records| memory.apply(records)).await;

    let store = Arc::new(SqliteStore::open(&dir).unwrap());
    let publisher = Publisher::open(InStore(store.clone()), VrfKey::random(), CACHE).await.unwrap();
    let kept = store.clone();
    grow("SQLite", &publisher, handles, async |records| {
        write(&*kept, move |tx| tx.put_directory_records(&records)).await.unwrap();
    })
    .await;
    store.settle().unwrap();
    println!(
        "{} bytes a handle on disk",
        std::fs::metadata(dir.join("zegel.db")).unwrap().len() as usize / handles
    );
    look("warm", &publisher, handles).await;
    let publisher = Publisher::open(InStore(store.clone()), VrfKey::random(), 0).await.unwrap();
    look("without a cache", &publisher, handles).await;

    let all = read(&*store, |tx| tx.directory_range(b"")).await.unwrap();
    let mut times = Vec::new();
    for n in 0..500 {
        let keys: Vec<_> = (0..100).map(|k| all[(n * 7919 + k * 104_729) % all.len()].0.clone()).collect();
        let begun = Instant::now();
        let found = read(&*store, move |tx| tx.directory_records(&keys)).await.unwrap();
        assert!(found.iter().all(Option::is_some));
        times.push(begun.elapsed());
    }
    println!("100 of {} records: {}", all.len(), spread(times));
    drop((publisher, kept, store));
    std::fs::remove_dir_all(dir).unwrap();
}

async fn grow<R: Records>(
    what: &str,
    publisher: &Publisher<R>,
    handles: usize,
    keep: impl AsyncFn(Vec<Record>),
) {
    let (begun, mut kept, mut longest) = (Instant::now(), Duration::ZERO, Duration::ZERO);
    for first in (0..handles).step_by(EPOCH) {
        let updates = (first..(first + EPOCH).min(handles)).map(|n| (label(n), entry(n))).collect();
        let mut prepared = publisher.publish(updates).await.unwrap().unwrap();
        let at = Instant::now();
        keep(std::mem::take(&mut prepared.records)).await;
        prepared.commit();
        kept += at.elapsed();
        longest = longest.max(at.elapsed());
    }
    let rate = handles as f64 / begun.elapsed().as_secs_f64();
    println!("{what}: {rate:.0} handles/s; storing took {kept:.1?} of it, at most {longest:.1?} an epoch");
}

async fn look<R: Records>(what: &str, publisher: &Publisher<R>, handles: usize) {
    let mut times = Vec::new();
    let mut bytes = 0;
    for n in 0..500 {
        let begun = Instant::now();
        bytes += publisher.lookup(&label(n * 7919 % handles)).await.unwrap().unwrap().proof.len();
        times.push(begun.elapsed());
    }
    println!("lookup, {what}: {} bytes, {}", bytes / 500, spread(times));
}

fn spread(mut times: Vec<Duration>) -> String {
    times.sort_unstable();
    format!("{:.2?} in the middle, {:.2?} at 99 %", times[times.len() / 2], times[times.len() * 99 / 100])
}
