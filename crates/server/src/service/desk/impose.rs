//! What a decision makes of an account.
//!
//! An account has one state by the desk: the most severe of what its cases ask for, found anew with each decision, so
//! that nothing is imposed twice or forgotten. What an operator does about an account is kept apart from it
//! (`Account::held`): no decision brings it, and no appeal lifts it.

use zegel_cases::{Case, Measure, Subject};
use zegel_proto::AccountId;

use crate::service::{accounts::listed, cases::CaseKeys, post::PostOffice};
use crate::{
    clock::Now,
    store::{Account, AccountState, StoreResult, Tx},
};

/// Other cases of the person that are looked at.
const OTHERS: usize = 1000;

/// A state of an account and the day it ends; 0: no end.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hold {
    state: AccountState,
    until_day: u32,
}

impl Hold {
    const FREE: Self = Self { state: AccountState::Active, until_day: 0 };

    /// What a case asks for, if that has not ended.
    fn of(case: &Case, now: Now) -> Self {
        let Some((measure, until_ms)) = case.in_force() else { return Self::FREE };
        let state = match measure {
            Measure::Dismiss | Measure::Warn => AccountState::Active,
            Measure::RestrictFirstContact { .. } => AccountState::Restricted,
            Measure::Suspend { .. } => AccountState::Suspended,
            Measure::Ban => AccountState::Banned,
        };
        if until_ms != 0 && until_ms <= now.ms {
            return Self::FREE;
        }
        // The last day that it holds.
        Self { state, until_day: Now { ms: until_ms.saturating_sub(1) }.day() }
    }

    fn on(account: &Account, now: Now) -> Self {
        match account.decided_on(now.day()) {
            AccountState::Active => Self::FREE,
            state => Self { state, until_day: account.until_day },
        }
    }

    fn severity(self) -> (u8, u32) {
        let state = match self.state {
            AccountState::Active => 0,
            AccountState::Restricted => 1,
            AccountState::Suspended => 2,
            AccountState::Banned => 3,
        };
        // No end is the longest.
        (state, self.until_day.wrapping_sub(1))
    }

    fn or(self, other: Self) -> Self {
        if other.severity() > self.severity() { other } else { self }
    }
}

/// Carries a case's standing decision out. `before` is the case as it was.
pub(in crate::service) fn impose(
    tx: &mut dyn Tx,
    office: &PostOffice,
    keys: &CaseKeys,
    before: &Case,
    case: &Case,
    now: Now,
) -> StoreResult<()> {
    let Some(decision) = case.standing() else { return Ok(()) };
    let against = decision.against;
    let Some(account) = tx.account(&against)? else { return Ok(()) };
    let (is, others) = (Hold::on(&account, now), elsewhere(tx, keys, case, &against, now)?);
    let known = others.or(Hold::of(before, now));
    // Of a case that is not kept any more, a measure may be left.
    let left = if is.severity() > known.severity() { is } else { Hold::FREE };
    let hold = left.or(others).or(Hold::of(case, now));
    if hold == is {
        return Ok(());
    }
    tx.set_account_state(&against, hold.state, hold.until_day)?;
    if !hold.state.may_connect() {
        let (devices, office) = (listed(&tx.chain(&against)?), office.clone());
        tx.after_commit(Box::new(move || devices.iter().for_each(|device| office.end_device(device))));
    }
    Ok(())
}

/// The most severe of what other cases ask for: about the person, or about a group and decided against them.
fn elsewhere(
    tx: &mut dyn Tx,
    keys: &CaseKeys,
    case: &Case,
    against: &AccountId,
    now: Now,
) -> StoreResult<Hold> {
    let mut hold = Hold::FREE;
    for row in tx.cases_about(&keys.subject(&Subject::Account(*against)), OTHERS)? {
        if row.number != case.number.get() {
            hold = hold.or(Hold::of(&keys.open_case(&row)?, now));
        }
    }
    Ok(hold)
}
