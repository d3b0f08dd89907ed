//! What a child asks, and what the answer does.

use super::*;

#[test]
fn a_new_contact_waits_for_the_guardian() {
    let mut world = linked();
    let request = world.introduces(CAROL, KID);
    for _ in 0..2 {
        assert_eq!(world.accepts(KID, &request), Some("alice".into()));
    }
    let chat = world.chat(KID, &request);
    assert_eq!(world.at(KID).waits_for(&chat).expect("the database"), "alice");
    assert_eq!(world.notices(MUM, "bob asks to be in contact with carol"), 1, "asked once");
    world.answers(MUM, KID, "carol", false);
    assert_eq!(world.state(KID, &request), ConversationState::Request);
    assert_eq!(world.notices(KID, "alice does not allow contact with carol"), 1);
    assert_eq!(world.at(KID).waits_for(&chat).expect("the database"), "");
    assert_eq!(world.told(MUM, KID), [""; 0]);

    // A no stands for a day, and is shown.
    assert_eq!(world.core(KID).refused_by(&chat).expect("the database"), "alice");
    let again = world.core(KID).accept(&chat).expect_err("she said no");
    assert!(again.to_string().contains("alice said no to that"), "{again}");
    assert!(world.waiting(MUM).is_empty());
    wait(86_400_000);

    // The child asks again, and this time it is allowed.
    assert_eq!(world.accepts(KID, &request), Some("alice".into()));
    world.restart(KID);
    world.restart(MUM);
    world.answers(MUM, KID, "contact:carol", true);
    assert_eq!(world.state(KID, &request), ConversationState::Open);
    world.assert_talk(&request, &[CAROL, KID]);
    assert_eq!(world.told(MUM, KID), ["carol"]);
    let bob = world.account(KID);
    let again = world.core(MUM).answer_child(&bob, "carol", true).expect_err("it is answered");
    assert!(again.to_string().contains("bob asks for no carol"), "{again}");

    // To write to somebody new it is asked too; then the child writes.
    let mallory = world.account(MALLORY);
    let asks = |world: &mut World, who: &AccountId| {
        let asked = world.core(KID).step(|core| core.ask_to_meet(who)).expect("asked");
        world.flush(KID);
        asked
    };
    assert_eq!(asks(&mut world, &mallory), Some("alice".into()));
    world.answers(MUM, KID, "mallory", true);
    assert_eq!(asks(&mut world, &mallory), None);
    assert_eq!(world.notices(KID, "contact with mallory: you can write now"), 1);
    assert_eq!(world.told(MUM, KID), ["carol"], "allowed is not yet in contact");
}

#[test]
fn an_answer_counts_once_and_for_its_own_question() {
    let mut world = linked();
    world.set_band(CAROL, AgeBand::Child);
    world.direct(MUM, CAROL);
    link(&mut world, MUM, CAROL);
    let mallory = world.account(MALLORY);
    for child in [KID, CAROL] {
        world.core(child).step(|core| core.ask_to_meet(&mallory)).expect("asked");
        world.flush(child);
    }
    let asked = |world: &World, child: usize| {
        world.at(child).db.asks_of(&world.account(MUM)).expect("the database").first().map(|ask| ask.id)
    };
    let (kids, carols) = (asked(&world, KID).expect("a question"), asked(&world, CAROL).expect("a question"));
    let answer = |id, allow| Guardian::Answer { id, allow, secret: None, next: None };
    for id in [carols, [9; 16]] {
        world.claims(MUM, KID, &answer(id, true));
    }
    assert!(!world.at(KID).db.is_allowed(&mallory).expect("the database"));
    world.claims(MUM, KID, &answer(kids, false));
    world.claims(MUM, KID, &answer(kids, true));
    assert!(!world.at(KID).db.is_allowed(&mallory).expect("the database"), "the first word counts");
    world.answers(MUM, CAROL, "mallory", true);
    assert!(world.at(CAROL).db.is_allowed(&mallory).expect("the database"));
}

