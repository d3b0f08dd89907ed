//! Children first: who reaches a minor and who does not, what everybody is told, and that nobody else learns of it.

mod scene;

use scene::{Person, Scene, befriend, settle, text, until};
use serde_json::{Value, json};

/// All that commands say about somebody, without what is different each time.
fn told_about(whom: &str, who: &Person) -> String {
    let group = format!("with {whom}");
    let commands: [&[&str]; 8] = [
        &["send", whom, "hi"],
        &["send", whom, "are you there?"],
        &["group", "create", &group, whom],
        &["send", &group, "hello all"],
        &["read", whom],
        &["read", &group],
        &["requests"],
        &["sync"],
    ];
    let mut told = String::new();
    for words in commands {
        let output = who.tries(words);
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8(said).expect("UTF-8").replace(whom, "X");
        // Ids and times.
        let is_id = said.trim_end().len() == 64;
        let said = if is_id { "an id".to_owned() } else { said.replace(|c: char| c.is_ascii_digit(), "0") };
        told += &format!("{:?}: {said}\n", output.status.code());
    }
    told
}

#[test]
fn a_stranger_never_reaches_a_minor_and_is_told_the_same_as_about_an_adult() {
    let (scene, [alice, zoe]) = Scene::of(["alice", "zoe"]);
    let about_an_adult = told_about("zoe", &alice);
    assert_eq!(zoe.requests(), ["alice", "alice/with zoe"]);
    for (handle, age) in [("mia", Some("child")), ("tim", Some("teen")), ("una", None)] {
        let minor = scene.newcomer(handle);
        let mut words = vec!["register", handle, "--server", scene.url()];
        words.extend(age.map(|age| ["--age", age]).into_iter().flatten());
        minor.does(&words);
        assert_eq!(told_about(handle, &alice), about_an_adult, "{age:?}");
        minor.does(&["sync"]);
        assert!(minor.requests().is_empty() && minor.asks(&["group", "list"]).is_empty(), "{age:?}");
        assert!(minor.asks(&["read"]).is_empty(), "{age:?}");
    }
}

#[test]
fn a_contact_code_of_a_minor_opens_the_door_to_one_person() {
    let (scene, [bob, carol]) = Scene::of(["bob", "carol"]);
    let mia = scene.register("mia", "teen");
    let code = mia.does(&["code"]);
    bob.does(&["connect", code.trim_end()]);
    bob.sends("it is me").to("mia");
    mia.waits_for("bob: it is me");
    mia.sends("hey").to("bob");
    bob.waits_for("mia: hey");
    // Somebody found the used code: they are told as little as any stranger, and are nobody to her.
    let told = carol.does(&["connect", code.trim_end()]);
    assert!(told.contains("if it was not used before, you are connected"), "{told}");
    mia.does(&["sync"]);
    assert!(mia.requests().is_empty());
    assert_eq!(mia.reads("bob"), ["bob: it is me", "mia: hey"]);
    assert!(mia.fails(&["read", "carol"]).contains("no conversation with carol"));
    // She reaches her once somebody vouches: not in the chat that the code began and nobody has.
    befriend(&carol, &bob);
    settle(&mia, &bob);
    bob.does(&["vouch", "mia", "carol"]);
    carol.does(&["sync"]);
    carol.sends("bob says hi").to("mia");
    mia.does(&["sync"]);
    assert_eq!(mia.requests(), ["carol"]);
}

#[test]
fn whom_a_minor_wrote_to_comes_back_in_a_new_chat() {
    let (scene, [bob]) = Scene::of(["bob"]);
    let mia = scene.register("mia", "teen");
    befriend(&mia, &bob);
    settle(&mia, &bob);
    // To him she is somebody new after this; to the service he is a stranger, but for what she gave him.
    bob.does(&["block", "mia"]);
    bob.does(&["unblock", "mia"]);
    bob.sends("I was angry").to("mia");
    mia.waits_for("bob: I was angry");
    assert!(mia.requests().is_empty(), "he is her friend");
    mia.sends("never mind").to("bob");
    bob.waits_for("mia: never mind");
}

#[test]
fn a_friend_vouches_for_one_person_by_name() {
    let (scene, [bob, carol, dave]) = Scene::of(["bob", "carol", "dave"]);
    let mia = scene.register("mia", "child");
    befriend(&mia, &bob);
    settle(&mia, &bob);
    befriend(&carol, &bob);
    // Both tried before, and reached nobody.
    carol.sends("hi").to("mia");
    dave.sends("hi").to("mia");
    let said = bob.fails(&["vouch", "mia", "dave"]);
    assert!(said.contains("dave"), "only for people whom he knows: {said}");
    let told = bob.does(&["vouch", "mia", "carol"]);
    assert!(told.contains("carol can now write to mia once") && told.contains("bob"), "{told}");
    carol.does(&["sync"]);
    carol.sends("bob says you play chess").to("mia");
    mia.does(&["sync"]);
    assert_eq!(mia.requests(), ["carol"]);
    let request = mia.asks_one(&["requests"]);
    assert_eq!((text(&request, "via"), text(&request, "text")), ("bob", "bob says you play chess"));
    let shown = mia.does(&["requests"]);
    let notice = shown.lines().find(|line| line.starts_with("    ! ") && line.contains("bob"));
    assert!(notice.is_some(), "{shown}");
    mia.accepts("carol");
    mia.sends("I do").to("carol");
    carol.waits_for("mia: I do");
    let said = bob.fails(&["vouch", "nobody", "carol"]);
    assert!(said.contains("nobody"), "{said}");
}

