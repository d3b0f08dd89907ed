//! Accounts: made, shown, exported, deleted; and what goes wrong with profiles.

mod scene;

use scene::{Scene, befriend, said, text};

#[test]
fn alice_registers_and_knows_who_she_is() {
    let scene = Scene::new();
    let alice = scene.newcomer("alice");
    let told = alice.does(&["register", "alice", "--server", scene.url(), "--age", "adult"]);
    assert_eq!(told, "Welcome, alice. Others reach you as mimi://localhost/u/alice.\n");
    let told = format!("alice at {} (mimi://localhost/u/alice)\nAge: adult.\n", scene.url());
    assert_eq!(alice.does(&["whoami"]), told);
    let me = alice.asks_one(&["whoami"]);
    assert_eq!(text(&me, "handle"), "alice");
    assert_eq!((text(&me, "account").len(), text(&me, "device").len()), (32, 32));
}

#[test]
fn zegel_home_names_the_profile_too() {
    let (_scene, [alice]) = Scene::of(["alice"]);
    let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_zegel"));
    let output = command.arg("whoami").env("ZEGEL_HOME", &alice.home).output().expect("zegel runs");
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("alice at "));
}

#[test]
fn without_a_terminal_the_age_is_unknown_and_so_protected() {
    let (scene, [alice]) = Scene::of(["alice"]);
    let kim = scene.newcomer("kim");
    kim.does(&["register", "kim", "--server", scene.url()]);
    let export = kim.asks(&["export"]);
    let held = export.iter().find(|line| line["kind"] == "held by the service").expect("it is there");
    assert!(text(&held["holding"]["account"], "age_band").to_lowercase().contains("unknown"), "{held}");
    alice.sends("hello").to("kim");
    assert!(kim.requests().is_empty());
}

#[test]
fn handles_that_are_taken_alike_or_malformed_are_refused() {
    let (scene, [_alice]) = Scene::of(["alice"]);
    let other = scene.newcomer("other");
    let register =
        |handle: &str| other.fails(&["register", handle, "--server", scene.url(), "--age", "adult"]);
    assert!(register("alice").contains("; try another handle"), "{}", register("alice"));
    assert!(register("a1ice").contains("; try another handle"), "{}", register("a1ice"));
    for bad in ["Alice", "a", "a..b", "with space", "аlice"] {
        assert!(register(bad).contains("a handle "), "{bad}: {}", register(bad));
    }
    // The refusals left nothing behind.
    other.does(&["register", "other", "--server", scene.url(), "--age", "adult"]);
}

#[test]
fn a_profile_holds_one_account() {
    let (scene, [alice]) = Scene::of(["alice"]);
    let said = alice.fails(&["register", "second", "--server", scene.url(), "--age", "adult"]);
    assert!(said.contains("holds an account already; try another folder with --home"), "{said}");
    assert_eq!(text(&alice.asks_one(&["whoami"]), "handle"), "alice");
}

#[test]
fn a_wrong_home_is_explained() {
    let scene = Scene::new();
    let nobody = scene.newcomer("nobody");
    assert!(nobody.fails(&["whoami"]).contains("holds no account; try `register` first"));
    assert!(!nobody.home.exists(), "a mistyped --home leaves nothing behind");
    let mut blocked = scene.newcomer("blocked");
    blocked.home = scene.path("config.toml").join("inside-a-file");
    let said = blocked.fails(&["register", "blocked", "--server", scene.url(), "--age", "adult"]);
    assert!(said.contains("try another folder with --home"), "{said}");
}

#[test]
fn a_server_that_is_not_there_or_no_server_is_explained() {
    let scene = Scene::new();
    let alice = scene.newcomer("alice");
    let said = alice.fails(&["register", "alice", "--server", "http://127.0.0.1:1", "--age", "adult"]);
    assert!(said.contains("while talking to the server: "), "{said}");
    let said = alice.fails(&["register", "alice", "--server", "nonsense", "--age", "adult"]);
    assert!(said.contains("; try "), "{said}");
}

#[test]
fn an_invite_opens_a_closed_service() {
    let mut scene = Scene::new();
    scene.server_stops();
    std::fs::write(scene.path("config.toml"), "registration = \"invite\"\n").expect("written");
    scene.server_returns();
    let alice = scene.newcomer("alice");
    let said = alice.fails(&["register", "alice", "--server", scene.url(), "--age", "adult"]);
    assert!(said.contains("; try --invite with a code from the operator"), "{said}");
    let said =
        alice.fails(&["register", "alice", "--server", scene.url(), "--age", "adult", "--invite", "x"]);
    assert!(said.contains("--invite"), "{said}");
}

#[test]
fn a_follow_lets_other_commands_through() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    let mut follow = bob.starts(&["--json", "follow"]);
    scene::pause(300);
    alice.does(&["send", "bob", "hello"]);
    assert!(follow.line().contains("hello"));
    // The same person does other things meanwhile, and misses nothing.
    bob.does(&["accept", "alice"]);
    bob.does(&["send", "alice", "and to you"]);
    alice.does(&["send", "bob", "still there?"]);
    while !follow.line().contains("still there?") {}
    assert_eq!(follow.interrupted(), Some(0));
}

#[test]
fn export_holds_what_is_mine_readable() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    bob.sends("grüße ✓").to("alice");
    alice.waits_for("bob: grüße ✓");
    let export = alice.asks(&["export"]);
    let kinds = |kind: &str| export.iter().filter(|line| line["kind"] == kind).count();
    assert_eq!((kinds("account"), kinds("held by the service")), (1, 1));
    let lines: Vec<_> = export.iter().filter(|line| line["kind"] == "line").collect();
    let greeting = lines.iter().find(|line| line["line"]["text"] == "grüße ✓").expect("it is there");
    assert!(text(&greeting["line"], "sent_at").ends_with('Z'));
    for proof in ["content", "context", "stamp"] {
        assert!(!text(greeting, proof).is_empty(), "{proof}");
    }
    let pretty: serde_json::Value = serde_json::from_str(&alice.does(&["export"])).expect("one JSON array");
    assert_eq!(pretty.as_array().map(Vec::len), Some(export.len()));
}

#[test]
fn a_deleted_account_is_gone_and_its_handle_stays_taken() {
    let (scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    assert!(alice.fails(&["delete-account", "alice"]).contains("not confirmed; try --yes"));
    assert!(alice.fails(&["delete-account", "bob", "--yes"]).contains("this profile's handle is alice"));
    alice.does(&["delete-account", "alice", "--yes"]);
    assert!(alice.fails(&["whoami"]).contains("holds no account"));
    assert!(!alice.home.join("profile.db").exists() && !alice.home.join("key").exists());
    let again = alice.fails(&["register", "alice", "--server", scene.url(), "--age", "adult"]);
    assert!(again.contains("; try another handle"), "{again}");
    let carol = scene.adult("carol");
    assert!(carol.sends("anybody?").to_in_vain("alice").contains("there is no alice here"));
    // What was said before stays with whom it was said to.
    assert_eq!(bob.reads("alice"), ["alice: may I?"]);
    assert_eq!(said(bob.asks(&["read"])).len(), 1);
}
