//! A case: what was reported about one account or one group, until it is decided and perhaps appealed.

use serde::{Deserialize, Serialize};
use zegel_proto::AccountId;

use crate::{CaseNumber, Category, MAX_APPEAL, Measure, Permission, Ruled, Staff, StaffId, hex_id};

/// How long a person may appeal a decision, in days (EU DSA article 20: at least six months).
pub const RULING_DAYS: u64 = 184;
pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// How long a claim keeps others away.
const CLAIM_MS: u64 = 4 * 60 * 60 * 1000;
/// How long evidence may be fetched after it was allowed.
const EXPORT_MS: u64 = 7 * DAY_MS;
/// The longest that a measure with an end may last, in days.
const MAX_DAYS: u32 = 365;
/// The most bytes of an explanation.
const MAX_EXPLANATION: usize = 2000;

/// What a case is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subject {
    /// A person.
    Account(#[serde(with = "hex_id")] AccountId),
    /// A group as a whole, by the hash of its id.
    Room(#[serde(with = "hex")] [u8; 32]),
}

/// Who works on a case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claim {
    /// Who.
    pub by: StaffId,
    /// Since when, milliseconds since 1970.
    pub at_ms: u64,
}

/// What was decided.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Decision {
    /// What is done.
    pub measure: Measure,
    /// Against whom (in a case about a group: a member who sent what was reported).
    #[serde(with = "hex_id")]
    pub against: AccountId,
    /// Which rule was broken.
    pub ground: Category,
    /// In words, for the person it is about.
    pub explanation: String,
    /// By whom.
    pub by: StaffId,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
}

/// A person asked for another look.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Appeal {
    /// Their words.
    pub text: String,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// What someone else decided then.
    pub decision: Option<Decision>,
}

/// Evidence leaves the service only when two people want it, by the hand of one of them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Export {
    /// Who asked.
    pub asked: Claim,
    /// Who allowed it.
    pub allowed: Option<Claim>,
    /// How many reports the case had then; 0 before. They wanted these out, and none that came later.
    pub reports: u32,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Case {
    /// Its number.
    pub number: CaseNumber,
    /// What it is about.
    pub subject: Subject,
    /// The account's handle when it was opened; empty for a group.
    pub handle: String,
    /// When it was opened, milliseconds since 1970.
    pub opened_ms: u64,
    /// The most urgent category that was reported.
    pub category: Category,
    /// How many reports are in it.
    pub reports: u32,
    /// How many messages they disclose, without those that are proven to be somebody else's.
    pub disclosed: u32,
    /// How many of those are proven, and sent by whom it is about (in a case about a group: by others than who reported
    /// them). What is proven of a third person says nothing against this one.
    pub proven: u32,
    /// Who works on it.
    pub claim: Option<Claim>,
    /// What was decided.
    pub decision: Option<Decision>,
    /// And whether the person appealed.
    pub appeal: Option<Appeal>,
    /// Whether its evidence may leave.
    pub export: Option<Export>,
    /// The safety rule that brought it, if one did.
    pub rule: Option<Ruled>,
}

/// Where a case stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// Waits for a decision.
    Open,
    /// Waits for someone else's decision.
    Appealed,
    /// Decided; the person may still appeal.
    Decided,
    /// Decided for good.
    Closed,
}

/// What someone at the desk does with a case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Works on it from now on.
    Claim,
    /// No longer; a senior may end another's claim.
    Release,
    /// Decides it, or the appeal against what someone else decided.
    Decide {
        /// What is done.
        measure: Measure,
        /// Against whom.
        against: AccountId,
        /// Which rule was broken.
        ground: Category,
        /// In words, for the person.
        explanation: String,
        /// How many reports the case had when whoever decides looked at it.
        seen: u32,
    },
    /// Asks that its evidence be exported.
    AskExport,
    /// Allows what someone else asked.
    AllowExport,
}

impl Act {
    /// Its name in the log.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Claim => "claim",
            Self::Release => "release",
            Self::Decide { .. } => "decide",
            Self::AskExport => "ask-export",
            Self::AllowExport => "allow-export",
        }
    }
}

/// Why something may not be done.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WhyNot {
    /// The role may not.
    #[error("your role may not do this")]
    Role,
    /// Someone else works on it.
    #[error("{0} works on this case; ask them to release it")]
    Claimed(StaffId),
    /// Only who works on a case decides it.
    #[error("claim the case first")]
    NotClaimed,
    /// It needs someone else.
    #[error("this needs another person than {0}")]
    SamePerson(StaffId),
    /// There is nothing to decide, to allow or to appeal (any more).
    #[error("there is nothing in this case that waits for this")]
    NothingWaits,
    /// A measure lasts from one day to a year.
    #[error("a measure lasts from 1 to 365 days")]
    Days,
    /// A decision says why; an appeal too.
    #[error("say why, in at most {0} bytes")]
    Words(usize),
    /// The person is not who the case is about.
    #[error("the case is not about this person")]
    Person,
    /// Nobody decides on reports that they did not see.
    #[error("reports came in that were not on your page; look at them, then decide")]
    Unseen,
    /// An appeal never makes it worse.
    #[error("an appeal never makes it worse; choose no more than what was decided first")]
    Harsher,
    /// Evidence is not what it was when two people wanted it out.
    #[error("reports came in after this was allowed; ask for it anew")]
    Outgrown,
    /// Only who asked for evidence and who allowed it take it out.
    #[error("only {0}, who asked for it, and {1}, who allowed it, may take the evidence out")]
    OnlyThey(StaffId, StaffId),
}

