//! Welcomes that nobody asked for.

use zegel_proto::{Address, GroupId, Token, v1};

use super::{
    forge::{Forged, ghost_of, packed},
    post::Letter,
    world::{ALICE, BOB, CAROL, MALLORY, World},
};
use crate::{
    core::{
        facts::Facts,
        join::{Fetch, MAX_GROUP, MAX_STRANGERS},
    },
    db::{ConversationState, ItemKind},
};

fn hand_welcome(world: &mut World, to: usize, letter: &Letter, token: &[u8]) {
    let context = world.context(letter.from, &letter.group, &letter.submit.message);
    let origin = v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: vec![9; 32].into() };
    let mut introduction = world.introduction(to, letter, &origin).expect("a Welcome for them");
    introduction.token = token.to_vec().into();
    world.hand(to, v1::entry::Body::Introduction(introduction));
}

#[test]
fn a_welcome_into_a_conversation_that_works_changes_nothing() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    let facts = Facts::group("club", world.account(ALICE));
    for (by, cause) in [(MALLORY, "in that conversation already"), (BOB, "in that conversation already")] {
        let (package, address) = world.key_package(ALICE);
        let mut forged = Forged::new(&world, by, group, &facts).age(5);
        let letter = forged.invite(by, &packed(&package), &address);
        let before = world.epoch(ALICE, &group);
        hand_welcome(&mut world, ALICE, &letter, &[]);
        assert!(world.lines(ALICE, ItemKind::Hidden).last().is_some_and(|line| line.contains(cause)));
        assert_eq!(world.epoch(ALICE, &group), before);
        world.assert_talk(&group, &[ALICE, BOB]);
        world.restart(ALICE);
        world.assert_talk(&group, &[ALICE, BOB]);
    }
    // The same Welcome under a fresh id is an ordinary invitation.
    let (package, address) = world.key_package(ALICE);
    let fresh = GroupId::random();
    let letter = Forged::new(&world, MALLORY, fresh, &Facts::group("hi", world.account(MALLORY))).invite(
        MALLORY,
        &packed(&package),
        &address,
    );
    hand_welcome(&mut world, ALICE, &letter, &[]);
    assert_eq!(world.state(ALICE, &fresh), ConversationState::Request);
}

#[test]
fn a_welcome_must_fit_its_address_its_stamp_and_its_people() {
    type Fault = fn(&mut v1::Introduction, &mut zegel_franking::Context);
    let faults: [(&str, Fault); 7] = [
        ("an address that is not ours", |intro, _| intro.address = Address::random().to_field()),
        ("its group id", |intro, context| {
            let other = GroupId::random();
            intro.group_id = other.to_field();
            context.room = zegel_proto::room_of(&other).0;
        }),
        ("its stamp does not fit", |_, context| context.room = [1; 32]),
        ("its stamp does not fit", |_, context| context.sender_account = [1; 16]),
        ("its stamp does not fit", |_, context| context.sender_device = [1; 16]),
        ("its stamp does not fit", |_, context| context.epoch = u64::MAX),
        ("its stamp does not fit", |_, context| context.epoch += 1),
    ];
    let mut world = World::new();
    let (package, address) = world.key_package(ALICE);
    let group = GroupId::random();
    let facts = Facts::group("hi", world.account(MALLORY));
    let letter = Forged::new(&world, MALLORY, group, &facts).invite(MALLORY, &packed(&package), &address);
    for (number, (cause, spoil)) in faults.into_iter().enumerate() {
        let mut context = world.context(MALLORY, &group, &letter.submit.message);
        let mut introduction = world.introduction(ALICE, &letter, &Default::default()).expect("hers");
        spoil(&mut introduction, &mut context);
        introduction.origin =
            Some(v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: vec![9; 32].into() });
        world.hand(ALICE, v1::entry::Body::Introduction(introduction));
        let hidden = world.lines(ALICE, ItemKind::Hidden);
        assert_eq!(hidden.len(), number + 1, "{hidden:?}");
        assert!(hidden[number].contains(cause), "{hidden:?}");
    }
    // A refused one has not used the key package up.
    hand_welcome(&mut world, ALICE, &letter, &[]);
    assert_eq!(world.state(ALICE, &group), ConversationState::Request);
}

