//! Whether the directory that is stored is one history, and its newest root that of its tree.

use std::sync::Arc;

use zegel_directory::{
    Root, Signers,
    publisher::{Publisher, VrfKey},
    skip_of,
};

use super::{DirectoryError, Tree, signed};
use crate::{
    keys::KeyRing,
    store::{Store, StoreResult, Tx, read},
};

/// Epochs that one read looks at.
const CHUNK: u64 = 512;

/// What is wrong, in sentences that name nobody; empty if all is well. Signatures are verified only with the keys.
pub(crate) async fn faults(
    store: Arc<dyn Store>,
    keys: Option<&KeyRing>,
) -> Result<Vec<String>, DirectoryError> {
    let Some(newest) = read(&*store, |tx| tx.newest_root()).await? else { return Ok(Vec::new()) };
    let mut faults = Vec::new();
    for first in (0..=newest.epoch).step_by(CHUNK as usize) {
        let epochs = first..(first + CHUNK).min(newest.epoch + 1);
        let signed_by = keys.map(|keys| {
            let signers = Signers::verify(keys.domain(), keys.directory().links());
            (keys.domain().to_owned(), signers)
        });
        let found = read(&*store, move |tx| {
            let mut found = Vec::new();
            for epoch in epochs {
                let Some(row) = tx.root(epoch)? else { continue };
                let Ok(signed) = signed(&row) else {
                    found.push(format!("the directory's root {epoch} cannot be read"));
                    continue;
                };
                if !links(tx, &signed.root)? {
                    found.push(format!("the directory's root {epoch} does not follow from those before it"));
                }
                if let Some((domain, signers)) = &signed_by
                    && !signers.as_ref().is_ok_and(|signers| signed.is_signed(domain, signers))
                {
                    found.push(format!("the directory's root {epoch} is not signed by the key file's keys"));
                }
            }
            Ok(found)
        });
        faults.extend(found.await?);
    }
    // Any key will do to read the root of a tree.
    let vrf = keys.map_or_else(VrfKey::random, |keys| keys.vrf().clone());
    match Publisher::open(Tree(store.clone()), vrf, 0).await?.tree().await {
        Ok((epoch, tree)) => match signed(&newest) {
            Ok(newest) if newest.root.epoch == epoch && newest.root.tree == tree => {}
            _ => faults.push("the directory's newest root is not the root of its tree".into()),
        },
        Err(error) => faults.push(format!("the directory's tree cannot be read: {error}")),
    }
    Ok(faults)
}

/// Whether a root names the roots before it.
fn links(tx: &mut dyn Tx, root: &Root) -> StoreResult<bool> {
    if root.epoch == 0 {
        return Ok(root.previous == [0; 32] && root.skip == [0; 32]);
    }
    let hash = |tx: &mut dyn Tx, epoch| -> StoreResult<Option<(u64, [u8; 32])>> {
        let before = tx.root(epoch)?.and_then(|row| signed(&row).ok());
        Ok(before.map(|before| (before.root.time_ms, before.root.hash())))
    };
    let previous = hash(tx, root.epoch - 1)?;
    let skip = hash(tx, skip_of(root.epoch))?;
    let follows = previous.is_some_and(|(time_ms, hash)| hash == root.previous && time_ms <= root.time_ms);
    Ok(follows && skip.is_some_and(|(_, hash)| hash == root.skip))
}
