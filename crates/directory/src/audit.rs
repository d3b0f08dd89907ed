//! The auditor's check: from one epoch to the next nothing was removed or rewritten.
//!
//! The proof is `akd`'s; the check is our own. `akd` builds both trees anew in a database in memory, and a proof of a
//! tree as deep as a label is long overflows its stack. Here both are only hashed.

use akd_core::{AzksElement, AzksValue, Configuration, NodeLabel, PrefixOrdering};

use crate::proof::wrong;
use crate::{Hashing, ProofError};

/// The largest proof of one epoch, bytes: 5000 changes in a tree of a thousand million leaves take 9 MB.
pub const MAX_PROOF: usize = 16 << 20;
/// Length of the label of a leaf, bits.
const LEAF: u32 = 256;

/// Verifies that the tree `after`, of epoch `epoch_after`, is the tree `before` with leaves added and nothing else,
/// by the bytes of `akd`'s `SingleAppendOnlyProof`.
///
/// # Errors
/// [`ProofError`] if that is not proven.
pub fn verify_append_only(
    epoch_after: u64,
    before: &[u8; 32],
    after: &[u8; 32],
    proof: &[u8],
) -> Result<(), ProofError> {
    let (inserted, mut nodes) = read(proof).ok_or(ProofError::Form)?;
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

/// The leaves that were added and the nodes that were left alone, by the protobuf bytes of `SingleAppendOnlyProof`.
///
/// Read by hand, because a general reader unpacks before it judges: empty elements and unknown fields take a hundred
/// times their size in memory. Here an element is whole or refused, and takes less than twice its bytes.
fn read(mut proof: &[u8]) -> Option<(Vec<AzksElement>, Vec<AzksElement>)> {
    if proof.len() > MAX_PROOF {
        return None;
    }
    let (mut inserted, mut unchanged) = (Vec::new(), Vec::new());
    while let Some(&tag) = proof.first() {
        let nodes = match tag {
            FIRST => &mut inserted,
            SECOND => &mut unchanged,
            _ => return None,
        };
        nodes.push(element(bytes(&mut proof, tag)?)?);
    }
    Some((inserted, unchanged))
}

/// Tags of the fields 1 and 2 of bytes, and of field 2 that is a number.
const FIRST: u8 = 1 << 3 | 2;
const SECOND: u8 = 2 << 3 | 2;
const SECOND_NUMBER: u8 = 2 << 3;

/// A label and a value, and nothing else.
fn element(mut element: &[u8]) -> Option<AzksElement> {
    let mut label = bytes(&mut element, FIRST)?;
    let value = bytes(&mut element, SECOND)?.try_into().ok()?;
    let bits = bytes(&mut label, FIRST)?;
    let mut label_val = [0; 32];
    label_val.get_mut(..bits.len())?.copy_from_slice(bits);
    label.split_off_first().filter(|tag| **tag == SECOND_NUMBER)?;
    let label_len = number(&mut label)?;
    let whole = element.is_empty() && label.is_empty() && label_len <= LEAF;
    whole.then_some(AzksElement { label: NodeLabel { label_val, label_len }, value: AzksValue(value) })
}

/// Takes the field with this tag off the front.
fn bytes<'a>(message: &mut &'a [u8], tag: u8) -> Option<&'a [u8]> {
    message.split_off_first().filter(|found| **found == tag)?;
    let len = usize::try_from(number(message)?).ok()?;
    message.split_off(..len)
}

/// Takes a number of at most 28 bits off the front.
fn number(message: &mut &[u8]) -> Option<u32> {
    let mut number = 0;
    for shift in [0, 7, 14, 21] {
        let byte = *message.split_off_first()?;
        number |= u32::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_unpack_to_more_than_its_size_is_refused() {
        let whole = [&[FIRST, 40, FIRST, 4, FIRST, 0, SECOND_NUMBER, 1, SECOND, 32][..], &[7; 32]].concat();
        assert_eq!(
            read(&whole.repeat(2)).map(|(inserted, unchanged)| (inserted.len(), unchanged.len())),
            Some((2, 0))
        );
        for (tag, nodes) in [(FIRST, 1), (SECOND, 0)] {
            let one = [&[tag], &whole[1..]].concat();
            assert_eq!(read(&one).map(|(inserted, _)| inserted.len()), Some(nodes));
        }
        for crumbs in [vec![FIRST, 0], vec![SECOND, 0], vec![FIRST, 2, FIRST, 0], vec![24, 1]] {
            assert_eq!(read(&crumbs.repeat(1000)), None, "{crumbs:?}");
        }
        // A field that nobody knows, in the element and in its label.
        let behind = [&[FIRST, 42], &whole[2..], &[24, 1]].concat();
        let inside = [&[FIRST, 42, FIRST, 6, FIRST, 0, SECOND_NUMBER, 1, 24, 1], &whole[8..]].concat();
        for more in [behind, inside, whole[..41].to_vec(), [&[FIRST, 0x80], &whole[1..]].concat()] {
            assert_eq!(read(&more), None, "{more:?}");
        }
        assert_eq!(read(&whole.repeat(MAX_PROOF / whole.len() + 1)), None);
    }
}
