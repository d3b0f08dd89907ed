//! Takes a report: checks what it discloses, and joins it to the open case about the same person or group, or opens
//! one. Nothing here changes an account, however many reports come.

use std::{collections::HashMap, sync::Arc};

use zegel_cases::{Case, CaseNumber, Category, MAX_NOTE, Measure, Report, State, Subject};
use zegel_identity::Chain;
use zegel_proto::{AccountId, Code, RoomId, v1};
use zegel_safety::Signal;

use super::{
    check::{self, Judged},
    log::log_outside,
    mine::{MOST, report_state},
    rows::CaseKeys,
};
use crate::{
    clock::Now,
    keys::KeyRing,
    service::{Service, Session, person::Person, refusal::Refusal, signals::Watch},
    store::{StoreResult, Tx, read, write},
};

/// Cases about one account that are looked at for an open one. There is at most one, among those used last.
pub(in crate::service) const RECENT: usize = 50;
/// Earlier reports of one person that tell how often they were right, the newest.
const EARLIER: usize = 50;
/// From so many decided reports on, somebody who was mostly wrong waits behind others.
const ENOUGH: u32 = 3;
/// Younger accounts are marked, in days.
const YOUNG_DAYS: u32 = 7;

/// A report as it was asked for, its form checked.
struct Asked {
    id: [u8; 16],
    reporter: AccountId,
    category: Category,
    note: String,
    subject: Subject,
    room: Option<RoomId>,
}

/// What the store knows about those whom a report concerns.
struct Known {
    /// Of the account that it is about; empty for a group.
    about: String,
    reporter: String,
    young: bool,
    earlier: (u32, u32),
    person: Person,
    handles: HashMap<AccountId, String>,
}

impl Asked {
    fn read(call: &v1::Report, reporter: AccountId) -> Result<Self, Refusal> {
        let id = call.id.as_ref().try_into().map_err(|_| Refusal::bad_request("`id` is 16 bytes"))?;
        let about = (!call.about.is_empty()).then(|| AccountId::from_slice(&call.about)).transpose()?;
        let room = (!call.room.is_empty()).then(|| RoomId::from_slice(&call.room)).transpose()?;
        let subject = match (about, room) {
            (Some(about), _) if about == reporter => {
                return Err(Refusal::bad_request("nobody reports themself; name whom the report is about"));
            }
            (Some(about), _) => Subject::Account(about),
            (None, Some(room)) => Subject::Room(room.0),
            (None, None) => {
                return Err(Refusal::bad_request("a report is about a person, or about a group; name one"));
            }
        };
        if call.note.len() > MAX_NOTE {
            let text = format!("a note has at most {MAX_NOTE} bytes; shorten it");
            return Err(Refusal::new(Code::TooLarge, text));
        }
        check::bound(&call.run)?;
        // A category of a later version is none of ours.
        let category = v1::ReportCategory::try_from(call.category).unwrap_or_default().into();
        Ok(Self { id, reporter, category, note: call.note.clone(), subject, room })
    }
}

