//! One history: every way to leave it has a name.

mod common;

use common::*;
use zegel_directory::*;

/// Twenty epochs; the tree does not matter here.
async fn lived(seed: u8) -> Service {
    let mut service = Service::new().await;
    for epoch in 1..=20 {
        service.sign(if epoch < 10 { [epoch; 32] } else { [epoch.wrapping_add(seed); 32] });
    }
    service
}

#[test]
fn the_way_down_is_short() {
    // At most one step for every bit and every pair of bits.
    let bits = |from: u64| (u64::BITS - from.leading_zeros()) as usize;
    let most = |from: u64| bits(from) * (bits(from) + 1) / 2;
    for from in 0..300u64 {
        for to in 0..=from {
            let path = path_epochs(from, to);
            assert!(path.windows(2).all(|pair| pair[0] > pair[1]));
            assert!(path.iter().all(|epoch| (to + 1..from).contains(epoch)));
            assert!(path.len() <= most(from), "{from} to {to}: {}", path.len());
        }
    }
    for to in [0, 1, 1 << 40, u64::MAX >> 1, u64::MAX - 1, u64::MAX] {
        assert!(path_epochs(u64::MAX, to).len() <= most(u64::MAX));
    }
    // A year of epochs.
    assert!(path_epochs(3_153_600, 1).len() < 240);
    assert_eq!(path_epochs(3, 9), []);
}

#[tokio::test]
async fn no_forged_path_leads_anywhere() {
    let service = lived(0).await;
    for from in 0..=20u64 {
        for to in 0..=from {
            let (root, hash) = (&service.roots[from as usize].root, service.roots[to as usize].root.hash());
            let path = service.path(from, to);
            assert_eq!(root.ancestor(to, &path), Some(hash));
            assert_eq!(root.ancestor(from + 1, &path), None);
            for at in 0..path.len() {
                let mut short = path.clone();
                short.remove(at);
                assert_eq!(root.ancestor(to, &short), None);
                // Any field of any root on the way.
                let forgeries: [fn(&mut Root); 7] = [
                    |root| root.epoch ^= 1,
                    |root| root.time_ms ^= 1,
                    |root| root.signer ^= 1,
                    |root| root.tree[0] ^= 1,
                    |root| root.vrf[0] ^= 1,
                    |root| root.previous[0] ^= 1,
                    |root| root.skip[0] ^= 1,
                ];
                for forge in forgeries {
                    let mut forged = path.clone();
                    forge(&mut forged[at]);
                    assert_eq!(root.ancestor(to, &forged), None);
                }
            }
            assert_eq!(root.ancestor(to, &[]).is_some(), path.is_empty());
        }
    }
}

#[tokio::test]
async fn going_back_is_a_rollback() {
    let service = lived(0).await;
    let mut view = service.view(9);
    for older in 0..9 {
        let lie = view.advance(service.roots[older as usize].clone(), &service.path(9, older));
        assert_eq!(lie, Err(Lie::Rollback { seen: 9, shown: older }));
    }
    assert_eq!(view, service.view(9), "what was seen stays");
}

#[tokio::test]
async fn another_history_is_a_fork() {
    let (service, other) = (lived(0).await, lived(100).await);
    let mut view = service.view(12);
    // The same epoch, and later ones with their own way down.
    for to in [12u64, 13, 20] {
        let lie = view.advance(other.roots[to as usize].clone(), &other.path(to, 12));
        assert_eq!(lie, Err(Lie::Fork(12)));
    }
    // The way down of the other history, or none, leads nowhere.
    for path in [service.path(20, 12), Vec::new()] {
        let lie = view.advance(other.roots[20].clone(), &path);
        assert_eq!(lie, Err(Lie::Unlinked { seen: 12, shown: 20 }));
    }
    view.advance(service.roots[20].clone(), &service.path(20, 12)).expect("the honest history");

    // Two people compare.
    let seen = other.roots[15].seen();
    assert!(view.believes(&seen));
    assert_eq!(view.compare(&seen, &service.path(20, 15)), Err(Lie::Fork(15)));
    let unlinked = Lie::Unlinked { seen: 15, shown: 20 };
    assert_eq!(view.compare(&seen, &other.path(20, 15)), Err(unlinked), "the other's way is not ours");
    view.compare(&other.roots[9].seen(), &service.path(20, 9)).expect("they part after epoch 9");
    let mut invented = service.roots[15].seen();
    invented.hash[0] ^= 1;
    assert!(!view.believes(&invented));
}

