//! What the directory says about people and about ourselves, and a service that makes it say other things.

use ed25519_dalek::SigningKey;
use zegel_directory::{Entry, PATIENCE_MS, SignerKey};
use zegel_identity::{Action, SignedLink};
use zegel_proto::{Code, v1::client_frame::Body as Call};

use super::{
    office::{Office, Person, refusal},
    registry::{Registry, entry, label},
    world::wait,
};
use crate::{
    Error,
    core::{Me, directory::PROMISE_CHECK_MS},
    db::ItemKind,
    flow::{check_due, check_own},
};

/// A service with two people, both in the directory.
pub(super) async fn town() -> (Office, Person, Person) {
    let office = Office::new().await;
    let alice = Person::registers("alice", &office).await;
    let bob = Person::registers("bob", &office).await;
    office.publish().await;
    alice.checks(&office).await.expect("honest");
    bob.checks(&office).await.expect("honest");
    assert_eq!((alice.alarms(), bob.alarms()), (vec![], vec![]));
    (office, alice, bob)
}

/// One more device for somebody, listed with the key of the one that they have.
pub(super) fn added(person: &Person, links: &[SignedLink]) -> SignedLink {
    let core = person.shared.core();
    let me = &core.me;
    let (other, link) = Me::create("other", &me.app, &me.domain, "", 0);
    let Ok(Action::Create { device, .. }) = link.link().map(|link| link.action) else {
        unreachable!("the first link creates")
    };
    let info = zegel_identity::DeviceInfo::new(&me.account, device.id, &other.signing, device.queue_key);
    let place = (links.len() as u64, links.last().expect("a chain").hash());
    let signer = zegel_identity::Signer::Device(me.device);
    zegel_identity::sign_link(me.account, place, 0, Action::AddDevice(info), signer, &me.signing)
}

/// An entry that nobody's chain has.
pub(super) fn ghost(person: &Person) -> Entry {
    Entry { account: person.account, len: 2, head: [0xEE; 32], ended: false }
}

pub(super) fn is_unproven<T: std::fmt::Debug>(result: Result<T, Error>) -> bool {
    matches!(&result, Err(Error::Unproven { .. })) || panic!("{result:?}")
}

/// Looks at her own entry every three minutes until that is an alarm; how often that was.
pub(super) async fn refusals_until_alarm(alice: &Person, office: &Office) -> usize {
    for count in 1..9 {
        let refused = check_own(&alice.shared, office).await;
        if !alice.alarms().is_empty() {
            assert!(is_unproven(refused));
            return count;
        }
        assert!(refused.is_err());
        wait(3 * 60_000);
    }
    0
}

#[tokio::test]
async fn somebody_new_is_promised_and_then_proven() {
    let (office, alice, _) = town().await;
    let carol = Person::registers("carol", &office).await;
    assert_eq!(carol.shared.core().own().expect("own").trust.word(), "promised");
    alice.knows("carol", &office).await.expect("promised");
    carol.checks(&office).await.expect("promised");
    assert_eq!(alice.trust("carol"), "promised");

    // Nothing is asked before it is time; then each looks after the promise made to them.
    office.publish().await;
    alice.checks(&office).await.expect("honest");
    assert_eq!(alice.trust("carol"), "promised");
    wait(PROMISE_CHECK_MS);
    alice.checks(&office).await.expect("honest");
    carol.checks(&office).await.expect("honest");
    assert_eq!((alice.trust("carol"), carol.trust("carol")), ("proven", "proven"));
    assert_eq!((alice.alarms(), carol.alarms()), (vec![], vec![]));
}

