//! Group commit: all or nothing, in order, and answered afterwards.

use std::sync::{Arc, Mutex, mpsc};

use proptest::{prelude::*, test_runner::TestRunner};
use zegel_proto::{AccountId, DeviceId, RoomId};
use zegel_server::store::{Head, Mailbox, Store, StoreError};

use crate::common::*;

fn failure() -> StoreError {
    StoreError::Failed { doing: "testing", why: "planted".into() }
}

/// Puts a head, mailbox and address in one commit with `job`, after another commit that put older ones; checks
/// that nothing of the second commit is there.
fn fails_with_its_commit(
    at: &dyn Place,
    job: impl FnOnce(&mut dyn zegel_server::store::Tx) + Send + 'static,
) {
    let store = at.open();
    let (room, device, new_room) = (RoomId::random(), DeviceId::random(), RoomId::random());
    let old = mailbox(AccountId::random(), 1, 1);
    let before = old.clone();
    write(&*store, move |tx| {
        tx.put_head(&room, &head(1))?;
        tx.put_mailbox(&device, &before)?;
        tx.put_address(&[1; 32], b"old")
    })
    .unwrap();
    let busy = hold(&*store);
    let first = queue(&*store, move |tx| {
        tx.put_head(&room, &head(2))?;
        tx.put_head(&new_room, &head(2))?;
        tx.put_mailbox(&device, &mailbox(AccountId::random(), 7, 7))?;
        tx.put_address(&[1; 32], b"new")?;
        tx.put_address(&[2; 32], b"new")
    });
    let second = queue(&*store, move |tx| {
        tx.put_token(&[3; 32], 1, b"token")?;
        job(tx);
        Err::<(), _>(failure())
    });
    let third = queue(&*store, |tx| tx.put_answer(&[4; 32], 1, b"answer"));
    drop(busy);
    for pending in [first, second, third] {
        assert!(matches!(pending.wait(), Err(StoreError::Failed { .. })));
    }
    let check = move |tx: &mut dyn zegel_server::store::Tx| {
        assert_eq!(tx.head(&room)?, Some(head(1)));
        assert_eq!(tx.head(&new_room)?, None);
        assert_eq!(tx.mailbox(&device)?, Some(old));
        assert_eq!(tx.address(&[1; 32])?.unwrap(), b"old");
        assert_eq!(tx.address(&[2; 32])?, None);
        assert_eq!(tx.token(&[3; 32])?, None);
        assert_eq!(tx.answer(&[4; 32])?, None);
        Ok(())
    };
    read(&*store, check.clone()).unwrap();
    write(&*store, check).unwrap();
}

pub fn a_failing_job_fails_its_commit(at: &dyn Place) {
    fails_with_its_commit(at, |_| {});
}

pub fn a_panic_fails_the_commit(at: &dyn Place) {
    fails_with_its_commit(at, |_| panic!("planted in a test"));
}

pub fn a_job_that_only_read_fails_alone(at: &dyn Place) {
    let store = at.open();
    let busy = hold(&*store);
    let (told, heard) = mpsc::channel();
    let first = queue(&*store, |tx| tx.put_address(&[1; 32], b"one"));
    let second = queue(&*store, move |tx| {
        tx.after_commit(Box::new(move || told.send(()).unwrap()));
        tx.address(&[1; 32])?;
        Err::<(), _>(failure())
    });
    drop(busy);
    first.wait().unwrap();
    second.wait().unwrap_err();
    assert!(heard.recv().is_err(), "nothing was committed for the second one");
    assert!(read(&*store, |tx| tx.address(&[1; 32])).unwrap().is_some());
}

