//! Sigchains: their owners add to them.

use zegel_directory::{Entry, SignedPromise};
use zegel_identity::{Action, Chain, SignedLink};
use zegel_proto::{AccountId, Code, DeviceId, v1};

use super::{
    Service, Session,
    directory::{has_room, owe, promise},
    hour_keys::Admissible,
    refusal::Refusal,
};
use crate::{
    clock::Now,
    store::{Owed, StoreResult, Tx, read, write},
};

/// The most devices of an account at once.
const MAX_DEVICES: usize = 16;
/// The most links of a chain: every reader verifies each.
const MAX_LINKS: u64 = 256;

impl Service {
    /// A link speaks for itself, so a person who has only the recovery key left can append without
    /// authenticating.
    pub(super) async fn append_chain(
        &self,
        session: &Session,
        call: v1::AppendChain,
    ) -> Result<SignedPromise, Refusal> {
        self.limits.lookup(session.account(), session.peer, 1)?;
        let signed: SignedLink = call.entry.ok_or_else(|| Refusal::bad_request("`entry` is missing"))?.into();
        let bad = |text: String| Refusal::new(Code::BadChain, text);
        let link = signed.link().map_err(|error| bad(error.to_string()))?;
        let account = link.account;
        let links = read(&*self.store, move |tx| living_chain(tx, &account)).await?.ok_or_else(no_account)?;
        let mut chain = Chain::verify(&links).map_err(|error| bad(error.to_string()))?;
        let before = chain.head();
        chain.append(&signed).map_err(|error| bad(error.to_string()))?;
        if chain.devices().count() > MAX_DEVICES || before.0 >= MAX_LINKS {
            let text = format!("an account has at most {MAX_DEVICES} devices and {MAX_LINKS} links");
            return Err(bad(text));
        }
        let change = match link.action {
            Action::AddDevice(info) => Change::Add(self.office.hours.admit(&info)?),
            Action::RevokeDevice(device) => Change::Revoke(device),
            Action::Create { .. } | Action::RotateRecovery(_) => Change::Neither,
        };
        let office = self.office.clone();
        let owed = write(&*self.store, move |tx| {
            let done = append(tx, &account, before, &signed, &change)?;
            if let (Ok(_), Change::Revoke(device)) = (&done, change) {
                tx.after_commit(Box::new(move || office.end_device(&device)));
            }
            Ok(done)
        })
        .await??;
        Ok(promise(&self.keys(), chain.handle(), Entry::of(&chain), &owed))
    }
}

/// What a link does to mailboxes.
enum Change {
    Add(Admissible),
    Revoke(DeviceId),
    Neither,
}

fn no_account() -> Refusal {
    Refusal::new(Code::NotFound, "there is no such account")
}

/// The chain of an account that was not deleted: an ended chain never grows.
fn living_chain(tx: &mut dyn Tx, account: &AccountId) -> StoreResult<Option<Vec<SignedLink>>> {
    Ok(match tx.account(account)? {
        Some(_) => Some(tx.chain(account)?),
        None => None,
    })
}

fn append(
    tx: &mut dyn Tx,
    account: &AccountId,
    (len, hash): (u64, [u8; 32]),
    link: &SignedLink,
    change: &Change,
) -> StoreResult<Result<Owed, Refusal>> {
    let Some(links) = living_chain(tx, account)? else { return Ok(Err(no_account())) };
    if !has_room(tx)? {
        return Ok(Err(Refusal::rate_limited(zegel_directory::EPOCH_MS)));
    }
    // The link was verified against this head; another may have been appended meanwhile.
    if links.len() as u64 != len || links.last().map(SignedLink::hash) != Some(hash) {
        let text = "the chain grew meanwhile; fetch it and sign again";
        return Ok(Err(Refusal::new(Code::BadChain, text)));
    }
    if let Change::Add(device) = change
        && tx.mailbox(&device.id)?.is_some()
    {
        return Ok(Err(Refusal::new(Code::BadChain, "the device's id was used before; make a new one")));
    }
    tx.append_chain(account, len, link)?;
    match change {
        Change::Add(device) => device.open(tx, account)?,
        Change::Revoke(device) => tx.remove_mailbox(device)?,
        Change::Neither => {}
    }
    Ok(Ok(owe(tx, account, Now::get())?))
}
