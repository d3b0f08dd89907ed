//! Proofs that a hostile directory makes: none may prove what is not so, and none may bring down who reads it.

mod common;

use akd::{
    AkdLabel, AzksElement, Configuration, Direction, HistoryParams, HistoryProof, HistoryVerificationParams,
    MembershipProof, NodeLabel, NonMembershipProof, WhatsAppV1Configuration,
};
use akd_core::proto::specs::types;
use common::*;
use proptest::prelude::*;
use protobuf::Message;
use zegel_directory::publisher::VrfKey;
use zegel_directory::*;

/// Twenty handles, of which the first has changed twice, and their proofs.
struct Scene {
    root: Root,
    older: Root,
    lookup: Vec<u8>,
    history: Vec<u8>,
    service: Service,
}

fn scene() -> Scene {
    let runtime = tokio::runtime::Builder::new_multi_thread().build().expect("threads can be started");
    runtime.block_on(async {
        let mut service = Service::new().await;
        service.publish((1..=20).map(|n| (label(n), entry(n, 0))).collect()).await;
        service.publish(vec![(label(1), entry(1, 1)), (label(2), entry(2, 1))]).await;
        let older = service.newest().root.clone();
        service.publish(vec![(label(1), entry(1, 2))]).await;
        let root = service.newest().root.clone();
        let (lookup, history) = (service.lookup(1).await, service.history(1, None).await);
        Scene { root, older, lookup, history, service }
    })
}

fn history_of(bytes: &[u8]) -> HistoryProof {
    let proof = types::HistoryProof::parse_from_bytes(bytes).expect("an honest proof");
    HistoryProof::try_from(&proof).expect("an honest proof")
}

fn history_bytes(proof: &HistoryProof) -> Vec<u8> {
    types::HistoryProof::from(proof).write_to_bytes().expect("it is short")
}

/// What stands at the top of the tree on the side where this proof's label is.
fn top(proof: &MembershipProof) -> AzksElement {
    let (mut label, mut value) = (proof.label, proof.hash_val);
    for layer in proof.sibling_proofs.iter().skip(1).rev() {
        let sibling = layer.siblings[0];
        let (left, right) = match layer.direction {
            Direction::Left => ((value, label), (sibling.value, sibling.label)),
            Direction::Right => ((sibling.value, sibling.label), (value, label)),
        };
        value = WhatsAppV1Configuration::compute_parent_hash_from_children(
            &left.0,
            &left.1.value::<WhatsAppV1Configuration>(),
            &right.0,
            &right.1.value::<WhatsAppV1Configuration>(),
        );
        label = layer.label;
    }
    AzksElement { label, value }
}

/// `akd` 0.13 takes any node above a leaf as proof that the leaf is not there. With the root of the tree, which is
/// above everything, a directory could show an old entry as the newest one, and hide every later one.
#[test]
fn an_old_entry_is_not_shown_as_the_newest() {
    let scene = scene();
    let mut forged = history_of(&scene.history);
    let third = forged.update_proofs.remove(0);

    let path = &third.existence_proof;
    let (mine, other) = (top(path), path.sibling_proofs[0].siblings[0]);
    let children = match path.sibling_proofs[0].direction {
        Direction::Left => [mine, other],
        Direction::Right => [other, mine],
    };
    let root = WhatsAppV1Configuration::compute_parent_hash_from_children(
        &children[0].value,
        &children[0].label.value::<WhatsAppV1Configuration>(),
        &children[1].value,
        &children[1].label.value::<WhatsAppV1Configuration>(),
    );
    // In epoch 3, versions 1 and 2 are all there is if version 3 is absent.
    forged.future_marker_vrf_proofs = vec![third.existence_vrf_proof.clone()];
    forged.non_existence_of_future_marker_proofs = vec![NonMembershipProof {
        label: third.existence_proof.label,
        longest_prefix: NodeLabel::root(),
        longest_prefix_children: children,
        longest_prefix_membership_proof: MembershipProof {
            label: NodeLabel::root(),
            hash_val: root,
            sibling_proofs: Vec::new(),
        },
    }];
    let mut newest = forged.clone();
    newest.update_proofs.truncate(1);

    for (asked, forged) in [(None, forged), (Some(1), newest)] {
        let Root { vrf, tree, epoch, .. } = &scene.root;
        let akd_label = AkdLabel(label(1).0.to_vec());
        let history_params = asked.map_or(HistoryParams::Complete, HistoryParams::MostRecent);
        let params = HistoryVerificationParams::Default { history_params };
        let taken = akd::client::key_history_verify::<WhatsAppV1Configuration>(
            vrf,
            *tree,
            *epoch,
            akd_label,
            forged.clone(),
            params,
        );
        let taken = taken.expect("akd takes it; if it no longer does, our own check is one too many");
        assert_eq!(taken[0].value.0, entry(1, 1).to_bytes());

        let refused = Err(ProofError::Wrong("what it says is absent may be there".into()));
        assert_eq!(verify_history(&scene.root, &label(1), asked, &history_bytes(&forged)), refused);
        if asked.is_some() {
            assert_eq!(
                verify_lookup(&scene.root, &label(1), &history_bytes(&forged)).map(|found| vec![found]),
                refused
            );
        }
    }
}

