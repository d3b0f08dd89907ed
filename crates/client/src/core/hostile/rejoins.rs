//! A device that fell out of a conversation: who may let it in again, and who may ask for it.

use zegel_identity::rejoin_message;
use zegel_proto::{Address, GroupId, Message as _, v1};

use super::{
    forge::{Forged, packed},
    post::{Letter, message},
    world::{ALICE, BOB, CAROL, MALLORY, World, wait},
};
use crate::{
    core::{facts::Facts, mailbox::Opened, make::Shape, make::read_key_package, seal_to},
    db::{Intent, ItemKind},
};

/// Bob misses a change, notices, and asks to be let in again; the request has not arrived yet.
fn strand(world: &mut World, group: &GroupId) -> v1::RequestRejoin {
    let missed = world.commit(ALICE, group, Shape::default());
    world.deliver_but(&missed, &[BOB]);
    let late = world.write(ALICE, group, "too new for bob");
    world.deliver(&late);
    assert_ne!(world.chat(BOB, group).stuck_ms, 0);
    wait(9 * 3_600_000);
    world.core(BOB).due_rejoins().expect("requests").pop().expect("a request")
}

/// Hands someone their copy of a request.
fn hand_request(world: &mut World, to: usize, group: &GroupId, request: &v1::RequestRejoin) {
    let address = world.chat(to, group).address.to_field();
    let copy = request.copies.iter().find(|copy| copy.address == address).expect("a copy for them");
    hand_sealed(world, to, group, &copy.sealed);
}

fn hand_sealed(world: &mut World, to: usize, group: &GroupId, sealed: &bytes::Bytes) {
    let request = v1::RejoinRequest { group_id: group.to_field(), sealed: sealed.clone() };
    world.hand(to, v1::entry::Body::Rejoin(request));
}

/// The key package in a request, as whoever answers it knows it, and its address.
fn asked_for(world: &World, group: &GroupId) -> (Vec<u8>, Address) {
    let rows = world.at(ALICE).db.outbox_of(world.chat(ALICE, group).id).expect("an outbox");
    let package = rows.into_iter().find_map(|row| match row.intent {
        Intent::Readd { key_package, .. } => Some(key_package),
        _ => None,
    });
    let key = format!("rejoin address {}", world.chat(BOB, group).id);
    let address = world.at(BOB).db.meta(&key).expect("meta").expect("an address");
    (package.expect("a request"), Address::from_slice(&address).expect("an address"))
}

fn hand_welcome(world: &mut World, letter: &Letter) {
    let context = world.context(letter.from, &letter.group, &letter.submit.message);
    let origin = v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: vec![9; 32].into() };
    let introduction = world.introduction(BOB, letter, &origin).expect("a Welcome for Bob");
    world.hand(BOB, v1::entry::Body::Introduction(introduction));
}

/// The attack is refused, also after a restart; then the honest answer lets Bob in.
fn assert_refused(direct: bool, attack: impl FnOnce(&mut World, &GroupId) -> Letter) {
    let mut world = World::new();
    let (group, people) = match direct {
        true => (world.direct(ALICE, BOB), vec![ALICE, BOB]),
        false => (world.group("club", &[BOB, CAROL]), vec![ALICE, BOB, CAROL]),
    };
    world.assert_talk(&group, &people);
    let request = strand(&mut world, &group);
    hand_request(&mut world, ALICE, &group, &request);
    let letter = attack(&mut world, &group);
    let (epoch, stuck) = (world.epoch(BOB, &group), world.chat(BOB, &group).stuck_ms);
    hand_welcome(&mut world, &letter);
    let refused = world.lines(BOB, ItemKind::Hidden);
    let cause = refused.last().expect("a line");
    assert!(cause.contains("not the conversation that this device asked to be let into"), "{cause}");
    world.restart(BOB);
    assert_eq!((world.epoch(BOB, &group), world.chat(BOB, &group).stuck_ms), (epoch, stuck));
    world.flush(ALICE);
    assert_eq!(world.chat(BOB, &group).stuck_ms, 0);
    assert!(world.shows(BOB, "in the conversation again"));
    world.assert_talk(&group, &people);
    world.restart(BOB);
    world.assert_talk(&group, &people);
}

