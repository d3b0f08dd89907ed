//! Conversations between two: introductions, codes, blocks, and what texts may be.

mod scene;

use scene::{Scene, befriend, text};

#[test]
fn a_first_message_is_a_request_and_once_accepted_both_talk() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    let id = alice.sends("hi").to("bob");
    assert_eq!((id.len(), id.starts_with("01")), (64, true));
    assert_eq!(bob.requests(), ["alice"]);
    assert!(bob.asks(&["read"]).is_empty(), "a request is no conversation yet");
    let shown = bob.does(&["requests"]);
    assert!(shown.starts_with("alice asks to write to you: hi\n"), "{shown}");
    assert!(shown.contains("account made today") && shown.contains("directory"), "{shown}");

    bob.accepts("alice");
    assert!(bob.requests().is_empty());
    assert_eq!(bob.reads("alice"), ["alice: hi"]);
    bob.sends("hello").to("alice");
    alice.waits_for("bob: hello");
    for n in 0..5 {
        alice.sends(&format!("a{n}")).to("bob");
        bob.sends(&format!("b{n}")).to("alice");
    }
    alice.waits_for("bob: b4");
    bob.does(&["sync"]);
    let talk = (0..5).flat_map(|n| [format!("alice: a{n}"), format!("bob: b{n}")]);
    let talk: Vec<String> = ["alice: hi", "bob: hello"].map(String::from).into_iter().chain(talk).collect();
    assert_eq!(alice.reads("bob"), talk);
    assert_eq!(bob.reads("alice"), talk);
}

#[test]
fn each_message_is_new_once() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    assert_eq!(bob.hears(), ["alice: may I?"]);
    alice.sends("one").to("bob");
    alice.sends("two").to("bob");
    bob.does(&["sync"]);
    assert_eq!(bob.hears(), ["alice: one", "alice: two"]);
    assert_eq!(bob.does(&["read", "--new"]), "Nothing new.\n");
    assert_eq!(bob.reads("alice").len(), 3);
}

#[test]
fn waiting_ends_when_a_message_comes_or_time_is_over() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    bob.does(&["read"]);
    let mut waiting = bob.starts(&["--json", "read", "--new", "--wait", "60"]);
    scene::pause(500);
    alice.sends("at last").to("bob");
    assert!(waiting.line().contains("at last"));
    assert!(waiting.process.wait().expect("it ends").success());
    assert!(bob.asks(&["read", "--new", "--wait", "1"]).is_empty());
}

#[test]
fn follow_prints_requests_and_messages_as_they_come_until_ctrl_c() {
    let (_scene, [alice, bob, carol]) = Scene::of(["alice", "bob", "carol"]);
    befriend(&alice, &bob);
    bob.does(&["read"]);
    let mut follow = bob.starts(&["--json", "follow"]);
    for n in 0..3 {
        alice.sends(&format!("n{n}")).to("bob");
        assert!(follow.line().contains(&format!("\"n{n}\"")));
    }
    carol.sends("me too").to("bob");
    let request: serde_json::Value = serde_json::from_str(&follow.line()).expect("JSON");
    assert_eq!((text(&request, "kind"), text(&request, "from")), ("request", "carol"));
    assert_eq!(follow.interrupted(), Some(0));
    assert!(bob.asks(&["read", "--new"]).is_empty());
}

#[test]
fn a_second_message_before_the_answer_is_refused_with_advice() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    alice.sends("hi").to("bob");
    let said = alice.sends("are you there?").to_in_vain("bob");
    assert!(
        said.contains("bob has not answered your introduction yet") && said.contains("; try later"),
        "{said}"
    );
    let said = bob.sends("who is it?").to_in_vain("alice");
    assert!(said.contains("; try `accept alice` first"), "{said}");
    bob.accepts("alice");
    alice.sends("are you there?").to("bob");
    bob.waits_for("alice: are you there?");
}

#[test]
fn two_who_introduce_themselves_at_once_share_one_conversation() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    let both = [alice.starts(&["send", "bob", "I am alice"]), bob.starts(&["send", "alice", "I am bob"])];
    let sent = both.map(|mut send| send.process.wait().expect("it ends").success());
    // The second one may have come just after the first one's introduction; then it is a request.
    match sent {
        [true, true] => {}
        [true, false] => bob.accepts("alice"),
        [false, _] => alice.accepts("bob"),
    }
    alice.does(&["sync"]);
    alice.sends("from alice").to("bob");
    bob.waits_for("alice: from alice");
    bob.sends("from bob").to("alice");
    alice.waits_for("bob: from bob");
    bob.does(&["sync"]);
    assert_eq!(alice.reads("bob"), bob.reads("alice"));
}

#[test]
fn who_is_declined_is_not_told() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    alice.sends("hi").to("bob");
    bob.does(&["decline", "alice"]);
    assert!(bob.requests().is_empty() && bob.asks(&["read"]).is_empty());
    alice.does(&["sync"]);
    assert!(alice.sees("bob").is_empty(), "{:?}", alice.sees("bob"));
    assert_eq!(alice.reads("bob"), ["alice: hi"]);
}

#[test]
fn who_is_blocked_is_not_told_and_not_heard() {
    let (_scene, [alice, bob, carol]) = Scene::of(["alice", "bob", "carol"]);
    befriend(&alice, &bob);
    bob.does(&["block", "alice"]);
    alice.sends("hello?").to("bob");
    alice.does(&["sync"]);
    assert_eq!(bob.reads("alice"), ["alice: may I?"]);
    assert!(bob.requests().is_empty());
    assert!(bob.sends("x").to_in_vain("alice").contains("`unblock alice` first"));
    // Somebody whom he never met: their introduction looks sent.
    bob.does(&["block", "carol"]);
    carol.sends("hi").to("bob");
    assert!(bob.requests().is_empty());
    // A chat begins anew after the block.
    bob.does(&["unblock", "alice"]);
    bob.sends("sorry").to("alice");
    alice.waits_for("bob: sorry");
    alice.sends("never mind").to("bob");
    bob.waits_for("alice: never mind");
}