impl Case {
    /// Another report comes into it: `disclosed` messages that are not somebody else's, of which `against` are newly
    /// proven to be the person's. Without proof no report lifts a case over others.
    pub fn join(&mut self, category: Category, disclosed: u32, against: u32) {
        self.reports = self.reports.saturating_add(1);
        self.disclosed = self.disclosed.saturating_add(disclosed);
        self.proven = self.proven.saturating_add(against);
        if against > 0 && category.urgency() < self.category.urgency() {
            self.category = category;
        }
    }

    /// Where it stands.
    pub fn state(&self, now_ms: u64) -> State {
        match (&self.decision, &self.appeal) {
            (None, _) => State::Open,
            (Some(_), Some(Appeal { decision: None, .. })) => State::Appealed,
            (Some(_), Some(_)) => State::Closed,
            (Some(decision), None) if now_ms <= appeal_until_ms(decision) => State::Decided,
            (Some(_), None) => State::Closed,
        }
    }

    /// What holds now: the last decision.
    pub fn standing(&self) -> Option<&Decision> {
        let appealed = self.appeal.as_ref().and_then(|appeal| appeal.decision.as_ref());
        appealed.or(self.decision.as_ref())
    }

    /// What is in force, and until when, milliseconds since 1970 (0: no end, or nothing that lasts). What an appeal
    /// leaves does not last longer than what was decided first would have.
    pub fn in_force(&self) -> Option<(Measure, u64)> {
        let until_ms = |decision: &Decision| decision.measure.until_ms(decision.at_ms);
        let (first, now) = (self.decision.as_ref()?, self.standing()?);
        let until = match (until_ms(first), until_ms(now)) {
            (0, until) => until,
            (first, until) => until.min(first),
        };
        Some((now.measure, until))
    }

    /// Who works on it now.
    pub fn claimed_by(&self, now_ms: u64) -> Option<&StaffId> {
        let claim = self.claim.as_ref()?;
        (now_ms < claim.at_ms.saturating_add(CLAIM_MS)).then_some(&claim.by)
    }

    /// Does something with the case, if it may be done.
    ///
    /// # Errors
    /// Nothing is changed then.
    pub fn act(&mut self, staff: &Staff, act: Act, now_ms: u64) -> Result<(), WhyNot> {
        use Permission::*;
        let need = |what| if staff.role.may(what) { Ok(()) } else { Err(WhyNot::Role) };
        let mine = Claim { by: staff.id.clone(), at_ms: now_ms };
        match act {
            Act::Claim => {
                self.may_decide(staff, now_ms)?;
                if let Some(other) = self.claimed_by(now_ms).filter(|by| **by != staff.id) {
                    return Err(WhyNot::Claimed(other.clone()));
                }
                self.claim = Some(mine);
            }
            Act::Release => {
                need(Decide)?;
                match self.claimed_by(now_ms) {
                    None => return Err(WhyNot::NothingWaits),
                    Some(by) if *by != staff.id && !staff.role.may(Ban) => {
                        return Err(WhyNot::Claimed(by.clone()));
                    }
                    Some(_) => self.claim = None,
                }
            }
            Act::Decide { measure, against, ground, explanation, seen } => {
                self.may_decide(staff, now_ms)?;
                match self.claimed_by(now_ms) {
                    None => return Err(WhyNot::NotClaimed),
                    Some(by) if *by != staff.id => return Err(WhyNot::Claimed(by.clone())),
                    Some(_) => {}
                }
                if seen != self.reports {
                    return Err(WhyNot::Unseen);
                }
                self.may_impose(staff, measure, &against)?;
                has_reason(&explanation)?;
                let by = staff.id.clone();
                let decision = Decision { measure, against, ground, explanation, by, at_ms: now_ms };
                match &mut self.appeal {
                    Some(appeal) => appeal.decision = Some(decision),
                    None => self.decision = Some(decision),
                }
                self.claim = None;
            }
            Act::AskExport => {
                need(AskExport)?;
                if self.let_out_by(now_ms).is_ok() {
                    return Err(WhyNot::NothingWaits);
                }
                self.export = Some(Export { asked: mine, allowed: None, reports: 0 });
            }
            Act::AllowExport => {
                need(AllowExport)?;
                match &mut self.export {
                    Some(Export { asked, allowed: allowed @ None, reports }) => {
                        if asked.by == staff.id {
                            return Err(WhyNot::SamePerson(staff.id.clone()));
                        }
                        *allowed = Some(mine);
                        *reports = self.reports;
                    }
                    _ => return Err(WhyNot::NothingWaits),
                }
            }
        }
        Ok(())
    }

