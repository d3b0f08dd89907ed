//! Puts entries into mailboxes within one write job, and pushes them to connections after the commit.

use std::{collections::HashMap, ops::Range, sync::Arc, time::Duration};

use bytes::Bytes;
use tokio::runtime::Handle;
use zegel_proto::{AccountId, DeviceId, Message as _, padding_for, v1};

use super::{
    address_value::{AddressValue, Binding, State, Target},
    answers::Answers,
    hour_keys::{HourKey, HourKeys, NOBODY, SINK},
};
use crate::{
    clock::Now,
    hub::{Hub, Push},
    store::{HourKeyRow, Mailbox, StoreResult, StoredEntry, Tx},
};

/// When what came from a stranger is pushed, when it is counted, and once more until the safety rules look, after the commit;
/// milliseconds. What is done against it counts when they are over.
const LATER_MS: Range<u64> = 100..400;

/// A shared payload to push along: name and sealed bytes.
pub(super) type Pushed = Option<(Bytes, Bytes)>;

/// What every post needs.
#[derive(Clone)]
pub(super) struct PostOffice {
    pub(super) hours: Arc<HourKeys>,
    pub(super) answers: Arc<Answers>,
    pub(super) hub: Arc<Hub>,
    pub(super) unaccepted_entries: u32,
    /// Where pushes wait that are made later.
    pub(super) runtime: Handle,
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
    /// What is pushed some moments after the commit.
    later: Vec<(DeviceId, Push)>,
    fresh: Vec<Arc<HourKey>>,
    answered: Option<(DeviceId, u64, [u8; 32])>,
}

/// Where an entry goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Way {
    pub(super) to: DeviceId,
    /// It was accepted there; if not, it is pushed some moments later.
    pub(super) is_accepted: bool,
}

/// Whose rows were read for a newcomer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Of the device that the address names.
    Named(DeviceId),
    /// Of this one, since it names none that is there.
    StandIn(DeviceId),
}

impl Way {
    const NOWHERE: Self = Self { to: SINK, is_accepted: false };

    fn of(state: State, device: DeviceId) -> Self {
        match state {
            State::Accepted | State::Bound => Self::accepted(device),
            State::Pending { .. } => Self::unaccepted(device),
            State::Sink { .. } => Self::NOWHERE,
            // Nothing is to tell it from one that goes on.
            State::Ended { .. } => Self::accepted(SINK),
        }
    }

    /// From whom the device expects mail: the service, or somebody it accepted.
    pub(super) fn accepted(to: DeviceId) -> Self {
        Self { to, is_accepted: true }
    }

    /// From a stranger.
    pub(super) fn unaccepted(to: DeviceId) -> Self {
        Self { to, is_accepted: false }
    }
}

/// Pushes what came from strangers, at a moment that their senders do not know: whoever measured what the service does right
/// after an introduction could see that somebody is connected and got it. (Chance, and so much that a device's answer
/// meets nothing else of the sender's.)
async fn push_later(hub: Arc<Hub>, pushes: Vec<(DeviceId, Push)>) {
    later().await;
    for (device, push) in pushes {
        hub.push(&device, push);
    }
}

/// When what was done before is counted: an answer to it, however fast, comes after it.
pub(super) async fn counted() {
    tokio::time::sleep(Duration::from_millis(LATER_MS.end)).await;
}