#[test]
fn a_contact_code_connects_at_once_and_only_once() {
    let (_scene, [alice, bob, carol]) = Scene::of(["alice", "bob", "carol"]);
    let code = bob.does(&["code"]);
    assert!(code.starts_with("zegel:bob:"), "{code}");
    assert!(
        alice.does(&["connect", code.trim_end()]).contains("if it was not used before, you are connected")
    );
    bob.does(&["sync"]);
    assert!(bob.requests().is_empty());
    alice.sends("hi").to("bob");
    bob.waits_for("alice: hi");
    bob.sends("hello").to("alice");
    alice.waits_for("bob: hello");
    // Used up: whoever shows it reaches nobody, and is not told.
    assert!(carol.does(&["connect", code.trim_end()]).contains("if it was not used before"));
    bob.does(&["sync"]);
    assert!(bob.requests().is_empty());
    for wrong in ["nonsense", "zegel:bob", "zegel:bob:00", "zegel:nobody:00112233445566778899aabbccddeeff"] {
        alice.fails(&["connect", wrong]);
    }
}

#[test]
fn strangers_do_not_reach_minors_and_are_not_told_why() {
    let (scene, [alice]) = Scene::of(["alice"]);
    for (handle, age) in [("mia", "child"), ("tim", "teen")] {
        let minor = scene.register(handle, age);
        alice.sends("hi").to(handle);
        minor.does(&["sync"]);
        assert!(minor.requests().is_empty() && minor.asks(&["read"]).is_empty());
        alice.does(&["group", "create", &format!("with {handle}"), handle]);
        minor.does(&["sync"]);
        assert!(minor.requests().is_empty());
        // Their code is their word.
        let friend = scene.adult(&format!("friend.of.{handle}"));
        friend.does(&["connect", minor.does(&["code"]).trim_end()]);
        friend.sends("it is me").to(handle);
        minor.waits_for(&format!("friend.of.{handle}: it is me"));
        minor.sends("hey").to(&friend.handle);
        friend.waits_for(&format!("{handle}: hey"));
    }
}

#[test]
fn unknown_people_and_oneself_are_refused() {
    let (_scene, [alice]) = Scene::of(["alice"]);
    assert!(alice.sends("hi").to_in_vain("nobody").contains("there is no nobody here; try another handle"));
    assert!(alice.sends("hi").to_in_vain("No Body!").contains("; try another handle"));
    assert!(alice.sends("hi").to_in_vain("alice").contains("that is you"));
    for words in [["accept", "nobody"], ["decline", "nobody"], ["block", "nobody"], ["read", "nobody"]] {
        alice.fails(&words);
    }
}

#[test]
fn texts_of_every_kind_arrive_as_they_were() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    let most = "é".repeat(8 * 1024);
    let texts = [
        "-1 of 10",
        "--json",
        " leading and trailing ",
        "two\nlines\r\nthree",
        "👩‍👩‍👧 🇳🇱",
        "שלום עולם",
        "e\u{301} \u{feff}",
        "\u{202e}reversed",
        "\x1b[31mred\x1b[0m\x07",
        "{\"json\": true}",
        &most,
    ];
    for sent in texts {
        alice.sends(sent).to("bob");
    }
    bob.does(&["sync"]);
    let received: Vec<String> = bob.reads("alice").drain(1..).collect();
    assert_eq!(received, texts.map(|sent| format!("alice: {sent}")));

    let shown = bob.does(&["read", "alice"]);
    let active = |c: &char| *c != '\n' && (c.is_control() || matches!(c, '\u{202a}'..='\u{202e}'));
    assert_eq!(shown.chars().find(active), None, "nothing that a terminal obeys");
    assert!(shown.contains("alice: \\u{1b}[31mred"), "{shown}");
    let json = bob.does(&["--json", "read", "alice"]);
    assert_eq!(json.chars().find(active), None);
}

#[test]
fn a_row_of_a_message_never_looks_like_a_line_of_its_own() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    alice.sends("look\n2020-01-01T00:00:00Z  carol  carol: fake\n!! gap: fake").to("bob");
    bob.does(&["sync"]);
    let shown = bob.does(&["read"]);
    let fakes: Vec<&str> = shown.lines().filter(|line| line.contains("fake")).collect();
    assert!(fakes.len() == 2 && fakes.iter().all(|line| line.trim_start().starts_with("| ")), "{shown}");
}

#[test]
fn empty_and_oversized_texts_are_refused() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    assert!(alice.sends("").to_in_vain("bob").contains("it is empty; try a text"));
    let long = "x".repeat(16 * 1024 + 1);
    assert!(alice.sends(&long).to_in_vain("bob").contains("16385 bytes are more than the 16384"));
    let huge = alice.does_with_input(&["send", "bob", "-"], &vec![b'x'; 3 << 20]);
    assert_eq!(huge.status.code(), Some(1));
    assert_eq!(alice.reads("bob"), ["alice: may I?"], "nothing was left behind");
}

#[test]
fn a_dash_reads_standard_input() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    befriend(&alice, &bob);
    assert!(alice.does_with_input(&["send", "bob", "-"], b"from a pipe\n").status.success());
    bob.waits_for("alice: from a pipe");
    let broken = alice.does_with_input(&["send", "bob", "-"], &[0xff, 0xfe]);
    assert_eq!(broken.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&broken.stderr).contains("try a text in UTF-8"));
}
