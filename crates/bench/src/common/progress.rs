//! A bar on standard error: drawn over and over at a terminal, a line every tenth otherwise.

use std::{
    io::{IsTerminal, Write, stderr},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

const WIDTH: usize = 40;
const PACE: Duration = Duration::from_millis(100);

/// Counts towards a total; shared between tasks and threads.
pub struct Progress {
    what: String,
    total: u64,
    done: AtomicU64,
    begun: Instant,
    drawn: Mutex<Drawn>,
}

struct Drawn {
    at: Instant,
    tenth: u64,
}

impl Progress {
    /// A bar for `total` steps of `what`.
    pub fn new(what: impl Into<String>, total: u64) -> Self {
        let now = Instant::now();
        let progress = Self {
            what: what.into(),
            total: total.max(1),
            done: AtomicU64::new(0),
            begun: now,
            drawn: Mutex::new(Drawn { at: now, tenth: 0 }),
        };
        if stderr().is_terminal() {
            progress.draw(0);
        }
        progress
    }

    /// So many more are done.
    pub fn add(&self, more: u64) {
        let done = self.done.fetch_add(more, Ordering::Relaxed) + more;
        let Ok(mut drawn) = self.drawn.try_lock() else { return };
        let tenth = done * 10 / self.total;
        let due = match stderr().is_terminal() {
            true => drawn.at.elapsed() >= PACE,
            false => tenth > drawn.tenth && done < self.total,
        };
        if due {
            *drawn = Drawn { at: Instant::now(), tenth };
            self.draw(done);
        }
    }

    /// How many are done.
    pub fn done(&self) -> u64 {
        self.done.load(Ordering::Relaxed)
    }

    /// Draws the end.
    pub fn finish(&self) {
        self.draw(self.done());
        if stderr().is_terminal() {
            let _ = writeln!(stderr());
        }
    }

    fn draw(&self, done: u64) {
        let full = (done.min(self.total) * WIDTH as u64 / self.total) as usize;
        let bar = format!("{}{}", "#".repeat(full), ".".repeat(WIDTH - full));
        let (begin, end) = if stderr().is_terminal() { ("\r", "") } else { ("", "\n") };
        let seconds = self.begun.elapsed().as_secs();
        let line = format!("{begin}{:<24} [{bar}] {done}/{} {seconds} s{end}", self.what, self.total);
        let _ = stderr().write_all(line.as_bytes());
    }
}
