//! Saying something: content, a line on screen and an outbox row, in one step.

use zegel_content::{Content, Event, LastSeen, MAX_TEXT};
use zegel_proto::{room_uri, user_uri};

use super::Core;
use crate::{
    Error, Result,
    db::{Conversation, ConversationState, Intent, ItemKind, ItemState, NewItem},
};

/// Something that waits to be sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Said {
    /// The outbox row.
    pub outbox: i64,
    /// MIMI message id.
    pub id: [u8; 32],
}

fn salt() -> [u8; 16] {
    zegel_proto::Token::random().0
}

pub(super) fn check_text(text: &str) -> Result<()> {
    if text.is_empty() {
        return Err(Error::usage("sending a message", "it is empty", "a text"));
    }
    if text.len() > MAX_TEXT {
        let why = format!("its {} bytes are more than the {MAX_TEXT} of one message", text.len());
        return Err(Error::usage("sending a message", why, "several shorter ones"));
    }
    Ok(())
}

impl Core {
    /// Says a text in an open conversation.
    pub(crate) fn say(&mut self, conversation: &Conversation, text: &str) -> Result<Said> {
        check_text(text)?;
        self.step(|core| {
            let now = core.db.conversation(conversation.id)?;
            let now = now.filter(|now| now.state == ConversationState::Open);
            let ended = || Error::usage("sending a message", "the conversation has just ended", "again");
            let conversation = &now.ok_or_else(ended)?;
            core.check_peer(conversation)?;
            let (bytes, id, item) = core.text_content(conversation, text)?;
            let outbox = core.db.add_intent(conversation.id, &Intent::App(bytes), item, 0)?;
            Ok(Said { outbox, id })
        })
    }

    /// Nothing is written to an account that is gone.
    fn check_peer(&self, conversation: &Conversation) -> Result<()> {
        match conversation.peer {
            Some(peer) if self.db.is_ended(&peer)? => {
                Err(Error::usage("sending a message", "they deleted their account", "someone else"))
            }
            _ => Ok(()),
        }
    }

    /// The content of a text, its id, and its line on screen.
    pub(super) fn text_content(
        &mut self,
        conversation: &Conversation,
        text: &str,
    ) -> Result<(Vec<u8>, [u8; 32], i64)> {
        let sender = user_uri(&self.me.domain, &self.me.handle);
        let room = room_uri(&self.me.domain, &conversation.room);
        let now = self.server_ms();
        let mut content = Content::text(salt(), sender, room, now, text);
        content.last_seen = last_seen(conversation);
        content.seen_root = self.gossip(conversation)?;
        let bytes = content
            .encode()
            .map_err(|e| Error::usage("sending a message", e.to_string(), "a shorter text"))?;
        let id = zegel_content::message_id(&content, &bytes).0;
        let account = self.me.account.0;
        let item = self.db.add_item(&NewItem {
            message_id: Some(&id),
            sender: &account,
            sent_ms: now,
            state: ItemState::Pending,
            content: &bytes,
            ..NewItem::line(conversation.id, ItemKind::Text, text)
        })?;
        let item = item.ok_or_else(|| Error::usage("sending a message", "its id occurs already", "again"))?;
        Ok((bytes, id, item))
    }

    /// Tells the others that something happened.
    pub(super) fn say_event(&mut self, conversation: &Conversation, event: Event) -> Result<i64> {
        let bytes = self.event_content(conversation, event)?;
        self.db.add_intent(conversation.id, &Intent::App(bytes), 0, 0)
    }

    /// The content of what our software tells another's, beside what people say.
    pub(super) fn silent_content(
        &mut self,
        conversation: &Conversation,
        content_type: &str,
        body: Vec<u8>,
    ) -> Result<Vec<u8>> {
        let sender = user_uri(&self.me.domain, &self.me.handle);
        let room = room_uri(&self.me.domain, &conversation.room);
        let mut content = Content::of_type(salt(), sender, room, self.server_ms(), content_type, body);
        content.last_seen = last_seen(conversation);
        content.seen_root = self.gossip(conversation)?;
        content.encode().map_err(|e| Error::usage("telling the others", e.to_string(), "again"))
    }

    pub(super) fn event_content(&mut self, conversation: &Conversation, event: Event) -> Result<Vec<u8>> {
        let sender = user_uri(&self.me.domain, &self.me.handle);
        let room = room_uri(&self.me.domain, &conversation.room);
        let mut content = Content::event(salt(), sender, room, self.server_ms(), event);
        content.last_seen = last_seen(conversation);
        content.seen_root = self.gossip(conversation)?;
        content.encode().map_err(|e| Error::usage("telling the others", e.to_string(), "again"))
    }
}

fn last_seen(conversation: &Conversation) -> Option<LastSeen> {
    let stamp_hash = conversation.chain_prev.as_slice().try_into().ok()?;
    Some(LastSeen { server_seq: conversation.chain_next.checked_sub(1)?, stamp_hash })
}
