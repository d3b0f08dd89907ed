//! How many strangers somebody comes to in a day, and that the limit tells of nobody.

mod service_help;

use service_help::*;
use zegel_proto::{
    Address, Code, Token,
    v1::{self, AgeBand, client_frame as ask, entry::Body},
};
use zegel_server::{clock::Now, config::Config};

/// A service whose rules allow so many a day, to new accounts and others.
async fn allowing(new_a_day: u32, a_day: u32) -> World {
    let mut config = Config::default();
    config.safety.strangers.numbers.new_a_day = new_a_day;
    config.safety.strangers.numbers.a_day = a_day;
    World::with(config).await
}

/// `from` founds a group with these, each with a token or none.
async fn comes_to(from: &mut Person, to: &[(Address, Option<Token>)]) -> Result<Group, v1::Error> {
    let mut group = Group::new();
    let mut submit = group.founds(&to.iter().map(|(address, _)| *address).collect::<Vec<_>>(), "hello");
    let newcomers = &mut submit.welcome.as_mut().expect("a founding commit").newcomers;
    for (newcomer, (_, token)) in newcomers.iter_mut().zip(to) {
        newcomer.token = token.map(Token::to_field).unwrap_or_default();
    }
    from.submit(submit).await.map(|_| group)
}

async fn is_refused(from: &mut Person, to: &[(Address, Option<Token>)]) -> v1::Error {
    let error = comes_to(from, to).await.map(|_| ()).expect_err("too many");
    assert_eq!(Code::from_wire(error.code), Code::RateLimited, "{error:?}");
    error
}

async fn introductions(of: &Person) -> usize {
    of.bodies().await.iter().filter(|body| matches!(body, Body::Introduction(_))).count()
}

/// The account gets this band, and was made so many days ago.
async fn becomes(world: &World, person: &Person, age_band: AgeBand, days: u32) {
    let mut account = world.account(person.account).await;
    account.age_band = age_band;
    account.created_day = Now::get().day() - days;
    let handle = person.handle.clone();
    world.write(move |tx| tx.put_account(&account, &handle)).await;
}

#[tokio::test]
async fn a_new_account_comes_to_few_and_is_told_the_rule() {
    let world = allowing(3, 5).await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let to: Vec<_> = alice.publish(8).await.into_iter().map(|address| (address, None)).collect();
    comes_to(&mut pest, &to[..2]).await.expect("two");
    let (hers, his) = (world.entries(alice.device).await, world.entries(pest.device).await);
    let error = is_refused(&mut pest, &to[2..4]).await;
    // The rule's words, and when.
    assert!(error.message.contains("at most 5 people") && error.message.contains("at most 3 "), "{error:?}");
    assert!((1..=86_400_000).contains(&error.retry_after_ms));
    // The whole was refused, before anything was written or counted.
    assert_eq!([world.entries(alice.device).await, world.entries(pest.device).await], [hers, his]);
    comes_to(&mut pest, &to[2..3]).await.expect("the third");
    is_refused(&mut pest, &to[3..4]).await;

    // After a week an account comes to more; one without an age stays new.
    becomes(&world, &pest, AgeBand::Unknown, 7).await;
    is_refused(&mut pest, &to[3..4]).await;
    becomes(&world, &pest, AgeBand::Adult, 6).await;
    is_refused(&mut pest, &to[3..4]).await;
    becomes(&world, &pest, AgeBand::Adult, 7).await;
    is_refused(&mut pest, &to[3..6]).await;
    comes_to(&mut pest, &to[3..5]).await.expect("five in all");
    assert_eq!(introductions(&alice).await, 5);
}

#[tokio::test]
async fn whoever_the_stranger_is_counts_alike() {
    let world = allowing(1, 1).await;
    let mut alice = world.adult("alice").await;
    let mut child = world.person("cody", AgeBand::Child).await;
    let mut blocker = world.adult("bo").await;
    let (known, unknown) = (alice.publish(8).await, Address::random());
    let targets = [known[0], child.publish(1).await[0], blocker.publish(1).await[0], unknown];
    for (n, to) in targets.into_iter().enumerate() {
        let mut pest = world.adult(["ann", "bea", "cas", "dex"][n]).await;
        blocker.block(pest.account, false).await;
        comes_to(&mut pest, &[(to, None)]).await.expect("sent");
        let refused = is_refused(&mut pest, &[(known[1 + n], None)]).await;
        let other = is_refused(&mut pest, &[(targets[(n + 1) % 4], None)]).await;
        assert_eq!(refused.message, other.message, "and the refusal too");
    }
}

