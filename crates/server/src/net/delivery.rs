//! Brings a mailbox to its device: first what waits in the store, then what is committed meanwhile, each
//! number once and in order.

use std::{pin::Pin, sync::Arc};

use zegel_proto::{DeviceId, v1};

use super::Shared;
use crate::{
    hub::{Ear, Note, Push},
    store::{HourKeyRow, StoreResult},
};

/// The most entries in one frame.
const BATCH: usize = 64;
/// A frame that holds this many bytes of entries is sent.
const BATCH_BYTES: usize = 256 << 10;
/// Shared payloads come along until a frame holds this many bytes; the device fetches others as blobs.
const PAYLOAD_ROOM: usize = 1 << 20;

/// What the connection does next.
pub enum Turn {
    /// Send this.
    Send(v1::Deliver),
    /// Another connection of the same device took over.
    Replaced,
    /// The account or the device may no longer connect.
    Ended,
    /// The store could not be read.
    Failed,
}

type Page = Pin<Box<dyn Future<Output = StoreResult<v1::Deliver>> + Send>>;

/// The delivery to one connection; registered at the hub as long as it lives.
pub struct Delivery {
    shared: Arc<Shared>,
    ear: Ear,
    device: DeviceId,
    /// The number that comes next.
    next: u64,
    /// The store must be read before the hub's entries can follow.
    behind: bool,
    /// One more than the highest number that the hub told of while behind.
    told: u64,
    /// A page being read; kept here so that dropping a [`Delivery::next`] future does not start it again.
    reading: Option<Page>,
    /// The hour key that the device was sent last.
    hour_key: Option<u64>,
    /// What ends the delivery, heard while a batch was put together.
    last: Option<Turn>,
}

impl Delivery {
    /// Registers at the hub and begins at `next`. The store is read after that, so nothing falls between.
    pub fn begin(shared: Arc<Shared>, device: DeviceId, next: u64) -> Self {
        let ear = shared.hub.connect(device);
        Self { shared, ear, device, next, behind: true, told: 0, reading: None, hour_key: None, last: None }
    }

    /// What to do next. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Turn {
        loop {
            if let Some(last) = self.last.take() {
                return last;
            }
            if self.behind {
                match self.page().await {
                    Ok(Some(page)) => return Turn::Send(page),
                    Ok(None) => continue,
                    Err(error) => {
                        tracing::error!(%error, "while reading a mailbox");
                        return Turn::Failed;
                    }
                }
            }
            self.ear.heard().await;
            // A commit tells of its entries one by one: others that are at work go first, so that they come together.
            tokio::task::yield_now().await;
            if let Some(batch) = self.pushed() {
                return Turn::Send(batch);
            }
        }
    }

    /// What can be sent without waiting, if anything.
    pub fn ready(&mut self) -> Option<v1::Deliver> {
        if self.behind || self.last.is_some() { None } else { self.pushed() }
    }

    /// Reads a page of the store; none if there is no more.
    async fn page(&mut self) -> StoreResult<Option<v1::Deliver>> {
        if self.reading.is_none() {
            // What the hub told so far is committed, so the page that is read now shows it.
            while let Some(note) = self.ear.try_next() {
                match note {
                    Note::Entry(push) => self.told = self.told.max(push.seq + 1),
                    Note::Behind => {}
                    Note::Replaced => self.last = Some(Turn::Replaced),
                    Note::Ended => self.last = Some(Turn::Ended),
                }
            }
            if self.last.is_some() {
                return Ok(None);
            }
        }
        let (device, from) = (self.device, self.next);
        let reading = self.reading.get_or_insert_with(|| {
            let service = self.shared.service.clone();
            Box::pin(async move { service.waiting(&device, from, BATCH).await })
        });
        let page = reading.as_mut().await;
        self.reading = None;
        let mut page = page?;
        let Some(last) = page.entries.last() else {
            // What was told and is not there was deleted: there is nothing left to wait for.
            self.behind = false;
            self.next = self.next.max(self.told);
            return Ok(None);
        };
        self.next = last.seq + 1;
        page.hour_keys.retain(|key| self.hour_key != Some(key.id));
        self.hour_key = Some(last.hour_key);
        Ok(Some(page))
    }

    /// Puts together what the hub has, as far as it follows on; none if that is nothing.
    fn pushed(&mut self) -> Option<v1::Deliver> {
        let mut batch = v1::Deliver::default();
        let mut size = 0;
        while let Some(heard) = self.ear.try_next() {
            match heard {
                Note::Entry(push) if push.seq < self.next => {}
                Note::Entry(push) if push.seq == self.next && self.opens(&push) => {
                    size += self.add(&mut batch, push, size);
                }
                Note::Entry(push) => {
                    self.told = self.told.max(push.seq + 1);
                    self.behind = true;
                }
                Note::Behind => self.behind = true,
                Note::Replaced => self.last = Some(Turn::Replaced),
                Note::Ended => self.last = Some(Turn::Ended),
            }
            if self.behind || self.last.is_some() || batch.entries.len() >= BATCH || size >= BATCH_BYTES {
                break;
            }
        }
        (!batch.entries.is_empty()).then_some(batch)
    }

    /// Whether the device has the key to this entry, or it comes along. If not, the store has it, and is read.
    fn opens(&self, push: &Push) -> bool {
        self.hour_key == Some(push.hour_key) || push.fresh.is_some()
    }

    fn add(&mut self, batch: &mut v1::Deliver, push: Push, before: usize) -> usize {
        self.next = push.seq + 1;
        if let Some(row) = push.fresh.filter(|row| self.hour_key != Some(row.id)) {
            self.hour_key = Some(row.id);
            batch.hour_keys.push(hour_key(&row));
        }
        let mut size = push.sealed.len();
        let room = PAYLOAD_ROOM.saturating_sub(before + size);
        if let Some((name, sealed)) = push.payload.filter(|(_, sealed)| sealed.len() <= room) {
            size += sealed.len();
            batch.payloads.push(v1::SharedPayload { name, sealed });
        }
        batch.entries.push(v1::SealedEntry { seq: push.seq, hour_key: push.hour_key, sealed: push.sealed });
        size
    }
}

fn hour_key(row: &HourKeyRow) -> v1::HourKey {
    v1::HourKey { id: row.id, encapsulated: row.encapsulated.clone(), sealed: row.sealed.clone() }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        self.shared.hub.disconnect(&self.ear);
    }
}
