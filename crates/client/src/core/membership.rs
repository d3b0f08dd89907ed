//! Changes of a group that we want.

use zegel_content::Event;
use zegel_proto::{AccountId, MAX_ADDS, address_tag, v1};

use super::{Core, found::check_group_name};
use crate::{
    Error, Result,
    db::{Conversation, ConversationState, Intent, ItemKind, Kind, NewItem, mls::Provider},
};

impl Core {
    /// The people in a conversation, ourselves included.
    pub(crate) fn people(&mut self, conversation: &Conversation) -> Result<Vec<AccountId>> {
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        Ok(group.epoch(&self.crypto)?.people())
    }

    /// Whether we may add, remove and rename.
    pub(crate) fn we_administer(&mut self, conversation: &Conversation) -> Result<bool> {
        let me = self.me.account;
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        Ok(group.epoch(&self.crypto)?.facts.admins.contains(&me))
    }

    fn for_admins(&mut self, doing: &'static str, conversation: &Conversation) -> Result<()> {
        if conversation.kind != Kind::Group || conversation.state != ConversationState::Open {
            return Err(Error::usage(doing, "it is not a group that you are in", "`group list`"));
        }
        if !self.we_administer(conversation)? {
            return Err(Error::usage(doing, "only its admins may", "to ask who created it"));
        }
        Ok(())
    }

    pub(crate) fn want_add(&mut self, conversation: &Conversation, people: &[AccountId]) -> Result<Vec<i64>> {
        self.for_admins("adding to a group", conversation)?;
        let present = self.people(conversation)?;
        let new: Vec<AccountId> = people.iter().copied().filter(|who| !present.contains(who)).collect();
        if new.is_empty() {
            return Err(Error::usage("adding to a group", "they are in it already", "`group list`"));
        }
        self.step(|core| {
            new.chunks(MAX_ADDS)
                .map(|some| core.db.add_intent(conversation.id, &Intent::Add(some.to_vec()), 0, 0))
                .collect()
        })
    }

    pub(crate) fn want_remove(
        &mut self,
        conversation: &Conversation,
        people: &[AccountId],
    ) -> Result<Vec<i64>> {
        let doing = "removing from a group";
        self.for_admins(doing, conversation)?;
        if people.contains(&self.me.account) {
            return Err(Error::usage(doing, "that is you", "`group leave`"));
        }
        let present = self.people(conversation)?;
        if let Some(absent) = people.iter().find(|who| !present.contains(who)) {
            let why = format!("{} is not in it", self.name_of(absent)?);
            return Err(Error::usage(doing, why, "`group list`"));
        }
        self.step(|core| {
            Ok(vec![core.db.add_intent(conversation.id, &Intent::Remove(people.to_vec()), 0, 0)?])
        })
    }

    pub(crate) fn want_rename(&mut self, conversation: &Conversation, name: &str) -> Result<Vec<i64>> {
        self.for_admins("renaming a group", conversation)?;
        check_group_name(name)?;
        self.step(|core| Ok(vec![core.db.add_intent(conversation.id, &Intent::Rename(name.into()), 0, 0)?]))
    }

    /// Says that we leave; once that is out, [`Core::finish_leaving`] ends it.
    pub(crate) fn want_leave(&mut self, conversation: &Conversation) -> Result<i64> {
        if conversation.kind != Kind::Group || conversation.state != ConversationState::Open {
            return Err(Error::usage("leaving a group", "it is not a group that you are in", "`group list`"));
        }
        self.step(|core| core.say_event(conversation, Event::Leave))
    }

    /// Ends a group that we said we leave.
    pub(crate) fn finish_leaving(&mut self, conversation: &Conversation) -> Result<()> {
        self.step(|core| {
            // Someone may have tidied us away already.
            let now = core.db.conversation(conversation.id)?;
            if now.is_none_or(|now| now.state != ConversationState::Open) {
                return Ok(());
            }
            let text = "You left.";
            core.db.add_item(&NewItem::line(conversation.id, ItemKind::Notice, text))?;
            core.end_conversation(conversation, ConversationState::Over)
        })
    }

    /// A conversation is over for us: its address and its keys go, its history stays.
    pub(super) fn end_conversation(
        &mut self,
        conversation: &Conversation,
        state: ConversationState,
    ) -> Result<()> {
        let declined = conversation.introducer.filter(|_| state == ConversationState::Declined);
        self.end_as(conversation, state, declined)
    }

    /// Like [`Core::end_conversation`]; `declined`: whose introduction it was, if that counts as declined.
    pub(super) fn end_as(
        &mut self,
        conversation: &Conversation,
        state: ConversationState,
        declined: Option<AccountId>,
    ) -> Result<()> {
        self.db.set_state(conversation.id, state)?;
        self.end_delivery(conversation, declined)?;
        for row in self.db.outbox_of(conversation.id)? {
            if row.item != 0 {
                self.db.item_failed(row.item)?;
            }
            self.db.outbox_done(row.id)?;
        }
        self.forget_keys(conversation)
    }

    /// Mail of a conversation no longer comes to its address. One of a last-resort key package is shared with others, and
    /// stays for them: only this conversation's use of it ends, so that whoever brings us in there again is judged again.
    pub(super) fn end_delivery(
        &mut self,
        conversation: &Conversation,
        declined: Option<AccountId>,
    ) -> Result<()> {
        let (address, last_resort) = (&conversation.address, conversation.last_resort);
        if !last_resort || declined.is_some() {
            self.db.add_call(v1::client_frame::Body::DeleteAddresses(v1::DeleteAddresses {
                addresses: vec![address.to_field()],
                declined: declined.map(|who| who.to_field()).unwrap_or_default(),
            }))?;
        }
        if last_resort {
            self.db.add_call(v1::client_frame::Body::EndBinding(v1::EndBinding {
                address: address.to_field(),
                tag: address_tag(address, &conversation.group).to_vec().into(),
            }))?;
        }
        Ok(())
    }

    /// Deletes the MLS state of a conversation.
    pub(super) fn forget_keys(&mut self, conversation: &Conversation) -> Result<()> {
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        group
            .mls
            .delete(&provider.storage)
            .map_err(|e| Error::mls("forgetting a conversation's keys")(&e))?;
        self.groups.forget(&conversation.group);
        Ok(())
    }
}
