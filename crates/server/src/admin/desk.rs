//! The people at the desk: who is invited, who is there, who is no longer.

use std::path::Path;

use zegel_cases::Role;

use super::{AdminError, invite::new_code};
use crate::{config::Config, service::desk, store::Store};

/// Makes an invitation and returns its link. Without an origin the link begins with its path.
pub async fn invite(
    store: &dyn Store,
    role: Role,
    name: &str,
    origin: Option<String>,
    config: Option<&Path>,
) -> Result<String, AdminError> {
    let origin = match origin {
        Some(origin) => Some(origin),
        None => Config::load(config)?.desk.origin,
    };
    let origin = origin.map(|origin| zegel_desk::Origin::parse(&origin)).transpose()?;
    let code = new_code();
    desk::invite(store, &code, name, role).await??;
    let place = origin.map(|origin| origin.to_string()).unwrap_or_default();
    Ok(format!("{place}/desk/join/{code}"))
}

/// A line for everybody who is or was at the desk.
pub async fn list(store: &dyn Store) -> Result<Vec<String>, AdminError> {
    let mut rows = desk::members(store).await?;
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    let line = |row: crate::store::StaffRow| {
        let gone = if row.removed { " (removed)" } else { "" };
        format!("{} {}{gone}", row.name, row.role)
    };
    Ok(rows.into_iter().map(line).collect())
}

/// Removes somebody; their session ends with the next click.
pub async fn remove(store: &dyn Store, name: &str) -> Result<(), AdminError> {
    match desk::remove(store, name).await? {
        true => Ok(()),
        false => Err(AdminError::NobodyAtDesk(name.to_owned())),
    }
}
