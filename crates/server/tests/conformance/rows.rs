//! Each operation on accounts and on what is kept under a name.

use zegel_proto::{AccountId, BlobName, DeviceId, RoomId, v1::AgeBand};
use zegel_server::store::{AccountState, Cut, Head, Invite, Mailbox, NOBODY, TokenRow};

use crate::common::*;

pub fn accounts(at: &dyn Place) {
    let store = at.open();
    let mut alice = account("alice");
    let first = alice.clone();
    write(&*store, move |tx| tx.put_account(&first, "alice")).unwrap();
    let id = alice.id;
    assert_eq!(read(&*store, move |tx| tx.account(&id)).unwrap(), Some(alice.clone()));
    alice.language = "nl".into();
    alice.age_band = AgeBand::Teen;
    alice.state = AccountState::Restricted;
    alice.until_day = 20_100;
    alice.held = true;
    alice.person = b"another".to_vec();
    alice.guardian = Some([7; 32]);
    let second = alice.clone();
    write(&*store, move |tx| tx.put_account(&second, "alice")).unwrap();
    assert_eq!(read(&*store, move |tx| tx.account(&id)).unwrap(), Some(alice));
    assert_eq!(read(&*store, |tx| tx.account(&AccountId::random())).unwrap(), None);
}

pub fn handles_and_skeletons(at: &dyn Place) {
    let store = at.open();
    let alice = account("alice");
    let id = alice.id;
    write(&*store, move |tx| {
        assert!(!tx.skeleton_used("a1ice")?);
        tx.put_account(&alice, "a1ice")?;
        assert!(tx.skeleton_used("a1ice")?);
        assert!(!tx.skeleton_used("alice")?);
        assert_eq!(tx.account_of_handle("alice")?, Some(id));
        assert_eq!(tx.account_of_handle("Alice")?, None);
        Ok(())
    })
    .unwrap();
}

pub fn account_state_and_last_seen(at: &dyn Place) {
    let store = at.open();
    let alice = account("alice");
    let id = alice.id;
    write(&*store, move |tx| {
        tx.put_account(&alice, "alice")?;
        use AccountState::{Active, Banned, Restricted, Suspended};
        for (state, until_day) in [(Suspended, 20_010), (Restricted, 1), (Banned, 0), (Active, 0)] {
            tx.set_account_state(&id, state, until_day)?;
            let account = tx.account(&id)?.unwrap();
            assert_eq!((account.state, account.until_day), (state, until_day));
            assert_eq!(account.state_on(until_day), state, "until the end of that day");
            let after = if until_day > 0 { Active } else { state };
            assert_eq!(account.state_on(until_day + 1), after);
        }
        // What the operator does is kept apart from what the desk decided; the most severe holds.
        for (state, with) in [(Active, Suspended), (Restricted, Suspended), (Banned, Banned)] {
            tx.set_account_state(&id, state, 20_010)?;
            for (held, now, then) in [(true, with, Suspended), (false, state, Active)] {
                tx.set_account_held(&id, held)?;
                let account = tx.account(&id)?.unwrap();
                assert_eq!((account.held, account.state, account.until_day), (held, state, 20_010));
                assert_eq!([account.state_on(20_010), account.state_on(20_011)], [now, then]);
                assert_eq!(account.decided_on(20_010), state);
            }
        }
        tx.set_last_seen(&id, 20_001)?;
        tx.set_last_seen(&id, 20_001)?;
        assert_eq!(tx.account(&id)?.unwrap().last_seen_day, 20_001);
        tx.set_last_seen(&AccountId::random(), 1)
    })
    .unwrap();
}

