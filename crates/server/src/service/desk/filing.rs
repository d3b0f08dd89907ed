//! Files a case with the configured authority: submit, upload, fileinfo, finish. What began and did not end is taken
//! back, and is not filed. Of what the authority may have after all, the log says so, and nothing is filed again.

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

/// What the log says when filing begins, and how it ended.
const BEGUN: &str = "file";
const FILED: &str = "filed";
const NOT_FILED: &str = "not-filed";
const PERHAPS: &str = "perhaps-filed";

/// How it ended.
enum End {
    /// The authority has it under this number.
    Filed(String),
    /// It has not.
    Not(Fault),
    /// It may have it under this number: its last answer was lost, and it could not be taken back.
    Perhaps(String, Fault),
}

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
        let archive = match self.archive(who, number, BEGUN).await {
            Err(error @ (OfficeError::Filing(_) | OfficeError::Store)) => {
                self.ended(who, number, NOT_FILED, "making the archive".into()).await.ok();
                return Err(error);
            }
            other => other?,
        };
        let (sum, domain) = (archive.sum(), self.service.config.domain.clone());
        let filed = tokio::task::spawn_blocking(move || file(&filing, &domain, &archive));
        match filed.await.map_err(|_| failed(&StoreError::Closed))? {
            End::Filed(id) => match self.ended(who, number, FILED, format!("as {id}, {sum}")).await {
                Ok(()) => Ok(id),
                Err(_) => Err(OfficeError::Filing(format!(
                    "the case was filed as {id}, but the log could not be written; note the number, and do not file it \
                     again"
                ))),
            },
            // If one of these lines is lost, a beginning without an end stands in the log: that is as clear.
            End::Not(fault) => {
                self.ended(who, number, NOT_FILED, fault.short).await.ok();
                Err(OfficeError::Filing(format!("{}; {}", fault.text, fault.advice)))
            }
            End::Perhaps(id, fault) => {
                self.ended(who, number, PERHAPS, format!("as {id}; {}", fault.short)).await.ok();
                Err(OfficeError::Filing(format!("{}; {}", fault.text, ask_them(&id))))
            }
        }
    }

    async fn ended(
        &self,
        who: &Staff,
        number: CaseNumber,
        act: &'static str,
        detail: String,
    ) -> OfficeResult<()> {
        let who = who.id.clone();
        self.write(move |tx| log(tx, Now::get(), &who, act, Some(number), detail).map(Ok)).await
    }
}

fn ask_them(id: &str) -> String {
    format!(
        "the authority may have it as {id}; try to check there. It is not filed again from here: if they have it not, \
         give them the exported evidence"
    )
}

/// Why the case must not be filed (again), by what the log says of it; its last beginning is this one's.
fn filed_before(archive: &Archive) -> Option<String> {
    let mut open = 0_usize;
    for entry in archive.custody.iter().filter_map(|line| entry(line).ok()) {
        match entry.act.as_str() {
            FILED => return Some(format!("it was filed already, {}", entry.detail)),
            PERHAPS => return Some(format!("it was perhaps filed before, {}", entry.detail)),
            BEGUN => open += 1,
            NOT_FILED => open = open.saturating_sub(1),
            _ => {}
        }
    }
    (open > 1).then(|| "filing it began before and the log does not say how that ended".into())
}

fn file(filing: &Filing, domain: &str, archive: &Archive) -> End {
    let authority = match prepare(filing, archive) {
        Ok(authority) => authority,
        Err(fault) => return End::Not(fault),
    };
    let submitted = document(filing, domain, archive).and_then(|report| submit(&authority, &report));
    let id = match submitted {
        Ok(id) => id,
        Err(fault) => return End::Not(fault),
    };
    let (fault, may_have_it) = match complete(&authority, &id, archive) {
        Err(fault) => (fault, false),
        Ok(()) => match finish(&authority, &id) {
            Ok(()) => return End::Filed(id),
            Err(fault) => {
                let lost = !fault.refused;
                (fault, lost)
            }
        },
    };
    let back = Body::Form { id: &id, file: None };
    match (ask(&authority, "taking the report back", "/retract", &back), may_have_it) {
        (Ok(_), _) => End::Not(fault),
        (Err(_), true) => End::Perhaps(id, fault),
        (Err(_), false) => End::Not(Fault {
            short: format!("{}; {id} was not taken back", fault.short),
            advice: format!(
                "{}. The report {id} was begun and could not be taken back: tell them",
                fault.advice
            ),
            ..fault
        }),
    }
}

/// What is not as it should be here is found before anything is sent.
fn prepare(filing: &Filing, archive: &Archive) -> Result<Authority, Fault> {
    match filed_before(archive) {
        Some(before) => {
            Err(Fault::own("preparing to file", before, "the authority: ask what they have of this case"))
        }
        None => Authority::new(filing),
    }
}

fn document(filing: &Filing, domain: &str, archive: &Archive) -> Result<String, Fault> {
    let filer = Filer { name: filing.reporter_name.clone(), email: filing.reporter_email.clone() };
    let report = ncmec::report(domain, &archive.case, &archive.reports, &filer);
    report.map_err(|why| Fault::own("preparing to file", why, "another case"))
}

fn submit(authority: &Authority, report: &str) -> Result<String, Fault> {
    let doing = "submitting the report";
    ask(authority, doing, "/submit", &Body::Xml(report))?.report_id.ok_or_else(|| no(doing, "report"))
}

/// The evidence, on a report that has a number.
fn complete(authority: &Authority, id: &str, archive: &Archive) -> Result<(), Fault> {
    let name = format!("{}.zip", archive.case.number);
    let doing = "uploading the evidence";
    let upload = Body::Form { id, file: Some((&name, &archive.bytes)) };
    let file = ask(authority, doing, "/upload", &upload)?.file_id.ok_or_else(|| no(doing, "file"))?;
    let about = format!("All evidence of the case, signed; {}", archive.sum());
    let details = ncmec::file_details(id, &file, &name, &about);
    ask(authority, "describing the evidence", "/fileinfo", &Body::Xml(&details)).map(drop)
}

/// From here on the authority has it.
fn finish(authority: &Authority, id: &str) -> Result<(), Fault> {
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
            let said = Fault::said(doing, format!("the authority said no (code {code})"), &description);
            Fault { refused: true, ..said }
        }
        other => Fault::said(doing, "the authority's answer cannot be read", &other.to_string()),
    })
}

fn no(doing: &str, what: &str) -> Fault {
    Fault::said(doing, "the authority's answer is not whole", &format!("it names no {what}"))
}
