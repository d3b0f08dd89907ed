//! The people at the desk, and their log.

use zegel_cases::{LogEntry, LogHead, StaffId, verify_log};
use zegel_server::store::{Cut, DeskInvite, StaffRow, Store};

use crate::common::*;

fn staff(name: &str, handle: u8) -> StaffRow {
    let (role, passkeys) = ("moderator".into(), "[]".into());
    StaffRow { name: name.into(), role, handle: [handle; 16], passkeys, removed: false }
}

pub fn staff_come_and_go(at: &dyn Place) {
    let store = at.open();
    let mut ada = staff("ada", 1);
    let put = |row: &StaffRow| {
        let row = row.clone();
        write(&*store, move |tx| tx.put_staff(&row))
    };
    put(&staff("bob", 2)).unwrap();
    put(&ada).unwrap();
    ada = StaffRow { role: "senior".into(), passkeys: r#"["key"]"#.into(), removed: true, ..ada };
    put(&ada).unwrap();
    let first = ada.clone();
    read(&*store, move |tx| {
        assert_eq!(tx.staff("ada")?, Some(first.clone()));
        assert_eq!(tx.staff("Ada")?, None);
        assert_eq!(tx.staff_by_handle(&[1; 16])?, Some(first.clone()));
        assert_eq!(tx.staff_by_handle(&[3; 16])?, None);
        assert_eq!(tx.all_staff()?, [first, staff("bob", 2)]);
        Ok(())
    })
    .unwrap();
    put(&staff("eve", 2)).unwrap_err();
    assert_eq!(read(&*store, |tx| tx.staff("eve")).unwrap(), None);
    write(&*store, |tx| tx.sweep(&Cut { case_day: u32::MAX, ..Cut::default() }, 100)).unwrap();
    assert_eq!(read(&*store, |tx| tx.all_staff()).unwrap().len(), 2, "names are never given twice");
}

pub fn desk_invites(at: &dyn Place) {
    let store = at.open();
    let invite = |expires_ms| DeskInvite { name: "ada".into(), role: "auditor".into(), expires_ms };
    write(&*store, move |tx| {
        assert_eq!(tx.desk_invite(&[1; 32])?, None);
        tx.put_desk_invite(&[1; 32], &invite(10))?;
        tx.put_desk_invite(&[1; 32], &invite(20))?;
        tx.put_desk_invite(&[2; 32], &invite(30))?;
        tx.put_desk_invite(&[3; 32], &invite(30))?;
        tx.delete_desk_invite(&[3; 32])?;
        tx.delete_desk_invite(&[4; 32])?;
        assert_eq!(tx.desk_invite(&[1; 32])?, Some(invite(20)));
        assert_eq!(tx.desk_invite(&[3; 32])?, None);
        assert_eq!(tx.desk_invites()?, [([1; 32], invite(20)), ([2; 32], invite(30))]);
        assert_eq!(tx.sweep(&Cut { desk_invite_ms: 20, ..Cut::default() }, 10)?, 0);
        assert_eq!(tx.sweep(&Cut { desk_invite_ms: 21, ..Cut::default() }, 10)?, 1);
        assert_eq!(tx.desk_invite(&[1; 32])?, None);
        assert_eq!(tx.desk_invite(&[2; 32])?, Some(invite(30)));
        Ok(())
    })
    .unwrap();
}

fn act(act: &str) -> LogEntry {
    let (who, act) = (StaffId("ada".into()), act.to_owned());
    LogEntry { seq: 0, at_ms: 5, who, act, case: None, detail: String::new(), prev: String::new() }
}

/// Adds a line as the service does.
pub fn note(store: &dyn Store, word: &str) {
    let entry = act(word);
    write(store, move |tx| {
        let (seq, hash) = tx.log_head()?;
        let (line, head) = LogHead { seq, hash }.append(entry);
        tx.append_log(head.seq, &line, &head.hash)
    })
    .unwrap();
}

pub fn the_log_only_grows(at: &dyn Place) {
    let store = at.open();
    assert_eq!(read(&*store, |tx| tx.log_head()).unwrap(), (0, [0; 32]));
    assert_eq!(read(&*store, |tx| tx.log_lines(0, 10)).unwrap(), [""; 0]);
    ["claim", "decide", "sign-out"].iter().for_each(|word| note(&*store, word));
    let lines = read(&*store, |tx| tx.log_lines(0, 10)).unwrap();
    let (entries, end) = verify_log(LogHead::default(), lines.iter().map(String::as_str)).unwrap();
    assert_eq!(entries.iter().map(|entry| &*entry.act).collect::<Vec<_>>(), ["claim", "decide", "sign-out"]);
    assert_eq!(read(&*store, |tx| tx.log_head()).unwrap(), (end.seq, end.hash));
    assert_eq!(read(&*store, |tx| tx.log_lines(2, 1)).unwrap(), lines[1..2]);
    assert_eq!(read(&*store, |tx| tx.log_lines(4, 10)).unwrap(), [""; 0]);
    write(&*store, |tx| tx.append_log(2, "another", &[0; 32])).unwrap_err();
    assert_eq!(read(&*store, |tx| tx.log_lines(1, 10)).unwrap(), lines);
    assert_eq!(store.verify().unwrap(), [""; 0]);
}

pub fn verifying_follows_the_log(at: &dyn Place) {
    let line = |seq, word| {
        let (line, head) = LogHead { seq, hash: [0; 32] }.append(act(word));
        (head.seq, line, head.hash)
    };
    let wrong = |(seq, text, hash): (u64, String, [u8; 32])| {
        let copy = at.scratch().join(format!("{seq}-{}", text.len() + usize::from(hash[0])));
        let store = at.open();
        store.backup(&copy).unwrap();
        drop(store);
        let store = at.open_copy(&copy);
        write(&*store, move |tx| tx.append_log(seq, &text, &hash)).unwrap();
        note(&*store, "after");
        store.verify().unwrap()
    };
    note(&*at.open(), "claim");
    let not_following =
        "line 2 of the desk's log does not follow from the line before it: one of them was changed";
    assert_eq!(wrong(line(1, "decide")), [not_following]);
    assert_eq!(wrong((2, "nonsense".into(), [0; 32])), [not_following]);
    assert_eq!(wrong(line(2, "decide")), ["line 2 of the desk's log is missing"]);
    let store = at.open();
    let (seq, hash) = read(&*store, |tx| tx.log_head()).unwrap();
    drop(store);
    let (text, _) = LogHead { seq, hash }.append(act("decide"));
    assert_eq!(wrong((2, text, [9; 32])), ["line 2 of the desk's log is not the one that was hashed"]);
}
