//! Addresses that end: declined, deleted, and never another's afterwards.

mod service_help;

use service_help::*;
use zegel_proto::{
    AccountId, Address, Code, address_hash, address_tag,
    v1::{self, client_frame as ask, entry::Body},
};
use zegel_server::config::{Config, Rate};

fn delete(address: &Address, declined: Option<AccountId>) -> ask::Body {
    let declined = declined.map(AccountId::to_field).unwrap_or_default();
    ask::Body::DeleteAddresses(v1::DeleteAddresses { addresses: vec![address.to_field()], declined })
}

/// Rules by which one person is many: how many it takes is not what these tests are about.
fn one_is_many() -> Config {
    let mut config = Config::default();
    config.safety.notices.numbers.declined_people = 1;
    config
}

/// What a newcomer is told of `of`.
async fn declined_lately(world: &World, of: &mut Person) -> bool {
    let mut dora = world.adult(&format!("dora{}", rand::random::<u32>())).await;
    let to = dora.publish(1).await[0];
    introduces(of, to, None).await;
    let bodies = dora.bodies().await;
    let Some(Body::Introduction(introduction)) = bodies.first() else { panic!("{bodies:?}") };
    introduction.facts.as_ref().expect("facts").declined_lately
}

#[tokio::test]
async fn declining_ends_delivery_and_is_told_coarsely() {
    let world = World::with(one_is_many()).await;
    let mut pest = world.adult("pest").await;
    for name in ["anna", "brit", "cara"] {
        let mut receiver = world.adult(name).await;
        let to = receiver.publish(1).await[0];
        let (group, _) = introduces(&mut pest, to, None).await;
        receiver.ack_all().await;
        receiver.call(delete(&to, Some(pest.account))).await.expect("declined");
        receiver.call(delete(&to, Some(pest.account))).await.expect("again is no error");
        // To the pest everything goes on as before.
        let dropped = world.entries(SINK).await;
        pest.submit(group.says("please", &[to])).await.expect("sent");
        assert_eq!(world.entries(SINK).await, dropped + 1);
        assert!(receiver.bodies().await.is_empty());
    }
    assert!(declined_lately(&world, &mut pest).await);
}

#[tokio::test]
async fn nobody_is_declined_who_did_not_introduce_himself() {
    let world = World::with(one_is_many()).await;
    let (mut friend, mut pest) = (world.adult("friend").await, world.adult("pest").await);
    for name in ["anna", "brit", "cara"] {
        let mut liar = world.adult(name).await;
        let addresses = liar.publish(2).await;
        introduces(&mut pest, addresses[0], None).await;
        // Another's introduction, an address that nobody used, and none at all.
        for address in addresses {
            liar.call(delete(&address, Some(friend.account))).await.expect("deleted");
        }
        let none = v1::DeleteAddresses { addresses: Vec::new(), declined: friend.account.to_field() };
        liar.call(ask::Body::DeleteAddresses(none)).await.expect("done");
    }
    // One that was accepted is left, not declined.
    let mut dirk = world.adult("dirk").await;
    let to = dirk.publish(1).await[0];
    let (group, _) = introduces(&mut friend, to, None).await;
    dirk.accept(&to, &group.id).await.expect("accepted");
    dirk.call(delete(&to, Some(friend.account))).await.expect("deleted");
    assert!(!declined_lately(&world, &mut friend).await);
    assert!(!declined_lately(&world, &mut pest).await);
}

#[tokio::test]
async fn declining_at_the_last_resort_ends_one_introduction_only() {
    let world = World::with(one_is_many()).await;
    let (mut one, mut two, mut alice) =
        (world.adult("one").await, world.adult("two").await, world.adult("alice").await);
    let to = alice.publish_last_resort().await;
    let (first, second) = (introduces(&mut one, to, None).await.0, introduces(&mut two, to, None).await.0);
    alice.call(delete(&to, Some(one.account))).await.expect("declined");
    one.submit(first.says("a", &[to])).await.expect("sent");
    two.submit(second.says("b", &[to])).await.expect("sent");
    assert_eq!(alice.bodies().await.len(), 4 + 1);
    assert!(declined_lately(&world, &mut one).await);
    assert!(!declined_lately(&world, &mut two).await);
    alice.call(delete(&to, None)).await.expect("deleted");
    two.submit(second.says("c", &[to])).await.expect("sent");
    assert_eq!(alice.bodies().await.len(), 5);
}

