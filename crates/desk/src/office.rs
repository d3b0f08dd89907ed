//! What the pages need of the service: its cases, its people, its log. The server implements it on its store.

use std::future::Future;

use zegel_cases::{
    Act, Case, CaseNumber, Language, LogEntry, LogHead, Report, Role, Staff, StaffId, State, WhyNot,
};

/// Why the service did not do it. Nothing was changed.
#[derive(Clone, Debug, thiserror::Error)]
pub enum OfficeError {
    /// It may not be done.
    #[error("{0}")]
    WhyNot(#[from] WhyNot),
    /// There is no such case.
    #[error("there is no such case")]
    NotFound,
    /// Where reports go was not configured, or it said no; the text says what to do.
    #[error("{0}")]
    Filing(String),
    /// The store failed; it was logged.
    #[error("the service could not read or write; try again later")]
    Store,
}

/// Shorthand of this module.
pub type OfficeResult<T> = Result<T, OfficeError>;

/// A case in the queue, or in the list of an account's earlier ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The case.
    pub case: Case,
    /// Where it stands.
    pub state: State,
    /// Whether all who reported are new or were mostly wrong before, and nothing is proven: it waits behind its like.
    pub doubtful: bool,
}

/// Part of the queue: what waits first, the most urgent and then the oldest first.
#[derive(Clone, Debug, Default)]
pub struct Queue {
    /// At most 50.
    pub lines: Vec<Line>,
    /// How many cases there are in all of this state.
    pub total: u64,
    /// Give this to have the next part; `None` if this is the last.
    pub next: Option<String>,
}

/// All that is shown of a case.
#[derive(Clone, Debug)]
pub struct Whole {
    /// The case.
    pub line: Line,
    /// A page of its reports, oldest first; at most 25. Those with something proven against whom it is about are on the
    /// first pages. No page needs contents, contexts and stamps, so these are left out.
    pub reports: Vec<Report>,
    /// Which page that is, from 1.
    pub page: u32,
    /// How many there are.
    pub pages: u32,
    /// Other cases about the same account or group, newest first; at most 50. Beside a group's also those about who
    /// is proven on this page to have sent something.
    pub others: Vec<Line>,
    /// How many reports about it came within the last hour, and from how many accounts younger than a week.
    pub cluster: (u32, u32),
    /// What the service tells its person in; `None` if it is not clear yet who that is.
    pub language: Option<Language>,
    /// Whether there is an authority with which such a case may be filed.
    pub filing: bool,
}

/// A passkey as `webauthn-rs` keeps it (JSON), of someone at the desk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub staff: Staff,
    /// Random, 16 bytes: the user handle that the passkey carries.
    pub handle: [u8; 16],
    /// `webauthn_rs::prelude::Passkey`s as JSON, one each.
    pub passkeys: Vec<String>,
}

/// See the module. Every call that changes something is in the log when it returns.
pub trait Office: Send + Sync + 'static {
    /// The service's domain, for titles.
    fn domain(&self) -> &str;
    /// Milliseconds since 1970.
    fn now_ms(&self) -> u64;

    /// Whom an invitation is for, by its code; `None` if it is unknown, used or over.
    fn invited(&self, code: &str) -> impl Future<Output = OfficeResult<Option<Staff>>> + Send;
    /// Uses an invitation up: its person has this passkey now. `false` if someone was faster.
    fn enrol(
        &self,
        code: &str,
        handle: [u8; 16],
        passkey: String,
    ) -> impl Future<Output = OfficeResult<bool>> + Send;
    /// Someone at the desk; `None` if there is no such person (any more).
    fn member(&self, id: &StaffId) -> impl Future<Output = OfficeResult<Option<Member>>> + Send;
    /// By the user handle of a passkey.
    fn member_by_handle(
        &self,
        handle: &[u8; 16],
    ) -> impl Future<Output = OfficeResult<Option<Member>>> + Send;
    /// A passkey was used: its counter changed. Logged as a sign-in.
    fn signed_in(&self, id: &StaffId, passkeys: Vec<String>)
    -> impl Future<Output = OfficeResult<()>> + Send;
    /// Signed out. Logged.
    fn signed_out(&self, id: &StaffId) -> impl Future<Output = OfficeResult<()>> + Send;

    /// Part of the queue. `from` is the `next` of the part before.
    fn queue(
        &self,
        who: &Staff,
        state: State,
        from: Option<&str>,
    ) -> impl Future<Output = OfficeResult<Queue>> + Send;
    /// A case, whole, with the first page of its reports. Logged: who saw what is part of the log.
    fn whole(&self, who: &Staff, number: CaseNumber) -> impl Future<Output = OfficeResult<Whole>> + Send {
        self.whole_at(who, number, 1)
    }
    /// The same with another page of its reports, from 1; behind the last one, the last.
    fn whole_at(
        &self,
        who: &Staff,
        number: CaseNumber,
        page: u32,
    ) -> impl Future<Output = OfficeResult<Whole>> + Send;
    /// Does something with a case, with all that follows from it: accounts are restricted, people are told.
    fn act(
        &self,
        who: &Staff,
        number: CaseNumber,
        act: Act,
    ) -> impl Future<Output = OfficeResult<Case>> + Send;
    /// The evidence of a case, a signed archive (ZIP). Only once two people wanted it.
    fn evidence(&self, who: &Staff, number: CaseNumber)
    -> impl Future<Output = OfficeResult<Vec<u8>>> + Send;
    /// Files the case with the configured authority, in the shape of NCMEC's reporting interface; returns the
    /// authority's number. Only once two people wanted it.
    fn file(&self, who: &Staff, number: CaseNumber) -> impl Future<Output = OfficeResult<String>> + Send;

    /// The newest lines of the log (at most 200), newest first, and where it ends. Logged, after these.
    fn log(&self, who: &Staff) -> impl Future<Output = OfficeResult<(Vec<LogEntry>, LogHead)>> + Send;
    /// Reads the whole log; where it ends, or an error that says where it is broken. Logged.
    fn log_verified(&self, who: &Staff)
    -> impl Future<Output = OfficeResult<Result<LogHead, String>>> + Send;
    /// The whole log as it is exported: one line each, and a last line with the service's signature of its head. It
    /// was verified as it was read; an error says where it is broken. Logged.
    fn log_export(&self, who: &Staff) -> impl Future<Output = OfficeResult<Result<String, String>>> + Send;
}

/// What an invitation is for, in words.
pub fn role_line(role: Role) -> &'static str {
    match role {
        Role::Moderator => "looks into cases and decides them",
        Role::Senior => "also bans, and lets evidence out",
        Role::Auditor => "sees and verifies the log, and no case",
    }
}
