//! The safety rules in force, for whoever asks. A change of them is noted at the start, and stands in the desk's log.

use bytes::Bytes;
use zegel_cases::StaffId;
use zegel_proto::v1;
use zegel_safety::Policy;

use super::{Service, Session, cases::log, refusal::Refusal};
use crate::{
    clock::Now,
    store::{PolicyRow, Store, StoreResult, write},
};

/// Rules that were put in force.
pub(crate) struct Kept {
    /// When, and which rules are others than before.
    pub change: v1::PolicyChange,
    /// All of them, if this release can read them.
    pub policy: Option<Policy>,
}

impl Service {
    /// The rules, and how they changed.
    pub(super) fn fetch_policy(&self, session: &Session) -> Result<v1::PolicyAnswer, Refusal> {
        self.limits.audit(session.peer)?;
        let changes = self.policies.iter().map(|kept| kept.change.clone()).collect();
        Ok(v1::PolicyAnswer { toml: self.safety.to_toml(), changes })
    }

    /// The rules in force.
    pub(crate) fn safety(&self) -> &Policy {
        &self.safety
    }

    /// Those that ever were, the newest first; the service began with the last ones.
    pub(crate) fn policies(&self) -> &[Kept] {
        &self.policies
    }

    /// What the service is called.
    pub(crate) fn domain(&self) -> &str {
        &self.config.domain
    }
}

/// Notes that these rules are in force, if others were before, and returns all that ever were.
pub(super) async fn note_policy(store: &dyn Store, policy: &Policy) -> StoreResult<Vec<Kept>> {
    let (policy, now) = (policy.clone(), Now::get());
    write(store, move |tx| {
        let mut rows = tx.policy_changes()?;
        let hash = policy.hash();
        if rows.first().is_none_or(|newest| newest.hash != hash) {
            let row = PolicyRow { day: now.day(), hash, toml: policy.to_toml() };
            tx.put_policy_change(&row)?;
            // At the first start there is nothing to tell, unless the rules are not those that ship.
            let before = match rows.first() {
                Some(newest) => Policy::read(&newest.toml).ok(),
                None => Some(Policy::shipped()),
            };
            let rules = changed(before.as_ref(), Some(&policy));
            if !rules.is_empty() {
                let operator = StaffId("operator".into());
                log(tx, now, &operator, "safety-rules", None, rules.join(", "))?;
            }
            rows.insert(0, row);
        }
        Ok(kept(&rows))
    })
    .await
}

/// What each row changed of the one behind it, which is older. The oldest changed nothing.
fn kept(rows: &[PolicyRow]) -> Vec<Kept> {
    let mut all: Vec<Kept> = Vec::new();
    for row in rows.iter().rev() {
        let policy = Policy::read(&row.toml).ok();
        let rules = match all.last() {
            Some(before) => changed(before.policy.as_ref(), policy.as_ref()),
            None => Vec::new(),
        };
        let change = v1::PolicyChange { day: row.day, hash: Bytes::copy_from_slice(&row.hash), rules };
        all.push(Kept { change, policy });
    }
    all.reverse();
    all
}

/// The rules that differ. Of rules that this release cannot read any more it says: all.
fn changed(before: Option<&Policy>, after: Option<&Policy>) -> Vec<String> {
    match (before, after) {
        (Some(before), Some(after)) => before.changed(after),
        _ => Policy::shipped().rule_names().into_iter().map(str::to_owned).collect(),
    }
}