#[tokio::test]
async fn a_deleted_address_is_nobodys_and_answers_like_one_in_use() {
    let world = World::new().await;
    let (mut thief, mut alice, mut bob) =
        (world.adult("thief").await, world.adult("alice").await, world.adult("bob").await);
    let mut group = Group::new();
    let (left, used) = (alice.bind(&group.id).await, alice.bind(&group.id).await);
    bob.submit(group.commits(&[left])).await.expect("founded");
    alice.ack_all().await;
    let hash = address_hash(&left);
    let before = world.read(move |tx| tx.address(&hash)).await.expect("a row").len();
    alice.call(delete(&left, None)).await.expect("deleted");
    let after = world.read(move |tx| tx.address(&hash)).await.expect("a row still").len();
    assert_eq!(before, after);
    let bind = |address: &Address| {
        let tag = bytes::Bytes::copy_from_slice(&address_tag(address, &group.id));
        ask::Body::BindAddress(v1::BindAddress { address: address.to_field(), tag })
    };
    let stock = |address: &Address| {
        let key_package = bytes::Bytes::from_static(b"package");
        let package = v1::StockedKeyPackage { key_package, address: address.to_field() };
        let packages = vec![package];
        ask::Body::PublishKeyPackages(v1::PublishKeyPackages { packages, ..Default::default() })
    };
    let dead = [
        thief.refused(Code::BadRequest, bind(&left)).await,
        thief.refused(Code::BadRequest, stock(&left)).await,
    ];
    let in_use = [
        thief.refused(Code::BadRequest, bind(&used)).await,
        thief.refused(Code::BadRequest, stock(&used)).await,
    ];
    assert_eq!(dead, in_use);
    alice.refused(Code::BadRequest, bind(&left)).await;
    // Nor does a Welcome bring it back.
    thief.submit(Group::new().founds(&[left], "hello")).await.expect("sent");
    bob.submit(group.says("x", &[left])).await.expect("sent");
    assert!(alice.bodies().await.is_empty());
    assert!(thief.bodies().await.iter().all(|body| matches!(body, Body::Confirmation(_))));
}

#[tokio::test]
async fn so_many_at_once_and_no_more() {
    let mut config = Config::default();
    config.limits.calls_per_device = Rate { burst: 258, per_hour: 1 };
    let world = World::with(config).await;
    let mut alice = world.adult("alice").await;
    let delete = |n: usize| {
        let addresses = (0..n).map(|_| Address::random().to_field()).collect();
        ask::Body::DeleteAddresses(v1::DeleteAddresses { addresses, ..Default::default() })
    };
    alice.refused(Code::BadRequest, delete(257)).await;
    alice.call(delete(256)).await.expect("unknown ones are no error");
    let get = ask::Body::GetBlob(v1::GetBlob { name: vec![1; 32].into(), offset: 0 });
    alice.refused(Code::NotFound, get.clone()).await;
    alice.call(delete(0)).await.expect("the last one");
    alice.refused(Code::RateLimited, get).await;
    alice.refused(Code::RateLimited, ask::Body::Ack(v1::Ack { seq: 0 })).await;
    let limited = alice.accept(&Address::random(), &Group::new().id).await.map_err(|e| e.code);
    assert_eq!(limited, Err(Code::RateLimited as u32));
}

#[tokio::test]
async fn one_conversation_ends_at_a_last_resort_and_the_others_go_on() {
    let world = World::new().await;
    let (mut one, mut two, mut alice) =
        (world.adult("one").await, world.adult("two").await, world.adult("alice").await);
    let to = alice.publish_last_resort().await;
    let (first, second) = (introduces(&mut one, to, None).await.0, introduces(&mut two, to, None).await.0);
    for group in [&first, &second] {
        alice.accept(&to, &group.id).await.expect("accepted");
    }
    alice.ack_all().await;
    let hash = address_hash(&to);
    let before = world.read(move |tx| tx.address(&hash)).await.expect("a row").len();
    // Only its owner ends it, and what is not there is no error.
    two.end(&to, &first.id).await;
    alice.end(&to, &Group::new().id).await;
    alice.end(&Address::random(), &first.id).await;
    one.submit(first.says("a", &[to])).await.expect("sent");
    assert_eq!(alice.bodies().await.len(), 1);
    alice.end(&to, &first.id).await;
    alice.end(&to, &first.id).await;
    let dropped = world.entries(SINK).await;
    one.submit(first.says("b", &[to])).await.expect("sent");
    two.submit(second.says("c", &[to])).await.expect("sent");
    assert_eq!((alice.bodies().await.len(), world.entries(SINK).await), (2, dropped + 1));
    assert_eq!(world.read(move |tx| tx.address(&hash)).await.expect("a row").len(), before);
    // An address that serves no other goes as a whole.
    let once = alice.publish(1).await[0];
    let (group, _) = introduces(&mut one, once, None).await;
    alice.accept(&once, &group.id).await.expect("accepted");
    alice.end(&once, &group.id).await;
    let bind = v1::BindAddress { address: once.to_field(), tag: vec![1; 32].into() };
    alice.refused(Code::BadRequest, ask::Body::BindAddress(bind)).await;
}

/// Without a decline, so that it counts for nothing; and without the sender seeing it.
#[tokio::test]
async fn an_introduction_that_is_ended_is_not_declined() {
    let world = World::with(one_is_many()).await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let to = alice.publish_last_resort().await;
    let (group, _) = introduces(&mut pest, to, None).await;
    alice.ack_all().await;
    alice.end(&to, &group.id).await;
    let dropped = world.entries(SINK).await;
    pest.submit(group.says("please", &[to])).await.expect("sent");
    assert_eq!((alice.bodies().await.len(), world.entries(SINK).await), (0, dropped + 1));
    assert!(!declined_lately(&world, &mut pest).await);
}
