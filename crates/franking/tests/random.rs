//! Any context comes back as it was written, only its own stamp fits, and no bytes make the parser panic.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use proptest::collection::vec;
use proptest::prelude::*;
use zegel_franking::{
    CONTEXT_LEN, Chain, Context, Link, StampKey, franking_tag, stamp, verify_stamp, verify_tag,
};

prop_compose! {
    fn context()(
        ids in any::<(u32, [u8; 16], [u8; 16], [u8; 32])>(),
        numbers in any::<(u64, u64, u64)>(),
        hashes in any::<([u8; 32], [u8; 32], [u8; 32])>(),
    ) -> Context {
        Context {
            key_id: ids.0,
            sender_account: ids.1,
            sender_device: ids.2,
            room: ids.3,
            epoch: numbers.0,
            server_seq: numbers.1,
            accepted_ms: numbers.2,
            franking_tag: hashes.0,
            message_hash: hashes.1,
            prev_stamp_hash: hashes.2,
        }
    }
}

proptest! {
    #[test]
    fn what_is_written_is_what_is_read(context in context()) {
        prop_assert_eq!(Context::from_bytes(&context.to_bytes()), Ok(context));
    }

    #[test]
    fn random_bytes_do_no_harm(mut bytes in vec(any::<u8>(), 0..2 * CONTEXT_LEN), known in any::<bool>()) {
        if known && bytes.len() >= 2 {
            bytes[..2].copy_from_slice(&[0, 1]);
        }
        if let Ok(context) = Context::from_bytes(&bytes) {
            prop_assert_eq!(context.to_bytes().to_vec(), bytes);
        }
    }

    #[test]
    fn a_flipped_bit_of_context_key_or_stamp_breaks_it(
        context in context(), key in any::<[u8; 32]>(), bit in 16..CONTEXT_LEN * 8, other in 0..256usize,
    ) {
        let flip = |bytes: &mut [u8], bit: usize| bytes[bit / 8] ^= 1 << (bit % 8);
        let good = stamp(&StampKey::new(key), &context);
        prop_assert!(verify_stamp(&StampKey::new(key), &context, &good));
        let mut bytes = context.to_bytes();
        flip(&mut bytes, bit);
        let changed = Context::from_bytes(&bytes).unwrap();
        prop_assert!(!verify_stamp(&StampKey::new(key), &changed, &good));
        let (mut wrong_key, mut wrong_stamp) = (key, good);
        flip(&mut wrong_key, other);
        flip(&mut wrong_stamp, other);
        prop_assert!(!verify_stamp(&StampKey::new(wrong_key), &context, &good));
        prop_assert!(!verify_stamp(&StampKey::new(key), &context, &wrong_stamp));
    }

    #[test]
    fn a_tag_fits_one_content_only(
        salt in any::<[u8; 16]>(), said in vec(any::<u8>(), 1..200), place in any::<prop::sample::Index>(),
    ) {
        let tag = franking_tag(&salt, &said);
        prop_assert!(verify_tag(&salt, &said, &tag));
        let mut other = said.clone();
        other[place.index(said.len())] ^= 1;
        prop_assert!(!verify_tag(&salt, &other, &tag));
    }

    /// Whatever a server sends, a chain goes on and never back.
    #[test]
    fn a_chain_survives_any_contexts(origin in context(), contexts in vec(context(), 0..20)) {
        let mut chain = Chain::origin(&origin);
        for context in contexts {
            let before = chain;
            let link = chain.check(&context);
            prop_assert_eq!(link == Link::Repeat, context.server_seq < before.next_seq);
            prop_assert!(chain.next_seq >= before.next_seq);
        }
    }
}
