//! The archive of a case's evidence, and everything that somebody could do to it.

mod scene;

use std::io::{Cursor, Read as _, Write as _};

use scene::{DAY, DOMAIN, NOW, case, content, context, custody, report, service, sign};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zegel_cases::{
    Finding, Report,
    archive::{ArchiveError, Checked, MAX_BYTES, build, check},
};
use zegel_content::{Content, Event};
use zegel_directory::{SignerKey, Statement};
use zip::{CompressionMethod, ZipArchive, ZipWriter, write::SimpleFileOptions};

type Files = Vec<(String, Vec<u8>)>;

fn made(reports: &[Report]) -> Vec<u8> {
    let key = service(DOMAIN, 1);
    let lines = custody(case().number);
    build(DOMAIN, key.links(), &case(), reports, &lines, NOW, sign(&key, DOMAIN, Statement::Evidence))
        .expect("it is small")
}

fn unzip(bytes: &[u8]) -> Files {
    let mut zip = ZipArchive::new(Cursor::new(bytes)).expect("we made it");
    let mut files = Files::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index).expect("it is there");
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).expect("it is whole");
        files.push((file.name().expect("it is ASCII").into_owned(), bytes));
    }
    files
}

fn zip(files: &Files) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        zip.start_file(name.as_str(), options).expect("names differ");
        zip.write_all(bytes).expect("memory takes it");
    }
    zip.finish().expect("memory takes it").into_inner()
}

fn file<'a>(files: &'a mut Files, name: &str) -> &'a mut Vec<u8> {
    files.iter_mut().find(|(known, _)| known == name).map(|(_, bytes)| bytes).expect("it is there")
}

fn edit(files: &mut Files, name: &str, change: impl FnOnce(&mut Value)) {
    let bytes = file(files, name);
    let mut value = serde_json::from_slice(bytes).expect("it is JSON");
    change(&mut value);
    *bytes = serde_json::to_vec_pretty(&value).expect("it is JSON");
}

/// Lists and signs the files as they are: what a service that lies would do.
fn seal(files: &mut Files, key: &SignerKey, domain: &str) {
    let sums = files.iter().filter(|(name, _)| !name.starts_with("manifest"));
    let sums = sums.map(|(name, bytes)| {
        (name.clone(), json!({"sha256": hex::encode(Sha256::digest(bytes)), "size": bytes.len()}))
    });
    let sums: serde_json::Map<String, Value> = sums.collect();
    edit(files, "manifest.json", |manifest| {
        manifest["files"] = Value::Object(sums);
        manifest["domain"] = domain.into();
    });
    let signed = key.sign_statement(domain, Statement::Evidence, file(files, "manifest.json"));
    let seal = json!({"signer": signed.signer, "signature": hex::encode(signed.signature)});
    *file(files, "manifest.sig.json") = seal.to_string().into_bytes();
}

fn error(files: &Files) -> ArchiveError {
    check(&zip(files)).expect_err("it is not in order")
}

/// What is said when the service itself signed the change.
fn stated(change: impl FnOnce(&mut Files)) -> String {
    let mut files = unzip(&made(&[report()]));
    change(&mut files);
    seal(&mut files, &service(DOMAIN, 1), DOMAIN);
    match error(&files) {
        ArchiveError::Stated(stated) => stated.wrong.to_string(),
        other => panic!("{other}"),
    }
}

fn with_report(change: impl FnOnce(&mut Report)) -> String {
    let mut report = report();
    change(&mut report);
    match check(&made(&[report])).expect_err("it cannot be true") {
        ArchiveError::Stated(stated) => stated.wrong.to_string(),
        other => panic!("{other}"),
    }
}

#[test]
fn what_was_built_is_in_order() {
    let bytes = made(&[report(), report()]);
    let checked: Checked = check(&bytes).expect("it is in order");
    assert_eq!((checked.domain.as_str(), checked.made_ms, checked.signer), (DOMAIN, NOW, 1));
    assert_eq!(&checked.case, &case());
    assert_eq!(checked.reports, [report(), report()]);
    assert_eq!(checked.counts(), (4, 2, 2));
    assert_eq!(checked.signers.first(), &service(DOMAIN, 1).links()[0].key);
    let acts: Vec<_> = checked.custody.iter().map(|entry| entry.act.as_str()).collect();
    assert_eq!(acts, ["claim", "decide", "export"]);
    // README, case, custody; and for each report itself and text and content of three messages.
    assert_eq!(checked.files, 3 + 2 * (1 + 2 * 3));
    assert_eq!(bytes, made(&[report(), report()]), "the same evidence makes the same file");
    // Packed again by somebody, it says the same.
    assert!(check(&zip(&unzip(&bytes))).is_ok());
    assert!(check(&made(&[])).is_ok());
    // Of what is not proven the text alone may be kept.
    let mut report = report();
    report.run[2].content.clear();
    assert!(check(&made(&[report])).is_ok());
}

