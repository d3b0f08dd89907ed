//! Files a case with the configured authority: submit, upload, fileinfo, finish. What began and did not end is taken
//! back, and is not filed.

use zegel_cases::{
    CaseNumber, Staff,
    ncmec::{self, Answer, Filer, NcmecError},
};
use zegel_desk::{OfficeError, OfficeResult};

use super::{
    Desk,
    authority::{Authority, Body, Fault},
    custody::entry,
    evidence::Archive,
    failed, log,
};
use crate::{clock::Now, config::Filing, store::StoreError};

/// What the log says of a case that was filed.
const FILED: &str = "filed";

impl Desk {
    /// Goes on when nobody waits for it any more: what the authority took has to be in the log.
    pub(super) async fn file_to_the_end(&self, who: &Staff, number: CaseNumber) -> OfficeResult<String> {
        let (desk, who) = (self.clone(), who.clone());
        let filed = tokio::spawn(async move { desk.file_once(&who, number).await });
        filed.await.map_err(|_| failed(&StoreError::Closed))?
    }

    async fn file_once(&self, who: &Staff, number: CaseNumber) -> OfficeResult<String> {
        let _one_at_a_time = self.filing.lock().await;
        let Some(filing) = self.service.config.desk.filing.clone() else {
            self.may_leave(who, number).await?;
            let text = "while filing: no authority is configured; ask the operator to put [desk.filing] into the \
                        configuration";
            return Err(OfficeError::Filing(text.into()));
        };
        let archive = self.archive(who, number, "file").await?;
        let (sum, domain) = (archive.sum(), self.service.config.domain.clone());
        let filed = tokio::task::spawn_blocking(move || file(&filing, &domain, &archive));
        let filed = filed.await.map_err(|_| failed(&StoreError::Closed))?;
        let (act, detail) = match &filed {
            Ok(id) => (FILED, format!("as {id}, {sum}")),
            Err(fault) => ("not-filed", fault.short.clone()),
        };
        let who = who.id.clone();
        let logged = self.write(move |tx| log(tx, Now::get(), &who, act, Some(number), detail).map(Ok)).await;
        match (filed, logged) {
            (Ok(id), Ok(())) => Ok(id),
            (Ok(id), Err(_)) => Err(OfficeError::Filing(format!(
                "the case was filed as {id}, but the log could not be written; note the number, and do not file it again"
            ))),
            (Err(fault), _) => Err(OfficeError::Filing(fault.text)),
        }
    }
}

/// As what the case was filed before, if it was.
fn filed_before(archive: &Archive) -> Option<String> {
    let entries = archive.custody.iter().filter_map(|line| entry(line).ok());
    entries.filter(|entry| entry.act == FILED).map(|entry| entry.detail).next()
}

fn file(filing: &Filing, domain: &str, archive: &Archive) -> Result<String, Fault> {
    let own = |why: &str, hint| Fault::own("preparing to file", why, hint);
    if let Some(before) = filed_before(archive) {
        return Err(own(&format!("the case was filed already, {before}"), "the authority, with that number"));
    }
    let filer = Filer { name: filing.reporter_name.clone(), email: filing.reporter_email.clone() };
    let report = ncmec::report(domain, &archive.case, &archive.reports, &filer);
    let report = report.map_err(|why| own(&why.to_string(), "another case"))?;
    let authority = Authority::new(filing)?;
    let doing = "submitting the report";
    let begun = ask(&authority, doing, "/submit", &Body::Xml(&report))?;
    let id = begun.report_id.ok_or_else(|| no(doing, "report"))?;
    let finished = complete(&authority, &id, archive);
    finished.map(|()| id.clone()).map_err(|fault| {
        let back = Body::Form { id: &id, file: None };
        match ask(&authority, "taking the report back", "/retract", &back) {
            Ok(_) => fault,
            Err(_) => Fault {
                short: format!("{}; {id} was not taken back", fault.short),
                text: format!(
                    "{}. The report {id} was begun and could not be taken back: tell them",
                    fault.text
                ),
            },
        }
    })
}

/// What follows on a report that has a number.
fn complete(authority: &Authority, id: &str, archive: &Archive) -> Result<(), Fault> {
    let name = format!("{}.zip", archive.case.number);
    let doing = "uploading the evidence";
    let upload = Body::Form { id, file: Some((&name, &archive.bytes)) };
    let uploaded = ask(authority, doing, "/upload", &upload)?;
    let file = uploaded.file_id.ok_or_else(|| no(doing, "file"))?;
    let about = format!("All evidence of the case, signed; {}", archive.sum());
    let details = ncmec::file_details(id, &file, &name, &about);
    ask(authority, "describing the evidence", "/fileinfo", &Body::Xml(&details))?;
    let doing = "finishing the report";
    let done = ask(authority, doing, "/finish", &Body::Form { id, file: None })?;
    match done.report_id {
        Some(finished) if finished == id => Ok(()),
        _ => Err(no(doing, "report")),
    }
}

fn ask(authority: &Authority, doing: &str, path: &str, body: &Body<'_>) -> Result<Answer, Fault> {
    let answer = authority.post(doing, path, body)?;
    Answer::read(answer.as_bytes()).map_err(|why| match why {
        NcmecError::Refused { code, description } => {
            Fault::said(doing, format!("the authority said no (code {code})"), &description)
        }
        other => Fault::said(doing, "the authority's answer cannot be read", &other.to_string()),
    })
}

fn no(doing: &str, what: &str) -> Fault {
    Fault::said(doing, "the authority's answer is not whole", &format!("it names no {what}"))
}
