//! What a receiver is told about a stranger: handle, age of the account, whether others declined lately. All
//! coarse, so that they tell of the sender and of nobody else.

use std::{
    collections::{HashMap, HashSet},
    sync::Mutex,
};

use zegel_proto::{AccountId, v1};

use crate::{clock::Now, store::Account};

/// Days that a declined introduction is remembered.
const DAYS: u32 = 7;
/// More than these need not be told apart.
const ENOUGH: usize = 16;

/// The account that introduces itself.
pub(super) struct Sender {
    pub(super) account: Account,
}

impl Sender {
    pub(super) fn new(account: Account) -> Self {
        Self { account }
    }

    pub(super) fn facts(&self, now: Now, declines: &Declines) -> v1::SenderFacts {
        let age = match now.day().saturating_sub(self.account.created_day) {
            0 => v1::AccountAge::NewToday,
            1..7 => v1::AccountAge::ThisWeek,
            7..30 => v1::AccountAge::ThisMonth,
            30..365 => v1::AccountAge::ThisYear,
            365.. => v1::AccountAge::Older,
        };
        v1::SenderFacts {
            account: self.account.id.to_field(),
            handle: self.account.handle.clone(),
            age: age.into(),
            declined_lately: declines.lately(&self.account.id, now),
        }
    }
}

/// Who was declined lately. In memory only: who declined whom is on no disk.
#[derive(Default)]
pub(super) struct Declines(Mutex<HashMap<AccountId, HashSet<(AccountId, u32)>>>);

impl Declines {
    /// Notes that `by` declined `whom`; each counts once, so that nobody can talk somebody down alone.
    pub(super) fn note(&self, whom: AccountId, by: AccountId, now: Now) {
        let mut all = self.0.lock().expect("no panic holds this lock");
        let declined = all.entry(whom).or_default();
        declined.retain(|(other, day)| *other != by && is_lately(*day, now));
        if declined.len() < ENOUGH {
            declined.insert((by, now.day()));
        }
    }

    fn lately(&self, whom: &AccountId, now: Now) -> u32 {
        let all = self.0.lock().expect("no panic holds this lock");
        let count = all.get(whom).map_or(0, |d| d.iter().filter(|(_, day)| is_lately(*day, now)).count());
        match count {
            0 => 0,
            1 | 2 => 1,
            _ => 3,
        }
    }

    pub(super) fn forget_old(&self, now: Now) {
        self.0.lock().expect("no panic holds this lock").retain(|_, declined| {
            declined.retain(|(_, day)| is_lately(*day, now));
            !declined.is_empty()
        });
    }
}

fn is_lately(day: u32, now: Now) -> bool {
    now.day() <= day.saturating_add(DAYS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn declines_are_coarse_and_each_counts_once() {
        let (declines, whom) = (Declines::default(), AccountId([1; 16]));
        let now = Now { ms: 100 * 86_400_000 };
        assert_eq!(declines.lately(&whom, now), 0);
        for _ in 0..5 {
            declines.note(whom, AccountId([2; 16]), now);
        }
        assert_eq!(declines.lately(&whom, now), 1);
        declines.note(whom, AccountId([3; 16]), now);
        declines.note(whom, AccountId([4; 16]), now);
        assert_eq!(declines.lately(&whom, now), 3);
        let later = Now { ms: now.ms + 8 * 86_400_000 };
        assert_eq!(declines.lately(&whom, later), 0);
        declines.forget_old(later);
        assert!(declines.0.lock().expect("unlocked").is_empty());
    }
}
