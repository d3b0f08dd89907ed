//! People who see different directories, and what they tell each other without knowing it.

use zegel_content::{Content, SeenRoot, SeenSigner};
use zegel_directory::{SignedRoot, SignerLink};
use zegel_proto::{AccountId, v1::client_frame::Body as Call};

use super::{
    office::{Office, Person},
    world::{ALICE, BOB, World, clock, wait},
};
use crate::{
    db::{Heard, ItemKind},
    flow::check_due,
};

/// What a person would put into their next message.
pub(super) fn says(person: &Person) -> SeenRoot {
    let mut core = person.shared.core();
    let view = core.view().expect("the database").expect("a view");
    repeats(view.latest(), &view.signers().links())
}

/// A root as a message carries it.
pub(super) fn repeats(root: &SignedRoot, signers: &[SignerLink]) -> SeenRoot {
    let seen = root.seen();
    let signature = seen.signature.try_into().expect("a signature");
    let signer = |link: &SignerLink| SeenSigner {
        key: link.key,
        endorsement: link.endorsement.as_slice().try_into().ok(),
    };
    let signers = signers.iter().map(signer).collect();
    SeenRoot { epoch: seen.epoch, hash: seen.hash, signer: seen.signer, signature, signers }
}

/// Tells one what another saw, and lets them look into it.
pub(super) async fn hears(who: &Person, seen: SeenRoot, from: &Person, office: &Office) {
    takes(who, &seen, from.account);
    check_due(&who.shared, office).await.expect("nothing that stops the mail");
}

/// Only tells.
pub(super) fn takes(who: &Person, seen: &SeenRoot, from: AccountId) {
    who.shared.core().step(|core| core.hear(seen, &from)).expect("heard");
}

/// What they have still to check.
pub(super) fn waiting(person: &Person) -> Vec<Heard> {
    person.shared.core().db.heard(0, clock() + 10_000, 999).expect("the database")
}

/// Alice and Bob at a service that shows Bob another directory from epoch 3 on.
pub(super) async fn split(for_alice: u64, for_bob: u64) -> (Office, Person, Office, Person) {
    let office = Office::new().await;
    let alice = Person::registers("alice", &office).await;
    let bob = Person::registers("bob", &office).await;
    office.publish().await;
    office.registry.lock().await.pass("both").await;
    let other = office.with(office.registry.lock().await.as_of(2).await);
    for epoch in 3..=for_alice {
        office.registry.lock().await.pass(&format!("alices{epoch}")).await;
    }
    for epoch in 3..=for_bob {
        other.registry.lock().await.pass(&format!("bobs{epoch}")).await;
    }
    alice.checks(&office).await.expect("honest so far");
    bob.checks(&other).await.expect("honest so far");
    assert_eq!((alice.epoch(), bob.epoch()), (for_alice, for_bob));
    (office, alice, other, bob)
}

#[tokio::test]
async fn two_directories_are_found_out() {
    for (for_alice, for_bob) in [(4, 4), (6, 3), (9, 4)] {
        let (office, alice, other, bob) = split(for_alice, for_bob).await;
        hears(&alice, says(&bob), &bob, &office).await;
        assert_eq!(alice.alarms(), ["fork"], "{for_alice} {for_bob}");
        let alarm = alice.shared.core().db.alarms(false).expect("alarms").remove(0);
        let evidence: serde_json::Value = serde_json::from_slice(&alarm.evidence).expect("JSON");
        assert_eq!(evidence["shown"]["hash"], hex::encode(says(&bob).hash));
        assert_eq!(evidence["ours"]["hash"], hex::encode(says(&alice).hash));
        // A newer root that does not follow is a fork too; one that the service denies to have is hidden.
        for _ in 0..3 {
            hears(&bob, says(&alice), &alice, &other).await;
            wait(1_000);
        }
        let expected = if for_alice > for_bob { "hidden" } else { "fork" };
        assert_eq!(bob.alarms(), [expected], "{for_alice} {for_bob}");
    }
    let (office, alice, other, bob) = split(4, 4).await;
    office.registry.lock().await.pass("alices5").await;
    alice.checks(&office).await.expect("honest so far");
    other.registry.lock().await.pass("bobs5").await;
    hears(&bob, says(&alice), &alice, &other).await;
    assert_eq!(bob.alarms(), ["fork"]);
}

#[tokio::test]
async fn a_service_that_is_always_too_busy_to_compare_hides_something() {
    for (pause, tries) in [(21_000, 30), (1_000, 601)] {
        let (office, alice, _, bob) = split(6, 4).await;
        *office.busy.lock().expect("no panic") = Some(|call| matches!(call, Call::FetchRoot(_)));
        takes(&alice, &says(&bob), bob.account);
        for tried in 0..tries {
            assert_eq!(alice.alarms(), [""; 0], "{tried}");
            check_due(&alice.shared, &office).await.expect("later");
            wait(pause);
        }
        assert_eq!(alice.alarms(), ["hidden"]);
    }
}