#[test]
fn a_file_that_was_changed_taken_out_or_put_in_is_found() {
    let files = unzip(&made(&[report()]));
    for index in 0..files.len() {
        let (name, bytes) = &files[index];
        let mut changed = files.clone();
        changed[index].1[bytes.len() / 2] ^= 1;
        let found = error(&changed);
        match name.as_str() {
            "manifest.json" | "manifest.sig.json" => assert!(
                matches!(found, ArchiveError::Signature | ArchiveError::Form { .. } | ArchiveError::Keys(_)),
                "{name}: {found}"
            ),
            _ => assert_eq!(found, ArchiveError::Changed(name.clone())),
        }
        let mut without = files.clone();
        without.remove(index);
        assert_eq!(error(&without), ArchiveError::Missing(name.clone()));
    }
    let mut more = files.clone();
    more.push(("messages/1-9.txt".into(), b"I confess".to_vec()));
    assert_eq!(error(&more), ArchiveError::Unlisted("messages/1-9.txt".into()));
}

#[test]
fn only_the_keys_it_names_can_have_signed_it() {
    let files = || unzip(&made(&[report()]));
    // Another key signs, under the same list of keys.
    let mut other = files();
    seal(&mut other, &service(DOMAIN, 50), DOMAIN);
    assert_eq!(error(&other), ArchiveError::Signature);
    // The right key, for another domain: nothing of one service passes for another's.
    let mut elsewhere = files();
    edit(&mut elsewhere, "manifest.json", |manifest| manifest["domain"] = "evil.example".into());
    assert!(matches!(error(&elsewhere), ArchiveError::Keys(_)));
    let mut single = files();
    edit(&mut single, "manifest.json", |manifest| {
        manifest["domain"] = "evil.example".into();
        manifest["signers"].as_array_mut().expect("a list").truncate(1);
    });
    assert_eq!(error(&single), ArchiveError::Signature);
    // A chain of keys that breaks, and none.
    let mut broken = files();
    edit(&mut broken, "manifest.json", |manifest| {
        manifest["signers"][1]["key"] = hex::encode([3; 32]).into();
    });
    assert!(matches!(error(&broken), ArchiveError::Keys(_)));
    let mut none = files();
    edit(&mut none, "manifest.json", |manifest| manifest["signers"] = json!([]));
    assert!(matches!(error(&none), ArchiveError::Keys(_)));
    // A statement of another kind is no evidence.
    let mut notice = files();
    let manifest = file(&mut notice, "manifest.json").clone();
    let signed = service(DOMAIN, 1).sign_statement(DOMAIN, Statement::Notice, &manifest);
    *file(&mut notice, "manifest.sig.json") =
        json!({"signer": signed.signer, "signature": hex::encode(signed.signature)}).to_string().into_bytes();
    assert_eq!(error(&notice), ArchiveError::Signature);
    let mut newer = files();
    edit(&mut newer, "manifest.json", |manifest| manifest["version"] = 2.into());
    assert_eq!(error(&newer), ArchiveError::Version(2));
}

