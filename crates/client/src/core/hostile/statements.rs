//! What comes as the service's word, and is it or not.

use ed25519_dalek::SigningKey;
use zegel_directory::{SignerKey, Statement};
use zegel_proto::{AccountId, Message as _, v1};

use super::{
    office::{Office, Person},
    registry::DOMAIN,
    world::{ALICE, BOB, World, wait},
};
use crate::{db::ItemKind, flow::check_statements};

const TEXT: &str = "Your account is suspended for 7 days.";

fn body(account: AccountId, text: &str) -> Vec<u8> {
    let statement = v1::Statement {
        account: account.to_field(),
        case_number: "K7Q2M-4XN9P".into(),
        text: text.into(),
        made_ms: 7,
        ..Default::default()
    };
    statement.encode_to_vec()
}

fn signed_as(key: &SignerKey, domain: &str, what: Statement, body: &[u8]) -> v1::SignedStatement {
    let signed = key.sign_statement(domain, what, body);
    v1::SignedStatement {
        body: body.to_vec().into(),
        signer: signed.signer,
        signature: signed.signature.into(),
    }
}

fn signed(key: &SignerKey, body: &[u8]) -> v1::SignedStatement {
    signed_as(key, DOMAIN, Statement::Notice, body)
}

fn entry(signed: &v1::SignedStatement) -> v1::entry::Body {
    v1::entry::Body::Statement(signed.clone())
}

#[test]
fn the_services_word_is_shown_once_in_a_place_of_its_own() {
    let mut world = World::new();
    let word = signed(&world.registry.key, &body(world.account(ALICE), TEXT));
    world.hand_all(ALICE, [entry(&word), entry(&word)]);
    world.restart(ALICE);
    world.hand(ALICE, entry(&word));
    assert_eq!(world.lines(ALICE, ItemKind::Service), [TEXT]);
    let line = world.items(ALICE).into_iter().find(|item| item.kind == ItemKind::Service).expect("a line");
    assert_eq!((line.conversation, line.sender.len(), line.accepted_ms, line.unread), (0, 0, 7, true));

    // The same by a later key is the same.
    world.registry.rotate();
    world.runtime.block_on(world.registry.pass("somebody"));
    world.meet_directory(ALICE);
    let again = signed(&world.registry.key, &word.body);
    assert_ne!(again.signer, word.signer);
    world.hand(ALICE, entry(&again));
    let next = signed(&world.registry.key, &body(world.account(ALICE), "Another."));
    world.hand(ALICE, entry(&next));
    assert_eq!(world.lines(ALICE, ItemKind::Service), [TEXT, "Another."]);
    assert_eq!(world.lines(ALICE, ItemKind::Hidden), [] as [String; 0]);
    assert_eq!(world.at(ALICE).stated().expect("the database").len(), 2);
}

#[test]
fn nobody_else_speaks_in_the_services_name() {
    let mut world = World::new();
    let (alice, bob) = (world.account(ALICE), world.account(BOB));
    let key = &world.registry.key;
    let other = SignerKey::first(SigningKey::from_bytes(&[66; 32]));
    let honest = signed(key, &body(alice, TEXT));
    let mut altered = honest.clone();
    altered.body = body(alice, "Pay at example.org.").into();
    let mut broken = honest.clone();
    broken.signature = vec![0; 7].into();
    let false_words = [
        (signed(&other, &body(alice, TEXT)), "is not signed"),
        (altered, "is not signed"),
        (broken, "is not signed"),
        (signed_as(key, DOMAIN, Statement::Evidence, &honest.body), "is not signed"),
        (signed_as(key, DOMAIN, Statement::Log, &honest.body), "is not signed"),
        (signed_as(key, "other.example", Statement::Notice, &honest.body), "is not signed"),
        (signed(key, &body(bob, TEXT)), "is for another account"),
        (signed(key, b"\xff\xff"), "cannot be read"),
    ];
    for (place, (word, why)) in false_words.iter().enumerate() {
        // A second time it says nothing new.
        world.hand_all(ALICE, [entry(word), entry(word)]);
        let hidden = world.lines(ALICE, ItemKind::Hidden);
        assert_eq!(hidden.len(), place + 1, "{hidden:?}");
        assert!(hidden[place].contains(why), "{}", hidden[place]);
        assert!(!world.shows(ALICE, TEXT) && !world.shows(ALICE, "Pay at"));
    }
    assert!(world.at(ALICE).stated().expect("the database").is_empty());
    // What was forged before takes nothing from the true word.
    world.hand(ALICE, entry(&honest));
    assert_eq!(world.lines(ALICE, ItemKind::Service), [TEXT]);
}

#[test]
fn unknown_keys_fill_nothing() {
    let mut world = World::new();
    let mut word = signed(&world.registry.key, &body(world.account(ALICE), TEXT));
    for signer in 1..200 {
        word.signer = signer;
        world.hand(ALICE, entry(&word));
    }
    assert_eq!(world.lines(ALICE, ItemKind::Service), [] as [String; 0]);
    assert_eq!(world.lines(ALICE, ItemKind::Hidden).len(), 199 - 64);
}

fn lines(person: &Person, kind: ItemKind) -> Vec<String> {
    let items = person.shared.core().db.items(None, 0, false).expect("items");
    items.into_iter().filter(|item| item.kind == kind).map(|item| item.text).collect()
}

async fn town() -> (Office, Person) {
    let office = Office::new().await;
    let alice = Person::registers("alice", &office).await;
    office.publish().await;
    alice.checks(&office).await.expect("honest");
    (office, alice)
}

#[tokio::test]
async fn a_word_by_a_key_that_is_not_known_yet_waits_for_it() {
    let (office, alice) = town().await;
    office.registry.lock().await.rotate();
    let word = signed(&office.registry.lock().await.key, &body(alice.account, TEXT));
    alice.shared.core().step(|core| core.statement(&word)).expect("kept");
    assert!(lines(&alice, ItemKind::Service).is_empty() && lines(&alice, ItemKind::Hidden).is_empty());
    check_statements(&alice.shared, &office).await.expect("asked");
    assert_eq!(lines(&alice, ItemKind::Service), [TEXT]);

    // Signed with a key of nobody, under the number of the next one.
    let mut false_word = signed(&office.registry.lock().await.key, &body(alice.account, "Pay."));
    false_word.signer += 1;
    alice.shared.core().step(|core| core.statement(&false_word)).expect("kept");
    wait(60_000);
    check_statements(&alice.shared, &office).await.expect("asked");
    assert!(lines(&alice, ItemKind::Hidden).is_empty(), "it may still come");
    office.registry.lock().await.pass("somebody").await;
    let asked = office.asked.lock().expect("no panic").len();
    check_statements(&alice.shared, &office).await.expect("not yet");
    assert_eq!(office.asked.lock().expect("no panic").len(), asked, "not asked again so soon");
    wait(60_000);
    check_statements(&alice.shared, &office).await.expect("asked");
    let hidden = lines(&alice, ItemKind::Hidden);
    assert!(matches!(&hidden[..], [one] if one.contains("names a key")), "{hidden:?}");
    assert_eq!(lines(&alice, ItemKind::Service), [TEXT]);
}
