//! `holdings`: what the server holds, and about whom.

use super::{AdminError, account_of};
use crate::{
    keys::KeyRing,
    service,
    store::{self, Store},
};

/// The published list; a test compares it with the tables.
const LIST: &str = include_str!("../../holdings.toml");

/// What is held, why and for how long.
pub(super) fn list() -> &'static str {
    LIST
}

/// What is held about one account, as JSON: the same that its owner can ask for; without the key file all but reports
/// and statements.
pub(super) async fn about(
    store: &dyn Store,
    keys: Option<KeyRing>,
    handle: String,
) -> Result<String, AdminError> {
    let name = handle.clone();
    let found = store::read(store, move |tx| match account_of(tx, &name)? {
        Some(id) => service::holding(tx, keys.as_ref(), &id).map(Some),
        None => Ok(None),
    });
    let held = found.await?.ok_or(AdminError::NoAccount(handle))?;
    Ok(format!("{held:#}"))
}
