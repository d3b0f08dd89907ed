//! A stamped message of a conversation: held against what MLS and the chain say, then shown.

use openmls::prelude::{
    LeafNodeIndex, MlsMessageBodyIn, MlsMessageIn, PrivateMessageIn, ProcessedMessage,
    ProcessedMessageContent, Sender, tls_codec::DeserializeBytes as _,
};
use zegel_content::{Content, Event, Shown};
use zegel_franking::{Chain, Context, Expected, Link, check_received};
use zegel_proto::{
    AccountId, DeviceId, GroupId, Kind as MlsKind, MlsHead, read_mls_head, room_uri, user_uri, v1,
};

use super::{
    Core,
    mailbox::{SKIPPED, Step},
    suite::named_by,
};
use crate::{
    Error, Result,
    db::{Conversation, ConversationState, Intent, ItemKind, ItemState, Kind, NewItem, mls::Provider},
};

/// Why a message is not shown, or a commit not taken. The text completes "A message could not be shown: …".
#[derive(Debug, thiserror::Error)]
pub(crate) enum Hidden {
    #[error("it was kept back too long by the service and is gone")]
    Gone,
    #[error("{0}")]
    Head(#[from] zegel_proto::HeadError),
    #[error("its stamp cannot be read ({0})")]
    Stamp(#[from] zegel_franking::ContextError),
    #[error(
        "it belongs to a later state of the conversation than this device has; it asks to be let in again"
    )]
    Ahead,
    #[error("it belongs to an earlier state of the conversation")]
    Behind,
    #[error("it could not be decrypted ({0})")]
    Mls(String),
    #[error("{0}")]
    Mismatch(#[from] zegel_franking::Mismatch),
    #[error("its content cannot be read ({0})")]
    Content(#[from] zegel_content::ContentError),
    #[error("it claims another sender or conversation than it has")]
    Claim,
    #[error("it changes the conversation in a way that its sender may not")]
    Forbidden,
    #[error("{0}")]
    Context(#[from] super::suite::ContextProblem),
    #[error("it adds a device that its owner's list of devices does not have")]
    Ghost,
}

/// What a checked message turned out to be.
pub(super) enum Verdict {
    /// It is on screen, with its stamp.
    Shown,
    /// It did what it says.
    Taken,
    Blocked(super::Need),
    Hidden(Hidden),
}

/// A message on its way in.
pub(super) struct Incoming<'a> {
    pub conversation: &'a Conversation,
    pub context: Context,
    pub stamped: &'a v1::Stamped,
    pub head: MlsHead,
    pub bytes: &'a [u8],
}

impl Core {
    pub(super) fn message(&mut self, message: &v1::Message) -> Result<Step> {
        let Ok(group) = GroupId::from_slice(&message.group_id) else {
            return self.stray("it names no conversation");
        };
        let Some(conversation) = self.db.conversation_of_group(&group)? else {
            return self.stray("its conversation is not known to this device");
        };
        let ended = [ConversationState::Declined, ConversationState::Over, ConversationState::Broken];
        if ended.contains(&conversation.state) {
            return Ok(Step::Done);
        }
        let stamped = message.stamped.clone().unwrap_or_default();
        let context = match Context::from_bytes(&stamped.context) {
            Ok(context) => context,
            Err(error) => return self.hide(&conversation, None, error.into()),
        };
        if message.message.is_empty() {
            self.follow_chain(&conversation, &context)?;
            self.keep_place(&conversation, &context, &stamped)?;
            return self.hide(&conversation, Some(&context), Hidden::Gone);
        }
        let head = match read_mls_head(&message.message) {
            Ok(head) if head.group == group => head,
            Ok(_) => return self.hide(&conversation, Some(&context), Hidden::Claim),
            Err(error) => return self.hide(&conversation, Some(&context), error.into()),
        };
        // What blocks is undone as a whole, so the chain may move first.
        self.follow_chain(&conversation, &context)?;
        let incoming = Incoming {
            conversation: &conversation,
            context,
            stamped: &stamped,
            head,
            bytes: &message.message,
        };
        match self.check_epoch_and_process(&incoming)? {
            Verdict::Shown => Ok(Step::Done),
            Verdict::Taken => {
                self.keep_place(&conversation, &incoming.context, &stamped)?;
                Ok(Step::Done)
            }
            Verdict::Blocked(need) => Ok(Step::Blocked(need)),
            Verdict::Hidden(why) => {
                self.keep_place(&conversation, &incoming.context, &stamped)?;
                self.fall_behind(&incoming, &why)?;
                self.hide(&conversation, Some(&incoming.context), why)
            }
        }
    }

    fn stray(&mut self, why: &str) -> Result<Step> {
        let text = format!("A message could not be shown: {why}.");
        self.db.add_item(&NewItem::line(0, ItemKind::Hidden, &text))?;
        Ok(Step::Done)
    }

    fn hide(&mut self, conversation: &Conversation, context: Option<&Context>, why: Hidden) -> Result<Step> {
        let text = format!("A message could not be shown: {why}.");
        let mut line = NewItem::line(conversation.id, ItemKind::Hidden, &text);
        if let Some(context) = context {
            line.sender = &context.sender_account;
            line.seq = context.server_seq;
            line.accepted_ms = context.accepted_ms;
        }
        self.db.add_item(&line)?;
        Ok(Step::Done)
    }

    /// What a message that is not shown means for the conversation. Only a missed change of it stops us, never a
    /// mere message: otherwise one member's garbage would silence all others.
    fn fall_behind(&mut self, incoming: &Incoming<'_>, why: &Hidden) -> Result<()> {
        let conversation = incoming.conversation;
        let commit = incoming.head.kind == MlsKind::Commit;
        match why {
            // The epoch that is missing may be had by asking to be let in again.
            Hidden::Ahead if conversation.stuck_ms == 0 => self.db.set_stuck(conversation.id, self.now_ms()),
            Hidden::Mls(_) if commit && conversation.stuck_ms == 0 => {
                self.db.set_stuck(conversation.id, self.now_ms())
            }
            // The service has moved on into what we refuse: there is no way back into this conversation.
            Hidden::Forbidden | Hidden::Ghost | Hidden::Context(_) | Hidden::Mismatch(_) if commit => {
                let by = self.name_of(&AccountId(incoming.context.sender_account))?;
                self.break_off(conversation, &format!("{by} changed it in a way that is not allowed"))
            }
            _ => Ok(()),
        }
    }

    /// Nothing can be sent or received in a conversation any more; says so, and what to do.
    pub(super) fn break_off(&mut self, conversation: &Conversation, why: &str) -> Result<()> {
        self.db.set_state(conversation.id, ConversationState::Broken)?;
        let text =
            format!("This conversation cannot go on: {why}. Begin a new one without whoever broke it.");
        self.db.add_item(&NewItem::line(conversation.id, ItemKind::Gap, &text))?;
        for row in self.db.outbox_of(conversation.id)? {
            if row.item != 0 {
                self.db.item_failed(row.item)?;
            }
            self.db.outbox_done(row.id)?;
        }
        Ok(())
    }

    /// Keeps the stamp of what is no line on screen: a report's run names it, and shows no gap there.
    pub(super) fn keep_place(
        &self,
        conversation: &Conversation,
        context: &Context,
        stamped: &v1::Stamped,
    ) -> Result<()> {
        self.db.keep_place(conversation.id, context.server_seq, &stamped.context, &stamped.stamp)
    }

    /// Moves the conversation's chain on; a break is shown and hides nothing.
    pub(super) fn follow_chain(&mut self, conversation: &Conversation, context: &Context) -> Result<()> {
        let fresh = self.db.conversation(conversation.id)?;
        let (next_seq, prev) = fresh.map_or((0, Vec::new()), |c| (c.chain_next, c.chain_prev));
        let Ok(prev) = <[u8; 32]>::try_from(prev) else {
            let chain = Chain::origin(context);
            return self.db.set_chain(conversation.id, chain.next_seq, &chain.prev);
        };
        let mut chain = Chain { next_seq, prev };
        let text = match chain.check(context) {
            Link::Next => None,
            Link::Gap { missing } if missing > SKIPPED => {
                Some("The service was restored from a backup: messages may be missing here.".to_owned())
            }
            Link::Gap { missing: 1 } => Some("1 message is missing here.".to_owned()),
            Link::Gap { missing } => Some(format!("{missing} messages are missing here.")),
            Link::Fork => Some("The service's record of this conversation changed its past here.".to_owned()),
            Link::Repeat => Some("The service sent a message again out of its place.".to_owned()),
        };
        if let Some(text) = text {
            let mut line = NewItem::line(conversation.id, ItemKind::Gap, &text);
            line.seq = context.server_seq;
            self.db.add_item(&line)?;
        }
        self.db.set_chain(conversation.id, chain.next_seq, &chain.prev)
    }

    fn check_epoch_and_process(&mut self, incoming: &Incoming<'_>) -> Result<Verdict> {
        let group = self.groups.get(&self.db, &self.crypto, &incoming.conversation.group)?;
        let epoch = group.mls.epoch().as_u64();
        if incoming.head.epoch > epoch {
            return Ok(Verdict::Hidden(Hidden::Ahead));
        }
        if incoming.head.epoch < epoch {
            return Ok(Verdict::Hidden(Hidden::Behind));
        }
        let Some(private) = private_message(incoming.bytes) else {
            return Ok(Verdict::Hidden(Hidden::Mls("not a private message".into())));
        };
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let processed = match group.mls.process_message(&provider, private) {
            Ok(processed) => processed,
            Err(error) => return Ok(Verdict::Hidden(Hidden::Mls(error.to_string()))),
        };
        let leaf = match processed.sender() {
            Sender::Member(leaf) => *leaf,
            _ => return Ok(Verdict::Hidden(Hidden::Forbidden)),
        };
        let Some((account, device)) = group.mls.member(leaf).and_then(named_by) else {
            return Ok(Verdict::Hidden(Hidden::Claim));
        };
        match (incoming.head.kind, processed) {
            (MlsKind::Application { .. }, processed) => {
                self.application(incoming, &account, &device, processed)
            }
            (MlsKind::Commit, processed) => match processed.into_content() {
                ProcessedMessageContent::StagedCommitMessage(staged) => {
                    self.commit_of_other(incoming, leaf, &account, &device, *staged)
                }
                _ => Ok(Verdict::Hidden(Hidden::Forbidden)),
            },
        }
    }

    fn application(
        &mut self,
        incoming: &Incoming<'_>,
        account: &AccountId,
        device: &DeviceId,
        processed: ProcessedMessage,
    ) -> Result<Verdict> {
        let ProcessedMessageContent::ApplicationMessage(message) = processed.into_content() else {
            return Ok(Verdict::Hidden(Hidden::Forbidden));
        };
        let bytes = message.into_bytes();
        let content = match Content::decode(&bytes) {
            Ok(content) => content,
            Err(error) => return Ok(Verdict::Hidden(error.into())),
        };
        let expected = incoming.expected(account, device);
        if let Err(mismatch) = check_received(&incoming.context, &expected, &content.salt, &bytes) {
            return Ok(Verdict::Hidden(mismatch.into()));
        }
        let handle = self.db.handle_of(&account.0)?.unwrap_or_default();
        let domain = &self.me.domain;
        let claims = content.sender_uri == user_uri(domain, &handle)
            && content.room_uri == room_uri(domain, &incoming.conversation.room);
        if !claims {
            return Ok(Verdict::Hidden(Hidden::Claim));
        }
        if incoming.conversation.peer == Some(*account) {
            self.heard(incoming.conversation)?;
        }
        self.compare_history(incoming, &handle, &content)?;
        let verdict = self.show(incoming, account, &handle, &content, &bytes)?;
        if let Some(seen) = &content.seen_root
            && self.is_open_with(incoming.conversation, account)?
        {
            self.hear(seen, account)?;
        }
        Ok(verdict)
    }

    /// Whether the conversation is in use, also if that very message made it so, and we want to hear from them.
    fn is_open_with(&self, conversation: &Conversation, account: &AccountId) -> Result<bool> {
        let now = self.db.conversation(conversation.id)?;
        let open = now.is_some_and(|now| now.state == ConversationState::Open);
        Ok(open && !self.db.is_blocked(account)?)
    }

    /// Whether the sender saw the same past as we: a service that shows people different conversations is found out
    /// by what they say of it inside their sealed messages.
    fn compare_history(&mut self, incoming: &Incoming<'_>, handle: &str, content: &Content) -> Result<()> {
        let Some(seen) = content.last_seen else { return Ok(()) };
        let ours = match seen.server_seq.checked_add(1) {
            Some(next) if next == incoming.context.server_seq => Some(incoming.context.prev_stamp_hash),
            _ => self.db.stamp_hash_at(incoming.conversation.id, seen.server_seq)?,
        };
        if ours.is_some_and(|ours| ours != seen.stamp_hash) {
            let text = format!("The service showed {handle} another past of this conversation than you.");
            let mut line = NewItem::line(incoming.conversation.id, ItemKind::Gap, &text);
            line.seq = incoming.context.server_seq;
            self.db.add_item(&line)?;
        }
        Ok(())
    }

    /// A proven message: what it does.
    fn show(
        &mut self,
        incoming: &Incoming<'_>,
        account: &AccountId,
        handle: &str,
        content: &Content,
        bytes: &[u8],
    ) -> Result<Verdict> {
        let id = zegel_content::message_id(content, bytes);
        let (kind, text) = match content.body() {
            Shown::Text(text) => (ItemKind::Text, text),
            Shown::Unsupported { content_type } => (ItemKind::Unsupported, content_type),
            Shown::Event(event) => {
                self.event(incoming.conversation, account, handle, event)?;
                return Ok(Verdict::Taken);
            }
            Shown::Tokens(tokens) => {
                self.take_tokens(incoming.conversation, account, &tokens)?;
                return Ok(Verdict::Taken);
            }
            Shown::Guardian(said) => {
                let at_ms = incoming.context.accepted_ms;
                self.guardian_said(incoming.conversation, account, *said, at_ms)?;
                return Ok(Verdict::Taken);
            }
        };
        // Blocked people cannot be kept out of a shared group by one member; they are just not shown.
        if self.db.is_blocked(account)? {
            return Ok(Verdict::Taken);
        }
        let added = self.db.add_item(&NewItem {
            conversation: incoming.conversation.id,
            kind,
            message_id: Some(&id.0),
            sender: &account.0,
            text,
            sent_ms: content.sent_ms,
            accepted_ms: incoming.context.accepted_ms,
            seq: incoming.context.server_seq,
            state: ItemState::Received,
            content: bytes,
            context: &incoming.stamped.context,
            stamp: &incoming.stamped.stamp,
        })?;
        Ok(if added.is_some() { Verdict::Shown } else { Verdict::Taken })
    }

    fn event(
        &mut self,
        conversation: &Conversation,
        account: &AccountId,
        handle: &str,
        event: Event,
    ) -> Result<()> {
        match event {
            Event::Accept => {
                if conversation.kind == Kind::Direct && conversation.state == ConversationState::Asked {
                    self.db.set_state(conversation.id, ConversationState::Open)?;
                    let text = format!("{handle} accepted.");
                    self.db.add_item(&NewItem::line(conversation.id, ItemKind::Notice, &text))?;
                    self.first_tokens(conversation)?;
                }
                Ok(())
            }
            Event::Leave => {
                self.db.set_leaver(conversation.id, account, true)?;
                let text = format!("{handle} left.");
                self.db.add_item(&NewItem::line(conversation.id, ItemKind::Notice, &text))?;
                if conversation.kind == Kind::Direct {
                    return Ok(());
                }
                // The lowest leaf tidies the leaver away; after a minute the next, and so on.
                let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
                let own = group.mls.own_leaf_index().u32();
                let staying = |leaf: u32, seat: &super::groups::Seat| leaf < own && seat.account != *account;
                let seats = &group.epoch(&self.crypto)?.seats;
                let before_us = seats.iter().filter(|seat| staying(seat.leaf, seat)).count() as u64;
                let not_before = self.now_ms() + before_us * 60_000;
                self.db.add_intent(conversation.id, &Intent::Remove(vec![*account]), 0, not_before)?;
                Ok(())
            }
        }
    }
}

impl Incoming<'_> {
    /// What a stamp must agree with when this leaf sent it.
    pub(super) fn expected<'a>(&'a self, account: &'a AccountId, device: &'a DeviceId) -> Expected<'a> {
        Expected {
            room: &self.conversation.room.0,
            epoch: self.head.epoch,
            account: &account.0,
            device: &device.0,
            ciphertext: self.bytes,
        }
    }
}

/// Only a PrivateMessage ever reaches openmls.
pub(super) fn private_message(bytes: &[u8]) -> Option<PrivateMessageIn> {
    match MlsMessageIn::tls_deserialize_exact_bytes(bytes).ok()?.extract() {
        MlsMessageBodyIn::PrivateMessage(message) => Some(message),
        _ => None,
    }
}

/// The leaf index as openmls counts.
pub(super) fn leaf_index(leaf: u32) -> LeafNodeIndex {
    LeafNodeIndex::new(leaf)
}

/// An MLS failure while merging: the step fails and nothing of it remains.
pub(super) fn merging(error: impl std::fmt::Display) -> Error {
    Error::mls("taking a change of a conversation")(&error)
}
