//! Our answer to an introduction: accept, decline, block.

use zegel_content::Event;
use zegel_proto::{AccountId, Address, address_tag, v1};

use super::{Core, make::Shape};
use crate::{
    Error, Result,
    db::{Contact, Conversation, ConversationState, Intent, Kind},
};

impl Core {
    /// Introductions that wait for our answer.
    pub(crate) fn requests(&self) -> Result<Vec<Conversation>> {
        let mut all = self.db.conversations()?;
        all.retain(|conversation| conversation.state == ConversationState::Request);
        Ok(all)
    }

    /// The open requests that a handle or a group's name means.
    pub(crate) fn requests_of(&self, name: &str) -> Result<Vec<Conversation>> {
        let contact = self.db.contact_by_handle(name)?.map(|contact| contact.account);
        let mut found = self.requests()?;
        found.retain(|c| {
            c.name == name && c.kind == Kind::Group || contact.is_some() && c.introducer == contact
        });
        Ok(found)
    }

    /// Accepts; the guardian's handle, if they have to be asked first.
    pub(crate) fn accept(&mut self, conversation: &Conversation) -> Result<Option<String>> {
        self.step(|core| {
            if !core.waits_for_answer(conversation)? {
                return Ok(None);
            }
            let asked = core.ask_to_open(conversation)?;
            if asked.is_none() {
                core.accept_now(conversation)?;
            }
            Ok(asked)
        })
    }

    /// Accepts these requests, each given with the people who were shown as not connected to us: all, or none if a minor
    /// would get into a group with others than those. The guardian's handle, if they have to be asked first.
    pub(crate) fn accept_shown(&mut self, shown: &[(i64, &[String])]) -> Result<Option<String>> {
        let mut requests = Vec::new();
        for (id, people) in shown {
            let Some(request) =
                self.db.conversation(*id)?.filter(|now| now.state == ConversationState::Request)
            else {
                continue;
            };
            if request.kind == Kind::Group && self.is_minor() {
                let mut others = self.unconnected_in(&request)?;
                others.retain(|who| !people.contains(who));
                if !others.is_empty() {
                    let why = format!("{} came into {} meanwhile", others.join(", "), request.name);
                    return Err(Error::usage("accepting", why, "`requests` to see who is in it now"));
                }
            }
            requests.push(request);
        }
        let mut asked = None;
        for request in &requests {
            asked = self.accept(request)?.or(asked);
        }
        Ok(asked)
    }

    /// Accepting within a step: the service lifts the limits, the other side is told, a shared address is replaced.
    pub(super) fn accept_now(&mut self, conversation: &Conversation) -> Result<()> {
        self.db.set_state(conversation.id, ConversationState::Open)?;
        self.answered_again(conversation)?;
        if let (Kind::Direct, Some(peer)) = (conversation.kind, conversation.peer) {
            self.db.set_accepted(&peer, true)?;
        }
        self.db.add_call(v1::client_frame::Body::AcceptAddress(v1::AcceptAddress {
            address: conversation.address.to_field(),
            tag: address_tag(&conversation.address, &conversation.group).to_vec().into(),
        }))?;
        if conversation.last_resort {
            self.db.add_intent(conversation.id, &Intent::Update, 0, 0)?;
        }
        if conversation.kind == Kind::Direct {
            self.say_event(conversation, Event::Accept)?;
            self.first_tokens(conversation)?;
        }
        Ok(())
    }

    pub(crate) fn decline(&mut self, conversation: &Conversation) -> Result<()> {
        self.step(|core| match core.waits_for_answer(conversation)? {
            true => core.end_request(conversation),
            false => Ok(()),
        })
    }

    /// Whether it is still a request: what was read before may have changed.
    fn waits_for_answer(&self, conversation: &Conversation) -> Result<bool> {
        let now = self.db.conversation(conversation.id)?;
        Ok(now.is_some_and(|now| now.state == ConversationState::Request))
    }

    /// Blocks a person: no introduction of theirs is delivered, and every direct chat with them ends.
    pub(crate) fn block(&mut self, contact: &Contact) -> Result<()> {
        self.step(|core| {
            core.db.set_blocked(&contact.account, true)?;
            core.db.set_accepted(&contact.account, false)?;
            core.take_back_tokens(&contact.account)?;
            core.part_from(&contact.account)?;
            core.db.mark_read_of(&contact.account)?;
            let account = contact.account.to_field();
            core.db.add_call(v1::client_frame::Body::Block(v1::Block { account, lift: false }))?;
            for conversation in core.db.conversations()? {
                let live =
                    !matches!(conversation.state, ConversationState::Declined | ConversationState::Over);
                let theirs = conversation.peer == Some(contact.account)
                    || conversation.state == ConversationState::Request
                        && conversation.introducer == Some(contact.account);
                // What was read once stays readable; only a request vanishes.
                match conversation.state {
                    ConversationState::Request if theirs => core.end_request(&conversation)?,
                    _ if live && theirs => core.end_conversation(&conversation, ConversationState::Over)?,
                    _ => {}
                }
            }
            Ok(())
        })
    }

    pub(crate) fn unblock(&mut self, contact: &Contact) -> Result<()> {
        self.step(|core| {
            core.db.set_blocked(&contact.account, false)?;
            let account = contact.account.to_field();
            core.db.add_call(v1::client_frame::Body::Block(v1::Block { account, lift: true }))?;
            Ok(())
        })
    }

    /// The direct chat to write to: the one founded last that the other accepted, else the newest that waits.
    pub(crate) fn direct_chat(&self, peer: &AccountId) -> Result<Option<Conversation>> {
        let chats = self.db.direct_with(peer)?;
        let of = |state| chats.iter().find(|chat| chat.state == state).cloned();
        Ok(of(ConversationState::Open)
            .or_else(|| of(ConversationState::Request))
            .or_else(|| of(ConversationState::Asked)))
    }

    /// Fresh keys and a fresh address for our leaf: the fresh address is bound before the commit goes out.
    pub(super) fn make_update(&mut self, conversation: &Conversation, row: i64) -> Result<()> {
        let address = Address::random();
        self.db.set_meta(&update_key(conversation), &address.0)?;
        self.db.add_call(v1::client_frame::Body::BindAddress(v1::BindAddress {
            address: address.to_field(),
            tag: address_tag(&address, &conversation.group).to_vec().into(),
        }))?;
        self.make_commit(conversation, row, Shape { own_address: Some(address), ..Shape::default() })
    }

    /// The update is in force: the old address goes.
    pub(super) fn finish_update(&mut self, conversation: &Conversation) -> Result<()> {
        let Some(address) = self.db.meta(&update_key(conversation))? else { return Ok(()) };
        let address = Address::from_slice(&address).map_err(|e| Error::mls("renewing an address")(&e))?;
        self.end_delivery(conversation, None)?;
        self.db.set_address(conversation.id, &address, false)
    }
}

fn update_key(conversation: &Conversation) -> String {
    format!("update {}", conversation.id)
}
