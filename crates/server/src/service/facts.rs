//! What a receiver is told about a stranger: handle, age of the account, and what many others lately did or met with. All
//! coarse, so that they tell of the sender and of nobody else.

use zegel_proto::v1;
use zegel_safety::Lately;

use crate::{clock::Now, store::Account};

/// The account that introduces itself.
pub(super) struct Sender {
    pub(super) account: Account,
}

impl Sender {
    pub(super) fn new(account: Account) -> Self {
        Self { account }
    }

    pub(super) fn facts(&self, now: Now, lately: Lately) -> v1::SenderFacts {
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
            declined_lately: lately.declined,
            reported_lately: lately.reported,
            minors_lately: lately.minors,
        }
    }
}
