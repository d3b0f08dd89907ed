//! What a receiver refuses to show: each mismatch is planted once, and one message is right.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use zegel_franking::{Context, Expected, Mismatch, ZERO_TAG, check_commit, check_received, franking_tag};

const SALT: [u8; 16] = [5; 16];
const SAID: &[u8] = b"content";

/// SHA-256 of "ciphertext", computed elsewhere.
const MESSAGE_HASH: &str = "305531dcc50ebca31cf1d5b31e9fc76ed51f66b3b6dd5a030c6539ae6532f979";

fn message() -> Context {
    let mut message_hash = [0; 32];
    hex::decode_to_slice(MESSAGE_HASH, &mut message_hash).unwrap();
    Context {
        key_id: 1,
        sender_account: [1; 16],
        sender_device: [2; 16],
        room: [3; 32],
        epoch: 4,
        server_seq: 5,
        accepted_ms: 6,
        franking_tag: franking_tag(&SALT, SAID),
        message_hash,
        prev_stamp_hash: [7; 32],
    }
}

fn commit() -> Context {
    Context { franking_tag: ZERO_TAG, ..message() }
}

fn expected() -> Expected<'static> {
    Expected { room: &[3; 32], epoch: 4, account: &[1; 16], device: &[2; 16], ciphertext: b"ciphertext" }
}

#[test]
fn what_is_right_is_shown() {
    assert_eq!(check_received(&message(), &expected(), &SALT, SAID), Ok(()));
    assert_eq!(check_commit(&commit(), &expected()), Ok(()));
}

type Plant = fn(&mut Context);

#[test]
fn what_the_server_got_wrong_is_refused() {
    let cases: [(Plant, Mismatch); 5] = [
        (|context| context.room[0] ^= 1, Mismatch::Room),
        (|context| context.epoch += 1, Mismatch::Epoch),
        (|context| context.sender_account[0] ^= 1, Mismatch::Sender),
        (|context| context.sender_device[0] ^= 1, Mismatch::Sender),
        (|context| context.message_hash[0] ^= 1, Mismatch::Ciphertext),
    ];
    for (plant, mismatch) in cases {
        let (mut message, mut commit) = (message(), commit());
        plant(&mut message);
        plant(&mut commit);
        assert_eq!(check_received(&message, &expected(), &SALT, SAID), Err(mismatch));
        assert_eq!(check_commit(&commit, &expected()), Err(mismatch));
    }
}

#[test]
fn what_was_opened_elsewhere_is_refused() {
    let cases = [
        (Expected { room: &[9; 32], ..expected() }, Mismatch::Room),
        (Expected { epoch: 3, ..expected() }, Mismatch::Epoch),
        (Expected { account: &[9; 16], ..expected() }, Mismatch::Sender),
        (Expected { device: &[9; 16], ..expected() }, Mismatch::Sender),
        (Expected { ciphertext: b"", ..expected() }, Mismatch::Ciphertext),
    ];
    for (expected, mismatch) in cases {
        assert_eq!(check_received(&message(), &expected, &SALT, SAID), Err(mismatch));
        assert_eq!(check_commit(&commit(), &expected), Err(mismatch));
    }
}

#[test]
fn the_tag_of_another_content_is_refused() {
    assert_eq!(check_received(&message(), &expected(), &SALT, b"other"), Err(Mismatch::Tag));
    assert_eq!(check_received(&message(), &expected(), &[6; 16], SAID), Err(Mismatch::Tag));
    assert_eq!(check_received(&commit(), &expected(), &SALT, SAID), Err(Mismatch::Tag));
    assert_eq!(check_commit(&message(), &expected()), Err(Mismatch::Tag));
}