#[tokio::test]
async fn devices_without_proof_or_promise_are_not_taken() {
    let (office, alice, bob) = town().await;
    alice.knows("bob", &office).await.expect("honest");
    let known = alice.shared.core().db.contact(&bob.account).expect("the database").expect("bob").chain;
    let ghost = added(&bob, &office.links(bob.account));
    office.append(bob.account, ghost).await;

    // A known person and one who is new: the list is valid, and the directory does not have it.
    let promise = office.accounts.lock().expect("no panic")[&bob.account].promise.clone();
    office.change(bob.account, |bob| bob.promise = None);
    assert!(is_unproven(alice.knows("bob", &office).await));
    let carol = Person::registers("carol", &office).await;
    assert!(is_unproven(carol.knows("bob", &office).await));
    assert!(carol.shared.core().db.contact(&bob.account).expect("the database").is_none());
    let kept = alice.shared.core().db.contact(&bob.account).expect("the database").expect("bob").chain;
    assert_eq!((kept, alice.alarms()), (known, vec!["unproven".to_owned()]));
    assert!(alice.shared.core().is_directory_trusted().expect("the database"));

    office.change(bob.account, |bob| bob.promise = promise);
    let now = alice.knows("bob", &office).await.expect("promised");
    assert_eq!((now.chain.devices().count(), now.trust.word()), (2, "promised"));
}

#[tokio::test]
async fn a_list_that_nobody_signed_is_an_alarm() {
    let (office, alice, bob) = town().await;
    let mallory = Person::registers("mallory", &office).await;
    let forged = added(&mallory, &office.links(bob.account));
    office.append_unchecked(bob.account, forged);
    assert!(is_unproven(alice.knows("bob", &office).await));
    assert_eq!(alice.alarms(), ["unproven"]);
}

#[tokio::test]
async fn a_promise_of_a_stranger_or_for_something_else_is_none() {
    let (office, alice, bob) = town().await;
    let longer = [office.links(bob.account), vec![added(&bob, &office.links(bob.account))]].concat();
    office.change(bob.account, |bob| bob.links = longer.clone());
    let stranger = SignerKey::first(SigningKey::from_bytes(&[66; 32]));
    let registry = office.registry.lock().await;
    let honest = registry.promise(entry(&longer));
    let lies = [
        zegel_directory::Promise::sign(honest.promise.clone(), &alice.shared.core().me.domain, &stranger),
        zegel_directory::Promise::sign(honest.promise.clone(), "other.example", &registry.key),
        registry.promise((label("bob"), ghost(&bob))),
        registry.promise((label("bob"), Entry { account: alice.account, ..entry(&longer).1 })),
        registry.promise((label("alice"), entry(&longer).1)),
        registry.promise(entry(&longer[..1])),
    ];
    drop(registry);
    for lie in lies {
        office.change(bob.account, |bob| bob.promise = Some(lie));
        assert!(is_unproven(alice.knows("bob", &office).await));
        assert!(alice.shared.core().db.contact(&bob.account).expect("the database").is_none());
    }
    office.change(bob.account, |bob| bob.promise = Some(honest));
    alice.knows("bob", &office).await.expect("promised");
    assert_eq!(alice.alarms(), ["unproven"]);
}

#[tokio::test]
async fn a_handle_stays_with_its_account() {
    let (office, alice, bob) = town().await;
    alice.knows("bob", &office).await.expect("honest");
    // The directory names another account; then so does the whole answer.
    let mallory = Person::registers("bob", &Office::new().await).await;
    let other = mallory.shared.core().db.links(&mallory.account).expect("links");
    office.registry.lock().await.publish(&[entry(&other)]).await;
    assert!(is_unproven(alice.knows("bob", &office).await));
    assert_eq!(alice.alarms(), ["handle"]);
    alice.shared.core().db.alarms_seen(i64::MAX).expect("the database");
    let bobs = office.accounts.lock().expect("no panic").remove(&bob.account).expect("bob");
    let stolen = super::office::Account { links: other, promise: None, ..bobs };
    office.accounts.lock().expect("no panic").insert(mallory.account, stolen);
    assert!(is_unproven(alice.knows("bob", &office).await));
    assert_eq!(alice.alarms(), ["handle"]);
}

