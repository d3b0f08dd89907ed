//! Who is connected, and how what was just committed reaches them.
//!
//! Pushing is only a short cut: whatever is lost here is still in the mailbox, and a connection that sees a
//! number out of turn reads the store again.

use std::{
    collections::{HashMap, VecDeque},
    future::poll_fn,
    sync::{Arc, Mutex, RwLock},
    task::Poll,
};

use bytes::Bytes;
use futures_util::task::AtomicWaker;
use zegel_proto::DeviceId;

use crate::store::HourKeyRow;

/// A committed entry on its way to a connection.
#[derive(Clone, Debug)]
pub struct Push {
    /// Its number in the mailbox.
    pub seq: u64,
    /// The id of the hour key that opens it.
    pub hour_key: u64,
    /// That key, if the commit that stored the entry stored it too; others are in the store.
    pub fresh: Option<Arc<HourKeyRow>>,
    /// Nonce and ciphertext.
    pub sealed: Bytes,
    /// The shared payload it refers to: blob name and sealed bytes.
    pub payload: Option<(Bytes, Bytes)>,
}

/// What a connection is told.
#[derive(Clone, Debug)]
pub enum Note {
    /// An entry was committed.
    Entry(Push),
    /// Entries were skipped: read the store.
    Behind,
    /// Another connection of the same device took over.
    Replaced,
    /// The account was suspended or deleted, or the device revoked.
    Ended,
}

/// How many entries may wait for a slow connection before it has to read the store.
const DEPTH: usize = 256;
/// How many bytes of them; one entry may exceed it.
const DEPTH_BYTES: usize = 2 << 20;

/// The connected devices of this server process.
#[derive(Debug, Default)]
pub struct Hub {
    connected: RwLock<HashMap<DeviceId, Arc<Inbox>>>,
}

/// Notes on their way to one connection. A channel of a ready-made kind would hold kilobytes for each idle
/// connection; this holds nothing until there is something to say.
#[derive(Debug, Default)]
struct Inbox {
    notes: Mutex<Notes>,
    listener: AtomicWaker,
}

#[derive(Debug, Default)]
struct Notes {
    queue: VecDeque<Note>,
    /// Of the entries in the queue.
    bytes: usize,
    /// A `Behind` is in the queue.
    behind: bool,
}

/// A connection's ear at the hub.
#[derive(Debug)]
pub struct Ear {
    device: DeviceId,
    inbox: Arc<Inbox>,
}

impl Hub {
    /// Registers the connection of a device; an older one of the same device is told that it was replaced.
    pub fn connect(&self, device: DeviceId) -> Ear {
        let inbox = Arc::<Inbox>::default();
        let old = self.connected.write().expect("no panic holds this lock").insert(device, inbox.clone());
        if let Some(old) = old {
            old.end_with(Note::Replaced);
        }
        Ear { device, inbox }
    }

    /// Unregisters the connection, unless a newer one took its place.
    pub fn disconnect(&self, ear: &Ear) {
        let mut connected = self.connected.write().expect("no panic holds this lock");
        if connected.get(&ear.device).is_some_and(|inbox| Arc::ptr_eq(inbox, &ear.inbox)) {
            connected.remove(&ear.device);
        }
    }

    /// Hands an entry to the device's connection, if there is one. Called in the order of the commits.
    pub fn push(&self, device: &DeviceId, push: Push) {
        let connected = self.connected.read().expect("no panic holds this lock");
        if let Some(inbox) = connected.get(device) {
            inbox.push(push);
        }
    }

    /// Ends the connection of a device, if there is one.
    pub fn end(&self, device: &DeviceId) {
        let connected = self.connected.read().expect("no panic holds this lock");
        if let Some(inbox) = connected.get(device) {
            inbox.end_with(Note::Ended);
        }
    }

    /// The devices that are connected now.
    pub fn devices(&self) -> Vec<DeviceId> {
        self.connected.read().expect("no panic holds this lock").keys().copied().collect()
    }