#[tokio::test]
async fn one_directory_gives_no_alarm() {
    let office = Office::new().await;
    let alice = Person::registers("alice", &office).await;
    let bob = Person::registers("bob", &office).await;
    office.publish().await;
    bob.checks(&office).await.expect("honest");
    let old = says(&bob);
    for epoch in 2..9 {
        office.registry.lock().await.pass(&format!("stranger{epoch}")).await;
    }
    alice.checks(&office).await.expect("honest");
    hears(&bob, says(&alice), &alice, &office).await;
    assert_eq!(bob.epoch(), 8);
    hears(&alice, old, &bob, &office).await;
    office.registry.lock().await.rotate();
    office.registry.lock().await.pass("with the new key").await;
    alice.checks(&office).await.expect("honest");
    hears(&bob, says(&alice), &alice, &office).await;
    assert_eq!(bob.epoch(), 9);
    assert_eq!((alice.alarms(), bob.alarms()), (vec![], vec![]));
    assert_eq!((waiting(&alice), waiting(&bob)), (vec![], vec![]));
}

#[tokio::test]
async fn what_the_directory_did_not_sign_is_ignored() {
    let (office, alice, _, bob) = split(6, 4).await;
    let honest = says(&alice);
    let unnamed = SeenSigner { key: [1; 32], endorsement: Some([2; 64]) };
    let lies = [
        SeenRoot { hash: [1; 32], ..says(&bob) },
        SeenRoot { epoch: 5, ..honest.clone() },
        SeenRoot { epoch: u64::MAX, ..honest.clone() },
        SeenRoot { signer: 7, ..says(&bob) },
        SeenRoot { signature: [0; 64], ..says(&bob) },
        SeenRoot { signers: vec![], ..says(&bob) },
        SeenRoot { signers: vec![SeenSigner { key: [1; 32], endorsement: None }], ..says(&bob) },
        SeenRoot { signers: [honest.signers.clone(), vec![unnamed]].concat(), ..says(&bob) },
    ];
    for lie in lies {
        hears(&alice, lie, &bob, &office).await;
    }
    assert_eq!((alice.alarms(), waiting(&alice)), (vec![], vec![]));
    // None of them stands in the way of what is true.
    hears(&alice, says(&bob), &bob, &office).await;
    assert_eq!(alice.alarms(), ["fork"]);
}

#[test]
fn a_message_carries_the_newest_root_once() {
    let mut world = World::new();
    let group = world.direct(ALICE, BOB);
    world.runtime.block_on(world.registry.pass("stranger"));
    world.meet_directory(ALICE);
    let heard = |world: &World| world.at(BOB).db.heard(0, clock(), 9).expect("the database");
    assert!(heard(&world).is_empty());
    let letter = world.write(ALICE, &group, "with the root");
    world.deliver(&letter);
    let [one] = heard(&world).try_into().expect("one root");
    assert_eq!(one.said.root, world.registry.newest().seen());
    assert_eq!(one.account, world.account(ALICE).0);
    world.core(BOB).db.gossip_checked(&one, 0).expect("the database");
    world.assert_talk(&group, &[ALICE, BOB]);
    assert!(heard(&world).is_empty());

    // A member's invention changes nothing but is shown like any text.
    let chat = world.chat(ALICE, &group);
    let core = world.core(ALICE);
    let (bytes, _, _) = core.step(|core| core.text_content(&chat, "an invention")).expect("content");
    let mut content = Content::decode(&bytes).expect("readable");
    let signers = vec![SeenSigner { key: [1; 32], endorsement: None }];
    content.seen_root = Some(SeenRoot { epoch: 9, hash: [1; 32], signer: 0, signature: [2; 64], signers });
    let letter = world.frame(ALICE, &group, &content.salt, &content.encode().expect("encoded"));
    world.deliver(&letter);
    assert!(world.lines(BOB, ItemKind::Text).iter().any(|line| line == "an invention"));
    assert!(heard(&world).is_empty());
}

#[test]
fn strangers_and_blocked_people_are_not_heard() {
    let heard = |world: &World| world.at(BOB).db.heard(0, clock(), 9).expect("the database").len();
    let mut world = World::new();
    let asked = world.unaccepted_group("asked", &[BOB]);
    let group = world.group("club", &[BOB]);
    world.runtime.block_on(world.registry.pass("stranger"));
    world.meet_directory(ALICE);
    let letter = world.write(ALICE, &asked, "you do not know me");
    world.deliver(&letter);
    assert_eq!(heard(&world), 0);
    let letter = world.write(ALICE, &group, "you know me");
    world.deliver(&letter);
    assert_eq!(heard(&world), 1);

    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    let alice = world.account(ALICE);
    let contact = world.at(BOB).db.contact(&alice).expect("the database").expect("alice");
    world.core(BOB).block(&contact).expect("blocked");
    world.runtime.block_on(world.registry.pass("stranger"));
    world.meet_directory(ALICE);
    let letter = world.write(ALICE, &group, "you do not want to hear me");
    world.deliver(&letter);
    assert_eq!(heard(&world), 0);
}
