//! Reports: what is shown before, what the service answers, and what it says when it has decided.

mod scene;

use scene::{Person, Scene, befriend, text};
use serde_json::{Value, json};

/// Reports, and gets the one object that describes it.
fn reports(who: &Person, words: &[&str]) -> Value {
    who.asks_one(&[&["report"], words, &["--yes"]].concat())
}

/// The texts that were disclosed, as `from: text`.
fn disclosed(report: &Value) -> Vec<String> {
    let messages = report["disclosed"].as_array().expect("a list");
    messages.iter().map(|it| format!("{}: {}", text(it, "from"), text(it, "text"))).collect()
}

/// The id of a message.
fn id_of(who: &Person, message: &str) -> String {
    let lines = who.asks(&["read"]);
    let line = lines.iter().find(|line| text(line, "text") == message);
    text(line.unwrap_or_else(|| panic!("no {message} in {lines:?}")), "id").to_owned()
}

fn assert_proven(report: &Value, messages: u64) {
    assert_eq!((&report["messages"], &report["proven"]), (&json!(messages), &json!(messages)), "{report}");
    let findings = report["findings"].as_array().expect("a list");
    assert!(findings.iter().all(|why| why == ""), "{report}");
    assert_eq!(text(report, "case").len(), "K7Q2M-4XN9P".len(), "{report}");
}

#[test]
fn a_request_is_reported_and_its_sender_blocked() {
    let (scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    bob.sends("send me pictures, or else").to("alice");
    assert_eq!(alice.requests(), ["bob"]);
    let report =
        reports(&alice, &["bob", "--reason", "sexual-extortion", "--note", "he does not stop", "--block"]);
    assert_proven(&report, 1);
    assert_eq!(disclosed(&report), ["bob: send me pictures, or else"]);
    assert_eq!((&report["blocked"], &report["withheld"]), (&json!(true), &json!(0)));
    assert!(alice.requests().is_empty());
    let said = bob.sends("well?").to_in_vain("alice");
    assert!(said.contains("has not answered"), "he is told nothing: {said}");

    let listed = alice.asks_one(&["reports"]);
    for field in ["case", "state", "proven", "messages", "outcome", "category", "about", "reported_at"] {
        assert_eq!(listed[field], report[field], "{field}");
    }
    assert_eq!((&listed["outcome"], text(&listed, "state")), (&json!(null), "received"));
    assert_eq!((text(&listed, "category"), text(&listed, "about")), ("sexual-extortion", "bob"));
    assert!(text(&listed, "reported_at").ends_with('Z'));
    let shown = alice.does(&["reports"]);
    assert!(shown.contains(text(&report, "case")) && shown.contains("waits for somebody"), "{shown}");
    assert_eq!(bob.does(&["reports"]), "You have reported nothing.\n");
    assert_eq!(bob.does(&["decisions"]), "The service decided nothing about you.\n");

    let exported = alice.asks(&["export"]);
    let kept = exported.iter().find(|line| line["kind"] == "report").expect("a report");
    assert_eq!(text(&kept["report"], "case"), text(&report, "case"));
    drop(scene);
}

#[test]
fn nothing_is_disclosed_that_was_not_shown_and_confirmed() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    bob.sends("first\nand more").to("alice");
    let said = alice.fails(&["report", "bob", "--reason", "threats"]);
    assert!(said.contains("it was not confirmed; try --yes"), "{said}");
    let said = alice.is_told(&["--json", "report", "bob", "--reason", "threats"]);
    assert!(said.contains("it was not confirmed"), "{said}");
    assert!(alice.asks(&["reports"]).is_empty());

    let shown = alice.does(&["report", "bob", "--reason", "threats", "--yes"]);
    let lines: Vec<_> = shown.lines().collect();
    assert_eq!(lines[0], "A report about bob");
    assert!(lines[1].starts_with("The service at ") && lines[1].contains("not told who reported"), "{shown}");
    assert!(lines[1].contains("may have to pass it on to authorities, with your handle"), "{shown}");
    assert!(shown.contains("bob: first\n      | and more\n"), "{shown}");
    assert!(
        shown.contains("The service took it as case ") && shown.contains("1 of 1 messages are proven."),
        "{shown}"
    );
}

