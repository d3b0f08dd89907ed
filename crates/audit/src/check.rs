//! The rules that one root must keep beside those before it.

use zegel_directory::{Lie, SeenRoot, SignerLink, Signers, View, verify_append_only};

use crate::source::Shown;

/// The first root of all: an empty tree and nothing before it.
pub(crate) fn first(shown: &Shown) -> Result<View, Lie> {
    let root = &shown.root.root;
    let view = View::begin(&shown.domain, &shown.signers, shown.root.clone())?;
    if root.epoch != 0 || root.previous != [0; 32] || root.skip != [0; 32] {
        return Err(Lie::Form("a first root that is none"));
    }
    // An empty proof holds for the empty tree and no other.
    let empty = verify_append_only(1, &root.tree, &root.tree, &[]);
    empty.map_err(|_| Lie::Form("a first root whose tree is not empty"))?;
    Ok(view)
}

/// What the service calls its newest root. `past` is what was seen in an epoch that was checked.
pub(crate) fn newest<E>(
    view: &View,
    shown: &Shown,
    past: impl FnOnce(u64) -> Result<SeenRoot, E>,
) -> Result<Result<(), Lie>, E> {
    let (seen, root) = (&view.latest().root, &shown.root.root);
    let mut view = view.clone();
    if let Err(lie) = view.learn_signers(&shown.signers) {
        return Ok(Err(lie));
    }
    if !shown.root.is_signed(view.domain(), view.signers()) {
        return Ok(Err(Lie::Signature));
    }
    if root.epoch <= seen.epoch && past(root.epoch)?.hash != root.hash() {
        return Ok(Err(Lie::Fork(root.epoch)));
    }
    if root.epoch < seen.epoch {
        return Ok(Err(Lie::Rollback { seen: seen.epoch, shown: root.epoch }));
    }
    Ok(Ok(()))
}

/// Whether a key of the view signed another key than the view's to come after it: then the lists begin alike.
pub(crate) fn keys_forked(view: &View, shown: &[SignerLink]) -> bool {
    let ours = view.signers();
    Signers::verify(view.domain(), shown).is_ok_and(|theirs| {
        theirs.first() == ours.first() && !theirs.continues(ours) && !ours.continues(&theirs)
    })
}

/// The root of the epoch after the newest one seen. `skipped` is the hash of the root that it must name as `skip`.
pub(crate) fn next(view: &View, shown: &Shown, skipped: &SeenRoot) -> Result<View, Lie> {
    let (seen, root) = (&view.latest().root, &shown.root.root);
    if root.epoch != seen.epoch + 1 {
        return Err(Lie::Form("a root that was not asked for"));
    }
    let mut after = view.clone();
    after.learn_signers(&shown.signers)?;
    after.advance(shown.root.clone(), &[])?;
    // A path of one step uses one of the two links; an auditor checks both.
    if root.previous != seen.hash() {
        return Err(Lie::Fork(seen.epoch));
    }
    if root.skip != skipped.hash {
        return Err(Lie::Fork(skipped.epoch));
    }
    Ok(after)
}
