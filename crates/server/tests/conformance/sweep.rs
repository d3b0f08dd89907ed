//! Retention: each kind of row goes when its time has come, and nothing else does.

use zegel_proto::{AccountId, BlobName, DeviceId, RoomId};
use zegel_server::store::{Cut, Head, Invite, Store};

use crate::common::*;

fn sweep(store: &dyn Store, cut: Cut, limit: usize) -> u64 {
    write(store, move |tx| tx.sweep(&cut, limit)).unwrap()
}

/// Two people with mail of the hours 100 to 109, one key an hour.
fn people_with_mail(store: &dyn Store) -> [DeviceId; 2] {
    write(store, |tx| {
        let devices = [person(tx, "alice", 1000)?.1, person(tx, "bob", 7000)?.1];
        for hour in 100..110 {
            for device in &devices {
                deliver(tx, device, hour, hour.into(), "mail")?;
            }
        }
        Ok(devices)
    })
    .unwrap()
}

fn range(store: &dyn Store, device: DeviceId) -> (u64, u64, usize) {
    read(store, move |tx| {
        let mailbox = tx.mailbox(&device)?.unwrap();
        Ok((mailbox.first_seq, mailbox.next_seq, waiting(tx, &device)?.len()))
    })
    .unwrap()
}

pub fn old_entries_go(at: &dyn Place) {
    let store = at.open();
    let [alice, bob] = people_with_mail(&*store);
    let cut = Cut { mail_hour: 104, ..Cut::default() };
    assert_eq!(sweep(&*store, cut.clone(), 100), 2 * (4 + 4), "entries, and the keys that nothing needs now");
    assert_eq!(range(&*store, alice), (1004, 1010, 6));
    assert_eq!(range(&*store, bob), (7004, 7010, 6));
    assert_eq!(sweep(&*store, cut, 100), 0);
    assert_eq!(store.verify().unwrap(), [""; 0]);
}

pub fn no_holes_come_about(at: &dyn Place) {
    let store = at.open();
    let device = write(&*store, |tx| {
        let (_, device) = person(tx, "alice", 1000)?;
        // The clock was wrong once: fresh mail stands before mail that looks old.
        for hour in [100, 200, 100, 201] {
            deliver(tx, &device, hour, hour.into(), "mail")?;
        }
        Ok(device)
    })
    .unwrap();
    let cut = Cut { mail_hour: 150, ..Cut::default() };
    assert_eq!(sweep(&*store, cut, 100), 1);
    assert_eq!(range(&*store, device), (1001, 1004, 3));
    assert_eq!(store.verify().unwrap(), [""; 0]);
    assert_eq!(sweep(&*store, Cut { mail_hour: 300, ..Cut::default() }, 100), 3 + 3);
    assert_eq!(range(&*store, device), (1004, 1004, 0));
}

pub fn idle_hour_keys_go(at: &dyn Place) {
    let store = at.open();
    let [alice, bob] = people_with_mail(&*store);
    write(&*store, move |tx| {
        let mut mailbox = tx.mailbox(&alice)?.unwrap();
        mailbox.first_seq = 1005;
        tx.put_mailbox(&alice, &mailbox)?;
        tx.delete_entries(&alice, 1004)
    })
    .unwrap();
    let cut = Cut { idle_hour: 103, ..Cut::default() };
    assert_eq!(sweep(&*store, cut.clone(), 100), 3, "hours 100 to 102 of Alice; Bob needs all his");
    assert_eq!(sweep(&*store, cut, 100), 0);
    read(&*store, move |tx| {
        let has =
            |tx: &mut dyn zegel_server::store::Tx, device, hour| tx.hour_key(device, hour).unwrap().is_some();
        assert!(!has(tx, &alice, 102) && has(tx, &alice, 103) && has(tx, &alice, 105) && has(tx, &bob, 100));
        Ok(())
    })
    .unwrap();
    assert_eq!(store.verify().unwrap(), [""; 0]);
}

pub fn other_old_rows_go(at: &dyn Place) {
    let store = at.open();
    let names = [BlobName::random(), BlobName::random()];
    write(&*store, move |tx| {
        for (n, name) in (0..2_u8).zip(names) {
            let time = 50 + u32::from(n);
            tx.put_payload(&name, time, b"payload")?;
            tx.put_answer(&[n; 32], time, b"answer")?;
            tx.put_token(&[n; 32], time, b"token")?;
            tx.put_invite(&[n; 32], &Invite { uses: 1, age_band: None, for_one: false, expires_day: time })?;
        }
        Ok(())
    })
    .unwrap();
    let cuts = [
        Cut { mail_hour: 51, ..Cut::default() },
        Cut { answer_hour: 51, ..Cut::default() },
        Cut { token_day: 51, ..Cut::default() },
        Cut { invite_day: 51, ..Cut::default() },
    ];
    for (kind, cut) in cuts.into_iter().enumerate() {
        assert_eq!(sweep(&*store, cut, 100), 1);
        let there = read(&*store, move |tx| {
            let mut there = Vec::new();
            for (n, name) in (0..2_u8).zip(names) {
                there.push([
                    tx.payload(&name)?.is_some(),
                    tx.answer(&[n; 32])?.is_some(),
                    tx.token(&[n; 32])?.is_some(),
                    tx.invite(&[n; 32])?.is_some(),
                ]);
            }
            Ok(there)
        })
        .unwrap();
        let old: [bool; 4] = std::array::from_fn(|k| k > kind);
        assert_eq!(there, [old, [true; 4]]);
    }
}

