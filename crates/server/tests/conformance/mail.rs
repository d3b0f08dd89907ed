//! Mailboxes, entries and hour keys.

use zegel_proto::{AccountId, DeviceId};

use crate::common::*;

pub fn mailboxes(at: &dyn Place) {
    let store = at.open();
    let (device, account) = (DeviceId::random(), AccountId::random());
    let first = mailbox(account, 1 << 47, (1 << 47) + 3);
    let put = first.clone();
    write(&*store, move |tx| {
        assert_eq!(tx.mailbox(&device)?, None);
        tx.put_mailbox(&device, &put)
    })
    .unwrap();
    assert_eq!(read(&*store, move |tx| tx.mailbox(&device)).unwrap(), Some(first));
    let moved = mailbox(AccountId::random(), 5, 6);
    let put = moved.clone();
    write(&*store, move |tx| tx.put_mailbox(&device, &put)).unwrap();
    assert_eq!(read(&*store, move |tx| tx.mailbox(&device)).unwrap(), Some(moved));
}

pub fn entries_in_order_and_bounded(at: &dyn Place) {
    let store = at.open();
    let device = write(&*store, |tx| {
        let (_, device) = person(tx, "alice", 1000)?;
        // Hours that go backwards must not change the order: a clock may be set back.
        for n in 0..20 {
            deliver(tx, &device, 480_000 - n / 4, u64::MAX, &format!("entry {n:04}"))?;
        }
        Ok(device)
    })
    .unwrap();
    read(&*store, move |tx| {
        let seqs = |list: Vec<(u64, _)>| list.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>();
        let all: Vec<u64> = (1000..1020).collect();
        assert_eq!(seqs(tx.entries(&device, 0, usize::MAX, usize::MAX)?), all);
        assert_eq!(seqs(tx.entries(&device, 1007, 5, usize::MAX)?), all[7..12]);
        assert_eq!(seqs(tx.entries(&device, 1020, 5, usize::MAX)?), [0; 0]);
        assert_eq!(seqs(tx.entries(&device, 1000, usize::MAX, 40)?), all[..4], "ten bytes each");
        assert_eq!(seqs(tx.entries(&device, 1000, usize::MAX, 0)?), all[..1], "one always comes");
        assert_eq!(tx.entries(&device, 1003, 1, 1)?, [(1003, entry(u64::MAX, "entry 0003"))]);
        assert!(tx.entries(&DeviceId::random(), 0, 9, 9)?.is_empty());
        Ok(())
    })
    .unwrap();
}

pub fn deleting_entries(at: &dyn Place) {
    let store = at.open();
    let left = write(&*store, |tx| {
        let (_, device) = person(tx, "alice", 10)?;
        let (_, other) = person(tx, "bob", 10)?;
        for n in 0..6 {
            deliver(tx, &device, 480_000, 1, &n.to_string())?;
            deliver(tx, &other, 480_000, 1, &n.to_string())?;
        }
        tx.delete_entries(&device, 12)?;
        tx.delete_entries(&device, 12)?;
        tx.delete_entries(&device, 3)?;
        assert_eq!(waiting(tx, &other)?.len(), 6);
        waiting(tx, &device)
    })
    .unwrap();
    assert_eq!(left, [(13, "3".into()), (14, "4".into()), (15, "5".into())]);
}

pub fn numbers_without_bounds(at: &dyn Place) {
    let store = at.open();
    write(&*store, |tx| {
        let (_, device) = person(tx, "alice", 10)?;
        deliver(tx, &device, 480_000, 1, "one")?;
        assert!(tx.entries(&device, u64::MAX, 9, 9)?.is_empty(), "nothing is behind the last number");
        tx.delete_entries(&device, u64::MAX)?;
        assert!(waiting(tx, &device)?.is_empty());
        Ok(())
    })
    .unwrap();
}

pub fn entries_need_new_numbers(at: &dyn Place) {
    let store = at.open();
    let device = write(&*store, |tx| {
        let (_, device) = person(tx, "alice", 10)?;
        deliver(tx, &device, 480_000, 1, "one")?;
        Ok(device)
    })
    .unwrap();
    write(&*store, move |tx| tx.put_entry(&device, 10, 480_001, &entry(1, "two"))).unwrap_err();
    assert_eq!(read(&*store, move |tx| waiting(tx, &device)).unwrap(), [(10, "one".into())]);
}

pub fn hour_keys(at: &dyn Place) {
    let store = at.open();
    let device = DeviceId::random();
    let key = hour_key(u64::MAX - 5, 480_123);
    let put = key.clone();
    write(&*store, move |tx| {
        tx.put_hour_key(&device, &put)?;
        let mut other = put.clone();
        other.sealed = vec![9; 48].into();
        tx.put_hour_key(&device, &other)
    })
    .unwrap();
    let id = key.id;
    assert_eq!(read(&*store, move |tx| tx.hour_key(&device, id)).unwrap(), Some(key), "the first one stays");
    assert_eq!(read(&*store, move |tx| tx.hour_key(&device, 1)).unwrap(), None);
    assert_eq!(read(&*store, move |tx| tx.hour_key(&DeviceId::random(), id)).unwrap(), None);
}

pub fn removing_a_mailbox(at: &dyn Place) {
    let store = at.open();
    let (id, device) = write(&*store, |tx| {
        let (id, device) = person(tx, "alice", 10)?;
        deliver(tx, &device, 480_000, 1, "one")?;
        tx.put_key_package(&device, true, b"last")?;
        tx.remove_mailbox(&device)?;
        assert_eq!(tx.mailbox(&device)?, None);
        Ok((id, device))
    })
    .unwrap();
    read(&*store, move |tx| {
        assert_eq!(tx.mailbox(&device)?, None);
        assert!(waiting(tx, &device)?.is_empty());
        assert_eq!(tx.hour_key(&device, 1)?, None);
        assert_eq!(tx.key_packages(&device)?, (0, false));
        assert!(tx.account(&id)?.is_some());
        Ok(())
    })
    .unwrap();
}
