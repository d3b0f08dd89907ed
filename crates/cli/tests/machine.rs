//! What scripts rely on: exit status, JSON, pipes; and a server that goes away and comes back.

mod scene;

use std::process::Stdio;

use scene::{Scene, befriend, text};
use serde_json::{Value, json};

#[test]
fn every_command_speaks_json() {
    let scene = Scene::new();
    let [alice, bob] = ["alice", "bob"].map(|handle| scene.newcomer(handle));
    for who in [&alice, &bob] {
        let words = ["register", &who.handle, "--server", scene.url(), "--age", "adult"];
        assert_eq!(
            fields(&who.asks_one(&words)),
            ["account", "age", "device", "directory", "guardian", "handle", "server", "uri"]
        );
    }
    let sent = alice.asks_one(&["send", "bob", "hi"]);
    assert_eq!((fields(&sent), text(&sent, "to")), (vec!["id", "to"], "bob"));
    let request = bob.asks_one(&["requests"]);
    let wanted = [
        "account_age",
        "declined_lately",
        "from",
        "group",
        "kind",
        "notices",
        "refused_by",
        "text",
        "trust",
        "unconnected",
        "via",
        "waits_for",
    ];
    assert_eq!(fields(&request), wanted);
    assert_eq!(bob.asks_one(&["accept", "alice"]), json!({"done": "accept", "name": "alice"}));
    let lines = bob.asks(&["read", "alice"]);
    let line = lines.last().expect("after the notices about her");
    let wanted = [
        "accepted_at",
        "conversation",
        "from",
        "id",
        "kind",
        "line",
        "sent_at",
        "seq",
        "state",
        "text",
        "trust",
    ];
    assert_eq!(fields(line), wanted);
    assert_eq!(line["id"], sent["id"]);
    assert_eq!(
        (text(line, "conversation"), text(line, "from"), text(line, "text")),
        ("alice", "alice", "hi")
    );
    assert!(line["seq"].as_u64().is_some_and(|seq| seq > 0));
    for time in ["sent_at", "accepted_at"] {
        let time = text(line, time);
        assert!(time.len() == 24 && time.ends_with('Z') && time.contains('T'), "{time}");
    }
    let done = |words: &[&str]| text(&bob.asks_one(words), "done").to_owned();
    assert_eq!(done(&["group", "create", "g", "alice"]), "group create");
    assert_eq!(fields(&bob.asks_one(&["group", "list"])), ["admin", "members", "name", "state"]);
    assert_eq!(done(&["group", "rename", "g", "h"]), "group rename");
    assert_eq!(done(&["group", "remove", "h", "alice"]), "group remove");
    assert_eq!(done(&["group", "add", "h", "alice"]), "group add");
    assert_eq!(done(&["sync"]), "sync");
    assert_eq!(fields(&bob.asks_one(&["age"])), ["age", "guardian"]);
    assert!(bob.asks(&["guardian"]).is_empty() && bob.asks(&["guardian", "requests"]).is_empty());
    for rule in bob.asks(&["safety"]) {
        assert_eq!(fields(&rule), ["numbers", "rule", "says", "service_says", "source"]);
    }
    for line in bob.asks(&["safety", "help"]) {
        assert_eq!(fields(&line), ["checked", "country", "hours", "name", "phones", "source", "web", "what"]);
    }
    assert_eq!(done(&["block", "alice"]), "block");
    assert_eq!(done(&["group", "warn", "h", "alice", "--yes"]), "group warn");
    assert_eq!(done(&["unblock", "alice"]), "unblock");
    assert_eq!(done(&["group", "leave", "h"]), "group leave");
    assert_eq!(fields(&bob.asks_one(&["verify", "alice"])), ["checked", "handle", "number", "qr"]);
    assert_eq!(fields(&bob.asks_one(&["devices"])), ["id", "since", "this"]);
    let entry = bob.asks_one(&["directory", "show", "alice"]);
    assert!(
        entry["devices"].is_array() && entry["state"].is_string() && entry["root"].is_string(),
        "{entry}"
    );
    assert!(bob.asks(&["alarms"]).is_empty());
    assert!(text(&bob.asks_one(&["code"]), "code").starts_with("zegel:bob:"));
    assert!(bob.asks(&["export"]).iter().all(|line| line["kind"].is_string()));
    let carol = scene.adult("carol");
    let code = carol.does(&["code"]);
    assert_eq!(bob.asks_one(&["connect", code.trim_end()]), json!({"done": "connect", "name": "carol"}));
    carol.does(&["sync"]);
    alice.sends("hi").to("carol");
    assert_eq!(carol.asks_one(&["decline", "alice"]), json!({"done": "decline", "name": "alice"}));
    let deleted = carol.asks_one(&["delete-account", "carol", "--yes"]);
    assert_eq!(deleted, json!({"done": "delete-account", "name": "carol"}));
}

