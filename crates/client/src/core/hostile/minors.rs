//! What a minor's client lets in, and what a service may tell it of the rules.

use zegel_proto::{GroupId, Token, v1};
use zegel_safety::{Notice, Policy};

use super::{
    forge::{Forged, packed},
    post::Letter,
    world::{ALICE, BOB, CAROL, MALLORY, World},
};
use crate::{
    core::facts::Facts,
    db::{ConversationState, ItemKind},
};

fn minor() -> World {
    let mut world = World::new();
    world.core(ALICE).set_own_band(v1::AgeBand::Teen).expect("a band");
    world
}

/// Bob founds a group with these people.
fn founded_by_bob(world: &mut World, name: &str, others: &[usize]) -> Letter {
    let accounts: Vec<_> = others.iter().map(|&who| world.account(who)).collect();
    let packages = world.packages(&accounts);
    world.core(BOB).found_group(name, &accounts, &packages).expect("founded");
    world.letters(BOB).pop().expect("a letter")
}

#[test]
fn a_minor_is_asked_before_a_group_with_people_who_are_not_connected() {
    for (band, others, state, unconnected) in [
        (v1::AgeBand::Teen, &[ALICE][..], ConversationState::Open, &[][..]),
        (v1::AgeBand::Teen, &[ALICE, CAROL][..], ConversationState::Request, &["carol"][..]),
        (v1::AgeBand::Unknown, &[ALICE, CAROL][..], ConversationState::Request, &["carol"][..]),
        (v1::AgeBand::Adult, &[ALICE, CAROL][..], ConversationState::Open, &["carol"][..]),
    ] {
        let mut world = World::new();
        world.core(ALICE).set_own_band(band).expect("a band");
        world.befriend(ALICE, BOB);
        let letter = founded_by_bob(&mut world, "club", others);
        world.deliver(&letter);
        assert_eq!(world.state(ALICE, &letter.group), state, "{band:?} with {others:?}");
        let chat = world.chat(ALICE, &letter.group);
        assert_eq!(world.core(ALICE).unconnected_in(&chat).expect("names"), unconnected);
        let warned = world.shows(ALICE, "Not connected to you: carol.");
        assert_eq!(warned, state == ConversationState::Request);
    }
}

/// A group of Bob and Alice, who is a minor, into which Bob then brings these people.
fn grown(others: &[usize]) -> (World, GroupId) {
    let mut world = minor();
    world.befriend(ALICE, BOB);
    world.befriend(ALICE, CAROL);
    let letter = founded_by_bob(&mut world, "club", &[ALICE]);
    world.deliver(&letter);
    let said = world.write(BOB, &letter.group, "just us");
    world.deliver(&said);
    let chat = world.chat(BOB, &letter.group);
    for &who in others {
        let account = world.account(who);
        world.core(BOB).want_add(&chat, &[account]).expect("wanted");
        world.flush(BOB);
    }
    (world, letter.group)
}

#[test]
fn a_minor_is_asked_again_about_who_is_brought_into_their_group_later() {
    let (mut world, group) = grown(&[CAROL]);
    assert_eq!(world.state(ALICE, &group), ConversationState::Open, "carol is a friend");
    assert!(!world.shows(ALICE, "Not connected to you"));

    let (account, chat) = (world.account(MALLORY), world.chat(BOB, &group));
    world.core(BOB).want_add(&chat, &[account]).expect("wanted");
    world.flush(BOB);
    assert_eq!(world.state(ALICE, &group), ConversationState::Request);
    assert!(world.shows(ALICE, "Not connected to you: mallory."));
    assert!(!world.shows(BOB, "Not connected to you"), "an adult is not warned, nor who added them");
    world.restart(ALICE);
    let request = world.chat(ALICE, &group);
    assert_eq!(request.introducer, Some(world.account(BOB)));
    let notices = world.core(ALICE).notices(&request).expect("notices");
    assert_eq!(notices, [Notice::Joined(vec!["mallory".into()])]);
    assert!(world.core(ALICE).say(&request, "hi").is_err(), "nothing goes there unasked");

    world.core(ALICE).accept(&request).expect("accepted");
    assert_eq!(world.state(ALICE, &group), ConversationState::Open);
    world.assert_talk(&group, &[ALICE, BOB]);
    // Whom a member brings in next is asked about too.
    assert!(world.at(ALICE).came_later(&request).expect("the database").is_none());
}

