//! The yardstick: bare rusqlite doing what a message costs the server in rows, and nothing else. The same tables
//! and settings, the same rows in the same sizes, one commit with its sync for each batch.

use std::{path::Path, time::Instant};

use rusqlite::{Connection, params};

use crate::common::Result;

const SCHEMA: &str = include_str!("../../../server/src/store/sqlite/v1.sql");
const SETTINGS: &str = "
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = FULL;
    PRAGMA wal_autocheckpoint = 4096;
    PRAGMA cache_size = -65536;
    PRAGMA temp_store = MEMORY;
    PRAGMA secure_delete = ON;
";
/// Messages in a commit: the most that the server puts into one.
const BATCH: usize = 512;
/// Entries that a device gets and acknowledges at once.
const PAGE: i64 = 64;

/// Lengths in bytes of what the server stores for a message, as the load saw them on the wire.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sizes {
    /// The entry for the receiver.
    pub entry: usize,
    /// The confirmation for the sender.
    pub confirmation: usize,
    /// The remembered answer.
    pub answer: usize,
}

/// See the module.
pub struct Bare {
    conn: Connection,
    sizes: Sizes,
    pairs: Vec<Pair>,
}

/// Names of rows, and the numbers that come next.
struct Pair {
    sender: [u8; 16],
    receiver: [u8; 16],
    room: [u8; 32],
    sent: i64,
    taken: i64,
    /// Remembered answers whose confirmation the sender has not acknowledged yet.
    answers: Vec<[u8; 32]>,
}

impl Bare {
    /// A fresh database in this folder, with mailboxes and a head for each pair.
    pub fn new(folder: &Path, pairs: usize, sizes: Sizes) -> Result<Self> {
        let conn = Connection::open(folder.join("bare.db"))?;
        conn.execute_batch(SETTINGS)?;
        conn.execute_batch(SCHEMA)?;
        conn.set_prepared_statement_cache_capacity(32);
        let pair = |_| Pair {
            sender: rand::random(),
            receiver: rand::random(),
            room: rand::random(),
            sent: 0,
            taken: 0,
            answers: Vec::new(),
        };
        let pairs: Vec<Pair> = (0..pairs).map(pair).collect();
        conn.execute_batch("BEGIN")?;
        for pair in &pairs {
            for device in [pair.sender, pair.receiver] {
                let account: [u8; 16] = rand::random();
                conn.prepare_cached("INSERT INTO mailbox VALUES (?1, ?2, 0, 0)")?
                    .execute(params![device, account])?;
            }
            conn.prepare_cached("INSERT INTO head VALUES (?1, 1, ?2, 0, ?2, 1)")?
                .execute(params![pair.room, [0u8; 32]])?;
        }
        conn.execute_batch("COMMIT")?;
        Ok(Self { conn, sizes, pairs })
    }

    /// So many messages between the pairs, taken and acknowledged by both sides; messages a second.
    pub fn deliver(&mut self, messages: usize) -> Result<f64> {
        let begun = Instant::now();
        for batch in batches(messages) {
            self.conn.execute_batch("BEGIN IMMEDIATE")?;
            // What came with the batch before is acknowledged while this one is stored.
            self.acknowledge_all()?;
            self.store(batch)?;
            self.conn.execute_batch("COMMIT")?;
        }
        Ok(messages as f64 / begun.elapsed().as_secs_f64())
    }

    /// So many messages to receivers that are away; the senders take their confirmations. Messages a second.
    pub fn fill(&mut self, messages: usize) -> Result<f64> {
        let begun = Instant::now();
        for batch in batches(messages) {
            self.conn.execute_batch("BEGIN IMMEDIATE")?;
            for pair in &mut self.pairs {
                acknowledge(&self.conn, &pair.sender, pair.sent, pair.sent)?;
                forget_answers(&self.conn, pair)?;
            }
            self.store(batch)?;
            self.conn.execute_batch("COMMIT")?;
        }
        Ok(messages as f64 / begun.elapsed().as_secs_f64())
    }

    /// The receivers come back, read page by page and acknowledge; messages a second.
    pub fn drain(&mut self) -> Result<f64> {
        let begun = Instant::now();
        let mut read = 0;
        loop {
            let before = read;
            for pairs in self.pairs.chunks_mut(BATCH / PAGE as usize) {
                self.conn.execute_batch("BEGIN IMMEDIATE")?;
                for pair in pairs {
                    read += page(&self.conn, pair)?;
                    acknowledge(&self.conn, &pair.receiver, pair.taken, pair.sent)?;
                }
                self.conn.execute_batch("COMMIT")?;
            }
            if read == before {
                return Ok(read as f64 / begun.elapsed().as_secs_f64());
            }
        }
    }

