use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, MutexGuard},
};

use zegel_cases::{
    Act, Case, CaseNumber, Category, Finding, Language, LogEntry, LogHead, Permission, Report, Role, Shown,
    Staff, StaffId, State, Subject, WhyNot, verify_log,
};
use zegel_desk::{Line, Member, Office, OfficeError, OfficeResult, Queue, Whole};
use zegel_proto::AccountId;

pub const NOW: u64 = 1_790_000_000_000;
pub const MINUTE: u64 = 60_000;
/// The person reported, and who reports.
pub const MALLORY: AccountId = AccountId([0xaa; 16]);
pub const BOB: AccountId = AccountId([0xbb; 16]);

/// A service without a disk.
#[derive(Default)]
pub struct Memory(Mutex<Inner>);

#[derive(Default)]
pub struct Inner {
    /// Milliseconds after [`NOW`].
    pub later_ms: u64,
    pub members: Vec<Member>,
    pub invitations: HashMap<String, Staff>,
    pub cases: BTreeMap<CaseNumber, (Case, Vec<Report>)>,
    pub log: Vec<String>,
    pub entries: Vec<LogEntry>,
    pub head: LogHead,
    /// The store is down.
    pub broken: bool,
    /// There is an authority for every case.
    pub authority: bool,
}

impl Memory {
    pub fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no test panics with it")
    }

    pub fn invite(&self, code: &str, name: &str, role: Role) {
        let staff = Staff { id: StaffId(name.into()), role };
        self.inner().invitations.insert(code.into(), staff);
    }

    pub fn put(&self, case: Case, reports: Vec<Report>) -> CaseNumber {
        let number = case.number;
        self.inner().cases.insert(number, (case, reports));
        number
    }

    fn note(&self, who: &StaffId, act: &str, case: Option<CaseNumber>) {
        let mut inner = self.inner();
        let entry = LogEntry {
            seq: 0,
            at_ms: NOW,
            who: who.clone(),
            act: act.into(),
            case,
            detail: String::new(),
            prev: String::new(),
        };
        let (line, head) = inner.head.append(entry);
        inner.entries.push(serde_json::from_str(&line).expect("a line"));
        inner.log.push(line);
        inner.head = head;
    }

    fn needs(&self, who: &Staff, what: Permission) -> OfficeResult<()> {
        if self.inner().broken {
            return Err(OfficeError::Store);
        }
        if who.role.may(what) { Ok(()) } else { Err(WhyNot::Role.into()) }
    }
}

impl Office for Memory {
    fn domain(&self) -> &str {
        "zegel.example"
    }
    fn now_ms(&self) -> u64 {
        NOW + self.inner().later_ms
    }

    async fn invited(&self, code: &str) -> OfficeResult<Option<Staff>> {
        Ok(self.inner().invitations.get(code).cloned())
    }
    async fn enrol(&self, code: &str, handle: [u8; 16], passkey: String) -> OfficeResult<bool> {
        let mut inner = self.inner();
        let Some(staff) = inner.invitations.remove(code) else { return Ok(false) };
        inner.members.push(Member { staff, handle, passkeys: vec![passkey] });
        Ok(true)
    }
    async fn member(&self, id: &StaffId) -> OfficeResult<Option<Member>> {
        Ok(self.inner().members.iter().find(|member| member.staff.id == *id).cloned())
    }
    async fn member_by_handle(&self, handle: &[u8; 16]) -> OfficeResult<Option<Member>> {
        Ok(self.inner().members.iter().find(|member| member.handle == *handle).cloned())
    }
    async fn signed_in(&self, id: &StaffId, passkeys: Vec<String>) -> OfficeResult<()> {
        self.note(id, "sign-in", None);
        let mut inner = self.inner();
        let member =
            inner.members.iter_mut().find(|member| member.staff.id == *id).ok_or(OfficeError::NotFound)?;
        member.passkeys = passkeys;
        Ok(())
    }
    async fn signed_out(&self, id: &StaffId) -> OfficeResult<()> {
        self.note(id, "sign-out", None);
        Ok(())
    }

