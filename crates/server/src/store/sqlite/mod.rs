//! The embedded store: SQLite in one folder. Durable before it answers, one writer, a few readers.
//!
//! | file | what is in it |
//! | --- | --- |
//! | `folder`, `connect`, `schema`, `v1.sql` | the files, their settings, their tables |
//! | `writer`, `reader` | the threads: group commit, snapshots |
//! | `tx`, `ops`, `cache` | a transaction, its operations, what is remembered between commits |
//! | `accounts`, `mailboxes`, `entries`, `heads`, `stock`, `names`, `directory`, `cases`, `desk` | the operations, by what they keep |
//! | `sweep`, `backup`, `verify` | retention and care |
//!
//! *Invariant:* what was answered with success is on disk; of a commit that failed nothing is.

mod accounts;
mod backup;
mod cache;
mod cases;
mod connect;
mod desk;
mod directory;
mod entries;
mod error;
mod folder;
mod heads;
mod mailboxes;
mod names;
mod ops;
mod policy;
mod reader;
mod schema;
mod stock;
mod sweep;
mod tx;
mod verify;
mod writer;

use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex,
        mpsc::{self, Sender},
    },
    thread::{self, JoinHandle},
};

use rusqlite::Connection;

use self::{error::failed_io, writer::Command};
use super::{Done, Job, Store, StoreError, StoreResult};

/// How many jobs may read at once, beside the one that writes.
const READERS: usize = 2;

/// A [`Store`] in SQLite. Dropping it closes it.
#[derive(Debug)]
pub struct SqliteStore {
    data_dir: PathBuf,
    /// None once closed.
    queues: Mutex<Option<Queues>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Clone, Debug)]
struct Queues {
    writes: Sender<Command>,
    reads: Sender<(Job, Done)>,
}

impl SqliteStore {
    /// Opens the store of a server, and makes it if it is missing. One process at a time may do that.
    pub fn open(data_dir: &Path) -> StoreResult<Self> {
        folder::prepare(data_dir)?;
        let lock = folder::lock(data_dir)?;
        let mut conn = connect::writer(&folder::database(data_dir))?;
        schema::migrate(&mut conn)?;
        Self::start(data_dir, conn, Some(lock))
    }

    /// Opens the store for an operator's command, beside a server that may be using it. Each job commits at
    /// once, and the server notices ([`Store::foreign_changes`]).
    pub fn open_beside(data_dir: &Path) -> StoreResult<Self> {
        folder::prepare(data_dir)?;
        let mut conn = connect::writer(&folder::database(data_dir))?;
        if !schema::is_current(&conn)? {
            // The tables may change only under a server that is not running.
            let _lock = folder::lock(data_dir)?;
            schema::migrate(&mut conn)?;
        }
        Self::start(data_dir, conn, None)
    }

    /// Starts the threads. The writer's holds the lock until it has finished.
    fn start(data_dir: &Path, conn: Connection, lock: Option<std::fs::File>) -> StoreResult<Self> {
        let mut threads = Vec::with_capacity(1 + READERS);
        let (reads, jobs) = mpsc::channel();
        let jobs = Arc::new(Mutex::new(jobs));
        for _ in 0..READERS {
            let conn = connect::reader(&folder::database(data_dir))?;
            let jobs = jobs.clone();
            threads.push(spawn("zegel-read", move || reader::run(&conn, &jobs))?);
        }
        let (writes, commands) = mpsc::channel();
        threads.push(spawn("zegel-write", move || {
            writer::run(&conn, &commands, lock.is_some());
            drop(conn);
            drop(lock);
        })?);
        let queues = Mutex::new(Some(Queues { writes, reads }));
        Ok(Self { data_dir: data_dir.to_owned(), queues, threads: Mutex::new(threads) })
    }

    fn queues(&self) -> Option<Queues> {
        self.queues.lock().expect("no panic holds this lock").clone()
    }

    /// Asks the writer's thread, and waits for what it says.
    fn ask<T>(&self, question: impl FnOnce(Sender<StoreResult<T>>) -> Command) -> StoreResult<T> {
        let (answer, said) = mpsc::channel();
        let queues = self.queues().ok_or(StoreError::Closed)?;
        queues.writes.send(question(answer)).map_err(|_| StoreError::Closed)?;
        drop(queues);
        said.recv().map_err(|_| StoreError::Closed)?
    }
}

impl Store for SqliteStore {
    fn write_job(&self, job: Job, done: Done) {
        let Some(queues) = self.queues() else { return done(Err(StoreError::Closed)) };
        if let Err(mpsc::SendError(Command::Write(_, done))) = queues.writes.send(Command::Write(job, done)) {
            done(Err(StoreError::Closed));
        }
    }

    fn read_job(&self, job: Job, done: Done) {
        let Some(queues) = self.queues() else { return done(Err(StoreError::Closed)) };
        if let Err(mpsc::SendError((_, done))) = queues.reads.send((job, done)) {
            done(Err(StoreError::Closed));
        }
    }

    fn backup(&self, to: &Path) -> StoreResult<()> {
        self.queues().ok_or(StoreError::Closed)?;
        backup::backup(&self.data_dir, to)
    }

    fn verify(&self) -> StoreResult<Vec<String>> {
        self.queues().ok_or(StoreError::Closed)?;
        verify::verify(&self.data_dir)
    }

    fn foreign_changes(&self) -> StoreResult<u64> {
        self.ask(Command::ForeignChanges)
    }

    fn settle(&self) -> StoreResult<()> {
        self.ask(Command::Settle)
    }

    fn close(&self) {
        // Without senders, the threads finish what is queued and end.
        self.queues.lock().expect("no panic holds this lock").take();
        let threads = std::mem::take(&mut *self.threads.lock().expect("no panic holds this lock"));
        for thread in threads {
            // A callback may hold the last reference to the store: a thread cannot wait for itself.
            if thread.thread().id() != thread::current().id() && thread.join().is_err() {
                tracing::error!(event = "store_thread_panicked");
            }
        }
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        self.close();
    }
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> StoreResult<JoinHandle<()>> {
    let thread = thread::Builder::new().name(name.into()).spawn(body);
    thread.map_err(|e| failed_io("starting a thread of the store", e))
}
