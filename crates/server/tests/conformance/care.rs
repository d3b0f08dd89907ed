//! Opening again, sharing, copying and checking a store.

use zegel_proto::{DeviceId, RoomId};
use zegel_server::store::{Counts, Store};

use super::desk;
use crate::common::*;

fn fill(store: &dyn Store) -> (DeviceId, RoomId) {
    let room = RoomId::random();
    let device = write(store, move |tx| {
        let (_, device) = person(tx, "alice", 100)?;
        deliver(tx, &device, 480_000, 7, "hello")?;
        tx.put_head(&room, &head(3))?;
        tx.put_address(&[1; 32], b"address")?;
        tx.put_statement(&[1; 32], 20_000, b"statement")?;
        Ok(device)
    })
    .unwrap();
    desk::note(store, "sign-in");
    (device, room)
}

fn check(store: &dyn Store, (device, room): (DeviceId, RoomId)) {
    read(store, move |tx| {
        let owner = tx.account_of_handle("alice")?.unwrap();
        assert_eq!(tx.mailbox(&device)?, Some(mailbox(owner, 100, 101)));
        assert_eq!(tx.chain(&owner)?, [link(0)]);
        assert_eq!(waiting(tx, &device)?, [(100, "hello".into())]);
        assert_eq!(tx.hour_key(&device, 7)?, Some(hour_key(7, 480_000)));
        assert_eq!(tx.head(&room)?, Some(head(3)));
        assert_eq!(tx.address(&[1; 32])?.unwrap(), b"address");
        assert_eq!(tx.statements_for(&[1; 32])?, [b"statement"]);
        assert_eq!(tx.log_head()?.0, 1);
        Ok(())
    })
    .unwrap();
    assert_eq!(store.verify().unwrap(), [""; 0]);
}

pub fn reopening_keeps_everything(at: &dyn Place) {
    let store = at.open();
    let there = fill(&*store);
    drop(store);
    let store = at.open();
    check(&*store, there);
    store.close();
    check(&*at.open(), there);
}

pub fn another_process_is_noticed(at: &dyn Place) {
    let store = at.open();
    let room = RoomId::random();
    write(&*store, move |tx| {
        tx.put_head(&room, &head(1))?;
        tx.put_address(&[1; 32], b"address")
    })
    .unwrap();
    let before = store.foreign_changes().unwrap();
    write(&*store, |tx| tx.put_token(&[1; 32], 1, b"x")).unwrap();
    store.settle().unwrap();
    assert_eq!(store.foreign_changes().unwrap(), before, "our own changes are not foreign");

    let beside = at.open_beside();
    read(&*beside, move |tx| tx.head(&room)).unwrap();
    assert_eq!(store.foreign_changes().unwrap(), before, "neither is reading");
    write(&*beside, move |tx| {
        tx.put_head(&room, &head(2))?;
        tx.bury_address(&[1; 32], b"dead", 1)
    })
    .unwrap();
    // The writer must not go on with what it remembers.
    let seen = write(&*store, move |tx| Ok((tx.head(&room)?, tx.address(&[1; 32])?))).unwrap();
    assert_eq!(seen, (Some(head(2)), Some(b"dead".to_vec())));
    let noticed = store.foreign_changes().unwrap();
    assert!(noticed > before);
    assert_eq!(store.foreign_changes().unwrap(), noticed);
    drop(beside);
    assert_eq!(store.verify().unwrap(), [""; 0]);
}

pub fn two_processes_write_in_turn(at: &dyn Place) {
    let room = RoomId::random();
    let stores = [at.open(), at.open_beside()];
    write(&*stores[0], move |tx| tx.put_head(&room, &head(0))).unwrap();
    std::thread::scope(|scope| {
        for store in &stores {
            scope.spawn(move || {
                for _ in 0..100 {
                    write(&**store, move |tx| {
                        let Some(zegel_server::store::Head::Live { seq, .. }) = tx.head(&room)? else {
                            panic!()
                        };
                        tx.put_head(&room, &head(seq + 1))
                    })
                    .unwrap();
                }
            });
        }
    });
    assert_eq!(read(&*stores[0], move |tx| tx.head(&room)).unwrap(), Some(head(200)));
}

pub fn a_backup_is_a_whole_store(at: &dyn Place) {
    let store = at.open();
    let there = fill(&*store);
    let copy = at.scratch().join("copy");
    // While it is in use: each commit adds two answers, and the copy must hold both or none.
    std::thread::scope(|scope| {
        let (stop, stopped) = std::sync::mpsc::channel::<()>();
        let store = &store;
        scope.spawn(move || {
            let mut n = 0_u32;
            while stopped.try_recv() == Err(std::sync::mpsc::TryRecvError::Empty) {
                n += 1;
                write(&**store, move |tx| {
                    let key = |side: u8| {
                        let mut key = [side; 32];
                        key[..4].copy_from_slice(&n.to_le_bytes());
                        key
                    };
                    tx.put_answer(&key(1), 1, b"one")?;
                    tx.put_answer(&key(2), 1, b"two")
                })
                .unwrap();
            }
        });
        std::thread::sleep(std::time::Duration::from_millis(50));
        store.backup(&copy).unwrap();
        drop(stop);
    });
    let restored = at.open_copy(&copy);
    check(&*restored, there);
    let mut pairs = 0;
    for n in 1..u32::MAX {
        let sides = read(&*restored, move |tx| {
            let key = |side: u8| {
                let mut key = [side; 32];
                key[..4].copy_from_slice(&n.to_le_bytes());
                key
            };
            Ok((tx.answer(&key(1))?.is_some(), tx.answer(&key(2))?.is_some()))
        })
        .unwrap();
        assert_eq!(sides.0, sides.1);
        if !sides.0 {
            break;
        }
        pairs += 1;
    }
    assert!(pairs > 0, "the copy was made in the middle of the writing");
    write(&*restored, |tx| tx.put_token(&[1; 32], 1, b"it can be used")).unwrap();
}

