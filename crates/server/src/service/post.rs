//! Puts entries into mailboxes within one write job, and pushes them to connections after the commit.

use std::{collections::HashMap, sync::Arc};

use bytes::Bytes;
use zegel_proto::{AccountId, DeviceId, Message as _, padding_for, v1};

use super::{
    address_value::{AddressValue, State, Target},
    answers::Answers,
    hour_keys::{HourKey, HourKeys, NOBODY, SINK},
};
use crate::{
    clock::Now,
    hub::{Hub, Push},
    store::{HourKeyRow, Mailbox, StoreResult, StoredEntry, Tx},
};

/// A shared payload to push along: name and sealed bytes.
pub(super) type Pushed = Option<(Bytes, Bytes)>;

/// What every post needs.
#[derive(Clone)]
pub(super) struct PostOffice {
    pub(super) hours: Arc<HourKeys>,
    pub(super) answers: Arc<Answers>,
    pub(super) hub: Arc<Hub>,
    pub(super) unaccepted_entries: u32,
}

impl PostOffice {
    /// Forgets a device that may no longer connect, and ends its connection.
    pub(super) fn end_device(&self, device: &DeviceId) {
        self.hours.forget_device(device);
        self.answers.forget_device(device);
        self.hub.end(device);
    }
}

/// The mail of one job. Dropped without [`Post::finish`], the mailboxes do not know what was put.
pub(super) struct Post<'a> {
    pub(super) tx: &'a mut dyn Tx,
    office: &'a PostOffice,
    now: Now,
    boxes: HashMap<DeviceId, Mailbox>,
    pushes: Vec<(DeviceId, Push)>,
    fresh: Vec<Arc<HourKey>>,
    answered: Option<(DeviceId, u64, [u8; 32])>,
}

/// An empty mailbox. Its numbers begin anywhere, so that they tell nothing of how much came.
pub(super) fn new_mailbox(account: AccountId) -> Mailbox {
    let seq = random_48();
    Mailbox { account, first_seq: seq, next_seq: seq }
}

/// Where a sequence begins.
pub(super) fn random_48() -> u64 {
    rand::random::<u64>() >> 16
}

/// An entry as it is sealed.
pub(super) fn padded(body: v1::entry::Body) -> Vec<u8> {
    let mut entry = v1::Entry { body: Some(body), padding: Bytes::new() };
    entry.padding = vec![0; padding_for(entry.encoded_len())].into();
    entry.encode_to_vec()
}

impl<'a> Post<'a> {
    pub(super) fn new(tx: &'a mut dyn Tx, office: &'a PostOffice, now: Now) -> Self {
        let (boxes, pushes, fresh) = Default::default();
        Self { tx, office, now, boxes, pushes, fresh, answered: None }
    }

    /// The mailbox of a device, if it has one; the sink always has.
    pub(super) fn mailbox(&mut self, device: &DeviceId) -> StoreResult<Option<&mut Mailbox>> {
        use std::collections::hash_map::Entry;
        Ok(match self.boxes.entry(*device) {
            Entry::Occupied(known) => Some(known.into_mut()),
            Entry::Vacant(place) => match self.tx.mailbox(device)? {
                Some(mailbox) => Some(place.insert(mailbox)),
                None if *device == SINK => Some(place.insert(new_mailbox(NOBODY))),
                None => None,
            },
        })
    }

    /// Adds an entry (see [`padded`]); returns its number. A device without a mailbox gets nothing.
    pub(super) fn put(
        &mut self,
        device: &DeviceId,
        plain: &[u8],
        payload: &Pushed,
    ) -> StoreResult<Option<u64>> {
        let Some(account) = self.mailbox(device)?.map(|mailbox| mailbox.account) else { return Ok(None) };
        let hour = self.now.hour();
        let Some(key) = self.office.hours.current(self.tx, &account, device, hour)? else {
            return Ok(None);
        };
        let fresh = self.keep(device, &key)?;
        let Some(mailbox) = self.boxes.get_mut(device) else { return Ok(None) };
        let seq = mailbox.next_seq;
        mailbox.next_seq += 1;
        let sealed = key.seal(device, seq, plain);
        let entry = StoredEntry { hour_key: key.id, sealed: sealed.clone() };
        self.tx.put_entry(device, seq, hour, &entry)?;
        let push = Push { seq, hour_key: key.id, fresh, sealed, payload: payload.clone() };
        self.pushes.push((*device, push));
        Ok(Some(seq))
    }

    /// Adds the confirmation of a submission; when the device acknowledges it, the answer in this row ends.
    pub(super) fn confirm(&mut self, device: &DeviceId, plain: &[u8], answer: [u8; 32]) -> StoreResult<()> {
        let seq = self.put(device, plain, &None)?;
        self.answered = seq.map(|seq| (*device, seq, answer));
        Ok(())
    }

