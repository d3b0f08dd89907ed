//! Proofs of `akd`, verified. They are foreign bytes: nothing here may panic on them.
//!
//! `akd_core` checks the hashes; checked here is what it takes for granted: sizes, that versions and epochs are
//! possible, and that what is said to be absent could not stand below the place that is shown.

use akd_core::verify::VerificationError;
use akd_core::verify::history::{HistoryParams, HistoryVerificationParams, key_history_verify};
use akd_core::{AkdLabel, Configuration, HistoryProof, MembershipProof, NonMembershipProof, VerifyResult};
use protobuf::{CodedInputStream, Message};
use serde::{Deserialize, Serialize};

use crate::{Entry, Hashing, Label, Root};

/// The largest proof of one entry, bytes; an honest one among a billion handles is a tenth of that.
const MAX_LOOKUP: usize = 64 << 10;
/// The largest proof of a history, bytes: what a frame holds, and more than a chain of the most links needs.
const MAX_HISTORY: usize = 3 << 20;
/// A path has at most as many layers as a label has bits.
const MAX_LAYERS: usize = 256;

/// Why a proof does not hold.
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum ProofError {
    /// Unreadable.
    #[error("the proof cannot be read")]
    Form,
    /// Readable, and wrong.
    #[error("the proof does not hold: {0}")]
    Wrong(String),
    /// The entry in it is unreadable.
    #[error("the proven entry cannot be read")]
    Entry,
}

/// An entry as the directory has it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Found {
    /// What the directory says.
    pub entry: Entry,
    /// Counts the entries that this handle has had, from 1.
    pub version: u64,
    /// The epoch in which this one came.
    pub epoch: u64,
}

pub(crate) fn wrong(why: &str) -> ProofError {
    ProofError::Wrong(why.into())
}

/// The newest entry of a label under a root, proven by the bytes of `akd`'s `HistoryProof` of one entry.
///
/// `akd`'s shorter `LookupProof` is not enough. It shows that an entry was put in and not struck out, and not that none
/// came after it: a service that never strikes out could show its owner one entry and everyone else another, under one
/// root. A history proof shows the entries that lead to its newest one, and that those which would lead to any later one
/// are absent; so of two different newest entries of a label, under one root, at most one can be proven.
///
/// # Errors
/// [`ProofError`] if it does not prove that this is the label's newest entry.
pub fn verify_lookup(root: &Root, label: &Label, proof: &[u8]) -> Result<Found, ProofError> {
    if proof.len() > MAX_LOOKUP {
        return Err(ProofError::Form);
    }
    let found = verify_history(root, label, Some(1), proof)?;
    found.into_iter().next().ok_or(ProofError::Form)
}

/// All entries that a label ever had under a root, or the newest `most_recent` of them; newest first. Proven by the
/// bytes of `akd`'s `HistoryProof`.
///
/// # Errors
/// [`ProofError`] if it does not prove that these are the label's entries, without a gap and up to the newest.
pub fn verify_history(
    root: &Root,
    label: &Label,
    most_recent: Option<usize>,
    proof: &[u8],
) -> Result<Vec<Found>, ProofError> {
    no_crumbs(proof)?;
    let proof: HistoryProof = read::<akd_core::proto::specs::types::HistoryProof, _>(proof, MAX_HISTORY)?;
    for update in &proof.update_proofs {
        possible(root, update.version, update.epoch)?;
        in_tree(&update.existence_proof)?;
        update.previous_version_proof.as_ref().map_or(Ok(()), in_tree)?;
    }
    // Every version comes in an epoch of its own.
    if !proof.update_proofs.is_sorted_by(|newer, older| newer.epoch > older.epoch) {
        return Err(wrong("two entries are said to be of one epoch"));
    }
    proof.existence_of_past_marker_proofs.iter().try_for_each(in_tree)?;
    proof.non_existence_of_future_marker_proofs.iter().try_for_each(absent)?;
    let history_params = most_recent.map_or(HistoryParams::Complete, HistoryParams::MostRecent);
    let params = HistoryVerificationParams::Default { history_params };
    let label = akd_label(label);
    let found = key_history_verify::<Hashing>(&root.vrf, root.tree, root.epoch, label, proof, params);
    found.map_err(refused)?.into_iter().map(decoded).collect()
}

