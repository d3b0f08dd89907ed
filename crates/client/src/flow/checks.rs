//! Looking after the key directory: our own entry, promises that were made to us, and roots that others saw.

use zegel_directory::{Found, Lie, SeenRoot, View};
use zegel_proto::Code;

use super::{
    Link, Shared,
    directory::{
        TRIES, advance, ask, caught, doubted, fetch_roots, history, knows_key, learn_signers, our_view,
        same_root, take_if_current, unsteady,
    },
    people::know_account,
};
use crate::{
    Error, Result,
    core::directory::{Asked, Doubt, PROMISE_CHECK_MS},
    db::Heard,
};

/// How many promises and heard roots are looked after at a time.
const SOME: usize = 4;
/// A root that others saw is hidden if the service denies it this often, a moment apart.
const DENIALS: u32 = 3;
/// And if it does not answer this often: who is busy for so long does not want to.
const REFUSALS: u32 = 300;

/// Our own entry: it must be what we did, in every version since the one that we saw.
pub(crate) async fn check_own<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let checked = look_at_own(shared, link).await;
    let refused = match &checked {
        Ok(()) => false,
        Err(Error::Refused { .. }) => true,
        // It was answered, or there is no connection; neither is a refusal.
        Err(_) => return checked,
    };
    let long = shared.core().step(|core| core.note_refusal(refused))?;
    if long {
        let handle = shared.core().me.handle.clone();
        return Err(doubted(shared, &Asked::Handle(handle), &Doubt::Refused, &[])?);
    }
    checked
}

async fn look_at_own<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let (account, handle) = {
        let core = shared.core();
        (core.me.account, core.me.handle.clone())
    };
    // Asked again if it fails on the way.
    let core_now = shared.core().now_ms();
    shared.core().step(|core| core.db.set_check(&account, core_now + PROMISE_CHECK_MS))?;
    let asked = Asked::Handle(handle.clone());
    for _ in 0..TRIES {
        let before = shared.core().standing(&asked)?;
        let (attested, answer) = match ask(shared, link, &asked).await {
            // Whoever looks us up is told the same: that there is nobody.
            Err(Error::Refused { code: Code::NotFound, .. }) => {
                return Err(doubted(shared, &asked, &Doubt::Unproven, &[])?);
            }
            other => other?,
        };
        let between = versions_between(shared, link, &handle, attested.found.as_ref()).await?;
        match take_if_current(shared, &asked, &before, |core| core.take_own(&attested, &between))? {
            Some(Ok(())) => return Ok(()),
            Some(Err(doubt)) => return Err(doubted(shared, &asked, &doubt, &answer)?),
            None => {}
        }
    }
    Err(unsteady())
}

/// The versions of our entry between the one that we saw last and the newest, both left out.
async fn versions_between<L: Link>(
    shared: &Shared,
    link: &L,
    handle: &str,
    found: Option<&Found>,
) -> Result<Vec<Found>> {
    let Some(newest) = found.map(|found| found.version) else { return Ok(Vec::new()) };
    let seen = shared.core().own()?.trust.version;
    let missing = newest.saturating_sub(seen).saturating_sub(1);
    if missing == 0 {
        return Ok(Vec::new());
    }
    // Newer ones may come while we ask; those are for the next time.
    for more in 1..=TRIES as u64 {
        let most_recent = u32::try_from(missing + more).unwrap_or(0);
        let mut all = match history(shared, link, handle, most_recent).await {
            // It has just proven that there are some.
            Err(Error::Refused { code: Code::NotFound, .. }) => break,
            other => other?,
        };
        all.retain(|found| found.version > seen && found.version < newest);
        if all.len() as u64 == missing {
            return Ok(all);
        }
    }
    let asked = Asked::Handle(handle.into());
    Err(doubted(shared, &asked, &Lie::Form("a history with holes").into(), &[])?)
}

