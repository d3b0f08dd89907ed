//! Each lie that an auditor can catch, told by a service that signs with the real keys.

mod scene;

use std::time::{Duration, Instant};

use scene::{DOMAIN, Desk, House, NEWEST, Service, root_path};
use zegel_directory::{Root, SignedRoot, SignerKey};
use zegel_identity::SigningKey;
use zegel_proto::{Message, v1};

/// A desk that has followed a house to its newest epoch, and the service that it followed.
fn followed(epochs: u64) -> (House, Service, Desk) {
    let mut house = House::new();
    house.grow(epochs);
    let service = Service::of(&house);
    let desk = Desk::new();
    let said = desk.once(&service.url, &[]).fine();
    assert!(said.out.starts_with(&format!("{DOMAIN}: {epochs} new epochs checked;")), "{said:?}");
    (house, service, desk)
}

/// Shows, as epoch `epoch`, a root of the house's own with something changed, signed with the real key.
fn altered(house: &House, service: &Service, epoch: u64, alter: impl FnOnce(&mut Root)) {
    let mut root = house.roots[epoch as usize].root.clone();
    alter(&mut root);
    let signed = SignedRoot::sign(DOMAIN, root, &house.key);
    service.put(&root_path(epoch), house.answer(&signed));
    service.put(NEWEST, house.answer(&signed));
}

#[test]
fn a_removed_entry() {
    let (mut house, service, desk) = followed(3);
    // Epoch 4 stands on a tree in which person 2 never was.
    let mut other = House::new();
    other.publish([1], 1);
    other.publish([3], 1);
    other.publish([4], 1);
    other.publish([5], 1);
    let tree = other.roots[4].root.tree;
    let root = house.sign(4, tree);
    house.roots.push(root);
    house.proofs.push(other.proofs[4].clone());
    service.show(&house);
    desk.once(&service.url, &[]).caught("removed or rewrote something in epoch 4");
    let evidence = desk.evidence();
    assert_eq!(evidence["epoch"], 4);
    assert_eq!(evidence["domain"], DOMAIN);
    assert_eq!(evidence["keys"][0]["key"], hex::encode(house.key.links()[0].key));
    let exhibits = evidence["exhibits"].as_array().expect("a list");
    let body = exhibits[1]["root"]["body"].as_str().expect("a root");
    assert_eq!(Root::from_bytes(&hex::decode(body).expect("hex")), Ok(house.roots[4].root.clone()));
    assert_eq!(exhibits[2]["answer"]["body"], hex::encode(&other.proofs[4]));
    // It is remembered, and found again.
    let said = desk.once(&service.url, &[]).caught("epoch 4");
    assert!(said.err.contains("lies found with this state before: 1"), "{said:?}");
}

#[test]
fn a_rewritten_entry() {
    let (mut house, service, desk) = followed(3);
    let mut other = House::new();
    other.publish([1], 1);
    other.publish([2], 9);
    other.publish([3], 1);
    other.publish([4], 1);
    let root = house.sign(4, other.roots[4].root.tree);
    house.roots.push(root);
    house.proofs.push(other.proofs[4].clone());
    service.show(&house);
    desk.once(&service.url, &[]).caught("removed or rewrote something in epoch 4");
}

#[test]
fn a_proof_that_cannot_be_read_or_is_not_there() {
    let (mut house, service, desk) = followed(1);
    house.grow(1);
    service.show(&house);
    service.put(&house.proof_path(2), b"nothing".to_vec());
    desk.once(&service.url, &[]).caught("removed or rewrote something in epoch 2 (the proof cannot be read)");
    service.remove(&house.proof_path(2));
    desk.once(&service.url, &[]).caught("has no proof that epoch 2 only added to it");
    service.show(&house);
    desk.once(&service.url, &[]).fine();
}

/// As deep as labels are long, to the end of anybody's stack.
#[test]
fn a_proof_of_the_deepest_tree() {
    use akd::{AzksElement, AzksValue, NodeLabel, SingleAppendOnlyProof, local_auditing::AuditBlob};
    let (mut house, service, desk) = followed(1);
    house.grow(1);
    service.show(&house);
    let node = |depth: u32| {
        let mut bits = [0; 32];
        bits[depth as usize / 8] = 0x80 >> (depth % 8);
        AzksElement { label: NodeLabel::new(bits, depth + 1), value: AzksValue([1; 32]) }
    };
    let unchanged_nodes = (0..255).map(node).collect();
    let proof = SingleAppendOnlyProof { inserted: vec![node(255)], unchanged_nodes };
    let blob = AuditBlob::new([0; 32], [0; 32], 2, &proof).expect("a file");
    service.put(&house.proof_path(2), blob.data);
    desk.once(&service.url, &[]).caught("removed or rewrote something in epoch 2");
}