pub fn a_backup_replaces_nothing(at: &dyn Place) {
    let store = at.open();
    let copy = at.scratch().join("copy");
    store.backup(&copy).unwrap();
    let there = fill(&*store);
    store.backup(&copy).unwrap_err();
    assert_eq!(read(&*at.open_copy(&copy), move |tx| tx.mailbox(&there.0)).unwrap(), None);
}

pub fn verifying_finds_what_is_wrong(at: &dyn Place) {
    let store = at.open();
    let (device, _) = fill(&*store);
    assert_eq!(store.verify().unwrap(), [""; 0]);
    let sink = mailbox(zegel_server::store::NOBODY, 1, 1);
    write(&*store, move |tx| tx.put_mailbox(&DeviceId::random(), &sink)).unwrap();
    assert_eq!(store.verify().unwrap(), [""; 0], "the mailbox that nobody reads is as it should be");
    let mut found = 0;
    let mut expect_more = |what: &str| {
        let wrong = store.verify().unwrap();
        assert!(wrong.len() > found, "{what}: {wrong:?}");
        found = wrong.len();
    };
    let owner = read(&*store, |tx| tx.account_of_handle("alice")).unwrap().unwrap();
    write(&*store, move |tx| tx.append_chain(&owner, 2, &link(2))).unwrap();
    expect_more("a hole in a sigchain");
    write(&*store, move |tx| tx.put_entry(&device, 101, 480_000, &entry(7, "beyond next_seq"))).unwrap();
    expect_more("an entry outside of its mailbox");
    write(&*store, move |tx| tx.put_entry(&device, 103, 480_000, &entry(8, "no such key"))).unwrap();
    expect_more("an entry without its key");
    write(&*store, |tx| tx.put_entry(&DeviceId::random(), 1, 480_000, &entry(7, "no mailbox"))).unwrap();
    expect_more("an entry of nobody");
    let (nobody, unkeyed) = (mailbox(zegel_proto::AccountId::random(), 1, 1), mailbox(owner, 1, 1));
    write(&*store, move |tx| {
        let device = DeviceId::random();
        tx.put_queue_key(&device, b"queue key")?;
        tx.put_mailbox(&device, &nobody)
    })
    .unwrap();
    expect_more("a mailbox of nobody");
    write(&*store, move |tx| tx.put_mailbox(&DeviceId::random(), &unkeyed)).unwrap();
    expect_more("a mailbox without a queue key");
    write(&*store, |tx| tx.put_queue_key(&DeviceId::random(), b"queue key")).unwrap();
    expect_more("a queue key of nobody");
    write(&*store, |tx| tx.put_hour_key(&DeviceId::random(), &hour_key(1, 1))).unwrap();
    expect_more("an hour key of nobody");
    write(&*store, |tx| tx.put_key_package(&DeviceId::random(), false, b"x")).unwrap();
    expect_more("a key package of nobody");
    write(&*store, |tx| tx.append_chain(&zegel_proto::AccountId::random(), 0, &link(0))).unwrap();
    expect_more("a sigchain of nobody");
    write(&*store, move |tx| {
        let alice = tx.account(&owner)?.unwrap();
        tx.remove_account(&owner, 20_000)?;
        tx.put_account(&alice, "alice")
    })
    .unwrap();
    // What was wrong with her mailbox went with it; so it is looked for by name.
    let wrong = store.verify().unwrap();
    assert!(wrong.iter().any(|what| what.contains("ended while")), "{wrong:?}");
}

pub fn settling(at: &dyn Place) {
    let store = at.open();
    let there = fill(&*store);
    store.settle().unwrap();
    check(&*store, there);
}

pub fn counting(at: &dyn Place) {
    let store = at.open();
    assert_eq!(read(&*store, |tx| tx.counts()).unwrap(), Counts::default());
    let (_, room) = fill(&*store);
    let counts = write(&*store, move |tx| {
        person(tx, "bob", 1)?;
        tx.put_head(&room, &zegel_server::store::Head::Tombstone)?;
        tx.put_head(&RoomId::random(), &head(1))?;
        tx.counts()
    })
    .unwrap();
    assert_eq!(counts, Counts { accounts: 2, devices: 2, entries: 1, heads: 1, epoch: 0, owed: 0 });
}