#[test]
fn a_proof_holds_for_one_root_and_one_label() {
    let Scene { root, older, lookup, history, .. } = scene();
    verify_lookup(&root, &label(1), &lookup).expect("an honest proof");
    verify_history(&root, &label(1), None, &history).expect("an honest proof");
    let mut other_vrf = root.clone();
    other_vrf.vrf = VrfKey::new([8; 32]).public();
    let mut no_vrf = root.clone();
    no_vrf.vrf = [0; 32];
    let mut other_tree = root.clone();
    other_tree.tree[0] ^= 1;
    let mut too_early = root.clone();
    too_early.epoch = 2;
    for wrong in [&older, &other_vrf, &no_vrf, &other_tree, &too_early] {
        verify_lookup(wrong, &label(1), &lookup).expect_err("another root");
        verify_history(wrong, &label(1), None, &history).expect_err("another root");
    }
    for wrong in [label(2), label(21), Label([0; 32])] {
        verify_lookup(&root, &wrong, &lookup).expect_err("another label");
        verify_history(&root, &wrong, None, &history).expect_err("another label");
    }
    // A history is as long as was asked for.
    for asked in [0, 1, 2] {
        verify_history(&root, &label(1), Some(asked), &history).expect_err("another length");
    }
    verify_history(&root, &label(1), Some(3), &history).expect("all three");
    verify_history(&root, &label(1), Some(9), &history).expect("there are no more");
}

#[test]
fn impossible_numbers_are_refused() {
    let Scene { root, lookup, history, .. } = scene();
    let numbers = [0, 1, 2, 4, 5, 1 << 32, (1 << 63) - 1, 1 << 63, u64::MAX - 1, u64::MAX];
    let mut endless = root.clone();
    endless.epoch = u64::MAX;
    for (version, epoch) in numbers.into_iter().flat_map(|v| numbers.map(|e| (v, e))) {
        let mut forged = history_of(&lookup);
        (forged.update_proofs[0].version, forged.update_proofs[0].epoch) = (version, epoch);
        let mut past = history_of(&history);
        let mut only = past.clone();
        for update in &mut past.update_proofs {
            (update.version, update.epoch) = (version, epoch);
        }
        only.update_proofs.truncate(1);
        (only.update_proofs[0].version, only.update_proofs[0].epoch) = (version, epoch);
        for root in [&root, &endless] {
            verify_lookup(root, &label(1), &history_bytes(&forged)).expect_err("no such version");
            verify_history(root, &label(1), None, &history_bytes(&past)).expect_err("no such version");
            verify_history(root, &label(1), Some(1), &history_bytes(&only)).expect_err("no such version");
        }
    }
}