#[test]
fn a_minor_who_declines_who_came_later_keeps_what_was_said_before_and_nothing_after() {
    let (mut world, group) = grown(&[MALLORY]);
    let said = world.write(BOB, &group, "meet mallory");
    world.deliver(&said);
    let request = world.chat(ALICE, &group);
    assert_eq!(request.state, ConversationState::Request);
    world.core(ALICE).decline(&request).expect("declined");
    assert_eq!(world.state(ALICE, &group), ConversationState::Over);
    assert!(world.shows(ALICE, "just us") && !world.shows(ALICE, "meet mallory"));
    let said = world.write(BOB, &group, "still there?");
    world.deliver(&said);
    assert!(!world.shows(ALICE, "still there?"));
}

#[test]
fn an_adult_is_in_their_group_whoever_else_comes() {
    let (mut world, group) = grown(&[]);
    world.core(ALICE).set_own_band(v1::AgeBand::Adult).expect("a band");
    let (account, chat) = (world.account(MALLORY), world.chat(BOB, &group));
    world.core(BOB).want_add(&chat, &[account]).expect("wanted");
    world.flush(BOB);
    assert_eq!(world.state(ALICE, &group), ConversationState::Open);
}

#[test]
fn no_code_brings_a_minor_into_a_group() {
    let mut world = minor();
    let code = Token::random();
    let now = world.at(ALICE).now_ms();
    world.at(ALICE).db.add_code(&code, now).expect("a code");
    let mut world_says = |direct: bool| {
        let (mallory, alice) = (world.account(MALLORY), world.account(ALICE));
        let facts = if direct { Facts::direct(mallory, alice) } else { Facts::group("trap", mallory) };
        let (package, address) = world.key_package(ALICE);
        let group = zegel_proto::GroupId::random();
        let mut letter =
            Forged::new(&world, MALLORY, group, &facts).invite(MALLORY, &packed(&package), &address);
        letter.submit.welcome.as_mut().expect("a Welcome").newcomers[0].token = code.to_field();
        world.deliver(&letter);
        world.state(ALICE, &group)
    };
    assert_eq!(world_says(false), ConversationState::Declined);
    assert_eq!(world_says(true), ConversationState::Request, "the code is used up");
}

#[test]
fn a_request_says_what_is_known_and_that_a_code_was_shown() {
    // Of an age that this release does not know, and new for all that: the service says so.
    let lately = v1::SenderFacts { declined_lately: true, minors_lately: true, ..Default::default() };
    let facts = v1::SenderFacts { age: 99, new: true, ..lately };
    for (by_code, wanted) in [
        (false, vec![Notice::NewAccount, Notice::NobodyInCommon, Notice::DeclinedByMany, Notice::ManyMinors]),
        (true, vec![Notice::ByCode, Notice::NewAccount, Notice::DeclinedByMany, Notice::ManyMinors]),
    ] {
        let mut world = World::new();
        let code = Token::random();
        let now = world.at(ALICE).now_ms();
        world.at(ALICE).db.add_code(&code, now).expect("a code");
        let alice = world.account(ALICE);
        let packages = world.packages(&[alice]);
        let shown = by_code.then_some(&code);
        world.core(MALLORY).found_direct(&alice, &packages, Some("hi"), shown).expect("founded");
        let letter = world.letters(MALLORY).pop().expect("a letter");
        let stamps = world.stamps(&letter);
        let mut introduction = world.introduction(ALICE, &letter, &stamps[0]).expect("hers");
        introduction.facts = Some(facts.clone());
        world.hand(ALICE, v1::entry::Body::Introduction(introduction));
        let words = world.core(ALICE).in_words(&wanted).expect("words");
        assert_eq!(world.lines(ALICE, ItemKind::Notice), words);
        let state = if by_code { ConversationState::Open } else { ConversationState::Request };
        assert_eq!(world.state(ALICE, &letter.group), state);
    }
}

#[test]
fn who_shares_a_group_is_not_unknown() {
    let mut world = World::new();
    world.group("club", &[BOB]);
    let letter = {
        let alice = world.account(ALICE);
        let packages = world.packages(&[alice]);
        world.core(BOB).found_direct(&alice, &packages, Some("hi"), None).expect("founded");
        world.letters(BOB).pop().expect("a letter")
    };
    world.deliver(&letter);
    let request = world.chat(ALICE, &letter.group);
    let notices = world.core(ALICE).notices(&request).expect("notices");
    assert!(!notices.contains(&Notice::NobodyInCommon), "{notices:?}");
    assert_eq!(world.core(ALICE).shared_groups(&request.peer.expect("bob")).expect("groups"), ["club"]);
}

