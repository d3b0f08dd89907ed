//! The desk's log: one line for every act, in the same commit as what was done.

use zegel_cases::{CaseNumber, LogEntry, LogHead, StaffId};

use crate::{
    clock::Now,
    store::{StoreResult, Tx},
};

/// Adds a line. `detail` holds no content, no handle and no account.
pub(in crate::service) fn log(
    tx: &mut dyn Tx,
    now: Now,
    who: &StaffId,
    act: &str,
    case: Option<CaseNumber>,
    detail: String,
) -> StoreResult<()> {
    let (seq, hash) = tx.log_head()?;
    let (who, act) = (who.clone(), act.to_owned());
    let entry = LogEntry { seq: 0, at_ms: now.ms, who, act, case, detail, prev: String::new() };
    let (line, head) = LogHead { seq, hash }.append(entry);
    tx.append_log(head.seq, &line, &head.hash)
}

/// Notes what came from outside the desk. Only the hour is told: nothing else on the disk says more of when somebody
/// reported or appealed.
pub(in crate::service) fn log_outside(
    tx: &mut dyn Tx,
    now: Now,
    who: &str,
    act: &str,
    case: CaseNumber,
) -> StoreResult<()> {
    let hour = Now { ms: u64::from(now.hour()) * 3_600_000 };
    log(tx, hour, &StaffId(who.into()), act, Some(case), String::new())
}
