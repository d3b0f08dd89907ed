//! Tells people what became of a case: signed with the directory's key, kept so that also who may not connect can read
//! it, and put into the mailboxes of their devices. Never as a chat.

use zegel_cases::{Case, statement};
use zegel_directory::Statement;
use zegel_proto::{AccountId, Message as _, v1};

use super::rows::CaseKeys;
use crate::{
    clock::Now,
    keys::KeyRing,
    service::{
        accounts::listed,
        post::{Post, PostOffice, Way, padded},
    },
    store::{StoreResult, Tx},
};

/// Tells `to` what happened in `case`. Whoever is gone is told nothing.
#[expect(clippy::too_many_arguments, reason = "each is a thing of its own, and all are needed")]
pub(in crate::service) fn tell(
    tx: &mut dyn Tx,
    office: &PostOffice,
    keys: &KeyRing,
    domain: &str,
    case: &Case,
    kind: v1::statement::Kind,
    to: &AccountId,
    now: Now,
) -> StoreResult<()> {
    let Some(account) = tx.account(to)? else { return Ok(()) };
    let body = statement(case, kind, to, &account.language, now.ms).encode_to_vec();
    let signed = keys.directory().sign_statement(domain, Statement::Notice, &body);
    let signed =
        v1::SignedStatement { body: body.into(), signer: signed.signer, signature: signed.signature.into() };
    let rows = CaseKeys::of(keys);
    tx.put_statement(&rows.person(to), now.day(), &rows.seal_statement(to, &signed))?;
    let entry = padded(v1::entry::Body::Statement(signed));
    let devices = listed(&tx.chain(to)?);
    let mut post = Post::new(tx, office, now);
    for device in &devices {
        post.put(&Way::accepted(*device), &entry, &None)?;
    }
    post.finish()
}