#[test]
fn a_group_is_allowed_with_the_people_that_were_asked_about() {
    let mut world = World::new();
    world.set_band(KID, AgeBand::Child);
    world.direct(CAROL, KID);
    world.direct(CAROL, MUM);
    let carol_is_guardian = |world: &mut World| link(world, CAROL, KID);
    carol_is_guardian(&mut world);
    // Alice brings bob into a group with a name that would turn the text around.
    let group = world.unaccepted_group("chess\u{202e}club", &[BOB]);
    assert_eq!(world.state(KID, &group), ConversationState::Request);
    assert_eq!(world.accepts(KID, &group), Some("carol".into()));
    let name = "chess\u{fffd}club";
    assert_eq!(world.waiting(CAROL), [("group", name.to_owned())]);

    let mallory = world.account(MALLORY);
    let club = world.chat(ALICE, &group);
    world.core(ALICE).want_add(&club, &[mallory]).expect("added");
    world.flush(ALICE);
    world.answers(CAROL, KID, name, true);
    assert_eq!(world.state(KID, &group), ConversationState::Request, "others are in it now");
    assert_eq!(world.notices(KID, "Others are in the group"), 1);
    assert_eq!(world.waiting(CAROL), [("group", name.to_owned())], "it is asked again");
    let Asked::Group { people, .. } = &world.at(CAROL).waiting().expect("the database")[0].what else {
        panic!("a group")
    };
    assert_eq!(people, &["alice", "mallory"]);
    world.answers(CAROL, KID, name, true);
    assert_eq!(world.state(KID, &group), ConversationState::Open);
    assert_eq!(world.told(CAROL, KID), [name]);
}

#[test]
fn the_newest_chat_of_the_two_is_used() {
    let mut world = linked();
    let anew = world.introduces(MUM, KID);
    assert_eq!(world.state(KID, &anew), ConversationState::Open, "a guardian needs nobody's word");
    let carol = world.account(CAROL);
    world.core(KID).step(|core| core.ask_to_meet(&carol)).expect("asked");
    let letter = world.letters(KID).pop().expect("a letter");
    assert_eq!(letter.group, anew);
    world.flush(KID);
    world.answers(MUM, KID, "carol", true);
    assert!(world.at(KID).db.is_allowed(&carol).expect("the database"));
}

#[test]
fn a_changed_client_of_a_child_fills_nothing_and_shows_nothing_odd() {
    let mut world = linked();
    let ask = |number: u8, what| Guardian::Ask { id: [number; 16], what, facts: Facts::default() };
    world.claims(KID, MUM, &ask(1, Asked::Contact { handle: "Grandma (call me)".into() }));
    let people = vec!["not a handle".to_owned()];
    world.claims(KID, MUM, &ask(2, Asked::Group { name: "club".into(), people }));
    let facts = Facts::new("carol", [Fact::Via("your school, who knows them well".into())]);
    let what = Asked::Contact { handle: "carol".into() };
    world.claims(KID, MUM, &Guardian::Ask { id: [3; 16], what, facts });
    assert!(world.waiting(MUM).is_empty());
    // What cannot be shown is not even read.
    for handle in ["a\u{0}b", "a\u{1b}[2J", "", "\u{202e}ecila"] {
        assert!(ask(3, Asked::Contact { handle: handle.into() }).encode().is_err());
    }
    for number in 0..130u8 {
        world.claims(KID, MUM, &ask(number, Asked::Contact { handle: format!("kim{number}") }));
    }
    assert_eq!(world.waiting(MUM).len(), 100);
    // The same name asked again, under another id, is one question.
    world.claims(KID, MUM, &ask(200, Asked::Contact { handle: "kim7".into() }));
    assert_eq!(world.waiting(MUM).iter().filter(|(_, name)| name == "kim7").count(), 1);
    // A group that is called like a person is told apart.
    world.answers(MUM, KID, "kim8", false);
    world.claims(KID, MUM, &ask(201, Asked::Group { name: "kim9".into(), people: Vec::new() }));
    let kid = world.account(KID);
    let refused = world.core(MUM).answer_child(&kid, "kim9", true).expect_err("two of that name");
    assert!(refused.to_string().contains("`contact:kim9` or `group:kim9`"), "{refused}");
    world.answers(MUM, KID, "group:kim9", true);
    assert!(world.waiting(MUM).contains(&("contact", "kim9".into())));
    assert!(!world.waiting(MUM).contains(&("group", "kim9".into())));
    // A group whose name looks like another question is not taken for it.
    world.claims(KID, MUM, &ask(202, Asked::Group { name: "contact:kim9".into(), people: Vec::new() }));
    world.answers(MUM, KID, "contact:kim9", false);
    assert!(!world.waiting(MUM).contains(&("contact", "kim9".into())));
    assert!(world.waiting(MUM).contains(&("group", "contact:kim9".into())));
}

/// Carol, the guardian, allowed a group that Alice brought the child into.
fn in_the_club() -> (World, GroupId) {
    let mut world = World::new();
    world.set_band(KID, AgeBand::Child);
    world.direct(CAROL, KID);
    link(&mut world, CAROL, KID);
    let group = world.unaccepted_group("club", &[BOB]);
    world.accepts(KID, &group);
    world.answers(CAROL, KID, "club", true);
    (world, group)
}

