//! The one thread that writes. It takes all jobs that wait, runs them in one transaction, and answers them after
//! the commit: under load many submissions share one fsync; alone, one waits for nobody.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    path::Path,
    sync::mpsc::{Receiver, Sender},
    time::Duration,
};

use rusqlite::Connection;

use super::{
    connect::PATIENCE,
    error::{failed, failed_io},
    heads, mailboxes,
    tx::{Mode, SqliteTx},
};
use crate::store::{Done, Job, StoreError, StoreResult};

/// The most jobs in one commit: bounds how long the first of them waits for the last.
const BATCH: usize = 4096;
/// Pages in the write-ahead log before they are copied back into the database; 32 MB. A page that changes in every
/// commit is copied once for all of them.
const LOG_PAGES: i64 = 8192;
/// How long truncating the log may keep writes waiting.
const MOMENT: Duration = Duration::from_millis(100);

/// What the writer's thread is asked to do.
pub(super) enum Command {
    Write(Job, Done),
    ForeignChanges(Sender<StoreResult<u64>>),
    Settle(Sender<StoreResult<()>>),
}

/// See the module.
struct Writer<'c> {
    conn: &'c Connection,
    tx: SqliteTx<'c>,
    /// `PRAGMA data_version`: changes when another connection commits.
    version: i64,
    foreign: u64,
    /// The length of the log at which it is copied back.
    copy_at: i64,
}

/// Runs until every sender is gone, and then, if it is the only process, leaves no log behind.
pub(super) fn run(conn: &Connection, commands: &Receiver<Command>, settle_at_end: bool) {
    let mut writer = Writer {
        conn,
        tx: SqliteTx::new(conn, Mode::Write),
        // Never a real one, so that a failure to read it here only means: somebody may have written.
        version: data_version(conn).unwrap_or(-1),
        foreign: 0,
        copy_at: LOG_PAGES,
    };
    while let Ok(command) = commands.recv() {
        writer.take(command, commands);
    }
    if settle_at_end && let Err(error) = writer.settle() {
        tracing::warn!(event = "store_close", %error);
    }
}

