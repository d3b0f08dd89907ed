//! How many submissions a second the store takes: `cargo run --release --example store_rate [seconds]`.
//!
//! Each is what the service writes for a message in a direct chat: head, two mailboxes, addresses, an entry for
//! each side, the remembered answer; and, as the devices acknowledge, all of it is deleted. Processor time is that of
//! the whole process, so it includes this generator.

#![allow(clippy::unwrap_used, reason = "a measurement stops where it cannot go on")]

use std::{
    path::Path,
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use bytes::Bytes;
use rand::Rng;
use zegel_proto::{DeviceId, RoomId};
use zegel_server::store::{Head, HourKeyRow, Mailbox, SqliteStore, Store, StoreResult, StoredEntry, Tx};

const CHATS: usize = 5_000;
/// Submissions on their way at once.
const WINDOW: usize = 2_048;
const HOUR: u32 = 480_000;

#[derive(Clone, Copy)]
struct Chat {
    room: RoomId,
    devices: [DeviceId; 2],
    address: [u8; 32],
}

fn main() {
    let seconds = std::env::args().nth(1).map_or(10, |s| s.parse().unwrap());
    let here = std::env::current_dir().unwrap();
    let dir = here.join(format!("store-rate-{}", std::process::id()));
    measure(&dir, Duration::from_secs(seconds));
    std::fs::remove_dir_all(dir).unwrap();
}

fn measure(dir: &Path, time: Duration) {
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(dir).unwrap());
    let chats: Arc<Vec<Chat>> = Arc::new((0..CHATS).map(|_| found(&*store)).collect());
    let (done_out, done) = mpsc::channel();
    let (begun, cpu) = (Instant::now(), processor_time());
    let (mut sent, mut answered, mut waits) = (0_u64, 0_u64, Vec::new());
    while begun.elapsed() < time || answered < sent {
        if begun.elapsed() < time && sent - answered < WINDOW as u64 {
            let chat = chats[rand::rng().random_range(0..CHATS)];
            let (done_out, at) = (done_out.clone(), Instant::now());
            let (acknowledging, answer) = (Arc::downgrade(&store), rand::random());
            store.write_job(
                Box::new(move |tx| submit(tx, &chat, &answer)),
                Box::new(move |result| {
                    result.unwrap();
                    let _ = done_out.send(at.elapsed());
                    if let Some(store) = acknowledging.upgrade() {
                        let job = Box::new(move |tx: &mut dyn Tx| acknowledge(tx, &chat, answer));
                        store.write_job(job, Box::new(|r| r.unwrap()));
                    }
                }),
            );
            sent += 1;
        } else {
            waits.push(done.recv().unwrap());
            answered += 1;
        }
    }
    store.settle().unwrap();
    let (elapsed, cpu) = (begun.elapsed(), processor_time() - cpu);
    waits.sort_unstable();
    let at = |part: usize| waits[(waits.len() - 1) * part / 100];
    println!(
        "{:.0} submissions/s (each acknowledged and deleted); {:.1} us of processor each; answered after {:?} (half), {:?} (99 of 100)",
        sent as f64 / elapsed.as_secs_f64(),
        cpu.as_secs_f64() * 1e6 / sent as f64,
        at(50),
        at(99),
    );
    assert_eq!(store.verify().unwrap(), [""; 0]);
    store.close();
}

fn found(store: &dyn Store) -> Chat {
    let chat = Chat {
        room: RoomId::random(),
        devices: [DeviceId::random(), DeviceId::random()],
        address: rand::random(),
    };
    let job = move |tx: &mut dyn Tx| {
        for (n, device) in chat.devices.iter().enumerate() {
            let first = rand::random::<u64>() >> 16;
            let mailbox = Mailbox { account: zegel_server::store::NOBODY, first_seq: first, next_seq: first };
            tx.put_mailbox(device, &mailbox)?;
            let key = HourKeyRow {
                id: n as u64,
                hour: HOUR,
                encapsulated: vec![0; 1120].into(),
                sealed: vec![0; 48].into(),
            };
            tx.put_hour_key(device, &key)?;
        }
        tx.put_address(&chat.address, &[0; 120])?;
        tx.put_head(
            &chat.room,
            &Head::Live { epoch: 1, token_hash: [0; 32], seq: 1, stamp_hash: [0; 32], month: 680 },
        )
    };
    store.write_job(Box::new(job), Box::new(|result| result.unwrap()));
    chat
}

fn submit(tx: &mut dyn Tx, chat: &Chat, answer: &[u8; 32]) -> StoreResult<()> {
    assert!(tx.answer(answer)?.is_none());
    let Some(Head::Live { epoch, token_hash, seq, stamp_hash, month }) = tx.head(&chat.room)? else {
        unreachable!("each chat was founded")
    };
    tx.address(&chat.address)?;
    for (n, device) in chat.devices.iter().enumerate() {
        let mut mailbox = tx.mailbox(device)?.unwrap();
        let entry = StoredEntry { hour_key: n as u64, sealed: Bytes::from_static(&[7; 600]) };
        tx.put_entry(device, mailbox.next_seq, HOUR, &entry)?;
        mailbox.next_seq += 1;
        tx.put_mailbox(device, &mailbox)?;
    }
    tx.put_head(&chat.room, &Head::Live { epoch, token_hash, seq: seq + 1, stamp_hash, month })?;
    tx.put_answer(answer, HOUR, &[7; 250])
}

fn acknowledge(tx: &mut dyn Tx, chat: &Chat, answer: [u8; 32]) -> StoreResult<()> {
    tx.delete_answers(&[answer])?;
    for device in &chat.devices {
        let mut mailbox = tx.mailbox(device)?.unwrap();
        if mailbox.first_seq < mailbox.next_seq {
            tx.delete_entries(device, mailbox.next_seq - 1)?;
            mailbox.first_seq = mailbox.next_seq;
            tx.put_mailbox(device, &mailbox)?;
        }
    }
    Ok(())
}

/// User and system time of this process so far, by /proc; its clock ticks a hundred times a second.
fn processor_time() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}
