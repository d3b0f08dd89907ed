//! The threads that read: each job sees one snapshot, and waits for no writer.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Mutex, mpsc::Receiver},
};

use rusqlite::Connection;

use super::{
    error::failed,
    tx::{Mode, SqliteTx},
    writer::guard,
};
use crate::store::{Done, Job, StoreError, StoreResult};

/// Runs until every sender is gone.
pub(super) fn run(conn: &Connection, jobs: &Mutex<Receiver<(Job, Done)>>) {
    let mut tx = SqliteTx::new(conn, Mode::Read);
    loop {
        let next = jobs.lock().expect("no panic holds this lock").recv();
        let Ok((job, done)) = next else { return };
        let result = read(conn, &mut tx, job);
        for then in std::mem::take(&mut tx.after) {
            guard("an after_commit", then);
        }
        guard("a done", || done(result));
    }
}

fn read(conn: &Connection, tx: &mut SqliteTx<'_>, job: Job) -> StoreResult<()> {
    let sql = |sql| conn.prepare_cached(sql).and_then(|mut s| s.execute([]));
    // What the last snapshot held is no longer true.
    tx.forget();
    sql("BEGIN").map_err(|e| failed("beginning to read", e))?;
    let result = catch_unwind(AssertUnwindSafe(|| job(tx)));
    let ended = sql("ROLLBACK").map_err(|e| failed("ending to read", e));
    let panicked = StoreError::Failed { doing: "running a read job", why: "it panicked".into() };
    let result = result.unwrap_or(Err(panicked)).and(ended.map(drop));
    if result.is_err() {
        tx.after.clear();
    }
    result
}