    async fn queue(&self, who: &Staff, state: State, from: Option<&str>) -> OfficeResult<Queue> {
        self.needs(who, Permission::SeeCases)?;
        let from: usize = from.unwrap_or("0").parse().map_err(|_| OfficeError::NotFound)?;
        let now_ms = self.now_ms();
        let inner = self.inner();
        let lines: Vec<_> = inner.cases.values().filter(|(case, _)| case.state(now_ms) == state).collect();
        let next = (lines.len() > from + 50).then(|| (from + 50).to_string());
        let part = lines.iter().skip(from).take(50);
        let part = part.map(|(case, _)| Line { case: case.clone(), state, doubtful: case.proven == 0 });
        Ok(Queue { lines: part.collect(), total: lines.len() as u64, next })
    }
    async fn whole_at(&self, who: &Staff, number: CaseNumber, page: u32) -> OfficeResult<Whole> {
        self.needs(who, Permission::SeeCases)?;
        let now_ms = self.now_ms();
        let line =
            |case: &Case| Line { case: case.clone(), state: case.state(now_ms), doubtful: case.proven == 0 };
        let inner = self.inner();
        let (case, reports) = inner.cases.get(&number).ok_or(OfficeError::NotFound)?;
        let others =
            inner.cases.values().filter(|(other, _)| other.subject == case.subject && other.number != number);
        let others = others.map(|(other, _)| line(other)).collect();
        let pages = reports.len().div_ceil(25).max(1) as u32;
        let page = page.clamp(1, pages);
        let reports = reports.iter().skip((page as usize - 1) * 25).take(25).cloned().collect();
        let (language, filing) = (Some(Language::Dutch), inner.authority);
        Ok(Whole { line: line(case), reports, page, pages, others, cluster: (4, 3), language, filing })
    }
    async fn act(&self, who: &Staff, number: CaseNumber, act: Act) -> OfficeResult<Case> {
        let (now_ms, word) = (self.now_ms(), act.word());
        let case = {
            let mut inner = self.inner();
            let (case, _) = inner.cases.get_mut(&number).ok_or(OfficeError::NotFound)?;
            case.act(who, act, now_ms)?;
            case.clone()
        };
        self.note(&who.id, word, Some(number));
        Ok(case)
    }
    async fn evidence(&self, who: &Staff, number: CaseNumber) -> OfficeResult<Vec<u8>> {
        let inner = self.inner();
        let (case, _) = inner.cases.get(&number).ok_or(OfficeError::NotFound)?;
        case.may_fetch(who, NOW)?;
        Ok(b"PK".to_vec())
    }
    async fn file(&self, who: &Staff, number: CaseNumber) -> OfficeResult<String> {
        self.evidence(who, number).await?;
        if number.get() == 13 {
            return Err(OfficeError::Filing("the authority said <no>".into()));
        }
        Ok("4711".into())
    }

    async fn log(&self, who: &Staff) -> OfficeResult<(Vec<LogEntry>, LogHead)> {
        self.needs(who, Permission::SeeLog)?;
        let inner = self.inner();
        Ok((inner.entries.iter().rev().take(200).cloned().collect(), inner.head))
    }
    async fn log_verified(&self, who: &Staff) -> OfficeResult<Result<LogHead, String>> {
        self.needs(who, Permission::SeeLog)?;
        let inner = self.inner();
        let read = verify_log(LogHead::default(), inner.log.iter().map(String::as_str));
        Ok(read.map(|(_, head)| head).map_err(|error| error.to_string()))
    }
    async fn log_export(&self, who: &Staff) -> OfficeResult<Result<String, String>> {
        self.needs(who, Permission::SeeLog)?;
        let inner = self.inner();
        Ok(Ok([inner.log.as_slice(), &["{\"signature\":\"\"}".into()]].concat().join("\n") + "\n"))
    }
}

/// A case with this number, about Mallory.
pub fn case(number: u64) -> Case {
    Case {
        number: CaseNumber::new(number),
        subject: Subject::Account(MALLORY),
        handle: "mallory".into(),
        opened_ms: NOW - 90 * MINUTE,
        category: Category::Threats,
        reports: 1,
        disclosed: 3,
        proven: 2,
        claim: None,
        decision: None,
        appeal: None,
        export: None,
        rule: None,
    }
}

/// One of a run.
pub fn shown(finding: Finding, sender: AccountId, handle: &str, text: &str) -> Shown {
    let withheld = finding == Finding::Withheld;
    Shown {
        finding,
        gap: 0,
        sender: sender.to_hex(),
        handle: handle.into(),
        accepted_ms: NOW - 100 * MINUTE,
        seq: 7,
        text: if withheld { String::new() } else { text.into() },
        content: if withheld { String::new() } else { hex::encode(text) },
        context: String::new(),
        stamp: String::new(),
    }
}

/// Bob's report of such messages.
pub fn report(run: Vec<Shown>) -> Report {
    Report {
        reporter: BOB,
        handle: "bob".into(),
        category: Category::Threats,
        note: "please help".into(),
        made_ms: NOW - 90 * MINUTE,
        room: "c0ffee00".repeat(8),
        run,
        earlier: (4, 3),
        young: true,
    }
}
