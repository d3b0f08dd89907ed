//! `holdings.toml` says what the server holds. Here it is compared with a data folder in use, and with the source:
//! what is held must be listed, and what is listed must be held.

#![allow(missing_docs, clippy::unwrap_used, reason = "tests")]

mod common;

use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
};

use common::*;
use zegel_proto::BlobName;
use zegel_server::{blobs::Blobs, clock::Now};

type Names = BTreeSet<String>;

fn listed() -> toml::Table {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("holdings.toml");
    std::fs::read_to_string(path).unwrap().parse().unwrap()
}

fn keys(list: &toml::Table, section: &str) -> Names {
    list[section].as_table().unwrap().keys().cloned().collect()
}

fn listed_columns(list: &toml::Table) -> Names {
    let mut names = Names::new();
    for (table, about) in list["table"].as_table().unwrap() {
        for text in ["purpose", "retention"] {
            assert!(!about[text].as_str().unwrap().is_empty(), "{table}: {text}");
        }
        names.extend(about["columns"].as_table().unwrap().keys().map(|column| format!("{table}.{column}")));
    }
    names
}

/// What one side has and the other has not, in words.
fn differences(listed: &Names, held: &Names) -> Vec<String> {
    let unlisted = held.difference(listed).map(|name| format!("{name} is held and not listed"));
    let unheld = listed.difference(held).map(|name| format!("{name} is listed and not held"));
    unlisted.chain(unheld).collect()
}

fn held_columns(place: &SqlitePlace) -> Names {
    let raw = place.raw();
    let sql = "SELECT t.name || '.' || c.name FROM sqlite_schema AS t, pragma_table_xinfo(t.name) AS c
               WHERE t.type = 'table'";
    let mut statement = raw.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// Files below `folder`, each under the listed pattern that it matches best, or under its own name.
fn held_files(folder: &Path, patterns: &Names) -> Names {
    let mut files = Vec::new();
    collect(folder, &mut files);
    let name = |path: &PathBuf| path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned();
    let pattern = |file: String| {
        let best = patterns.iter().filter(|p| matches(p, &file)).max_by_key(|p| p.len());
        best.cloned().unwrap_or(file)
    };
    files.iter().map(name).map(pattern).collect()
}

fn collect(folder: &Path, into: &mut Vec<PathBuf>) {
    for path in std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { collect(&path, into) } else { into.push(path) }
    }
}

/// Whether a file's path is one of the pattern's; `*` stands for hexadecimal digits.
fn matches(pattern: &str, path: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == path,
        Some((before, after)) => path.strip_prefix(before).is_some_and(|rest| {
            let digits = rest.bytes().take_while(u8::is_ascii_hexdigit).count();
            digits > 0 && matches(after, &rest[digits..])
        }),
    }
}

/// A data folder in use, as `zegel-server serve` has it.
fn used(place: &SqlitePlace) -> Box<dyn zegel_server::store::Store> {
    let store = place.open();
    write(&*store, |tx| {
        let (_, device) = person(tx, "alice", 100)?;
        deliver(tx, &device, 480_000, 1, "mail").map(drop)
    })
    .unwrap();
    let blobs = Blobs::open(&place.data().join("blobs")).unwrap();
    for last in [true, false] {
        blobs.put(&BlobName::random(), 0, b"sealed", last, Now::get()).unwrap();
    }
    store
}

#[test]
fn columns_are_as_listed() {
    let place = SqlitePlace::new();
    drop(used(&place));
    let columns = listed_columns(&listed());
    assert_eq!(differences(&columns, &held_columns(&place)), [""; 0]);
    // The control: a planted column and a dropped one are noticed.
    let planted = "ALTER TABLE mailbox ADD COLUMN friends BLOB; ALTER TABLE account DROP COLUMN role;
                   CREATE TABLE diary (line TEXT);";
    place.raw().execute_batch(planted).unwrap();
    assert_eq!(
        differences(&columns, &held_columns(&place)),
        [
            "diary.line is held and not listed",
            "mailbox.friends is held and not listed",
            "account.role is listed and not held"
        ]
    );
}

