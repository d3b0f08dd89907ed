//! Takes an archive apart. Its bytes are foreign: nothing is unpacked before its size is bounded, and nothing in it is
//! believed before the signature was checked.

use std::{
    collections::BTreeMap,
    io::{Cursor, Read as _},
};

use zegel_directory::{SignerLink, Signers, Statement};
use zip::ZipArchive;

use super::{
    ArchiveError, MAX_BYTES, MAX_FILES, Stated, Wrong, link,
    manifest::{MANIFEST, Manifest, SEAL, Seal, name},
};
use crate::{
    Case, Finding, LogEntry, LogHead, Report, Ruled, StaffId,
    safe::{is_domain, is_handle},
    verify_log,
};

/// What an archive that is in order says.
#[derive(Clone, Debug)]
pub struct Checked {
    /// The service.
    pub domain: String,
    /// Its directory's keys, oldest first: the first names the service.
    pub signers: Signers,
    /// Which of them signed.
    pub signer: u32,
    /// When it was made, milliseconds since 1970.
    pub made_ms: u64,
    /// The case.
    pub case: Case,
    /// Its reports, oldest first.
    pub reports: Vec<Report>,
    /// What was done with it, and by whom.
    pub custody: Vec<LogEntry>,
    /// How many files are in the archive, the manifest and its signature not counted.
    pub files: usize,
}

impl Checked {
    /// How many messages are proven, withheld, and not proven.
    pub fn counts(&self) -> (usize, usize, usize) {
        let found = |finding: fn(&Finding) -> bool| {
            self.reports.iter().flat_map(|report| &report.run).filter(|shown| finding(&shown.finding)).count()
        };
        (
            found(|finding| *finding == Finding::Proven),
            found(|finding| *finding == Finding::Withheld),
            found(|finding| matches!(finding, Finding::Unproven(_))),
        )
    }
}

/// Checks an archive: every file is listed and is what was listed, the list is signed by a key that it names, and what
/// can be computed again comes out as stated. Whether the keys are those of the service is for the caller to know.
///
/// # Errors
/// See [`ArchiveError`].
pub fn check(bytes: &[u8]) -> Result<Checked, ArchiveError> {
    let mut files = unpack(bytes)?;
    let mut take = |name: &str| files.remove(name).ok_or_else(|| ArchiveError::Missing(name.to_owned()));
    let (list, seal) = (take(MANIFEST)?, take(SEAL)?);
    let manifest = Manifest::read(&list)?;
    if !is_domain(&manifest.domain) {
        return Err(ArchiveError::Form { name: MANIFEST, why: "its domain cannot be one".into() });
    }
    let signed = Seal::read(&seal)?.into();
    let links: Vec<SignerLink> = manifest.signers.iter().cloned().map(Into::into).collect();
    let signers = Signers::verify(&manifest.domain, &links)?;
    if !signers.stated(&manifest.domain, Statement::Evidence, &list, &signed) {
        return Err(ArchiveError::Signature);
    }
    compare(&manifest, &files)?;
    let stated = |wrong| {
        ArchiveError::Stated(Box::new(Stated {
            domain: manifest.domain.clone(),
            signers: signers.clone(),
            wrong,
        }))
    };
    let (case, reports, custody) = read(&manifest, &files).map_err(stated)?;
    let Manifest { domain, made_ms, .. } = manifest;
    Ok(Checked {
        domain,
        signers,
        signer: signed.signer,
        made_ms,
        case,
        reports,
        custody,
        files: files.len(),
    })
}

/// What the files say, once it is known who signed them.
fn read(manifest: &Manifest, files: &Files) -> Result<(Case, Vec<Report>, Vec<LogEntry>), Wrong> {
    let case: Case = json(files, name::CASE)?;
    if case.number != manifest.case {
        return Err(Wrong::new(name::CASE, "it is another case than the manifest's"));
    }
    names(&case)?;
    let reports = reports(&manifest.domain, files)?;
    let custody = custody(&case, files)?;
    Ok((case, reports, custody))
}

/// What will be shown of people has the form that the service gives it.
fn names(case: &Case) -> Result<(), Wrong> {
    if !is_handle(&case.handle) {
        return Err(Wrong::new(name::CASE, "the handle cannot be one"));
    }
    let appealed = case.appeal.as_ref().and_then(|appeal| appeal.decision.as_ref());
    let deciders = [case.decision.as_ref(), appealed].into_iter().flatten().map(|decision| &decision.by);
    let exporters = case.export.iter().flat_map(|export| [Some(&export.asked), export.allowed.as_ref()]);
    let claims = exporters.chain([case.claim.as_ref()]).flatten().map(|claim| &claim.by);
    if !deciders.chain(claims).all(StaffId::has_form) {
        return Err(Wrong::new(name::CASE, "it names somebody at the desk by what cannot be a name"));
    }
    match case.rule.as_ref().is_none_or(Ruled::has_form) {
        true => Ok(()),
        false => Err(Wrong::new(name::CASE, "it names a safety rule by what cannot be a name")),
    }
}

type Files = BTreeMap<String, Vec<u8>>;

