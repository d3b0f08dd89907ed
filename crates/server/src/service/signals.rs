//! What happens to accounts and through them, counted in memory ([`zegel_safety::Signals`]) and told on: to whoever gets a
//! request, as facts about its sender, and to the [rules](super::rules), which look at it in their own time.
//!
//! *Invariant:* nothing of this is on a disk, and nothing waits for it: counting cannot fail, and a rule that is too busy
//! misses a look, never a call.

use std::sync::{Mutex, MutexGuard};

use tokio::sync::mpsc;
use zegel_proto::AccountId;
use zegel_safety::{Fired, Lately, Policy, Signal, Signals};

use super::person::Person;
use crate::clock::Now;

/// Accounts that may wait to be looked at by the rules.
const WAITING: usize = 1024;

/// All that is counted.
pub(super) struct Watch {
    signals: Mutex<Signals>,
    due: mpsc::Sender<AccountId>,
}

impl Watch {
    /// Nothing yet, and where the accounts come out at which rules are to look.
    pub(super) fn new() -> (Self, mpsc::Receiver<AccountId>) {
        let (due, looks) = mpsc::channel(WAITING);
        (Self { signals: Mutex::new(Signals::new(rand::random())), due }, looks)
    }

    /// Counts what people did to an account, or that it came to them. One person's accounts count once, where an invite
    /// tells that they are one person's.
    pub(super) fn note(
        &self,
        about: &AccountId,
        signs: impl IntoIterator<Item = (Person, Signal)>,
        now: Now,
    ) {
        let mut signals = self.signals();
        for (by, signal) in signs {
            signals.note(&about.0, signal, &by.key(), now.day());
        }
        drop(signals);
        // If too many wait, the next sign is as good.
        let _ = self.due.try_send(*about);
    }

    /// What receivers may be told about an account.
    pub(super) fn lately(&self, policy: &Policy, about: &AccountId, now: Now) -> Lately {
        self.signals().lately(policy, &about.0, now.day())
    }

    /// The rules whose number an account has reached.
    pub(super) fn fired(&self, policy: &Policy, about: &AccountId, now: Now) -> Vec<Fired> {
        self.signals().fired(policy, &about.0, now.day())
    }

    pub(super) fn forget_old(&self, now: Now) {
        self.signals().forget_old(now.day());
    }

    fn signals(&self) -> MutexGuard<'_, Signals> {
        self.signals.lock().expect("no panic holds this lock")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_not_looked_at_in_time_is_counted_all_the_same() {
        let (watch, mut looks) = Watch::new();
        let now = Now { ms: 20_000 * 86_400_000 };
        let (about, by) = (AccountId([1; 16]), |n: u16| {
            let mut id = [2; 16];
            id[..2].copy_from_slice(&n.to_be_bytes());
            Person::own(&AccountId(id))
        });
        let people = WAITING as u16 + 100;
        for n in 0..people {
            watch.note(&about, [(by(n), Signal::Declined)], now);
        }
        assert!(watch.lately(&Policy::shipped(), &about, now).declined);
        let mut waiting = 0;
        while looks.try_recv().is_ok() {
            waiting += 1;
        }
        assert_eq!(waiting, WAITING);
        // And when there is room again, the rules look again.
        watch.note(&about, [(by(0), Signal::Declined)], now);
        assert_eq!(looks.try_recv(), Ok(about));
    }
}