#[test]
fn a_history_has_no_gaps() {
    let Scene { root, history, .. } = scene();
    let honest = history_of(&history);
    let forge = |change: &dyn Fn(&mut HistoryProof)| {
        let mut forged = honest.clone();
        change(&mut forged);
        for asked in [None, Some(1), Some(3)] {
            verify_history(&root, &label(1), asked, &history_bytes(&forged)).expect_err("forged");
        }
    };
    forge(&|proof| proof.update_proofs.clear());
    forge(&|proof| drop(proof.update_proofs.remove(0)));
    forge(&|proof| drop(proof.update_proofs.remove(1)));
    forge(&|proof| drop(proof.update_proofs.remove(2)));
    forge(&|proof| proof.update_proofs.reverse());
    forge(&|proof| proof.update_proofs.push(proof.update_proofs[2].clone()));
    forge(&|proof| proof.update_proofs[0].previous_version_proof = None);
    forge(&|proof| proof.update_proofs[0].value = proof.update_proofs[1].value.clone());
    forge(&|proof| proof.update_proofs[0].value.0 = b"a value".into());
}

#[test]
fn too_much_is_not_even_read() {
    let Scene { root, lookup, history, .. } = scene();
    let mut long = history_of(&lookup);
    long.update_proofs[0].commitment_nonce = vec![0; 64 << 10];
    assert_eq!(verify_lookup(&root, &label(1), &history_bytes(&long)), Err(ProofError::Form));
    let mut deep = history_of(&lookup);
    let path = &mut deep.update_proofs[0].existence_proof.sibling_proofs;
    *path = vec![path[0].clone(); 257];
    assert_eq!(verify_lookup(&root, &label(1), &history_bytes(&deep)), Err(ProofError::Form));
    let mut long = history_of(&history);
    long.update_proofs = vec![long.update_proofs[0].clone(); 4_000];
    assert_eq!(verify_history(&root, &label(1), None, &history_bytes(&long)), Err(ProofError::Form));
}

/// Two bytes of a proof must not become two hundred in memory, half a million times.
#[test]
fn crumbs_are_not_read() {
    let Scene { root, history, .. } = scene();
    for tag in [0x0a, 0x12, 0x1a, 0x22, 0x2a] {
        let mut crumbs = history.clone();
        crumbs.extend([tag, 0].repeat(1 << 19));
        assert_eq!(verify_history(&root, &label(1), None, &crumbs), Err(ProofError::Form));
    }
    for end in [&[0x0a][..], &[0x0a, 0xff, 0x7f], &[0x08, 1], &[0], &[0xff; 12]] {
        let bytes = [&history[..], end].concat();
        assert_eq!(verify_history(&root, &label(1), None, &bytes), Err(ProofError::Form));
    }
}

/// A field that names a length, a direction or a place, set to what no honest proof has.
#[test]
fn misshapen_places_are_refused() {
    let Scene { root, history, .. } = scene();
    let honest = types::HistoryProof::parse_from_bytes(&history).expect("an honest proof");
    let forge = |change: &dyn Fn(&mut types::HistoryProof)| {
        let mut forged = honest.clone();
        change(&mut forged);
        let bytes = forged.write_to_bytes().expect("it is short");
        verify_history(&root, &label(1), None, &bytes).expect_err("forged");
    };
    fn path(proof: &mut types::HistoryProof) -> &mut types::MembershipProof {
        proof.update_proofs[0].existence_proof.mut_or_insert_default()
    }
    for len in [0, 1, 255, 257, 1 << 16, u32::MAX] {
        forge(&|p| path(p).label.mut_or_insert_default().label_len = Some(len));
        forge(&|p| {
            path(p).sibling_proofs[1].siblings[0].label.mut_or_insert_default().label_len = Some(len);
        });
    }
    for direction in [2, 15, 18, u32::MAX] {
        forge(&|p| path(p).sibling_proofs[0].direction = Some(direction));
    }
    forge(&|p| {
        let layer = &mut path(p).sibling_proofs[0];
        layer.direction = Some(1 - layer.direction());
    });
    forge(&|p| path(p).sibling_proofs.clear());
    forge(&|p| path(p).sibling_proofs[0].siblings.clear());
    forge(&|p| path(p).hash_val = Some(vec![1; 31]));
    forge(&|p| path(p).label.mut_or_insert_default().label_val = Some(vec![1; 33]));
    forge(&|p| p.update_proofs[0].existence_vrf_proof = Some(vec![0; 80]));
    forge(&|p| p.update_proofs[0].existence_vrf_proof = Some(Vec::new()));
    forge(&|p| p.update_proofs[0].value = Some(Vec::new()));
    forge(&|p| p.update_proofs[0].value = None);
    forge(&|p| p.update_proofs[0].previous_version_vrf_proof = None);
    // A leaf's own place, said to be that of the node above it.
    forge(&|p| {
        let layer = path(p).sibling_proofs.pop().expect("twenty handles make a path");
        path(p).label = layer.label;
    });
}