#[test]
fn a_service_that_signs_what_cannot_be_true_is_caught() {
    let wrong = with_report(|report| report.run[0].content = hex::encode(content("another text")));
    assert!(wrong.contains("message 1 has another text than its content"), "{wrong}");
    let wrong = with_report(|report| {
        report.run[0].content = hex::encode(content("another text"));
        report.run[0].text = "another text".into();
    });
    assert!(wrong.contains("did not commit"), "{wrong}");
    // A forged message is called proven.
    let wrong = with_report(|report| {
        let context = context(12, Some(b"something else"), [1; 32]);
        report.run[2] = scene::shown(&context, "made up", &content("made up"), Finding::Proven, 0);
    });
    assert!(wrong.contains("message 3"), "{wrong}");
    let wrong = with_report(|report| report.run[2].finding = Finding::Proven);
    assert!(wrong.contains("has no sender"), "{wrong}");
    let wrong = with_report(|report| report.run[3].gap = 0);
    assert!(wrong.contains("does not lie as far"), "{wrong}");
    let wrong = with_report(|report| report.run.swap(0, 1));
    assert!(wrong.contains("does not follow"), "{wrong}");
    let wrong = with_report(|report| report.run[0].accepted_ms += 1);
    assert!(wrong.contains("another time"), "{wrong}");
    let wrong = with_report(|report| report.run[0].seq += 1);
    assert!(wrong.contains("another place"), "{wrong}");
    let wrong = with_report(|report| report.run[0].sender = scene::ALICE.to_hex());
    assert!(wrong.contains("another sender"), "{wrong}");
    let wrong = with_report(|report| report.run[0].handle = "alice".into());
    assert!(wrong.contains("names another sender"), "{wrong}");
    let wrong = with_report(|report| report.room = hex::encode([1; 32]));
    assert!(wrong.contains("another conversation"), "{wrong}");
    let wrong = with_report(|report| report.made_ms += 90 * DAY);
    assert!(wrong.contains("too old"), "{wrong}");
    let wrong = with_report(|report| report.run[1].text = "what she said".into());
    assert!(wrong.contains("has a text and no content"), "{wrong}");
    // What is no text is said in the same words by everybody.
    let leaves = Content::event([9; 16], "mimi://a/u/b", "mimi://a/r/c", NOW, Event::Leave);
    let leaves = hex::encode(leaves.encode().expect("it is short"));
    let wrong = with_report(|report| {
        report.run[2].content = leaves.clone();
        report.run[2].text = "I will kill you".into();
    });
    assert!(wrong.contains("message 3 has another text than its content"), "{wrong}");
    let wrong = with_report(|report| report.run[1].content = hex::encode(content("")));
    assert!(wrong.contains("not disclosed"), "{wrong}");
    let wrong = with_report(|report| report.run[1].finding = Finding::Change);
    assert!(wrong.contains("no message and called one, or"), "{wrong}");
    let wrong = with_report(|report| report.run[4].finding = Finding::Withheld);
    assert!(wrong.contains("no message and called one, or"), "{wrong}");
}

#[test]
fn files_that_contradict_each_other_are_found_even_when_signed() {
    let wrong = stated(|files| *file(files, "messages/1-1.txt") = b"hello".to_vec());
    assert!(wrong.starts_with("messages/1-1.txt"), "{wrong}");
    let wrong = stated(|files| *file(files, "content/1-1.cbor") = content("hello"));
    assert!(wrong.starts_with("content/1-1.cbor"), "{wrong}");
    let wrong =
        stated(|files| edit(files, "reports/1.json", |report| report["run"][2]["finding"] = "proven".into()));
    assert!(wrong.starts_with("reports/1.json"), "{wrong}");
    let wrong = stated(|files| edit(files, "case.json", |case| case["number"] = "00000-00001".into()));
    assert!(wrong.starts_with("case.json"), "{wrong}");
    let wrong = stated(|files| files.push(("reports/3.json".into(), b"{}".to_vec())));
    assert!(wrong.starts_with("manifest.json"), "{wrong}");
    let wrong = stated(|files| files.retain(|(name, _)| name != "custody.jsonl"));
    assert!(wrong.starts_with("custody.jsonl"), "{wrong}");
}

#[test]
fn the_chain_of_custody_is_as_the_log_was() {
    let lines = |change: fn(&mut Vec<&str>)| {
        stated(|files| {
            let bytes = file(files, "custody.jsonl");
            let text = String::from_utf8(bytes.clone()).expect("it is text");
            let mut lines: Vec<&str> = text.lines().collect();
            change(&mut lines);
            *bytes = lines.join("\n").into_bytes();
        })
    };
    assert!(lines(|lines| lines.swap(0, 1)).contains("does not follow"));
    assert!(lines(|lines| lines.push("{}")).contains("custody.jsonl"));
    assert!(lines(|lines| lines.push(lines[2])).contains("does not follow"));
    // Lines 2 and 3 of the log stand next to each other, so that a change of the first shows.
    let wrong = stated(|files| {
        let bytes = file(files, "custody.jsonl");
        *bytes =
            String::from_utf8(bytes.clone()).expect("it is text").replace("claim", "decide").into_bytes();
    });
    assert!(wrong.contains("does not follow"), "{wrong}");
    let wrong = stated(|files| {
        let bytes = file(files, "custody.jsonl");
        let text = String::from_utf8(bytes.clone()).expect("it is text");
        *bytes = text.replace(&case().number.to_string(), "00000-00001").into_bytes();
    });
    assert!(wrong.contains("custody.jsonl"), "{wrong}");
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    for name in [
        "../x",
        "/etc/x",
        "messages/../../x",
        "a\\b",
        "C:x",
        ".hidden",
        "x/",
        "a//b",
        "a/b/c",
        "é",
        "x\0y",
        "x.",
        "",
    ] {
        let mut files = unzip(&made(&[report()]));
        files.push((name.into(), b"x".to_vec()));
        let found = error(&files);
        assert!(matches!(found, ArchiveError::Name(_) | ArchiveError::Zip(_)), "{name:?}: {found}");
    }
    let mut folder = ZipWriter::new(Cursor::new(Vec::new()));
    folder.add_directory("reports", SimpleFileOptions::DEFAULT).expect("memory takes it");
    let bytes = folder.finish().expect("memory takes it").into_inner();
    assert!(matches!(check(&bytes), Err(ArchiveError::Name(_))));
    let mut link = ZipWriter::new(Cursor::new(Vec::new()));
    link.add_symlink("case.json", "elsewhere", SimpleFileOptions::DEFAULT).expect("memory takes it");
    let bytes = link.finish().expect("memory takes it").into_inner();
    assert!(matches!(check(&bytes), Err(ArchiveError::Name(_))));
}