#[test]
fn files_are_as_listed() {
    let place = SqlitePlace::new();
    let store = used(&place);
    let patterns = keys(&listed(), "file");
    assert_eq!(differences(&patterns, &held_files(&place.data(), &patterns)), [""; 0]);
    for planted in ["blobs/senders.txt", "zegel.log"] {
        std::fs::write(place.data().join(planted), "").unwrap();
    }
    drop(store);
    let control = differences(&patterns, &held_files(&place.data(), &patterns));
    assert!(control.contains(&"blobs/senders.txt is held and not listed".into()), "{control:?}");
    assert!(control.contains(&"zegel.log is held and not listed".into()), "{control:?}");
    assert!(control.contains(&"zegel.db-wal is listed and not held".into()), "gone with the last connection");
}

/// The arguments of each call of one of these macros in Rust source. Found by its name and by counting brackets,
/// which is enough for formatted source.
fn calls<'a>(source: &'a str, macros: &[&str]) -> Vec<&'a str> {
    let mut calls = Vec::new();
    for name in macros {
        let opening = format!("{name}!(");
        for (at, _) in source.match_indices(&opening) {
            let is_longer_name = source[..at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
            let body = &source[at + opening.len()..];
            let mut depth = 1;
            let end = body.find(|c| {
                depth += match c {
                    '(' | '[' | '{' => 1,
                    ')' | ']' | '}' => -1,
                    _ => 0,
                };
                depth == 0
            });
            if !is_longer_name {
                calls.push(&body[..end.unwrap()]);
            }
        }
    }
    calls
}

/// An argument list cut at its outer commas.
fn arguments(call: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut before) = (0, false, ' ');
    let outer = |c: char| {
        quoted ^= c == '"' && before != '\\';
        before = c;
        depth += match c {
            '(' | '[' | '{' => 1,
            ')' | ']' | '}' => -1,
            _ => 0,
        };
        c == ',' && depth == 0 && !quoted
    };
    call.split(outer).map(str::trim).collect()
}

/// `name = value`, `%name` or `?name` in a tracing macro; a text is the message, and any other expression or
/// inline `{value}` would be one that nobody listed, so it is returned as it stands.
fn log_fields(source: &str) -> Names {
    let mut names = Names::new();
    let macros = ["trace", "debug", "info", "warn", "error", "event", "span", "info_span", "debug_span"];
    for call in calls(source, &macros) {
        for argument in arguments(call).into_iter().filter(|a| !a.is_empty()) {
            if argument.starts_with('"') {
                names.extend(argument.contains('{').then(|| argument.to_owned()));
                continue;
            }
            let name = argument.split(" = ").next().unwrap();
            names.insert(name.trim_start_matches(['%', '?']).to_owned());
        }
    }
    names
}

/// `"label" => value` in a macro of `metrics`.
fn metric_labels(source: &str) -> Names {
    let all = calls(source, &["counter", "gauge", "histogram"]).into_iter().flat_map(arguments);
    all.filter_map(|a| a.split_once(" => ")).map(|(label, _)| label.trim_matches('"').to_owned()).collect()
}

fn in_source(find: fn(&str) -> Names) -> Names {
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut files);
    let sources = files.iter().filter(|file| file.extension().is_some_and(|e| e == "rs"));
    sources.flat_map(|file| find(&std::fs::read_to_string(file).unwrap())).collect()
}

#[test]
fn log_fields_are_as_listed() {
    assert_eq!(differences(&keys(&listed(), "log"), &in_source(log_fields)), [""; 0]);
    let planted = r#"
        tracing::warn!(event = "x", %error, peer = %address(a, b), "while (a, b)");
        tracing::info!("{handle} came");
        info_span!("call", ?body);
        writeln!(f, "{handle}");
    "#;
    let found: Vec<_> = log_fields(planted).into_iter().collect();
    assert_eq!(found, ["\"{handle} came\"", "body", "error", "event", "peer"]);
}

#[test]
fn metric_labels_are_as_listed() {
    assert_eq!(differences(&keys(&listed(), "metric"), &in_source(metric_labels)), [""; 0]);
    let planted = r#"metrics::counter!("calls", "call" => name(&a, b), "who" => handle).increment(1);"#;
    assert_eq!(metric_labels(planted).into_iter().collect::<Vec<_>>(), ["call", "who"]);
}
