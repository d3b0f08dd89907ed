//! The auditor's check: from one epoch to the next nothing was removed or rewritten.
//!
//! The proof is `akd`'s; the check is our own. `akd` builds both trees anew in a database in memory, and a proof of a
//! tree as deep as a label is long overflows its stack. Here both are only hashed.

use akd_core::{AzksElement, AzksValue, Configuration, NodeLabel, PrefixOrdering, SingleAppendOnlyProof};

use crate::proof::{read, wrong};
use crate::{Hashing, ProofError};

/// The largest proof of one epoch, bytes.
const MAX_PROOF: usize = 64 << 20;
/// Length of the label of a leaf, bits.
const LEAF: u32 = 256;

/// Verifies that the tree `after`, of epoch `epoch_after`, is the tree `before` with leaves added and nothing else,
/// by the bytes of `akd`'s `SingleAppendOnlyProof`.
///
/// # Errors
/// [`ProofError`] if that is not proven.
pub async fn verify_append_only(
    epoch_after: u64,
    before: &[u8; 32],
    after: &[u8; 32],
    proof: &[u8],
) -> Result<(), ProofError> {
    let proof: SingleAppendOnlyProof =
        read::<akd_core::proto::specs::types::SingleAppendOnlyProof, _>(proof, MAX_PROOF)?;
    let SingleAppendOnlyProof { inserted, unchanged_nodes: mut nodes } = proof;
    if inserted.iter().any(|leaf| leaf.label.label_len != LEAF) {
        return Err(wrong("what was added is no leaf"));
    }
    arrange(&mut nodes)?;
    if tree_of(&nodes) != *before {
        return Err(wrong("it does not begin with the tree before"));
    }
    nodes.extend(inserted.into_iter().map(|AzksElement { label, value }| AzksElement {
        label,
        value: AzksValue(Hashing::hash_leaf_with_commitment(value, epoch_after).0),
    }));
    arrange(&mut nodes)?;
    if tree_of(&nodes) != *after {
        return Err(wrong("the tree after is not the tree before with leaves added"));
    }
    Ok(())
}

/// Sorts nodes from left to right. None may be malformed or stand below another one: each must count once.
fn arrange(nodes: &mut [AzksElement]) -> Result<(), ProofError> {
    let exact = |label: NodeLabel| label.label_len > 0 && label.get_prefix(label.label_len) == label;
    if !nodes.iter().all(|node| exact(node.label)) {
        return Err(ProofError::Form);
    }
    // Whatever stands below a node then comes right after it.
    nodes.sort_unstable_by_key(|node| (node.label.label_val, node.label.label_len));
    if nodes.windows(2).any(|pair| pair[0].label.is_prefix_of(&pair[1].label)) {
        return Err(wrong("a node is there twice"));
    }
    Ok(())
}

/// The root hash of the tree over these nodes.
fn tree_of(nodes: &[AzksElement]) -> [u8; 32] {
    let value =
        if nodes.is_empty() { Hashing::empty_root_value() } else { join(NodeLabel::root(), nodes).value };
    Hashing::compute_root_hash_from_val(&value)
}

/// The node with this label, over all these nodes.
fn join(label: NodeLabel, nodes: &[AzksElement]) -> AzksElement {
    let right =
        nodes.partition_point(|node| label.get_prefix_ordering(node.label) != PrefixOrdering::WithOne);
    let [left, right] = [&nodes[..right], &nodes[right..]].map(|nodes| match nodes {
        // Only the root can lack a child.
        [] => AzksElement { label: Hashing::empty_label(), value: Hashing::empty_node_hash() },
        [node] => *node,
        [first, .., last] => join(first.label.get_longest_common_prefix::<Hashing>(last.label), nodes),
    });
    let value = Hashing::compute_parent_hash_from_children(
        &left.value,
        &left.label.value::<Hashing>(),
        &right.value,
        &right.label.value::<Hashing>(),
    );
    AzksElement { label, value }
}
