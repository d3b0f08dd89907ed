//! A group large enough for what small ones never need: a tree beside the Welcome, payloads stored once for many.
//! `zegel-bench group` does the same at 1000.

mod help;

use futures_util::{StreamExt, stream};
use help::{PATIENCE, Person, Server};
use zegel_safety::Policy;

const MEMBERS: usize = 40;

#[tokio::test(flavor = "multi_thread")]
async fn forty_people_in_a_group() {
    // A new account may come to fewer strangers a day.
    let mut rules = Policy::shipped();
    rules.strangers.numbers.new_a_day = rules.strangers.numbers.a_day;
    let mut server = Server::start_by(&rules, "");
    let alice = Person::registers("alice", &server).await;
    let register = |n: usize| {
        let server = &server;
        async move { Person::registers(&format!("member{n}"), server).await }
    };
    let mut members: Vec<Person> = stream::iter(0..MEMBERS).map(register).buffered(8).collect().await;
    let handles: Vec<String> = members.iter().map(|m| m.handle.clone()).collect();
    alice.client().group_create("all", &handles).await.expect("creates");
    for member in &members {
        member.accepts("all").await;
    }

    // One is away: what it fetches later is no longer at the hub's hand.
    members[0].closes().await;
    alice.sends("everybody", "all").await;
    for member in &members[1..] {
        member.reads("everybody", "all").await;
    }
    members[7].sends("me too", "all").await;
    alice.reads("me too", "all").await;
    server.kill();
    server.run();
    members[0].opens().await;
    members[0].reads("me too", "all").await;

    // And one more joins a large group.
    let late = Person::registers("late", &server).await;
    alice.client().caught_up(PATIENCE).await.expect("connects again");
    alice.client().group_add("all", &["late".into()]).await.expect("adds");
    late.accepts("all").await;
    late.sends("hello all", "all").await;
    members[0].reads("hello all", "all").await;
    for person in members.iter().chain([&alice, &late]) {
        assert!(person.alarms().is_empty(), "{}: {:?}", person.handle, person.alarms());
    }
}
