//! Roots and keys, as a server hands them out; and whether what is read is what was written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_directory::{Entry, Root, SignedPromise, SignedRoot, SignerLink, View};
use zegel_proto::{Message, v1::RootAnswer};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(root) = Root::from_bytes(bytes) {
        assert_eq!(root.to_bytes(), bytes);
    }
    if let Ok(entry) = Entry::from_bytes(bytes) {
        assert_eq!(entry.to_bytes(), bytes);
    }
    if let Ok(promise) = zegel_proto::v1::SignedPromise::decode(bytes) {
        let _ = SignedPromise::try_from(&promise);
    }
    let Ok(answer) = RootAnswer::decode(bytes) else { return };
    let Some(Ok(root)) = answer.root.as_ref().map(SignedRoot::try_from) else { return };
    let Ok(signers) = answer.signers.iter().map(SignerLink::try_from).collect::<Result<Vec<_>, _>>() else {
        return;
    };
    let path: Vec<Root> = answer.path.iter().filter_map(|body| Root::from_bytes(body).ok()).collect();
    for to in path.iter().map(|root| root.previous[0].into()).chain([0, 1, root.root.epoch]) {
        let _ = root.root.ancestor(to, &path);
    }
    let Ok(mut view) = View::begin("example.org", &signers, root.clone()) else { return };
    assert!(view.believes(&root.seen()));
    assert_eq!(view.advance(root, &path), Ok(()));
    let _ = view.learn_signers(&signers);
});
