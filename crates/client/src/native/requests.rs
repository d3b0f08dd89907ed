//! Introductions that wait for our answer, and the answer.

use serde::Serialize;

use super::{client::Client, guardians::Answered, ops::PATIENCE};
use crate::{
    Error, Result,
    core::Core,
    db::{Conversation, ItemKind, Kind},
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
    /// How old their account is: `today`, `this week`, `this month`, `this year`, `older`.
    pub account_age: &'static str,
    /// Whether many people declined or blocked them lately.
    pub declined_lately: bool,
    /// How their devices are known; see [`crate::Line::trust`].
    pub trust: &'static str,
    /// The friend who passed our connection on to them; empty for nobody.
    pub via: String,
    /// What is known about them, what it rests on, and what one can do.
    pub notices: Vec<String>,
    /// Who is in the group and not connected to us.
    pub unconnected: Vec<String>,
    /// Our guardian, if they are asked about it; else empty.
    pub waits_for: String,
}

impl Client {
    /// Introductions that wait for our answer.
    pub fn requests(&self) -> Result<Vec<Request>> {
        let mut core = self.engine.shared.core();
        let mut requests = Vec::new();
        for conversation in core.requests()? {
            requests.push(request(&mut core, conversation)?);
        }
        Ok(requests)
    }

    fn requests_named(&self, doing: &'static str, name: &str) -> Result<Vec<Conversation>> {
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

    /// Accepts what `name` (a handle, or a group) asks, or asks the guardian whether it may be.
    pub async fn accept(&self, name: &str) -> Result<Answered> {
        self.caught_up(PATIENCE).await?;
        let mut answered = Answered::Accepted;
        for conversation in self.requests_named("accepting", name)? {
            if let Some(guardian) = self.engine.shared.core().accept(&conversation)? {
                answered = Answered::AskedGuardian(guardian);
            }
        }
        self.poke();
        self.sync(PATIENCE).await?;
        Ok(answered)
    }

    /// Declines what `name` asks. They are not told.
    pub async fn decline(&self, name: &str) -> Result<()> {
        self.caught_up(PATIENCE).await?;
        for conversation in self.requests_named("declining", name)? {
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
        account_age: ["today", "this week", "this month", "this year", "older"]
            [conversation.intro.age.clamp(0, 4) as usize],
        declined_lately: conversation.intro.declined,
        trust,
        via: conversation.intro.via.map(|friend| core.name_of(&friend)).transpose()?.unwrap_or_default(),
        notices: core.in_words(&notices)?,
        unconnected,
        waits_for: core.waits_for(&conversation)?,
        group: conversation.name,
    })
}