pub fn age_guardian_and_person(at: &dyn Place) {
    let store = at.open();
    let (id, other) = write(&*store, |tx| Ok((person(tx, "alice", 1)?.0, person(tx, "bob", 1)?.0))).unwrap();
    write(&*store, move |tx| {
        for age_band in [AgeBand::Child, AgeBand::Unknown, AgeBand::Teen] {
            tx.set_account_age(&id, age_band)?;
            assert_eq!(tx.account(&id)?.unwrap().age_band, age_band);
        }
        for guardian in [Some([1; 32]), Some([2; 32]), None, Some([0; 32])] {
            tx.set_account_guardian(&id, guardian)?;
            assert_eq!(tx.account(&id)?.unwrap().guardian, guardian);
        }
        tx.set_account_person(&id, b"one of two")?;
        assert_eq!(tx.account(&id)?.unwrap().person, b"one of two");
        assert_eq!(tx.person(&id)?.unwrap(), b"one of two");
        assert_eq!(tx.person(&AccountId::random())?, None);
        tx.append_chain(&id, 1, &link(1))?;
        tx.remove_account(&id, 20_000)
    })
    .unwrap();
    // It is known as long as the chain is.
    assert_eq!(read(&*store, move |tx| tx.person(&id)).unwrap().unwrap(), b"one of two");
    assert_eq!(read(&*store, move |tx| tx.person(&other)).unwrap().unwrap(), b"sealed");
    write(&*store, |tx| tx.sweep(&Cut { ended_day: 20_001, ..Cut::default() }, 100)).unwrap();
    assert_eq!(read(&*store, move |tx| tx.person(&id)).unwrap(), None);
    let bob = read(&*store, move |tx| tx.account(&other)).unwrap().unwrap();
    assert_eq!((bob.age_band, bob.guardian), (AgeBand::Adult, None), "others stay as they are");
}

pub fn chains(at: &dyn Place) {
    let store = at.open();
    let alice = account("alice");
    let id = alice.id;
    write(&*store, move |tx| {
        tx.put_account(&alice, "alice")?;
        (0..3).try_for_each(|n| tx.append_chain(&id, n.into(), &link(n)))
    })
    .unwrap();
    assert_eq!(read(&*store, move |tx| tx.chain(&id)).unwrap(), [link(0), link(1), link(2)]);
    assert!(read(&*store, |tx| tx.chain(&AccountId::random())).unwrap().is_empty());
    // A number is given once: no link is ever replaced.
    write(&*store, move |tx| tx.append_chain(&id, 2, &link(9))).unwrap_err();
    assert_eq!(read(&*store, move |tx| tx.chain(&id)).unwrap()[2], link(2));
}

pub fn removing_an_account(at: &dyn Place) {
    let store = at.open();
    let (id, device, other) = write(&*store, |tx| {
        let (id, device) = person(tx, "alice", 100)?;
        let (_, other) = person(tx, "bob", 500)?;
        for device in [device, other] {
            deliver(tx, &device, 480_000, 7, "hello")?;
            tx.put_key_package(&device, false, b"one")?;
        }
        Ok((id, device, other))
    })
    .unwrap();
    write(&*store, move |tx| tx.remove_account(&id, 20_000)).unwrap();
    read(&*store, move |tx| {
        assert_eq!(tx.account(&id)?, None);
        assert_eq!(tx.account_of_handle("alice")?, None);
        assert!(tx.skeleton_used("alice")?, "a handle is never issued again");
        assert_eq!(tx.chain(&id)?, [link(0)], "until a sweep");
        assert_eq!(tx.mailbox(&device)?, None);
        assert!(waiting(tx, &device)?.is_empty());
        assert_eq!(tx.hour_key(&device, 7)?, None);
        assert_eq!(tx.key_packages(&device)?, (0, false));
        assert_eq!(waiting(tx, &other)?.len(), 1, "others keep theirs");
        assert_eq!(tx.key_packages(&other)?, (1, false));
        Ok(())
    })
    .unwrap();
    assert_eq!(store.verify().unwrap(), [""; 0]);
}

pub fn addresses(at: &dyn Place) {
    let store = at.open();
    write(&*store, |tx| {
        assert_eq!(tx.address(&[1; 32])?, None);
        tx.put_address(&[1; 32], b"sealed")?;
        tx.put_address(&[2; 32], b"other")
    })
    .unwrap();
    write(&*store, |tx| {
        assert_eq!(tx.address(&[1; 32])?.unwrap(), b"sealed");
        tx.put_address(&[1; 32], b"again")?;
        assert_eq!(tx.address(&[1; 32])?.unwrap(), b"again");
        tx.bury_address(&[1; 32], b"dead", 5)?;
        assert_eq!(tx.address(&[1; 32])?.unwrap(), b"dead");
        Ok(())
    })
    .unwrap();
    assert_eq!(read(&*store, |tx| tx.address(&[1; 32])).unwrap().unwrap(), b"dead");
    assert_eq!(read(&*store, |tx| tx.address(&[2; 32])).unwrap().unwrap(), b"other");
}