fn fields(object: &Value) -> Vec<&str> {
    let mut fields: Vec<_> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    fields.sort_unstable();
    fields
}

#[test]
fn failures_are_json_too() {
    let (scene, [alice]) = Scene::of(["alice"]);
    let fails = |words: &[&str], status: i32| -> Value {
        let output = alice.tries(&[&["--json"], words].concat());
        assert_eq!(output.status.code(), Some(status), "{words:?}");
        assert!(output.stdout.is_empty());
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(said.lines().count(), 1, "{said}");
        serde_json::from_str(&said).expect("one JSON object")
    };
    let unknown = fails(&["send", "nobody", "hi"], 1);
    assert_eq!(text(&unknown, "kind"), "usage");
    assert!(text(&unknown, "error").contains("; try "));
    assert_eq!(text(&fails(&["sendd"], 2), "kind"), "command line");
    assert_eq!(text(&fails(&["send", "bob"], 2), "kind"), "command line");
    let other = scene.newcomer("other");
    let output = other.tries(&["--json", "register", "alice", "--server", scene.url()]);
    let refused: Value = serde_json::from_slice(&output.stderr).expect("JSON");
    assert_eq!((text(&refused, "kind"), &refused["code"]), ("refused", &json!(7)));
}

#[test]
fn a_wrong_command_line_is_status_2_and_help_is_none() {
    let nobody = Scene::new().newcomer("nobody");
    let status = |words: &[&str]| nobody.tries(words).status.code();
    for wrong in [&[][..], &["nonsense"], &["send"], &["register", "x"], &["group", "create", "g"]] {
        assert_eq!(status(wrong), Some(2), "{wrong:?}");
    }
    assert_eq!(status(&["register", "x", "--server", "y", "--age", "old"]), Some(2));
    for right in
        [&["--help"][..], &["--version"], &["group", "--help"], &["read", "--help"], &["safety", "help"]]
    {
        assert_eq!(status(right), Some(0), "{right:?}");
    }
    assert!(!nobody.home.exists(), "nothing was made");
}

#[test]
fn a_reader_who_stops_is_no_failure_and_loses_nothing() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    let long = "x".repeat(16_000);
    for _ in 0..10 {
        alice.sends(&long).to("bob");
    }
    bob.does(&["sync"]);
    for words in [&["read"][..], &["--json", "read"], &["--json", "export"], &["export"]] {
        let mut command = bob.command(words);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("zegel runs");
        drop(process.stdout.take());
        let output = process.wait_with_output().expect("it ends");
        assert_eq!(String::from_utf8_lossy(&output.stderr), "", "{words:?}");
        assert!(output.status.success(), "{words:?}");
    }
    assert_eq!(bob.hears().len(), 11, "what nobody saw is new still");
}

#[test]
fn without_a_terminal_there_are_no_colours() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    assert!(!bob.does(&["read"]).contains('\x1b'));
    assert!(!bob.does(&["requests"]).contains('\x1b'));
}

#[test]
fn with_the_server_down_the_past_is_there_and_one_is_told() {
    let (mut scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    bob.does(&["sync"]);
    scene.server_stops();
    let output = bob.tries(&["--json", "read"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("may I?"));
    let note: Value = serde_json::from_slice(&output.stderr).expect("a note");
    assert!(text(&note, "note").contains("while talking to the server"), "{note}");
    assert!(bob.does(&["whoami"]).starts_with("bob at "));
}

#[test]
fn conversations_go_on_after_the_server_was_stopped_or_killed() {
    let (mut scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    alice.does(&["group", "create", "g", "bob"]);
    alice.sends("before").to("bob");
    scene.server_stops();
    scene.server_returns();
    bob.waits_for("alice: before");
    bob.sends("in the group").to("g");
    scene.server_dies();
    scene.server_returns();
    alice.waits_for("bob: in the group");
    alice.sends("after").to("bob");
    bob.waits_for("alice: after");
    assert_eq!(bob.reads("alice"), ["alice: may I?", "alice: before", "alice: after"]);
}

#[test]
fn what_is_sent_while_the_server_is_away_goes_out_when_it_returns() {
    let (mut scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    alice.does(&["read"]);
    scene.server_dies();
    let mut follow = bob.starts(&["--json", "follow"]);
    let mut sending = alice.starts(&["send", "bob", "patience"]);
    scene::pause(2000);
    scene.server_returns();
    assert_eq!(sending.line().len(), 64);
    assert!(sending.process.wait().expect("it ends").success());
    while !follow.line().contains("patience") {}
    assert_eq!(follow.interrupted(), Some(0));
}