/// The same of what is said to be absent: version 2 of a handle that has one, in epoch 3.
#[test]
fn misshapen_absence_is_refused() {
    let Scene { root, service, .. } = scene();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a thread");
    let proof = runtime.block_on(service.history(9, None));
    verify_history(&root, &label(9), None, &proof).expect("an honest proof");
    let honest = types::HistoryProof::parse_from_bytes(&proof).expect("an honest proof");
    let forge = |change: &dyn Fn(&mut types::NonMembershipProof)| {
        for at in 0..honest.non_existence_of_future_marker_proofs.len() {
            let mut forged = honest.clone();
            change(&mut forged.non_existence_of_future_marker_proofs[at]);
            let bytes = forged.write_to_bytes().expect("it is short");
            verify_history(&root, &label(9), None, &bytes).expect_err("forged");
        }
    };
    assert!(!honest.non_existence_of_future_marker_proofs.is_empty());
    for len in [1, 255, 257, 1 << 16, u32::MAX] {
        forge(&|p| p.label.mut_or_insert_default().label_len = Some(len));
        forge(&|p| p.longest_prefix.mut_or_insert_default().label_len = Some(len));
        forge(&|p| p.longest_prefix_children[0].label.mut_or_insert_default().label_len = Some(len));
    }
    forge(&|p| p.longest_prefix_children.truncate(1));
    forge(&|p| p.longest_prefix_children.push(p.longest_prefix_children[0].clone()));
    forge(&|p| p.longest_prefix_children.swap(0, 1));
    forge(&|p| p.longest_prefix_membership_proof.clear());
}

#[test]
fn mutated_and_random_proofs_prove_nothing_else() {
    let Scene { root, lookup, history, service, .. } = scene();
    let true_now = verify_lookup(&root, &label(1), &lookup).expect("an honest proof");
    let true_past = verify_history(&root, &label(1), None, &history).expect("an honest proof");
    let holds = |bytes: &[u8]| {
        if let Ok(found) = verify_lookup(&root, &label(1), bytes) {
            assert_eq!(found, true_now);
        }
        if let Ok(found) = verify_history(&root, &label(1), None, bytes) {
            assert_eq!(found, true_past);
        }
        assert!(verify_lookup(&root, &label(2), bytes).is_err());
        assert!(verify_history(&root, &label(2), None, bytes).is_err());
    };
    let trees = [2, 3].map(|epoch: usize| service.roots[epoch].root.tree);
    let audit = &service.audits[2];
    let audits = |bytes: &[u8]| {
        // Nothing but the honest leaves leads from the one tree to the other.
        if verify_append_only(3, &trees[0], &trees[1], bytes).is_ok() {
            let read = |bytes: &[u8]| {
                let read = types::SingleAppendOnlyProof::parse_from_bytes(bytes).expect("it was read");
                akd::SingleAppendOnlyProof::try_from(&read).expect("it was read").inserted
            };
            let sorted = |bytes: &[u8]| {
                let mut leaves = read(bytes);
                leaves.sort_unstable();
                leaves
            };
            assert_eq!(sorted(bytes), sorted(audit));
        }
    };
    let random = proptest::collection::vec(any::<u8>(), 0..600);
    let honest = prop_oneof![Just(lookup.clone()), Just(history.clone()), Just(audit.clone())];
    let edit = (any::<prop::sample::Index>(), 0..4u8, any::<u8>());
    let mutated = (honest, proptest::collection::vec(edit, 1..4)).prop_map(|(mut bytes, edits)| {
        for (at, kind, byte) in edits {
            let at = at.index(bytes.len());
            match kind {
                0 => bytes[at] = byte,
                1 => bytes[at] ^= 1 << (byte % 8),
                2 => bytes.insert(at, byte),
                _ => drop(bytes.remove(at)),
            }
        }
        bytes
    });
    proptest!(ProptestConfig::with_cases(400), |(bytes in prop_oneof![1 => random, 4 => mutated])| {
        holds(&bytes);
        audits(&bytes);
    });
}
