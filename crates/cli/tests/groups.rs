//! Groups: created, grown, renamed, left and shrunk, with messages after each.

mod scene;

use scene::{Person, Scene, befriend, text};

/// Three who know each other.
fn friends() -> (Scene, [Person; 3]) {
    let (scene, people) = Scene::of(["alice", "bob", "carol"]);
    befriend(&people[0], &people[1]);
    befriend(&people[0], &people[2]);
    people.iter().for_each(|who| drop(who.does(&["read"])));
    (scene, people)
}

fn members(who: &Person, group: &str) -> Vec<String> {
    let groups = who.asks(&["group", "list"]);
    let found = groups.iter().find(|it| text(it, "name") == group && text(it, "state") == "open");
    let found = found.unwrap_or_else(|| panic!("{} is in no {group}: {groups:?}", who.handle));
    let members = found["members"].as_array().expect("a list");
    members.iter().map(|name| name.as_str().expect("a text").to_owned()).collect()
}

#[test]
fn a_group_is_created_and_all_hear_all() {
    let (_scene, [alice, bob, carol]) = friends();
    alice.does(&["group", "create", "family", "bob", "carol"]);
    // Who is a contact needs no request.
    for who in [&bob, &carol] {
        assert!(who.requests().is_empty() && members(who, "family").len() == 3, "{}", who.handle);
    }
    alice.sends("dinner?").to("family");
    bob.waits_for("alice: dinner?");
    carol.waits_for("alice: dinner?");
    bob.sends("yes").to("family");
    carol.sends("no").to("family");
    alice.waits_for("carol: no");
    assert_eq!(alice.reads("family"), ["alice: dinner?", "bob: yes", "carol: no"]);
    bob.does(&["sync"]);
    carol.does(&["sync"]);
    assert_eq!(bob.reads("family"), alice.reads("family"));
    assert_eq!(carol.reads("family"), alice.reads("family"));
    assert_eq!(members(&bob, "family"), ["alice", "bob", "carol"]);
    assert!(bob.does(&["group", "list"]).contains("family  (you are in it)  alice, bob, carol"));
    assert!(alice.does(&["group", "list"]).contains("you administer it"));
}

#[test]
fn a_stranger_who_adds_one_to_a_group_asks() {
    let (scene, [alice, bob, _]) = friends();
    let [dave, erin] = ["dave", "erin"].map(|handle| scene.adult(handle));
    alice.does(&["group", "create", "club", "bob", "dave", "erin"]);
    alice.sends("welcome").to("club");
    for who in [&dave, &erin] {
        assert_eq!(who.requests(), ["alice/club"]);
        assert!(who.asks(&["read"]).is_empty(), "nothing is shown before it is accepted");
    }
    assert!(dave.does(&["requests"]).starts_with("alice adds you to the group club\n"));
    dave.does(&["accept", "club"]);
    erin.does(&["decline", "club"]);
    assert_eq!(dave.reads("club"), ["alice: welcome"]);
    dave.sends("thank you").to("club");
    bob.waits_for("dave: thank you");
    alice.waits_for("dave: thank you");
    erin.does(&["sync"]);
    assert!(erin.asks(&["read"]).is_empty() && erin.asks(&["group", "list"]).is_empty());
}

#[test]
fn whom_a_contact_adds_later_hears_what_is_said_from_then_on() {
    let (_scene, [alice, bob, carol]) = friends();
    alice.does(&["group", "create", "family", "bob"]);
    alice.sends("before").to("family");
    alice.does(&["group", "add", "family", "carol"]);
    alice.sends("after").to("family");
    carol.waits_for("alice: after");
    carol.sends("thanks").to("family");
    bob.waits_for("carol: thanks");
    assert_eq!(carol.reads("family"), ["alice: after", "carol: thanks"]);
    assert_eq!(members(&bob, "family"), ["alice", "bob", "carol"]);
    assert!(
        bob.sees("family").iter().any(|line| line.contains("alice added carol")),
        "{:?}",
        bob.sees("family")
    );
    assert!(alice.fails(&["group", "add", "family", "carol"]).contains("they are in it already"));
}

#[test]
fn a_renamed_group_goes_on_under_its_new_name() {
    let (_scene, [alice, bob, _]) = friends();
    alice.does(&["group", "create", "family", "bob"]);
    alice.does(&["group", "rename", "family", "Fämily ✨"]);
    bob.does(&["sync"]);
    bob.sends("nice name").to("Fämily ✨");
    alice.waits_for("bob: nice name");
    assert!(alice.sends("x").to_in_vain("family").contains("; try "));
    assert!(bob.fails(&["group", "rename", "Fämily ✨", "mine"]).contains("only its admins may"));
}

