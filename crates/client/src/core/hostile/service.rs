//! A service that lies about people, about what it accepted, and about numbers.

use zegel_proto::v1;

use super::{
    forge::ghost_of,
    world::{ALICE, BOB, CAROL, World},
};
use crate::{
    Error,
    core::{Me, facts::Facts, mailbox::Opened, make::Shape},
    db::{ConversationState, ItemKind, ItemState},
};

#[test]
fn a_rewritten_list_of_devices_is_refused_and_said() {
    let mut world = World::new();
    let group = world.direct(ALICE, BOB);
    let bob = world.account(BOB);
    let known = world.at(ALICE).db.contact(&bob).expect("the database").expect("bob").chain;

    // Another beginning under the same account; and the one that we know cut short.
    let (_, listing) = ghost_of(&world, BOB);
    let honest = [world.chains[&bob].clone(), vec![listing]].concat();
    let (mut twin, _) = Me::create("bob", "zegel", &world.at(BOB).me.domain, "", 0);
    twin.account = bob;
    let action = zegel_identity::Action::Create {
        handle: "bob".into(),
        app: "zegel".into(),
        domain: twin.domain.clone(),
        device: zegel_identity::DeviceInfo::new(&bob, twin.device, &twin.signing, vec![0; 1216]),
        recovery: [0; 32],
    };
    let signer = zegel_identity::Signer::Device(twin.device);
    let rewritten = vec![zegel_identity::sign_link(bob, (0, [0; 32]), 0, action, signer, &twin.signing)];

    let refuse = |world: &mut World, links: &[zegel_identity::SignedLink]| {
        let refused = world.take_chain(ALICE, &bob, links);
        assert!(matches!(refused, Err(Error::Rewritten { .. })), "{refused:?}");
    };
    refuse(&mut world, &rewritten);
    world.restart(ALICE);
    assert_eq!(world.lines(ALICE, ItemKind::Gap).len(), 1);
    assert!(world.shows(ALICE, "a rewritten list of bob's devices"));
    assert_eq!(world.at(ALICE).db.contact(&bob).expect("the database").expect("bob").chain, known);
    world.assert_talk(&group, &[ALICE, BOB]);

    world.take_chain(ALICE, &bob, &honest).expect("it continues what we know");
    refuse(&mut world, &honest[..1]);
    let kept = world.at(ALICE).db.contact(&bob).expect("the database").expect("bob").chain;
    assert_eq!(kept.head().0, 2);
}

#[test]
fn a_confirmation_of_something_else_is_not_believed() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    let state = |world: &World, text: &str| {
        world.items(BOB).into_iter().find(|item| item.text == text).expect("the text").state
    };
    type Lie = fn(&mut World, &mut Vec<v1::Stamped>, &super::post::Letter);
    let lies: [(&str, Lie); 5] = [
        ("none", |_, stamps, _| stamps.clear()),
        ("unreadable", |_, stamps, _| stamps[0].context = vec![1; 9].into()),
        ("one too many", |_, stamps, _| stamps.push(stamps[0].clone())),
        ("of another message", |world, stamps, letter| {
            let other = world.write(ALICE, &letter.group, "of alice");
            *stamps = world.stamps(&other);
            world.confirm(&other, stamps);
        }),
        ("of another room", |world, stamps, letter| {
            let mut context = world.context(letter.from, &letter.group, &letter.submit.message);
            context.room = [1; 32];
            stamps[0].context = context.to_bytes().to_vec().into();
        }),
    ];
    for (number, (what, lie)) in lies.into_iter().enumerate() {
        let letter = world.write(BOB, &group, what);
        let mut stamps = world.stamps(&letter);
        lie(&mut world, &mut stamps, &letter);
        world.confirm(&letter, &stamps);
        assert_eq!(state(&world, what), ItemState::Failed, "{what}");
        let doubts = world.lines(BOB, ItemKind::Gap);
        let doubts = doubts.iter().filter(|line| line.contains("confirmed something else")).count();
        assert_eq!(doubts, number + 1, "{what}");
    }
    let letter = world.write(BOB, &group, "honest");
    world.deliver(&letter);
    assert_eq!(state(&world, "honest"), ItemState::Accepted);
    world.assert_talk(&group, &[ALICE, BOB]);
}

#[test]
fn a_change_of_ours_is_merged_by_its_own_stamp_only() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    let facts = Facts::group("chess", world.account(ALICE));
    let letter = world.commit(ALICE, &group, Shape { facts: Some(facts), ..Shape::default() });
    let before = world.epoch(ALICE, &group);
    world.confirm(&letter, &[]);
    assert_eq!(world.epoch(ALICE, &group), before);
    assert_eq!(world.chat(ALICE, &group).name, "club");
    world.restart(ALICE);
    world.deliver(&letter);
    assert_eq!(world.epoch(ALICE, &group), before + 1);
    assert_eq!(world.chat(ALICE, &group).name, "chess");
    world.assert_talk(&group, &[ALICE, BOB]);
}

#[test]
fn numbers_at_their_limit_break_nothing() {
    let mut world = World::new();
    let group = world.group("club", &[BOB, CAROL]);
    // A sequence number that cannot grow.
    let letter = world.write(ALICE, &group, "the last number");
    let mut context = world.context(ALICE, &group, &letter.submit.message);
    context.server_seq = u64::MAX;
    context.accepted_ms = u64::MAX;
    let stamped = v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: vec![9; 32].into() };
    world.hand(BOB, super::post::message(&group, &letter.submit.message, &stamped));
    assert!(world.shows(BOB, "the last number"), "a break of order is shown and hides nothing");
    assert_eq!(world.state(BOB, &group), ConversationState::Open);
    // A clock and a mailbox that cannot be.
    for server_ms in [0, 1 << 63, u64::MAX] {
        world.core(BOB).note_server(&v1::Authenticated { server_ms, ..Default::default() });
        world.core(BOB).step(|core| core.key_package(false)).expect("keys");
    }
    let entry = Ok(v1::Entry::default());
    world.core(BOB).take(&[Opened { seq: u64::MAX, entry }]).expect("taken");
    let entry = Err("it does not open");
    world.core(BOB).take(&[Opened { seq: u64::MAX, entry }]).expect("taken");
}
