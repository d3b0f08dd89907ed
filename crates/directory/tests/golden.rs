//! The bytes of a root, an entry and a promise: they are signed and hashed, so they never change by chance.

mod common;

use common::*;
use proptest::prelude::*;
use zegel_directory::*;

const GOLDEN: &str = include_str!("golden.txt");

fn golden() -> Vec<(&'static str, Vec<u8>)> {
    let key = SignerKey::first(secret(1)).rotate(DOMAIN, secret(2));
    let root = Root {
        epoch: 6,
        time_ms: 1_700_000_000_000,
        signer: 1,
        tree: [3; 32],
        vrf: [4; 32],
        previous: [5; 32],
        skip: [6; 32],
    };
    let signed = SignedRoot::sign(DOMAIN, root.clone(), &key);
    let label = Label::of(DOMAIN, "alice");
    let promise = Promise { label, entry: entry(7, 1), by_epoch: 8, made_ms: 1_700_000_000_001 };
    let promised = promise.sign(DOMAIN, &key);
    vec![
        ("label", label.0.to_vec()),
        ("entry", entry(7, 1).to_bytes()),
        ("entry ended", entry(7, 1).tombstone().to_bytes()),
        ("root", root.to_bytes()),
        ("root hash", root.hash().to_vec()),
        ("root signature", signed.signature),
        ("key endorsement", key.links()[1].endorsement.clone()),
        ("promise signature", promised.signature.clone()),
        ("promise", prost::Message::encode_to_vec(&zegel_proto::v1::SignedPromise::from(&promised))),
    ]
}

#[test]
fn bytes_stay() {
    let now: String =
        golden().into_iter().map(|(name, bytes)| format!("{name}: {}\n", hex::encode(bytes))).collect();
    assert!(now == GOLDEN, "if this change is meant, golden.txt becomes:\n{now}");
}

#[test]
fn other_forms_are_refused() {
    let bytes = entry(7, 1).to_bytes();
    assert_eq!(Entry::from_bytes(&bytes), Ok(entry(7, 1)));
    assert_eq!(Entry::from_bytes(&[&[2], &bytes[1..]].concat()), Err(EntryError::Version(2)));
    assert_eq!(Entry::from_bytes(&[&[1, 2], &bytes[2..]].concat()), Err(EntryError::Form));
    assert_eq!(Entry::from_bytes(&[&bytes[..], &[0]].concat()), Err(EntryError::Form));
    assert_eq!(Entry::from_bytes(&[&bytes[..18], &[0; 8], &bytes[26..]].concat()), Err(EntryError::Form));
    assert_eq!(Root::from_bytes(&[2; 149]), Err(RootError::Version(2)));
    assert_eq!(Root::from_bytes(&[1; 148]), Err(RootError::Form));
}

proptest! {
    #[test]
    fn what_is_read_is_what_was_written(bytes in proptest::collection::vec(any::<u8>(), 0..160), first in 0..2u8) {
        let mut bytes = bytes;
        if let Some(byte) = bytes.first_mut() {
            *byte = first;
        }
        if let Ok(entry) = Entry::from_bytes(&bytes) {
            prop_assert_eq!(entry.to_bytes(), bytes.clone());
        }
        if let Ok(root) = Root::from_bytes(&bytes) {
            prop_assert_eq!(root.to_bytes(), bytes);
        }
    }

    #[test]
    fn every_root_of_the_right_length_is_read(body in proptest::collection::vec(any::<u8>(), 148)) {
        let bytes = [vec![1], body].concat();
        prop_assert_eq!(Root::from_bytes(&bytes).expect("any fields will do").to_bytes(), bytes);
    }
}
