//! Founding a conversation: commit, Welcome and perhaps first message in one submission.

use openmls::group::MlsGroup;
use zegel_content::Event;
use zegel_proto::{
    AccountId, Address, GroupId, MAX_ADDS, Message as _, SubmissionId, Token, address_tag, v1,
};

use super::{
    Core,
    facts::{Facts, MAX_NAME},
    make::{Shape, commit, encrypt},
    say::{Said, check_text},
    suite,
};
use crate::{
    Error, Result,
    db::{
        Conversation, ConversationState, Intent, Intro, ItemKind, Kind, NewItem,
        conversations::NewConversation, mls::Provider,
    },
};

const DOING: &str = "beginning a conversation";

impl Core {
    /// Founds a direct chat with a person: their devices' key packages are at hand. With `code` (their contact code) both
    /// are connected at once; without, it is an introduction with `text`.
    pub(crate) fn found_direct(
        &mut self,
        peer: &AccountId,
        packages: &[v1::DeviceKeyPackage],
        text: Option<&str>,
        code: Option<&Token>,
    ) -> Result<Said> {
        text.map_or(Ok(()), check_text)?;
        self.step(|core| {
            let facts = Facts::direct(core.me.account, *peer);
            let state = if code.is_some() { ConversationState::Open } else { ConversationState::Asked };
            // What a code began and they never answered may have reached nobody.
            for old in core.db.direct_with(peer)? {
                if core.is_unheard(&old)? {
                    core.heard(&old)?;
                    core.end_as(&old, ConversationState::Over, None)?;
                }
            }
            let conversation = core.new_group(Kind::Direct, Some(*peer), &facts, state)?;
            if code.is_some() {
                core.db.set_meta(&unheard(&conversation), &[])?;
            }
            core.db.set_accepted(peer, true)?;
            // Their introduction came while we made ours: each has written to the other, so both are answered.
            for theirs in core.db.direct_with(peer)? {
                if theirs.state == ConversationState::Request {
                    core.accept_now(&theirs)?;
                }
            }
            let (content, item, id) = match text {
                Some(text) => {
                    let (bytes, id, item) = core.text_content(&conversation, text)?;
                    (bytes, item, id)
                }
                // The first message of a connection says just that.
                None => (core.event_content(&conversation, Event::Accept)?, 0, [0; 32]),
            };
            let people = std::slice::from_ref(peer);
            let outbox = core.found(&conversation, people, packages, code, Some(&content), item)?;
            if code.is_some() {
                core.first_tokens(&conversation)?;
            }
            Ok(Said { outbox, id })
        })
    }

    /// Whether a contact code began this chat, and nothing came back: the code may have been used before.
    pub(crate) fn is_unheard(&self, conversation: &Conversation) -> Result<bool> {
        let begun = conversation.kind == Kind::Direct && conversation.state == ConversationState::Open;
        Ok(begun && self.db.meta(&unheard(conversation))?.is_some())
    }

    /// Something came from the other person of a chat.
    pub(super) fn heard(&self, conversation: &Conversation) -> Result<()> {
        self.db.drop_meta(&unheard(conversation))
    }

    /// Founds a named group with its first members; the rest of the people follow in commits of their own.
    pub(crate) fn found_group(
        &mut self,
        name: &str,
        people: &[AccountId],
        packages: &[v1::DeviceKeyPackage],
    ) -> Result<Vec<i64>> {
        check_group_name(name)?;
        self.step(|core| {
            let facts = Facts::group(name, core.me.account);
            let conversation = core.new_group(Kind::Group, None, &facts, ConversationState::Open)?;
            let (first, rest) = people.split_at(people.len().min(MAX_ADDS));
            let mut rows = vec![core.found(&conversation, first, packages, None, None, 0)?];
            for some in rest.chunks(MAX_ADDS) {
                rows.push(core.db.add_intent(conversation.id, &Intent::Add(some.to_vec()), 0, 0)?);
            }
            let text = format!("You created the group {name}.");
            core.db.add_item(&NewItem::line(conversation.id, ItemKind::Notice, &text))?;
            Ok(rows)
        })
    }

