//! A child and who looks after them: linking, what the guardian is asked, and the age band.

use std::time::Duration;

use serde::Serialize;
use zegel_content::Asked;
use zegel_proto::{
    AccountId,
    v1::{self, AgeBand, client_frame::Body as Call},
};
use zegel_safety::{Change, may_change};

use super::{client::Client, ops::PATIENCE};
use crate::{
    Error, Result,
    db::{Contact, LinkState, Role},
    flow::{Link as _, know_account},
};

/// How long somebody who blocks their guardian or child waits for the word that the link is over to go out.
const GOODBYE: Duration = Duration::from_secs(5);

/// Somebody whom we are linked with as child or guardian, or may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuardianLink {
    /// Who.
    pub handle: String,
    /// What they are to us: `guardian` or `child`.
    pub role: &'static str,
    /// `asks` (they want it, and we have not answered), `asked` (we want it, and they have not) or `linked`.
    pub state: &'static str,
}

/// What a child of ours asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The child's handle.
    pub child: String,
    /// `contact`, `group` or `age`.
    pub what: &'static str,
    /// The handle, the group's name, or the age band.
    pub name: String,
    /// Who is in the group.
    pub people: Vec<String>,
}

/// With whom a child of ours is in contact, as their device told us last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChildContacts {
    /// Handles.
    pub people: Vec<String>,
    /// Names of groups.
    pub groups: Vec<String>,
    /// How many more there are, that did not fit.
    pub more: u32,
    /// When it was told, by the service's clock, milliseconds since 1970.
    pub at_ms: u64,
}

/// What became of a wish for another age band.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AgeChange {
    /// It is changed.
    Done,
    /// The guardian with this handle is asked; it changes by itself when they allow it.
    AskedGuardian(String),
}

/// What became of an acceptance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answered {
    /// It is accepted.
    Accepted,
    /// The guardian with this handle is asked; it is accepted by itself when they allow it.
    AskedGuardian(String),
}

/// An age band in one word.
pub(super) fn band_word(band: AgeBand) -> &'static str {
    match band {
        AgeBand::Unknown => "unknown",
        AgeBand::Child => "child",
        AgeBand::Teen => "teen",
        AgeBand::Adult => "adult",
    }
}

fn link_word(state: LinkState) -> Option<&'static str> {
    match state {
        LinkState::Asks => Some("asks"),
        LinkState::Asked | LinkState::Keyed => Some("asked"),
        LinkState::Linked => Some("linked"),
        LinkState::Over => None,
    }
}

impl Client {
    /// Gives the account another age band: younger at once; older with an invite that sets that band, or if the guardian
    /// allows it.
    pub async fn change_age(&self, band: AgeBand, invite: Option<&str>) -> Result<AgeChange> {
        let doing = "changing the age";
        let socket = self.connected(PATIENCE).await?;
        let change = may_change(self.engine.shared.core().own_band()?, band);
        match (change, invite) {
            (Change::Same, None) => return Ok(AgeChange::Done),
            (Change::NeedsWord, None) => {
                self.look_for_guardian().await;
                let asked = self.engine.shared.core().ask_for_age(band)?;
                self.poke();
                let _ = self.sync(PATIENCE).await;
                let why = "becoming older needs an invite for that age, or a guardian who allows it";
                let fix = format!("`age {} --invite CODE`", band_word(band));
                return asked.map(AgeChange::AskedGuardian).ok_or_else(|| Error::usage(doing, why, fix));
            }
            _ => {}
        }
        let (age_band, invite) = (band.into(), invite.unwrap_or_default().to_owned());
        let call = v1::ChangeAge { age_band, invite, guardian: Default::default() };
        socket.call(doing, Call::ChangeAge(call)).await?;
        self.engine.shared.core().step(|core| core.age_changed(band))?;
        self.poke();
        // The other side of a link that ended hears of it; it is kept if that takes longer.
        let _ = self.sync(GOODBYE).await;
        Ok(AgeChange::Done)
    }

    /// Whom we are linked with as child or guardian, or may be.
    pub fn guardians(&self) -> Result<Vec<GuardianLink>> {
        let core = self.engine.shared.core();
        let mut links = Vec::new();
        for link in core.db.links_all()? {
            let Some(state) = link_word(link.state) else { continue };
            let role = match link.role {
                Role::Guardian => "guardian",
                Role::Child => "child",
            };
            links.push(GuardianLink { handle: core.name_of(&link.account)?, role, state });
        }
        links.sort_by(|a, b| a.handle.cmp(&b.handle));
        Ok(links)
    }

