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

impl Service {
    /// The rules, and how they changed.
    pub(super) fn fetch_policy(&self, session: &Session) -> Result<v1::PolicyAnswer, Refusal> {
        self.limits.audit(session.peer)?;
        Ok(v1::PolicyAnswer { toml: self.safety.to_toml(), changes: self.policy_changes.clone() })
    }

    /// The rules in force.
    pub(crate) fn safety(&self) -> &Policy {
        &self.safety
    }

    /// How they changed, the newest first; the last one is when the service began.
    pub(crate) fn policy_changes(&self) -> &[v1::PolicyChange] {
        &self.policy_changes
    }

    /// What the service is called.
    pub(crate) fn domain(&self) -> &str {
        &self.config.domain
    }
}

/// Notes that these rules are in force, if others were before, and returns how they ever changed.
pub(super) async fn note_policy(store: &dyn Store, policy: &Policy) -> StoreResult<Vec<v1::PolicyChange>> {
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
        Ok(changes(&rows))
    })
    .await
}

/// What changed from each row to the one before it in the list. The oldest changed nothing.
fn changes(rows: &[PolicyRow]) -> Vec<v1::PolicyChange> {
    let policies: Vec<_> = rows.iter().map(|row| Policy::read(&row.toml).ok()).collect();
    let change = |(place, row): (usize, &PolicyRow)| {
        let rules = match policies.get(place + 1) {
            Some(before) => changed(before.as_ref(), policies[place].as_ref()),
            None => Vec::new(),
        };
        v1::PolicyChange { day: row.day, hash: Bytes::copy_from_slice(&row.hash), rules }
    };
    rows.iter().enumerate().map(change).collect()
}

/// The rules that differ. Of rules that this release cannot read any more it says: all.
fn changed(before: Option<&Policy>, after: Option<&Policy>) -> Vec<String> {
    match (before, after) {
        (Some(before), Some(after)) => before.changed(after),
        _ => Policy::shipped().rule_names().into_iter().map(str::to_owned).collect(),
    }
}
