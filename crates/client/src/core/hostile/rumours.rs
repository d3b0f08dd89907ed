//! What people say of the directory and the service says to that: other keys, floods, and answers that are none.

use std::sync::atomic::{AtomicBool, Ordering};

use zegel_content::SeenRoot;
use zegel_proto::{
    AccountId, Code,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{
    gossip::{hears, repeats, says, split, takes, waiting},
    office::{Odd, Office, Person, refusal},
    registry::Registry,
    world::wait,
};
use crate::{
    Result,
    flow::{Link, check_due, check_own},
};

/// Alice and Bob at a service that has two directories with one first key.
async fn two_keys(alices: Option<[u8; 32]>, bobs: [u8; 32]) -> (Office, Person, Office, Person) {
    let (office, alice, other, bob) = split(3, 3).await;
    if let Some(key) = alices {
        office.registry.lock().await.rotate_to(key);
        office.registry.lock().await.pass("alices").await;
    }
    other.registry.lock().await.rotate_to(bobs);
    for name in ["bobs", "more of bobs"] {
        other.registry.lock().await.pass(name).await;
    }
    bob.checks(&other).await.expect("honest so far");
    (office, alice, other, bob)
}

#[tokio::test]
async fn two_keys_named_by_one_are_found_out() {
    let (office, alice, other, bob) = two_keys(Some([9; 32]), [10; 32]).await;
    alice.checks(&office).await.expect("honest so far");
    office.answers(Some(|_| Some(refusal("asking", Code::Internal))));
    other.answers(Some(|_| Some(refusal("asking", Code::Internal))));
    let said = (says(&alice), says(&bob));
    hears(&alice, said.1, &bob, &office).await;
    hears(&bob, said.0, &alice, &other).await;
    assert_eq!((alice.alarms(), bob.alarms()), (vec!["keys".to_owned()], vec!["keys".to_owned()]));
    let alarm = alice.shared.core().db.alarms(false).expect("alarms").remove(0);
    let evidence: serde_json::Value = serde_json::from_slice(&alarm.evidence).expect("JSON");
    let (ours, theirs) = (&evidence["signers"], &evidence["shown_signers"]);
    assert_eq!(ours[0], theirs[0]);
    for signers in [ours, theirs] {
        assert_eq!(signers[1]["endorsement"].as_str().map(str::len), Some(128));
    }
    assert_ne!(ours[1]["key"], theirs[1]["key"]);
}

#[tokio::test]
async fn a_key_that_the_service_does_not_have_is_found_out() {
    for alices in [Some([9; 32]), None] {
        let (office, alice, _, bob) = two_keys(alices, [10; 32]).await;
        hears(&alice, says(&bob), &bob, &office).await;
        assert_eq!(alice.alarms(), ["keys"]);
        assert!(!alice.shared.core().is_directory_trusted().expect("the database"));
    }
}

#[tokio::test]
async fn another_directory_from_the_start_is_said_of_who_sees_it() {
    let (office, alice, _, bob) = split(4, 4).await;
    alice.knows("bob", &office).await.expect("honest");
    let other = Registry::with_keys([7; 32], [99; 32]).await;
    let mut other = office.with(other);
    for epoch in 1..9 {
        other.registry.get_mut().pass(&format!("bobs{epoch}")).await;
        let registry = other.registry.get_mut();
        hears(&alice, repeats(registry.newest(), registry.key.links()), &bob, &office).await;
    }
    assert_eq!(alice.alarms(), ["elsewhere"]);
    let alarm = alice.shared.core().db.alarms(false).expect("alarms").remove(0);
    assert!(alarm.about == "bob" && alarm.text.contains("sees another directory"), "{}", alarm.text);
    assert!(alice.shared.core().is_directory_trusted().expect("the database"));
    assert!(waiting(&alice).is_empty());
    alice.shared.core().db.alarms_seen(i64::MAX).expect("seen");
    let registry = other.registry.get_mut();
    hears(&alice, repeats(registry.newest(), registry.key.links()), &bob, &office).await;
    alice.checks(&office).await.expect("it is asked on");
    assert_eq!(alice.alarms(), [""; 0]);
}

/// Alice at epoch 60 or so, Bob in another world, and all the roots that Alice's service ever signed.
async fn long() -> (Office, Person, Person, Vec<SeenRoot>) {
    let (office, alice, _, bob) = split(3, 50).await;
    alice.knows("bob", &office).await.expect("honest");
    let mut roots = Vec::new();
    for epoch in 4..60 {
        let mut registry = office.registry.lock().await;
        registry.pass(&format!("alices{epoch}")).await;
        roots.push(repeats(registry.newest(), registry.key.links()));
    }
    alice.checks(&office).await.expect("honest");
    (office, alice, bob, roots)
}

#[tokio::test]
async fn a_flood_by_a_member_stops_nothing() {
    let (office, alice, bob, roots) = long().await;
    let mallory = Person::registers("mallory", &office).await;
    office.publish().await;
    alice.knows("mallory", &office).await.expect("honest");
    office.asked.lock().expect("no panic").clear();
    for root in roots.iter().chain(roots.iter().rev()) {
        hears(&alice, root.clone(), &mallory, &office).await;
        takes(&alice, &SeenRoot { signature: [1; 64], ..root.clone() }, mallory.account);
        assert!(waiting(&alice).len() <= 1);
    }
    assert!(office.asked.lock().expect("no panic").len() <= 1, "one question at an epoch");
    assert_eq!(alice.alarms(), [""; 0]);
    hears(&alice, says(&bob), &bob, &office).await;
    assert_eq!(alice.alarms(), ["fork"]);
}

#[tokio::test]
async fn many_accounts_fill_a_bounded_room() {
    let (office, alice, bob, roots) = long().await;
    for number in 0..200_u8 {
        let root = &roots[usize::from(number) % 40];
        takes(&alice, root, AccountId([number; 16]));
    }
    assert_eq!(waiting(&alice).len(), 64);
    takes(&alice, &says(&bob), bob.account);
    assert_eq!(waiting(&alice).len(), 64);
    for _ in 0..20 {
        check_due(&alice.shared, &office).await.expect("nothing that stops the mail");
    }
    assert_eq!(alice.alarms(), ["fork"]);
}

#[tokio::test]
async fn a_junk_signature_does_not_hide_the_true_one() {
    let (office, alice, _, bob) = split(6, 4).await;
    let genuine = says(&bob);
    takes(&alice, &SeenRoot { signature: [1; 64], ..genuine.clone() }, bob.account);
    assert!(waiting(&alice).is_empty());
    hears(&alice, genuine, &bob, &office).await;
    assert_eq!(alice.alarms(), ["fork"]);
}

#[tokio::test]
async fn an_answer_that_is_none_settles_nothing() {
    let odd: [Odd; 6] = [
        |_| Some(Ok(Answer::Done(v1::Done::default()))),
        |_| Some(Ok(Answer::Account(v1::AccountAnswer::default()))),
        |_| Some(refusal("asking", Code::RateLimited)),
        |_| Some(refusal("asking", Code::BadRequest)),
        |_| Some(refusal("asking", Code::Internal)),
        |_| Some(refusal("asking", Code::NotFound)),
    ];
    for (number, odd) in odd.into_iter().enumerate() {
        let (office, alice, _, bob) = split(6, 4).await;
        office.answers(Some(odd));
        takes(&alice, &says(&bob), bob.account);
        for _ in 0..2 {
            check_due(&alice.shared, &office).await.expect("nothing that stops the mail");
            wait(1_000);
            assert_eq!((waiting(&alice).len(), alice.alarms()), (1, vec![]), "{number}");
        }
        office.answers(None);
        check_due(&alice.shared, &office).await.expect("nothing that stops the mail");
        assert_eq!(alice.alarms(), ["fork"], "{number}");
    }
}

#[tokio::test]
async fn a_passing_denial_is_no_alarm() {
    let (office, alice, _, _) = split(4, 4).await;
    let bob = Person::registers("bob2", &office).await;
    office.publish().await;
    bob.checks(&office).await.expect("honest");
    office.answers(Some(|_| Some(refusal("asking", Code::NotFound))));
    takes(&alice, &says(&bob), bob.account);
    // Many at once are one.
    for _ in 0..9 {
        check_due(&alice.shared, &office).await.expect("nothing that stops the mail");
    }
    wait(1_000);
    check_due(&alice.shared, &office).await.expect("nothing that stops the mail");
    assert_eq!((waiting(&alice)[0].denied, alice.alarms()), (2, vec![]));
    // Being told to wait is not counted at all.
    office.answers(Some(|_| Some(refusal("asking", Code::RateLimited))));
    for _ in 0..1_000 {
        wait(1_000);
        check_due(&alice.shared, &office).await.expect("nothing that stops the mail");
    }
    assert_eq!((waiting(&alice).len(), alice.alarms()), (1, vec![]));
    office.answers(None);
    wait(1_000);
    check_due(&alice.shared, &office).await.expect("honest");
    assert_eq!((alice.epoch(), waiting(&alice), alice.alarms()), (5, vec![], vec![]));
}

#[tokio::test]
async fn what_we_saw_ourselves_needs_no_question() {
    let (office, alice, _, bob) = split(3, 30).await;
    let mut before = says(&alice);
    for epoch in 4..30 {
        office.registry.lock().await.pass(&format!("alices{epoch}")).await;
        alice.checks(&office).await.expect("honest");
        office.asked.lock().expect("no panic").clear();
        takes(&alice, &before, bob.account);
        assert!(waiting(&alice).is_empty());
        before = says(&alice);
    }
    let fork = says(&bob);
    takes(&alice, &before, bob.account);
    office.registry.lock().await.pass("alices30").await;
    alice.checks(&office).await.expect("honest");
    office.registry.lock().await.pass("alices31").await;
    alice.checks(&office).await.expect("honest");
    office.answers(Some(|_| Some(refusal("asking", Code::Internal))));
    takes(&alice, &fork, bob.account);
    assert_eq!(alice.alarms(), ["fork"]);
    let alarm = alice.shared.core().db.alarms(false).expect("alarms").remove(0);
    let evidence: serde_json::Value = serde_json::from_slice(&alarm.evidence).expect("JSON");
    assert_eq!((&evidence["held"]["epoch"], &evidence["shown"]["epoch"]), (&30.into(), &30.into()));
}

/// While one flow asks the service, another of the same device is shown something else.
struct Meanwhile<'a> {
    answers: &'a Office,
    shows: &'a Office,
    person: &'a Person,
    happened: AtomicBool,
}

