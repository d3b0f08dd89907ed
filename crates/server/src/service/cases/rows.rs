//! Cases as rows: who and what they are about is a tag or sealed, so that the disk alone tells how many there are,
//! how urgent, from which hour, and nothing else.

use hmac::{Hmac, Mac as _};
use serde::{Serialize, de::DeserializeOwned};
use sha2::Sha256;
use zegel_cases::{Case, Measure, Report, Subject};
use zegel_proto::{AccountId, Message as _, v1};
use zeroize::Zeroizing;

use crate::{
    clock::Now,
    keys::KeyRing,
    service::{post::padded, seal::SealKey},
    store::{CaseRow, ReportHead, ReportRow, StoreError, StoreResult},
};

/// What is sealed is padded to a multiple of this, so that its length says little.
const STEP: usize = 1024;
/// A reporter's own name for a report, in front of what is sealed.
const ID: usize = 16;

/// What is read of a report to choose among many: so short that those of a crowd can be opened.
pub(in crate::service) struct Head {
    pub(in crate::service) reporter: AccountId,
    pub(in crate::service) made_ms: u64,
    /// How many messages are proven, and sent by whom the case is about.
    pub(in crate::service) against: u32,
    pub(in crate::service) young: bool,
}

impl Head {
    fn of(report: &Report, subject: &Subject) -> Self {
        let Report { reporter, made_ms, young, .. } = *report;
        Self { reporter, made_ms, against: report.against(subject), young }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let (made, against) = (self.made_ms.to_be_bytes(), self.against.to_be_bytes());
        [&self.reporter.0[..], &made, &against, &[u8::from(self.young)]].concat()
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let (reporter, rest) = bytes.split_first_chunk()?;
        let (made, rest) = rest.split_first_chunk()?;
        let (against, rest) = rest.split_first_chunk()?;
        let (made_ms, against) = (u64::from_be_bytes(*made), u32::from_be_bytes(*against));
        Some(Self { reporter: AccountId(*reporter), made_ms, against, young: rest == [1] })
    }
}

/// What rows of cases are named and sealed with.
pub(in crate::service) struct CaseKeys {
    tags: Zeroizing<[u8; 32]>,
    seal: SealKey,
}

impl CaseKeys {
    pub(in crate::service) fn of(keys: &KeyRing) -> Self {
        Self { tags: keys.case_tags(), seal: SealKey::of_cases(keys.storage()) }
    }