/// Looks after what is due: promises that were made to us, and roots that others saw.
pub(crate) async fn check_due<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    if !shared.core().is_directory_trusted()? {
        return Ok(());
    }
    let (own, now, due) = {
        let core = shared.core();
        let now = core.now_ms();
        (core.me.account, now, core.db.due_checks(now, 2 * PROMISE_CHECK_MS, SOME)?)
    };
    for account in due {
        shared.core().step(|core| core.db.set_check(&account, now + PROMISE_CHECK_MS))?;
        let checked = match account == own {
            true => check_own(shared, link).await,
            false => know_account(shared, link, &account).await,
        };
        let checked = match checked {
            Err(Error::Refused { .. }) if account != own && shared.core().is_overdue(&account)? => {
                Err(doubted(shared, &Asked::Account(account), &Doubt::Refused, &[])?)
            }
            other => other,
        };
        tolerate_alarm(checked)?;
    }
    check_gossip(shared, link).await
}

/// Holds what others saw against our own history.
pub(crate) async fn check_gossip<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let heard = shared.core().db.heard(SOME)?;
    for heard in heard {
        if !shared.core().is_directory_trusted()? {
            return Ok(());
        }
        let agreed = compare(shared, link, &heard).await;
        let agreed = match agreed {
            Ok(true) => shared.core().step(|core| core.db.gossip_checked(heard.id)),
            Ok(false) => shared.core().step(|core| core.db.gossip_tried(heard.id)),
            Err(error) => {
                if !error.is_passing() {
                    shared.core().step(|core| core.db.gossip_checked(heard.id))?;
                }
                Err(error)
            }
        };
        tolerate_alarm(agreed)?;
    }
    Ok(())
}

/// Whether a root that somebody saw is in our history. `false`: the service does not say, yet.
async fn compare<L: Link>(shared: &Shared, link: &L, heard: &Heard) -> Result<bool> {
    let seen = &heard.seen;
    let mut view = our_view(shared, link).await?;
    if !knows_key(&view, seen.signer) {
        learn_signers(shared, link).await?;
        view = our_view(shared, link).await?;
    }
    if !view.believes(seen) {
        // Whoever sent it made it up.
        return Ok(true);
    }
    let ours = view.latest().seen();
    if seen.epoch == ours.epoch {
        return same_root(&view, seen)
            .map(|()| true)
            .map_err(|lie| caught(shared, lie, Some(seen), &[], &[]));
    }
    let newer = seen.epoch > ours.epoch;
    let answered = match newer {
        true => advance(shared, link, &view, seen).await.map(|()| true),
        false => descend(shared, link, &view, seen).await,
    };
    match answered {
        Err(Error::Refused { code, .. }) => {
            let most = if code == Code::NotFound { DENIALS } else { REFUSALS };
            match heard.tried + 1 < most {
                true => Ok(false),
                false => Err(caught(shared, Lie::Hidden(seen.epoch), Some(seen), &[], &[])),
            }
        }
        other => other,
    }
}

/// Whether an older root that somebody saw is in the history of our newest.
async fn descend<L: Link>(shared: &Shared, link: &L, view: &View, seen: &SeenRoot) -> Result<bool> {
    let roots = fetch_roots(shared, link, view.latest().root.epoch, Some(seen.epoch)).await?;
    let same = same_root(view, &roots.root.seen());
    if let Err(lie) = same {
        return Err(caught(shared, lie, Some(&roots.root.seen()), &roots.path, &roots.answer));
    }
    match view.compare(seen, &roots.path) {
        Ok(()) => Ok(true),
        Err(lie) => Err(caught(shared, lie, Some(seen), &roots.path, &roots.answer)),
    }
}

/// An alarm was kept, or the service refused: neither is a reason to take no mail.
pub(crate) fn tolerate_alarm(result: Result<()>) -> Result<()> {
    match result {
        Err(error @ (Error::Offline(_) | Error::Timeout { .. } | Error::Database(_))) => Err(error),
        Err(error) => {
            tracing::debug!(%error, event = "directory_check_failed");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