impl Link for Meanwhile<'_> {
    async fn call(&self, doing: &'static str, body: Call) -> Result<Answer> {
        let asked = matches!(body, Call::FetchRoot(_));
        let answer = self.answers.call(doing, body).await;
        if asked && !self.happened.swap(true, Ordering::Relaxed) {
            check_own(&self.person.shared, self.shows).await?;
        }
        answer
    }
}

#[tokio::test]
async fn an_answer_that_came_too_late_is_not_agreement() {
    let office = Office::new().await;
    let alice = Person::registers("alice", &office).await;
    let bob = Person::registers("bob", &office).await;
    office.publish().await;
    alice.checks(&office).await.expect("honest so far");
    let other = office.with(office.registry.lock().await.as_of(1).await);
    for epoch in 2..7 {
        other.registry.lock().await.pass(&format!("bobs{epoch}")).await;
    }
    for epoch in 2..5 {
        office.registry.lock().await.pass(&format!("alices{epoch}")).await;
    }
    bob.checks(&other).await.expect("honest so far");
    takes(&alice, &says(&bob), bob.account);
    let happened = AtomicBool::new(false);
    let link = Meanwhile { answers: &other, shows: &office, person: &alice, happened };
    check_due(&alice.shared, &link).await.expect("nothing that stops the mail");
    assert_eq!(alice.alarms(), ["fork"]);
}