#[tokio::test]
async fn a_deleted_account_is_verified_and_written_to_no_more() {
    let (office, alice, bob) = town().await;
    alice.knows("bob", &office).await.expect("honest");
    let (label, now) = entry(&office.links(bob.account));
    office.registry.lock().await.publish(&[(label, now.tombstone())]).await;
    assert!(alice.knows("bob", &office).await.expect("its leaves can be verified").ended);
    let carol = Person::registers("carol", &office).await;
    assert!(carol.knows("bob", &office).await.expect("the same for who is new").ended);

    let stocked = bob.shared.core().step(|core| core.key_package(false)).expect("keys");
    let package = zegel_proto::v1::DeviceKeyPackage {
        account: bob.account.to_field(),
        device: bob.shared.core().me.device.to_field(),
        key_package: stocked.key_package,
    };
    let refused = alice.shared.core().found_direct(&bob.account, &[package], Some("still there?"), None);
    assert!(matches!(refused, Err(Error::Usage { .. })), "{refused:?}");
    assert_eq!(alice.alarms(), [""; 0]);

    // It does not come back.
    office.registry.lock().await.publish(&[(label, now)]).await;
    assert!(is_unproven(alice.knows("bob", &office).await));
    assert_eq!(alice.alarms(), ["unproven"]);
}

#[tokio::test]
async fn a_promise_that_is_not_kept_ends_the_trust() {
    let (office, alice, bob) = town().await;
    let carol = Person::registers("carol", &office).await;
    for name in ["dave", "erin"] {
        alice.knows("carol", &office).await.expect("it may still come");
        office.registry.lock().await.pass(name).await;
    }
    wait(PROMISE_CHECK_MS);
    alice.checks(&office).await.expect("our own entry is as it should be");
    assert_eq!(alice.alarms(), ["broken"]);
    let refused = alice.knows("bob", &office).await;
    assert!(matches!(refused, Err(Error::Distrusted { .. })), "{refused:?}");
    assert!(carol.checks(&office).await.is_err());
    assert_eq!(carol.alarms(), ["broken"]);

    // Bob, whose promise was kept, saw nothing; with a directory that stands still, the clock tells.
    bob.checks(&office).await.expect("honest");
    let frank = Person::registers("frank", &office).await;
    bob.knows("frank", &office).await.expect("promised");
    wait(zegel_directory::PATIENCE_MS + 1);
    bob.checks(&office).await.expect("our own entry is as it should be");
    assert_eq!((bob.alarms(), frank.alarms()), (vec!["broken".to_owned()], vec![]));
}

#[tokio::test]
async fn another_entry_for_ourselves_is_an_alarm() {
    type Lie = fn(Entry, &Person, &Person) -> Entry;
    let lies: [(&str, Lie); 3] = [
        ("a ghost's", |_, alice, _| ghost(alice)),
        ("another account's", |honest, _, bob| Entry { account: bob.account, ..honest }),
        ("a tombstone", |honest, _, _| honest.tombstone()),
    ];
    for (what, lie) in lies {
        // Seen as it stands, and when it was put right again before she looks: the history tells.
        for put_right in [false, true] {
            let (office, alice, bob) = town().await;
            let (label, honest) = entry(&office.links(alice.account));
            let mut registry = office.registry.lock().await;
            registry.publish(&[(label, lie(honest, &alice, &bob))]).await;
            if put_right {
                registry.publish(&[(label, honest)]).await;
            }
            drop(registry);
            assert!(is_unproven(alice.checks(&office).await), "{what}");
            assert_eq!(alice.alarms(), ["own"], "{what}");
        }
    }
}

#[tokio::test]
async fn nobody_can_say_that_we_are_not_there() {
    let (office, alice, _) = town().await;
    office.accounts.lock().expect("no panic").remove(&alice.account);
    assert!(is_unproven(alice.checks(&office).await));
    assert_eq!(alice.alarms(), ["own"]);
}