    /// How many devices are connected now.
    pub fn len(&self) -> usize {
        self.connected.read().expect("no panic holds this lock").len()
    }

    /// Whether nobody is.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Push {
    fn bytes(&self) -> usize {
        self.sealed.len() + self.payload.as_ref().map_or(0, |(_, sealed)| sealed.len())
    }
}

impl Inbox {
    fn push(&self, push: Push) {
        let mut notes = self.notes.lock().expect("no panic holds this lock");
        if notes.behind {
            // One `Behind` is enough: entries would only pile up in memory.
            return;
        }
        if notes.queue.len() < DEPTH && notes.bytes < DEPTH_BYTES {
            notes.bytes += push.bytes();
            notes.queue.push_back(Note::Entry(push));
        } else {
            notes.behind = true;
            notes.queue.push_back(Note::Behind);
        }
        drop(notes);
        self.listener.wake();
    }

    /// What ends a connection overtakes the entries that wait: they stay in the mailbox.
    fn end_with(&self, last: Note) {
        self.notes.lock().expect("no panic holds this lock").queue.push_front(last);
        self.listener.wake();
    }
}

impl Ear {
    /// Returns when there is a note to take.
    pub async fn heard(&mut self) {
        poll_fn(|context| {
            self.inbox.listener.register(context.waker());
            let notes = self.inbox.notes.lock().expect("no panic holds this lock");
            if notes.queue.is_empty() { Poll::Pending } else { Poll::Ready(()) }
        })
        .await
    }

    /// The next note, if one is there already.
    pub fn try_next(&mut self) -> Option<Note> {
        let mut notes = self.inbox.notes.lock().expect("no panic holds this lock");
        let note = notes.queue.pop_front();
        match &note {
            Some(Note::Entry(push)) => notes.bytes -= push.bytes(),
            Some(Note::Behind) => notes.behind = false,
            Some(Note::Replaced | Note::Ended) | None => {}
        }
        if notes.queue.is_empty() && notes.queue.capacity() > 0 {
            notes.queue = VecDeque::new();
        }
        note
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn push(seq: u64) -> Push {
        let nothing = Bytes::new;
        Push { seq, hour_key: 1, fresh: None, sealed: nothing(), payload: None }
    }

    #[test]
    fn large_entries_count_by_their_bytes() {
        let hub = Hub::default();
        let device = DeviceId::random();
        let mut ear = hub.connect(device);
        let large = Bytes::from(vec![0; DEPTH_BYTES]);
        (0..3).for_each(|seq| hub.push(&device, Push { sealed: large.clone(), ..push(seq) }));
        assert!(matches!(ear.try_next(), Some(Note::Entry(p)) if p.seq == 0));
        assert!(matches!(ear.try_next(), Some(Note::Behind)));
        assert!(ear.try_next().is_none());
    }

    #[test]
    fn a_slow_connection_is_told_once_that_it_is_behind() {
        let hub = Hub::default();
        let device = DeviceId::random();
        let mut ear = hub.connect(device);
        (0..1000).for_each(|seq| hub.push(&device, push(seq)));
        for want in 0..DEPTH as u64 {
            assert!(matches!(ear.try_next(), Some(Note::Entry(p)) if p.seq == want));
        }
        assert!(matches!(ear.try_next(), Some(Note::Behind)));
        assert!(ear.try_next().is_none());
        hub.push(&device, push(1000));
        assert!(matches!(ear.try_next(), Some(Note::Entry(p)) if p.seq == 1000));
    }

    #[test]
    fn the_newer_connection_stays_when_the_older_leaves() {
        let hub = Hub::default();
        let device = DeviceId::random();
        let mut old = hub.connect(device);
        let mut new = hub.connect(device);
        assert!(matches!(old.try_next(), Some(Note::Replaced)));
        hub.disconnect(&old);
        hub.push(&device, push(7));
        assert!(matches!(new.try_next(), Some(Note::Entry(_))));
        hub.end(&device);
        assert!(matches!(new.try_next(), Some(Note::Ended)));
        hub.disconnect(&new);
        assert!(hub.is_empty());
    }
}
