//! The people at the desk: who is invited, who is there, who is no longer.

use std::path::Path;

use zegel_cases::{Role, utc};

use super::{AdminError, invite::new_code};
use crate::{
    config::Config,
    service::desk::{self, People, Removed},
    store::Store,
};

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

/// A line for everybody who is, was or is invited to be at the desk, by name.
pub async fn list(store: &dyn Store) -> Result<Vec<String>, AdminError> {
    let People { staff, invites } = desk::all_people(store).await?;
    let there = staff.into_iter().map(|row| {
        let gone = if row.removed { " (removed)" } else { "" };
        format!("{} {}{gone}", row.name, row.role)
    });
    let invited = invites
        .into_iter()
        .map(|invite| format!("{} {} (invited until {})", invite.name, invite.role, utc(invite.expires_ms)));
    let mut lines: Vec<String> = there.chain(invited).collect();
    lines.sort();
    Ok(lines)
}

/// Removes somebody, whose session ends with the next click, or takes their invitation back. Returns a line that
/// says which.
pub async fn remove(store: &dyn Store, name: &str) -> Result<String, AdminError> {
    match desk::remove(store, name).await? {
        Some(Removed::Place) => Ok(format!("{name} is no longer at the desk")),
        Some(Removed::Invitation) => Ok(format!("the invitation of {name} is taken back")),
        None => Err(AdminError::NobodyAtDesk(name.to_owned())),
    }
}