#[test]
fn a_second_root_for_an_epoch() {
    let (house, service, desk) = followed(4);
    altered(&house, &service, 4, |root| root.time_ms += 1);
    desk.once(&service.url, &[]).caught("showed two different roots for epoch 4");
    let exhibits = desk.evidence()["exhibits"].clone();
    let (ours, theirs) = (&exhibits[0]["root"]["body"], &exhibits[2]["root"]["body"]);
    assert!(ours.is_string() && theirs.is_string() && ours != theirs, "{exhibits}");
    // Even an old epoch, shown as the newest: not only a step back.
    altered(&house, &service, 2, |root| root.time_ms += 1);
    desk.once(&service.url, &[]).caught("showed two different roots for epoch 2");
}

#[test]
fn a_history_that_does_not_begin_where_the_last_one_ended() {
    let (_, service, desk) = followed(4);
    let mut other = House::new();
    other.grow(3);
    other.publish([4], 9);
    other.grow(1);
    service.show(&other);
    desk.once(&service.url, &[]).caught("showed two different roots for epoch 4");
}

#[test]
fn a_wrong_link_to_an_earlier_root() {
    let (mut house, service, desk) = followed(4);
    house.grow(2);
    service.show(&house);
    altered(&house, &service, 6, |root| root.previous = [1; 32]);
    desk.once(&service.url, &[]).caught("showed two different roots for epoch 5");
    altered(&house, &service, 6, |root| root.skip = [1; 32]);
    desk.once(&service.url, &[]).caught("showed two different roots for epoch 4");
    service.show(&house);
    altered(&house, &service, 3, |root| root.previous = [1; 32]);
    Desk::new().once(&service.url, &[]).caught("showed two different roots for epoch 2");
}

#[test]
fn one_root_for_those_who_ask_for_the_newest_and_another_for_those_who_ask_for_its_number() {
    let (mut house, service, desk) = followed(2);
    house.grow(1);
    service.show(&house);
    let mut root = house.roots[3].root.clone();
    root.time_ms += 1;
    service.put(NEWEST, house.answer(&SignedRoot::sign(DOMAIN, root, &house.key)));
    desk.once(&service.url, &[]).caught("showed two different roots for epoch 3");
}

#[test]
fn a_step_back() {
    let (house, service, desk) = followed(4);
    service.newest(&house, 2);
    desk.once(&service.url, &[]).caught("showed epoch 2 after epoch 4: it went back");
}

#[test]
fn an_epoch_that_is_gone() {
    let (mut house, service, desk) = followed(4);
    service.remove(NEWEST);
    desk.once(&service.url, &[]).caught("hides epoch 4, which others have seen");
    house.grow(2);
    service.show(&house);
    service.remove(&root_path(5));
    desk.once(&service.url, &[]).caught("hides epoch 5");
}

#[test]
fn a_root_that_nobody_signed() {
    let (mut house, service, desk) = followed(2);
    house.grow(1);
    service.show(&house);
    let mut forged = house.roots[3].clone();
    forged.signature[5] ^= 1;
    service.put(&root_path(3), house.answer(&forged));
    desk.once(&service.url, &[]).caught("showed a root that its keys did not sign");
    service.put(NEWEST, house.answer(&forged));
    desk.once(&service.url, &[]).caught("showed a root that its keys did not sign");
}

#[test]
fn other_keys() {
    let (_, service, desk) = followed(2);
    let mut other = House::new();
    other.key = SignerKey::first(SigningKey::from_bytes(&[8; 32]));
    other.grow(3);
    service.show(&other);
    desk.once(&service.url, &[]).caught("changed its keys without the old ones' consent");
}

#[test]
fn a_key_that_the_old_one_named_is_fine() {
    let (mut house, service, desk) = followed(2);
    house.key = house.key.rotate(DOMAIN, SigningKey::from_bytes(&[8; 32]));
    house.grow(2);
    service.show(&house);
    desk.once(&service.url, &[]).fine();
    // From then on the old one signs no more.
    let old = SignerKey::first(SigningKey::from_bytes(&[9; 32]));
    let newest = house.roots[4].root.clone();
    let root = Root { epoch: 5, signer: 0, previous: newest.hash(), skip: newest.hash(), ..newest };
    let signed = SignedRoot::sign(DOMAIN, root, &old);
    service.put(&root_path(5), house.answer(&signed));
    service.put(NEWEST, house.answer(&signed));
    desk.once(&service.url, &[]).caught("signed epoch 5 with a key that it had replaced");
}