#[test]
fn a_direct_chat_is_between_two() {
    let mut world = World::new();
    for (third, sound) in [(ALICE, true), (CAROL, false)] {
        let (package, address) = world.key_package(ALICE);
        let facts = Facts::direct(world.account(MALLORY), world.account(third));
        let group = GroupId::random();
        let letter = Forged::new(&world, MALLORY, group, &facts).invite(MALLORY, &packed(&package), &address);
        hand_welcome(&mut world, ALICE, &letter, &[]);
        let known = world.at(ALICE).db.conversation_of_group(&group).expect("the database");
        assert_eq!(known.is_some(), sound);
    }
    assert!(world.shows(ALICE, "a direct chat that is not between two"));
}

#[test]
fn a_contact_code_opens_a_direct_chat_and_no_group() {
    for (direct, state) in [(true, ConversationState::Open), (false, ConversationState::Declined)] {
        let mut world = World::new();
        let token = Token::random();
        let now = world.at(ALICE).now_ms();
        world.at(ALICE).db.add_code(&token, now).expect("a code");
        let (mallory, alice) = (world.account(MALLORY), world.account(ALICE));
        let facts = if direct { Facts::direct(mallory, alice) } else { Facts::group("trap", mallory) };
        let (package, address) = world.key_package(ALICE);
        let group = GroupId::random();
        let letter = Forged::new(&world, MALLORY, group, &facts).invite(MALLORY, &packed(&package), &address);
        hand_welcome(&mut world, ALICE, &letter, &token.0);
        assert_eq!(world.state(ALICE, &group), state);
        let contact = world.at(ALICE).db.contact(&mallory).expect("the database").expect("mallory");
        assert_eq!(contact.accepted, direct);
        assert!(!world.at(ALICE).db.use_code(&token.0).expect("the database"), "it is used up");
        // Nobody counts as declined for it: whoever holds a code learns nothing of whose it is.
        let counted = world.take_calls(ALICE).into_iter().any(
            |call| matches!(call, v1::client_frame::Body::DeleteAddresses(it) if !it.declined.is_empty()),
        );
        assert!(!counted);
        assert!(!world.shows(ALICE, "trap"));
    }
}

#[test]
fn invented_members_do_not_use_up_our_calls() {
    let mut world = World::new();
    world.direct(ALICE, BOB);
    let people = |count: usize| vec![zegel_proto::AccountId([7; 16]); count];
    let stranger = world.key_package(MALLORY).0;
    let friend = world.key_package(BOB).0;
    let (new_device, _) = ghost_of(&world, BOB);
    let bob = world.account(BOB);
    let mut fetch =
        |package: &openmls::prelude::KeyPackage, count: usize, tried: &[zegel_proto::AccountId]| {
            world.core(ALICE).tried = tried.iter().map(|who| (*who, true)).collect();
            world.at(ALICE).may_fetch(&people(count), Some(package.leaf_node())).expect("the database")
        };
    assert_eq!(fetch(&stranger, MAX_STRANGERS, &[]), Fetch::All);
    assert_eq!(fetch(&stranger, MAX_STRANGERS + 1, &[]), Fetch::None);
    assert_eq!(fetch(&friend, MAX_GROUP, &[]), Fetch::All);
    assert_eq!(fetch(&friend, MAX_GROUP + 1, &[]), Fetch::None);
    // Whoever calls themself a friend's new device is looked up alone first.
    assert_eq!(fetch(&new_device.0, MAX_GROUP, &[]), Fetch::Sender(bob));
    assert_eq!(fetch(&new_device.0, MAX_GROUP, &[bob]), Fetch::None);
}
