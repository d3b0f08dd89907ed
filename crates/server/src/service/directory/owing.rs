//! What the directory owes: every change of a chain is noted in the transaction that makes it, and promised.
//!
//! Each epoch that is promised takes at most [`HANDLES`] promises, so that every one of them can be kept in time
//! however many people come at once.

use zegel_directory::{Entry, Label, PROMISE_EPOCHS, Promise, SignedPromise};
use zegel_identity::{Action, SignedLink};
use zegel_proto::AccountId;

use super::signed;
use crate::{
    clock::Now,
    keys::KeyRing,
    store::{Owed, StoreResult, Tx},
};

/// The most handles of one epoch: bounds how long the next one takes.
pub(super) const HANDLES: usize = 5000;

/// Whether the directory can still take up what changes now in time. When more wait than the epochs that clients
/// believe in ([`PROMISE_EPOCHS`]) can take, whoever comes has to wait.
pub(in crate::service) fn has_room(tx: &mut dyn Tx) -> StoreResult<bool> {
    let newest = tx.newest_root()?.map_or(0, |root| root.epoch);
    Ok(tx.owed_last()?.0 < newest + PROMISE_EPOCHS)
}

/// Notes that the directory owes this account its newest entry. It will come with the next epoch or, if that one is
/// being made right now, with the one after it: so that one is promised.
pub(in crate::service) fn owe(tx: &mut dyn Tx, account: &AccountId, now: Now) -> StoreResult<Owed> {
    let newest = tx.newest_root()?;
    // Where the clock was ahead for a while, roots are dated ahead too: a promise is never older than the newest of them,
    // or it would look long overdue.
    let root_ms = newest.as_ref().map(signed).transpose()?.map_or(0, |signed| signed.root.time_ms);
    let newest = newest.map_or(0, |root| root.epoch);
    let now_ms = now.ms.max(root_ms);
    let (last, promised) = tx.owed_last()?;
    let has_room = promised < HANDLES as u64;
    let by_epoch = (newest + 2).max(if has_room { last } else { last + 1 });
    let owed = match tx.owed(account)? {
        // The earlier promise still holds. Its time tells the two apart when an epoch is being made.
        Some(earlier) => {
            Owed { due_epoch: earlier.due_epoch, by_epoch, made_ms: now_ms.max(earlier.made_ms + 1) }
        }
        None => Owed { due_epoch: by_epoch, by_epoch, made_ms: now_ms },
    };
    tx.put_owed(account, &owed)?;
    Ok(owed)
}

/// The signed word for what is owed.
pub(in crate::service) fn promise(keys: &KeyRing, handle: &str, entry: Entry, owed: &Owed) -> SignedPromise {
    let label = Label::of(keys.domain(), handle);
    let promise = Promise { label, entry, by_epoch: owed.by_epoch, made_ms: owed.made_ms };
    promise.sign(keys.domain(), keys.directory())
}

/// The handle of an account, living or deleted, with its chain and with what the directory must say of it.
pub(in crate::service) fn entry_of(
    tx: &mut dyn Tx,
    account: &AccountId,
) -> StoreResult<Option<(String, Vec<SignedLink>, Entry)>> {
    let links = tx.chain(account)?;
    let (Some(first), Some(last)) = (links.first(), links.last()) else { return Ok(None) };
    let living = tx.account(account)?;
    let ended = living.is_none();
    let entry = Entry { account: *account, len: links.len() as u64, head: last.hash(), ended };
    let handle = living.map(|account| account.handle).or_else(|| handle_in(first));
    Ok(handle.map(|handle| (handle, links, entry)))
}