#[test]
fn a_wrong_category_lists_them_all() {
    let (_scene, [alice]) = Scene::of(["alice"]);
    let output = alice.tries(&["report", "bob", "--reason", "rude"]);
    let said = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(2));
    let help = alice.does(&["report", "--help"]);
    for (word, line) in [
        ("child-abuse", "Sexual images or videos of a child"),
        ("election", "Lies about how, when or where to vote"),
        ("self-harm", "Someone speaks of hurting or killing themself"),
    ] {
        assert!(said.contains(word), "{said}");
        assert!(help.contains(&format!("{word}:")) && help.contains(line), "{help}");
    }
    alice.fails(&["report", "nobody", "--reason", "spam", "--yes"]);
    alice.fails(&["report", "alice", "--reason", "spam", "--yes"]);
}

#[test]
fn the_same_is_reported_once_and_more_of_it_joins_the_case() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&bob, &alice);
    alice.sends("please stop").to("bob");
    bob.sends("never").to("alice");
    alice.waits_for("bob: never");
    // Her own words between them are named, and not disclosed.
    let first = reports(&alice, &["bob", "--reason", "harassment"]);
    assert_proven(&first, 2);
    assert_eq!(disclosed(&first), ["bob: may I?", "bob: never"]);
    let last = &first["disclosed"][1];
    assert!(last["withheld_before"].as_u64() >= Some(1), "{last}");
    assert_eq!(last["missing_before"], json!(0));
    let said = alice.fails(&["report", "bob", "--reason", "harassment", "--yes"]);
    assert!(said.contains(text(&first, "case")) && said.contains("try `reports`"), "{said}");
    assert!(!said.contains("see what became of it; "), "one piece of advice: {said}");
    assert_eq!(alice.asks(&["reports"]).len(), 1);

    bob.sends("I know where you live").to("alice");
    alice.waits_for("bob: I know where you live");
    let second = reports(&alice, &["bob", "--reason", "threats", "--last", "1"]);
    assert_proven(&second, 1);
    assert_eq!(text(&second, "case"), text(&first, "case"));
    assert_eq!(disclosed(&second), ["bob: I know where you live"]);
    let said = alice.fails(&["report", "bob", "--reason", "threats", "--last", "31", "--yes"]);
    assert!(said.contains("from 1 to 30"), "{said}");
}

#[test]
fn who_stands_between_is_shown_and_what_was_said_elsewhere_is_named() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&bob, &alice);
    alice.sends("please").to("bob");
    alice.sends("stop").to("bob");
    bob.sends("never").to("alice");
    alice.waits_for("bob: never");
    bob.does(&["group", "create", "plot", "alice"]);
    alice.does(&["sync"]);
    bob.sends("here too").to("plot");
    alice.waits_for("bob: here too");
    let shown = alice.does(&["report", "bob", "--reason", "harassment", "--yes"]);
    assert!(
        shown.contains("bob wrote in another conversation too: nothing of that is disclosed."),
        "{shown}"
    );
    let line = shown
        .lines()
        .find(|line| {
            line.contains(
                "messages, or what their device tells by itself (such as that they accepted), by alice, ",
            )
        })
        .expect("her own words");
    assert!(line.ends_with(": who and when is disclosed, not what") && line.contains(" to 20"), "{shown}");
    bob.sends("and again").to("alice");
    alice.waits_for("bob: and again");
    let report = reports(&alice, &["bob", "--reason", "harassment"]);
    assert_eq!(report["elsewhere"], json!(1));
    let named = report["disclosed"][1]["named_before"].as_array().expect("a list");
    assert!(named.iter().any(|it| it["from"] == "alice" && it["said"] == true), "{report}");
    assert!(named.iter().all(|it| text(it, "accepted_at").ends_with('Z')), "{report}");
    assert_eq!(report["disclosed"][0]["whole"], json!(true));
    assert!(report["disclosed"][0]["bytes"].as_u64() > Some(10));
}

#[test]
fn a_person_who_wrote_nothing_is_reported_too() {
    let (_scene, [alice, _bob]) = Scene::of(["alice", "bob"]);
    let report = reports(&alice, &["bob", "--reason", "fraud", "--note", "their profile is mine"]);
    assert_proven(&report, 0);
    assert_eq!(alice.asks_one(&["reports"])["messages"], json!(0));
}