    fn new_group(
        &mut self,
        kind: Kind,
        peer: Option<AccountId>,
        facts: &Facts,
        state: ConversationState,
    ) -> Result<Conversation> {
        let (group, address) = (GroupId::random(), Address::random());
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let config = suite::create_config(&facts.to_bytes(), &address, self.server_ms());
        let id = openmls::group::GroupId::from_slice(&group.0);
        let credential = self.me.credential_with_key();
        let mls = MlsGroup::new_with_group_id(&provider, &self.me, &config, id, credential)
            .map_err(|e| Error::mls(DOING)(&e))?;
        self.groups.put(group, mls);
        let id = self.db.add_conversation(&NewConversation {
            group,
            kind,
            peer,
            name: facts.name.clone(),
            state,
            introducer: None,
            intro: Intro::default(),
            address,
            last_resort: false,
            made_ms: self.now_ms(),
        })?;
        // Mail of this conversation can come in from the moment it is founded.
        let (address, tag) = (address.to_field(), address_tag(&address, &group).to_vec().into());
        self.db.add_call(v1::client_frame::Body::BindAddress(v1::BindAddress { address, tag }))?;
        self.db.conversation(id)?.ok_or_else(|| Error::mls(DOING)(&"it vanished"))
    }

    /// The founding submission. Nobody can compete for a fresh random group id, so its commit is merged at once.
    fn found(
        &mut self,
        conversation: &Conversation,
        people: &[AccountId],
        packages: &[v1::DeviceKeyPackage],
        code: Option<&Token>,
        first: Option<&[u8]>,
        item: i64,
    ) -> Result<i64> {
        let mut add = Vec::new();
        for package in packages {
            add.extend(self.checked_package(package, people)?);
        }
        if add.is_empty() {
            let why = "the service gave no usable keys for them";
            return Err(Error::usage(DOING, why, "later: their device may have to connect once"));
        }
        let row = self.db.add_intent(conversation.id, &Intent::Found, item, 0)?;
        let newcomers = self.newcomers(&add, code, row)?;
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let head_token = group.epoch(&self.crypto)?.token.clone();
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let made = commit(&provider, &self.me, &mut group.mls, Shape { add, ..Shape::default() })?;
        group.mls.merge_pending_commit(&provider).map_err(|e| Error::mls(DOING)(&e))?;
        let first = match first {
            Some(content) => {
                let salt = zegel_content::Content::decode(content).map_err(|e| Error::mls(DOING)(&e))?.salt;
                encrypt(&provider, &self.me, &mut group.mls, &salt, content)?
            }
            None => Vec::new(),
        };
        let submission = SubmissionId::random();
        let submit = v1::Submit {
            submission_id: submission.to_field(),
            group_id: conversation.group.to_field(),
            epoch: 0,
            token: head_token.into(),
            message: made.commit.into(),
            next_token_hash: made.next_token_hash.to_vec().into(),
            addresses: Vec::new(),
            welcome: Some(v1::WelcomeOut {
                welcome: made.welcome.unwrap_or_default().into(),
                newcomers,
                tree_blob: made.tree.0.clone().into(),
            }),
            first: first.into(),
        };
        self.db.outbox_made(row, &submission, &submit.encode_to_vec(), (&made.tree.0, &made.tree.1))?;
        Ok(row)
    }
}

fn unheard(conversation: &Conversation) -> String {
    format!("unheard {}", conversation.id)
}

pub(super) fn check_group_name(name: &str) -> Result<()> {
    let doing = "naming a group";
    if name.trim().is_empty() || name.chars().any(char::is_control) {
        return Err(Error::usage(doing, "the name is empty or has control characters", "a plain name"));
    }
    if name.len() > MAX_NAME {
        return Err(Error::usage(doing, format!("the name has more than {MAX_NAME} bytes"), "a shorter one"));
    }
    Ok(())
}
