//! A block holds for the person: for every account that the service knows to be theirs.

mod service_help;

use service_help::*;
use zegel_proto::{
    AccountId, Address,
    v1::{self, AgeBand, client_frame as ask},
};
use zegel_server::clock::Now;

/// Registers with an invite, and connects.
async fn invited(world: &World, handle: &str, code: &str) -> Person {
    let mut person = Person::unregistered(world, handle).await;
    person.register(AgeBand::Adult, code).await.expect("registered");
    person.connect().await.expect("connected");
    person
}

/// Whether an introduction of `from` reaches `to`, of whom these addresses are.
async fn reaches(from: &mut Person, to: &Person, addresses: &mut Vec<Address>) -> bool {
    let before = to.mail().await.len();
    let address = addresses.pop().expect("enough were published");
    from.submit(Group::new().founds(&[address], "hello")).await.expect("answered as sent");
    to.mail().await.len() > before
}

async fn deletes(person: &mut Person) {
    let handle = person.handle.clone();
    person.call(ask::Body::DeleteAccount(v1::DeleteAccount { handle })).await.expect("deleted");
}

#[tokio::test]
async fn who_is_blocked_is_blocked_on_every_account_of_their_invite() {
    let world = World::new().await;
    world.invite("forone", None, 3, true).await;
    world.invite("school", None, 3, false).await;
    let [mut alice, bob] = [world.adult("alice").await, world.adult("bob").await];
    let mut at = alice.publish(9).await;
    let (mut one, mut two) = (invited(&world, "one", "forone").await, invited(&world, "two", "forone").await);
    let [mut pupil, mut other] =
        [invited(&world, "pupil", "school").await, invited(&world, "other", "school").await];
    alice.block(one.account, false).await;
    alice.block(pupil.account, false).await;
    for (person, reached) in [(&mut one, false), (&mut two, false), (&mut pupil, false), (&mut other, true)] {
        assert_eq!(reaches(person, &alice, &mut at).await, reached, "{}", person.handle);
    }
    // One that is made afterwards too; and lifting it for one lifts it for all.
    let mut three = invited(&world, "three", "forone").await;
    assert!(!reaches(&mut three, &alice, &mut at).await);
    alice.block(two.account, true).await;
    for person in [&mut one, &mut three] {
        assert!(reaches(person, &alice, &mut at).await, "{}", person.handle);
    }
    // Whom bob blocks is his own affair.
    let mut his = world.adult("bea").await;
    let mut at = his.publish(1).await;
    his.block(bob.account, false).await;
    assert!(reaches(&mut one, &his, &mut at).await);
}

#[tokio::test]
async fn deleting_the_account_and_coming_back_with_the_invite_helps_nobody() {
    let world = World::new().await;
    world.invite("forone", None, 3, true).await;
    let (mut alice, mut carol) = (world.adult("alice").await, world.adult("carol").await);
    let (mut to_alice, mut to_carol) = (alice.publish(4).await, carol.publish(4).await);
    let mut one = invited(&world, "one", "forone").await;
    alice.block(one.account, false).await;
    deletes(&mut one).await;
    // Carol notices only now.
    carol.block(one.account, false).await;
    let mut two = invited(&world, "two", "forone").await;
    assert!(!reaches(&mut two, &alice, &mut to_alice).await);
    assert!(!reaches(&mut two, &carol, &mut to_carol).await);
    // When the chain is gone too, the account is nobody's any more; the block that was made stays.
    world.service.publish_all().await;
    let (id, today) = (one.account, Now::get().day());
    world.write(move |tx| tx.remove_account(&id, today - 99)).await;
    world.service.sweep_once().await;
    assert_eq!(world.read(move |tx| tx.person(&id)).await, None);
    assert!(!reaches(&mut two, &carol, &mut to_carol).await);
    carol.block(AccountId::random(), false).await;
}

#[tokio::test]
async fn becoming_older_with_an_invite_for_one_tells_whose_an_account_is() {
    let world = World::new().await;
    world.invite("forone", Some(AgeBand::Adult), 2, true).await;
    world.invite("another", Some(AgeBand::Adult), 2, true).await;
    let (mut alice, mut carol) = (world.adult("alice").await, world.adult("carol").await);
    let (mut to_alice, mut to_carol) = (alice.publish(9).await, carol.publish(9).await);
    let mut open = world.person("open", AgeBand::Unknown).await;
    alice.block(open.account, false).await;
    open.change_age(AgeBand::Adult, "forone").await.expect("older");
    // What was blocked before it was known stays blocked, and what is blocked from now on holds for the person.
    assert!(!reaches(&mut open, &alice, &mut to_alice).await);
    carol.block(open.account, false).await;
    let mut two = invited(&world, "two", "forone").await;
    assert!(!reaches(&mut two, &carol, &mut to_carol).await);
    assert!(reaches(&mut two, &alice, &mut to_alice).await, "nobody knew that when alice blocked");
    // A second invite makes them nobody else.
    open.change_age(AgeBand::Teen, "").await.expect("younger");
    open.change_age(AgeBand::Adult, "another").await.expect("older");
    assert!(!reaches(&mut open, &carol, &mut to_carol).await);
    alice.block(open.account, true).await;
    assert!(reaches(&mut open, &alice, &mut to_alice).await);
}