#[test]
fn who_leaves_hears_no_more_and_the_others_go_on() {
    let (_scene, [alice, bob, carol]) = friends();
    alice.does(&["group", "create", "family", "bob", "carol"]);
    carol.does(&["group", "leave", "family"]);
    assert!(carol.sends("x").to_in_vain("family").contains("; try "));
    alice.does(&["sync"]);
    alice.sends("she left").to("family");
    bob.waits_for("alice: she left");
    bob.sends("yes").to("family");
    alice.waits_for("bob: yes");
    assert_eq!(members(&alice, "family"), ["alice", "bob"]);
    assert!(
        alice.sees("family").iter().any(|line| line.contains("carol left")),
        "{:?}",
        alice.sees("family")
    );
    carol.does(&["sync"]);
    assert!(carol.reads("family").is_empty());
}

#[test]
fn who_is_removed_is_told_and_hears_no_more() {
    let (_scene, [alice, bob, carol]) = friends();
    alice.does(&["group", "create", "family", "bob", "carol"]);
    assert!(bob.fails(&["group", "remove", "family", "carol"]).contains("only its admins may"));
    alice.does(&["group", "remove", "family", "bob"]);
    alice.sends("just us").to("family");
    carol.waits_for("alice: just us");
    bob.does(&["sync"]);
    assert!(bob.reads("family").is_empty());
    assert!(
        bob.sees("family").iter().any(|line| line.contains("alice removed you")),
        "{:?}",
        bob.sees("family")
    );
    assert!(bob.sends("x").to_in_vain("family").contains("; try "));
    // And may come back.
    alice.does(&["group", "add", "family", "bob"]);
    bob.sends("again").to("family");
    carol.waits_for("bob: again");
}

#[test]
fn group_commands_that_make_no_sense_are_refused() {
    let (_scene, [alice, _, _]) = friends();
    let fails: [&[&str]; 8] = [
        &["group", "create", "", "bob"],
        &["group", "create", "just me", "alice"],
        &["group", "create", "g", "nobody"],
        &["group", "add", "no such", "bob"],
        &["group", "remove", "no such", "bob"],
        &["group", "leave", "no such"],
        &["group", "rename", "no such", "x"],
        &["send", "no such", "x"],
    ];
    for words in fails {
        alice.fails(words);
    }
    alice.does(&["group", "create", "g", "bob"]);
    assert!(alice.fails(&["group", "create", "g", "bob"]).contains("already"));
    assert!(alice.fails(&["group", "remove", "g", "carol"]).contains("carol is not in it"));
    assert!(alice.fails(&["group", "remove", "g", "alice"]).contains("`group leave`"));
    assert_eq!(alice.does(&["group", "list"]).lines().count(), 1);
}

#[test]
fn a_group_that_is_called_like_somebody_never_gets_their_messages() {
    let (scene, [alice, bob, carol]) = friends();
    // A name of our own choice that means somebody is refused; one that others chose gets a number.
    let said = alice.fails(&["group", "create", "carol", "bob"]);
    assert!(said.contains("carol is a person or a group of yours already; try another name"), "{said}");
    let dave = scene.adult("dave");
    befriend(&dave, &alice);
    dave.does(&["group", "create", "carol", "alice"]);
    alice.does(&["sync"]);
    alice.sends("a secret").to("carol");
    carol.waits_for("alice: a secret");
    assert_eq!(dave.reads("carol"), Vec::<String>::new());
    alice.sends("not so secret").to("carol (2)");
    dave.waits_for("alice: not so secret");
    // The same for two groups of one name.
    alice.does(&["group", "create", "club", "bob"]);
    carol.does(&["group", "create", "club", "alice"]);
    alice.does(&["sync"]);
    alice.sends("to bob").to("club");
    bob.waits_for("alice: to bob");
    alice.sends("to carol").to("club (2)");
    carol.waits_for("alice: to carol");
}

#[test]
fn a_group_goes_on_when_its_founder_leaves() {
    let (_scene, [alice, bob, carol]) = friends();
    alice.does(&["group", "create", "family", "bob", "carol"]);
    bob.does(&["sync"]);
    carol.does(&["sync"]);
    alice.does(&["group", "leave", "family"]);
    // Whether bob or carol has the lower leaf and tidies alice away, neither has to wait for it.
    bob.sends("she left us").to("family");
    carol.waits_for("bob: she left us");
    carol.sends("yes").to("family");
    bob.waits_for("carol: yes");
    carol.does(&["sync"]);
    assert_eq!(members(&bob, "family"), ["bob", "carol"]);
}
