//! One transaction: the state that its operations share. The operations themselves are in the files named after
//! what they keep; `ops.rs` joins them to the trait.

use rusqlite::{Connection, OptionalExtension, Params, Row};

use super::{
    cache::Cache,
    error::{failed, is_damaged_row, is_taken_id},
};
use crate::store::{StoreError, StoreResult};

/// How often another random row id is tried; one in a thousand is taken only with a thousand million rows an hour.
const TRIES: usize = 20;

/// What runs after the commit.
pub(super) type Then = Box<dyn FnOnce() + Send>;

/// Whether a transaction may write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Write,
    Read,
}

/// See the module.
pub(super) struct SqliteTx<'c> {
    conn: &'c Connection,
    mode: Mode,
    pub(super) cache: Cache,
    pub(super) after: Vec<Then>,
    /// Whether the running job has written.
    pub(super) wrote: bool,
    /// What the storage said when an operation failed; the whole transaction fails with it, even if the job
    /// that met it went on.
    pub(super) broken: Option<StoreError>,
    /// Where the next sweep goes on looking for idle hour keys: (device, key id).
    pub(super) sweep_from: ([u8; 16], i64),
}

impl<'c> SqliteTx<'c> {
    pub(super) fn new(conn: &'c Connection, mode: Mode) -> Self {
        Self {
            conn,
            mode,
            cache: Cache::new(),
            after: Vec::new(),
            wrote: false,
            broken: None,
            sweep_from: ([0; 16], i64::MIN),
        }
    }

    /// Forgets everything that a rolled-back transaction, or another process, made untrue.
    pub(super) fn forget(&mut self) {
        self.cache.clear();
        self.after.clear();
        self.broken = None;
    }

    /// To be called before anything is written.
    pub(super) fn writing(&mut self) -> StoreResult<()> {
        if self.mode == Mode::Read {
            return Err(StoreError::Failed {
                doing: "writing",
                why: "this job was queued as one that only reads; queue it with write_job".into(),
            });
        }
        self.wrote = true;
        Ok(())
    }

    /// Runs one statement that changes rows; returns how many.
    pub(super) fn execute(
        &mut self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
    ) -> StoreResult<usize> {
        self.writing()?;
        let result = self.conn.prepare_cached(sql).and_then(|mut s| s.execute(params));
        self.judge(doing, result)
    }

    /// Inserts a row under a random id that `id` makes; another one if it is taken.
    pub(super) fn insert(
        &mut self,
        doing: &'static str,
        sql: &str,
        id: impl Fn() -> i64,
        bind: impl Fn(i64, &mut rusqlite::CachedStatement<'_>) -> rusqlite::Result<usize>,
    ) -> StoreResult<()> {
        self.writing()?;
        let result = self.conn.prepare_cached(sql).and_then(|mut statement| {
            let mut result = bind(id(), &mut statement);
            for _ in 1..TRIES {
                match result {
                    Err(ref e) if is_taken_id(e) => result = bind(id(), &mut statement),
                    _ => break,
                }
            }
            result
        });
        self.judge(doing, result).map(drop)
    }

    /// The first row, if there is one.
    pub(super) fn find<T>(
        &mut self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        read: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
    ) -> StoreResult<Option<T>> {
        let result = self.conn.prepare_cached(sql).and_then(|mut s| s.query_row(params, read).optional());
        self.judge(doing, result)
    }

    /// Rows, as long as `read` makes something of them.
    pub(super) fn list<T>(
        &mut self,
        doing: &'static str,
        sql: &str,
        params: impl Params,
        mut read: impl FnMut(&Row<'_>) -> rusqlite::Result<Option<T>>,
    ) -> StoreResult<Vec<T>> {
        let result = self.conn.prepare_cached(sql).and_then(|mut statement| {
            let mut rows = statement.query(params)?;
            let mut list = Vec::new();
            while let Some(row) = rows.next()? {
                match read(row)? {
                    Some(value) => list.push(value),
                    None => break,
                }
            }
            Ok(list)
        });
        self.judge(doing, result)
    }

    /// A failing storage breaks the transaction; a row that cannot be understood only fails who asked for it.
    fn judge<T>(&mut self, doing: &'static str, result: rusqlite::Result<T>) -> StoreResult<T> {
        result.map_err(|e| {
            let damaged = is_damaged_row(&e);
            let error = failed(doing, e);
            if !damaged {
                self.broken.get_or_insert_with(|| error.clone());
            }
            error
        })
    }
}

/// A row id of this hour: ordered by (hour, random).
pub(super) fn hourly_id(hour: u32) -> i64 {
    (i64::from(hour) << 40) | (rand::random::<u64>() >> 24) as i64
}

/// The lowest row id of this hour.
pub(super) fn first_id(hour: u32) -> i64 {
    i64::from(hour) << 40
}

/// The hour of a row id.
pub(super) fn hour_of(id: i64) -> u32 {
    (id >> 40) as u32
}

/// A row id that tells nothing.
pub(super) fn random_id() -> i64 {
    (rand::random::<u64>() >> 1) as i64
}
