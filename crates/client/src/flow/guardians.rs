//! What the service is told about our guardian and our age.

use super::{Link, Shared};
use crate::{Error, Result};

/// Runs errands, in order, until none is left. A lost answer leaves the errand, which may be run again.
pub(crate) async fn run_errands<L: Link>(shared: &Shared, link: &L) -> Result<()> {
    loop {
        let Some((id, call)) = shared.core().errand()? else { return Ok(()) };
        match link.call("telling the service about a guardian", call).await {
            Ok(_) => shared.core().errand_ended(id, None)?,
            Err(error) if error.is_passing() => return Err(error),
            Err(Error::Refused { message, .. }) => shared.core().errand_ended(id, Some(&message))?,
            Err(error) => return Err(error),
        }
    }
}