/// Puts bytes in the place of others of the same length, everywhere.
fn replaced(bytes: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = bytes.to_vec();
    for at in 0..=bytes.len() - from.len() {
        if &bytes[at..at + from.len()] == from {
            bytes[at..at + from.len()].copy_from_slice(to);
        }
    }
    bytes
}

#[test]
fn a_second_file_of_one_name_is_found() {
    let mut files = unzip(&made(&[report()]));
    files.push(("casf.json".into(), b"{}".to_vec()));
    let twice = replaced(&zip(&files), b"casf.json", b"case.json");
    assert!(matches!(check(&twice), Err(ArchiveError::Hidden(_))));
    // One that its table does not name, but that a program sees which reads from the front.
    let bytes = made(&[report()]);
    let table = bytes.windows(4).position(|four| four == b"PK\x01\x02").expect("it has a table");
    let stray = zip(&vec![("messages/1-9.txt".to_owned(), b"hidden".to_vec())]);
    let stray = &stray[..stray.windows(4).position(|four| four == b"PK\x01\x02").expect("it has a table")];
    let mut hidden = [&bytes[..table], stray, &bytes[table..]].concat();
    let end = hidden.len() - 22;
    let moved = (table + stray.len()) as u32;
    hidden[end + 16..end + 20].copy_from_slice(&moved.to_le_bytes());
    assert!(matches!(check(&hidden), Err(ArchiveError::Hidden(_))), "{:?}", check(&hidden).err());
    // Another name in front of the bytes than in the table.
    let first = bytes.windows(9).position(|nine| nine == b"case.json").expect("it is there");
    let mut renamed = bytes.clone();
    renamed[first..first + 9].copy_from_slice(b"caze.json");
    assert!(matches!(check(&renamed), Err(ArchiveError::Hidden(_))));
    let before = [b"#!/bin/sh\n", &bytes[..]].concat();
    assert!(check(&before).is_err());
}

#[test]
fn a_bomb_does_not_go_off() {
    // Larger than what it may hold, and a thousandth of that when packed; and it lies about its size.
    let mut files = unzip(&made(&[report()]));
    files.push(("zeros.txt".into(), vec![0; MAX_BYTES as usize + 1]));
    let bomb = zip(&files);
    assert!(bomb.len() < 2 << 20);
    assert_eq!(check(&bomb).err(), Some(ArchiveError::TooLarge));
    let size = (MAX_BYTES as u32 + 1).to_le_bytes();
    let modest = replaced(&bomb, &size, &1000_u32.to_le_bytes());
    assert!(check(&modest).is_err());
}

#[test]
fn too_many_files_are_neither_made_nor_taken() {
    let mut full = report();
    full.run = (0..26_000).map(|_| full.run[2].clone()).collect();
    let key = service(DOMAIN, 1);
    let sign = sign(&key, DOMAIN, Statement::Evidence);
    let built = build(DOMAIN, key.links(), &case(), &[full], &[], NOW, sign);
    assert_eq!(built.err(), Some(ArchiveError::TooLarge));
    let many = (0..50_001).map(|number| (format!("{number}"), Vec::new())).collect();
    assert_eq!(error(&many), ArchiveError::TooLarge);
}

#[test]
fn what_was_cut_off_or_is_no_archive_is_an_error() {
    let bytes = made(&[report()]);
    for length in (0..bytes.len()).step_by(bytes.len() / 97) {
        assert!(check(&bytes[..length]).is_err(), "{length}");
    }
    assert!(check(b"PK\x05\x06").is_err());
    // One bit anywhere: refused, or (in what nobody reads, like a date) the same.
    let whole = check(&bytes).expect("it is in order");
    for at in (0..bytes.len()).step_by(bytes.len() / 499) {
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        if let Ok(checked) = check(&changed) {
            assert_eq!((checked.case, checked.reports), (whole.case.clone(), whole.reports.clone()), "{at}");
        }
    }
}
