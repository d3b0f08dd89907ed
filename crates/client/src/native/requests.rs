//! Introductions that wait for our answer, and the answer.

use serde::Serialize;

use super::{client::Client, guardians::Outcome, ops::PATIENCE};
use crate::{
    Error, Result,
    core::Core,
    db::{Conversation, Intro, ItemKind, Kind},
};

/// An introduction that waits for an answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// Who introduces themself, or added us to a group.
    pub from: String,
    /// The group's name; empty for a direct chat.
    pub group: String,
    /// The first message; empty until it came, or for a group.
    pub text: String,
    /// How old their account is: `today`, `this week`, `this month`, `this year`, `older`; empty if the service did not
    /// say, for whoever brings others into a group that we were in.
    pub account_age: &'static str,
    /// Whether many people declined or blocked them lately.
    pub declined_lately: bool,
    /// How their devices are known; see [`crate::Line::trust`].
    pub trust: &'static str,
    /// The friend who passed a ticket (connection token) to us on to them; empty for nobody.
    pub via: String,
    /// What is known about them, what it rests on, and what one can do.
    pub notices: Vec<String>,
    /// Who is in the group and not connected to us.
    pub unconnected: Vec<String>,
    /// Our guardian, if they are asked about it; else empty.
    pub waits_for: String,
    /// Our guardian, if they said no to it; else empty.
    pub refused_by: String,
    /// Its conversation's number on this device.
    #[serde(skip)]
    pub(crate) conversation: i64,
}

impl Client {
    /// Introductions that wait for our answer.
    pub fn requests(&self) -> Result<Vec<Request>> {
        let mut core = self.engine.shared.core();
        core.requests()?.into_iter().map(|conversation| request(&mut core, conversation)).collect()
    }

    /// Those of `name` (a handle, or a group) among them.
    ///
    /// # Errors
    /// If there is none.
    pub fn requests_named(&self, name: &str) -> Result<Vec<Request>> {
        let found = self.found("accepting", name)?;
        let mut core = self.engine.shared.core();
        found.into_iter().map(|found| request(&mut core, found)).collect()
    }

    fn found(&self, doing: &'static str, name: &str) -> Result<Vec<Conversation>> {
        let found = self.engine.shared.core().requests_of(name)?;
        match found.is_empty() {
            true => Err(Error::usage(
                doing,
                format!("no request from {name} waits"),
                "`requests` to see who does",
            )),
            false => Ok(found),
        }
    }

    /// Accepts what `name` (a handle, or a group) asks as it is now, or asks the guardian whether it may be. Where somebody
    /// decides, [`Self::accept_shown`] holds it to what they saw.
    ///
    /// # Errors
    /// If nothing of that name waits, or as [`Self::accept_shown`].
    pub async fn accept(&self, name: &str) -> Result<Outcome> {
        self.caught_up(PATIENCE).await?;
        self.accept_shown(&self.requests_named(name)?).await
    }

    /// Accepts these requests, and none that came since; or asks the guardian whether it may be.
    ///
    /// # Errors
    /// If we are or may be a minor and somebody is in such a group now who is not connected to us and was not shown:
    /// nothing is accepted then.
    pub async fn accept_shown(&self, shown: &[Request]) -> Result<Outcome> {
        let guardian = {
            let mut core = self.engine.shared.core();
            let shown: Vec<_> =
                shown.iter().map(|request| (request.conversation, request.unconnected.as_slice())).collect();
            core.accept_shown(&shown)?
        };
        self.poke();
        self.sync(PATIENCE).await?;
        Ok(guardian.map_or(Outcome::Done, Outcome::AskedGuardian))
    }

    /// Declines what `name` asks. They are not told.
    pub async fn decline(&self, name: &str) -> Result<()> {
        self.caught_up(PATIENCE).await?;
        for conversation in self.found("declining", name)? {
            self.engine.shared.core().decline(&conversation)?;
        }
        self.poke();
        self.sync(PATIENCE).await
    }
}

fn request(core: &mut Core, conversation: Conversation) -> Result<Request> {
    let items = core.db.items(Some(conversation.id), 0, false)?;
    let text = items.into_iter().find(|item| item.kind == ItemKind::Text).map(|item| item.text);
    let (from, trust) = match conversation.introducer {
        Some(who) => (core.db.handle_of(&who.0)?.unwrap_or_default(), core.db.trust_of(&who.0)?),
        None => (String::new(), ""),
    };
    let notices = core.notices(&conversation)?;
    let unconnected = match conversation.kind {
        Kind::Direct => Vec::new(),
        Kind::Group => core.unconnected_in(&conversation)?,
    };
    Ok(Request {
        from,
        text: text.filter(|_| conversation.kind == Kind::Direct).unwrap_or_default(),
        account_age: match conversation.intro.age {
            Intro::UNKNOWN_AGE => "",
            age => ["today", "this week", "this month", "this year", "older"][age.clamp(0, 4) as usize],
        },
        declined_lately: conversation.intro.declined,
        trust,
        via: conversation
            .intro
            .via
            .filter(|who| *who != core.me.account)
            .map(|friend| core.name_of(&friend))
            .transpose()?
            .unwrap_or_default(),
        notices: core.in_words(&notices)?,
        unconnected,
        waits_for: core.waits_for(&conversation)?,
        refused_by: core.refused_by(&conversation)?,
        conversation: conversation.id,
        group: conversation.name,
    })
}
