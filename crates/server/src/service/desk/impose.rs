//! What a decision makes of an account.
//!
//! An account has one state; the most severe of what was decided about it counts. An operator's own suspension has no
//! case, so it is never taken for a decision's, and no appeal lifts it.

use zegel_cases::{Case, Decision, Measure, Subject};
use zegel_proto::AccountId;

use crate::service::{accounts::listed, cases::CaseKeys, post::PostOffice};
use crate::{
    clock::Now,
    store::{Account, AccountState, StoreResult, Tx},
};

/// Other cases of the person that are looked at when an appeal ends a measure.
const OTHERS: usize = 1000;

/// A state of an account and the day it ends; 0: no end.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Hold {
    state: AccountState,
    until_day: u32,
}

impl Hold {
    const FREE: Self = Self { state: AccountState::Active, until_day: 0 };

    /// What a measure asks for until then, if it has not ended.
    fn of((measure, until_ms): (Measure, u64), now: Now) -> Self {
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
        match account.state_on(now.day()) {
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

/// Carries a case's standing decision out. `before` is what an appeal was against.
pub(super) fn impose(
    tx: &mut dyn Tx,
    office: &PostOffice,
    keys: &CaseKeys,
    case: &Case,
    before: Option<&Decision>,
    now: Now,
) -> StoreResult<()> {
    let Some(decision) = case.standing() else { return Ok(()) };
    let against = decision.against;
    let Some(account) = tx.account(&against)? else { return Ok(()) };
    let is = Hold::on(&account, now);
    let asked = case.in_force().map_or(Hold::FREE, |measure| Hold::of(measure, now));
    let was = before.map(|before| Hold::of((before.measure, before.measure.until_ms(before.at_ms)), now));
    let hold = match was {
        // What an operator lifted meanwhile stays lifted.
        Some(was) if is != Hold::FREE && was == is => elsewhere(tx, keys, case, &against, now)?.or(asked),
        _ => is.or(asked),
    };
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

/// The most severe of what other cases about the person ask for.
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
            let other = keys.open_case(&row)?;
            hold = other.in_force().map_or(hold, |measure| hold.or(Hold::of(measure, now)));
        }
    }
    Ok(hold)
}