    fn tag(&self, label: &str, parts: [&[u8]; 2]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(self.tags.as_ref())
            .expect("HMAC takes a key of any length");
        mac.update(label.as_bytes());
        mac.update(b"\0");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// What a case is about.
    pub(in crate::service) fn subject(&self, subject: &Subject) -> [u8; 32] {
        match subject {
            Subject::Account(account) => self.tag("account", [&account.0, b""]),
            Subject::Room(room) => self.tag("room", [room, b""]),
        }
    }

    /// Who reported, or whom a statement is for.
    pub(in crate::service) fn person(&self, person: &AccountId) -> [u8; 32] {
        self.tag("person", [&person.0, b""])
    }

    /// "This reporter reported this stamp."
    pub(in crate::service) fn replay(&self, reporter: &AccountId, stamp_hash: &[u8; 32]) -> [u8; 32] {
        self.tag("replay", [&reporter.0, stamp_hash])
    }

    /// The row of a report, by the reporter's own name for it.
    pub(in crate::service) fn report_id(&self, reporter: &AccountId, id: &[u8; ID]) -> [u8; 32] {
        self.tag("report", [&reporter.0, id])
    }

    /// A case that something was done with now.
    pub(in crate::service) fn seal_case(&self, case: &Case, doubtful: bool, now: Now) -> CaseRow {
        let number = case.number.get();
        CaseRow {
            number,
            subject: self.subject(&case.subject),
            against: self.against(case),
            state: case.state(now.ms),
            urgency: case.category.urgency() as u8,
            doubtful,
            opened_hour: Now { ms: case.opened_ms }.hour(),
            day: now.day(),
            sealed: self.seal.seal(&aad("case", &number.to_be_bytes()), &json(Vec::new(), case)),
        }
    }

    /// Whom a case about a group was decided against, so that it is found among the cases about them.
    fn against(&self, case: &Case) -> Option<[u8; 32]> {
        let decided = case.decision.as_ref().filter(|decision| decision.measure != Measure::Dismiss);
        match case.subject {
            Subject::Account(_) => None,
            Subject::Room(_) => decided.map(|decision| self.subject(&Subject::Account(decision.against))),
        }
    }

    /// Opens [`Self::seal_case`].
    pub(in crate::service) fn open_case(&self, row: &CaseRow) -> StoreResult<Case> {
        let plain = self.seal.open(&aad("case", &row.number.to_be_bytes()), &row.sealed);
        plain.and_then(|plain| read(&plain)).ok_or_else(|| damaged("opening a case"))
    }

    /// A report that is taken now; `id` is the reporter's own name for it.
    pub(in crate::service) fn seal_report(
        &self,
        id: &[u8; ID],
        case: &Case,
        report: &Report,
        now: Now,
    ) -> ReportRow {
        let row = self.report_id(&report.reporter, id);
        let head = Head::of(report, &case.subject).to_bytes();
        ReportRow {
            id: row,
            case: case.number.get(),
            reporter: self.person(&report.reporter),
            day: now.day(),
            head: self.seal.seal(&aad("head", &row), &head),
            sealed: self.seal.seal(&aad("report", &row), &json(id.to_vec(), report)),
        }
    }

    /// Opens what [`Self::seal_report`] put in front.
    pub(in crate::service) fn open_head(&self, row: &ReportHead) -> StoreResult<Head> {
        let plain = self.seal.open(&aad("head", &row.id), &row.head);
        plain.and_then(|plain| Head::read(&plain)).ok_or_else(|| damaged("opening a report"))
    }

    /// Opens [`Self::seal_report`].
    pub(in crate::service) fn open_report(&self, row: &ReportRow) -> StoreResult<Report> {
        self.open_named_report(row).map(|(_, report)| report)
    }

    /// Opens [`Self::seal_report`], with the reporter's own name for it.
    pub(in crate::service) fn open_named_report(&self, row: &ReportRow) -> StoreResult<([u8; ID], Report)> {
        let plain = self.seal.open(&aad("report", &row.id), &row.sealed);
        let opened = plain.and_then(|plain| {
            let (id, rest) = plain.split_first_chunk()?;
            Some((*id, read(rest)?))
        });
        opened.ok_or_else(|| damaged("opening a report"))
    }

    /// A statement, as it lies in a mailbox.
    pub(in crate::service) fn seal_statement(&self, to: &AccountId, signed: &v1::SignedStatement) -> Vec<u8> {
        let plain = padded(v1::entry::Body::Statement(signed.clone()));
        self.seal.seal(&aad("statement", &to.0), &plain)
    }

    /// Opens [`Self::seal_statement`].
    pub(in crate::service) fn open_statement(
        &self,
        to: &AccountId,
        sealed: &[u8],
    ) -> StoreResult<v1::SignedStatement> {
        let plain = self.seal.open(&aad("statement", &to.0), sealed);
        match plain.and_then(|plain| v1::Entry::decode(&plain[..]).ok()).and_then(|entry| entry.body) {
            Some(v1::entry::Body::Statement(signed)) => Ok(signed),
            _ => Err(damaged("opening a statement")),
        }
    }
}

fn aad(label: &str, place: &[u8]) -> Vec<u8> {
    [label.as_bytes(), b"\0", place].concat()
}

/// JSON after what is there already, with spaces up to the next step: JSON may end with them.
fn json(mut plain: Vec<u8>, value: &impl Serialize) -> Vec<u8> {
    serde_json::to_writer(&mut plain, value).expect("strings, numbers and lists are JSON");
    plain.resize(plain.len().next_multiple_of(STEP), b' ');
    plain
}

fn read<T: DeserializeOwned>(plain: &[u8]) -> Option<T> {
    serde_json::from_slice(plain).ok()
}

fn damaged(doing: &'static str) -> StoreError {
    let why = "the row does not open with this key file; run `zegel-server verify`".into();
    StoreError::Failed { doing, why }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zegel_cases::{CaseNumber, Category};

    fn keys() -> CaseKeys {
        let dir = tempfile::tempdir().expect("a folder");
        let path = dir.path().join("keys.toml");
        CaseKeys::of(&KeyRing::load_or_create(&path, &dir.path().join("data"), "localhost").expect("keys"))
    }

    fn report() -> Report {
        Report {
            reporter: AccountId([5; 16]),
            handle: "victim".into(),
            category: Category::Threats,
            note: "he means it".into(),
            made_ms: 1,
            room: String::new(),
            run: Vec::new(),
            earlier: (0, 0),
            young: false,
        }
    }

    fn case() -> Case {
        Case {
            number: CaseNumber::new(7),
            subject: Subject::Account(AccountId([6; 16])),
            handle: "bully".into(),
            opened_ms: 1,
            category: Category::Threats,
            reports: 1,
            disclosed: 0,
            proven: 0,
            claim: None,
            decision: None,
            appeal: None,
            export: None,
            rule: None,
        }
    }

    #[test]
    fn the_head_of_a_report_opens_in_its_own_row() {
        let (keys, now) = (keys(), Now { ms: 86_400_000 });
        let report = Report { made_ms: 77, young: true, ..report() };
        let row = keys.seal_report(&[1; ID], &case(), &report, now);
        let head = ReportHead { id: row.id, head: row.head, len: 0 };
        let opened = keys.open_head(&head).expect("opens");
        assert_eq!(
            (opened.reporter, opened.made_ms, opened.against, opened.young),
            (report.reporter, 77, 0, true)
        );
        assert!(keys.open_head(&ReportHead { id: [0; 32], ..head.clone() }).is_err());
        for cut in 0..head.head.len() {
            assert!(keys.open_head(&ReportHead { head: head.head[..cut].to_vec(), ..head.clone() }).is_err());
        }
    }

    #[test]
    fn a_report_opens_in_its_own_row_with_its_own_keys() {
        let (keys, others, now) = (keys(), self::keys(), Now { ms: 86_400_000 });
        let (id, report) = ([1; ID], report());
        let row = keys.seal_report(&id, &case(), &report, now);
        assert_eq!(keys.open_named_report(&row).expect("opens"), (id, report.clone()));
        // The length of a note is not to be seen.
        let long = Report { note: "x".repeat(500), ..report };
        assert_eq!(keys.seal_report(&id, &case(), &long, now).sealed.len(), row.sealed.len());
        assert!(others.open_report(&row).is_err());
        assert_ne!(others.seal_report(&id, &case(), &long, now).id, row.id);
        assert!(keys.open_report(&ReportRow { id: [0; 32], ..row.clone() }).is_err());
        for cut in 0..row.sealed.len() {
            assert!(
                keys.open_report(&ReportRow { sealed: row.sealed[..cut].to_vec(), ..row.clone() }).is_err()
            );
        }
    }

    #[test]
    fn a_person_has_another_name_in_every_place() {
        let (keys, person) = (keys(), AccountId([5; 16]));
        let subject = keys.subject(&Subject::Account(person));
        let names =
            [subject, keys.person(&person), self::keys().person(&person), keys.report_id(&person, &[0; 16])];
        for (n, name) in names.iter().enumerate() {
            assert!(!names[..n].contains(name));
        }
    }
}
