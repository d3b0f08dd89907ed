//! A group that a minor is in already, and into which somebody else brings people who are not connected to them: it is
//! asked about again, exactly as when it first came. Otherwise one friend could bring anybody to them, one step later.

use zegel_proto::AccountId;

use super::Core;
use crate::{
    Result,
    db::{Conversation, ConversationState, Intro, Kind},
};

/// What is kept of a group that is asked about again.
struct Again {
    /// The last line that was shown before.
    line: i64,
    /// Who came, and is not connected to us.
    people: Vec<AccountId>,
}

impl Again {
    fn encode(&self) -> Vec<u8> {
        let people = self.people.iter().flat_map(|who| who.0);
        self.line.to_be_bytes().into_iter().chain(people).collect()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (line, people) = bytes.split_first_chunk()?;
        let people = people.chunks_exact(16).filter_map(|id| AccountId::from_slice(id).ok()).collect();
        Some(Self { line: i64::from_be_bytes(*line), people })
    }
}

fn key(conversation: i64) -> String {
    format!("again {conversation}")
}

impl Core {
    /// Within a step: somebody brought these people into a group that we are in. If we are or may be a minor, and they are
    /// not connected to us, it waits for our answer again.
    pub(super) fn ask_again(
        &mut self,
        conversation: &Conversation,
        by: &AccountId,
        added: &[AccountId],
    ) -> Result<()> {
        if conversation.kind != Kind::Group || *by == self.me.account || !self.is_minor() {
            return Ok(());
        }
        let mut people = Vec::new();
        for who in added {
            if !self.is_connected(who)? {
                people.push(*who);
            }
        }
        let Some(now) = self.db.conversation(conversation.id)?.filter(|_| !people.is_empty()) else {
            return Ok(());
        };
        let again = match (now.state, self.again(now.id)?) {
            (ConversationState::Open, _) => Again { line: self.db.last_item()?, people },
            (ConversationState::Request, Some(mut again)) => {
                again.people.extend(people);
                again
            }
            // What never was open shows all who are in it.
            _ => return Ok(()),
        };
        // What is known of whoever first brought us in says nothing of whoever brings these.
        let intro = match now.introducer {
            Some(first) if first == *by => now.intro,
            _ => Intro { age: Intro::UNKNOWN_AGE, ..Intro::default() },
        };
        self.db.set_introducer(now.id, by, &intro)?;
        self.db.set_meta(&key(now.id), &again.encode())?;
        self.db.set_state(now.id, ConversationState::Request)
    }

    fn again(&self, conversation: i64) -> Result<Option<Again>> {
        Ok(self.db.meta(&key(conversation))?.and_then(|bytes| Again::decode(&bytes)))
    }

    /// Who came into a group that is asked about again; `None` for one that is not.
    pub(super) fn came_later(&self, conversation: &Conversation) -> Result<Option<Vec<AccountId>>> {
        Ok(self.again(conversation.id)?.map(|again| again.people))
    }

    /// It is accepted: nothing of the question is left.
    pub(super) fn answered_again(&self, conversation: &Conversation) -> Result<()> {
        self.db.drop_meta(&key(conversation.id))
    }

    /// Ends a request that we do not want. A group that we were in before stays readable as far as we had read it, and it
    /// counts as nothing that somebody declined: they did introduce themself once, and were accepted.
    pub(super) fn end_request(&mut self, request: &Conversation) -> Result<()> {
        let Some(again) = self.again(request.id)? else {
            return self.end_conversation(request, ConversationState::Declined);
        };
        self.answered_again(request)?;
        self.db.drop_received(request.id, again.line)?;
        self.end_as(request, ConversationState::Over, None)
    }
}
