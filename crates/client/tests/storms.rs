//! What must not break it: kills, cuts and clashes, between real clients over a real server process.

mod help;

use std::time::Duration;

use help::{PATIENCE, Person, Server, two_friends};

/// Each text of `sent` is shown exactly once, in order.
fn shown_once_in_order(person: &Person, with: &str, from: &str, sent: &[String]) {
    let seen: Vec<String> =
        person.messages(with).into_iter().filter(|(who, _)| who == from).map(|(_, text)| text).collect();
    let seen: Vec<&String> = seen.iter().filter(|text| sent.contains(text)).collect();
    assert_eq!(seen, sent.iter().collect::<Vec<_>>(), "{} sees", person.handle);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_is_killed_again_and_again() {
    let mut server = Server::start();
    let (alice, bob) = two_friends(&server).await;
    let (mut from_alice, mut from_bob) = (Vec::new(), Vec::new());
    for round in 0..5 {
        for n in 0..10 {
            let (a, b) = (format!("a{round}.{n}"), format!("b{round}.{n}"));
            alice.client().send_later("bob", &a).await.expect("queued");
            bob.client().send_later("alice", &b).await.expect("queued");
            from_alice.push(a);
            from_bob.push(b);
        }
        tokio::time::sleep(Duration::from_millis(7 * round)).await;
        server.kill();
        server.run();
    }
    alice.reads("b4.9", "bob").await;
    bob.reads("a4.9", "alice").await;
    shown_once_in_order(&bob, "alice", "alice", &from_alice);
    shown_once_in_order(&alice, "bob", "bob", &from_bob);
    assert!(alice.alarms().is_empty() && bob.alarms().is_empty(), "{:?} {:?}", alice.alarms(), bob.alarms());
}

#[tokio::test(flavor = "multi_thread")]
async fn mail_waits_for_who_is_away() {
    let mut server = Server::start();
    let (alice, mut bob) = two_friends(&server).await;
    bob.closes().await;
    let sent: Vec<String> = (0..150).map(|n| format!("while away {n}")).collect();
    for text in &sent {
        alice.client().send_later("bob", text).await.expect("queued");
    }
    alice.client().sync(PATIENCE).await.expect("sent");
    server.kill();
    server.run();
    bob.opens().await;
    bob.reads("while away 149", "alice").await;
    shown_once_in_order(&bob, "alice", "alice", &sent);
    assert!(bob.alarms().is_empty(), "{:?}", bob.alarms());
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_commits_at_once() {
    let server = Server::start();
    let (alice, bob) = two_friends(&server).await;
    let mut others = Vec::new();
    for n in 0..4 {
        others.push(Person::registers(&format!("other{n}"), &server).await);
    }
    alice.client().group_create("club", &["bob".into()]).await.expect("creates");
    let club = || bob.client().groups().expect("reads").iter().any(|g| g.state == "open");
    bob.waits_until("the club", club).await;

    // Commits and messages race; each is made anew when another came first.
    let add = async {
        for other in &others {
            alice.client().group_add("club", std::slice::from_ref(&other.handle)).await.expect("adds");
        }
    };
    let talk = async {
        for n in 0..20 {
            bob.client().send("club", &format!("hi {n}")).await.expect("sends");
        }
    };
    tokio::join!(add, talk);
    alice.sends("done", "club").await;
    bob.reads("done", "club").await;
    alice.reads("hi 19", "club").await;
    let sent: Vec<String> = (0..20).map(|n| format!("hi {n}")).collect();
    shown_once_in_order(&alice, "club", "bob", &sent);
    for other in &others {
        other.accepts("club").await;
        other.reads("done", "club").await;
    }
    for person in others.iter().chain([&alice, &bob]) {
        assert!(person.alarms().is_empty(), "{}: {:?}", person.handle, person.alarms());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_fell_out_is_let_in_again() {
    let mut server = Server::start();
    let (alice, mut bob) = two_friends(&server).await;
    let carol = Person::registers("carol", &server).await;
    alice.client().group_create("club", &["bob".into(), "carol".into()]).await.expect("creates");
    carol.accepts("club").await;
    let open = || bob.client().groups().expect("reads").iter().any(|g| g.state == "open");
    bob.waits_until("the club", open).await;

    // A change of the group that never reaches bob: the service lost his mail.
    bob.closes().await;
    alice.client().group_rename("club", "the club").await.expect("renames");
    alice.client().sync(PATIENCE).await.expect("sent");
    server.kill();
    let database = rusqlite::Connection::open(server.data().join("zegel.db")).expect("opens");
    let lost = database.execute("DELETE FROM entry", []).expect("deletes");
    assert!(lost > 0, "there was mail to lose");
    drop(database);
    server.run();

    bob.opens().await;
    alice.sends("can you hear me", "the club").await;
    let told = || bob.alarms().iter().any(|line| line.text.contains("asks to be let in again"));
    bob.waits_until("an alarm", told).await;
    let start = std::time::Instant::now();
    let again = || bob.lines().iter().any(|line| line.text.contains("in the conversation again"));
    while !again() {
        assert!(start.elapsed() < Duration::from_secs(90), "bob is let in again; sees {:#?}", bob.alarms());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    alice.sends("and now", "the club").await;
    bob.reads("and now", "the club").await;
    carol.reads("and now", "the club").await;
    bob.sends("yes", "the club").await;
    alice.reads("yes", "the club").await;
}