#[test]
fn a_minor_is_asked_before_a_group_with_people_whom_they_do_not_know() {
    let (scene, [bob, carol, dave]) = Scene::of(["bob", "carol", "dave"]);
    let [mia, erin] =
        ["mia", "erin"].map(|handle| scene.register(handle, if handle == "mia" { "teen" } else { "adult" }));
    for friend in [&mia, &erin, &carol, &dave] {
        befriend(friend, &bob);
        settle(friend, &bob);
    }
    // Whom she knows is no question.
    bob.does(&["group", "create", "us two", "mia"]);
    bob.sends("just us").to("us two");
    mia.waits_for("bob: just us");

    bob.does(&["group", "create", "chess", "mia", "erin", "carol", "dave"]);
    bob.sends("welcome").to("chess");
    erin.waits_for("bob: welcome");
    mia.does(&["sync"]);
    assert_eq!(mia.requests(), ["bob/chess"]);
    let request = mia.asks_one(&["requests"]);
    let mut unconnected: Vec<_> =
        request["unconnected"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    unconnected.sort_unstable();
    assert_eq!(unconnected, ["carol", "dave", "erin"]);
    let shown = mia.does(&["requests"]);
    assert!(["carol", "dave", "erin"].iter().all(|name| shown.contains(name)), "{shown}");
    assert!(!["adult", "teen", "child"].iter().any(|band| shown.contains(band)), "{shown}");
    let said = mia.fails(&["accept", "chess"]);
    assert!(said.contains("it was not confirmed; try --yes"), "{said}");
    assert_eq!(mia.requests(), ["bob/chess"]);
    mia.does(&["accept", "chess", "--yes"]);
    assert_eq!(mia.reads("chess"), ["bob: welcome"]);
    mia.sends("hi").to("chess");
    carol.waits_for("mia: hi");

    // Whom somebody brings in later she is asked about again, and reads nothing of theirs before.
    let frank = scene.adult("frank");
    befriend(&frank, &bob);
    bob.does(&["group", "add", "chess", "frank"]);
    frank.does(&["sync"]);
    frank.sends("hello mia").to("chess");
    mia.does(&["sync"]);
    assert_eq!(mia.requests(), ["bob/chess"]);
    let shown = mia.does(&["requests"]);
    assert!(shown.contains("! Not connected to you: frank."), "{shown}");
    assert!(mia.reads("chess").is_empty(), "it waits for her answer");
    mia.does(&["accept", "chess", "--yes"]);
    assert!(mia.reads("chess").contains(&"frank: hello mia".to_owned()));
    bob.does(&["group", "remove", "chess", "frank"]);
    bob.does(&["group", "add", "chess", "frank"]);
    mia.does(&["sync"]);
    mia.does(&["decline", "chess"]);
    assert!(mia.requests().is_empty());
    assert!(mia.reads("chess").contains(&"bob: welcome".to_owned()), "what she read stays");
    assert!(mia.sends("hi").to_in_vain("chess").contains("chess"));
}

#[test]
fn who_came_by_a_code_brings_no_minor_into_a_group_unasked() {
    let (scene, [bob, carol]) = Scene::of(["bob", "carol"]);
    let mia = scene.register("mia", "child");
    befriend(&bob, &carol);
    bob.does(&["connect", mia.does(&["code"]).trim_end()]);
    bob.does(&["sync"]);
    mia.does(&["sync"]);
    bob.does(&["group", "create", "club", "mia", "carol"]);
    mia.does(&["sync"]);
    let open = mia.asks(&["group", "list"]).iter().any(|group| text(group, "state") == "open");
    assert!(!open, "{:?}", mia.asks(&["group", "list"]));
    mia.does(&["decline", "club"]);
    assert!(mia.requests().is_empty());
}

#[test]
fn a_block_is_for_the_person_and_the_others_can_be_warned() {
    let (scene, [alice, carol]) = Scene::of(["alice", "carol"]);
    let code = scene.invite(&["--for-one", "--uses", "2"]);
    let [bob, robert] = ["bob", "robert"].map(|handle| scene.invited(handle, &code));
    befriend(&bob, &alice);
    befriend(&bob, &carol);
    befriend(&carol, &alice);
    bob.does(&["group", "create", "club", "alice", "carol"]);
    carol.does(&["sync"]);
    alice.does(&["sync"]);
    bob.sends("look at this").to("club");
    let blocked = alice.asks_one(&["block", "bob"]);
    assert_eq!(blocked, json!({"done": "block", "name": "bob", "shared_groups": ["club"]}));
    // What he wrote before and she had not read is no news.
    let news = alice.asks(&["read", "--new"]);
    assert!(!news.iter().any(|line| text(line, "from") == "bob"), "{news:?}");
    let told = alice.does(&["block", "bob"]);
    assert!(told.starts_with("You blocked bob. They are not told.\n"), "{told}");
    assert!(told.contains("    zegel group leave club | zegel group warn club bob\n"), "{told}");
    let said = alice.fails(&["group", "warn", "club", "bob"]);
    assert!(said.contains("it was not confirmed; try --yes"), "{said}");
    for (handle, why) in
        [("carol", "did not block carol"), ("nobody", "did not block nobody"), ("robert", "robert")]
    {
        let said = alice.fails(&["group", "warn", "club", handle, "--yes"]);
        assert!(said.contains(why), "{said}");
    }
    alice.does(&["group", "warn", "club", "bob", "--yes"]);
    carol.waits_for("alice: I blocked bob. Be careful.");
    // He comes with the other account that he has.
    robert.sends("it is only me").to("alice");
    carol.sends("are you well?").to("alice");
    alice.waits_for("carol: are you well?");
    assert!(alice.requests().is_empty());
}

#[test]
fn a_request_says_what_is_known_and_what_to_do() {
    let (_scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    bob.sends("hi").to("alice");
    assert_eq!(alice.requests(), ["bob"]);
    let request = alice.asks_one(&["requests"]);
    let notices: Vec<_> =
        request["notices"].as_array().expect("a list").iter().filter_map(Value::as_str).collect();
    assert!(notices.iter().any(|notice| notice.contains("days")), "his account is new: {notices:?}");
    let shown = alice.does(&["requests"]);
    assert!(notices.iter().all(|notice| shown.contains(&format!("    ! {notice}\n"))), "{shown}");
    for command in ["zegel accept bob", "zegel decline bob", "zegel block bob", "zegel report bob --reason"] {
        assert!(shown.contains(command), "{shown}");
    }
    alice.accepts("bob");
    let seen = alice.sees("bob");
    assert!(notices.iter().all(|notice| seen.contains(&format!("notice: {notice}"))), "{seen:?}");
}

#[test]
fn whom_many_decline_is_restricted_by_a_rule_and_can_appeal() {
    let scene = Scene::with_rules(&[("unwanted", "people", "8")]);
    let bob = scene.adult("bob");
    let friend = scene.adult("friend");
    befriend(&bob, &friend);
    // Where "many" begins is a secret, below the double.
    let people = [
        "wanda", "viktor", "ursula", "tobias", "quentin", "yvonne", "hannah", "gideon", "fatima", "edgar",
        "daphne", "casper", "boris", "zoltan", "xenia", "petra",
    ];
    for handle in people {
        let person = scene.adult(handle);
        bob.sends("buy this").to(handle);
        if person.requests() == ["bob"] {
            person.does(&["decline", "bob"]);
        }
    }
    let mut statement = Value::Null;
    until("the rule is told", || {
        bob.does(&["sync"]);
        statement = bob.asks(&["decisions"]).pop().unwrap_or_default();
        !statement.is_null()
    });
    assert_eq!(
        (text(&statement, "about"), text(&statement, "measure")),
        ("decision", "restrict-first-contact")
    );
    let said = text(&statement, "text");
    assert!(
        said.contains("A rule of this service decided this, not a person.") && said.contains("at least 8"),
        "{said}"
    );
    assert!(!people.iter().any(|name| said.contains(name)), "not who: {said}");
    let case = text(&statement, "case").to_owned();
    let shown = bob.does(&["decisions"]);
    assert!(shown.contains(&format!("zegel appeal {case} TEXT")), "{shown}");

    // To him it looks as before; nobody new is bothered.
    let eva = scene.adult("eva");
    assert_eq!(bob.sends("buy this").to("eva").len(), 64);
    assert!(eva.requests().is_empty());
    bob.sends("still there?").to("friend");
    friend.waits_for("bob: still there?");

    let appealed = bob.asks_one(&["appeal", &case, "they asked me to write"]);
    assert_eq!(appealed, json!({"done": "appeal", "name": case}));
    let about: Vec<String> = bob.asks(&["decisions"]).iter().map(|it| text(it, "about").to_owned()).collect();
    assert!(about.contains(&"appeal-taken".to_owned()), "{about:?}");
}

#[test]
fn so_many_strangers_a_day_and_the_rule_is_named() {
    let scene = Scene::with_rules(&[("strangers", "new_a_day", "2"), ("strangers", "a_day", "2")]);
    let bob = scene.adult("bob");
    let people = ["ann", "ben", "cas"].map(|handle| scene.adult(handle));
    bob.sends("hi").to("ann");
    bob.sends("hi").to("ben");
    let said = bob.sends("hi").to_in_vain("cas");
    assert!(said.contains("at most 2 people") && said.contains("; try to wait until the next day"), "{said}");
    assert!(people[2].requests().is_empty());
    // A code is somebody's word.
    bob.does(&["connect", people[2].does(&["code"]).trim_end()]);
    bob.sends("hi after all").to("cas");
    people[2].waits_for("bob: hi after all");
}