#[test]
fn another_function_and_an_earlier_time() {
    let (mut house, service, desk) = followed(2);
    house.grow(1);
    service.show(&house);
    altered(&house, &service, 3, |root| root.vrf = [3; 32]);
    desk.once(&service.url, &[]).caught("places handles in another way than before");
    altered(&house, &service, 3, |root| root.time_ms = 5);
    desk.once(&service.url, &[]).caught("dated epoch 3 before the one before it");
}

#[test]
fn nonsense() {
    let (mut house, service, desk) = followed(2);
    service.put(NEWEST, b"<html>".to_vec());
    desk.once(&service.url, &[]).caught("made no sense (a root)");
    house.grow(1);
    service.show(&house);
    service.put(&root_path(3), house.answer(&house.roots[2]));
    desk.once(&service.url, &[]).caught("made no sense (a root that was not asked for)");
    let mut answer = v1::RootAnswer::decode(&*house.answer(&house.roots[3])).expect("a root");
    answer.root.as_mut().expect("a root").body = vec![9; 149].into();
    service.put(NEWEST, answer.encode_to_vec());
    desk.once(&service.url, &[]).caught("made no sense (a root)");
}

#[test]
fn a_first_tree_that_is_not_empty() {
    let mut house = House::new();
    house.grow(1);
    let tree = house.roots[1].root.tree;
    house.roots.clear();
    let root = house.sign(0, tree);
    house.roots.push(root);
    let service = Service::of(&house);
    Desk::new().once(&service.url, &[]).caught("made no sense (a first root whose tree is not empty)");
}

/// The list goes another way than the one that was followed: the key that signed both is caught at once.
#[test]
fn keys_that_part() {
    let mut house = House::new();
    house.key = house.key.rotate(DOMAIN, SigningKey::from_bytes(&[8; 32]));
    house.grow(2);
    let service = Service::of(&house);
    let desk = Desk::new();
    desk.once(&service.url, &[]).fine();
    let mut other = House::new();
    other.key = other.key.rotate(DOMAIN, SigningKey::from_bytes(&[7; 32]));
    other.grow(3);
    service.show(&other);
    let begun = Instant::now();
    let said = desk.once(&service.url, &["--patience", "600"]);
    said.caught("changed its keys without the old ones' consent");
    assert!(begun.elapsed() < Duration::from_secs(60));
    let exhibits = desk.evidence()["exhibits"].clone();
    let second = |at: usize| exhibits[at]["keys"]["keys"][1]["key"].clone();
    assert_eq!(second(2), hex::encode(house.key.links()[1].key), "{exhibits:#}");
    assert_eq!(second(3), hex::encode(other.key.links()[1].key), "{exhibits:#}");
    assert_eq!(desk.evidence()["signed_twice"], true);
}

/// A cache's old answer, a proxy's 404 during a restart.
#[test]
fn a_short_disturbance_is_no_lie() {
    let (mut house, service, desk) = followed(2);
    for number in 0..5 {
        house.grow(1);
        service.show(&house);
        let epoch = house.newest();
        match number {
            0 => service.newest(&house, 1),
            1 => service.remove(NEWEST),
            2 => service.remove(&root_path(epoch)),
            3 => service.remove(&house.proof_path(epoch)),
            _ => service.put(NEWEST, b"<html>".to_vec()),
        }
        let daemon = desk.daemon(&service.url, &["--patience", "600"]);
        daemon.waits_for("errors_total", 2.0);
        assert_eq!(
            (daemon.metric("lies_total"), daemon.metric("last_success_timestamp_seconds")),
            (0.0, 0.0)
        );
        service.show(&house);
        daemon.reaches(epoch);
    }
    // The same for `--once`, which waits; a look asks once for the newest root, once for another, and for its proof.
    let desk = Desk::new();
    service.newest(&house, 2);
    desk.once(&service.url, &[]).fine();
    service.newest(&house, 1);
    let before = service.asked();
    std::thread::scope(|scope| {
        let said = scope.spawn(|| desk.once(&service.url, &["--patience", "600"]).fine());
        while service.asked() < before + 2 {
            std::thread::sleep(Duration::from_millis(20));
            assert!(!said.is_finished(), "it was not noticed");
        }
        service.newest(&house, 3);
    });
    assert!(service.asked() >= before + 5);
}

/// However long it is told to wait.
#[test]
fn what_is_signed_twice_is_a_lie_at_once() {
    let (house, service, desk) = followed(2);
    altered(&house, &service, 2, |root| root.time_ms += 1);
    let begun = Instant::now();
    desk.once(&service.url, &["--patience", "600"]).caught("showed two different roots for epoch 2");
    assert!(begun.elapsed() < Duration::from_secs(60));
}