impl Service {
    pub(in crate::service) async fn report(
        &self,
        session: &Session,
        call: v1::Report,
    ) -> Result<v1::ReportState, Refusal> {
        let (reporter, device) = session.member()?;
        self.limits.call(device, 1)?;
        let asked = Asked::read(&call, reporter)?;
        let keys = self.keys();
        let (id, again) = (asked.id, keys.clone());
        // What was taken already costs nothing: a lost answer is no second report.
        let taken = read(&*self.store, move |tx| {
            let rows = CaseKeys::of(&again);
            let row = tx.report(&rows.report_id(&reporter, &id))?;
            row.map(|row| report_state(tx, &rows, &row, Now::get())).transpose()
        });
        if let Some(state) = taken.await?.flatten() {
            return Ok(state);
        }
        self.limits.report(reporter)?;

        let (domain, now) = (self.config.domain.clone(), Now::get());
        let mut run = check::judge(keys.franking(), &domain, asked.room, now.ms, &call.run);
        let (senders, subject) = (check::senders(&run), asked.subject);
        let looked_up = keys.clone();
        let known = read(&*self.store, move |tx| {
            let Some(account) = tx.account(&reporter)? else { return Ok(Err(gone())) };
            let about = match &subject {
                // Of whoever is gone for long only the stamps are left.
                Subject::Account(about) => {
                    handle_of(tx, about)?.or_else(|| senders.contains(about).then(String::new))
                }
                Subject::Room(room) => tx.head(&RoomId(*room))?.map(|_| String::new()),
            };
            let Some(about) = about else { return Ok(Err(unknown())) };
            let mut handles = HashMap::new();
            for sender in &senders {
                if let Some(handle) = handle_of(tx, sender)? {
                    handles.insert(*sender, handle);
                }
            }
            let earlier = earlier(tx, &CaseKeys::of(&looked_up), &reporter)?;
            let young = now.day().saturating_sub(account.created_day) < YOUNG_DAYS;
            let person = Person::open(&looked_up, &reporter, &account.person);
            Ok(Ok(Known { about, reporter: account.handle, young, earlier, person, handles }))
        });
        let known = known.await??;
        run.iter_mut().for_each(|judged| judged.name(&domain, &known.handles));
        let job = TakeJob { asked, run, known, keys, watch: self.watch.clone() };
        write(&*self.store, move |tx| job.run(tx, now)).await?
    }
}

struct TakeJob {
    asked: Asked,
    run: Vec<Judged>,
    known: Known,
    keys: Arc<KeyRing>,
    watch: Arc<Watch>,
}

impl TakeJob {
    fn run(self, tx: &mut dyn Tx, now: Now) -> StoreResult<Result<v1::ReportState, Refusal>> {
        let rows = CaseKeys::of(&self.keys);
        let reporter = self.asked.reporter;
        if let Some(row) = tx.report(&rows.report_id(&reporter, &self.asked.id))? {
            return Ok(report_state(tx, &rows, &row, now)?.ok_or_else(Refusal::internal));
        }
        let (mut fresh, mut against) = (Vec::new(), 0);
        for judged in &self.run {
            let Some(hash) = judged.proven() else { continue };
            let tag = rows.replay(&reporter, &hash);
            if !tx.reported(&tag)? {
                fresh.push(tag);
                against += u32::from(self.is_against(judged));
            }
        }
        let report = self.report(now);
        let (disclosed, proven) = report.counts();
        if fresh.is_empty() && proven > 0 {
            return Ok(Err(replayed(self.earlier_case(tx, &rows)?)));
        }
        let (mut case, doubtful, act) = match open_about(tx, &rows, &self.asked.subject)? {
            Some((open, doubtful)) => (open, doubtful, "join"),
            None => {
                let (about, category) = (self.known.about.clone(), self.asked.category);
                (new_case(tx, self.asked.subject, about, category, now)?, true, "open")
            }
        };
        let doubtful = doubtful && self.is_doubtful();
        // What is proven to be another's is no fact about this person.
        case.join(report.category, disclosed - proven + against, against);
        let row = rows.seal_report(&self.asked.id, &case, &report, now);
        tx.put_case(&rows.seal_case(&case, doubtful, now))?;
        tx.put_report(&row)?;
        for tag in &fresh {
            tx.put_reported(tag, now.day())?;
        }
        log_outside(tx, now, "service", act, case.number)?;
        if let (Subject::Account(about), 1..) = (self.asked.subject, against) {
            let (watch, by) = (self.watch, self.known.person);
            tx.after_commit(Box::new(move || watch.note(&about, [(by, Signal::Reported)], now)));
        }
        Ok(report_state(tx, &rows, &row, now)?.ok_or_else(Refusal::internal))
    }

    fn report(&self, now: Now) -> Report {
        let room = self.asked.room.or_else(|| check::room(&self.run));
        Report {
            reporter: self.asked.reporter,
            handle: self.known.reporter.clone(),
            category: self.asked.category,
            note: self.asked.note.clone(),
            made_ms: now.ms,
            room: room.map(RoomId::to_hex).unwrap_or_default(),
            run: self.run.iter().map(|judged| judged.shown.clone()).collect(),
            earlier: self.known.earlier,
            young: self.known.young,
        }
    }