#[test]
fn a_change_of_the_rules_is_told_and_nonsense_changes_nothing() {
    let mut world = minor();
    let shipped = Policy::shipped();
    let core = world.core(ALICE);
    assert!(!core.wants_policy(&[]).expect("kept"), "a service that names none");
    assert!(!core.wants_policy(&shipped.hash()).expect("kept"));
    let mut stricter = shipped.clone();
    stricter.codes.numbers.days = 1;
    assert!(core.wants_policy(&stricter.hash()).expect("kept"));
    core.take_policy(&stricter.to_toml(), &stricter.hash()).expect("taken");
    assert_eq!(core.policy(), &stricter);
    assert!(!core.wants_policy(&stricter.hash()).expect("kept"));

    // What a service may not say: it changes nothing, and nobody panics.
    let toml = stricter.to_toml();
    let spoilt = [
        String::new(),
        "version = 1".into(),
        toml.replace("version = 1", "version = 2"),
        toml.replace("per_friend = 5", "per_friend = 4000000000"),
        toml.replace("from_hour = 21", "from_hour = 99"),
        toml.replace("per_friend = 5", "per_friend = -5"),
        format!("more = 1\n{toml}"),
        format!("{toml}more = 1\n"),
        "[".repeat(100_000),
        "\u{0}".repeat(100_000),
    ];
    for text in &spoilt {
        assert_ne!(text, &toml);
        core.take_policy(text, &[7; 32]).expect("nothing happens");
        assert_eq!(core.policy(), &stricter);
        assert!(core.wants_policy(&[7; 32]).expect("asked again"));
    }
    let lines = world.lines(ALICE, ItemKind::Notice);
    assert!(
        matches!(&lines[..], [line] if line.starts_with("The service's safety rules changed. codes: ")),
        "{lines:?}"
    );
    world.restart(ALICE);
    assert_eq!(world.at(ALICE).policy(), &stricter);
}

#[test]
fn a_rule_that_only_a_newer_service_knows_leaves_the_others_in_force() {
    let mut world = minor();
    let mut stricter = Policy::shipped();
    stricter.tokens.numbers.per_friend = 1;
    let core = world.core(ALICE);
    let newer =
        format!("{}\n[rings]\nsays.en = \"Nobody rings.\"\nnumbers = {{ a_day = 3 }}\n", stricter.to_toml());
    core.take_policy(&newer, &[7; 32]).expect("taken");
    assert_eq!(core.policy(), &stricter);
    // It is fetched once, and again only when the service says that it changed.
    world.restart(ALICE);
    assert_eq!(world.at(ALICE).policy(), &stricter);
    assert!(!world.at(ALICE).wants_policy(&[7; 32]).expect("kept"));
    assert!(world.at(ALICE).wants_policy(&[8; 32]).expect("kept"));
}

#[test]
fn the_first_rules_of_a_service_are_no_change() {
    let mut world = World::new();
    let mut theirs = Policy::shipped();
    theirs.quiet_hours.numbers.from_hour = 20;
    world.core(ALICE).take_policy(&theirs.to_toml(), &theirs.hash()).expect("taken");
    assert!(world.items(ALICE).is_empty());
    assert_eq!(world.at(ALICE).policy(), &theirs);
}

#[test]
fn our_own_age_is_what_the_service_says_and_a_change_is_told() {
    let mut world = World::new();
    let say = |band: v1::AgeBand| v1::Authenticated { age_band: band.into(), ..Default::default() };
    let core = world.core(ALICE);
    assert!(!core.is_minor());
    core.note_own_age(&say(v1::AgeBand::Adult)).expect("noted");
    assert!(!core.is_minor());
    for odd in [77, -1] {
        core.note_own_age(&v1::Authenticated { age_band: odd, ..Default::default() }).expect("noted");
        assert!(core.is_minor(), "what we do not know is protected");
    }
    core.note_own_age(&say(v1::AgeBand::Adult)).expect("noted");
    assert_eq!(world.lines(ALICE, ItemKind::Notice).len(), 2);
}
