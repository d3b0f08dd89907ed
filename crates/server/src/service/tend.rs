//! What the service does by itself: sweeping what is past its time, and noticing operators.

use std::sync::atomic::Ordering::Relaxed;

use tokio::task::spawn_blocking;
use zegel_cases::{RULING_DAYS, Subject};
use zegel_franking::REPORTING_WINDOW_MS;
use zegel_proto::AccountId;

use super::{
    Service,
    cases::CaseKeys,
    hour_keys::{NOBODY, SINK},
    post::new_mailbox,
};
use crate::{
    clock::Now,
    config::Retention,
    store::{Cut, Store, StoreResult, read, write},
};

/// Rows of a kind that one job deletes: others wait meanwhile.
const SWEEP_ROWS: usize = 500;
/// Days that the sigchain of a deleted account stays longer than mail does: a Welcome that waits all that time may
/// still bring somebody into a group where it has a leaf.
const ENDED_CHAIN_DAYS: u32 = 28;
/// And at least, in days: what was said just before the end may be reported until its stamp is too old.
const ENDED_CHAIN_LEAST: u32 = REPORTED_DAYS + 7;

/// Days that a deleted address stays longer than mail does, so that nobody takes it over while others still use it.
const DEAD_ADDRESS_DAYS: u32 = 28;

/// Days that it stays noted who reported which stamp: until the stamp is too old for any report.
const REPORTED_DAYS: u32 = (REPORTING_WINDOW_MS / (24 * 60 * 60 * 1000)) as u32 + 1;

/// Makes the mailbox that nobody reads, so that the first introduction that is dropped costs what others do.
pub(super) fn make_sink(store: &dyn Store) {
    let job = |tx: &mut dyn crate::store::Tx| match tx.mailbox(&SINK)? {
        Some(_) => Ok(()),
        None => tx.put_mailbox(&SINK, &new_mailbox(NOBODY)),
    };
    store.write_job(
        Box::new(job),
        Box::new(|made| {
            if let Err(error) = made {
                tracing::error!(%error, "while making the mailbox of what is dropped; it is made when first used");
            }
        }),
    );
}

impl Service {
    /// Deletes what is past its time, in the store, in the blob folder and in memory.
    pub async fn sweep_once(&self) {
        let now = Now::get();
        self.limits.shrink();
        self.watch.forget_old(now);
        self.office.hours.forget_before(now.hour());
        if self.keys().has_expired(now) {
            match self.keys().read_again().map(|keys| self.reload(keys)) {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(%error, "while destroying stamp keys that expired"),
                Err(error) => tracing::error!(%error, "while destroying stamp keys that expired"),
            }
        }
        if let Err(error) = self.sweep_store(now).await {
            tracing::error!(%error, "while sweeping the store");
        }
        let (blobs, before_day) =
            (self.blobs.clone(), now.day().saturating_sub(self.config.retention.mail_days));
        match spawn_blocking(move || blobs.sweep(before_day, now)).await {
            Ok(Ok(_)) => {}
            Ok(Err(error)) => tracing::error!(%error, "while sweeping the blob folder"),
            Err(error) => tracing::error!(%error, "while sweeping the blob folder"),
        }
    }

    async fn sweep_store(&self, now: Now) -> StoreResult<()> {
        let handles = self.config.retention.legal_hold.clone();
        let held = read(&*self.store, move |tx| {
            let ids = handles.iter().map(|handle| tx.account_of_handle(handle.trim_start_matches('@')));
            Ok(ids.collect::<StoreResult<Vec<_>>>()?.into_iter().flatten().collect())
        });
        let mut cut = cut(&self.config.retention, now, held.await?);
        cut.held_tags = tags(&CaseKeys::of(&self.keys()), &cut.held);
        loop {
            let cut = cut.clone();
            if write(&*self.store, move |tx| tx.sweep(&cut, SWEEP_ROWS)).await? == 0 {
                return Ok(());
            }
        }
    }

    /// Ends the connections of accounts and devices that an operator's command suspended or removed.
    pub async fn check_foreign_changes(&self) {
        let store = self.store.clone();
        let changes = match spawn_blocking(move || store.foreign_changes()).await {
            Ok(Ok(changes)) => changes,
            Ok(Err(error)) => return tracing::error!(%error, "while asking the store for operators' changes"),
            // The server is stopping.
            Err(_) => return,
        };
        if changes == self.foreign.load(Relaxed) {
            return;
        }
        match self.end_who_may_not_connect().await {
            Ok(()) => self.foreign.store(changes, Relaxed),
            Err(error) => {
                tracing::error!(%error, "while looking for accounts that were suspended; tried again")
            }
        }
    }

    async fn end_who_may_not_connect(&self) -> StoreResult<()> {
        let devices = self.office.hub.devices();
        let today = Now::get().day();
        let gone = read(&*self.store, move |tx| {
            let mut gone = Vec::new();
            for device in devices {
                let account = match tx.mailbox(&device)? {
                    Some(mailbox) => tx.account(&mailbox.account)?,
                    None => None,
                };
                if account.is_none_or(|account| !account.state_on(today).may_connect()) {
                    gone.push(device);
                }
            }
            Ok(gone)
        });
        for device in gone.await? {
            self.office.end_device(&device);
        }
        Ok(())
    }
}

/// What is older than this goes.
fn cut(retention: &Retention, now: Now, held: Vec<AccountId>) -> Cut {
    // Not while somebody may still appeal.
    let case_days = retention.case_days.max(RULING_DAYS as u32 + 1);
    let ended_days = retention.mail_days.saturating_add(ENDED_CHAIN_DAYS).max(ENDED_CHAIN_LEAST);
    Cut {
        mail_hour: now.hour().saturating_sub(retention.mail_days.saturating_mul(24)),
        // A job that began in the last hour may still put an entry under its key.
        idle_hour: now.hour().saturating_sub(1),
        answer_hour: now.hour().saturating_sub(retention.answer_hours),
        token_day: now.day(),
        dead_day: now.day().saturating_sub(retention.mail_days.saturating_add(DEAD_ADDRESS_DAYS)),
        invite_day: now.day(),
        head_month: now.month().saturating_sub(retention.head_days.div_ceil(30)),
        ended_day: now.day().saturating_sub(ended_days),
        case_day: now.day().saturating_sub(case_days),
        // A stamp that was reported so long ago can be reported no more.
        reported_day: now.day().saturating_sub(REPORTED_DAYS),
        desk_invite_ms: now.ms,
        held,
        held_tags: Vec::new(),
    }
}

/// What cases call these accounts, as what they are about and as who reported or was told.
fn tags(keys: &CaseKeys, held: &[AccountId]) -> Vec<[u8; 32]> {
    held.iter().flat_map(|id| [keys.subject(&Subject::Account(*id)), keys.person(id)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_deleted_their_account_can_be_reported_as_long_as_a_stamp_proves_something() {
        let now = Now { ms: 20_000 * 24 * 60 * 60 * 1000 };
        for mail_days in [1, 28, 200] {
            let kept =
                now.day() - cut(&Retention { mail_days, ..Retention::default() }, now, Vec::new()).ended_day;
            assert!(kept > REPORTED_DAYS && kept >= mail_days + ENDED_CHAIN_DAYS, "{kept} days");
        }
    }
}
