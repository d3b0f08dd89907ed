//! Entries with damaged bytes: no panic, no failed batch, and what comes behind them is shown.

use std::{cell::Cell, collections::HashSet, path::PathBuf};

use proptest::{collection::vec, prelude::*, sample::Index};
use zegel_proto::{Message as _, v1};

use super::{
    post::message,
    world::{ALICE, BOB, CAROL, World, open, wait},
};
use crate::core::{mailbox::Opened, make::Shape};

/// Bob's profile, one valid entry of each kind for him, and an honest one behind them.
struct Prepared {
    world: World,
    profile: PathBuf,
    next: u64,
    entries: Vec<Vec<u8>>,
    honest: v1::entry::Body,
}

fn encoded(body: v1::entry::Body) -> Vec<u8> {
    v1::Entry { body: Some(body), padding: Default::default() }.encode_to_vec()
}

fn prepare() -> Prepared {
    let mut world = World::new();
    let club = world.group("club", &[BOB, CAROL]);
    let chat = world.direct(ALICE, BOB);
    let mut entries = Vec::new();

    // Carol missed a change, and asks Bob.
    let missed = world.commit(ALICE, &club, Shape::default());
    world.deliver_but(&missed, &[CAROL]);
    let late = world.write(ALICE, &club, "too new for carol");
    world.deliver(&late);
    wait(9 * 3_600_000);
    let request = world.core(CAROL).due_rejoins().expect("requests").pop().expect("a request");
    let address = world.chat(BOB, &club).address.to_field();
    let copy = request.copies.into_iter().find(|copy| copy.address == address).expect("a copy");
    let rejoin = v1::RejoinRequest { group_id: club.to_field(), sealed: copy.sealed };
    entries.push(encoded(v1::entry::Body::Rejoin(rejoin)));

    let own = world.write(BOB, &club, "of bob");
    let stamps = world.stamps(&own);
    let submission_id = own.submit.submission_id.clone();
    entries.push(encoded(v1::entry::Body::Confirmation(v1::Confirmation { submission_id, stamps })));

    let text = world.write(ALICE, &club, "of alice");
    let stamps = world.stamps(&text);
    entries.push(encoded(message(&club, &text.submit.message, &stamps[0])));
    world.confirm(&text, &stamps);

    let change = world.commit(ALICE, &club, Shape::default());
    let stamps = world.stamps(&change);
    entries.push(encoded(message(&club, &change.submit.message, &stamps[0])));
    world.confirm(&change, &stamps);

    let (package, address) = world.key_package(BOB);
    let facts = crate::core::facts::Facts::group("new", world.account(CAROL));
    let fresh = zegel_proto::GroupId::random();
    let mut forged = super::forge::Forged::new(&world, CAROL, fresh, &facts);
    let invitation = forged.invite(CAROL, &super::forge::packed(&package), &address);
    let stamps = world.stamps(&invitation);
    let introduction = world.introduction(BOB, &invitation, &stamps[0]).expect("for Bob");
    entries.push(encoded(v1::entry::Body::Introduction(introduction)));

    let honest = world.write(ALICE, &chat, "the honest one");
    let stamps = world.stamps(&honest);
    let honest = message(&chat, &honest.submit.message, &stamps[0]);
    let (profile, next) = world.stop(BOB);
    Prepared { world, profile, next, entries, honest }
}

/// Takes these entries and the honest one on a copy of the profile; returns all lines.
fn take(prepared: &Prepared, entries: &[Vec<u8>], copy: &str) -> String {
    let path = prepared.world.folder.path().join(copy);
    std::fs::copy(&prepared.profile, &path).expect("a copy");
    let mut core = open(&path);
    let honest = v1::Entry { body: Some(prepared.honest.clone()), padding: Default::default() };
    let decoded =
        entries.iter().map(|bytes| v1::Entry::decode(bytes.as_slice()).map_err(|_| "it cannot be read"));
    let batch: Vec<Opened> = (prepared.next..)
        .zip(decoded.chain([Ok(honest)]))
        .map(|(seq, entry)| Opened { seq, entry })
        .collect();
    let last = batch.last().expect("entries").seq;
    assert_eq!(core.take(&batch).expect("a batch never fails").ack, Some(last));
    core.tried = prepared.world.chains.keys().map(|account| (*account, true)).collect();
    for group in core.db.held_groups().expect("the database") {
        while core.db.first_held(&group).expect("the database").is_some() {
            let need = core.take_held(&group, Some(b"no tree")).expect("taken");
            assert_eq!(need, None, "all chains were fetched and a tree is at hand");
        }
    }
    core.ready(&HashSet::new(), 100).expect("the outbox");
    let items = core.db.items(None, 0, false).expect("items");
    items.iter().map(|item| format!("{}\n", item.text)).collect()
}

#[test]
fn damaged_entries_never_panic_and_never_fail_the_batch() {
    let prepared = prepare();
    let shown = take(&prepared, &prepared.entries, "whole");
    for line in ["carol's device asks", "of alice", "added you to the group new", "the honest one"] {
        assert!(shown.contains(line), "{line} in {shown}");
    }
    for alarm in ["could not", "are missing", "out of its place"] {
        assert!(!shown.contains(alarm), "{alarm} in {shown}");
    }

    let number = Cell::new(0);
    let config = ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() };
    let damage = vec((any::<Index>(), any::<Index>(), any::<bool>(), 1..=255_u8), 1..12);
    let cut = proptest::option::of((any::<Index>(), any::<Index>()));
    proptest!(config, |(damage in damage, cut in cut)| {
        let mut entries = prepared.entries.clone();
        for (entry, place, early, bits) in damage {
            let entry = entry.get_mut(&mut entries);
            // Names, stamps and heads come first; further on most is ciphertext.
            let reach = if early { entry.len().min(400) } else { entry.len() };
            entry[place.index(reach)] ^= bits;
        }
        if let Some((entry, place)) = cut {
            let entry = entry.get_mut(&mut entries);
            entry.truncate(place.index(entry.len()));
            entry.push(0);
        }
        number.set(number.get() + 1);
        let shown = take(&prepared, &entries, &format!("copy {}", number.get()));
        prop_assert!(shown.contains("the honest one"), "{}", shown);
    });
}
