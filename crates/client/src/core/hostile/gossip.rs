//! People who see different directories, and what they tell each other without knowing it.

use zegel_content::{Content, SeenRoot};
use zegel_proto::v1::client_frame::Body as Call;

use super::{
    office::{Office, Person},
    world::{ALICE, BOB, World},
};
use crate::{db::ItemKind, flow::check_due};

/// What a person would put into their next message.
fn says(person: &Person) -> SeenRoot {
    let latest = person.shared.core().latest_root().expect("the database").expect("a view").seen();
    let signature = latest.signature.try_into().expect("a signature");
    SeenRoot { epoch: latest.epoch, hash: latest.hash, signer: latest.signer, signature }
}

/// Tells one what another saw, and lets them look into it.
async fn hears(who: &Person, seen: SeenRoot, from: &Person, office: &Office) {
    who.shared.core().step(|core| core.hear(&seen, &from.account)).expect("heard");
    check_due(&who.shared, office).await.expect("nothing that stops the mail");
}

/// Alice and Bob at a service that shows Bob another directory from epoch 3 on.
async fn split(for_alice: u64, for_bob: u64) -> (Office, Person, Office, Person) {
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
    let (office, alice, _, bob) = split(6, 4).await;
    *office.busy.lock().expect("no panic") = Some(|call| matches!(call, Call::FetchRoot(_)));
    hears(&alice, says(&bob), &bob, &office).await;
    assert_eq!(alice.alarms(), [""; 0]);
    for _ in 0..300 {
        check_due(&alice.shared, &office).await.expect("later");
    }
    assert_eq!(alice.alarms(), ["hidden"]);
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
    assert!(alice.shared.core().db.heard(9).expect("the database").is_empty());
    assert!(bob.shared.core().db.heard(9).expect("the database").is_empty());
}

#[tokio::test]
async fn what_the_directory_did_not_sign_is_ignored() {
    let (office, alice, _, bob) = split(6, 4).await;
    let honest = says(&alice);
    let lies = [
        SeenRoot { hash: [1; 32], ..says(&bob) },
        SeenRoot { epoch: 5, ..honest },
        SeenRoot { epoch: u64::MAX, ..honest },
        SeenRoot { signer: 7, hash: [1; 32], ..honest },
        SeenRoot { signature: [0; 64], epoch: 5, ..honest },
    ];
    for lie in lies {
        hears(&alice, lie, &bob, &office).await;
    }
    assert_eq!(alice.alarms(), [""; 0]);
    assert!(alice.shared.core().db.heard(9).expect("the database").is_empty());
}

#[test]
fn a_message_carries_the_newest_root_once() {
    let mut world = World::new();
    let group = world.direct(ALICE, BOB);
    world.runtime.block_on(world.registry.pass("stranger"));
    world.meet_directory(ALICE);
    let heard = |world: &World| world.at(BOB).db.heard(9).expect("the database");
    assert!(heard(&world).is_empty());
    let letter = world.write(ALICE, &group, "with the root");
    world.deliver(&letter);
    let [one] = heard(&world).try_into().expect("one root");
    assert_eq!(one.seen, world.registry.newest().seen());
    assert_eq!(one.account, world.account(ALICE).0);
    world.core(BOB).db.gossip_checked(one.id).expect("the database");
    world.assert_talk(&group, &[ALICE, BOB]);
    assert!(heard(&world).is_empty());

    // A member's invention changes nothing but is shown like any text.
    let chat = world.chat(ALICE, &group);
    let core = world.core(ALICE);
    let (bytes, _, _) = core.step(|core| core.text_content(&chat, "an invention")).expect("content");
    let mut content = Content::decode(&bytes).expect("readable");
    content.seen_root = Some(SeenRoot { epoch: 9, hash: [1; 32], signer: 0, signature: [2; 64] });
    let letter = world.frame(ALICE, &group, &content.salt, &content.encode().expect("encoded"));
    world.deliver(&letter);
    assert!(world.lines(BOB, ItemKind::Text).iter().any(|line| line == "an invention"));
    assert!(heard(&world).is_empty());
}
