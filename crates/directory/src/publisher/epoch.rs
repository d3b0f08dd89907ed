//! An epoch that is being made: the nodes that it looked at, as they are or will be, and what it changes besides.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use akd::NodeLabel;
use akd::tree_node::TreeNode;

use super::layout::{self, Damaged};
use super::records::Record;

struct Known {
    node: TreeNode,
    changed: bool,
}

/// Goes nowhere by itself: dropped, it never was.
#[derive(Default)]
pub(super) struct Epoch {
    nodes: Mutex<HashMap<NodeLabel, Known>>,
    others: Mutex<HashMap<Vec<u8>, Vec<u8>>>,
}

impl Epoch {
    pub(super) fn node(&self, label: &NodeLabel) -> Option<TreeNode> {
        locked(&self.nodes).get(label).map(|known| known.node.clone())
    }

    /// Remembers a node that was read.
    pub(super) fn know(&self, node: TreeNode) {
        locked(&self.nodes).entry(node.label).or_insert(Known { node, changed: false });
    }

    pub(super) fn change_nodes(&self, nodes: impl IntoIterator<Item = TreeNode>) {
        let new = nodes.into_iter().map(|node| (node.label, Known { node, changed: true }));
        locked(&self.nodes).extend(new);
    }

    pub(super) fn other(&self, key: &[u8]) -> Option<Vec<u8>> {
        locked(&self.others).get(key).cloned()
    }

    pub(super) fn change_others(&self, records: impl IntoIterator<Item = Record>) {
        locked(&self.others).extend(records);
    }

    /// Everything that it changes, ascending by key.
    pub(super) fn records(&self) -> Result<Vec<Record>, Damaged> {
        let nodes = std::mem::take(&mut *locked(&self.nodes));
        let mut records = Vec::from_iter(std::mem::take(&mut *locked(&self.others)));
        for known in nodes.into_values().filter(|known| known.changed) {
            records.push((layout::node_key(&known.node.label), layout::write_node(&known.node)?));
        }
        records.sort_unstable();
        Ok(records)
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