pub fn callbacks_come_in_order(at: &dyn Place) {
    let store: Arc<dyn Store> = Arc::from(at.open());
    let heard = Arc::new(Mutex::new(Vec::new()));
    let busy = hold(&*store);
    let mut answers = Vec::new();
    for n in 0..2000_u32 {
        let (heard, told) = (heard.clone(), heard.clone());
        let (out, answer) = mpsc::channel();
        store.write_job(
            Box::new(move |tx| {
                tx.put_answer(&[n as u8; 32], 1, &n.to_le_bytes())?;
                tx.after_commit(Box::new(move || heard.lock().unwrap().push(n)));
                Ok(())
            }),
            Box::new(move |result| out.send((result, told.lock().unwrap().contains(&n))).unwrap()),
        );
        answers.push(answer);
    }
    drop(busy);
    for answer in answers {
        let (result, was_told) = answer.recv().unwrap();
        result.unwrap();
        assert!(was_told, "the callback ran before the answer");
    }
    assert_eq!(*heard.lock().unwrap(), (0..2000).collect::<Vec<_>>());
}

pub fn failed_callbacks_stay_silent(at: &dyn Place) {
    let store = at.open();
    let busy = hold(&*store);
    let (told, heard) = mpsc::channel();
    let first = queue(&*store, move |tx| {
        tx.after_commit(Box::new(move || told.send(()).unwrap()));
        Ok(())
    });
    let second = queue(&*store, |tx| {
        tx.put_token(&[3; 32], 1, b"token")?;
        Err::<(), _>(failure())
    });
    drop(busy);
    first.wait().unwrap_err();
    second.wait().unwrap_err();
    assert!(heard.recv().is_err());
    // A callback's own panic harms nobody.
    write(&*store, |tx| {
        tx.after_commit(Box::new(|| panic!("planted in a test")));
        Ok(())
    })
    .unwrap();
    write(&*store, |_| Ok(())).unwrap();
}

pub fn jobs_of_one_commit_see_each_other(at: &dyn Place) {
    let store = at.open();
    let room = RoomId::random();
    let busy = hold(&*store);
    let first = queue(&*store, move |tx| tx.put_head(&room, &head(1)));
    let second = queue(&*store, move |tx| tx.head(&room));
    let third = queue(&*store, |tx| tx.counts());
    drop(busy);
    first.wait().unwrap();
    assert_eq!(second.wait().unwrap(), Some(head(1)));
    assert_eq!(third.wait().unwrap().heads, 1);
}

pub fn readers_cannot_write(at: &dyn Place) {
    let store = at.open();
    let (device, room) = (DeviceId::random(), RoomId::random());
    let owner = mailbox(AccountId::random(), 1, 1);
    read(&*store, move |tx| tx.put_mailbox(&device, &owner)).unwrap_err();
    read(&*store, move |tx| tx.put_head(&room, &head(1))).unwrap_err();
    read(&*store, |tx| tx.put_address(&[1; 32], b"x")).unwrap_err();
    read(&*store, |tx| tx.put_key_package(&DeviceId::random(), false, b"x")).unwrap_err();
    read(&*store, move |tx| {
        assert_eq!(tx.mailbox(&device)?, None);
        assert_eq!(tx.head(&room)?, None);
        assert_eq!(tx.address(&[1; 32])?, None);
        Ok(())
    })
    .unwrap();
    read(&*store, |_| -> Result<(), _> { panic!("planted in a test") }).unwrap_err();
    read(&*store, |_| Ok(())).unwrap();
}

pub fn readers_see_what_was_answered(at: &dyn Place) {
    let store = at.open();
    let room = RoomId::random();
    for seq in 0..50 {
        write(&*store, move |tx| tx.put_head(&room, &head(seq))).unwrap();
        assert_eq!(read(&*store, move |tx| tx.head(&room)).unwrap(), Some(head(seq)));
    }
}

pub fn closing_answers_everybody(at: &dyn Place) {
    let store = at.open();
    let pending: Vec<_> = (0..1500_u32)
        .map(|n| queue(&*store, move |tx| tx.put_answer(&[n as u8; 32], 1, &n.to_le_bytes())))
        .collect();
    store.close();
    for pending in pending {
        pending.wait().unwrap();
    }
    assert!(matches!(write(&*store, |_| Ok(())), Err(StoreError::Closed)));
    assert!(matches!(read(&*store, |_| Ok(())), Err(StoreError::Closed)));
    assert!(matches!(store.foreign_changes(), Err(StoreError::Closed)));
    store.close();
    assert!(read(&*at.open(), |tx| tx.answer(&[7; 32])).unwrap().is_some());
}

