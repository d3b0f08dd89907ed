//! People talk: the everyday scenarios, between real clients over a real server process.

mod help;

use help::{Person, Server, two_friends};

#[tokio::test(flavor = "multi_thread")]
async fn an_introduction_is_accepted_and_they_talk() {
    let server = Server::start();
    let (alice, bob) = two_friends(&server).await;
    for n in 0..20 {
        alice.sends(&format!("a{n}"), "bob").await;
        bob.sends(&format!("b{n}"), "alice").await;
    }
    alice.reads("b19", "bob").await;
    bob.reads("a19", "alice").await;
    assert_eq!(alice.messages("bob"), bob.messages("alice"));
    assert_eq!(alice.messages("bob").len(), 42);
    assert!(alice.alarms().is_empty() && bob.alarms().is_empty(), "{:?} {:?}", alice.alarms(), bob.alarms());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_talks_and_changes() {
    let server = Server::start();
    let (alice, bob) = two_friends(&server).await;
    let carol = Person::registers("carol", &server).await;
    let dave = Person::registers("dave", &server).await;
    let handles = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();

    alice.client().group_create("club", &handles(&["bob", "carol"])).await.expect("creates");
    carol.accepts("club").await;
    alice.sends("welcome", "club").await;
    bob.reads("welcome", "club").await;
    carol.reads("welcome", "club").await;

    alice.client().group_add("club", &handles(&["dave"])).await.expect("adds");
    dave.accepts("club").await;
    carol.sends("hi dave", "club").await;
    dave.reads("hi dave", "club").await;

    let refused = bob.client().group_remove("club", &handles(&["dave"])).await.expect_err("bob is no admin");
    assert!(refused.to_string().contains("admin"), "{refused}");
    alice.client().group_rename("club", "the club").await.expect("renames");
    dave.waits_until("the new name", || dave.client().groups().expect("reads")[0].name == "the club").await;

    carol.waits_until("the new name", || carol.client().groups().expect("reads")[0].name == "the club").await;
    carol.client().group_leave("the club").await.expect("leaves");
    let three = || bob.client().groups().expect("reads")[0].members == ["alice", "bob", "dave"];
    bob.waits_until("carol is tidied away", three).await;
    alice.client().group_remove("the club", &handles(&["dave"])).await.expect("removes");
    alice.sends("just us", "the club").await;
    bob.reads("just us", "the club").await;
    dave.waits_until("dave is told", || dave.lines().iter().any(|l| l.text == "alice removed you.")).await;
    for person in [&alice, &bob, &carol, &dave] {
        assert!(person.alarms().is_empty(), "{}: {:?}", person.handle, person.alarms());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_contact_code_connects_at_once() {
    let server = Server::start();
    let alice = Person::registers("alice", &server).await;
    let kid = Person::registers_as("kid", zegel_client::AgeBand::Child, &server).await;
    let code = kid.client().code().await.expect("a code");
    assert_eq!(alice.client().connect(&code).await.expect("connects"), "kid");
    alice.sends("found you", "kid").await;
    kid.reads("found you", "alice").await;
    kid.sends("yes", "alice").await;
    alice.reads("yes", "kid").await;
    assert!(kid.client().requests().expect("reads").is_empty());

    // The code is used up: a second person gets no answer, and is told nothing.
    let eve = Person::registers("eve", &server).await;
    eve.client().connect(&code).await.expect("the answer is the same");
    alice.sends("after eve", "kid").await;
    kid.reads("after eve", "alice").await;
    assert!(kid.client().requests().expect("reads").is_empty());
    assert!(kid.lines().iter().all(|l| l.conversation != "eve"));
}

#[tokio::test(flavor = "multi_thread")]
async fn both_introduce_themselves_at_once() {
    let server = Server::start();
    let alice = Person::registers("alice", &server).await;
    let bob = Person::registers("bob", &server).await;
    let (a, b) = tokio::join!(alice.client().send("bob", "me first"), bob.client().send("alice", "no, me"));
    a.expect("sends");
    b.expect("sends");
    alice.reads("no, me", "bob").await;
    bob.reads("me first", "alice").await;
    alice.sends("ok", "bob").await;
    bob.reads("ok", "alice").await;
    bob.sends("fine", "alice").await;
    alice.reads("fine", "bob").await;
}