#[test]
fn an_outsider_lets_nobody_in() {
    assert_refused(false, |world, group| {
        let (package, address) = asked_for(world, group);
        let facts = Facts::group("club", world.account(ALICE));
        Forged::new(world, MALLORY, *group, &facts).age(9).invite(MALLORY, &package, &address)
    });
}

#[test]
fn a_member_brings_back_nothing_older() {
    assert_refused(false, |world, group| {
        let (package, address) = asked_for(world, group);
        let facts = Facts::group("club", world.account(ALICE));
        Forged::new(world, CAROL, *group, &facts).invite(CAROL, &package, &address)
    });
}

#[test]
fn a_member_makes_no_stranger_admin() {
    assert_refused(false, |world, group| {
        let (package, address) = asked_for(world, group);
        let facts = Facts::group("club", world.account(MALLORY));
        Forged::new(world, CAROL, *group, &facts).age(9).invite(CAROL, &package, &address)
    });
}

#[test]
fn a_welcome_to_another_address_than_the_one_asked_for_is_refused() {
    assert_refused(false, |world, group| {
        let (package, address) = world.key_package(BOB);
        let facts = Facts::group("club", world.account(ALICE));
        Forged::new(world, CAROL, *group, &facts).age(9).invite(CAROL, &packed(&package), &address)
    });
}

#[test]
fn a_direct_chat_does_not_come_back_with_a_third_person() {
    assert_refused(true, |world, group| {
        let (package, address) = asked_for(world, group);
        let facts = Facts::direct(world.account(MALLORY), world.account(BOB));
        Forged::new(world, MALLORY, *group, &facts).age(9).invite(MALLORY, &package, &address)
    });
}

#[test]
fn a_direct_chat_does_not_come_back_as_a_group() {
    assert_refused(true, |world, group| {
        let (package, address) = asked_for(world, group);
        let facts = Facts::group("", world.account(ALICE));
        Forged::new(world, ALICE, *group, &facts).age(9).invite(ALICE, &package, &address)
    });
}

fn asked(world: &World) -> usize {
    let notices = world.lines(ALICE, ItemKind::Notice);
    notices.iter().filter(|line| line.contains("bob's device asks to be let in again")).count()
}

#[test]
fn an_old_request_sent_again_is_ignored() {
    let mut world = World::new();
    let group = world.group("club", &[BOB, CAROL]);
    let first = strand(&mut world, &group);
    let address = world.chat(ALICE, &group).address.to_field();
    let sealed = first.copies.iter().find(|copy| copy.address == address).expect("a copy").sealed.clone();
    for round in 1..=2 {
        match round {
            1 => hand_request(&mut world, ALICE, &group, &first),
            _ => {
                let again = strand(&mut world, &group);
                hand_request(&mut world, ALICE, &group, &again);
            }
        }
        assert_eq!(asked(&world), round);
        world.flush(ALICE);
        world.assert_talk(&group, &[ALICE, BOB, CAROL]);
    }
    hand_sealed(&mut world, ALICE, &group, &sealed);
    assert_eq!(asked(&world), 2);
    assert!(world.letters(ALICE).is_empty());
    world.assert_talk(&group, &[ALICE, BOB, CAROL]);
}

