//! Evidence leaves: a signed archive, once two people wanted it.

use sha2::{Digest as _, Sha256};
use zegel_cases::{Case, CaseNumber, Permission, Report, Staff, archive};
use zegel_desk::{OfficeError, OfficeResult};
use zegel_directory::Statement;

use super::{CaseKeys, Desk, custody::lines_about, failed, log, look::reports_of, may};
use crate::{
    clock::Now,
    store::{StoreError, StoreResult, Tx},
};

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
            let (case, reports) = (keys.open_case(&row)?, reports_of(tx, &keys, number)?);
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