pub fn dead_addresses_go(at: &dyn Place) {
    let store = at.open();
    write(&*store, |tx| {
        for (n, day) in [(1, 50), (2, 51)] {
            tx.put_address(&[n; 32], b"alive")?;
            tx.bury_address(&[n; 32], b"dead", day)?;
            // Writing a dead one does not bring it back to life.
            tx.put_address(&[n; 32], b"still dead")?;
        }
        tx.put_address(&[3; 32], b"alive")
    })
    .unwrap();
    assert_eq!(sweep(&*store, Cut { dead_day: 50, ..Cut::default() }, 100), 0);
    assert_eq!(sweep(&*store, Cut { dead_day: 51, ..Cut::default() }, 100), 1);
    assert_eq!(sweep(&*store, Cut { dead_day: u32::MAX, ..Cut::default() }, 100), 1);
    let look = |tx: &mut dyn zegel_server::store::Tx| {
        Ok([tx.address(&[1; 32])?, tx.address(&[2; 32])?, tx.address(&[3; 32])?])
    };
    assert_eq!(write(&*store, look).unwrap(), [None, None, Some(b"alive".to_vec())]);
    assert_eq!(read(&*store, look).unwrap(), [None, None, Some(b"alive".to_vec())]);
}

pub fn old_heads_become_tombstones(at: &dyn Place) {
    let store = at.open();
    let rooms: [RoomId; 3] = std::array::from_fn(|_| RoomId::random());
    write(&*store, move |tx| {
        for (room, month) in rooms.iter().zip(680..) {
            let head = Head::Live { epoch: 1, token_hash: [1; 32], seq: 2, stamp_hash: [2; 32], month };
            tx.put_head(room, &head)?;
        }
        Ok(())
    })
    .unwrap();
    assert_eq!(sweep(&*store, Cut { head_month: 682, ..Cut::default() }, 100), 2);
    let look = move |tx: &mut dyn zegel_server::store::Tx| {
        assert_eq!(tx.head(&rooms[0])?, Some(Head::Tombstone));
        assert_eq!(tx.head(&rooms[1])?, Some(Head::Tombstone));
        assert!(matches!(tx.head(&rooms[2])?, Some(Head::Live { month: 682, .. })));
        Ok(())
    };
    write(&*store, look).unwrap();
    read(&*store, look).unwrap();
    assert_eq!(sweep(&*store, Cut { head_month: 682, ..Cut::default() }, 100), 0);
}

pub fn ended_chains_go(at: &dyn Place) {
    let store = at.open();
    let [old, young, living] = write(&*store, |tx| {
        let mut ids = Vec::new();
        for handle in ["alice", "bob", "carol"] {
            let (id, _) = person(tx, handle, 1000)?;
            tx.append_chain(&id, 1, &link(1))?;
            ids.push(id);
        }
        tx.remove_account(&ids[0], 50)?;
        tx.remove_account(&ids[1], 51)?;
        Ok(<[AccountId; 3]>::try_from(ids).unwrap())
    })
    .unwrap();
    let lengths = || {
        let len = |id| read(&*store, move |tx| Ok(tx.chain(&id)?.len())).unwrap();
        [old, young, living].map(len)
    };
    assert_eq!(store.verify().unwrap(), [""; 0]);
    assert_eq!(sweep(&*store, Cut { ended_day: 50, ..Cut::default() }, 100), 0);
    let cut = Cut { ended_day: 51, held: vec![old], ..Cut::default() };
    assert_eq!(sweep(&*store, cut, 100), 0, "held");
    assert_eq!(lengths(), [2, 2, 2]);
    assert_eq!(sweep(&*store, Cut { ended_day: 51, ..Cut::default() }, 1), 2, "whole, even past the limit");
    assert_eq!(lengths(), [0, 2, 2]);
    assert_eq!(sweep(&*store, Cut { ended_day: u32::MAX, ..Cut::default() }, 100), 2);
    assert_eq!(lengths(), [0, 0, 2]);
    assert_eq!(store.verify().unwrap(), [""; 0]);
}

pub fn held_accounts_stay(at: &dyn Place) {
    let store = at.open();
    let [alice, bob] = people_with_mail(&*store);
    let account = read(&*store, move |tx| Ok(tx.mailbox(&alice)?.unwrap().account)).unwrap();
    let cut = Cut { mail_hour: 200, idle_hour: 200, held: vec![account], ..Cut::default() };
    // A limit smaller than what is held: the held rows must not stand in others' way.
    while sweep(&*store, cut.clone(), 3) > 0 {}
    assert_eq!(range(&*store, alice), (1000, 1010, 10));
    assert_eq!(range(&*store, bob), (7010, 7010, 0));
    assert_eq!(store.verify().unwrap(), [""; 0]);
}

pub fn small_steps_reach_everything(at: &dyn Place) {
    let store = at.open();
    let devices = people_with_mail(&*store);
    let cut = Cut { mail_hour: 109, idle_hour: 109, ..Cut::default() };
    let mut gone = 0;
    loop {
        let step = sweep(&*store, cut.clone(), 2);
        assert!(step <= 4, "two of each of two kinds");
        assert_eq!(store.verify().unwrap(), [""; 0]);
        gone += step;
        if step == 0 {
            break;
        }
    }
    assert_eq!(gone, 2 * (9 + 9));
    for device in devices {
        assert_eq!(range(&*store, device).2, 1);
    }
}
