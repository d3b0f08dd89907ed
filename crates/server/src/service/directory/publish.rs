//! Making an epoch: what is owed goes into the tree, and tree, signed root and what is owed change in one commit.

use std::time::Instant;

use zegel_directory::{Entry, Label, Root, SignedRoot, publisher::Prepared, skip_of};
use zegel_proto::AccountId;

use super::{Directory, DirectoryError, Tree, entry_of, owing::HANDLES, row, signed};
use crate::{
    clock::Now,
    keys::KeyRing,
    service::Service,
    store::{Owed, StoreResult, Tx, read, write},
};

/// Accounts that one read looks at: others wait meanwhile.
const CHUNK: usize = 256;

impl Service {
    /// Publishes until nothing is owed that was promised before. A failure is logged; what is owed stays so.
    pub async fn publish_all(&self) {
        loop {
            match self.publish_due().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => {
                    metrics::counter!("zegel_directory_failures_total").increment(1);
                    tracing::error!(%error, "while publishing an epoch of the key directory; it is tried again");
                    return;
                }
            }
        }
    }

    /// Publishes an epoch if the directory owes anything. Whether it still owes something that was promised before.
    /// Await it to its end: if it is dropped while the epoch is being stored, nothing more is published until a restart.
    ///
    /// # Errors
    /// If the store cannot be read or written. Nothing is changed then, and what is owed stays so: call it again.
    pub async fn publish_due(&self) -> Result<bool, DirectoryError> {
        let begun = Instant::now();
        let more = self.directory.publish(&self.keys()).await?;
        if let Some(more) = more {
            metrics::histogram!("zegel_directory_publish_seconds").record(begun.elapsed().as_secs_f64());
            return Ok(more);
        }
        Ok(false)
    }
}

impl Directory {
    /// `None` if nothing is owed.
    async fn publish(&self, keys: &KeyRing) -> Result<Option<bool>, DirectoryError> {
        let _turn = self.publishing.lock().await;
        // Noted first: what an account does from here on is noted anew, and stays owed.
        let owed = read(&*self.store, |tx| tx.all_owed(HANDLES)).await?;
        if owed.is_empty() {
            return Ok(None);
        }
        let updates = self.updates(keys.domain(), &owed).await?;
        let more = owed.len() == HANDLES;
        match self.publisher.publish(updates).await? {
            Some(prepared) => self.store_epoch(keys, owed, prepared).await?,
            // It says all that already.
            None => write(&*self.store, move |tx| settle(tx, &owed)).await?,
        }
        Ok(Some(more))
    }

    async fn updates(
        &self,
        domain: &str,
        owed: &[(AccountId, Owed)],
    ) -> Result<Vec<(Label, Entry)>, DirectoryError> {
        let mut updates = Vec::with_capacity(owed.len());
        for chunk in owed.chunks(CHUNK) {
            let accounts: Vec<AccountId> = chunk.iter().map(|(account, _)| *account).collect();
            let entries = read(&*self.store, move |tx| {
                accounts.iter().map(|account| entry_of(tx, account)).collect::<StoreResult<Vec<_>>>()
            });
            for found in entries.await? {
                match found {
                    Some((handle, _, entry)) => updates.push((Label::of(domain, &handle), entry)),
                    // Sweeps leave the chains of accounts that are owed an entry.
                    None => tracing::error!(
                        "an account that is owed an entry has no sigchain; run `zegel-server verify`"
                    ),
                }
            }
        }
        Ok(updates)
    }

    async fn store_epoch(
        &self,
        keys: &KeyRing,
        owed: Vec<(AccountId, Owed)>,
        mut prepared: Prepared<'_, Tree>,
    ) -> Result<(), DirectoryError> {
        let epoch = prepared.epoch;
        let (newest, skip) = read(&*self.store, move |tx| {
            let newest = tx.newest_root()?.map(|row| signed(&row)).transpose()?;
            let skip = tx.root(skip_of(epoch))?.map(|row| signed(&row)).transpose()?;
            Ok((newest, skip))
        })
        .await?;
        let (Some(SignedRoot { root: newest, .. }), Some(SignedRoot { root: skip, .. })) = (newest, skip)
        else {
            return Err(DirectoryError::Unfit("a root is missing"));
        };
        if newest.epoch + 1 != epoch {
            return Err(DirectoryError::Unfit("its newest root is not the root of its tree"));
        }
        let root = Root {
            time_ms: Now::get().ms.max(newest.time_ms),
            tree: prepared.tree,
            vrf: self.publisher.vrf_public(),
            ..newest.next(skip.hash())
        };
        let root = row(&SignedRoot::sign(keys.domain(), root, keys.directory()));
        let records = std::mem::take(&mut prepared.records);
        let proof = std::mem::take(&mut prepared.proof);
        let stored = write(&*self.store, move |tx| {
            // An epoch has one root: a second publisher fails here, before it has changed anything.
            tx.put_root(&root, &proof)?;
            tx.put_directory_records(&records)?;
            settle(tx, &owed)
        })
        .await;
        // A commit can fail after the disk has it: what counts is what is there.
        if let Err(error) = stored
            && read(&*self.store, |tx| tx.newest_root()).await?.is_none_or(|newest| newest.epoch != epoch)
        {
            return Err(error.into());
        }
        prepared.commit();
        Ok(())
    }
}

fn settle(tx: &mut dyn Tx, owed: &[(AccountId, Owed)]) -> StoreResult<()> {
    owed.iter().try_for_each(|(account, owed)| tx.settle_owed(account, owed))
}