    /// Whether this person may decide what waits now.
    fn may_decide(&self, staff: &Staff, now_ms: u64) -> Result<(), WhyNot> {
        let what = match self.state(now_ms) {
            State::Open => Permission::Decide,
            State::Appealed => Permission::DecideAppeals,
            State::Decided | State::Closed => return Err(WhyNot::NothingWaits),
        };
        if !staff.role.may(what) {
            return Err(WhyNot::Role);
        }
        match &self.decision {
            Some(first) if first.by == staff.id => Err(WhyNot::SamePerson(staff.id.clone())),
            _ => Ok(()),
        }
    }

    fn may_impose(&self, staff: &Staff, measure: Measure, against: &AccountId) -> Result<(), WhyNot> {
        // Whoever may decide an appeal may leave a ban as it is.
        let as_it_is = self.decision.as_ref().is_some_and(|first| first.measure == measure);
        if measure == Measure::Ban && !staff.role.may(Permission::Ban) && !as_it_is {
            return Err(WhyNot::Role);
        }
        has_end(measure)?;
        if self.decision.as_ref().is_some_and(|first| measure.harsher_than(first.measure)) {
            return Err(WhyNot::Harsher);
        }
        let person = match (&self.subject, &self.decision) {
            (_, Some(first)) => first.against == *against,
            (Subject::Account(account), None) => account == against,
            (Subject::Room(_), None) => true,
        };
        if person { Ok(()) } else { Err(WhyNot::Person) }
    }

    /// The person asks for another look.
    ///
    /// # Errors
    /// If there is nothing to appeal, it was appealed before, or it is too late.
    pub fn appeal(&mut self, by: &AccountId, text: &str, now_ms: u64) -> Result<(), WhyNot> {
        let first = self.decision.as_ref().filter(|first| first.against == *by).ok_or(WhyNot::Person)?;
        if first.measure == Measure::Dismiss || self.state(now_ms) != State::Decided {
            return Err(WhyNot::NothingWaits);
        }
        if text.trim().is_empty() || text.len() > MAX_APPEAL {
            return Err(WhyNot::Words(MAX_APPEAL));
        }
        self.appeal = Some(Appeal { text: text.to_owned(), at_ms: now_ms, decision: None });
        self.claim = None;
        Ok(())
    }

    /// Whether the evidence may be fetched or sent now, by this person.
    ///
    /// # Errors
    /// If the role may not, or no second person allowed it, or that was longer than a week ago, or reports came since,
    /// or they are neither who asked nor who allowed it.
    pub fn may_fetch(&self, staff: &Staff, now_ms: u64) -> Result<(), WhyNot> {
        if !staff.role.may(Permission::AskExport) {
            return Err(WhyNot::Role);
        }
        let [asked, allowed] = self.let_out_by(now_ms)?;
        if staff.id == *asked || staff.id == *allowed {
            Ok(())
        } else {
            Err(WhyNot::OnlyThey(asked.clone(), allowed.clone()))
        }
    }

    /// Who asked for the evidence and who allowed it, if it may leave now.
    fn let_out_by(&self, now_ms: u64) -> Result<[&StaffId; 2], WhyNot> {
        let export = self.export.as_ref().ok_or(WhyNot::NothingWaits)?;
        let allowed = export.allowed.as_ref();
        let allowed = allowed.filter(|allowed| now_ms < allowed.at_ms.saturating_add(EXPORT_MS));
        let allowed = allowed.ok_or(WhyNot::NothingWaits)?;
        if export.reports != self.reports {
            return Err(WhyNot::Outgrown);
        }
        Ok([&export.asked.by, &allowed.by])
    }
}

/// A measure that ends by itself does so within a year.
pub(crate) fn has_end(measure: Measure) -> Result<(), WhyNot> {
    let wrong = measure.days().is_some_and(|days| !(1..=MAX_DAYS).contains(&days));
    if wrong { Err(WhyNot::Days) } else { Ok(()) }
}

/// A decision says why.
pub(crate) fn has_reason(explanation: &str) -> Result<(), WhyNot> {
    let wrong = explanation.trim().is_empty() || explanation.len() > MAX_EXPLANATION;
    if wrong { Err(WhyNot::Words(MAX_EXPLANATION)) } else { Ok(()) }
}

/// Until when this decision may be appealed, milliseconds since 1970; 0 if it takes nothing from anybody.
pub(crate) fn appeal_until_ms(decision: &Decision) -> u64 {
    match decision.measure {
        Measure::Dismiss => 0,
        _ => decision.at_ms.saturating_add(RULING_DAYS * DAY_MS),
    }
}
