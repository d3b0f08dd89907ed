//! Commits that their makers may not make.

use super::{
    forge::ghost_of,
    world::{ALICE, BOB, CAROL, MALLORY, World},
};
use crate::{
    core::{facts::Facts, make::Shape},
    db::{ConversationState, ItemKind},
};

type Attack = (&'static str, fn(&mut World, usize, &zegel_proto::GroupId) -> Shape);

fn attacks() -> [Attack; 4] {
    [
        ("adds", |world, _, _| Shape { add: vec![world.key_package(MALLORY)], ..Shape::default() }),
        ("removes", |world, who, group| Shape {
            remove: vec![world.leaf_of(who, group, CAROL)],
            ..Shape::default()
        }),
        ("renames", |world, _, _| {
            let facts = Facts::group("mine", world.account(ALICE));
            Shape { facts: Some(facts), ..Shape::default() }
        }),
        ("takes over", |world, _, _| {
            let admins = vec![world.account(ALICE), world.account(BOB)];
            let facts = Facts { admins, ..Facts::group("club", world.account(ALICE)) };
            Shape { facts: Some(facts), ..Shape::default() }
        }),
    ]
}

#[test]
fn an_admin_may_change_a_group() {
    for (what, shape) in attacks() {
        let mut world = World::new();
        let group = world.group("club", &[BOB, CAROL]);
        let shape = shape(&mut world, ALICE, &group);
        let letter = world.commit(ALICE, &group, shape);
        world.deliver(&letter);
        assert_eq!(world.state(BOB, &group), ConversationState::Open, "{what}");
        assert_eq!(world.lines(BOB, ItemKind::Hidden), [""; 0], "{what}");
        world.assert_talk(&group, &[ALICE, BOB]);
    }
}

#[test]
fn a_member_who_is_no_admin_may_not() {
    for (what, shape) in attacks() {
        let mut world = World::new();
        let group = world.group("club", &[BOB, CAROL]);
        let other = world.group("other", &[BOB, CAROL]);
        let waiting = world.write(ALICE, &group, "waiting");
        let shape = shape(&mut world, BOB, &group);
        let letter = world.commit(BOB, &group, shape);
        let before = world.epoch(ALICE, &group);
        world.deliver(&letter);
        for who in [ALICE, CAROL] {
            assert_eq!(world.state(who, &group), ConversationState::Broken, "{what}");
            assert!(world.shows(who, "bob changed it in a way that is not allowed"), "{what}");
            assert_eq!(world.lines(who, ItemKind::Hidden).len(), 1, "{what}");
        }
        assert_eq!(world.epoch(ALICE, &group), before, "{what}");
        assert_eq!(world.chat(ALICE, &group).name, "club", "{what}");
        // Nothing more goes into it, and nothing of it waits for ever.
        assert!(world.letters(ALICE).iter().all(|letter| letter.group != waiting.group), "{what}");
        world.assert_talk(&other, &[ALICE, BOB, CAROL]);
        world.restart(ALICE);
        world.assert_talk(&other, &[ALICE, BOB, CAROL]);
    }
}

#[test]
fn a_ghost_is_refused_and_a_listed_device_is_not() {
    for listed in [true, false] {
        let mut world = World::new();
        let group = world.group("club", &[BOB]);
        let other = world.direct(ALICE, BOB);
        let (ghost, listing) = ghost_of(&world, CAROL);
        let letter = world.commit(ALICE, &group, Shape { add: vec![ghost], ..Shape::default() });
        if listed {
            let owner = world.account(CAROL);
            world.chains.get_mut(&owner).expect("a chain").push(listing);
        }
        world.deliver(&letter);
        assert_eq!(world.fetched, 1, "the chain was asked for once");
        let hidden = world.lines(BOB, ItemKind::Hidden);
        match listed {
            true => {
                assert_eq!(hidden, [""; 0]);
                world.assert_talk(&group, &[ALICE, BOB]);
            }
            false => {
                assert_eq!(hidden.len(), 1);
                assert!(hidden[0].contains("its owner's list of devices does not have"), "{hidden:?}");
                assert_eq!(world.state(BOB, &group), ConversationState::Broken);
            }
        }
        world.assert_talk(&other, &[ALICE, BOB]);
    }
}