#[test]
fn the_guardian_is_asked_about_who_comes_into_an_allowed_group_later() {
    let (mut world, group) = in_the_club();
    assert_eq!(world.state(KID, &group), ConversationState::Open);
    let (mallory, club) = (world.account(MALLORY), world.chat(ALICE, &group));
    world.core(ALICE).want_add(&club, &[mallory]).expect("added");
    world.flush(ALICE);
    world.flush(KID);
    assert_eq!(world.state(KID, &group), ConversationState::Request);
    assert_eq!(world.told(CAROL, KID), [""; 0], "they see that the child is not in it now");
    assert_eq!(world.accepts(KID, &group), Some("carol".into()));
    let Asked::Group { people, .. } = &world.at(CAROL).waiting().expect("the database")[0].what else {
        panic!("a group")
    };
    assert_eq!(people, &["alice", "mallory"]);
    world.answers(CAROL, KID, "club", true);
    assert_eq!(world.state(KID, &group), ConversationState::Open);
}

#[test]
fn a_group_that_is_renamed_and_renamed_is_told_once() {
    let (mut world, group) = in_the_club();
    assert_eq!(world.told(CAROL, KID), ["club"]);
    for name in ["a", "b", "c"] {
        let chat = world.chat(ALICE, &group);
        world.core(ALICE).want_rename(&chat, name).expect("renamed");
        world.flush(ALICE);
        assert_eq!(world.chat(KID, &group).name, name);
        assert!(world.letters(KID).is_empty(), "{name}");
    }
    // With the next change of who or which, the name is told.
    world.leaves(KID, &group);
    world.flush(KID);
    assert_eq!(world.told(CAROL, KID), [""; 0]);
}

#[test]
fn a_step_that_fails_tells_the_guardian_nothing() {
    let mut world = linked();
    let carol = world.account(CAROL);
    let failed: crate::Result<()> = world.core(KID).step(|core| {
        core.ask_to_meet(&carol)?;
        core.db.set_accepted(&carol, true)?;
        Err(crate::Error::usage("failing", "on purpose", "nothing"))
    });
    assert!(failed.is_err() && world.letters(KID).is_empty());
    world.core(KID).step(|core| core.db.set_accepted(&carol, true)).expect("a contact");
    world.restart(KID);
    world.flush(KID);
    assert_eq!(world.told(MUM, KID), ["carol"]);
    assert!(world.core(KID).step(|_| Ok(())).is_ok() && world.letters(KID).is_empty(), "told once");
}

#[test]
fn the_guardian_is_asked_again_when_more_is_known_of_who_comes() {
    let mut world = linked();
    let carol = world.account(CAROL);
    let facts = |world: &World| -> Vec<Facts> {
        world.at(MUM).waiting().expect("the database").into_iter().map(|ask| ask.facts).collect()
    };
    // Somebody tells her elsewhere to write first, and to take the request then.
    world.core(KID).step(|core| core.ask_to_meet(&carol)).expect("asked");
    world.flush(KID);
    assert_eq!(facts(&world), [Facts::default()]);
    let request = world.introduces(CAROL, KID);
    assert_eq!(world.accepts(KID, &request), Some("alice".into()));
    let known = facts(&world).pop().expect("a question");
    assert_eq!((world.waiting(MUM).len(), known.of()), (1, "carol"));
    assert!(known.iter().any(|fact| *fact == Fact::NobodyInCommon), "{known:?}");
    let text = "bob is told of carol: “Nobody whom you know vouches for them";
    assert_eq!(world.notices(MUM, text), 1);
    // Nor does it help to decline, and to ask for the person again.
    let chat = world.chat(KID, &request);
    world.core(KID).decline(&chat).expect("declined");
    world.core(KID).step(|core| core.ask_to_meet(&carol)).expect("asked");
    world.flush(KID);
    assert_eq!((facts(&world), world.notices(MUM, text)), (vec![known], 1));
    world.answers(MUM, KID, "carol", true);
    assert!(world.at(KID).db.is_allowed(&carol).expect("the database"));
}

#[test]
fn what_comes_out_between_question_and_answer_is_asked_about_too() {
    let mut world = linked();
    let carol = world.account(CAROL);
    world.core(KID).step(|core| core.ask_to_meet(&carol)).expect("asked");
    world.flush(KID);
    let request = world.introduces(CAROL, KID);
    world.answers(MUM, KID, "carol", true);
    assert!(!world.at(KID).db.is_allowed(&carol).expect("the database"));
    assert_eq!(world.notices(KID, "More is known now of “carol” than alice was told"), 1);
    world.flush(KID);
    assert_eq!(world.notices(MUM, "bob is told of carol: “Nobody whom you know vouches for them"), 1);
    assert_eq!(world.state(KID, &request), ConversationState::Request);
    world.answers(MUM, KID, "carol", true);
    assert!(world.at(KID).db.is_allowed(&carol).expect("the database"));
}
