//! A commit of someone else: inspected, held against the rules, then merged.

use openmls::prelude::{LeafNodeIndex, Proposal, StagedCommit};
use zegel_franking::check_commit;
use zegel_proto::{AccountId, DeviceId, MAX_ADDS};

use super::{
    Core, Need,
    facts::{Change, Facts, allowed},
    groups::{Epoch, Seat},
    leaf::{LeafCheck, check_leaf},
    receive::{Hidden, Incoming, Verdict, merging},
    suite::facts_of,
};
use crate::{
    Result,
    db::{Conversation, ConversationState, Intent, ItemKind, NewItem, OutboxState, mls::Provider},
};

impl Core {
    pub(super) fn commit_of_other(
        &mut self,
        incoming: &Incoming<'_>,
        leaf: LeafNodeIndex,
        account: &AccountId,
        device: &DeviceId,
        staged: StagedCommit,
    ) -> Result<Verdict> {
        let hidden = |why: Hidden| Ok(Verdict::Hidden(why));
        if let Err(mismatch) = check_commit(&incoming.context, &incoming.expected(account, device)) {
            return hidden(mismatch.into());
        }
        let new_facts = match facts_of(staged.group_context()) {
            Ok(bytes) => Facts::from_bytes(bytes),
            Err(problem) => return hidden(problem.into()),
        };
        let Some(new_facts) = new_facts else { return hidden(Hidden::Forbidden) };

        // Whoever it adds, and the fresh leaf of who made it, must be on their owner's list of devices.
        let (mut added, mut missing) = (Vec::new(), Vec::new());
        let fresh = staged.update_path_leaf_node().into_iter().map(|node| (leaf.u32(), node));
        let adds: Vec<_> = staged.add_proposals().collect();
        let newcomers = adds.iter().map(|add| (u32::MAX, add.add_proposal().key_package().leaf_node()));
        for (index, node) in newcomers.chain(fresh) {
            match check_leaf(&self.db, index, node)? {
                LeafCheck::Good(seat) if index == u32::MAX => added.push(seat),
                LeafCheck::Good(seat) if (seat.account, seat.device) == (*account, *device) => {}
                LeafCheck::Good(_) | LeafCheck::Malformed => return hidden(Hidden::Forbidden),
                LeafCheck::NeedsChain(who) => missing.push(who),
            }
        }
        missing.sort();
        missing.dedup();
        // Each of them is a call to the service: an honest member adds no more at once.
        if missing.len() > MAX_ADDS + 1 {
            return hidden(Hidden::Forbidden);
        }
        if !missing.is_empty() {
            return match self.chains_tried(&missing) {
                true => hidden(Hidden::Ghost),
                false => Ok(Verdict::Blocked(Need::Chains(missing))),
            };
        }

        let conversation = incoming.conversation;
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let known = |proposal: &Proposal| {
            matches!(proposal, Proposal::Add(_) | Proposal::Remove(_) | Proposal::GroupContextExtensions(_))
        };
        if !staged.queued_proposals().all(|queued| known(queued.proposal())) {
            return hidden(Hidden::Forbidden);
        }
        let removed: Vec<u32> =
            staged.remove_proposals().map(|p| p.remove_proposal().removed().u32()).collect();
        let old = group.epoch(&self.crypto)?;
        let change = change_of(old, &added, &removed);
        let leavers = self.db.leavers(conversation.id)?;
        if !allowed(&old.facts, &new_facts, &change, account, &leavers) {
            return hidden(Hidden::Forbidden);
        }
        let old_name = old.facts.name.clone();

        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let ours_goes = staged.self_removed();
        // A commit of ours that was on its way has lost; the service will refuse it.
        group.mls.clear_pending_commit(&provider.storage).map_err(merging)?;
        group.mls.merge_staged_commit(&provider, staged).map_err(merging)?;
        if ours_goes {
            return self.we_were_removed(conversation, account).map(|()| Verdict::Taken);
        }
        self.tell_change(conversation, account, &change, &old_name, &new_facts.name)?;
        self.ask_again(conversation, account, &change.added)?;
        if conversation.stuck_ms != 0 {
            self.db.set_stuck(conversation.id, 0)?;
        }
        Ok(Verdict::Taken)
    }

