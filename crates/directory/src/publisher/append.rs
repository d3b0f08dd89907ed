//! The proof that an epoch only added to the tree.

use akd::errors::StorageError;
use akd::tree_node::TreeNodeType;
use akd::{AzksElement, AzksValue, NodeLabel, SingleAppendOnlyProof};
use akd_core::Configuration;

use super::layer::Layer;
use super::records::Records;
use crate::Hashing;

/// What lies in the tree of the epoch that is being made: the leaves that came after epoch `before`, and the branches
/// that are as they were. `akd` makes the same, in another order and in three times as long.
pub(super) async fn append_only<R: Records>(
    layer: &Layer<R>,
    before: u64,
) -> Result<SingleAppendOnlyProof, StorageError> {
    let mut proof = SingleAppendOnlyProof { inserted: Vec::new(), unchanged_nodes: Vec::new() };
    let mut waiting = vec![NodeLabel::root()];
    while let Some(label) = waiting.pop() {
        let node = layer.node(label).await?.ok_or_else(|| StorageError::Other("a node is missing".into()))?;
        let leaf = node.node_type == TreeNodeType::Leaf;
        match (node.last_epoch <= before, leaf) {
            (true, true) => {
                let value = Hashing::hash_leaf_with_commitment(node.hash, node.last_epoch);
                proof.unchanged_nodes.push(AzksElement { label, value: AzksValue(value.0) });
            }
            (true, false) => proof.unchanged_nodes.push(AzksElement { label, value: node.hash }),
            (false, true) => proof.inserted.push(AzksElement { label, value: node.hash }),
            (false, false) => waiting.extend(node.right_child.into_iter().chain(node.left_child)),
        }
    }
    Ok(proof)
}
