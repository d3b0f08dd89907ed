//! Who has which devices: shown, proven, compared; and what is said when the service goes back on it.

mod scene;

use std::path::Path;

use scene::{Scene, befriend, text, until};

#[test]
fn two_people_see_the_same_number() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    let mine = alice.asks_one(&["verify", "bob"]);
    let his = bob.asks_one(&["verify", "alice"]);
    assert_eq!(text(&mine, "number"), text(&his, "number"));
    assert_eq!(text(&mine, "number").split(' ').filter(|group| group.len() == 5).count(), 12);
    assert!(alice.does(&["verify", "bob"]).contains('█'), "a code to scan is drawn");

    let said = alice.does(&["verify", "bob", text(&his, "number")]);
    assert!(said.starts_with("It is the same"), "{said}");
    assert_eq!(alice.asks_one(&["verify", "bob"])["checked"], true);
    bob.does(&["verify", "alice", text(&mine, "qr")]);
}

#[test]
fn another_number_is_refused_and_nothing_is_marked() {
    let (_scene, [alice, _bob, carol]) = Scene::of(["alice", "bob", "carol"]);
    let hers = carol.asks_one(&["verify", "alice"]);
    let said = alice.fails(&["verify", "bob", text(&hers, "number")]);
    assert!(said.contains("it is NOT the same"), "{said}");
    assert_eq!(alice.asks_one(&["verify", "bob"])["checked"], false);
    assert!(alice.fails(&["verify", "bob", "12345"]).contains("; try "));
}

#[test]
fn an_account_is_usable_at_once_and_proven_soon() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    alice.sends("hello").to("bob");
    until("bob is in the directory", || alice.asks_one(&["directory", "show", "bob"])["state"] == "proven");
    let shown = alice.asks_one(&["directory", "show", "bob"]);
    let device = bob.asks_one(&["devices"]);
    assert_eq!(shown["devices"][0]["id"], device["id"]);
    assert_eq!(shown["version"], 1);
    let newest = alice.asks_one(&["directory", "show"]);
    assert_eq!((&newest["epoch"], &newest["root"]), (&shown["root_epoch"], &shown["root"]));
    let history = alice.asks(&["directory", "history", "bob"]);
    assert_eq!(history.len(), 1);
    assert_eq!(history[0]["links"], 1);
    assert!(alice.does(&["directory", "show", "bob"]).starts_with("bob  proven since epoch "));
}

#[test]
fn a_deleted_account_leaves_a_tombstone() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    bob.does(&["delete-account", "bob", "--yes"]);
    until("the tombstone is there", || {
        let history = alice.asks(&["directory", "history", "bob"]);
        history.last().is_some_and(|last| last["ended"] == true)
    });
}

/// Copies a folder of files and folders.
fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).expect("a folder");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).expect("copied");
        }
    }
}

#[test]
fn a_directory_that_went_back_is_an_alarm_that_every_command_shows() {
    let (mut scene, [alice]) = Scene::of(["alice"]);
    scene.server_stops();
    copy(&scene.path("data"), &scene.path("old"));
    scene.server_returns();
    let bob = scene.adult("bob");
    until("bob is proven", || bob.asks_one(&["directory", "show", "bob"])["state"] == "proven");
    // Alice sees the newer root.
    alice.asks_one(&["directory", "show", "bob"]);
    scene.server_stops();
    std::fs::remove_dir_all(scene.path("data")).expect("removed");
    copy(&scene.path("old"), &scene.path("data"));
    scene.server_returns();

    until("alice is told", || alice.is_told(&["sync"]).contains("ALARM (rollback"));
    let told = alice.is_told(&["whoami"]);
    assert!(told.contains("ALARM (rollback") && told.contains("    1. "), "every command says it: {told}");
    alice.does(&["alarms", "--seen"]);
    assert!(!alice.is_told(&["whoami"]).contains("ALARM"));
    assert_eq!(alice.asks(&["alarms", "--all"])[0]["kind"], "rollback");

    // Nobody new is trusted before the person decides.
    let carol = scene.adult("carol");
    alice.fails(&["send", "carol", "hi"]);
    alice.does(&["directory", "trust-anew", "--yes"]);
    alice.sends("hi").to("carol");
    until("carol is asked", || !carol.requests().is_empty());
}