#[tokio::test]
async fn a_service_that_is_always_too_busy_to_tell_is_an_alarm() {
    let (office, alice, _) = town().await;
    Person::registers("carol", &office).await;
    alice.knows("carol", &office).await.expect("promised");
    let busy =
        |call: &Call| matches!(call, Call::FetchAccount(_)).then(|| refusal("looking up", Code::Internal));
    office.answers(Some(busy));
    for _ in 0..4 {
        wait(PATIENCE_MS / 4 + 1);
        let refused = check_own(&alice.shared, &office).await;
        assert!(matches!(refused, Err(Error::Refused { .. })), "{refused:?}");
    }
    assert_eq!(alice.alarms(), [""; 0]);
    wait(PATIENCE_MS / 4 + 1);
    assert!(is_unproven(alice.checks(&office).await));
    wait(PROMISE_CHECK_MS);
    check_due(&alice.shared, &office).await.expect("no reason to take no mail");
    assert_eq!(alice.alarms(), ["own", "unproven"]);

    // A history that it proved to exist is not refused for ever either.
    let (office, alice, _) = town().await;
    let (label, honest) = entry(&office.links(alice.account));
    let mut registry = office.registry.lock().await;
    registry.publish(&[(label, ghost(&alice))]).await;
    registry.publish(&[(label, honest)]).await;
    drop(registry);
    let busy =
        |call: &Call| matches!(call, Call::FetchHistory(_)).then(|| refusal("looking up", Code::Internal));
    office.answers(Some(busy));
    assert_eq!(refusals_until_alarm(&alice, &office).await, 5);
    assert_eq!(alice.alarms(), ["own"]);
}

#[tokio::test]
async fn a_device_that_we_did_not_add_is_an_alarm_once() {
    let (office, alice, bob) = town().await;
    let thief = added(&alice, &office.links(alice.account));
    office.append(alice.account, thief).await;
    alice.checks(&office).await.expect("promised");
    assert_eq!(alice.alarms(), ["device"]);
    alice.shared.core().db.alarms_seen(i64::MAX).expect("the database");
    office.publish().await;
    wait(PROMISE_CHECK_MS);
    alice.checks(&office).await.expect("proven");
    assert_eq!(alice.alarms(), [""; 0]);
    bob.knows("alice", &office).await.expect("proven");

    // It goes, and nobody is alarmed by that.
    let own = alice.shared.core().own().expect("own").chain;
    let this = alice.shared.core().me.device;
    let other = own.devices().find(|device| device.id != this).expect("the thief's").id;
    let link = alice.shared.core().revoking(other).expect("a link");
    office.append(alice.account, link.clone()).await;
    let promise = office.accounts.lock().expect("no panic")[&alice.account].promise.clone();
    let promised = zegel_proto::v1::Promised { promise: promise.as_ref().map(Into::into) };
    alice.shared.core().step(|core| core.append_own(link, &promised)).expect("appended");
    assert_eq!(alice.shared.core().own().expect("own").trust.word(), "promised");
    alice.checks(&office).await.expect("promised");
    bob.knows("alice", &office).await.expect("promised");
    let notices = bob.shared.core().db.items(None, 0, false).expect("items");
    assert!(notices.iter().any(|item| item.kind == ItemKind::Notice), "{notices:?}");
    assert_eq!((alice.alarms(), bob.alarms()), (vec![], vec![]));
}

#[tokio::test]
async fn what_was_proven_cannot_be_taken_back() {
    let (office, alice, bob) = town().await;
    let longer = added(&bob, &office.links(bob.account));
    office.append(bob.account, longer).await;
    office.publish().await;
    alice.knows("bob", &office).await.expect("honest");
    let before: Registry = office.registry.lock().await.as_of(2).await;
    let office = office.with(before);
    alice.knows("bob", &office).await.expect("the same directory");
    // A new tree with the same people, as new ones, under roots that go on.
    let entries = [alice.account, bob.account].map(|account| entry(&office.links(account)));
    office.registry.lock().await.rewrite(&entries).await;
    let refused = alice.knows("bob", &office).await;
    assert!(matches!(refused, Err(Error::Distrusted { .. })), "{refused:?}");
    assert_eq!(alice.alarms(), ["removed"]);
}
