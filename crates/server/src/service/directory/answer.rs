//! Proofs and roots, for whoever asks.

use zegel_directory::{Label, SignedRoot, path_epochs};
use zegel_proto::{AccountId, Code, v1};

use super::{DirectoryError, entry_of, promise, signed};
use crate::{
    service::{Service, Session, refusal::Refusal},
    store::{StoreResult, Tx, read},
};

/// How often an answer is begun anew because an epoch was published in the middle of it.
const TRIES: usize = 5;

impl Service {
    pub(in crate::service) async fn fetch_account(
        &self,
        session: &Session,
        call: v1::FetchAccount,
    ) -> Result<v1::AccountAnswer, Refusal> {
        self.limits.lookup(session.account(), session.peer, 1)?;
        let by_id = match call.account.is_empty() {
            true => None,
            false => Some(AccountId::from_slice(&call.account)?),
        };
        let keys = self.keys();
        for _ in 0..TRIES {
            let handle = call.handle.clone();
            let found = read(&*self.store, move |tx| {
                let id = match by_id {
                    Some(id) => Some(id),
                    None => tx.account_of_handle(&handle)?,
                };
                let Some(id) = id else { return Ok(None) };
                // Of a deleted account only the chain is left, for groups where it still has a leaf.
                let Some(found) = entry_of(tx, &id)? else { return Ok(None) };
                Ok(Some((id, found, tx.owed(&id)?, newest(tx)?)))
            });
            let Some((id, (handle, chain, entry), owed, root)) = found.await? else {
                return Err(Refusal::new(Code::NotFound, "there is no such account; check the handle"));
            };
            let looked = self.directory.publisher.lookup(&Label::of(keys.domain(), &handle)).await;
            let looked = looked.map_err(DirectoryError::from)?;
            // A tree that went on meanwhile may hold more than the chain that was read, and proves another root. One
            // that did not has either what the chain says, or the directory still owes it.
            if looked.as_ref().is_some_and(|looked| looked.epoch != root.root.epoch) {
                continue;
            }
            let is_newer = looked.as_ref().is_none_or(|looked| looked.entry != entry);
            let owed = owed.filter(|_| is_newer).map(|owed| promise(&keys, &handle, entry, &owed));
            if is_newer && owed.is_none() {
                tracing::error!("the directory neither has nor owes an entry; run `zegel-server verify`");
            }
            return Ok(v1::AccountAnswer {
                account: id.to_field(),
                handle,
                chain: chain.into_iter().map(v1::SigchainEntry::from).collect(),
                root: Some((&root).into()),
                lookup: looked.map(|looked| looked.proof.into()).unwrap_or_default(),
                promise: owed.as_ref().map(Into::into),
            });
        }
        Err(Refusal::internal())
    }

    pub(in crate::service) async fn fetch_root(
        &self,
        session: &Session,
        call: v1::FetchRoot,
    ) -> Result<v1::RootAnswer, Refusal> {
        self.limits.lookup(session.account(), session.peer, 1)?;
        if call.to.is_some_and(|to| call.from > 0 && to > call.from) {
            return Err(Refusal::bad_request("`to` is the earlier of the two epochs"));
        }
        let from = (call.from > 0).then_some(call.from);
        self.root_answer(from, call.to).await?.ok_or_else(no_epoch)
    }

    pub(in crate::service) async fn fetch_history(
        &self,
        session: &Session,
        call: v1::FetchHistory,
    ) -> Result<v1::HistoryAnswer, Refusal> {
        self.limits.lookup(session.account(), session.peer, 1)?;
        let label = Label::of(&self.config.domain, &call.handle);
        let most_recent = (call.most_recent > 0).then_some(call.most_recent as usize);
        let found = self.directory.publisher.history(&label, most_recent).await;
        let Some((epoch, history)) = found.map_err(DirectoryError::from)? else {
            let text = "the directory has no such handle yet; check it, or try again in some seconds";
            return Err(Refusal::new(Code::NotFound, text));
        };
        let row = read(&*self.store, move |tx| tx.root(epoch)).await?.ok_or_else(no_epoch)?;
        Ok(v1::HistoryAnswer { root: Some((&signed(&row)?).into()), history: history.into() })
    }

    /// The root of an epoch, or the newest one, and the way from it down to `to`. `None` if there is no such epoch,
    /// or `to` is later.
    pub(crate) async fn root_answer(
        &self,
        from: Option<u64>,
        to: Option<u64>,
    ) -> Result<Option<v1::RootAnswer>, Refusal> {
        let found = read(&*self.store, move |tx| {
            let row = match from {
                Some(epoch) => tx.root(epoch)?,
                None => tx.newest_root()?,
            };
            let Some(row) = row.filter(|row| to.is_none_or(|to| to <= row.epoch)) else { return Ok(None) };
            let way = to.map_or_else(Vec::new, |to| path_epochs(row.epoch, to));
            let way = way.into_iter().map(|epoch| tx.root(epoch)).collect::<StoreResult<Option<Vec<_>>>>()?;
            Ok(way.map(|way| (row, way)))
        });
        let Some((row, way)) = found.await? else { return Ok(None) };
        let keys = self.keys();
        Ok(Some(v1::RootAnswer {
            domain: keys.domain().to_owned(),
            root: Some((&signed(&row)?).into()),
            path: way.into_iter().map(|row| row.body.into()).collect(),
            signers: keys.directory().links().iter().map(Into::into).collect(),
        }))
    }

    /// The proof that epoch `epoch` removed and rewrote nothing, if these are the root hashes of the tree before it and
    /// of its own. (The existing AKD auditors, and WhatsApp's files, name a proof by the epoch that it leads to.)
    pub(crate) async fn append_only_proof(
        &self,
        epoch: u64,
        before: [u8; 32],
        after: [u8; 32],
    ) -> Result<Option<Vec<u8>>, Refusal> {
        let Some(earlier) = epoch.checked_sub(1) else { return Ok(None) };
        let found = read(&*self.store, move |tx| {
            for (epoch, tree) in [(earlier, before), (epoch, after)] {
                let Some(row) = tx.root(epoch)? else { return Ok(None) };
                if signed(&row)?.root.tree != tree {
                    return Ok(None);
                }
            }
            tx.root_proof(epoch)
        });
        Ok(found.await?)
    }

    /// Whether somebody there may fetch one more page of the directory.
    pub(crate) fn may_audit(&self, peer: std::net::IpAddr) -> Result<(), Refusal> {
        self.limits.audit(peer)
    }
}

fn no_epoch() -> Refusal {
    Refusal::new(Code::NotFound, "the directory has no such epoch")
}

fn newest(tx: &mut dyn Tx) -> StoreResult<SignedRoot> {
    let row = tx.newest_root()?.ok_or_else(|| super::damaged("there is none".into()))?;
    signed(&row)
}