#[derive(Clone, Debug)]
enum Step {
    Head(u8, u64, u32),
    Bury(u8),
    Mailbox(u8, u64),
    Remove(u8),
    Address(u8, u8),
    Unaddress(u8, u32),
    Sweep(u32),
    Fail,
    Commit,
}

/// Whatever is written, swept, rolled back: what the writer remembers is what a fresh reader finds.
pub fn the_cache_tells_the_truth(at: &dyn Place) {
    let store: Arc<dyn Store> = Arc::from(at.open());
    let step = prop_oneof![
        4 => (0..4_u8, 0..100_u64, 0..5_u32).prop_map(|(k, n, m)| Step::Head(k, n, m)),
        1 => (0..4_u8).prop_map(Step::Bury),
        4 => (0..4_u8, 0..100_u64).prop_map(|(k, n)| Step::Mailbox(k, n)),
        1 => (0..4_u8).prop_map(Step::Remove),
        2 => (0..4_u8, any::<u8>()).prop_map(|(k, n)| Step::Address(k, n)),
        1 => (0..4_u8, 1..6_u32).prop_map(|(k, day)| Step::Unaddress(k, day)),
        1 => (0..6_u32).prop_map(Step::Sweep),
        1 => Just(Step::Fail),
        4 => Just(Step::Commit),
    ];
    let mut runner = TestRunner::new(ProptestConfig { cases: 40, ..ProptestConfig::default() });
    let steps = proptest::collection::vec(step, 1..40);
    let check = |steps| {
        play(&store, steps);
        Ok(())
    };
    runner.run(&steps, check).unwrap();
}

fn play(store: &Arc<dyn Store>, steps: Vec<Step>) {
    for job in steps.split_inclusive(|step| matches!(step, Step::Commit | Step::Fail)) {
        let job = job.to_vec();
        let _ = write(&**store, move |tx| {
            for step in job {
                match step {
                    Step::Head(k, seq, month) => {
                        let head =
                            Head::Live { epoch: 0, token_hash: [0; 32], seq, stamp_hash: [0; 32], month };
                        tx.put_head(&RoomId([k; 32]), &head)?;
                        assert_eq!(tx.head(&RoomId([k; 32]))?, Some(head));
                    }
                    Step::Bury(k) => tx.put_head(&RoomId([k; 32]), &Head::Tombstone)?,
                    Step::Mailbox(k, n) => {
                        let account = AccountId([n as u8 % 2; 16]);
                        tx.put_mailbox(&DeviceId([k; 16]), &Mailbox { account, first_seq: n, next_seq: n })?;
                    }
                    Step::Remove(k) => tx.remove_mailbox(&DeviceId([k; 16]))?,
                    Step::Address(k, n) => tx.put_address(&[k; 32], &[n])?,
                    Step::Unaddress(k, day) => tx.bury_address(&[k; 32], b"dead", day)?,
                    Step::Sweep(time) => {
                        let cut = zegel_server::store::Cut {
                            head_month: time,
                            dead_day: time,
                            ..Default::default()
                        };
                        tx.sweep(&cut, 2)?;
                    }
                    Step::Fail => {
                        tx.put_token(&[0; 32], 0, b"")?;
                        return Err(failure());
                    }
                    Step::Commit => {}
                }
            }
            Ok(())
        });
        let look = |tx: &mut dyn zegel_server::store::Tx| {
            let mut seen = Vec::new();
            for k in 0..4 {
                let (room, device) = (RoomId([k; 32]), DeviceId([k; 16]));
                seen.push((tx.head(&room)?, tx.mailbox(&device)?, tx.address(&[k; 32])?));
            }
            Ok(seen)
        };
        assert_eq!(write(&**store, look).unwrap(), read(&**store, look).unwrap());
    }
}
