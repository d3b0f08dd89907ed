//! The service's safety rules.

use zegel_proto::v1::{self, client_frame::Body as Call, server_frame::Body as Answer};

use super::{Link, Shared, unexpected};
use crate::Result;

/// Fetches the rules if they are others than those we keep; `hash` names those in force.
pub(crate) async fn check_policy<L: Link>(shared: &Shared, link: &L, hash: &[u8]) -> Result<()> {
    let doing = "asking for the safety rules";
    if !shared.core().wants_policy(hash)? {
        return Ok(());
    }
    match link.call(doing, Call::FetchPolicy(v1::FetchPolicy {})).await? {
        Answer::Policy(answer) => shared.core().take_policy(&answer.toml, hash),
        _ => unexpected(doing),
    }
}
