//! The desk's office: what its pages ask of the service ([`zegel_desk::Office`]), on the store.
//!
//! *Invariant:* whoever acts is at the desk still and in that role, by the store's row and not by the page's word;
//! what a case lets happen, [`zegel_cases::Case`] says. What changes something is in the log by the same commit, what
//! lets something out is there before it goes, and what was refused is there too.

mod act;
mod authority;
mod custody;
mod evidence;
mod filing;
mod impose;
mod look;
mod operate;
mod people;
mod put;

pub(super) use impose::impose;
pub(crate) use operate::{NameError, People, Removed, all_people, hold, invite, release_guardian, remove};

use std::sync::Arc;

use tokio::sync::Mutex;
use zegel_cases::{
    Act, Case, CaseNumber, LogEntry, LogHead, Permission, Role, Staff, StaffId, State, WhyNot,
};
use zegel_desk::{Member, Office, OfficeError, OfficeResult, Queue, Whole};

use super::{
    Service,
    cases::{CaseKeys, Head, log},
};
use crate::{
    clock::Now,
    store::{StoreError, StoreResult, Tx, read, write},
};

/// A service's office. Clones are the same one.
#[derive(Clone)]
pub struct Desk {
    service: Arc<Service>,
    /// One case is filed at a time, so that none is filed twice.
    filing: Arc<Mutex<()>>,
}

impl Desk {
    /// The office of this service.
    pub fn new(service: Arc<Service>) -> Self {
        Self { service, filing: Arc::default() }
    }

    fn keys(&self) -> CaseKeys {
        CaseKeys::of(&self.service.keys())
    }

    async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> StoreResult<OfficeResult<T>> + Send + 'static,
    ) -> OfficeResult<T> {
        write(&*self.service.store, job).await.unwrap_or_else(|error| Err(failed(&error)))
    }

    async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> StoreResult<OfficeResult<T>> + Send + 'static,
    ) -> OfficeResult<T> {
        read(&*self.service.store, job).await.unwrap_or_else(|error| Err(failed(&error)))
    }

    /// Logs that somebody tried what they may not, and passes the answer on.
    async fn noted<T>(
        &self,
        who: &Staff,
        what: &'static str,
        number: Option<CaseNumber>,
        answer: OfficeResult<T>,
    ) -> OfficeResult<T> {
        if let Err(OfficeError::WhyNot(why)) = &answer {
            let (who, detail) = (who.id.clone(), format!("{what}: {why}"));
            self.write(move |tx| log(tx, Now::get(), &who, "refused", number, detail).map(Ok)).await?;
        }
        answer
    }
}

/// Whether this person is at the desk still, in this role, and the role may.
fn may(tx: &mut dyn Tx, who: &Staff, what: Permission) -> StoreResult<Result<(), WhyNot>> {
    let here = tx.staff(&who.id.0)?.is_some_and(|row| !row.removed && row.role == who.role.word());
    Ok(if here && who.role.may(what) { Ok(()) } else { Err(WhyNot::Role) })
}

fn failed(error: &StoreError) -> OfficeError {
    tracing::error!(%error, "while the desk used the store");
    OfficeError::Store
}

impl Office for Desk {
    fn domain(&self) -> &str {
        &self.service.config.domain
    }
    fn now_ms(&self) -> u64 {
        Now::get().ms
    }

    async fn invited(&self, code: &str) -> OfficeResult<Option<Staff>> {
        self.invited_by(code).await
    }
    async fn enrol(&self, code: &str, handle: [u8; 16], passkey: String) -> OfficeResult<bool> {
        self.use_invitation(code, handle, passkey).await
    }
    async fn member(&self, id: &StaffId) -> OfficeResult<Option<Member>> {
        let name = id.0.clone();
        self.read(move |tx| Ok(Ok(tx.staff(&name)?.and_then(people::member)))).await
    }
    async fn member_by_handle(&self, handle: &[u8; 16]) -> OfficeResult<Option<Member>> {
        let handle = *handle;
        self.read(move |tx| Ok(Ok(tx.staff_by_handle(&handle)?.and_then(people::member)))).await
    }
    async fn signed_in(&self, id: &StaffId, passkeys: Vec<String>) -> OfficeResult<()> {
        self.keep_passkeys(id.clone(), passkeys).await
    }
    async fn signed_out(&self, id: &StaffId) -> OfficeResult<()> {
        let who = id.clone();
        self.write(move |tx| log(tx, Now::get(), &who, "sign-out", None, String::new()).map(Ok)).await
    }

    async fn queue(&self, who: &Staff, state: State, from: Option<&str>) -> OfficeResult<Queue> {
        self.noted(who, "see-queue", None, self.part(who, state, from).await).await
    }
    async fn whole_at(&self, who: &Staff, number: CaseNumber, page: u32) -> OfficeResult<Whole> {
        self.noted(who, "see", Some(number), self.look_into(who, number, page).await).await
    }
    async fn act(&self, who: &Staff, number: CaseNumber, act: Act) -> OfficeResult<Case> {
        let word = act.word();
        self.noted(who, word, Some(number), self.carry_out(who, number, act).await).await
    }
    async fn evidence(&self, who: &Staff, number: CaseNumber) -> OfficeResult<Vec<u8>> {
        self.noted(who, "export", Some(number), self.export(who, number).await).await
    }
    async fn file(&self, who: &Staff, number: CaseNumber) -> OfficeResult<String> {
        self.noted(who, "file", Some(number), self.file_to_the_end(who, number).await).await
    }

    async fn log(&self, who: &Staff) -> OfficeResult<(Vec<LogEntry>, LogHead)> {
        self.noted(who, "see-log", None, self.newest_lines(who).await).await
    }
    async fn log_verified(&self, who: &Staff) -> OfficeResult<Result<LogHead, String>> {
        self.noted(who, "verify-log", None, self.verified_log(who).await).await
    }
    async fn log_export(&self, who: &Staff) -> OfficeResult<Result<String, String>> {
        self.noted(who, "export-log", None, self.whole_log(who).await).await
    }
}

/// A role by what the store's row says.
fn role(word: &str) -> Option<Role> {
    let role = Role::from_word(word);
    if role.is_none() {
        tracing::error!(role = word, "while reading the desk's people: there is no such role");
    }
    role
}
