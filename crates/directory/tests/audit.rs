//! What an auditor notices: a leaf taken away, a leaf rewritten, a proof of something else.

mod common;

use akd::{AzksElement, AzksValue, NodeLabel, SingleAppendOnlyProof};
use akd_core::proto::specs::types;
use common::*;
use protobuf::Message;
use zegel_directory::*;

async fn lived() -> Service {
    let mut service = Service::new().await;
    service.publish((1..=30).map(|n| (label(n), entry(n, 0))).collect()).await;
    service.publish((1..=5).map(|n| (label(n), entry(n, 1))).collect()).await;
    service
}

fn read(bytes: &[u8]) -> SingleAppendOnlyProof {
    let proof = types::SingleAppendOnlyProof::parse_from_bytes(bytes).expect("an honest proof");
    SingleAppendOnlyProof::try_from(&proof).expect("an honest proof")
}

fn write(proof: &SingleAppendOnlyProof) -> Vec<u8> {
    types::SingleAppendOnlyProof::from(proof).write_to_bytes().expect("it is short")
}

/// Our verdict, which is `akd`'s as well.
async fn check(service: &Service, proof: &SingleAppendOnlyProof) -> Result<(), ProofError> {
    let [before, after] = [1, 2].map(|epoch: usize| service.roots[epoch].root.tree);
    let ours = verify_append_only(2, &before, &after, &write(proof));
    type Tree = akd::WhatsAppV1Configuration;
    let theirs = akd::auditor::verify_consecutive_append_only::<Tree>(proof, before, after, 2).await;
    assert_eq!(ours.is_ok(), theirs.is_ok());
    ours
}

#[tokio::test]
async fn the_honest_proof_holds_for_its_epoch_only() {
    let service = lived().await;
    let [first, before, after] = [0, 1, 2].map(|epoch: usize| service.roots[epoch].root.tree);
    let proof = &service.audits[1];
    verify_append_only(2, &before, &after, proof).expect("an honest proof");
    for (epoch, before, after) in [
        (1, before, after),
        (3, before, after),
        (0, before, after),
        (u64::MAX, before, after),
        (2, after, before),
        (2, before, before),
        (2, first, after),
        (2, first, before),
    ] {
        verify_append_only(epoch, &before, &after, proof).expect_err("another epoch");
    }
    verify_append_only(2, &before, &before, &[]).expect_err("nothing is shown");
}

/// The service rewrites what epoch 1 said, and publishes the tree that comes of it.
#[tokio::test]
async fn a_rewritten_or_removed_leaf_is_noticed() {
    for kept in [30, 29] {
        let honest = lived().await;
        // Another past: one entry differs, or is missing.
        let mut other = Service::new().await;
        let entry = |n| if n == 17 { entry(99, 0) } else { entry(n, 0) };
        other.publish((1..=kept).map(|n| (label(n), entry(n))).collect()).await;
        other.publish((1..=5).map(|n| (label(n), common::entry(n, 1))).collect()).await;
        let (before, after) = (&honest.roots[1].root.tree, &other.roots[2].root.tree);
        for proof in [&honest.audits[1], &other.audits[1]] {
            verify_append_only(2, before, after, proof).expect_err("the past is another one");
        }
    }
}

#[tokio::test]
async fn every_part_of_the_proof_counts() {
    let service = lived().await;
    let honest = read(&service.audits[1]);
    check(&service, &honest).await.expect("an honest proof");
    for at in 0..honest.inserted.len() {
        let mut less = honest.clone();
        less.inserted.remove(at);
        check(&service, &less).await.expect_err("a leaf is not told of");
        let mut other = honest.clone();
        other.inserted[at].value.0[0] ^= 1;
        check(&service, &other).await.expect_err("a leaf is another one");
        let mut moved = honest.clone();
        let leaf = moved.inserted.remove(at);
        moved.unchanged_nodes.push(leaf);
        check(&service, &moved).await.expect_err("a new leaf is no old one");
    }
    for at in 0..honest.unchanged_nodes.len() {
        let mut less = honest.clone();
        less.unchanged_nodes.remove(at);
        check(&service, &less).await.expect_err("a branch was taken away");
        let mut other = honest.clone();
        other.unchanged_nodes[at].value.0[0] ^= 1;
        check(&service, &other).await.expect_err("a branch is another one");
    }
}

/// The bypass that `akd` 0.13 closed, and its relatives: a node under another one, twice, or of an odd shape.
#[tokio::test]
async fn nodes_do_not_overlap() {
    let service = lived().await;
    let honest = read(&service.audits[1]);
    let leaf = honest.inserted[0];
    let element = |label: NodeLabel| AzksElement { label, value: AzksValue([1; 32]) };
    let mut odd = leaf.label;
    (odd.label_len, odd.label_val[31]) = (200, 1);
    let places = [0, 1, 2, 40, 255, 256].map(|bits| leaf.label.get_prefix(bits));
    for place in places.into_iter().chain([odd, NodeLabel::new([1; 32], 0)]) {
        let mut more = honest.clone();
        more.unchanged_nodes.push(element(place));
        check(&service, &more).await.expect_err("it would hide a leaf");
        let mut more = honest.clone();
        more.inserted.push(element(place));
        check(&service, &more).await.expect_err("it would hide a leaf");
        // By itself as well: nothing here may panic or run for ever.
        let only = SingleAppendOnlyProof { inserted: vec![element(place); 3], unchanged_nodes: vec![] };
        check(&service, &only).await.expect_err("not the tree");
    }
}

/// A tree as deep as a label is long, on the stack of a worker. `akd`'s own check overflows it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_deepest_tree_fits_on_the_stack() {
    let mut nodes = Vec::new();
    for bits in 1..=256u32 {
        let mut value = [0u8; 32];
        value[(bits as usize - 1) / 8] |= 0x80 >> ((bits - 1) % 8);
        nodes.push(AzksElement { label: NodeLabel::new(value, bits), value: AzksValue([1; 32]) });
    }
    let deep = write(&SingleAppendOnlyProof { inserted: vec![], unchanged_nodes: nodes });
    let check = tokio::spawn(async move { verify_append_only(1, &[0; 32], &[0; 32], &deep) });
    check.await.expect("no panic").expect_err("not the tree");
}
