//! A case as a report to an authority, in the shape of NCMEC's CyberTipline reporting interface: `submit` takes a
//! [`report`], `upload` the archive of the evidence, `fileinfo` its [`file_details`], `finish` ends it. Each answers
//! with an [`Answer`]. docs/audit.md says what of this could not be checked against NCMEC's own documents.

mod answer;
mod quote;
mod xml;

use zegel_proto::AccountId;

pub use answer::Answer;
use quote::quoted;
use xml::Element;

use crate::{Case, Category, Finding, Report, Shown, Subject, date::utc, one_line};

/// The most characters of a free text.
const MAX_INFO: usize = 3000;

/// Who reports: a person of the service whom the authority can reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filer {
    /// Their name.
    pub name: String,
    /// Their e-mail address.
    pub email: String,
}

/// Why a case is not filed, or an answer is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NcmecError {
    /// Not a matter for this authority.
    #[error(
        "a case of {} cannot be filed there: only child-abuse, grooming and sexual-extortion are taken; \
         decide it as one of these first, if it is one", .0.word()
    )]
    Category(Category),
    /// A case about a group names nobody until it is decided.
    #[error("a report names a person, and this case is about a group; decide first against whom it is")]
    Nobody,
    /// A safety rule's number says that somebody should look, and nothing that an authority could act on.
    #[error("nobody reported anything in this case; what a rule counted is nothing to file")]
    NoReport,
    /// The authority said no.
    #[error("the authority did not take it: {description} (code {code})")]
    Refused {
        /// Its number for the reason.
        code: i64,
        /// Its words.
        description: String,
    },
    /// The answer is not one of the interface's.
    #[error("the authority's answer cannot be read: {0}")]
    Answer(String),
}

/// How the authority calls a category, and a tag that says more.
fn incident(category: Category) -> Option<(&'static str, Option<&'static str>)> {
    match category {
        Category::ChildAbuse => Some(("Child Pornography (possession, manufacture, and distribution)", None)),
        Category::Grooming => Some(("Online Enticement of Children for Sexual Acts", None)),
        Category::SexualExtortion => {
            Some(("Online Enticement of Children for Sexual Acts", Some("sextortion")))
        }
        _ => None,
    }
}

/// Whether the authority takes such a case: by its category, and because it is about somebody whom people reported.
pub fn takes(case: &Case) -> bool {
    let decided = case.standing();
    let names_somebody = decided.is_some() || matches!(case.subject, Subject::Account(_));
    case.reports > 0
        && names_somebody
        && incident(decided.map_or(case.category, |decision| decision.ground)).is_some()
}

/// The document for `submit`.
///
/// # Errors
/// If the category is none that may be filed, or the case names nobody, or nobody reported anything.
pub fn report(domain: &str, case: &Case, reports: &[Report], filer: &Filer) -> Result<String, NcmecError> {
    let decided = case.standing();
    let category = decided.map_or(case.category, |decision| decision.ground);
    let (kind, tag) = incident(category).ok_or(NcmecError::Category(category))?;
    if case.reports == 0 {
        return Err(NcmecError::NoReport);
    }
    let against = match (&case.subject, decided) {
        (_, Some(decision)) => decision.against,
        (Subject::Account(account), None) => *account,
        (Subject::Room(_), None) => return Err(NcmecError::Nobody),
    };
    let (at_ms, how) = when(case, reports, &against);

    let mut summary = vec![Element::text("incidentType", kind)];
    if let Some(tag) = tag {
        summary.push(Element::group("reportAnnotations", vec![Element::group(tag, vec![])]));
    }
    summary.push(Element::text("incidentDateTime", &utc(at_ms)));
    summary.push(Element::text("incidentDateTimeDescription", how));
    let chat = vec![
        Element::text("chatClient", &format!("Zegel ({domain})")),
        Element::text("content", &quoted(reports)),
        Element::text(
            "additionalInfo",
            "Each message has a line in brackets, in which the service says whether it could prove who sent it. What \
             was written follows in lines that begin with >, and is nobody's word but the sender's.",
        ),
    ];
    let report = vec![
        Element::group("incidentSummary", summary),
        Element::group("internetDetails", vec![Element::group("chatImIncident", chat)]),
        Element::group("reporter", vec![Element::group("reportingPerson", person(filer))]),
        Element::group("personOrUserReported", reported(domain, case, reports, &against)),
        Element::text("additionalInfo", &shortened(&info(domain, case), MAX_INFO)),
    ];
    Ok(Element::group("report", report).document())
}

/// The document for `fileinfo`, about the file that `upload` took. `about` says what it is.
pub fn file_details(report_id: &str, file_id: &str, file_name: &str, about: &str) -> String {
    let details = vec![
        Element::text("reportId", report_id),
        Element::text("fileId", file_id),
        Element::text("originalFileName", file_name),
        Element::text("additionalInfo", &shortened(about, MAX_INFO)),
    ];
    Element::group("fileDetails", details).document()
}

/// When it happened: the first message that is proven to be theirs, or else the first report.
fn when(case: &Case, reports: &[Report], against: &AccountId) -> (u64, &'static str) {
    if let Some(first) = proven_of(reports, against).map(|shown| shown.accepted_ms).min() {
        return (first, "When the service accepted their first message that is proven");
    }
    let first = reports.iter().map(|report| report.made_ms).min();
    (
        first.unwrap_or(case.opened_ms),
        "When it was reported; no message of theirs with a proven time was disclosed",
    )
}

fn proven_of<'a>(reports: &'a [Report], sender: &AccountId) -> impl Iterator<Item = &'a Shown> + use<'a> {
    let id = sender.to_hex();
    let run = reports.iter().flat_map(|report| &report.run);
    run.filter(move |shown| shown.finding == Finding::Proven && shown.sender == id)
}

fn person(filer: &Filer) -> Vec<Element> {
    let (first, last) = filer.name.trim().split_once(' ').unwrap_or((filer.name.trim(), ""));
    let names = [("firstName", first), ("lastName", last.trim()), ("email", filer.email.trim())];
    names.iter().filter(|(_, text)| !text.is_empty()).map(|(name, text)| Element::text(name, text)).collect()
}

fn reported(domain: &str, case: &Case, reports: &[Report], against: &AccountId) -> Vec<Element> {
    let id = against.to_hex();
    let handle = match case.subject {
        Subject::Account(account) if account == *against => case.handle.as_str(),
        _ => proven_of(reports, against).next().map_or("", |shown| &shown.handle),
    };
    let mut person =
        vec![Element::text("espIdentifier", &id), Element::text("espService", &format!("Zegel ({domain})"))];
    if !handle.is_empty() {
        person.push(Element::text("screenName", &one_line(handle)));
    }
    if let Subject::Room(room) = case.subject {
        person.push(Element::text("groupIdentifier", &hex::encode(room)));
    }
    person
}

fn info(domain: &str, case: &Case) -> String {
    format!(
        "Case {} of {domain}. {} reports, {} messages disclosed by people who received them, {} of them proven: an \
         authenticated device of the account committed to exactly this content. Messages are end-to-end encrypted: \
         the service has nothing but what was reported to it. It keeps no network addresses. All evidence, with \
         the chain of custody and a signature of the service, is in the attached archive, which `zegel-audit case \
         FILE` checks offline.",
        case.number, case.reports, case.disclosed, case.proven
    )
}

fn shortened(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        None => text.to_owned(),
        Some(_) => {
            let end = " [shortened; the whole is in the archive]";
            text.chars().take(most - end.len()).chain(end.chars()).collect()
        }
    }
}
