//! The bytes of version 1, pinned. The files were made by another program, not by this crate.

use zegel_franking::{
    CONTEXT_LEN, Context, ContextError, StampKey, franking_tag, stamp, verify_stamp, verify_tag,
};

const CONTEXT: &[u8] = include_bytes!("golden/context-v1.bin");
const STAMP: &[u8; 32] = include_bytes!("golden/stamp-v1.bin");
const STAMP_HASH: &[u8; 32] = include_bytes!("golden/stamp-hash-v1.bin");

fn context() -> Context {
    Context {
        key_id: 7,
        sender_account: [1; 16],
        sender_device: [2; 16],
        room: [3; 32],
        epoch: 4,
        server_seq: (1 << 40) + 5,
        accepted_ms: 1_700_000_000_000,
        franking_tag: [6; 32],
        message_hash: [7; 32],
        prev_stamp_hash: [8; 32],
    }
}

#[test]
fn the_context() {
    assert_eq!(context().to_bytes(), CONTEXT);
    assert_eq!(Context::from_bytes(CONTEXT), Ok(context()));
    assert_eq!(context().hash(), *STAMP_HASH);
}

#[test]
fn the_stamp() {
    let key = StampKey::new([9; 32]);
    assert_eq!(stamp(&key, &context()), *STAMP);
    assert!(verify_stamp(&key, &context(), STAMP));
    assert!(!verify_stamp(&StampKey::new([8; 32]), &context(), STAMP));
}

#[test]
fn the_tag() {
    let salt = std::array::from_fn(|i| i as u8);
    let tag = franking_tag(&salt, b"content");
    assert_eq!(hex::encode(tag), "fd0435e71550ab3dcaefb1b69c9360bbf853261e6829e047775f40b509206f42");
    assert!(verify_tag(&salt, b"content", &tag));
    assert!(!verify_tag(&salt, b"Content", &tag));
    assert!(!verify_tag(&[0; 16], b"content", &tag));
}

#[test]
fn another_version_or_length_is_refused() {
    let later = [&[0, 2], CONTEXT, &[0; 8]].concat();
    assert_eq!(Context::from_bytes(&later), Err(ContextError::Version(2)));
    let longer = [CONTEXT, &[0]].concat();
    assert_eq!(Context::from_bytes(&longer), Err(ContextError::Length { got: CONTEXT_LEN + 1 }));
    for got in 0..CONTEXT_LEN {
        assert_eq!(Context::from_bytes(&CONTEXT[..got]), Err(ContextError::Length { got }));
    }
}

#[test]
fn every_flipped_bit_breaks_the_stamp() {
    let key = StampKey::new([9; 32]);
    for bit in 0..CONTEXT_LEN * 8 {
        let mut bytes = CONTEXT.to_vec();
        bytes[bit / 8] ^= 1 << (bit % 8);
        match Context::from_bytes(&bytes) {
            Ok(changed) => {
                assert!(!verify_stamp(&key, &changed, STAMP), "bit {bit}");
                assert_ne!(changed.hash(), *STAMP_HASH, "bit {bit}");
            }
            Err(error) => assert!(bit < 16 && matches!(error, ContextError::Version(_)), "bit {bit}"),
        }
    }
}

#[test]
fn a_key_is_never_printed() {
    assert_eq!(format!("{:?}", StampKey::new([9; 32])), "StampKey(..)");
}
