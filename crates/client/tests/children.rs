//! Children first: who comes to a minor, and how, between real clients over a real server process.

mod help;

use std::time::{Duration, Instant};

use help::{PATIENCE, Person, Server};
use zegel_client::{AgeBand, Outcome, Policy};

async fn kid_and_friend(server: &Server) -> (Person, Person) {
    let kid = Person::registers_as("kid", AgeBand::Teen, server).await;
    let bob = Person::registers("bob", server).await;
    kid.sends("hello bob", "bob").await;
    bob.accepts("kid").await;
    (kid, bob)
}

/// Vouches as soon as the friend's tokens came.
async fn vouches(who: &Person, friend: &str, newcomer: &str) {
    let start = Instant::now();
    while let Err(error) = who.client().vouch(friend, newcomer).await {
        assert!(start.elapsed() < PATIENCE, "{} vouches: {error}", who.handle);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_reaches_a_minor_only_when_a_friend_vouches() {
    let server = Server::start();
    let (kid, bob) = kid_and_friend(&server).await;
    let mallory = Person::registers("mallory", &server).await;
    mallory.sends("hi kid", "kid").await;
    // Whatever was to come has come when the friend's next message is here.
    bob.sends("are you there?", "kid").await;
    kid.reads("are you there?", "bob").await;
    assert!(kid.client().requests().expect("reads").is_empty());
    let waits = mallory.client().send("kid", "hi again").await.expect_err("it is not answered");
    assert!(waits.to_string().contains("has not answered"), "{waits}");

    bob.sends("hello", "mallory").await;
    mallory.accepts("bob").await;
    let nothing = mallory.client().vouch("kid", "bob").await.expect_err("they do not talk");
    assert!(nothing.to_string().contains("do not talk"), "{nothing}");
    vouches(&bob, "kid", "mallory").await;
    mallory.waits_until("the word", || mallory.lines().iter().any(|l| l.text.contains("bob vouches"))).await;
    mallory.sends("it is me", "kid").await;
    let text = || kid.client().requests().expect("reads").first().map(|request| request.text.clone());
    kid.waits_until("the first text", || text().as_deref() == Some("it is me")).await;
    let request = kid.client().requests().expect("reads").pop().expect("one");
    assert_eq!((request.via.as_str(), request.text.as_str()), ("bob", "it is me"));
    assert!(request.notices[0].starts_with("bob passed a ticket to you on to them."), "{request:?}");
    assert_eq!(request.notices.len(), 2, "and the account is new: {request:?}");
    assert!(request.unconnected.is_empty() && request.waits_for.is_empty());
    assert_eq!(kid.client().accept("mallory").await.expect("accepts"), Outcome::Done);
    mallory.sends("thanks", "kid").await;
    kid.reads("thanks", "mallory").await;
    for person in [&kid, &bob, &mallory] {
        assert!(person.alarms().is_empty(), "{}: {:?}", person.handle, person.alarms());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minor_is_asked_before_a_group_with_strangers() {
    let server = Server::start();
    let (kid, bob) = kid_and_friend(&server).await;
    let carol = Person::registers("carol", &server).await;
    bob.sends("hello", "carol").await;
    carol.accepts("bob").await;
    bob.waits_until("tokens", || bob.lines().iter().any(|l| l.text == "carol accepted.")).await;
    let handles = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
    // Carol holds no token of the kid's: what she founds does not come.
    carol.client().group_create("trap", &handles(&["kid"])).await.expect("creates");
    bob.client().group_create("club", &handles(&["kid", "carol"])).await.expect("creates");
    kid.sees_request("club").await;
    let requests = kid.client().requests().expect("reads");
    assert_eq!(requests.len(), 1, "{requests:?}");
    assert_eq!(requests[0].unconnected, ["carol"]);
    assert!(requests[0].notices[0].starts_with("Not connected to you: carol."), "{requests:?}");
    // Only connected people: it opens at once. Who comes later is named.
    bob.client().group_create("two", &handles(&["kid"])).await.expect("creates");
    let open = |name| {
        let kid = &kid;
        move || kid.client().groups().expect("reads").iter().any(|g| g.name == name && g.state == "open")
    };
    kid.waits_until("the group", open("two")).await;
    bob.client().group_add("two", &handles(&["carol"])).await.expect("adds");
    // The group waits for an answer again, with their name.
    let named = || {
        let requests = kid.client().requests().expect("reads");
        let two = requests.iter().find(|request| request.group == "two");
        two.is_some_and(|two| two.notices.iter().any(|it| it.starts_with("Not connected to you: carol.")))
    };
    kid.waits_until("the newcomer's name", named).await;
    kid.client().accept("two").await.expect("accepts");

    kid.client().accept("club").await.expect("accepts");
    assert_eq!(kid.client().shared_groups("carol").expect("reads"), ["club", "two"]);
    kid.client().block("carol").await.expect("blocks");
    kid.client().warn_group("club", "carol").await.expect("warns");
    bob.reads("I blocked carol. Be careful.", "club").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_minor_knows_the_rules_and_has_quiet_hours() {
    let server = Server::start();
    let kid = Person::registers_as("kid", AgeBand::Child, &server).await;
    let bob = Person::registers("bob", &server).await;
    assert_eq!((kid.client().whoami().age, bob.client().whoami().age), (AgeBand::Child, AgeBand::Adult));
    assert_eq!(kid.client().policy(), Policy::shipped());
    let quiet = kid.client().quiet_hours().expect("a minor's");
    assert!(quiet.holds(quiet.from_hour) && !quiet.holds(quiet.to_hour));
    assert!(bob.client().quiet_hours().is_none());
    // By a contact code they are connected at once.
    let code = kid.client().code().await.expect("a code");
    bob.client().connect(&code).await.expect("connects");
    bob.sends("hello", "kid").await;
    kid.reads("hello", "bob").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_strangers_are_told_at_once_and_keep_nothing_back() {
    let mut rules = Policy::shipped();
    rules.strangers.numbers.new_a_day = 1;
    let server = Server::start_by(&rules, "");
    let mallory = Person::registers("mallory", &server).await;
    let bob = Person::registers("bob", &server).await;
    let _carol = Person::registers("carol", &server).await;
    assert_eq!(mallory.client().policy(), rules);
    mallory.sends("hello", "bob").await;
    let start = Instant::now();
    let told = mallory.client().send("carol", "hello").await.expect_err("one too many");
    assert!(start.elapsed() < PATIENCE, "it does not wait for tomorrow");
    let text = told.to_string();
    assert!(text.contains("strangers") && text.contains("It is kept"), "{text}");
    bob.accepts("mallory").await;
    mallory.client().sync(PATIENCE).await.expect("nothing else waits");
    mallory.sends("and this?", "bob").await;
    bob.reads("and this?", "mallory").await;
}
