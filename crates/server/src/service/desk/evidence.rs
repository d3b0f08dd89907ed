//! Evidence leaves: a signed archive, once two people wanted it.

use sha2::{Digest as _, Sha256};
use zegel_cases::{Case, CaseNumber, MAX_DISCLOSED, Permission, Report, Staff, archive};
use zegel_desk::{OfficeError, OfficeResult};
use zegel_directory::Statement;

use super::{
    CaseKeys, Desk,
    custody::lines_about,
    failed, log,
    look::{self, Ranked},
    may,
};
use crate::{
    clock::Now,
    store::{StoreError, StoreResult, Tx},
};

/// The most bytes of reports in an archive, as they are kept: written out they are up to three times as long.
const MAX_LEN: u64 = archive::MAX_BYTES / 4;
/// The most reports: each is one file, and two more for each message that it discloses. A few are left for the rest.
const MAX_REPORTS: usize = (archive::MAX_FILES - 10) / (1 + 2 * MAX_DISCLOSED);

/// A case's archive, and what it was made of.
pub(super) struct Archive {
    pub(super) case: Case,
    pub(super) reports: Vec<Report>,
    /// What the log says of the case.
    pub(super) custody: Vec<String>,
    pub(super) bytes: Vec<u8>,
}

impl Archive {
    /// How the log names it.
    pub(super) fn sum(&self) -> String {
        format!("sha256 {}", hex::encode(Sha256::digest(&self.bytes)))
    }
}

impl Desk {
    pub(super) async fn export(&self, who: &Staff, number: CaseNumber) -> OfficeResult<Vec<u8>> {
        let archive = self.archive(who, number, "export").await?;
        let (who, sum) = (who.id.clone(), archive.sum());
        self.write(move |tx| log(tx, Now::get(), &who, "exported", Some(number), sum).map(Ok)).await?;
        Ok(archive.bytes)
    }

    /// Whether the case's evidence may leave by this person's hand.
    pub(super) async fn may_leave(&self, who: &Staff, number: CaseNumber) -> OfficeResult<()> {
        let (keys, who) = (self.keys(), who.clone());
        self.read(move |tx| allowed(tx, &keys, &who, number, Now::get())).await
    }

    /// Makes the archive, if it may leave. The log says under `act` that it is about to.
    pub(super) async fn archive(
        &self,
        who: &Staff,
        number: CaseNumber,
        act: &'static str,
    ) -> OfficeResult<Archive> {
        let (keys, who, now) = (self.keys(), who.clone(), Now::get());
        self.write(move |tx| match allowed(tx, &keys, &who, number, now)? {
            Ok(()) => log(tx, now, &who.id, act, Some(number), String::new()).map(Ok),
            no => Ok(no),
        })
        .await?;
        let keys = self.keys();
        let read = self.read(move |tx| {
            let Some(row) = tx.case(number.get())? else { return Ok(Err(OfficeError::NotFound)) };
            let (case, reports) = (keys.open_case(&row)?, reports_within(tx, &keys, number)?);
            Ok(Ok((case, reports, lines_about(tx, number)?)))
        });
        let (case, reports, custody) = read.await?;
        let (domain, keys) = (self.service.config.domain.clone(), self.service.keys());
        let made = tokio::task::spawn_blocking(move || {
            let signer = keys.directory();
            let sign = |manifest: &[u8]| signer.sign_statement(&domain, Statement::Evidence, manifest);
            let bytes = archive::build(&domain, signer.links(), &case, &reports, &custody, now.ms, sign)?;
            Ok(Archive { case, reports, custody, bytes })
        });
        let made = made.await.map_err(|_| failed(&StoreError::Closed))?;
        made.map_err(|error: archive::ArchiveError| {
            OfficeError::Filing(format!("while making the archive: {error}; nothing left the service"))
        })
    }
}

/// As many of a case's reports as an archive holds; oldest first.
fn reports_within(tx: &mut dyn Tx, keys: &CaseKeys, number: CaseNumber) -> StoreResult<Vec<Report>> {
    let mut reports = Vec::new();
    for chosen in within(look::ranked(tx, keys, number)?) {
        reports.extend(look::open(tx, keys, &chosen)?);
    }
    reports.sort_by_key(|report| report.made_ms);
    Ok(reports)
}

/// The first of them that fit. One that is too long for what is left of the space leaves it to others.
fn within(ranked: Vec<Ranked>) -> Vec<Ranked> {
    let mut room = MAX_LEN;
    let mut fits = |report: &Ranked| {
        let left = room.checked_sub(report.len);
        room = left.unwrap_or(room);
        left.is_some()
    };
    ranked.into_iter().filter(|report| fits(report)).take(MAX_REPORTS).collect()
}

fn allowed(
    tx: &mut dyn Tx,
    keys: &CaseKeys,
    who: &Staff,
    number: CaseNumber,
    now: Now,
) -> StoreResult<OfficeResult<()>> {
    if let Err(why) = may(tx, who, Permission::AskExport)? {
        return Ok(Err(why.into()));
    }
    let Some(row) = tx.case(number.get())? else { return Ok(Err(OfficeError::NotFound)) };
    Ok(keys.open_case(&row)?.may_fetch(who, now.ms).map_err(OfficeError::from))
}

#[cfg(test)]
mod tests {
    use zegel_proto::AccountId;

    use super::*;
    use crate::service::cases::Head;

    fn report(made_ms: u64, len: u64) -> Ranked {
        let head = Head { reporter: AccountId([1; 16]), made_ms, against: 0, young: false };
        Ranked { id: [0; 32], len, head }
    }

    #[test]
    fn an_archive_takes_no_more_than_it_can_hold() {
        let taken = |reports: Vec<Ranked>| -> Vec<u64> {
            within(reports).into_iter().map(|report| report.head.made_ms).collect()
        };
        let long = MAX_LEN / 2 - 10;
        assert_eq!(taken(vec![report(1, long), report(2, long), report(3, 21), report(4, 20)]), [1, 2, 4]);
        let many = (0..MAX_REPORTS as u64 + 5).map(|n| report(n, 1)).collect();
        assert_eq!(taken(many).len(), MAX_REPORTS);
    }
}