    /// Says that we want to be linked with this person, as child or guardian by our own age. Both have to say so. Returns
    /// the state: `asked` (also while what both want is being set up) or `linked`.
    pub async fn link_guardian(&self, handle: &str) -> Result<&'static str> {
        let doing = "linking child and guardian";
        self.caught_up(PATIENCE).await?;
        let Contact { account, blocked, ended, .. } = self.person(handle).await?;
        let no = |why: &str, fix: String| Err(Error::usage(doing, format!("{handle} {why}"), fix));
        if account == self.engine.shared.core().me.account {
            return no("is you", "the handle of the child, or of who looks after you".into());
        }
        if blocked {
            return no("is blocked by you", format!("`unblock {handle}` first"));
        }
        if ended {
            return no("deleted their account", "another handle".into());
        }
        let (state, row) = self.engine.shared.core().link(&account)?;
        self.poke();
        self.accepted(doing, row.as_slice()).await?;
        Ok(link_word(state).unwrap_or("asked"))
    }

    /// Ends a link with a child of ours, or takes back or turns down what was only asked.
    pub async fn unlink_guardian(&self, handle: &str) -> Result<()> {
        let doing = "ending the link of child and guardian";
        self.caught_up(PATIENCE).await?;
        let account = self.known(doing, handle)?;
        let rows = self.engine.shared.core().unlink(&account)?;
        self.poke();
        self.accepted(doing, &rows).await
    }

    /// What our children ask, oldest first for each.
    pub fn approvals(&self) -> Result<Vec<Approval>> {
        let core = self.engine.shared.core();
        let approval = |waiting: crate::core::Waiting| {
            let (child, what, name) =
                (core.name_of(&waiting.child)?, waiting.kind(), waiting.name().to_owned());
            let people = match waiting.what {
                Asked::Group { people, .. } => people,
                Asked::Contact { .. } | Asked::Age { .. } => Vec::new(),
            };
            Ok(Approval { child, what, name, people })
        };
        core.waiting()?.into_iter().map(approval).collect()
    }

    /// Allows or refuses what a child of ours asks, by its name as in [`Client::approvals`], or `WHAT:NAME` where
    /// several are called the same.
    pub async fn answer_child(&self, child: &str, name: &str, allow: bool) -> Result<()> {
        let doing = "answering a child";
        self.caught_up(PATIENCE).await?;
        let account = self.known(doing, child)?;
        let row = self.engine.shared.core().answer_child(&account, name, allow)?;
        self.poke();
        self.accepted(doing, &[row]).await
    }

    /// With whom a child of ours is in contact; `None` before their device told it.
    pub fn child_contacts(&self, child: &str) -> Result<Option<ChildContacts>> {
        let doing = "looking at a child's contacts";
        let account = self.known(doing, child)?;
        let core = self.engine.shared.core();
        if !core.is_child_of_ours(&account)? {
            let why = format!("you are not the guardian of {child}");
            return Err(Error::usage(doing, why, "`guardian` to see whose you are"));
        }
        let told = core.told_by(&account)?;
        Ok(told.map(|told| ChildContacts {
            people: told.people,
            groups: told.groups,
            more: told.more,
            at_ms: told.at_ms,
        }))
    }

    /// The account behind a handle that this device knows.
    fn known(&self, doing: &'static str, handle: &str) -> Result<AccountId> {
        let contact = self.engine.shared.core().db.contact_by_handle(handle)?;
        let unknown = || Error::usage(doing, format!("there is no {handle} whom you know"), "`guardian`");
        contact.map(|contact| contact.account).ok_or_else(unknown)
    }

    /// Before our guardian is asked: whoever deleted their account is nobody's guardian any more. What cannot be learned now
    /// stays as it is.
    pub(super) async fn look_for_guardian(&self) {
        let link = self.engine.shared.core().db.our_guardian();
        if let (Ok(Some(link)), Ok(socket)) = (link, self.connected(PATIENCE).await) {
            let _ = know_account(&self.engine.shared, &*socket, &link.account).await;
        }
    }

    /// Before somebody is blocked: if they are our guardian or child, their screen shows that it is over. The block waits
    /// for it no longer than briefly.
    pub(super) async fn say_goodbye(&self, who: &AccountId) {
        let rows = self.engine.shared.core().say_goodbye(who).unwrap_or_default();
        if !rows.is_empty() {
            self.poke();
            let said = self.accepted("ending the link of child and guardian", &rows);
            let _ = tokio::time::timeout(GOODBYE, said).await;
        }
    }
}
