//! Acting: a case changes, and with it what it decides about people, in one commit.

use std::{collections::HashSet, sync::Arc};

use zegel_cases::{Act, Case, CaseNumber, Measure, Permission, Staff, Subject, WhyNot};
use zegel_desk::{OfficeError, OfficeResult};
use zegel_proto::{AccountId, v1::statement::Kind};

use super::{
    CaseKeys, Desk,
    impose::impose,
    log,
    look::{open, ranked},
    may,
};
use crate::{
    clock::Now,
    keys::KeyRing,
    service::{cases::tell, post::PostOffice},
    store::{StoreResult, Tx},
};

impl Desk {
    pub(super) async fn carry_out(&self, who: &Staff, number: CaseNumber, act: Act) -> OfficeResult<Case> {
        let then = Then {
            office: self.service.office.clone(),
            ring: self.service.keys(),
            keys: self.keys(),
            domain: self.service.config.domain.clone(),
            now: Now::get(),
        };
        let who = who.clone();
        self.write(move |tx| {
            if let Err(why) = may(tx, &who, Permission::SeeCases)? {
                return Ok(Err(why.into()));
            }
            let Some(row) = tx.case(number.get())? else { return Ok(Err(OfficeError::NotFound)) };
            let before = then.keys.open_case(&row)?;
            let (mut case, decides) = (before.clone(), matches!(act, Act::Decide { .. }));
            let word = act.word();
            if let Err(why) = case.act(&who, act, then.now.ms) {
                return Ok(Err(why.into()));
            }
            if decides && !then.may_be_about(tx, &case)? {
                return Ok(Err(WhyNot::Person.into()));
            }
            tx.put_case(&then.keys.seal_case(&case, row.doubtful, then.now))?;
            if decides {
                then.follows(tx, &before, &case)?;
            }
            log(tx, then.now, &who.id, word, Some(number), detail(&before, word, then.now))?;
            Ok(Ok(case))
        })
        .await
    }
}

/// What else the log says of an act. Never a person it is about, their words, or what was decided: an account's state
/// is not sealed, and whoever had both could tell whose case it was.
fn detail(before: &Case, word: &str, now: Now) -> String {
    match word {
        "decide" if before.decision.is_some() => "on appeal".into(),
        "release" => before.claimed_by(now.ms).map_or_else(String::new, |by| format!("of {by}")),
        _ => String::new(),
    }
}

/// What a decision's consequences need.
struct Then {
    office: PostOffice,
    ring: Arc<KeyRing>,
    keys: CaseKeys,
    domain: String,
    now: Now,
}

impl Then {
    /// The account's state changes, and everybody concerned is told, once each.
    fn follows(&self, tx: &mut dyn Tx, before: &Case, case: &Case) -> StoreResult<()> {
        let Some(decision) = case.standing() else { return Ok(()) };
        impose(tx, &self.office, &self.keys, before, case, self.now)?;
        if before.decision.is_some() {
            return self.tell(tx, case, Kind::AppealDecision, &decision.against);
        }
        if decision.measure != Measure::Dismiss {
            self.tell(tx, case, Kind::Decision, &decision.against)?;
        }
        let mut reporters = HashSet::new();
        for row in tx.reports_in(case.number.get())? {
            reporters.insert(self.keys.open_head(&row)?.reporter);
        }
        for reporter in &reporters {
            self.tell(tx, case, Kind::ReportOutcome, reporter)?;
        }
        Ok(())
    }

    /// A measure in a case about a group is against somebody who sent what was reported.
    fn may_be_about(&self, tx: &mut dyn Tx, case: &Case) -> StoreResult<bool> {
        let (Subject::Room(_), Some(decision)) = (&case.subject, case.standing()) else { return Ok(true) };
        if decision.measure == Measure::Dismiss || case.appeal.is_some() {
            return Ok(true);
        }
        let against = decision.against.to_hex();
        for head in ranked(tx, &self.keys, case.number)? {
            let report = open(tx, &self.keys, &head)?;
            if report.is_some_and(|report| report.run.iter().any(|shown| shown.sender == against)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn tell(&self, tx: &mut dyn Tx, case: &Case, kind: Kind, to: &AccountId) -> StoreResult<()> {
        tell(tx, &self.office, &self.ring, &self.domain, case, kind, to, self.now)
    }
}
