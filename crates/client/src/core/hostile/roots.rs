//! A service that shows other roots than before, or hides them.

use super::{
    office::{Office, Person},
    registry::{Registry, entry},
};
use crate::Error;

/// A directory of some epochs that Alice has seen.
async fn seen(epochs: u64) -> (Office, Person) {
    let office = Office::new().await;
    let alice = Person::registers("alice", &office).await;
    office.publish().await;
    for epoch in 1..epochs {
        office.registry.lock().await.pass(&format!("stranger{epoch}")).await;
    }
    alice.checks(&office).await.expect("honest");
    assert_eq!((alice.epoch(), alice.alarms()), (epochs, vec![]));
    (office, alice)
}

async fn caught(alice: &Person, office: &Office, kind: &str) {
    let refused = alice.checks(office).await;
    assert!(matches!(refused, Err(Error::Distrusted { .. })), "{refused:?}");
    assert_eq!(alice.alarms(), [kind]);
    assert!(!alice.shared.core().is_directory_trusted().expect("the database"));
    // It stays so, even before an honest directory, and the alarm with it.
    let again = alice.checks(office).await;
    assert!(matches!(again, Err(Error::Distrusted { .. })), "{again:?}");
    assert_eq!(alice.alarms(), [kind]);
}

#[tokio::test]
async fn a_directory_that_goes_on_is_followed() {
    let (office, alice) = seen(5).await;
    for epoch in 6..20 {
        office.registry.lock().await.pass(&format!("stranger{epoch}")).await;
        if epoch % 3 == 0 {
            alice.checks(&office).await.expect("honest");
            assert_eq!(alice.epoch(), epoch);
        }
    }
    office.registry.lock().await.rotate();
    office.registry.lock().await.pass("after the new key").await;
    alice.checks(&office).await.expect("the old key named the new one");
    let bob = Person::registers("bob", &office).await;
    office.registry.lock().await.pass("another").await;
    bob.checks(&office).await.expect("its first root has the new key");
    alice.knows("bob", &office).await.expect("a promise with the new key");
    assert_eq!((alice.alarms(), bob.alarms()), (vec![], vec![]));
}

#[tokio::test]
async fn an_older_root_is_a_rollback() {
    let (office, alice) = seen(5).await;
    let older = office.registry.lock().await.as_of(4).await;
    caught(&alice, &office.with(older), "rollback").await;
}

#[tokio::test]
async fn another_root_of_the_same_epoch_is_a_fork() {
    let (office, alice) = seen(5).await;
    let mut other = office.registry.lock().await.as_of(4).await;
    other.pass("somebody else").await;
    caught(&alice, &office.with(other), "fork").await;
}

#[tokio::test]
async fn a_newer_root_without_our_past_is_a_fork() {
    let (office, alice) = seen(5).await;
    let mut other = office.registry.lock().await.as_of(3).await;
    for name in ["x", "y", "z", "a", "b"] {
        other.pass(name).await;
    }
    caught(&alice, &office.with(other), "fork").await;
}

async fn replaced(vrf: [u8; 32], signing: [u8; 32], alice: &Person, office: &Office) -> Office {
    let mut other = Registry::with_keys(vrf, signing).await;
    other.publish(&[entry(&office.links(alice.account))]).await;
    for name in ["x", "y", "z", "a", "b"] {
        other.pass(name).await;
    }
    office.with(other)
}

#[tokio::test]
async fn keys_that_nobody_named_are_refused() {
    let (office, alice) = seen(5).await;
    let other = replaced([7; 32], [99; 32], &alice, &office).await;
    caught(&alice, &other, "keys").await;
}

#[tokio::test]
async fn another_placing_of_handles_is_refused() {
    let (office, alice) = seen(5).await;
    let other = replaced([99; 32], [8; 32], &alice, &office).await;
    caught(&alice, &other, "vrf").await;
}

#[tokio::test]
async fn trust_begins_anew_only_when_told() {
    let (office, alice) = seen(5).await;
    let other = replaced([7; 32], [99; 32], &alice, &office).await;
    caught(&alice, &other, "keys").await;
    alice.shared.core().trust_anew().expect("the database");
    alice.checks(&other).await.expect("taken as it is");
    assert_eq!((alice.alarms(), alice.trust("alice")), (vec!["keys".to_owned()], "proven"));
    // And is held to that from now on.
    caught_again(&alice, &office).await;
}

async fn caught_again(alice: &Person, office: &Office) {
    assert!(alice.checks(office).await.is_err());
    assert_eq!(alice.alarms().len(), 2);
    assert!(!alice.shared.core().is_directory_trusted().expect("the database"));
}
