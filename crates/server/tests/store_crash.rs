//! A killed server and a full disk, for real: this test starts itself as another process.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    collections::HashMap,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};

use common::*;
use zegel_proto::{BlobName, DeviceId};
use zegel_server::store::{SqliteStore, Store, StoreError};

/// Says to the child's tests that they run as one, and where.
const CHILD: &str = "ZEGEL_TEST_CHILD_DIR";
const DEVICE: DeviceId = DeviceId([5; 16]);
const THREADS: usize = 4;

fn child_dir() -> Option<PathBuf> {
    std::env::var_os(CHILD).map(PathBuf::from)
}

#[test]
fn child_that_commits_until_it_is_killed() {
    let Some(dir) = child_dir() else { return };
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&dir).unwrap());
    let round = write(&*store, |tx| {
        if tx.mailbox(&DEVICE)?.is_none() {
            let alice = account("alice");
            tx.put_account(&alice, "alice")?;
            tx.put_queue_key(&DEVICE, b"queue key")?;
            tx.put_mailbox(&DEVICE, &mailbox(alice.id, 1000, 1000))?;
        }
        Ok(tx.mailbox(&DEVICE)?.unwrap().next_seq)
    })
    .unwrap();
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let store = &store;
            scope.spawn(move || {
                for n in 0_u64.. {
                    let text = format!("{round} {thread} {n}");
                    let put = text.clone();
                    let seq = write(&**store, move |tx| deliver(tx, &DEVICE, 480_000, 7, &put)).unwrap();
                    println!("acknowledged {seq} {text}");
                }
            });
        }
    });
}

#[test]
fn a_killed_server_loses_nothing_that_it_acknowledged() {
    let place = SqlitePlace::new();
    let mut acknowledged = HashMap::new();
    for _ in 0..6 {
        let before = acknowledged.len();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_that_commits_until_it_is_killed", "--nocapture"])
            .env(CHILD, place.data())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(rand::random_range(150..500)));
            child.kill().unwrap();
            child.wait().unwrap();
        });
        let mut line = String::new();
        while lines.read_line(&mut line).unwrap() > 0 {
            let words: Vec<&str> = line.split_whitespace().collect();
            // Only a whole line is an acknowledgement; the test harness writes lines of its own.
            if let (true, ["acknowledged", seq, round, thread, n]) = (line.ends_with('\n'), &words[..]) {
                let text = format!("{round} {thread} {n}");
                assert_eq!(
                    acknowledged.insert(seq.parse::<u64>().unwrap(), text),
                    None,
                    "a number came twice"
                );
            }
            line.clear();
        }
        killer.join().unwrap();
        assert!(acknowledged.len() > before, "the child committed something before it was killed");
        check(&place, &acknowledged);
    }
}

fn check(place: &SqlitePlace, acknowledged: &HashMap<u64, String>) {
    let store = place.open();
    assert_eq!(store.verify().unwrap(), [""; 0], "no hole, no entry without its key");
    let there = read(&*store, |tx| waiting(tx, &DEVICE)).unwrap();
    let by_seq: HashMap<u64, &str> = there.iter().map(|(seq, text)| (*seq, text.as_str())).collect();
    for (seq, text) in acknowledged {
        assert_eq!(by_seq.get(seq), Some(&text.as_str()), "number {seq} was acknowledged");
    }
    // In order: each thread of each round counts up, without a gap.
    let mut next: HashMap<&str, u64> = HashMap::new();
    for (_, text) in &there {
        let (who, n) = text.rsplit_once(' ').unwrap();
        let expected = next.entry(who).or_default();
        assert_eq!(n.parse(), Ok(*expected));
        *expected += 1;
    }
}

#[test]
fn child_with_a_small_disk() {
    let Some(dir) = child_dir() else { return };
    let store = SqliteStore::open(&dir.join("data")).unwrap();
    let ballast = dir.join("ballast");
    std::fs::write(&ballast, vec![1; 3 << 20]).unwrap();
    let mut stored = 0_u8;
    let error = loop {
        let n = stored;
        let result = write(&store, move |tx| {
            tx.put_token(&[n; 32], n.into(), b"beside it")?;
            tx.put_payload(&BlobName([n; 32]), 1, &[n; 100_000])
        });
        match result {
            Ok(()) => stored += 1,
            Err(error) => break error,
        }
    };
    assert!(matches!(error, StoreError::Full), "{error:?}");
    assert!(stored > 5, "{stored} fit");
    check_small(&store, stored);
    for _ in 0..3 {
        let again = write(&store, |tx| tx.put_payload(&BlobName([200; 32]), 1, &[9; 4_000_000]));
        assert!(matches!(again, Err(StoreError::Full)));
    }
    check_small(&store, stored);
    // The operator makes room, less than a copy of the whole log would take; the server need not be started again.
    std::fs::remove_file(ballast).unwrap();
    // (The kernel's count of free pages lags behind a little.)
    let room = (0..50).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(20));
        write(&store, |tx| tx.put_payload(&BlobName([201; 32]), 9, &[1; 100_000])).is_ok()
    });
    assert!(room, "writes work again without a restart");
    check_small(&store, stored);
    assert_eq!(store.verify().unwrap(), [""; 0]);
    drop(store);
    let store = SqliteStore::open(&dir.join("data")).unwrap();
    assert!(read(&store, |tx| tx.payload(&BlobName([201; 32]))).unwrap().is_some());
    println!("the small disk was survived");
}

fn check_small(store: &dyn Store, stored: u8) {
    read(store, move |tx| {
        for n in 0..=stored {
            assert_eq!(tx.token(&[n; 32])?.is_some(), n < stored, "all of a commit or nothing of it");
            assert_eq!(tx.payload(&BlobName([n; 32]))?.is_some(), n < stored);
        }
        Ok(())
    })
    .unwrap();
}

/// A real `ENOSPC`: a file system of 8 MB, in a mount namespace of its own, so that nothing of it outlives the test.
#[test]
fn a_full_disk_is_said_and_survived() {
    let small = tempfile::tempdir().unwrap();
    let output = on_small_disk(small.path());
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && text.contains("the small disk was survived"),
        "(this test needs unshare(1) and tmpfs in a user namespace)\n{text}"
    );
}

fn on_small_disk(at: &Path) -> std::process::Output {
    let script = format!(
        "mount -t tmpfs -o size=8m none \"${CHILD}\" && exec \"$0\" --exact child_with_a_small_disk --nocapture"
    );
    Command::new("unshare")
        .args(["--map-root-user", "--mount", "sh", "-c", &script])
        .arg(std::env::current_exe().unwrap())
        .env(CHILD, at)
        .output()
        .expect("unshare(1) is part of util-linux")
}