    /// Puts on screen what a commit did, and tidies what it settled.
    pub(super) fn tell_change(
        &mut self,
        conversation: &Conversation,
        by: &AccountId,
        change: &Change,
        old_name: &str,
        new_name: &str,
    ) -> Result<()> {
        let by_name = self.name_of(by)?;
        let mut lines = Vec::new();
        for who in &change.added {
            lines.push(format!("{by_name} added {}.", self.name_of(who)?));
        }
        lines.extend(self.warn_of(conversation, by, &change.added)?);
        for who in &change.removed {
            if !self.db.leavers(conversation.id)?.contains(who) {
                lines.push(format!("{by_name} removed {}.", self.name_of(who)?));
            }
            self.db.set_leaver(conversation.id, who, false)?;
            self.drop_settled_removals(conversation, who)?;
        }
        for who in &change.swapped {
            lines.push(format!("{by_name} let {}'s device in again.", self.name_of(who)?));
        }
        for who in &change.widened {
            lines.push(format!("{by_name} added another device of {}.", self.name_of(who)?));
        }
        if new_name != old_name {
            // A name is words: whom we blocked puts none on our screen.
            if self.db.is_blocked(by)? {
                let name = self.db.conversation(conversation.id)?.map(|now| now.name).unwrap_or_default();
                lines.push(format!(
                    "{by_name} renamed the group. You blocked {by_name}: it stays {name} here."
                ));
            } else {
                self.name_group(conversation.id, new_name)?;
                lines.push(format!("{by_name} named the group {new_name}."));
            }
        }
        for text in &lines {
            self.db.add_item(&NewItem::line(conversation.id, ItemKind::Notice, text))?;
        }
        Ok(())
    }

    /// Removals of ours that someone else has made by now.
    fn drop_settled_removals(&mut self, conversation: &Conversation, who: &AccountId) -> Result<()> {
        for row in self.db.outbox_of(conversation.id)? {
            if row.state == OutboxState::Wanted && row.intent == Intent::Remove(vec![*who]) {
                self.db.outbox_done(row.id)?;
            }
        }
        Ok(())
    }

    fn we_were_removed(&mut self, conversation: &Conversation, by: &AccountId) -> Result<()> {
        let text = match *by == self.me.account {
            true => "You left.".to_owned(),
            false => format!("{} removed you.", self.name_of(by)?),
        };
        self.db.add_item(&NewItem::line(conversation.id, ItemKind::Notice, &text))?;
        self.end_conversation(conversation, ConversationState::Over)
    }

    /// Gives a group its name on this device. Others choose it, so one that is taken here (by a person, or by
    /// another group that is not over) gets a number: a message must never go astray by a name.
    pub(super) fn name_group(&self, id: i64, name: &str) -> Result<()> {
        let mut unique = name.to_owned();
        for number in 2.. {
            let person = self.me.handle == unique || self.db.contact_by_handle(&unique)?.is_some();
            let other = |group: &Conversation| group.id != id && group.state != ConversationState::Over;
            if !person && !self.db.groups_named(&unique)?.iter().any(other) {
                break;
            }
            unique = format!("{name} ({number})");
        }
        self.db.set_name(id, &unique)
    }

    /// How a person is called on screen.
    pub(crate) fn name_of(&self, account: &AccountId) -> Result<String> {
        if *account == self.me.account {
            return Ok("You".into());
        }
        Ok(self.db.handle_of(&account.0)?.unwrap_or_else(|| "someone".into()))
    }
}

/// A commit in terms of people: who has a leaf before, who gets one, who loses theirs.
pub(super) fn change_of(old: &Epoch, added: &[Seat], removed: &[u32]) -> Change {
    let before = old.people();
    let gone: Vec<&Seat> = old.seats.iter().filter(|seat| removed.contains(&seat.leaf)).collect();
    let mut change = Change::default();
    for seat in added {
        let swap = gone.iter().any(|old| (old.account, old.device) == (seat.account, seat.device));
        let list = match swap {
            true => &mut change.swapped,
            false if before.contains(&seat.account) => &mut change.widened,
            false => &mut change.added,
        };
        list.push(seat.account);
    }
    for seat in gone {
        // Losing any device counts: its place is not anyone else's to give away.
        if !added.iter().any(|new| (new.account, new.device) == (seat.account, seat.device)) {
            change.removed.push(seat.account);
        }
    }
    for list in [&mut change.added, &mut change.removed, &mut change.swapped, &mut change.widened] {
        list.sort();
        list.dedup();
    }
    change
}
