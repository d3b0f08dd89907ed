//! What is SQLite's own: the folder, the lock, the schema's version, and what is left on the disk.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use std::os::unix::fs::PermissionsExt;

use common::*;
use zegel_proto::{AccountId, DeviceId};
use zegel_server::store::{SqliteStore, StoreError};

fn refusal(place: &SqlitePlace) -> String {
    match SqliteStore::open(&place.data()) {
        Err(StoreError::Unusable(why)) => why,
        other => panic!("{other:?}"),
    }
}

#[test]
fn one_server_at_a_time() {
    let place = SqlitePlace::new();
    let first = place.open();
    assert!(refusal(&place).contains("another zegel-server"));
    let beside = place.open_beside();
    write(&*beside, |tx| tx.put_token(&[1; 32], 1, b"x")).unwrap();
    drop(first);
    // An operator's command does not keep a server from starting.
    let second = place.open();
    assert!(read(&*second, |tx| tx.token(&[1; 32])).unwrap().is_some());
}

#[test]
fn an_operator_may_come_first() {
    let place = SqlitePlace::new();
    write(&*place.open_beside(), |tx| tx.put_token(&[1; 32], 1, b"x")).unwrap();
    assert!(read(&*place.open(), |tx| tx.token(&[1; 32])).unwrap().is_some());
}

#[test]
fn a_newer_release_is_refused() {
    let place = SqlitePlace::new();
    drop(place.open());
    place.raw().pragma_update(None, "user_version", 2).unwrap();
    let why = refusal(&place);
    assert!(why.contains("newer release") && why.contains("schema 2"), "{why}");
    assert!(SqliteStore::open_beside(&place.data()).is_err());
    place.raw().pragma_update(None, "user_version", 1).unwrap();
    drop(place.open());
}

#[test]
fn other_files_are_refused() {
    let place = SqlitePlace::new();
    std::fs::create_dir(place.data()).unwrap();
    place.raw().execute_batch("CREATE TABLE theirs (x)").unwrap();
    assert!(refusal(&place).contains("another program's"));
    std::fs::write(place.data().join("zegel.db"), vec![7; 8192]).unwrap();
    refusal(&place);
}

#[test]
fn a_damaged_row_fails_only_who_reads_it() {
    let place = SqlitePlace::new();
    let store = place.open();
    let id = write(&*store, |tx| Ok(person(tx, "alice", 1)?.0)).unwrap();
    place.raw().execute("UPDATE account SET age_band = 77", []).unwrap();
    let busy = hold(&*store);
    let other = queue(&*store, |tx| tx.put_token(&[1; 32], 1, b"x"));
    let reader = queue(&*store, move |tx| tx.account(&id));
    drop(busy);
    other.wait().unwrap();
    assert!(matches!(reader.wait(), Err(StoreError::Failed { doing: "reading an account", .. })));
}

#[test]
fn damage_is_found() {
    let place = SqlitePlace::new();
    let store = place.open();
    for n in 0..200_u8 {
        write(&*store, move |tx| tx.put_token(&[n; 32], n.into(), &[n; 300])).unwrap();
    }
    drop(store);
    let path = place.data().join("zegel.db");
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.len() - 4096 * 3;
    bytes[at..at + 200].fill(0xEE);
    std::fs::write(&path, bytes).unwrap();
    assert!(!place.open().verify().unwrap().is_empty());
}

#[test]
fn only_this_user_may_read_the_files() {
    let place = SqlitePlace::new();
    let store = place.open();
    write(&*store, |tx| tx.put_token(&[1; 32], 1, b"x")).unwrap();
    store.backup(&place.scratch().join("copy")).unwrap();
    for folder in [place.data(), place.scratch().join("copy")] {
        assert_eq!(std::fs::metadata(&folder).unwrap().permissions().mode() & 0o777, 0o700);
        for file in std::fs::read_dir(folder).unwrap().map(|f| f.unwrap()) {
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o077, 0, "{:?}", file.path());
        }
    }
}

/// Counts the places where `needle` stands in any file of the folder.
fn traces(place: &SqlitePlace, needle: &[u8]) -> usize {
    // A copy, because closing a file of a database in use would drop the locks of this process.
    let copy = place.scratch().join("traces");
    let done = std::process::Command::new("cp").arg("-r").arg(place.data()).arg(&copy).status().unwrap();
    assert!(done.success());
    let mut count = 0;
    for file in std::fs::read_dir(&copy).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        count += bytes.windows(needle.len()).filter(|window| window == &needle).count();
    }
    std::fs::remove_dir_all(&copy).unwrap();
    count
}

#[test]
fn what_was_deleted_is_gone_from_the_disk() {
    let place = SqlitePlace::new();
    let store = place.open();
    let text = "a sealed entry that somebody may hope to find again ".repeat(200);
    let planted = text.clone();
    let device = write(&*store, move |tx| {
        let (_, device) = person(tx, "alice", 1)?;
        deliver(tx, &device, 480_000, 7, &planted)?;
        deliver(tx, &device, 480_000, 7, "short but recognisable")?;
        Ok(device)
    })
    .unwrap();
    store.settle().unwrap();
    assert!(traces(&place, &text.as_bytes()[..60]) > 0, "the control: it is found while it is there");
    assert!(traces(&place, b"short but recognisable") > 0);
    write(&*store, move |tx| tx.delete_entries(&device, 2)).unwrap();
    store.settle().unwrap();
    assert_eq!(traces(&place, &text.as_bytes()[..60]), 0);
    assert_eq!(traces(&place, b"short but recognisable"), 0);
    assert_eq!(std::fs::metadata(place.data().join("zegel.db-wal")).unwrap().len(), 0);
}

#[test]
fn the_log_stays_short_under_load() {
    let place = SqlitePlace::new();
    let store = place.open();
    for n in 0..120_u8 {
        write(&*store, move |tx| tx.put_payload(&zegel_proto::BlobName([n; 32]), 1, &[n; 1 << 20])).unwrap();
    }
    let log = std::fs::metadata(place.data().join("zegel.db-wal")).unwrap().len();
    assert!(log < 40 << 20, "{log} bytes after 120 MB were written");
}

/// Rows are ordered by random names, or by hour and chance: never by arrival.
#[test]
fn row_ids_tell_only_the_hour() {
    let place = SqlitePlace::new();
    let store = place.open();
    write(&*store, |tx| {
        let devices: [DeviceId; 40] = std::array::from_fn(|_| DeviceId::random());
        for device in &devices {
            tx.put_mailbox(device, &mailbox(AccountId::random(), 0, 0))?;
            deliver(tx, device, 480_000, 1, "x")?;
        }
        Ok(())
    })
    .unwrap();
    drop(store);
    let raw = place.raw();
    let mut statement = raw.prepare("SELECT id >> 40, sealed, id FROM entry ORDER BY device").unwrap();
    let rows: Vec<(i64, i64)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(2)?))).unwrap().map(Result::unwrap).collect();
    assert!(rows.iter().all(|row| row.0 == 480_000));
    let neighbours =
        |rows: &[(i64, i64)]| rows.windows(2).filter(|w| (w[1].1 - w[0].1).abs() < 1 << 20).count();
    assert_eq!(neighbours(&rows), 0);
    let mut sorted = rows.clone();
    sorted.sort_unstable();
    assert!(neighbours(&sorted) <= 1, "forty of 2^40 numbers are hardly ever so near to each other");
}
