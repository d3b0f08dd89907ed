//! Holding what others saw of the directory against our own history.

use zegel_directory::{Lie, SeenRoot, Signers, View};
use zegel_proto::Code;

use super::{
    Link, Shared,
    checks::tolerate_alarm,
    directory::{TRIES, advance, caught, fetch_roots, learn_signers, our_view, same_root},
};
use crate::{
    Error, Result,
    core::directory::{Exhibits, Kin},
    db::{Heard, Said, Tried},
};

/// How many heard roots are looked after at a time.
const SOME: usize = 4;
/// A root that others saw is hidden if the service denies it this often, a moment apart.
const DENIALS: u32 = 3;
/// And if it does not answer this often: who is busy for so long does not want to.
const REFUSALS: u32 = 30;
/// And over this time, milliseconds: everybody has a bad minute.
const REFUSING_MS: u64 = 10 * 60_000;

/// Holds what others saw against our own history.
pub(crate) async fn check_gossip<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let heard = {
        let mut core = shared.core();
        let ours = core.latest_root()?.map_or(0, |latest| latest.root.epoch);
        core.db.heard(ours, core.now_ms(), SOME)?
    };
    for heard in heard {
        if !shared.core().is_directory_trusted()? {
            return Ok(());
        }
        let tried = match compare(shared, link, &heard.said).await {
            Ok(()) => {
                settle(shared, &heard)?;
                continue;
            }
            Err(error @ Error::Database(_)) => return Err(error),
            // The others get their turn when there is a connection again.
            Err(error @ (Error::Offline(_) | Error::Timeout { .. })) => {
                let silent = matches!(error, Error::Timeout { .. });
                note_tried(shared, &heard, if silent { Tried::Failed } else { Tried::Paused })?;
                return Err(error);
            }
            // The service was caught by it.
            Err(Error::Distrusted { .. }) => return settle(shared, &heard),
            Err(Error::Refused { code: Code::RateLimited, .. }) => Tried::Paused,
            Err(Error::Refused { code: Code::NotFound, .. }) => Tried::Denied,
            Err(error) => {
                tracing::debug!(%error, event = "gossip_check_failed");
                Tried::Failed
            }
        };
        note_tried(shared, &heard, tried)?;
        if tried == Tried::Paused {
            return Ok(());
        }
    }
    Ok(())
}

fn settle(shared: &Shared, heard: &Heard) -> Result<()> {
    shared.core().step(|core| {
        let ours = core.latest_root()?.map_or(0, |latest| latest.root.epoch);
        core.db.gossip_checked(heard, ours)
    })
}

/// Counts what did not settle it; too much of it is an alarm.
fn note_tried(shared: &Shared, heard: &Heard, tried: Tried) -> Result<()> {
    let now = shared.core().now_ms();
    shared.core().step(|core| core.db.gossip_tried(&heard.account, tried, now))?;
    let hidden = match tried {
        Tried::Paused => false,
        Tried::Denied => heard.denied + 1 >= DENIALS,
        Tried::Failed => {
            let long = heard.failing_ms > 0 && now.saturating_sub(heard.failing_ms) >= REFUSING_MS;
            heard.failed + 1 >= REFUSALS && long
        }
    };
    if !hidden {
        return Ok(());
    }
    let caught = caught(shared, Lie::Hidden(heard.said.root.epoch), heard.said.exhibits());
    settle(shared, heard)?;
    tolerate_alarm(Err(caught))
}

/// Holds a root that somebody saw against our history. It fails if the service does not say, and if it was caught.
async fn compare<L: Link>(shared: &Shared, link: &L, said: &Said) -> Result<()> {
    let seen = &said.root;
    for _ in 0..TRIES {
        let view = our_view(shared, link).await?;
        let view = check_keys(shared, link, view, said).await?;
        if let Some(held) = shared.core().held_root(seen.epoch)? {
            if held.hash == seen.hash {
                return Ok(());
            }
            let exhibits = Exhibits { held: Some(&held), ..said.exhibits() };
            return Err(caught(shared, Lie::Fork(seen.epoch), exhibits));
        }
        if seen.epoch < view.latest().root.epoch {
            return descend(shared, link, &view, said).await;
        }
        if advance(shared, link, &view, seen).await? {
            return Ok(());
        }
    }
    Err(Error::protocol("comparing what others saw", "the directory changes faster than it can be read"))
}

/// Our view, with the keys that somebody else knows already. It fails if the service does not have them.
async fn check_keys<L: Link>(shared: &Shared, link: &L, view: View, said: &Said) -> Result<View> {
    let lie = |_| Error::protocol("comparing what others saw", "what was kept of it is damaged");
    let theirs = Signers::verify(view.domain(), &said.signers).map_err(lie)?;
    if view.signers().continues(&theirs) {
        return Ok(view);
    }
    learn_signers(shared, link).await?;
    let view = our_view(shared, link).await?;
    match Kin::of(view.signers(), &theirs) {
        Kin::Known => Ok(view),
        Kin::Longer | Kin::Forked | Kin::Elsewhere => Err(caught(shared, Lie::Keys, said.exhibits())),
    }
}

/// Whether an older root that somebody saw is in the history of our newest.
async fn descend<L: Link>(shared: &Shared, link: &L, view: &View, said: &Said) -> Result<()> {
    let seen = &said.root;
    let roots = fetch_roots(shared, link, view.latest().root.epoch, Some(seen.epoch)).await?;
    let root: SeenRoot = roots.root.seen();
    if root.epoch != view.latest().root.epoch {
        let lie = Lie::Form("the root of another epoch than was asked for");
        return Err(caught(shared, lie, roots.exhibits(&root)));
    }
    if let Err(lie) = same_root(view, &root) {
        return Err(caught(shared, lie, roots.exhibits(&root)));
    }
    let exhibits = Exhibits { signers: &said.signers, ..roots.exhibits(seen) };
    view.compare(seen, &roots.path).map_err(|lie| caught(shared, lie, exhibits))
}
