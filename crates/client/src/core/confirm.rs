//! Our own submissions, confirmed by an entry of our mailbox: only this merges a commit or ends an outbox row.

use sha2::{Digest, Sha256};
use zegel_franking::Context;
use zegel_proto::{Message as _, SubmissionId, v1};

use super::{Core, facts::Facts, mailbox::Step, receive::merging, suite::facts_of};
use crate::{
    Result,
    db::{Conversation, Intent, ItemKind, NewItem, OutboxRow, mls::Provider},
};

impl Core {
    pub(super) fn confirmation(&mut self, confirmation: &v1::Confirmation) -> Result<Step> {
        let row = match SubmissionId::from_slice(&confirmation.submission_id) {
            Ok(id) => self.db.outbox_of_submission(&id)?,
            Err(_) => None,
        };
        let Some(row) = row else { return Ok(Step::Done) };
        let Some(conversation) = self.db.conversation(row.conversation)? else { return Ok(Step::Done) };
        let submit = v1::Submit::decode(row.submit.as_slice()).unwrap_or_default();
        let mut sent = vec![&submit.message];
        if !submit.first.is_empty() {
            sent.push(&submit.first);
        }
        let contexts: Vec<Context> = confirmation
            .stamps
            .iter()
            .filter_map(|stamped| Context::from_bytes(&stamped.context).ok())
            .collect();
        let ours = |(context, bytes): (&Context, &&bytes::Bytes)| {
            context.message_hash == <[u8; 32]>::from(Sha256::digest(bytes))
                && context.sender_account == self.me.account.0
                && context.sender_device == self.me.device.0
                && context.room == conversation.room.0
        };
        if contexts.len() != sent.len() || !contexts.iter().zip(&sent).all(ours) {
            return self.doubt(&conversation, &row);
        }
        for (place, (context, stamped)) in contexts.iter().zip(&confirmation.stamps).enumerate() {
            self.follow_chain(&conversation, context)?;
            let is_text = place + 1 == sent.len() && row.item != 0;
            if is_text {
                let (at, seq) = (context.accepted_ms, context.server_seq);
                self.db.item_accepted(row.item, seq, at, &stamped.context, &stamped.stamp)?;
            } else {
                self.keep_place(&conversation, context, stamped)?;
            }
        }
        if row.intent.is_commit() && row.intent != Intent::Found {
            self.merge_own(&conversation, &row)?;
        }
        self.db.outbox_done(row.id)?;
        Ok(Step::Done)
    }

    /// The service confirmed what we did not send: nothing is believed of it, and a change of the conversation
    /// stays pending.
    fn doubt(&mut self, conversation: &Conversation, row: &OutboxRow) -> Result<Step> {
        let text = "The service confirmed something else than what this device sent.";
        self.db.add_item(&NewItem::line(conversation.id, ItemKind::Gap, text))?;
        if !row.intent.is_commit() {
            if row.item != 0 {
                self.db.item_failed(row.item)?;
            }
            self.db.outbox_done(row.id)?;
        }
        Ok(Step::Done)
    }

    fn merge_own(&mut self, conversation: &Conversation, row: &OutboxRow) -> Result<()> {
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let Some(pending) = group.mls.pending_commit() else { return Ok(()) };
        let added: Vec<_> = pending
            .add_proposals()
            .filter_map(|add| super::groups::seat(u32::MAX, add.add_proposal().key_package().leaf_node()))
            .collect();
        let removed: Vec<u32> =
            pending.remove_proposals().map(|p| p.remove_proposal().removed().u32()).collect();
        let new_facts = facts_of(pending.group_context()).ok().and_then(Facts::from_bytes);
        let old = group.epoch(&self.crypto)?;
        let change = super::commit::change_of(old, &added, &removed);
        let old_name = old.facts.name.clone();
        let new_name = new_facts.map_or_else(|| old_name.clone(), |facts| facts.name);
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        group.mls.merge_pending_commit(&provider).map_err(merging)?;
        if row.intent == Intent::Update {
            self.finish_update(conversation)?;
        }
        let me = self.me.account;
        self.tell_change(conversation, &me, &change, &old_name, &new_name)
    }
}
