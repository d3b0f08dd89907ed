//! A child and who looks after them: linking, what the guardian is asked, and the age band.

use std::time::Duration;

use serde::Serialize;
use zegel_content::Asked;
use zegel_proto::{
    AccountId,
    v1::{self, AgeBand, client_frame::Body as Call},
};
use zegel_safety::{Change, Language, band_word, may_change};

use super::{client::Client, ops::PATIENCE};
use crate::{
    Error, Result,
    core::{AskKind, guardian_warning},
    db::{Ask, ChildContacts, Contact, LinkState, Role},
    flow::{Link as _, know_account},
};

/// How long somebody who blocks their guardian or child waits for the word that the link is over to go out.
const GOODBYE: Duration = Duration::from_secs(5);

/// Somebody whom we are linked with as child or guardian, or may be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GuardianLink {
    /// Who.
    pub handle: String,
    /// What they are to us.
    pub role: Role,
    /// How far it is.
    pub state: GuardianState,
}

/// How far the link of a child and a guardian is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum GuardianState {
    /// They want it, and we have not answered.
    #[serde(rename = "asks")]
    TheyAsk,
    /// We want it, and they have not answered; also while what both want is being set up.
    #[serde(rename = "asked")]
    WeAsk,
    /// It holds.
    #[serde(rename = "linked")]
    Linked,
}

impl GuardianState {
    /// `None`: there is no link.
    fn of(state: LinkState) -> Option<Self> {
        match state {
            LinkState::TheyAsk => Some(Self::TheyAsk),
            LinkState::WeAsk | LinkState::Keyed => Some(Self::WeAsk),
            LinkState::Linked => Some(Self::Linked),
            LinkState::Over => None,
        }
    }
}

/// What a child of ours asks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Approval {
    /// The child's handle.
    pub child: String,
    /// What it is about.
    pub what: AskKind,
    /// The handle, the group's name, or the age band.
    pub name: String,
    /// Who is in the group.
    pub people: Vec<String>,
    /// Whom the child is told something about; empty for nobody.
    pub about: String,
    /// What they are told, in words; "you" in it is the child.
    pub told: Vec<String>,
}

/// What became of what somebody wished.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is done.
    Done,
    /// The guardian with this handle is asked; it is done by itself when they allow it.
    AskedGuardian(String),
}

impl Client {
    /// Gives the account another age band: younger at once; older with an invite that sets that band, or if the guardian
    /// allows it.
    pub async fn change_age(&self, band: AgeBand, invite: Option<&str>) -> Result<Outcome> {
        let doing = "changing the age";
        let socket = self.connected(PATIENCE).await?;
        let change = may_change(self.engine.shared.core().own_band()?, band);
        match (change, invite) {
            (Change::Same, None) => return Ok(Outcome::Done),
            // The service says so by itself, and this device did not believe it: now the person says it too.
            (Change::NeedsWord, None) if self.engine.shared.core().is_doubted(band)? => {}
            (Change::NeedsWord, None) => {
                self.look_for_guardian().await;
                let asked = self.engine.shared.core().ask_for_age(band)?;
                self.poke();
                let _ = self.sync(PATIENCE).await;
                let why = "becoming older needs an invite for that age, or a guardian who allows it";
                let fix = format!("`age {} --invite CODE`", band_word(band, Language::English));
                return asked.map(Outcome::AskedGuardian).ok_or_else(|| Error::usage(doing, why, fix));
            }
            _ => {}
        }
        let (age_band, invite) = (band.into(), invite.unwrap_or_default().to_owned());
        let call = v1::ChangeAge { age_band, invite, guardian: Default::default() };
        // From here on the service may have done it, whether its answer comes or not.
        self.engine.shared.core().ask_for_band(Some(band))?;
        if let Err(error) = socket.call(doing, Call::ChangeAge(call)).await {
            if !error.is_passing() {
                self.engine.shared.core().ask_for_band(None)?;
            }
            return Err(error);
        }
        self.engine.shared.core().step(|core| core.age_changed(band))?;
        self.poke();
        // The other side of a link that ended hears of it; it is kept if that takes longer.
        let _ = self.sync(GOODBYE).await;
        Ok(Outcome::Done)
    }

    /// Whom we are linked with as child or guardian, or may be.
    pub fn guardians(&self) -> Result<Vec<GuardianLink>> {
        let core = self.engine.shared.core();
        let mut links = Vec::new();
        for link in core.db.links_all()? {
            let Some(state) = GuardianState::of(link.state) else { continue };
            links.push(GuardianLink { handle: core.name_of(&link.account)?, role: link.role(), state });
        }
        links.sort_by(|a, b| a.handle.cmp(&b.handle));
        Ok(links)
    }

    /// What a child has to know before it takes this person as guardian, in the person's language.
    pub fn guardian_warning(&self, handle: &str) -> String {
        let language = self.engine.shared.core().language().unwrap_or(Language::English);
        guardian_warning(handle, language)
    }

    /// Says that we want to be linked with this person, as child or guardian by our own age. Both have to say so. Returns
    /// how far it is.
    pub async fn link_guardian(&self, handle: &str) -> Result<GuardianState> {
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
        Ok(GuardianState::of(state).unwrap_or(GuardianState::WeAsk))
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
        let approval = |ask: Ask| {
            let (child, what, name) = (core.name_of(&ask.account)?, ask.kind(), ask.name().to_owned());
            let (about, told) = (ask.facts.of().to_owned(), core.told(&ask.facts)?);
            let people = match ask.what {
                Asked::Group { people, .. } => people,
                Asked::Contact { .. } | Asked::Age { .. } => Vec::new(),
            };
            Ok(Approval { child, what, name, people, about, told })
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
        core.told_by(&account)
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