/// The handle that a chain's first link claims.
fn handle_in(first: &SignedLink) -> Option<String> {
    match first.link().ok()?.action {
        Action::Create { handle, .. } => Some(handle),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zegel_directory::Root;

    use crate::store::{RootRow, SqliteStore, Store, read, write};

    fn store() -> (tempfile::TempDir, SqliteStore) {
        let dir = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(&dir.path().join("data")).expect("a store");
        (dir, store)
    }

    fn account(n: u64) -> AccountId {
        AccountId::from_slice(&[[0; 8], n.to_be_bytes()].concat()).expect("16 bytes")
    }

    async fn owes(store: &dyn Store, account: AccountId, ms: u64) -> Owed {
        write(store, move |tx| owe(tx, &account, Now { ms })).await.expect("noted")
    }

    async fn publishes(store: &dyn Store, epoch: u64, paid: Vec<(AccountId, Owed)>) {
        let root = Root { epoch, ..Root::FIRST };
        let root = RootRow { epoch, body: root.to_bytes(), signature: vec![] };
        let job = move |tx: &mut dyn Tx| {
            tx.put_root(&root, &[])?;
            paid.iter().try_for_each(|(account, owed)| tx.settle_owed(account, owed))
        };
        write(store, job).await.expect("stored");
    }

    #[tokio::test]
    async fn an_epoch_that_is_being_made_is_never_promised() {
        let (_dir, store) = store();
        let first = owes(&store, account(1), 100).await;
        assert_eq!(first, Owed { due_epoch: 2, by_epoch: 2, made_ms: 100 });
        // Epoch 1 is being made with the first one; then the chain grows in the same millisecond.
        let second = owes(&store, account(1), 100).await;
        assert_eq!(second, Owed { due_epoch: 2, by_epoch: 2, made_ms: 101 });
        publishes(&store, 1, vec![(account(1), first)]).await;
        let left = read(&store, |tx| tx.owed(&account(1))).await.expect("read");
        assert_eq!(left, Some(second), "what came meanwhile is owed");
        // The promise for epoch 2 still holds when a newer one names epoch 3, and is due as before.
        let third = owes(&store, account(1), 50).await;
        assert_eq!(third, Owed { due_epoch: 2, by_epoch: 3, made_ms: 102 });
        publishes(&store, 2, vec![(account(1), second)]).await;
        let left = read(&store, |tx| tx.owed(&account(1))).await.expect("read");
        assert_eq!(left, Some(Owed { due_epoch: 3, ..third }), "the older promise is kept");
        publishes(&store, 3, vec![(account(1), Owed { due_epoch: 3, ..third })]).await;
        assert_eq!(read(&store, |tx| tx.owed(&account(1))).await.expect("read"), None);
    }

    #[tokio::test]
    async fn where_the_clock_was_ahead_promises_are_not_older_than_the_newest_root() {
        let (_dir, store) = store();
        let root = Root { epoch: 1, time_ms: 3_600_000, ..Root::FIRST };
        let row = RootRow { epoch: 1, body: root.to_bytes(), signature: vec![] };
        write(&store, move |tx| tx.put_root(&row, &[])).await.expect("stored");
        assert_eq!(owes(&store, account(1), 1_000).await.made_ms, 3_600_000);
        assert_eq!(owes(&store, account(2), 4_000_000).await.made_ms, 4_000_000);
    }

    #[tokio::test]
    async fn nobody_is_promised_an_epoch_that_clients_do_not_believe_in() {
        let (_dir, store) = store();
        assert!(read(&store, has_room).await.expect("read"));
        let far = Owed { due_epoch: PROMISE_EPOCHS, by_epoch: PROMISE_EPOCHS, made_ms: 0 };
        write(&store, move |tx| tx.put_owed(&account(1), &far)).await.expect("noted");
        assert!(!read(&store, has_room).await.expect("read"));
    }

    /// However many come at once, each is promised an epoch that has room for them all.
    #[tokio::test]
    async fn no_epoch_is_promised_to_more_than_it_takes() {
        let (_dir, store) = store();
        let many = HANDLES as u64;
        let promise = move |range: std::ops::Range<u64>| {
            move |tx: &mut dyn Tx| range.map(|n| owe(tx, &account(n), Now { ms: n })).collect()
        };
        let all: StoreResult<Vec<Owed>> = write(&store, promise(0..2 * many + 10)).await;
        let all = all.expect("noted");
        for (n, owed) in (0_u64..).zip(&all) {
            assert_eq!(owed.by_epoch, 2 + n / many);
        }
        // Whoever was promised the first epoch and changes again is in it all the same, and promised a later one.
        let again = owes(&store, account(7), 1).await;
        assert_eq!((again.due_epoch, again.by_epoch), (2, 4));
        for epoch in 1..=3 {
            let paid = read(&store, |tx| tx.all_owed(HANDLES)).await.expect("read");
            assert!(paid.iter().all(|(_, owed)| owed.due_epoch <= epoch + 1));
            publishes(&store, epoch, paid).await;
        }
        assert!(read(&store, |tx| tx.all_owed(1)).await.expect("read").is_empty());
        assert_eq!(owes(&store, account(1), 1).await.by_epoch, 5);
    }
}