    /// The rows of a batch, spread over the pairs; counters and heads once, as group commit does.
    fn store(&mut self, batch: std::ops::Range<usize>) -> Result {
        let [entry, confirmation, answer] =
            [self.sizes.entry, self.sizes.confirmation, self.sizes.answer].map(random);
        let count = self.pairs.len();
        for n in batch.clone() {
            let pair = &mut self.pairs[n % count];
            let key: [u8; 32] = rand::random();
            self.conn.prepare_cached("SELECT sealed FROM answer WHERE key = ?1")?.exists([key])?;
            let mut put = self.conn.prepare_cached("INSERT INTO entry VALUES (?1, ?2, ?3, ?4, ?5)")?;
            put.execute(params![row_id(), pair.receiver, pair.sent, 7, entry])?;
            put.execute(params![row_id(), pair.sender, pair.sent, 7, confirmation])?;
            self.conn.prepare_cached("INSERT INTO answer VALUES (?1, ?2, ?3)")?.execute(params![
                row_id(),
                key,
                answer
            ])?;
            pair.answers.push(key);
            pair.sent += 1;
        }
        for pair in batch.take(count).map(|n| &self.pairs[n % count]) {
            let hash: [u8; 32] = rand::random();
            self.conn
                .prepare_cached(
                    "UPDATE head SET epoch = 1, token_hash = ?2, seq = ?3, stamp_hash = ?2 WHERE room = ?1",
                )?
                .execute(params![pair.room, hash, pair.sent])?;
            for device in [pair.sender, pair.receiver] {
                self.conn
                    .prepare_cached("UPDATE mailbox SET next_seq = ?2 WHERE device = ?1")?
                    .execute(params![device, pair.sent])?;
            }
        }
        Ok(())
    }

    fn acknowledge_all(&mut self) -> Result {
        for pair in &mut self.pairs {
            if pair.taken < pair.sent {
                acknowledge(&self.conn, &pair.sender, pair.sent, pair.sent)?;
                forget_answers(&self.conn, pair)?;
                acknowledge(&self.conn, &pair.receiver, pair.sent, pair.sent)?;
                pair.taken = pair.sent;
            }
        }
        Ok(())
    }
}

/// Reads a page of the receiver's entries; returns how many.
fn page(conn: &Connection, pair: &mut Pair) -> Result<i64> {
    let mut statement = conn.prepare_cached(
        "SELECT seq, hour_key, sealed FROM entry WHERE device = ?1 AND seq >= ?2 ORDER BY seq LIMIT ?3",
    )?;
    let mut rows = statement.query(params![pair.receiver, pair.taken, PAGE])?;
    let mut read = 0;
    while let Some(row) = rows.next()? {
        std::hint::black_box(row.get::<_, Vec<u8>>(2)?);
        read += 1;
    }
    pair.taken += read;
    Ok(read)
}

fn acknowledge(conn: &Connection, device: &[u8; 16], first: i64, next: i64) -> Result {
    conn.prepare_cached("DELETE FROM entry WHERE device = ?1 AND seq < ?2")?
        .execute(params![device, first])?;
    conn.prepare_cached("UPDATE mailbox SET first_seq = ?2, next_seq = ?3 WHERE device = ?1")?
        .execute(params![device, first, next])?;
    Ok(())
}

/// An answer ends with the acknowledgement of its confirmation.
fn forget_answers(conn: &Connection, pair: &mut Pair) -> Result {
    for key in pair.answers.drain(..) {
        conn.prepare_cached("DELETE FROM answer WHERE key = ?1")?.execute([key])?;
    }
    Ok(())
}

fn batches(messages: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    (0..messages).step_by(BATCH).map(move |from| from..(from + BATCH).min(messages))
}

/// Ordered by (hour, random), as the server's are.
fn row_id() -> i64 {
    (500_000 << 40) | (rand::random::<u64>() >> 24) as i64
}

fn random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rand::fill(&mut bytes[..]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_is_drained() {
        let folder = tempfile::tempdir().expect("a folder");
        let sizes = Sizes { entry: 800, confirmation: 300, answer: 300 };
        let mut bare = Bare::new(folder.path(), 7, sizes).expect("a database");
        let count =
            |bare: &Bare, sql: &str| -> i64 { bare.conn.query_row(sql, [], |row| row.get(0)).expect("read") };
        bare.deliver(2000).expect("delivered");
        bare.acknowledge_all().expect("acknowledged");
        assert_eq!(count(&bare, "SELECT count(*) FROM entry"), 0);
        bare.fill(1500).expect("filled");
        let receiver = bare.pairs[0].receiver;
        assert_eq!(bare.pairs[0].sent - bare.pairs[0].taken, 1500 / 7 + 1, "{receiver:?}");
        bare.drain().expect("drained");
        assert!(bare.pairs.iter().all(|pair| pair.taken == pair.sent));
        let waiting: usize = bare.pairs.iter().map(|pair| pair.answers.len()).sum();
        assert_eq!(count(&bare, "SELECT count(*) FROM answer"), waiting as i64);
        assert!(waiting < 1500, "those of acknowledged confirmations are gone");
    }
}