pub fn heads(at: &dyn Place) {
    let store = at.open();
    let (room, buried) = (RoomId::random(), RoomId::random());
    write(&*store, move |tx| {
        assert_eq!(tx.head(&room)?, None);
        tx.put_head(&room, &head(u64::MAX >> 1))?;
        assert_eq!(tx.head(&room)?, Some(head(u64::MAX >> 1)));
        tx.put_head(&buried, &head(5))
    })
    .unwrap();
    let last = Head::Live { epoch: 3, token_hash: [7; 32], seq: 9, stamp_hash: [8; 32], month: 681 };
    let put = last.clone();
    write(&*store, move |tx| {
        tx.put_head(&room, &head(8))?;
        tx.put_head(&room, &put)?;
        tx.put_head(&buried, &Head::Tombstone)
    })
    .unwrap();
    assert_eq!(read(&*store, move |tx| tx.head(&room)).unwrap(), Some(last));
    assert_eq!(read(&*store, move |tx| tx.head(&buried)).unwrap(), Some(Head::Tombstone));
}

pub fn answers(at: &dyn Place) {
    let store = at.open();
    write(&*store, |tx| {
        tx.put_answer(&[1; 32], 480_000, b"stamp")?;
        tx.put_answer(&[1; 32], 480_000, b"stamp 2")
    })
    .unwrap();
    assert_eq!(read(&*store, |tx| tx.answer(&[1; 32])).unwrap().unwrap(), b"stamp 2");
    assert_eq!(read(&*store, |tx| tx.answer(&[2; 32])).unwrap(), None);
    write(&*store, |tx| {
        tx.put_answer(&[3; 32], 480_000, b"stays")?;
        tx.put_answer(&[4; 32], 480_000, b"goes at once")?;
        tx.delete_answers(&[[1; 32], [2; 32], [4; 32]])?;
        assert_eq!(tx.answer(&[4; 32])?, None);
        tx.put_answer(&[4; 32], 480_000, b"is back")
    })
    .unwrap();
    let left = read(&*store, |tx| (1..=4).map(|n| tx.answer(&[n; 32])).collect::<Result<Vec<_>, _>>());
    assert_eq!(left.unwrap(), [None, None, Some(b"stays".to_vec()), Some(b"is back".to_vec())]);
}

pub fn key_packages(at: &dyn Place) {
    let store = at.open();
    let device = DeviceId::random();
    let taken = write(&*store, move |tx| {
        assert_eq!(tx.take_key_package(&device)?, None);
        for sealed in [b"a", b"b", b"c"] {
            tx.put_key_package(&device, false, sealed)?;
        }
        tx.put_key_package(&device, true, b"old")?;
        tx.put_key_package(&device, true, b"last")?;
        assert_eq!(tx.key_packages(&device)?, (3, true));
        assert_eq!(tx.key_packages(&DeviceId::random())?, (0, false));
        (0..5).map(|_| tx.take_key_package(&device)).collect::<Result<Vec<_>, _>>()
    })
    .unwrap();
    let mut stock: Vec<_> = taken[..3].iter().flatten().cloned().collect();
    stock.sort();
    assert_eq!(stock, [b"a", b"b", b"c"].map(|s| (s.to_vec(), false)));
    assert_eq!(taken[3..], [(); 2].map(|()| Some((b"last".to_vec(), true))));
    let left = write(&*store, move |tx| {
        tx.put_key_package(&device, false, b"d")?;
        tx.put_key_package(&device, false, b"e")?;
        let stocked = tx.stocked(&device)?;
        let names: Vec<i64> =
            stocked.iter().filter(|(_, sealed, _)| sealed != b"e").map(|row| row.0).collect();
        tx.drop_key_packages(&DeviceId::random(), &names)?;
        assert_eq!(tx.stocked(&device)?.len(), 3, "another's stay");
        tx.drop_key_packages(&device, &names)?;
        tx.drop_key_packages(&device, &names)?;
        tx.stocked(&device)
    });
    assert!(matches!(&left.unwrap()[..], [(_, sealed, false)] if sealed == b"e"));
    write(&*store, move |tx| tx.clear_key_packages(&device)).unwrap();
    assert_eq!(read(&*store, move |tx| tx.key_packages(&device)).unwrap(), (0, false));
}

pub fn blocks(at: &dyn Place) {
    let store = at.open();
    for blocked in [true, true, false, false] {
        write(&*store, move |tx| tx.set_block(&[3; 32], blocked)).unwrap();
        assert_eq!(read(&*store, |tx| tx.blocked(&[3; 32])).unwrap(), blocked);
    }
}

