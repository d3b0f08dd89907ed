//! What a receiver is told about a stranger: handle, age of the account, and what many others lately did or met with. All
//! coarse, so that they tell of the sender and of nobody else.

use zegel_proto::v1;
use zegel_safety::{Lately, Policy};

use crate::{clock::Now, store::Account};

/// The account that introduces itself.
pub(super) struct Sender {
    pub(super) account: Account,
}

impl Sender {
    pub(super) fn new(account: Account) -> Self {
        Self { account }
    }

    /// `lately` and what is new go by this policy.
    pub(super) fn facts(&self, now: Now, policy: &Policy, lately: Lately) -> v1::SenderFacts {
        let age_days = now.day().saturating_sub(self.account.created_day);
        let age = match age_days {
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
            new: age_days < policy.notices.numbers.new_days,
        }
    }
}