#[tokio::test]
async fn own_devices_bound_addresses_and_shown_tokens_are_no_strangers() {
    let world = allowing(1, 1).await;
    let (mut pest, mut friend) = (world.adult("pest").await, world.person("fay", AgeBand::Child).await);
    let mut phone = pest.sibling(&world).await;
    let addresses = friend.publish(4).await;
    comes_to(&mut pest, &[(addresses[0], None)]).await.expect("the one stranger");
    let own = phone.publish(1).await[0];
    let tokens = friend.leave_tokens(2, true).await;
    let with = [(own, None), (addresses[1], Some(tokens[0])), (addresses[2], Some(tokens[1]))];
    let mut group = comes_to(&mut pest, &with).await.expect("none of them a stranger");
    assert_eq!((introductions(&phone).await, introductions(&friend).await), (1, 2));
    let bound = friend.bind(&group.id).await;
    pest.submit(group.adds(&[bound], &[])).await.expect("who asked to be brought back");
    assert_eq!(introductions(&friend).await, 3);
    is_refused(&mut pest, &[(addresses[3], None)]).await;
}

#[tokio::test]
async fn an_invented_token_reaches_nobody_and_nobody_says_so() {
    let world = allowing(1, 1).await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let to = alice.publish(6).await;
    let good = alice.leave_tokens(2, true).await;
    let junk = || Some(Token::random());
    let mut reached = Vec::new();
    for (address, token) in
        [(to[0], junk()), (to[1], Some(good[0])), (to[2], junk()), (to[3], junk()), (to[4], Some(good[1]))]
    {
        comes_to(&mut pest, &[(address, token)]).await.expect("answered as sent");
        reached.push(introductions(&alice).await);
    }
    // What shows one goes where nobody reads.
    assert_eq!(reached, [0, 1, 1, 1, 2]);
    assert_eq!(world.entries(SINK).await, 6);
    // It costs nothing that could be seen: else from when on one does would tell how long a code was good.
    comes_to(&mut pest, &[(to[5], None)]).await.expect("the stranger of today");
    assert_eq!(introductions(&alice).await, 3);
}

#[tokio::test]
async fn the_limit_does_not_tell_that_somebody_left() {
    let world = allowing(1, 1).await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let to = alice.publish(1).await[0];
    let mut group = comes_to(&mut pest, &[(to, None)]).await.expect("sent");
    alice.accept(&to, &group.id).await.expect("accepted");
    pest.submit(group.adds(&[to], &[])).await.expect("again, while she is there");
    // She blocks: the address is gone. Whoever has no stranger left today must not find out by adding her again.
    alice.block(pest.account, false).await;
    let addresses = vec![to.to_field()];
    let delete = v1::DeleteAddresses { addresses, declined: Default::default() };
    alice.call(ask::Body::DeleteAddresses(delete)).await.expect("deleted");
    let before = introductions(&alice).await;
    pest.submit(group.adds(&[to], &[])).await.expect("as before");
    pest.submit(group.says("are you there?", &[to])).await.expect("as before");
    assert_eq!(introductions(&alice).await, before);
}

#[tokio::test]
async fn accounts_of_one_person_share_the_day() {
    let world = allowing(2, 2).await;
    world.invite("forone", None, 2, true).await;
    let mut alice = world.adult("alice").await;
    let to = alice.publish(4).await;
    for (n, handle) in ["one", "two"].into_iter().enumerate() {
        let mut account = Person::unregistered(&world, handle).await;
        account.register(AgeBand::Adult, "forone").await.expect("registered");
        account.connect().await.expect("connected");
        comes_to(&mut account, &[(to[n], None)]).await.expect("one each");
        if n == 1 {
            is_refused(&mut account, &[(to[3], None)]).await;
        }
    }
}
