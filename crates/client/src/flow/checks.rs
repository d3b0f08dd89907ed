//! Looking after the key directory: our own entry, promises that were made to us, and roots that others saw.

use zegel_directory::{Found, Lie};
use zegel_proto::{AccountId, Code};

use super::{
    Link, Shared,
    directory::{TRIES, ask, doubted, history, take_if_current, unsteady},
    gossip::check_gossip,
    people::know_account,
};
use crate::{
    Error, Result,
    core::directory::{Asked, Doubt, PROMISE_CHECK_MS},
};

/// How many promises are looked after at a time.
const SOME: usize = 4;

/// Our own entry: it must be what we did, in every version since the one that we saw.
pub(crate) async fn check_own<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let checked = look_at_own(shared, link).await;
    match &checked {
        Ok(()) => shared.core().step(|core| core.note_answer())?,
        Err(error) if evades(error) => {
            let long = shared.core().step(|core| core.note_refusal())?;
            if long {
                let handle = shared.core().me.handle.clone();
                return Err(doubted(shared, &Asked::Handle(handle), &Doubt::Refused, &[])?);
            }
        }
        // It was answered, or there is no connection; neither is a refusal.
        Err(_) => {}
    }
    checked
}

/// Whether the service would not say what its directory has: it refused, or answered something else. That others have
/// used up our calls is no refusal.
fn evades(error: &Error) -> bool {
    match error {
        Error::Refused { code, .. } => !matches!(code, Code::RateLimited | Code::Replaced),
        // Silence is no answer either.
        Error::Protocol { .. } | Error::Timeout { .. } => true,
        _ => false,
    }
}

async fn look_at_own<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let (account, handle) = {
        let core = shared.core();
        (core.me.account, core.me.handle.clone())
    };
    // Asked again if it fails on the way.
    shared.core().step(|core| core.db.set_check(&account, core.now_ms() + PROMISE_CHECK_MS))?;
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
            false => check_promise(shared, link, &account).await,
        };
        tolerate_alarm(checked)?;
    }
    check_gossip(shared, link).await
}

/// A promise about somebody: kept, or not due yet, or an alarm.
async fn check_promise<L: Link>(shared: &Shared, link: &L, account: &AccountId) -> Result<()> {
    let error = match know_account(shared, link, account).await {
        Err(error) if evades(&error) => error,
        other => return other,
    };
    if !shared.core().is_overdue(account)? {
        return Err(error);
    }
    // The service forgets who is long gone; its directory forgets nobody.
    if matches!(error, Error::Refused { code: Code::NotFound, .. }) {
        let handle = shared.core().db.handle_of(&account.0)?.unwrap_or_default();
        match history(shared, link, &handle, 0).await {
            Ok(found) => {
                let kept = shared.core().step(|core| core.was_kept(account, &found))?;
                if kept {
                    return Ok(());
                }
            }
            Err(error) if evades(&error) => {}
            Err(error) => return Err(error),
        }
    }
    Err(doubted(shared, &Asked::Account(*account), &Doubt::Refused, &[])?)
}

/// An alarm was kept, or the service refused: neither is a reason to take no mail.
pub(crate) fn tolerate_alarm(result: Result<()>) -> Result<()> {
    match result {
        Err(error @ (Error::Offline(_) | Error::Database(_))) => Err(error),
        Err(error) => {
            tracing::debug!(%error, event = "directory_check_failed");
            Ok(())
        }
        Ok(()) => Ok(()),
    }
}
