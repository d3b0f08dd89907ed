//! Fetching what the service knows about people: sigchains and key packages.

use zegel_identity::Chain;
use zegel_proto::{
    AccountId, Code, MAX_FETCH,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{
    Link, Shared,
    checks::check_own,
    directory::{TRIES, ask, doubted, take_if_current, unsteady},
    unexpected,
};
use crate::{Error, Result, core::directory::Asked};

/// Fetches a sigchain and takes it, if the directory covers it. Our own is held against what we did, whoever made us
/// ask: a member may name us in a leaf.
async fn fetch_account<L: Link>(shared: &Shared, link: &L, asked: Asked) -> Result<Chain> {
    let own = shared.core().is_own(&asked);
    if own {
        check_own(shared, link).await?;
        return Ok(shared.core().own()?.chain);
    }
    for _ in 0..TRIES {
        let before = shared.core().standing(&asked)?;
        let (attested, answer) = ask(shared, link, &asked).await?;
        match take_if_current(shared, &asked, &before, |core| core.take_attested(&attested))? {
            Some(Ok(chain)) => return Ok(chain),
            Some(Err(doubt)) => return Err(doubted(shared, &asked, &doubt, &answer)?),
            None => {}
        }
    }
    Err(unsteady())
}

/// Fetches the sigchain behind a handle, even if we hold one.
pub(crate) async fn know_handle<L: Link>(shared: &Shared, link: &L, handle: &str) -> Result<Chain> {
    fetch_account(shared, link, Asked::Handle(handle.into())).await
}

/// Fetches the sigchains of these accounts; many at once, so that a large group is known soon. Returns those that were
/// read: what we hold of the others may be old.
pub(crate) async fn know<L: Link>(
    shared: &Shared,
    link: &L,
    accounts: &[AccountId],
) -> Result<Vec<AccountId>> {
    use futures_util::{StreamExt, stream};
    let fetch = |account: AccountId| async move { (account, know_account(shared, link, &account).await) };
    let fetches: Vec<_> = accounts.iter().copied().map(fetch).collect();
    let mut fetches = stream::iter(fetches).buffer_unordered(32);
    let (mut read, mut failed) = (Vec::new(), None);
    while let Some((account, result)) = fetches.next().await {
        match result {
            Ok(()) => read.push(account),
            // One account that is gone must not keep the others unknown. Of several failures, the one that says to
            // wait counts.
            Err(error) if failed.is_none() || keeps_waiting(&error) => failed = Some(error),
            Err(_) => {}
        }
    }
    match failed {
        Some(error) if keeps_waiting(&error) => Err(error),
        _ => Ok(read),
    }
}

/// Without the directory nobody can be known: what needs them waits.
fn keeps_waiting(error: &Error) -> bool {
    matches!(error, Error::Distrusted { .. }) || error.is_passing()
}

/// Fetches the sigchain of an account, even if we hold one.
pub(crate) async fn know_account<L: Link>(shared: &Shared, link: &L, account: &AccountId) -> Result<()> {
    let fetched = fetch_account(shared, link, Asked::Account(*account)).await;
    if let Err(Error::Refused { code: Code::NotFound, .. }) = &fetched {
        shared.core().step(|core| core.note_gone(account))?;
    }
    fetched.map(|_| ())
}

/// Key packages of all these people.
pub(crate) async fn fetch_packages<L: Link>(
    shared: &Shared,
    link: &L,
    accounts: &[AccountId],
) -> Result<Vec<v1::DeviceKeyPackage>> {
    let (read, packages) = fetch_fresh(shared, link, accounts).await?;
    match read.len() == accounts.len() {
        true => Ok(packages),
        false => {
            let unread: Vec<_> = accounts.iter().filter(|who| !read.contains(who)).copied().collect();
            Err(unreadable(shared, &unread)?)
        }
    }
}

/// Of these people's devices nothing can be known now, so nothing is made for them.
pub(crate) fn unreadable(shared: &Shared, people: &[AccountId]) -> Result<Error> {
    let core = shared.core();
    let names = people.iter().map(|who| core.name_of(who)).collect::<Result<Vec<_>>>()?.join(", ");
    let why = format!("the service does not show which devices belong to {names} now");
    Ok(Error::usage("adding people's devices", why, "again later, or without them"))
}

/// The accounts whose chains could be read as they are now, and key packages of theirs.
pub(crate) async fn fetch_fresh<L: Link>(
    shared: &Shared,
    link: &L,
    accounts: &[AccountId],
) -> Result<(Vec<AccountId>, Vec<v1::DeviceKeyPackage>)> {
    let doing = "fetching key packages";
    // A device that its owner revoked meanwhile must not get in.
    let read = know(shared, link, accounts).await?;
    let mut packages = Vec::new();
    for some in read.chunks(MAX_FETCH) {
        let fetch = v1::FetchKeyPackages { accounts: some.iter().map(|who| who.to_field()).collect() };
        match link.call(doing, Call::FetchKeyPackages(fetch)).await? {
            Answer::KeyPackages(answer) => packages.extend(answer.packages),
            _ => return unexpected(doing),
        }
    }
    Ok((read, packages))
}

/// Asks how many of our key packages the server has, and brings the stock up.
///
/// Never because an introduction came: whoever fetches our packages could tell from that whether theirs did.
pub(crate) async fn check_stock<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    let doing = "asking for the stock of key packages";
    match link.call(doing, Call::PublishKeyPackages(v1::PublishKeyPackages::default())).await? {
        Answer::Done(done) => shared.core().stock = done.key_packages,
        _ => return unexpected(doing),
    }
    restock(shared, link, false).await
}

/// Brings the server's stock of our key packages up.
pub(crate) async fn restock<L: Link>(shared: &Shared, link: &L, last_resort_missing: bool) -> Result<()> {
    let Some(publish) = shared.core().step(|core| core.restock(last_resort_missing))? else { return Ok(()) };
    link.call("publishing key packages", Call::PublishKeyPackages(publish)).await?;
    shared.core().stock = zegel_proto::KEY_PACKAGE_STOCK;
    Ok(())
}