    /// Stores the hour key, unless an earlier commit did; returns what was stored.
    fn keep(&mut self, device: &DeviceId, key: &Arc<HourKey>) -> StoreResult<Option<Arc<HourKeyRow>>> {
        let fresh = key.not_stored();
        if let Some(row) = &fresh {
            self.tx.put_hour_key(device, row)?;
            self.fresh.push(key.clone());
        }
        Ok(fresh)
    }

    /// Stores the current hour's key of a device that connects, so that a key on disk does not tell of mail.
    pub(super) fn keep_hour_key(&mut self, account: &AccountId, device: &DeviceId) -> StoreResult<()> {
        match self.office.hours.current(self.tx, account, device, self.now.hour())? {
            Some(key) => self.keep(device, &key).map(drop),
            None => Ok(()),
        }
    }

    /// Where mail to this address goes now: a mailbox, the sink, or nowhere. Counts it, if the address is not
    /// accepted yet.
    pub(super) fn route(&mut self, target: &Target) -> StoreResult<Option<DeviceId>> {
        let Some(mut value) = self.open(target)? else { return Ok(None) };
        let device = value.device;
        let Some(binding) = value.binding(&target.tag) else { return Ok(None) };
        let over = binding.state.is_over(self.now.hour());
        if let State::Pending { entries, .. } = &mut binding.state {
            *entries = entries.saturating_add(1);
            if over || *entries > self.office.unaccepted_entries {
                binding.state = State::Sink;
            }
        }
        let state = binding.state;
        let to = if state == State::Sink { SINK } else { device };
        if self.mailbox(&to)?.is_none() {
            // The device was revoked: nothing will ever come to this address again.
            self.tx.bury_address(&target.hash, &target.seal(&value.buried()), self.now.day())?;
            return Ok(None);
        }
        // What is dropped is written as well: the sender could measure the difference.
        if state != State::Accepted {
            self.tx.put_address(&target.hash, &target.seal(&value))?;
        }
        Ok(Some(to))
    }

    /// The value of an address, if there is one.
    pub(super) fn open(&mut self, target: &Target) -> StoreResult<Option<AddressValue>> {
        Ok(self.tx.address(&target.hash)?.and_then(|sealed| target.open(&sealed)))
    }

    /// Writes the mailboxes' counters, and pushes after the commit.
    pub(super) fn finish(self) -> StoreResult<()> {
        let Self { tx, office, boxes, pushes, fresh, answered, .. } = self;
        for (device, mailbox) in &boxes {
            tx.put_mailbox(device, mailbox)?;
        }
        let office = office.clone();
        tx.after_commit(Box::new(move || {
            for key in fresh {
                key.set_stored();
            }
            // Before the push: the acknowledgement finds it.
            if let Some((device, seq, row)) = answered {
                office.answers.put(&device, seq, row);
            }
            for (device, push) in pushes {
                office.hub.push(&device, push);
            }
        }));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        keys::KeyRing,
        store::{SqliteStore, write},
    };
    use zegel_proto::{Address, GroupId};

    /// Where mail to an introduced address goes after so many hours.
    async fn routed_after(hours: u64) -> [Option<DeviceId>; 2] {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let store = SqliteStore::open(&data).expect("a store");
        let keys = KeyRing::load_or_create(&dir.path().join("keys.toml"), &data, "localhost").expect("keys");
        let target = Target::new(&keys, &Address([2; 16]), &GroupId([3; 32]));
        let device = DeviceId([1; 16]);
        let office = PostOffice {
            hours: Arc::new(HourKeys::new()),
            answers: Arc::default(),
            hub: Arc::default(),
            unaccepted_entries: 1000,
        };
        let start = Now { ms: 1_800_000_000_000 };
        let later = Now { ms: start.ms + hours * 3_600_000 };
        let routed = write(&store, move |tx| {
            tx.put_mailbox(&device, &new_mailbox(AccountId([4; 16])))?;
            let mut value = AddressValue::unbound(device, false);
            let (since_hour, introducer) = (start.hour(), AccountId([5; 16]));
            value.bind(target.tag, State::Pending { entries: 0, since_hour, introducer }, since_hour);
            tx.put_address(&target.hash, &target.seal(&value))?;
            let first = Post::new(tx, &office, later).route(&target)?;
            // What counts as declined stays so, whatever the clock says.
            Ok([first, Post::new(tx, &office, start).route(&target)?])
        });
        routed.await.expect("written")
    }

    #[tokio::test]
    async fn an_introduction_nobody_accepts_counts_as_declined_after_28_days() {
        let device = Some(DeviceId([1; 16]));
        assert_eq!(routed_after(28 * 24).await, [device, device]);
        assert_eq!(routed_after(28 * 24 + 1).await, [Some(SINK), Some(SINK)]);
    }
}
