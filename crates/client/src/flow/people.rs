//! Fetching what the service knows about people: sigchains and key packages.

use zegel_identity::Chain;
use zegel_proto::{
    AccountId, Code, MAX_FETCH,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{
    Link, Shared,
    directory::{TRIES, ask, doubted, take_if_current, unsteady},
    unexpected,
};
use crate::{Error, Result, core::directory::Asked};

/// Fetches a sigchain and takes it, if the directory covers it.
async fn fetch_account<L: Link>(shared: &Shared, link: &L, asked: Asked) -> Result<Chain> {
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

/// Fetches the sigchains of these accounts; many at once, so that a large group is known soon.
pub(crate) async fn know<L: Link>(shared: &Shared, link: &L, accounts: &[AccountId]) -> Result<()> {
    use futures_util::{StreamExt, stream};
    let fetches: Vec<_> = accounts.iter().map(|account| know_account(shared, link, account)).collect();
    let mut fetches = stream::iter(fetches).buffer_unordered(32);
    let mut failed = None;
    while let Some(result) = fetches.next().await {
        // One account that is gone must not keep the others unknown.
        if let Err(error) = result {
            failed = Some(error);
        }
    }
    match failed {
        // Without the directory nobody can be known: what needs them waits.
        Some(error @ Error::Distrusted { .. }) => Err(error),
        Some(error) if error.is_passing() => Err(error),
        _ => Ok(()),
    }
}

/// Fetches the sigchain of an account, even if we hold one.
pub(crate) async fn know_account<L: Link>(shared: &Shared, link: &L, account: &AccountId) -> Result<()> {
    let fetched = fetch_account(shared, link, Asked::Account(*account)).await;
    if let Err(Error::Refused { code: Code::NotFound, .. }) = &fetched {
        // Gone for so long that the service has forgotten it: there is nothing to wait for.
        shared.core().step(|core| core.db.set_check(account, 0))?;
    }
    fetched.map(|_| ())
}

/// Key packages of these accounts, and their chains as they are now.
pub(crate) async fn fetch_packages<L: Link>(
    shared: &Shared,
    link: &L,
    accounts: &[AccountId],
) -> Result<Vec<v1::DeviceKeyPackage>> {
    let doing = "fetching key packages";
    // A device that its owner revoked meanwhile must not get in.
    know(shared, link, accounts).await?;
    let mut packages = Vec::new();
    for some in accounts.chunks(MAX_FETCH) {
        let fetch = v1::FetchKeyPackages { accounts: some.iter().map(|who| who.to_field()).collect() };
        match link.call(doing, Call::FetchKeyPackages(fetch)).await? {
            Answer::KeyPackages(answer) => packages.extend(answer.packages),
            _ => return unexpected(doing),
        }
    }
    Ok(packages)
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