pub(crate) fn akd_label(label: &Label) -> AkdLabel {
    AkdLabel(label.0.to_vec())
}

/// Reads the protobuf form `M` of a `T`.
pub(crate) fn read<M: Message, T>(bytes: &[u8], max: usize) -> Result<T, ProofError>
where
    T: for<'a> TryFrom<&'a M>,
{
    if bytes.len() > max {
        return Err(ProofError::Form);
    }
    let message = M::parse_from_bytes(bytes).map_err(|_| ProofError::Form)?;
    T::try_from(&message).map_err(|_| ProofError::Form)
}

/// Whether each part of a history is as long as a real one is at least. Two bytes that say "another entry, empty" would
/// take a hundred times as much memory.
fn no_crumbs(history: &[u8]) -> Result<(), ProofError> {
    const LEAST: u32 = 64;
    const LENGTH_DELIMITED: u32 = 2;
    let mut parts = CodedInputStream::from_bytes(history);
    while let Some(tag) = parts.read_raw_tag_or_eof().map_err(|_| ProofError::Form)? {
        let len = parts.read_raw_varint32().map_err(|_| ProofError::Form)?;
        if tag & 7 != LENGTH_DELIMITED || len < LEAST {
            return Err(ProofError::Form);
        }
        parts.skip_raw_bytes(len).map_err(|_| ProofError::Form)?;
    }
    Ok(())
}

/// Version `v` cannot be older than epoch `v`, nor newer than the root. (`akd_core` panics on version 0.)
fn possible(root: &Root, version: u64, epoch: u64) -> Result<(), ProofError> {
    if (1..=epoch).contains(&version) && epoch <= root.epoch {
        Ok(())
    } else {
        Err(wrong("its version and epoch are not possible"))
    }
}

fn in_tree(proof: &MembershipProof) -> Result<(), ProofError> {
    if proof.sibling_proofs.len() <= MAX_LAYERS { Ok(()) } else { Err(ProofError::Form) }
}

/// The node shown must be the last one on the label's way down: if one of its children led on, the label might
/// stand below it. (`akd_core` 0.13 only asks that the label is no child itself, so that any node above a leaf would
/// prove that leaf absent.)
fn absent(proof: &NonMembershipProof) -> Result<(), ProofError> {
    in_tree(&proof.longest_prefix_membership_proof)?;
    let leads_on = |child: &akd_core::AzksElement| {
        child.label != Hashing::empty_label() && child.label.is_prefix_of(&proof.label)
    };
    if proof.longest_prefix_children.iter().any(leads_on) {
        return Err(wrong("what it says is absent may be there"));
    }
    Ok(())
}

/// The reasons of `akd_core` name labels; ours do not.
fn refused(error: VerificationError) -> ProofError {
    wrong(match error {
        VerificationError::MembershipProof(_) => "an entry is not in the tree",
        VerificationError::NonMembershipProof(_) => "an entry is not proven absent",
        VerificationError::LookupProof(_) => "it does not fit the epoch",
        VerificationError::HistoryProof(_) => "the history has a gap",
        VerificationError::Vrf(_) => "an entry stands at another handle's place",
        VerificationError::Serialization(_) => return ProofError::Form,
    })
}

fn decoded(found: VerifyResult) -> Result<Found, ProofError> {
    let entry = Entry::from_bytes(&found.value).map_err(|_| ProofError::Entry)?;
    Ok(Found { entry, version: found.version, epoch: found.epoch })
}

#[cfg(test)]
mod tests {
    use akd_core::utils::get_marker_versions;

    /// What `verify_lookup` rests on: whoever proves version `v` the newest shows entries absent without which no later
    /// `w` can be proven, because its proof must show one of them.
    #[test]
    fn of_two_newest_entries_at_most_one_can_be_proven() {
        for epoch in [600, 70_000, 5_000_000] {
            for v in 1..=300u64 {
                let (_, absent) = get_marker_versions(v, v, epoch);
                for w in v + 1..=600 {
                    let (mut there, _) = get_marker_versions(w, w, epoch);
                    there.push(w);
                    assert!(absent.iter().any(|absent| there.contains(absent)), "{v} hides {w} at {epoch}");
                }
            }
        }
    }
}
