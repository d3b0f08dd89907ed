//! Reports of ours, decisions about us, and appeals.

use std::{sync::Arc, time::Duration};

use zegel_cases::{CaseNumber, Category, MAX_APPEAL, MAX_DISCLOSED};
use zegel_proto::Code;

use super::{
    client::Client,
    link::Socket,
    ops::PATIENCE,
    session::{authenticate, greet},
};
use crate::{
    Error, Result,
    core::{SHORTEST_ID, Subject, short_id},
    flow,
    view::{Draft, Reported, Statement},
};

/// How many messages of a person or group a report discloses, if nothing else is said.
const LAST: usize = 5;

impl Client {
    /// What a report would disclose, before anything is sent. `about` is one handle (the last messages of that person in
    /// the newest conversation with them), one group's name (the last messages of anybody there), or ids of messages of
    /// one conversation (exactly those). `last` changes how many are the last, from 1 to 30.
    pub async fn prepare_report(&self, about: &[String], last: Option<usize>) -> Result<Draft> {
        let doing = "reporting";
        if last.is_some_and(|last| !(1..=MAX_DISCLOSED).contains(&last)) {
            let why = format!("a report discloses from 1 to {MAX_DISCLOSED} messages");
            return Err(Error::usage(doing, why, "a number between them"));
        }
        self.caught_up(PATIENCE).await?;
        let known = self.engine.shared.core().subject(about)?;
        let subject = match (known, about) {
            (Some(subject), _) => subject,
            (None, [handle]) => Subject::Person(self.new_person(handle).await?),
            (None, _) => return Err(Error::usage(doing, "nothing is named", "a handle")),
        };
        if matches!(subject, Subject::Messages(_)) && last.is_some() {
            return Err(Error::usage(doing, "the ids say which messages are meant", "without a number"));
        }
        self.engine.shared.core().draft(subject, last.unwrap_or(LAST))
    }

    async fn new_person(&self, handle: &str) -> Result<zegel_proto::AccountId> {
        match self.person(handle).await {
            Ok(contact) => Ok(contact.account),
            Err(Error::Refused { code: Code::NotFound | Code::HandleForm, .. }) if short_id(handle) => {
                let why = format!(
                    "there is no {handle} here, and no group; a message is known by at least {SHORTEST_ID} digits of its \
                     id"
                );
                Err(Error::usage("reporting", why, "more of them, as `read --json` shows them"))
            }
            Err(Error::Refused { code: Code::NotFound | Code::HandleForm, .. }) => Err(Error::usage(
                "reporting",
                format!("there is no {handle} here, no group and no message of that id"),
                "`read --json` to see handles, groups and ids",
            )),
            Err(error) => Err(error),
        }
    }

    /// Sends a report as it was shown. Sending the same again after a lost answer is one report.
    pub async fn report(&self, draft: &Draft, category: Category, note: &str) -> Result<Reported> {
        let socket = self.connected(PATIENCE).await?;
        let report = self.engine.shared.core().begin_report(draft, category, note)?;
        let state = flow::report(&self.engine.shared, &*socket, report).await?;
        let about = if draft.about.is_empty() { &draft.group } else { &draft.about };
        Ok(Reported::new(about.clone(), state))
    }

    /// The reports of this account, newest first, as they stand now.
    pub async fn reports(&self) -> Result<Vec<Reported>> {
        let socket = self.errand(PATIENCE).await?;
        flow::fetch_reports(&self.engine.shared, &*socket).await?;
        self.known_reports()
    }

    /// The reports that this device knows of, as it last heard of them.
    pub(super) fn known_reports(&self) -> Result<Vec<Reported>> {
        let reports = self.engine.shared.core().db.reports()?;
        Ok(reports.into_iter().map(|(about, state)| Reported::new(about, state)).collect())
    }

    /// The reports that the service has not taken, or not said so.
    pub(super) fn kept_reports(&self) -> Result<Vec<Reported>> {
        let reports = self.engine.shared.core().db.kept_reports()?;
        Ok(reports.into_iter().map(|(about, report)| Reported::kept(about, &report)).collect())
    }

    /// What the service stated to us about cases, newest first. Each is signed by its directory, for this account.
    pub async fn statements(&self) -> Result<Vec<Statement>> {
        let socket = self.errand(PATIENCE).await?;
        flow::fetch_statements(&self.engine.shared, &*socket).await?;
        self.engine.bump();
        let stated = self.engine.shared.core().stated()?;
        Ok(stated.into_iter().map(|(_, statement)| statement.into()).collect())
    }

    /// Asks that somebody else looks at a decision about us.
    pub async fn appeal(&self, case: &str, text: &str) -> Result<()> {
        let doing = "appealing";
        let case: CaseNumber =
            case.parse().map_err(|e| Error::usage(doing, format!("{e}"), "one that `decisions` shows"))?;
        if text.trim().is_empty() || text.len() > MAX_APPEAL {
            let why = format!("it takes a text of 1 to {MAX_APPEAL} bytes");
            return Err(Error::usage(doing, why, "saying why the decision is wrong"));
        }
        let socket = self.errand(PATIENCE).await?;
        flow::appeal(&*socket, case.to_string(), text.to_owned()).await
    }

    /// A connection for what even a suspended account may do: the one that is there, else one for this errand alone.
    pub(super) async fn errand(&self, patience: Duration) -> Result<Arc<Socket>> {
        match self.connected(patience).await {
            Err(Error::Refused { code: Code::Suspended, .. }) => {
                let server = self.engine.shared.core().me.server.clone();
                // Nothing is pushed to a connection that is only for this.
                let (socket, _, hello) = greet(&server, &self.engine.extra_roots).await?;
                authenticate(&self.engine, &socket, &hello, true).await?;
                Ok(Arc::new(socket))
            }
            other => other,
        }
    }
}