fn unpack(bytes: &[u8]) -> Result<Files, ArchiveError> {
    let unreadable = |error: zip::result::ZipError| ArchiveError::Zip(error.to_string());
    let mut zip = ZipArchive::new(Cursor::new(bytes)).map_err(unreadable)?;
    if zip.len() > MAX_FILES {
        return Err(ArchiveError::TooLarge);
    }
    if zip.has_duplicate_names() {
        return Err(ArchiveError::Hidden("two files have one name"));
    }
    if zip.offset() != 0 || !zip.comment().is_empty() {
        return Err(ArchiveError::Hidden("there are bytes before or behind its files"));
    }
    for index in 0..zip.len() {
        let file = zip.by_index_raw(index).map_err(unreadable)?;
        let name = String::from_utf8_lossy(file.name_raw());
        if !name::is_sane(&name) || !file.is_file() {
            return Err(ArchiveError::Name(name.into_owned()));
        }
    }
    // Overlapping files, and files that only some programs see.
    zip.validate_header_consistency()
        .map_err(|_| ArchiveError::Hidden("its parts and its table do not agree"))?;
    let mut files = Files::new();
    let mut room = MAX_BYTES;
    for index in 0..zip.len() {
        let file = zip.by_index(index).map_err(unreadable)?;
        let name = String::from_utf8_lossy(file.name_raw()).into_owned();
        let mut content = Vec::new();
        // The size that a file claims to have is not to be believed.
        let read = file.take(room + 1).read_to_end(&mut content);
        room = room.checked_sub(content.len() as u64).ok_or(ArchiveError::TooLarge)?;
        read.map_err(|_| ArchiveError::Changed(name.clone()))?;
        files.insert(name, content);
    }
    Ok(files)
}

fn compare(manifest: &Manifest, files: &Files) -> Result<(), ArchiveError> {
    if let Some(name) = files.keys().find(|name| !manifest.files.contains_key(*name)) {
        return Err(ArchiveError::Unlisted(name.clone()));
    }
    for (name, sum) in &manifest.files {
        let bytes = files.get(name).ok_or_else(|| ArchiveError::Missing(name.clone()))?;
        if !sum.fits(bytes) {
            return Err(ArchiveError::Changed(name.clone()));
        }
    }
    Ok(())
}

fn listed<'a>(files: &'a Files, name: &str) -> Result<&'a [u8], Wrong> {
    files.get(name).map(Vec::as_slice).ok_or_else(|| Wrong::new(name, "the service did not list it"))
}

fn json<T: serde::de::DeserializeOwned>(files: &Files, name: &str) -> Result<T, Wrong> {
    serde_json::from_slice(listed(files, name)?).map_err(|error| Wrong::new(name, error))
}

fn reports(domain: &str, files: &Files) -> Result<Vec<Report>, Wrong> {
    let mut reports = Vec::new();
    // README, case and custody.
    let mut known = 3;
    while files.contains_key(&name::report(reports.len() + 1)) {
        let number = reports.len() + 1;
        let report: Report = json(files, &name::report(number))?;
        known += 1;
        for (place, shown) in (1..).zip(&report.run).filter(|(_, shown)| shown.is_disclosed()) {
            let (text, content) = (name::message(number, place), name::content(number, place));
            known += 1;
            if listed(files, &text)? != shown.text.as_bytes() {
                return Err(Wrong::new(text, "it is not the text that the report has"));
            }
            // Of what is not proven the text alone may be kept.
            if shown.content.is_empty() {
                continue;
            }
            known += 1;
            if hex::encode(listed(files, &content)?) != shown.content {
                return Err(Wrong::new(content, "it is not the content that the report has"));
            }
        }
        link::check_report(domain, number, &report)?;
        reports.push(report);
    }
    listed(files, name::README)?;
    listed(files, name::CUSTODY)?;
    if known != files.len() {
        return Err(Wrong::new(MANIFEST, "it lists files that belong to no report"));
    }
    Ok(reports)
}

/// Lines of a longer log: each is as a log's lines are, in order, all about this case; what stands next to each other
/// in the log also follows.
fn custody(case: &Case, files: &Files) -> Result<Vec<LogEntry>, Wrong> {
    let wrong = |why: String| Wrong::new(name::CUSTODY, why);
    let text =
        std::str::from_utf8(listed(files, name::CUSTODY)?).map_err(|error| wrong(error.to_string()))?;
    let mut custody: Vec<LogEntry> = Vec::new();
    let mut end: Option<LogHead> = None;
    for line in text.lines() {
        let entry: LogEntry = serde_json::from_str(line).map_err(|error| wrong(error.to_string()))?;
        let (seq, mut hash) = (entry.seq, [0; 32]);
        hex::decode_to_slice(&entry.prev, &mut hash).map_err(|error| wrong(error.to_string()))?;
        let before = LogHead { seq: seq.checked_sub(1).ok_or_else(|| wrong("line 0".into()))?, hash };
        let (mut entries, head) = verify_log(before, [line])
            .map_err(|_| wrong(format!("line {seq} of the log is not as the log's lines are")))?;
        if end.is_some_and(|end| before.seq < end.seq || (before.seq == end.seq && before != end)) {
            return Err(wrong(format!("line {seq} of the log does not follow from the line before it")));
        }
        if !entry.who.has_form() {
            return Err(wrong(format!("line {seq} of the log names somebody by what cannot be a name")));
        }
        if entry.case != Some(case.number) {
            return Err(wrong(format!("line {seq} of the log is about another case")));
        }
        end = Some(head);
        custody.append(&mut entries);
    }
    Ok(custody)
}
