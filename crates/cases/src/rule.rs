//! What a safety rule may do with a case by itself: ask that a person looks, or restrict first contact for some days. It
//! counts people and reads nothing, so all else, and every appeal, is for people.

use serde::{Deserialize, Serialize};

use crate::{
    Case, Decision, Measure, StaffId, State, Subject, WhyNot,
    case::{DAY_MS, has_end, has_reason},
};

/// Who decides when a rule does; nobody at the desk has this name.
pub const RULES: &str = "safety-rules";

/// A safety rule acted: so many people did what it says. Never who.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ruled {
    /// Its name in the safety rules.
    pub rule: String,
    /// What it says, in English, as it stood then.
    pub says: String,
    /// So many people or more ...
    pub least: u32,
    /// ... within so many days.
    pub days: u32,
    /// At least so many were counted.
    pub counted: u32,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
}

impl Decision {
    /// Whether a rule decided this, and no person.
    pub fn by_rule(&self) -> bool {
        self.by.0 == RULES
    }
}

impl Case {
    /// A rule asks that a person looks; also in a case that people's reports opened. Of two rules the first is named.
    pub fn bring(&mut self, rule: Ruled) {
        self.rule.get_or_insert(rule);
    }

    /// A rule decides a case of its own. `explanation` is what it says, in the person's language.
    ///
    /// # Errors
    /// If the case has reports or a decision or is about a group, the days are not from 1 to 365, or nothing is explained.
    /// Nothing is changed then.
    pub fn restrict_by_rule(&mut self, rule: Ruled, days: u32, explanation: String) -> Result<(), WhyNot> {
        if self.reports > 0 || self.decision.is_some() {
            return Err(WhyNot::NothingWaits);
        }
        let Subject::Account(against) = self.subject else { return Err(WhyNot::Person) };
        let measure = Measure::RestrictFirstContact { days };
        has_end(measure)?;
        has_reason(&explanation)?;
        let (ground, by, at_ms) = (self.category, StaffId(RULES.into()), rule.at_ms);
        self.decision = Some(Decision { measure, against, ground, explanation, by, at_ms });
        self.rule = Some(rule);
        Ok(())
    }

    /// Whether this rule has nothing to do about the person, because of this case: it waits for people, what was decided
    /// is in force, or the rule acted, or somebody decided about that, within the days that it looks back.
    pub fn rests(&self, rule: &str, now_ms: u64) -> bool {
        let Some(ruled) = self.rule.as_ref().filter(|ruled| ruled.rule == rule) else { return false };
        let lately = |at_ms: u64| now_ms < at_ms.saturating_add(u64::from(ruled.days) * DAY_MS);
        matches!(self.state(now_ms), State::Open | State::Appealed)
            || self.in_force().is_some_and(|(_, until_ms)| now_ms < until_ms)
            || lately(ruled.at_ms)
            || self.standing().is_some_and(|decision| lately(decision.at_ms))
    }
}
