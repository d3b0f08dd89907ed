//! A child and their guardian: the guardian is asked before somebody new comes, and sees with whom the child is in contact.
//!
//! *Invariant:* nothing happens because of what somebody says whom this person did not link with by an act of their own;
//! what the two devices tell each other goes into the outbox in the transaction of what it is about, so that no end of the
//! process loses it or says it twice. The child's device asks by itself: a changed one need not, and only the service keeps
//! the child's age.

mod approve;
mod ask;
mod contacts;
mod errand;
mod link;
mod refused;
mod words;

use zegel_content::{GUARDIAN_TYPE, Guardian};
use zegel_proto::AccountId;

use super::Core;
use crate::{
    Error, Result,
    db::{Conversation, ConversationState, Intent, ItemKind, Kind, LinkState, NewItem, Role},
};

pub use ask::AskKind;
use ask::Permit;
pub(in crate::core) use words::Word;
pub(crate) use words::warning;

/// What was said, and where.
struct Heard<'a> {
    /// The direct chat.
    chat: &'a Conversation,
    /// Who said it.
    from: &'a AccountId,
    /// The service's clock, milliseconds since 1970.
    at_ms: u64,
}

impl Core {
    /// Our guardian's handle; empty for none.
    pub(crate) fn guardian(&self) -> Result<String> {
        let link = self.db.our_guardian()?;
        link.map_or(Ok(String::new()), |link| self.name_of(&link.account))
    }

    /// Within a step: takes what somebody's software said about being child or guardian. Only a direct chat that is in use
    /// is the place for it, and only the other one of it is heard.
    pub(super) fn guardian_said(
        &mut self,
        conversation: &Conversation,
        from: &AccountId,
        said: Guardian,
        at_ms: u64,
    ) -> Result<()> {
        let Some(chat) = self.db.conversation(conversation.id)? else { return Ok(()) };
        let between_us = chat.kind == Kind::Direct && chat.peer.as_ref() == Some(from);
        if !between_us || chat.state != ConversationState::Open || self.db.is_blocked(from)? {
            return Ok(());
        }
        let heard = Heard { chat: &chat, from, at_ms };
        match said {
            Guardian::Link { as_child } => self.link_proposed(&heard, as_child),
            Guardian::Key { hash } => self.key_came(&heard, hash),
            Guardian::Linked => self.link_confirmed(&heard),
            Guardian::Ask { id, what, facts } => self.child_asks(&heard, id, &what, facts),
            Guardian::Answer { id, allow, secret, next } => {
                self.guardian_answers(&heard, &id, allow.then_some(Permit { secret, next }))
            }
            Guardian::Contacts(contacts) => self.child_told(&heard, contacts),
            Guardian::End { secret } => self.link_ended(&heard, secret),
        }
    }

    /// Says it to somebody in our newest chat that is in use: outbox row and chat. `None` if there is no such chat.
    pub(super) fn tell(&mut self, who: &AccountId, said: &Guardian) -> Result<Option<(i64, i64)>> {
        let chat = self.direct_chat(who)?.filter(|chat| chat.state == ConversationState::Open);
        let Some(chat) = chat else { return Ok(None) };
        let doing = "telling child or guardian";
        let body = said.encode().map_err(|e| Error::usage(doing, e.to_string(), "again"))?;
        let content = self.silent_content(&chat, GUARDIAN_TYPE, body)?;
        let row = self.db.add_intent(chat.id, &Intent::App(content), 0, 0)?;
        Ok(Some((row, chat.id)))
    }

    /// Like [`Core::tell`], for who cannot go on without.
    fn must_tell(&mut self, doing: &'static str, who: &AccountId, said: &Guardian) -> Result<(i64, i64)> {
        let name = self.name_of(who)?;
        self.tell(who, said)?.ok_or_else(|| {
            let why = format!("you and {name} have no chat that is in use");
            Error::usage(doing, why, format!("`send {name}` first, and again when they accepted"))
        })
    }

    /// A line in the chat with somebody, or beside all conversations if there is none.
    fn note(&self, who: &AccountId, word: &Word<'_>) -> Result<()> {
        let chat = self.direct_chat(who)?.map_or(0, |chat| chat.id);
        let text = word.says(self.language()?);
        self.db.add_item(&NewItem::line(chat, ItemKind::Notice, &text))?;
        Ok(())
    }

    /// Whether we are the guardian of this account.
    pub(crate) fn is_child_of_ours(&self, who: &AccountId) -> Result<bool> {
        self.is_linked(who, Role::Child)
    }

    /// Whether somebody is our guardian, or a child of ours.
    fn is_linked(&self, who: &AccountId, role: Role) -> Result<bool> {
        let link = self.db.link_with(who)?;
        Ok(link.is_some_and(|link| link.role() == role && link.state == LinkState::Linked))
    }
}