impl Writer<'_> {
    /// Handles `command`, and with a write all writes that wait behind it.
    fn take(&mut self, command: Command, commands: &Receiver<Command>) {
        let (mut jobs, mut dones) = (Vec::new(), Vec::new());
        let mut next = Some(command);
        while let Some(Command::Write(job, done)) = next {
            jobs.push(job);
            dones.push(done);
            next = if jobs.len() < BATCH { commands.try_recv().ok() } else { None };
        }
        if !jobs.is_empty() {
            self.write(jobs, dones);
        }
        match next {
            Some(Command::ForeignChanges(answer)) => {
                let _ = answer.send(self.look_around().map(|()| self.foreign));
            }
            Some(Command::Settle(answer)) => {
                let _ = answer.send(self.settle());
            }
            Some(Command::Write(..)) | None => {}
        }
    }

    /// One group commit.
    fn write(&mut self, jobs: Vec<Job>, dones: Vec<Done>) {
        let results = match self.commit(jobs) {
            Ok(results) => results,
            Err(error) => {
                self.roll_back(&error);
                vec![(0, Err(error)); dones.len()]
            }
        };
        // Each job's pushes and then its answer, so that a connection that gets both is woken once.
        let mut after = std::mem::take(&mut self.tx.after).into_iter();
        for (done, (callbacks, result)) in dones.into_iter().zip(results) {
            for then in after.by_ref().take(callbacks) {
                guard("an after_commit", then);
            }
            guard("a done", || done(result));
        }
        self.copy_back();
    }

    /// Runs the jobs in one transaction. An error is everybody's; an answer is each one's own, with the number of
    /// its `after_commit`s.
    fn commit(&mut self, jobs: Vec<Job>) -> StoreResult<Vec<(usize, StoreResult<()>)>> {
        self.sql("beginning a commit", "BEGIN IMMEDIATE")?;
        self.look_around()?;
        let run = |job| {
            let before = self.tx.after.len();
            let result = self.job(job)?;
            Ok((self.tx.after.len() - before, result))
        };
        let results = jobs.into_iter().map(run).collect::<StoreResult<Vec<_>>>()?;
        heads::flush(&mut self.tx)?;
        mailboxes::flush(&mut self.tx)?;
        self.sql("committing", "COMMIT")?;
        Ok(results)
    }

    /// Runs one job. If it fails before it wrote anything, that is its own affair.
    fn job(&mut self, job: Job) -> StoreResult<StoreResult<()>> {
        self.tx.wrote = false;
        let callbacks = self.tx.after.len();
        let result = catch_unwind(AssertUnwindSafe(|| job(&mut self.tx)))
            .map_err(|_| StoreError::Failed { doing: "running a write job", why: "it panicked".into() })?;
        if let Some(error) = self.tx.broken.take() {
            return Err(error);
        }
        match result {
            Err(error) if self.tx.wrote => Err(error),
            Err(error) => {
                self.tx.after.truncate(callbacks);
                Ok(Err(error))
            }
            Ok(()) => Ok(Ok(())),
        }
    }

    fn roll_back(&mut self, error: &StoreError) {
        tracing::error!(event = "commit_failed", %error);
        self.tx.forget();
        // Some failures have rolled back by themselves.
        if !self.conn.is_autocommit()
            && let Err(error) = self.sql("rolling back", "ROLLBACK")
        {
            tracing::error!(event = "rollback_failed", %error);
        }
        if matches!(error, StoreError::Full) {
            // What the log holds may fit into the database; then its room can be used again.
            self.copy_at = 0;
        }
    }

    /// Notices whether another process has written, and forgets what that may have changed.
    fn look_around(&mut self) -> StoreResult<()> {
        let version = data_version(self.conn)?;
        if version != self.version {
            self.version = version;
            self.foreign += 1;
            self.tx.cache.clear();
        }
        Ok(())
    }

    /// Copies a long log back into the database, after everybody was answered. What fails here is tried again.
    fn copy_back(&mut self) {
        let attempt = || {
            let (log, _) = self.checkpoint("PRAGMA wal_checkpoint(NOOP)")?;
            if log < self.copy_at || !self.copy_fits()? {
                return Ok(self.copy_at);
            }
            let (log, copied) = self.checkpoint("PRAGMA wal_checkpoint(PASSIVE)")?;
            // Somebody still reads what is in the log: leave them some time.
            Ok(if copied < log { log + LOG_PAGES / 4 } else { LOG_PAGES })
        };
        match attempt() {
            Ok(copy_at) => self.copy_at = copy_at,
            Err(error @ StoreError::Failed { .. }) => tracing::warn!(event = "checkpoint_failed", %error),
            Err(_) => {}
        }
    }

    /// Whether the disk has room for the database with all that the log holds. A copy that ends half-way would
    /// leave a log that is still needed, and none of the room that writes could have used.
    fn copy_fits(&self) -> StoreResult<bool> {
        let doing = "measuring the disk's room";
        let sql = "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size";
        let size = self.conn.query_row(sql, [], |row| row.get::<_, i64>(0)).map_err(|e| failed(doing, e))?;
        let size = u64::try_from(size).unwrap_or_default();
        let path = Path::new(self.conn.path().unwrap_or_default());
        let now = std::fs::metadata(path).map_err(|e| failed_io(doing, e))?.len();
        let disk = rustix::fs::statvfs(path).map_err(|e| failed_io(doing, e.into()))?;
        Ok(size.saturating_sub(now) <= disk.f_bavail * disk.f_frsize)
    }

    /// Runs a checkpoint; returns how many pages the log has, and how many of them were copied.
    fn checkpoint(&self, pragma: &str) -> StoreResult<(i64, i64)> {
        let doing = "copying the write-ahead log back";
        let numbers = self
            .conn
            .prepare_cached(pragma)
            .and_then(|mut s| s.query_row([], |row| Ok((row.get(1)?, row.get(2)?))));
        numbers.map_err(|e| failed(doing, e))
    }

    /// Waits only a moment for whoever reads (a backup may, for long): writes wait behind this. Gives the memory of
    /// cached pages back: many devices that came once would leave megabytes, and what is hot is soon read again.
    fn settle(&mut self) -> StoreResult<()> {
        let doing = "truncating the write-ahead log";
        let truncate = || {
            self.conn.busy_timeout(MOMENT)?;
            let busy = self.conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0));
            self.conn.busy_timeout(PATIENCE)?;
            self.conn.execute_batch("PRAGMA shrink_memory")?;
            busy
        };
        let busy: bool = truncate().map_err(|e| failed(doing, e))?;
        if busy {
            let why = "another process reads or writes; try again when it is done".into();
            return Err(StoreError::Failed { doing, why });
        }
        Ok(())
    }

    fn sql(&self, doing: &'static str, sql: &str) -> StoreResult<()> {
        let result = self.conn.prepare_cached(sql).and_then(|mut s| s.execute([]));
        result.map(drop).map_err(|e| failed(doing, e))
    }
}

fn data_version(conn: &Connection) -> StoreResult<i64> {
    let version =
        conn.prepare_cached("PRAGMA data_version").and_then(|mut s| s.query_row([], |row| row.get(0)));
    version.map_err(|e| failed("looking for another process's changes", e))
}

/// Runs somebody's callback; its panic is its own.
pub(super) fn guard(what: &'static str, callback: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(callback)).is_err() {
        tracing::error!(event = "callback_panicked", error = what);
    }
}