#[tokio::test]
async fn what_no_key_signed_is_not_taken() {
    let service = lived(0).await;
    let mut view = service.view(9);
    let stranger = SignerKey::first(secret(9));
    let next = service.roots[10].clone();
    let forged = SignedRoot::sign(DOMAIN, next.root.clone(), &stranger);
    assert_eq!(view.advance(forged.clone(), &[]), Err(Lie::Signature));
    assert_eq!(View::begin(DOMAIN, service.key.links(), forged), Err(Lie::Signature));
    let elsewhere = SignedRoot::sign("example.com", next.root.clone(), &service.key);
    assert_eq!(view.advance(elsewhere, &[]), Err(Lie::Signature));
    let forgeries: [fn(&mut SignedRoot); 3] = [
        |signed| signed.root.tree[0] ^= 1,
        |signed| signed.root.signer = 7,
        |signed| signed.signature.truncate(63),
    ];
    for forge in forgeries {
        let mut forged = next.clone();
        forge(&mut forged);
        assert_eq!(view.advance(forged, &[]), Err(Lie::Signature));
    }
}

#[tokio::test]
async fn the_function_that_places_handles_stays() {
    let service = lived(0).await;
    let mut root = service.roots[10].root.clone();
    root.vrf[0] ^= 1;
    let signed = SignedRoot::sign(DOMAIN, root, &service.key);
    assert_eq!(service.view(9).advance(signed, &[]), Err(Lie::Vrf));
}

#[tokio::test]
async fn time_and_keys_do_not_go_back() {
    let mut service = lived(0).await;
    let mut root = service.roots[10].root.clone();
    root.time_ms = service.roots[9].root.time_ms - 1;
    let signed = SignedRoot::sign(DOMAIN, root, &service.key);
    assert_eq!(service.view(9).advance(signed, &[]), Err(Lie::Time(10)));

    service.key = SignerKey::first(secret(1)).rotate(DOMAIN, secret(2));
    service.sign([21; 32]);
    let before = SignerKey::first(secret(1));
    let mut next = service.roots[20].root.clone();
    next.epoch = 22;
    next.time_ms = 9_999;
    next.previous = service.newest().root.hash();
    next.skip = service.roots[20].root.hash();
    let signed = SignedRoot::sign(DOMAIN, next, &before);
    assert_eq!(service.view(21).advance(signed, &[]), Err(Lie::OldKey(22)));
}

#[tokio::test]
async fn a_new_key_is_named_by_the_one_before() {
    let mut service = lived(0).await;
    let mut view = service.view(20);
    service.key = SignerKey::first(secret(1)).rotate(DOMAIN, secret(2));
    service.sign([21; 32]);
    let next = service.newest().clone();
    assert_eq!(view.clone().advance(next.clone(), &[]), Err(Lie::Signature), "not known yet");
    view.learn_signers(service.key.links()).expect("named by the first");
    view.advance(next, &[]).expect("signed by the second");
    view.learn_signers(SignerKey::first(secret(1)).links()).expect("an old list is no lie");
    assert_eq!(view.signers().first(), &secret(1).verifying_key().to_bytes());

    let usurped = SignerKey::first(secret(3)).rotate(DOMAIN, secret(2));
    assert_eq!(view.learn_signers(usurped.links()), Err(Lie::Keys));
    let elsewhere = SignerKey::first(secret(1)).rotate("example.com", secret(2));
    assert_eq!(view.learn_signers(elsewhere.links()), Err(Lie::Keys));
    let mut unnamed = service.key.links().to_vec();
    unnamed[1].endorsement = vec![0; 64];
    assert_eq!(view.learn_signers(&unnamed), Err(Lie::Keys));
    assert_eq!(view.learn_signers(&[]), Err(Lie::Keys));
    let other_second = SignerKey::first(secret(1)).rotate(DOMAIN, secret(4));
    assert_eq!(view.learn_signers(other_second.links()), Err(Lie::Keys));
}

#[tokio::test]
async fn a_promise_is_about_one_handle_and_falls_due() {
    let service = lived(0).await;
    let view = service.view(10);
    let promise = Promise { label: view.label("alice"), entry: entry(1, 0), by_epoch: 12, made_ms: 5_000 };
    let signed = promise.clone().sign(DOMAIN, &service.key);
    assert_eq!(view.promised("alice", &signed), Ok(entry(1, 0)));
    assert_eq!(view.promised("bob", &signed), Err(Lie::Promise));
    let forged = promise.clone().sign(DOMAIN, &SignerKey::first(secret(9)));
    assert_eq!(view.promised("alice", &forged), Err(Lie::Promise));
    let forgeries: [fn(&mut SignedPromise); 5] = [
        |signed| signed.promise.entry.len += 1,
        |signed| signed.promise.entry.ended = true,
        |signed| signed.promise.by_epoch += 1,
        |signed| signed.promise.made_ms += 1,
        |signed| signed.signer = 1,
    ];
    for forge in forgeries {
        let mut forged = signed.clone();
        forge(&mut forged);
        assert_eq!(view.promised("alice", &forged), Err(Lie::Promise));
    }

    let root = |epoch: usize| &service.roots[epoch].root;
    assert!(!signed.is_due(root(11), 5_000));
    assert!(signed.is_due(root(12), 0));
    assert!(!signed.is_due(root(11), 5_000 + PATIENCE_MS));
    assert!(signed.is_due(root(11), 5_001 + PATIENCE_MS));
}