#[test]
fn a_forged_request_neither_moves_a_device_nor_shuts_its_own_out() {
    let mut world = World::new();
    let group = world.group("club", &[BOB, CAROL]);
    let request = strand(&mut world, &group);
    let (account, device) = (world.at(BOB).me.account, world.at(BOB).me.device);
    let (package, _) = world.key_package(MALLORY);
    let asked_ms = world.at(ALICE).now_ms() + 86_400_000;
    // Signed by Mallory in Bob's name.
    let signed = rejoin_message(&group.0, &account, &device, &packed(&package), asked_ms);
    let signature = ed25519_dalek::Signer::sign(&world.at(MALLORY).me.signing, &signed);
    let plain = v1::Rejoin {
        group_id: group.to_field(),
        account: account.to_field(),
        device: device.to_field(),
        key_package: packed(&package).into(),
        asked_ms,
        signature: signature.to_vec().into(),
    }
    .encode_to_vec();
    let alice = world.at(ALICE).me.device;
    let contact = world.at(MALLORY).db.contact(&world.account(ALICE)).expect("the database").expect("alice");
    let queue_key = &contact.chain.device(&alice).expect("her device").queue_key;
    let (key, sealed) = seal_to(queue_key, b"zegel rejoin", &plain, &group.0).expect("sealed");
    let sealed = [(key.len() as u16).to_be_bytes().as_slice(), &key, &sealed].concat();
    hand_sealed(&mut world, ALICE, &group, &sealed.into());
    assert_eq!(asked(&world), 0);
    hand_request(&mut world, ALICE, &group, &request);
    assert_eq!(asked(&world), 1);
    let (package, _) = asked_for(&world, &group);
    assert!(read_key_package(&world.at(ALICE).crypto, &package).is_some());
    world.flush(ALICE);
    world.assert_talk(&group, &[ALICE, BOB, CAROL]);
}

#[test]
fn what_waits_behind_a_request_keeps_its_order() {
    let mut world = World::new();
    let group = world.group("club", &[BOB, CAROL]);
    let request = strand(&mut world, &group);
    let address = world.chat(ALICE, &group).address.to_field();
    let sealed = request.copies.into_iter().find(|copy| copy.address == address).expect("a copy").sealed;
    let request = v1::RejoinRequest { group_id: group.to_field(), sealed };
    let theirs = world.write(CAROL, &group, "of carol");
    let ours = world.write(ALICE, &group, "of alice");
    let (first, second) = (world.stamps(&theirs), world.stamps(&ours));
    let submission_id = ours.submit.submission_id.clone();
    // In one batch, so that the request still waits for Bob's chain when the rest comes.
    world.hand_all(
        ALICE,
        [
            v1::entry::Body::Rejoin(request),
            message(&group, &theirs.submit.message, &first[0]),
            v1::entry::Body::Confirmation(v1::Confirmation { submission_id, stamps: second }),
        ],
    );
    assert_eq!(world.lines(ALICE, ItemKind::Text).split_off(1), ["of carol", "of alice"]);
    assert_eq!(world.lines(ALICE, ItemKind::Gap), [""; 0]);
}

#[test]
fn a_request_is_not_answered_from_an_old_list() {
    let mut world = World::new();
    let group = world.group("club", &[BOB, CAROL]);
    let request = strand(&mut world, &group);
    let chat = world.chat(ALICE, &group);
    let copy = request.copies.iter().find(|copy| copy.address == chat.address.to_field()).expect("a copy");
    let rejoin = v1::RejoinRequest { group_id: group.to_field(), sealed: copy.sealed.clone() };
    let body = Some(v1::entry::Body::Rejoin(rejoin));
    let seq = world.devices[ALICE].next;
    world.devices[ALICE].next += 1;
    let entry = Ok(v1::Entry { body, padding: Default::default() });
    let bob = world.account(BOB);
    let core = world.core(ALICE);
    core.take(&[Opened { seq, entry }]).expect("taken");
    // The service was asked for Bob's devices, and did not show them.
    core.tried = [(bob, false)].into();
    assert_eq!(core.take_held(&group, None).expect("taken"), None);
    let rows = core.db.outbox_of(chat.id).expect("an outbox");
    assert!(!rows.iter().any(|row| matches!(row.intent, Intent::Readd { .. })), "{}", rows.len());
}