    /// Whether it was sent by whom the case is about; in a case about a group, by another than the reporter.
    fn is_against(&self, judged: &Judged) -> bool {
        match self.asked.subject {
            Subject::Account(about) => judged.sender == Some(about),
            Subject::Room(_) => judged.sender != Some(self.asked.reporter),
        }
    }

    /// From somebody who is new or was mostly wrong before, and nothing that others sent is proven.
    fn is_doubtful(&self) -> bool {
        let (decided, right) = self.known.earlier;
        let proven = |judged: &Judged| judged.proven().is_some() && self.is_against(judged);
        let wrong = decided >= ENOUGH && right * 2 < decided;
        (self.known.young || wrong) && !self.run.iter().any(proven)
    }

    /// In which case this person reported these messages before.
    fn earlier_case(&self, tx: &mut dyn Tx, rows: &CaseKeys) -> StoreResult<Option<CaseNumber>> {
        let mut mine = self.run.iter().filter(|judged| judged.proven().is_some());
        let Some(first) = mine.next() else { return Ok(None) };
        for (id, case) in tx.reports_by(&rows.person(&self.asked.reporter), MOST)? {
            let Some(row) = tx.report(&id)? else { continue };
            if rows.open_report(&row)?.run.iter().any(|shown| shown.context == first.shown.context) {
                return Ok(Some(CaseNumber::new(case)));
            }
        }
        Ok(None)
    }
}

/// The case that waits for a decision about this subject, and whether it is doubtful.
pub(in crate::service) fn open_about(
    tx: &mut dyn Tx,
    rows: &CaseKeys,
    subject: &Subject,
) -> StoreResult<Option<(Case, bool)>> {
    let about = tx.cases_about(&rows.subject(subject), RECENT)?;
    let open = about.into_iter().find(|row| row.state == State::Open);
    open.map(|row| Ok((rows.open_case(&row)?, row.doubtful))).transpose()
}

/// A case that nothing is in yet, under a number that is free.
pub(in crate::service) fn new_case(
    tx: &mut dyn Tx,
    subject: Subject,
    handle: String,
    category: Category,
    now: Now,
) -> StoreResult<Case> {
    let mut number = CaseNumber::new(rand::random());
    while tx.case(number.get())?.is_some() {
        number = CaseNumber::new(rand::random());
    }
    Ok(Case {
        number,
        subject,
        handle,
        opened_ms: now.ms,
        category,
        reports: 0,
        disclosed: 0,
        proven: 0,
        claim: None,
        decision: None,
        appeal: None,
        export: None,
        rule: None,
    })
}

/// How many of somebody's earlier reports were decided, and how many of those led to a measure.
fn earlier(tx: &mut dyn Tx, rows: &CaseKeys, reporter: &AccountId) -> StoreResult<(u32, u32)> {
    let (mut decided, mut right) = (0, 0);
    for (_, case) in tx.reports_by(&rows.person(reporter), EARLIER)? {
        let Some(case) = tx.case(case)? else { continue };
        if let Some(decision) = rows.open_case(&case)?.standing() {
            decided += 1;
            right += u32::from(decision.measure != Measure::Dismiss);
        }
    }
    Ok((decided, right))
}

/// The handle of an account, also of one that was deleted lately.
fn handle_of(tx: &mut dyn Tx, id: &AccountId) -> StoreResult<Option<String>> {
    if let Some(account) = tx.account(id)? {
        return Ok(Some(account.handle));
    }
    let links = tx.chain(id)?;
    Ok(Chain::verify(&links).ok().map(|chain| chain.handle().to_owned()))
}

fn gone() -> Refusal {
    Refusal::new(Code::AuthFailed, "this account is gone")
}

fn unknown() -> Refusal {
    let text = "while taking a report: whom or what it is about is unknown here; look the handle up again";
    Refusal::new(Code::NotFound, text)
}

fn replayed(earlier: Option<CaseNumber>) -> Refusal {
    let earlier = earlier.map_or_else(String::new, |case| format!(" in case {case}"));
    let text = format!(
        "while taking a report: you reported these messages before{earlier}; add others, or see what became of it"
    );
    Refusal::bad_request(text)
}