pub fn tokens(at: &dyn Place) {
    let store = at.open();
    assert_eq!(read(&*store, |tx| tx.token(&[4; 32])).unwrap(), None);
    for sealed in [b"owner", b"used!"] {
        write(&*store, move |tx| tx.put_token(&[4; 32], 20_000, sealed)).unwrap();
        assert_eq!(read(&*store, |tx| tx.token(&[4; 32])).unwrap().unwrap(), sealed);
    }
}

pub fn queue_keys(at: &dyn Place) {
    let store = at.open();
    let (device, account) = (DeviceId([3; 16]), AccountId([9; 16]));
    let kept = || read(&*store, move |tx| tx.queue_key(&device)).unwrap();
    assert_eq!(kept(), None);
    for sealed in [b"first".as_slice(), b"second"] {
        write(&*store, move |tx| tx.put_queue_key(&device, sealed)).unwrap();
        assert_eq!(kept().unwrap(), sealed);
    }
    assert_eq!(store.verify().unwrap().len(), 1, "it belongs to a mailbox");
    write(&*store, move |tx| tx.put_mailbox(&device, &Mailbox { account, first_seq: 1, next_seq: 1 }))
        .unwrap();
    write(&*store, move |tx| tx.remove_mailbox(&device)).unwrap();
    assert_eq!((kept(), store.verify().unwrap().len()), (None, 0));
}

pub fn tokens_near(at: &dyn Place) {
    let store = at.open();
    let near = |n: u8| read(&*store, move |tx| tx.token_near(&[n; 32])).unwrap();
    assert_eq!(near(4), None);
    write(&*store, |tx| [4, 6].iter().try_for_each(|n| tx.put_token(&[*n; 32], 20_000, &[*n]))).unwrap();
    for (asked, found) in [(4, 4), (5, 6), (6, 6), (7, 4)] {
        assert_eq!(near(asked), Some(TokenRow { hash: [found; 32], sealed: vec![found] }));
    }
    write(&*store, |tx| tx.renew_token(&[6; 32], b"nobody's").and(tx.renew_token(&[5; 32], b"not there")))
        .unwrap();
    assert_eq!(near(5).unwrap().sealed, b"nobody's");
    for (token_day, left) in [(20_000, true), (20_001, false)] {
        let cut = Cut { token_day, ..Cut::default() };
        write(&*store, move |tx| tx.sweep(&cut, 100).map(drop)).unwrap();
        assert_eq!(near(6).is_some(), left, "it keeps its day");
    }
}

pub fn devices_near(at: &dyn Place) {
    let store = at.open();
    let near = |n: u8| read(&*store, move |tx| tx.device_near(&DeviceId([n; 16]))).unwrap();
    let mailbox = |account| Mailbox { account, first_seq: 1, next_seq: 1 };
    write(&*store, move |tx| tx.put_mailbox(&DeviceId([3; 16]), &mailbox(NOBODY))).unwrap();
    assert_eq!(near(4), None, "nobody's mailbox is nobody's");
    let own = [4, 6];
    write(&*store, move |tx| {
        own.iter().try_for_each(|n| tx.put_mailbox(&DeviceId([*n; 16]), &mailbox(AccountId([9; 16]))))
    })
    .unwrap();
    for (asked, found) in [(3, 4), (4, 4), (5, 6), (6, 6), (7, 4)] {
        assert_eq!(near(asked), Some(DeviceId([found; 16])));
    }
}

pub fn invites(at: &dyn Place) {
    let store = at.open();
    for age_band in [None, Some(AgeBand::Unknown), Some(AgeBand::Child)] {
        let for_one = age_band.is_some();
        let invite = Invite { uses: 2, age_band, for_one, expires_day: 20_100 };
        let put = invite.clone();
        write(&*store, move |tx| tx.put_invite(&[5; 32], &put)).unwrap();
        assert_eq!(read(&*store, |tx| tx.invite(&[5; 32])).unwrap(), Some(invite));
    }
    let used_up = Invite { uses: 0, age_band: None, for_one: false, expires_day: 20_100 };
    write(&*store, move |tx| tx.put_invite(&[5; 32], &used_up)).unwrap();
    assert_eq!(read(&*store, |tx| tx.invite(&[5; 32])).unwrap(), None);
}

pub fn payloads(at: &dyn Place) {
    let store = at.open();
    let name = BlobName::random();
    write(&*store, move |tx| tx.put_payload(&name, 480_000, &[9; 300_000])).unwrap();
    assert_eq!(read(&*store, move |tx| tx.payload(&name)).unwrap().unwrap(), vec![9; 300_000]);
    assert_eq!(read(&*store, |tx| tx.payload(&BlobName::random())).unwrap(), None);
}
