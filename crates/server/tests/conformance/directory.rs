//! The key directory: its tree, its roots, and what it owes.

use zegel_proto::AccountId;
use zegel_server::store::{Cut, Owed, RootRow, Store};

use crate::common::*;

pub fn the_trees_records(at: &dyn Place) {
    let store = at.open();
    let record = |key: &[u8], value: &[u8]| (key.to_vec(), value.to_vec());
    let records = [
        record(b"a", b"before"),
        record(b"b", b""),
        record(b"b\x00", b"1"),
        record(b"b\xff\xff", b"2"),
        record(b"c", b"after"),
        record(b"\xff", b"3"),
        record(b"\xff\xff\x01", b"4"),
    ];
    let put = records.to_vec();
    write(&*store, move |tx| tx.put_directory_records(&put)).unwrap();
    write(&*store, move |tx| tx.put_directory_records(&[(b"a".to_vec(), b"anew".to_vec())])).unwrap();
    let keys: Vec<Vec<u8>> = [&b"c"[..], b"d", b"a", b"", b"b", b"c"].map(<[u8]>::to_vec).into();
    let found = read(&*store, move |tx| tx.directory_records(&keys)).unwrap();
    let value = |value: &[u8]| Some(value.to_vec());
    assert_eq!(found, [value(b"after"), None, value(b"anew"), None, value(b""), value(b"after")]);
    let range = |prefix: &'static [u8]| read(&*store, move |tx| tx.directory_range(prefix)).unwrap();
    assert_eq!(range(b"b"), records[1..4]);
    assert_eq!(range(b"b\xff"), records[3..4]);
    assert_eq!(range(b"\xff"), records[5..]);
    assert_eq!(range(b"d"), []);
    assert_eq!(range(b"").len(), records.len());
}

fn root(epoch: u64) -> RootRow {
    RootRow { epoch, body: vec![epoch as u8; 149], signature: vec![7; 64] }
}

pub fn roots_are_given_once(at: &dyn Place) {
    let store = at.open();
    assert_eq!(read(&*store, |tx| tx.newest_root()).unwrap(), None);
    for epoch in [0, 1, 2] {
        write(&*store, move |tx| tx.put_root(&root(epoch), &[epoch as u8; 9000])).unwrap();
    }
    write(&*store, |tx| tx.put_root(&RootRow { body: vec![9], ..root(1) }, b"another")).unwrap_err();
    read(&*store, |tx| {
        assert_eq!(tx.newest_root()?, Some(root(2)));
        assert_eq!(tx.root(1)?, Some(root(1)));
        assert_eq!((tx.root(3)?, tx.root_proof(3)?), (None, None));
        assert_eq!(tx.root_proof(1)?, Some(vec![1; 9000]));
        assert_eq!(tx.counts()?.epoch, 2);
        Ok(())
    })
    .unwrap();
    assert_eq!(store.verify().unwrap(), [""; 0]);
    write(&*store, |tx| tx.put_root(&root(4), b"")).unwrap();
    assert_eq!(store.verify().unwrap(), ["1 epochs of the directory that are missing"]);
}

pub fn what_is_owed(at: &dyn Place) {
    let store = at.open();
    let owed = |due_epoch, by_epoch, made_ms| Owed { due_epoch, by_epoch, made_ms };
    let [alice, bob, carol] = std::array::from_fn(|_| AccountId::random());
    assert_eq!(read(&*store, |tx| tx.owed_last()).unwrap(), (0, 0));
    write(&*store, move |tx| {
        tx.put_owed(&alice, &owed(3, 3, 10))?;
        tx.put_owed(&bob, &owed(2, 3, 11))?;
        tx.put_owed(&carol, &owed(2, 2, u64::MAX))
    })
    .unwrap();
    read(&*store, move |tx| {
        assert_eq!(tx.owed(&bob)?, Some(owed(2, 3, 11)));
        assert_eq!(tx.owed(&AccountId::random())?, None);
        assert_eq!(tx.owed_last()?, (3, 2));
        assert_eq!(tx.counts()?.owed, 3);
        let all = tx.all_owed(10)?;
        assert_eq!(all.len(), 3);
        assert_eq!(all[2], (alice, owed(3, 3, 10)), "by what is due");
        assert_eq!(tx.all_owed(2)?, all[..2]);
        Ok(())
    })
    .unwrap();
    write(&*store, move |tx| {
        tx.settle_owed(&carol, &owed(2, 2, u64::MAX))?;
        tx.settle_owed(&bob, &owed(2, 3, 10))?;
        tx.settle_owed(&AccountId::random(), &owed(1, 1, 1))
    })
    .unwrap();
    read(&*store, move |tx| {
        assert_eq!(tx.owed(&carol)?, None);
        assert_eq!(tx.owed(&bob)?, Some(owed(3, 3, 11)), "another promise than the one that was kept");
        assert_eq!(tx.owed(&alice)?, Some(owed(3, 3, 10)));
        Ok(())
    })
    .unwrap();
    assert_eq!(
        store.verify().unwrap(),
        ["2 accounts that the directory owes an entry and that have no sigchain"]
    );
}

pub fn an_end_that_is_owed_keeps_its_chain(at: &dyn Place) {
    let store = at.open();
    let owed = Owed { due_epoch: 2, by_epoch: 2, made_ms: 1 };
    let id = write(&*store, move |tx| {
        let (id, _) = person(tx, "alice", 1)?;
        tx.remove_account(&id, 50)?;
        tx.put_owed(&id, &owed)?;
        Ok(id)
    })
    .unwrap();
    let sweep = |store: &dyn Store| {
        write(store, |tx| tx.sweep(&Cut { ended_day: u32::MAX, ..Cut::default() }, 100)).unwrap()
    };
    assert_eq!(sweep(&*store), 0);
    assert_eq!(read(&*store, move |tx| tx.chain(&id)).unwrap(), [link(0)]);
    write(&*store, move |tx| tx.settle_owed(&id, &owed)).unwrap();
    assert_eq!(sweep(&*store), 1);
}
