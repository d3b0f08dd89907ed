//! How the tree's records are written: `akd`'s own form is eight times as long.
//!
//! A node is kept as it is now. `akd` would keep what it was before as well, for readers in the middle of an epoch's
//! writing; here nobody reads then. The newest state of a label has a key of its own, so that it is found without its
//! past.

use akd::storage::types::{DbRecord, ValueState};
use akd::tree_node::{TreeNode, TreeNodeType};
use akd::{AkdLabel, AkdValue, Azks, AzksValue, NodeLabel};
use akd_core::Configuration;
use serde::{Deserialize, Serialize};

use crate::Hashing;

const TREE: u8 = 1;
const NODE: u8 = 2;
const PAST: u8 = 4;
const NEWEST: u8 = 5;

/// Key of the record about the tree as a whole.
pub(super) fn tree_key() -> Vec<u8> {
    vec![TREE]
}

/// Key of a node.
pub(super) fn node_key(label: &NodeLabel) -> Vec<u8> {
    [&[NODE], &(label.label_len as u16).to_be_bytes()[..], used(label)].concat()
}

/// Key of a label's newest state.
pub(super) fn newest_key(label: &[u8]) -> Vec<u8> {
    [&[NEWEST], label].concat()
}

/// What the keys of a label's older states begin with; they ascend by epoch.
pub(super) fn past_prefix(label: &[u8]) -> Vec<u8> {
    [&[PAST], label].concat()
}

/// Key of an older state of a label.
pub(super) fn past_key(label: &[u8], epoch: u64) -> Vec<u8> {
    [&[PAST], label, &epoch.to_be_bytes()].concat()
}

/// The bytes of a label that have bits.
fn used(label: &NodeLabel) -> &[u8] {
    &label.label_val[..(label.label_len as usize).div_ceil(8).min(32)]
}

/// A record that is not as it was written.
pub(super) struct Damaged;

#[derive(Serialize, Deserialize)]
struct Tree {
    epoch: u64,
    nodes: u64,
}

#[derive(Serialize, Deserialize)]
struct Below<'a> {
    bits: u16,
    used: &'a [u8],
}

#[derive(Serialize, Deserialize)]
struct Node<'a> {
    kind: TreeNodeType,
    /// Length of its parent's label, which its own begins with.
    parent: u16,
    last_epoch: u64,
    least_epoch: u64,
    hash: [u8; 32],
    #[serde(borrow)]
    left: Option<Below<'a>>,
    #[serde(borrow)]
    right: Option<Below<'a>>,
}

#[derive(Serialize, Deserialize)]
struct State<'a> {
    epoch: u64,
    version: u64,
    place: [u8; 32],
    value: &'a [u8],
}

impl<'a> From<&'a NodeLabel> for Below<'a> {
    fn from(label: &'a NodeLabel) -> Self {
        Self { bits: label.label_len as u16, used: used(label) }
    }
}

impl TryFrom<Below<'_>> for NodeLabel {
    type Error = Damaged;
    fn try_from(below: Below<'_>) -> Result<Self, Damaged> {
        let mut value = [0; 32];
        value.get_mut(..below.used.len()).ok_or(Damaged)?.copy_from_slice(below.used);
        Ok(Self::new(value, below.bits.into()))
    }
}

/// No record is longer.
const MAX: usize = 256;

fn to_bytes(record: &impl Serialize) -> Result<Vec<u8>, Damaged> {
    Ok(postcard::to_slice(record, &mut [0; MAX]).map_err(|_| Damaged)?.to_vec())
}

fn from_bytes<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, Damaged> {
    postcard::from_bytes(bytes).map_err(|_| Damaged)
}

/// Writes the record about the tree as a whole.
pub(super) fn write_tree(tree: &Azks) -> Result<Vec<u8>, Damaged> {
    to_bytes(&Tree { epoch: tree.latest_epoch, nodes: tree.num_nodes })
}

/// Reads it; a store without it has the empty tree.
pub(super) fn read_tree(bytes: Option<&[u8]>) -> Result<Azks, Damaged> {
    let tree = bytes.map_or(Ok(Tree { epoch: 0, nodes: 1 }), from_bytes)?;
    Ok(DbRecord::build_azks(tree.epoch, tree.nodes))
}

/// Writes a node.
pub(super) fn write_node(node: &TreeNode) -> Result<Vec<u8>, Damaged> {
    if node.label.get_prefix(node.parent.label_len) != node.parent {
        return Err(Damaged);
    }
    to_bytes(&Node {
        kind: node.node_type,
        parent: node.parent.label_len as u16,
        last_epoch: node.last_epoch,
        least_epoch: node.min_descendant_epoch,
        hash: node.hash.0,
        left: node.left_child.as_ref().map(Below::from),
        right: node.right_child.as_ref().map(Below::from),
    })
}

/// Reads a node; `None` if it is not there. The root of the empty tree always is.
pub(super) fn read_node(label: NodeLabel, bytes: Option<&[u8]>) -> Result<Option<TreeNode>, Damaged> {
    let node = match bytes {
        Some(bytes) => from_bytes(bytes)?,
        None if label == NodeLabel::root() => Node {
            kind: TreeNodeType::Root,
            parent: 0,
            last_epoch: 0,
            least_epoch: 0,
            hash: Hashing::empty_root_value().0,
            left: None,
            right: None,
        },
        None => return Ok(None),
    };
    Ok(Some(TreeNode {
        label,
        last_epoch: node.last_epoch,
        min_descendant_epoch: node.least_epoch,
        parent: label.get_prefix(node.parent.into()),
        node_type: node.kind,
        left_child: node.left.map(NodeLabel::try_from).transpose()?,
        right_child: node.right.map(NodeLabel::try_from).transpose()?,
        hash: AzksValue(node.hash),
    }))
}

/// Writes a state of a label.
pub(super) fn write_state(state: &ValueState) -> Result<Vec<u8>, Damaged> {
    to_bytes(&State {
        epoch: state.epoch,
        version: state.version,
        place: state.label.label_val,
        value: &state.value,
    })
}

/// Reads a state of a label.
pub(super) fn read_state(label: &AkdLabel, bytes: &[u8]) -> Result<ValueState, Damaged> {
    let state: State<'_> = from_bytes(bytes)?;
    Ok(ValueState {
        value: AkdValue(state.value.to_vec()),
        version: state.version,
        label: NodeLabel::new(state.place, 256),
        epoch: state.epoch,
        username: label.clone(),
    })
}