/// A moment that whoever caused it does not know.
pub(super) async fn later() {
    tokio::time::sleep(Duration::from_millis(rand::random_range(LATER_MS))).await;
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
        let (boxes, pushes, later, fresh) = Default::default();
        Self { tx, office, now, boxes, pushes, later, fresh, answered: None }
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

    /// The account and device at or after this one. Only to be read: nobody wrote to them.
    pub(super) fn somebody(&mut self, near: &DeviceId) -> StoreResult<Option<(AccountId, DeviceId)>> {
        let Some(device) = self.tx.device_near(near)? else { return Ok(None) };
        Ok(self.mailbox(&device)?.map(|mailbox| (mailbox.account, device)))
    }

    /// Adds an entry (see [`padded`]) on its way.
    pub(super) fn put(&mut self, way: &Way, plain: &[u8], payload: &Pushed) -> StoreResult<()> {
        let Some(push) = self.store(&way.to, plain, payload)? else { return Ok(()) };
        let pushes = if way.is_accepted { &mut self.pushes } else { &mut self.later };
        pushes.push((way.to, push));
        Ok(())
    }

    /// Stores an entry; returns what is to be pushed. A device without a mailbox gets nothing.
    fn store(&mut self, device: &DeviceId, plain: &[u8], payload: &Pushed) -> StoreResult<Option<Push>> {
        if self.mailbox(device)?.is_none() {
            return Ok(None);
        }
        let hour = self.now.hour();
        let Some(key) = self.office.hours.current(self.tx, device, hour)? else {
            return Ok(None);
        };
        let fresh = self.keep(device, &key)?;
        let Some(mailbox) = self.boxes.get_mut(device) else { return Ok(None) };
        let seq = mailbox.next_seq;
        mailbox.next_seq += 1;
        let sealed = key.seal(device, seq, plain);
        let entry = StoredEntry { hour_key: key.id, sealed: sealed.clone() };
        self.tx.put_entry(device, seq, hour, &entry)?;
        Ok(Some(Push { seq, hour_key: key.id, fresh, sealed, payload: payload.clone() }))
    }

    /// Adds the confirmation of a submission; when the device acknowledges it, the answer in this row ends.
    pub(super) fn confirm(&mut self, device: &DeviceId, plain: &[u8], answer: [u8; 32]) -> StoreResult<()> {
        let Some(push) = self.store(device, plain, &None)? else { return Ok(()) };
        self.answered = Some((*device, push.seq, answer));
        self.pushes.push((*device, push));
        Ok(())
    }

    /// Stores the hour key, unless an earlier commit did; returns what was stored.
    fn keep(&mut self, device: &DeviceId, key: &Arc<HourKey>) -> StoreResult<Option<Arc<HourKeyRow>>> {
        let fresh = key.not_stored();
        if let Some(row) = &fresh
            && !self.fresh.iter().any(|kept| Arc::ptr_eq(kept, key))
        {
            self.tx.put_hour_key(device, row)?;
            self.fresh.push(key.clone());
        }
        Ok(fresh)
    }

    /// Stores the current hour's key of a device, before any mail of that hour: of one that connects, so that a key on disk
    /// does not tell of mail.
    pub(super) fn keep_hour_key(&mut self, device: &DeviceId) -> StoreResult<()> {
        match self.office.hours.current(self.tx, device, self.now.hour())? {
            Some(key) => self.keep(device, &key).map(drop),
            None => Ok(()),
        }
    }

    /// Whoever is introduced to costs a key: their device's for this hour, if it has none yet, or one that is thrown away
    /// to where nobody reads. What is dropped costs it too. So the time that it takes tells neither whether it was delivered
    /// nor whether somebody was there lately. Whoever stands in gets none: they would see that.
    pub(super) fn spend_hour_key(&mut self, read: &Read) -> StoreResult<()> {
        // Else the first in an hour that is dropped would make it.
        self.keep_hour_key(&SINK)?;
        let (Read::Named(device) | Read::StandIn(device)) = read;
        let Some(made) = self.office.hours.spare(self.tx, device, self.now.hour())? else { return Ok(()) };
        let holds = match read {
            Read::Named(_) => Arc::ptr_eq(&made, &self.office.hours.settle(device, made.clone())),
            Read::StandIn(_) => false,
        };
        match made.not_stored().filter(|_| !holds) {
            Some(row) => self.tx.put_hour_key(&SINK, &row),
            None => self.keep(device, &made).map(drop),
        }
    }

    /// Where mail to this address goes now: to a mailbox or the sink. Counts it, if the address is not accepted yet.
    ///
    /// What goes nowhere goes to the sink: the sender could measure the difference.
    pub(super) fn route(&mut self, target: &Target) -> StoreResult<Way> {
        let Some(mut value) = self.open(target)? else { return Ok(Way::NOWHERE) };
        let device = value.device;
        let way = match value.binding(&target.tag) {
            Some(binding) => Way::of(self.count(binding), device),
            None => Way::NOWHERE,
        };
        if self.mailbox(&way.to)?.is_none() {
            // The device was revoked: nothing will ever come to this address again.
            self.tx.bury_address(
                &target.hash,
                &target.seal(&value.buried(self.now.hour())),
                self.now.day(),
            )?;
            return Ok(Way::NOWHERE);
        }
        if !way.is_accepted {
            self.tx.put_address(&target.hash, &target.seal(&value))?;
        }
        Ok(way)
    }

    /// Counts an entry that a conversation sends to an address; what was not accepted in time, or is too much, is dropped
    /// from then on.
    pub(super) fn count(&self, binding: &mut Binding) -> State {
        let over = binding.state.is_over(self.now.hour());
        if let State::Pending { entries, since_hour, .. } = &mut binding.state {
            *entries = entries.saturating_add(1);
            if over || *entries > self.office.unaccepted_entries {
                binding.state = State::Sink { since_hour: *since_hour };
            }
        }
        binding.state
    }

    /// The value of an address, if there is one.
    pub(super) fn open(&mut self, target: &Target) -> StoreResult<Option<AddressValue>> {
        Ok(self.tx.address(&target.hash)?.and_then(|sealed| target.open(&sealed)))
    }

    /// Writes the mailboxes' counters, and pushes after the commit.
    pub(super) fn finish(self) -> StoreResult<()> {
        let Self { tx, office, boxes, pushes, later, fresh, answered, .. } = self;
        for (device, mailbox) in &boxes {
            // What was only read costs no write: what is dropped reads one more than what is delivered.
            if tx.mailbox(device)?.as_ref() != Some(mailbox) {
                tx.put_mailbox(device, mailbox)?;
            }
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
            if !later.is_empty() {
                office.runtime.spawn(push_later(office.hub, later));
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
    use hpke::{Kem as _, Serializable as _, kem::XWing};
    use zegel_identity::DeviceInfo;
    use zegel_proto::{Address, GroupId};

    /// Where mail to an introduced address goes after so many hours.
    async fn routed_after(hours: u64) -> [DeviceId; 2] {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let store = SqliteStore::open(&data).expect("a store");
        let keys = KeyRing::load_or_create(&dir.path().join("keys.toml"), &data, "localhost").expect("keys");
        let target = Target::new(&keys, &Address([2; 16]), &GroupId([3; 32]));
        let device = DeviceId([1; 16]);
        let office = PostOffice {
            hours: Arc::new(HourKeys::new(&keys)),
            answers: Arc::default(),
            hub: Arc::default(),
            unaccepted_entries: 1000,
            runtime: Handle::current(),
        };
        let start = Now { ms: 1_800_000_000_000 };
        let later = Now { ms: start.ms + hours * 3_600_000 };
        let routed = write(&store, move |tx| {
            tx.put_mailbox(&device, &new_mailbox(AccountId([4; 16])))?;
            let mut value = AddressValue::unbound(device, false);
            let (since_hour, introducer) = (start.hour(), AccountId([5; 16]));
            value.bind(target.tag, State::Pending { entries: 0, since_hour, introducer }, since_hour, false);
            tx.put_address(&target.hash, &target.seal(&value))?;
            let first = Post::new(tx, &office, later).route(&target)?.to;
            // What counts as declined stays so, whatever the clock says.
            Ok([first, Post::new(tx, &office, start).route(&target)?.to])
        });
        routed.await.expect("written")
    }

    #[tokio::test]
    async fn an_introduction_nobody_accepts_counts_as_declined_after_28_days() {
        let device = DeviceId([1; 16]);
        assert_eq!(routed_after(28 * 24).await, [device, device]);
        assert_eq!(routed_after(28 * 24 + 1).await, [SINK, SINK]);
    }

    /// Whoever can see that their device got a key would know that it stood in for somebody.
    #[tokio::test]
    async fn who_stands_in_gets_no_key_and_who_is_named_does() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let store = SqliteStore::open(&data).expect("a store");
        let keys = KeyRing::load_or_create(&dir.path().join("keys.toml"), &data, "localhost").expect("keys");
        let (id, account) = (DeviceId([1; 16]), AccountId([4; 16]));
        let (_, queue_key) = XWing::gen_keypair();
        let queue_key = queue_key.to_bytes().to_vec();
        let info = DeviceInfo { id, signing_key: [0; 32], queue_key, proof: Vec::new() };
        let hours = Arc::new(HourKeys::new(&keys));
        let device = hours.admit(&info).map_err(|_| "refused").expect("a device");
        let office = PostOffice {
            hours: hours.clone(),
            answers: Arc::default(),
            hub: Arc::default(),
            unaccepted_entries: 1000,
            runtime: Handle::current(),
        };
        let now = Now { ms: 1_800_000_000_000 };
        let kept = write(&store, move |tx| {
            device.open(tx, &account)?;
            let mut kept = Vec::new();
            for read in [Read::StandIn(id), Read::Named(id)] {
                Post::new(tx, &office, now).spend_hour_key(&read)?;
                kept.push(hours.ready(&id, now.hour()).is_some());
            }
            Ok(kept)
        });
        assert_eq!(kept.await.expect("written"), [false, true]);
    }
}