#[test]
fn messages_are_reported_by_their_ids() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&bob, &alice);
    for text in ["one", "two", "three"] {
        bob.sends(text).to("alice");
    }
    alice.waits_for("bob: three");
    let (one, three) = (id_of(&alice, "one"), id_of(&alice, "three"));
    let report = reports(&alice, &[&three[..16], &one, "--reason", "spam"]);
    assert_proven(&report, 2);
    assert_eq!(disclosed(&report), ["bob: one", "bob: three"]);
    assert_eq!((&report["withheld"], text(&report, "about")), (&json!(1), "bob"));
    let said = alice.fails(&["report", &one[..4], &three, "--reason", "spam", "--yes"]);
    assert!(said.contains("no message id"), "{said}");
    let said = alice.fails(&["report", &one[..5], "--reason", "spam", "--yes"]);
    assert!(said.contains("at least 6 digits"), "{said}");
    let said = alice.fails(&["report", &one, "--last", "2", "--reason", "spam", "--yes"]);
    assert!(said.contains("the ids say which"), "{said}");
}

#[test]
fn a_group_is_reported_as_a_whole_and_one_of_its_members_alone() {
    let (_scene, [alice, carol]) = Scene::of(["alice", "carol"]);
    befriend(&alice, &carol);
    carol.does(&["group", "create", "plot", "alice"]);
    alice.does(&["sync"]);
    carol.sends("we meet at dawn").to("plot");
    alice.waits_for("carol: we meet at dawn");
    alice.sends("no").to("plot");
    let report = reports(&alice, &["plot", "--reason", "terrorism"]);
    assert_proven(&report, 2);
    assert_eq!(disclosed(&report), ["carol: we meet at dawn", "alice: no"]);
    assert_eq!(text(&report, "about"), "plot");
    let said = alice.fails(&["report", "plot", "--reason", "terrorism", "--block", "--yes"]);
    assert!(said.contains("try `block HANDLE`"), "{said}");

    carol.sends("bring the others").to("plot");
    alice.waits_for("carol: bring the others");
    let report = reports(&alice, &["carol", "--reason", "terrorism", "--last", "1"]);
    assert_eq!(disclosed(&report), ["carol: bring the others"]);
    assert_eq!(text(&report, "about"), "carol");
}

#[test]
fn who_is_suspended_is_told_where_to_look_and_still_sees_their_reports() {
    let (scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    bob.sends("hi").to("alice");
    reports(&alice, &["bob", "--reason", "spam"]);
    scene.operator_does("suspend", &["alice"]);
    for words in [
        &["send", "bob", "hi"][..],
        &["sync"],
        &["requests"],
        &["report", "bob", "--reason", "spam", "--yes"],
    ] {
        let said = alice.fails(words);
        assert!(
            said.contains(
                "suspended; try `zegel decisions`, which shows why, and `zegel appeal`, which asks"
            ),
            "{words:?}: {said}"
        );
    }
    assert_eq!(alice.asks(&["reports"]).len(), 1);
    assert!(alice.asks(&["decisions"]).is_empty());
    let said = alice.fails(&["appeal", "K7Q2M-4XN9P", "it was not me"]);
    assert!(said.contains("no decision about you") && said.contains("try `decisions`"), "{said}");
    let said = alice.fails(&["appeal", "K7Q2M", "it was not me"]);
    assert!(said.contains("is no case number"), "{said}");
    let said = alice.fails(&["appeal", "K7Q2M-4XN9P", ""]);
    assert!(said.contains("1 to 4000 bytes"), "{said}");
    assert!(alice.asks(&["export"]).iter().any(|line| line["kind"] == "report"));
    alice.does(&["delete-account", "alice", "--yes"]);
}

#[test]
fn who_is_blocked_with_a_report_that_is_refused_is_named() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    bob.sends("pay up").to("alice");
    reports(&alice, &["bob", "--reason", "fraud"]);
    let said = alice.fails(&["report", "bob", "--reason", "fraud", "--block", "--yes"]);
    assert!(said.contains("reported these messages before"), "{said}");
    assert!(said.contains("; bob is blocked all the same"), "{said}");
    assert!(alice.requests().is_empty());
    let said = alice.is_told(&["--json", "report", "bob", "--reason", "fraud", "--block", "--yes"]);
    let said: Value = serde_json::from_str(&said).expect("JSON");
    assert_eq!((text(&said, "kind"), text(&said, "blocked")), ("refused", "bob"), "{said}");
}
