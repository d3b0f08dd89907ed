//! What the safety rules do by themselves, off every call's path: a case about an account at which many took offence, that
//! restricts its first contact for days, or one that waits for a person. See [`zegel_safety::Policy`] for the rules.
//!
//! *Invariant:* a rule restricts first contact or asks for a look, and nothing else; whoever it restricts is told so, and
//! that no person did it; an appeal is a person's to decide, and what they decided the rule does not undo at once.

use std::{collections::HashSet, sync::Arc};

use tokio::sync::mpsc;
use zegel_cases::{Case, CaseNumber, Category, Ruled, State, Subject};
use zegel_proto::{AccountId, v1::statement::Kind};
use zegel_safety::{Fired, Language, Policy, Then, WatchedRule};

use super::{
    Service,
    cases::{CaseKeys, RECENT, log_outside, new_case, open_about, tell},
    desk::impose,
    post::{PostOffice, later},
};
use crate::{
    clock::Now,
    keys::KeyRing,
    store::{Account, AccountState, StoreError, StoreResult, Tx, read, write},
};

/// Follows the rules for whom something happened to, one after the other, until the service is gone. Not at once: whoever
/// introduces themself could measure that it was this time that a number was reached, so that they came to a minor.
pub(super) fn follow(service: &Arc<Service>, mut looks: mpsc::Receiver<AccountId>) {
    let service = Arc::downgrade(service);
    tokio::spawn(async move {
        while let Some(first) = looks.recv().await {
            later().await;
            let Some(service) = service.upgrade() else { return };
            let mut waiting = vec![first];
            while let Ok(next) = looks.try_recv() {
                waiting.push(next);
            }
            let mut seen = HashSet::new();
            for about in waiting.into_iter().filter(|about| seen.insert(*about)) {
                match service.look(about).await {
                    Ok(()) => {}
                    Err(StoreError::Closed) => return,
                    Err(error) => {
                        tracing::error!(%error, "while following the safety rules; tried again when more happens");
                    }
                }
            }
        }
    });
}

impl Service {
    async fn look(&self, about: AccountId) -> StoreResult<()> {
        let now = Now::get();
        for fired in self.watch.fired(&self.safety, &about, now) {
            let (safety, keys, office) = (self.safety.clone(), self.keys(), self.office.clone());
            let domain = self.config.domain.clone();
            let job = Arc::new(RuleJob { about, fired, safety, keys, office, domain, now });
            // Mostly all is done already: no turn of the writer's for that.
            let looking = job.clone();
            if read(&*self.store, move |tx| looking.due(tx)).await?.is_some() {
                write(&*self.store, move |tx| job.run(tx)).await?;
            }
        }
        Ok(())
    }
}

struct RuleJob {
    about: AccountId,
    fired: Fired,
    safety: Arc<Policy>,
    keys: Arc<KeyRing>,
    office: PostOffice,
    domain: String,
    now: Now,
}

impl RuleJob {
    /// The account, if there is something to do about it.
    fn due(&self, tx: &mut dyn Tx) -> StoreResult<Option<Account>> {
        let Some(account) = tx.account(&self.about)? else { return Ok(None) };
        let desk = self.fired.then == Then::Desk;
        // Who is restricted by whomever, or worse, comes to nobody anyway.
        if !desk && account.state_on(self.now.day()) != AccountState::Active {
            return Ok(None);
        }
        let rows = CaseKeys::of(&self.keys);
        for row in tx.cases_about(&rows.subject(&self.subject()), RECENT)? {
            let case = rows.open_case(&row)?;
            let will_be_seen = desk && case.rule.is_some() && row.state == State::Open;
            if will_be_seen || case.rests(self.fired.rule.name(), self.now.ms) {
                return Ok(None);
            }
        }
        Ok(Some(account))
    }

    fn run(&self, tx: &mut dyn Tx) -> StoreResult<()> {
        let Some(account) = self.due(tx)? else { return Ok(()) };
        let done = match self.fired.then {
            Then::Restrict => self.restrict(tx, &account)?,
            Then::Desk => Some(self.ask(tx, &account)?),
        };
        done.map_or(Ok(()), |number| log_outside(tx, self.now, "service", "rule", number))
    }

    fn restrict(&self, tx: &mut dyn Tx, account: &Account) -> StoreResult<Option<CaseNumber>> {
        let (rows, now) = (CaseKeys::of(&self.keys), self.now);
        let before = self.new_case(tx, account)?;
        let (mut case, says) =
            (before.clone(), self.safety.says(self.fired.rule, Language::of(&account.language)));
        if let Err(why) = case.restrict_by_rule(self.ruled(), self.fired.for_days, says) {
            tracing::error!(error = %why, "while following a safety rule; mend its numbers");
            return Ok(None);
        }
        tx.put_case(&rows.seal_case(&case, false, now))?;
        impose(tx, &self.office, &rows, &before, &case, now)?;
        tell(tx, &self.office, &self.keys, &self.domain, &case, Kind::Decision, &self.about, now)?;
        Ok(Some(case.number))
    }

    /// Into the case that is open about the account, or one of its own: behind all those in which something is proven.
    fn ask(&self, tx: &mut dyn Tx, account: &Account) -> StoreResult<CaseNumber> {
        let rows = CaseKeys::of(&self.keys);
        let (mut case, doubtful) = match open_about(tx, &rows, &self.subject())? {
            Some(open) => open,
            None => (self.new_case(tx, account)?, true),
        };
        case.bring(self.ruled());
        tx.put_case(&rows.seal_case(&case, doubtful, self.now))?;
        Ok(case.number)
    }

    fn new_case(&self, tx: &mut dyn Tx, account: &Account) -> StoreResult<Case> {
        let category = match self.fired.rule {
            WatchedRule::ManyMinors => Category::Grooming,
            WatchedRule::Unwanted => Category::Spam,
        };
        new_case(tx, self.subject(), account.handle.clone(), category, self.now)
    }

    fn subject(&self) -> Subject {
        Subject::Account(self.about)
    }

    fn ruled(&self) -> Ruled {
        let Fired { rule, least, counted, days, .. } = self.fired;
        let says = self.safety.says(rule, Language::English);
        Ruled { rule: rule.name().into(), says, least, days, counted, at_ms: self.now.ms }
    }
}
