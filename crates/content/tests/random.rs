//! Any content comes back as it was sent, and no bytes make the decoder panic.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use zegel_content::{
    Body, Content, Disposition, Expires, External, LastSeen, MessageId, Part, SeenRoot, SeenSigner, Semantics,
};

fn external() -> impl Strategy<Value = External> {
    let texts = (".{0,20}", ".{0,20}", ".{0,20}", ".{0,20}");
    let bytes = vec(vec(any::<u8>(), 0..40), 4);
    let numbers = any::<(u32, u64, u16, u8)>();
    (texts, bytes, numbers).prop_map(|(texts, mut bytes, (expires, size, enc_alg, hash_alg))| External {
        content_type: texts.0,
        url: texts.1,
        expires,
        size,
        enc_alg,
        key: bytes.remove(0),
        nonce: bytes.remove(0),
        aad: bytes.remove(0),
        hash_alg,
        content_hash: bytes.remove(0),
        description: texts.2,
        filename: texts.3,
    })
}

fn body() -> impl Strategy<Value = Body> {
    let text = ".{0,80}".prop_map(|text: String| Body::Single {
        content_type: "text/plain".into(),
        content: text.into_bytes(),
    });
    let opaque = ("x-[a-z]{1,9}/[a-z]{1,9}", vec(any::<u8>(), 0..80))
        .prop_map(|(content_type, content)| Body::Single { content_type, content });
    prop_oneof![Just(Body::Null), text, opaque, external().prop_map(|file| Body::External(Box::new(file)))]
}

fn leaf(body: impl Strategy<Value = Body>) -> impl Strategy<Value = Part> {
    (any::<u8>(), "[a-z]{0,3}", body).prop_map(|(disposition, language, body)| Part {
        disposition: Disposition::from(disposition),
        language,
        body,
    })
}

fn part() -> impl Strategy<Value = Part> {
    leaf(body()).prop_recursive(3, 16, 4, |inner| {
        let semantics =
            prop_oneof![Just(Semantics::ChooseOne), Just(Semantics::SingleUnit), Just(Semantics::ProcessAll)];
        leaf((semantics, vec(inner, 2..4)).prop_map(|(semantics, parts)| Body::Multi { semantics, parts }))
    })
}

fn content() -> impl Strategy<Value = Content> {
    let head = (any::<[u8; 16]>(), option::of(any::<[u8; 32]>()), vec(any::<u8>(), 0..40));
    let refs = (option::of(any::<(bool, u32)>()), option::of(any::<[u8; 32]>()));
    let uris = (".{0,60}", ".{0,60}");
    let ours = (option::of(any::<(u64, [u8; 32])>()), any::<u32>(), any::<u64>());
    let twice = |half: [u8; 32]| std::array::from_fn(|i| half[i % 32]);
    let signers = vec(any::<([u8; 32], Option<[u8; 32]>)>(), 1..=16);
    let root = option::of((any::<u64>(), any::<[u8; 32]>(), any::<u32>(), any::<[u8; 32]>(), signers));
    let root = root.prop_map(move |root| {
        root.map(|(epoch, hash, signer, half, signers)| {
            let named = |(key, half): ([u8; 32], Option<_>)| SeenSigner { key, endorsement: half.map(twice) };
            let signers = signers.into_iter().map(named).collect();
            SeenRoot { epoch, hash, signer, signature: twice(half), signers }
        })
    });
    (head, refs, uris, (ours, root), part()).prop_map(|(head, refs, uris, (ours, seen_root), part)| Content {
        salt: head.0,
        replaces: head.1.map(MessageId),
        topic: head.2,
        expires: refs.0.map(|(relative, time)| Expires { relative, time }),
        in_reply_to: refs.1.map(MessageId),
        sender_uri: uris.0,
        room_uri: uris.1,
        last_seen: ours.0.map(|(server_seq, stamp_hash)| LastSeen { server_seq, stamp_hash }),
        forward_count: ours.1,
        sent_ms: ours.2,
        seen_root,
        part,
    })
}

proptest! {
    #[test]
    fn what_is_sent_is_what_is_read(content in content()) {
        let bytes = content.encode().unwrap();
        let read = Content::decode(&bytes).unwrap();
        prop_assert!(read == content);
        prop_assert_eq!(read.encode().unwrap(), bytes);
    }

    #[test]
    fn random_bytes_do_no_harm(bytes in vec(any::<u8>(), 0..600)) {
        let _ = Content::decode(&bytes);
    }

    /// Far more of these get past the first byte.
    #[test]
    fn mutated_bytes_do_no_harm(
        content in content(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
    ) {
        let valid = content.encode().unwrap();
        prop_assert!(Content::decode(&valid[..cut.index(valid.len())]).is_err());
        let mut bytes = valid;
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(read) = Content::decode(&bytes) {
            let _ = read.body();
            // What was accepted has one encoding, up to extensions that we do not know and zeros left out.
            prop_assert!(read.encode().unwrap().len() <= bytes.len());
        }
    }
}
