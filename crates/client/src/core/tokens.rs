//! Connection tokens: what a friend of ours holds to come to us as no stranger, what we hold of others, and vouching.
//!
//! All clients give them, whatever the age band of who has them, so that giving tells no band. A token is written down, left
//! at the service and sent in one step: nothing of it is lost or doubled by a crash in between.

use openmls::prelude::KeyPackage;
use zegel_content::{MAX_TOKENS, TOKENS_TYPE, Tokens};
use zegel_proto::{AccountId, Address, Token, token_hash, v1};

use super::{Core, suite::named_by};
use crate::{
    Error, Result,
    db::{Conversation, ConversationState, HeldToken, Intent, ItemKind, Kind, NewItem},
};

pub(super) const DAY_MS: u64 = 86_400_000;
/// A friend gets fresh ones so many days before the old ones end, at most.
const RENEW_DAYS: u32 = 14;
/// Tokens of one owner from one person that are kept at most: fresh ones beside those that end soon.
const MOST_OF_ONE: u32 = 2 * MAX_TOKENS as u32;
/// Tokens of others that one person passed on and that are kept at most.
const MOST_PASSED_ON: u32 = 64;
/// No token is believed to be good for longer, in days.
const LONGEST: u32 = 366;
/// Friends who get fresh tokens at one connection, at most: each is a call and a message.
const RENEWED_AT_ONCE: usize = 8;
/// So many days the service keeps mail, and we what we gave after its last day: who came with it is known from it.
const MAIL_DAYS: u32 = 28;

impl Core {
    /// Days since 1970, by the server's clock.
    pub(super) fn today(&self) -> u32 {
        u32::try_from(self.server_ms() / DAY_MS).unwrap_or(u32::MAX)
    }

    /// Brings the tokens that the other person of a direct chat in use holds up to what the rules say; whether any were
    /// missing.
    pub(super) fn top_up(&mut self, conversation: &Conversation) -> Result<bool> {
        let Some(friend) = conversation.peer else { return Ok(false) };
        let numbers = self.policy().tokens.numbers;
        let renew = (numbers.days / 4).min(RENEW_DAYS);
        let today = self.today();
        let have = self.db.given_count(&friend, today.saturating_add(renew))?;
        let most = numbers.per_friend.min(MAX_TOKENS as u32);
        let missing = most.saturating_sub(have);
        if missing == 0 {
            return Ok(false);
        }
        // The service counts from the day on which it learns of them: never earlier than today.
        let last_day = today.saturating_add(numbers.days.saturating_sub(1));
        let tokens: Vec<Token> = (0..missing).map(|_| Token::random()).collect();
        for token in &tokens {
            self.db.give_token(token, &friend, last_day)?;
        }
        let token_hashes = tokens.iter().map(|token| token_hash(&token.0).to_vec().into()).collect();
        let put = v1::PutToken { token_hashes, connection: true };
        let call = self.db.add_call(v1::client_frame::Body::PutToken(put))?;
        let of = self.me.account.0;
        let content = self.tokens_content(conversation, of, last_day, &tokens)?;
        self.db.add_intent(conversation.id, &Intent::Tokens { call, content }, 0, 0)?;
        Ok(true)
    }

    fn tokens_content(
        &mut self,
        conversation: &Conversation,
        of: [u8; 16],
        last_day: u32,
        tokens: &[Token],
    ) -> Result<Vec<u8>> {
        let tokens = Tokens { of, last_day, tokens: tokens.iter().map(|token| token.0).collect() };
        let body = tokens.encode().map_err(|e| Error::mls("giving tickets")(&e))?;
        self.silent_content(conversation, TOKENS_TYPE, body)
    }

    /// Forgets tokens that are over, and gives friends fresh ones for those that they used and before theirs are over: each
    /// at most once a day, at a time that nothing they do has to do with.
    pub(crate) fn renew_tokens(&mut self) -> Result<()> {
        self.step(|core| {
            let today = core.today();
            core.db.drop_old_tokens(today, MAIL_DAYS)?;
            let mut renewed = 0;
            for chat in core.db.conversations()? {
                let Some(friend) = chat.peer.filter(|_| chat.state == ConversationState::Open) else {
                    continue;
                };
                if renewed == RENEWED_AT_ONCE {
                    break;
                }
                if !core.is_their_turn(&friend)? {
                    continue;
                }
                let current = core.direct_chat(&friend)?.is_some_and(|current| current.id == chat.id);
                if current && !core.db.is_ended(&friend)? {
                    core.set_turn(&friend)?;
                    renewed += usize::from(core.top_up(&chat)?);
                }
            }
            Ok(())
        })
    }

    /// Somebody sent tokens: their own, or one that a friend of theirs gave them.
    pub(super) fn take_tokens(
        &mut self,
        conversation: &Conversation,
        from: &AccountId,
        tokens: &Tokens,
    ) -> Result<()> {
        let owner = AccountId(tokens.of);
        let own = owner == *from;
        let now = self.db.conversation(conversation.id)?.map(|now| now.state);
        let talk = match now {
            Some(ConversationState::Open) => true,
            // Theirs are kept for when we have answered.
            Some(ConversationState::Asked | ConversationState::Request) => own,
            _ => false,
        };
        let theirs = conversation.kind == Kind::Direct && conversation.peer == Some(*from);
        let today = self.today();
        let blocked = self.db.is_blocked(from)? || self.db.is_blocked(&owner)?;
        if !talk || !theirs || blocked || owner == self.me.account || tokens.last_day < today {
            return Ok(());
        }
        let last_day = tokens.last_day.min(today.saturating_add(LONGEST));
        let mut kept = false;
        for token in &tokens.tokens {
            let held = HeldToken { token: Token(*token), last_day };
            kept |= self.db.keep_token((&owner, from), &held, MOST_OF_ONE, MOST_PASSED_ON)?;
        }
        if kept && !own {
            let by = self.name_of(from)?;
            let text = match self.db.handle_of(&owner.0)? {
                Some(to) => format!(
                    "{by} vouches for you: you can write to {to}, who will see that you come through {by}."
                ),
                None => format!("{by} vouches for you to a friend, who will see that you come through {by}."),
            };
            self.db.add_item(&NewItem::line(conversation.id, ItemKind::Notice, &text))?;
        }
        Ok(())
    }

    /// Somebody came and showed a token: if it is one of ours that somebody else was given, that friend. Its own friend gets
    /// another one in its place when it is time.
    pub(super) fn shown_token(&mut self, token: &[u8], by: &AccountId) -> Result<Option<AccountId>> {
        let Some(friend) = self.db.given_to(token)? else { return Ok(None) };
        if friend != *by {
            self.db.token_passed(token)?;
            return Ok(Some(friend));
        }
        self.db.token_used(token)?;
        Ok(None)
    }

    /// Who is added, each with the contact code or else a token of theirs, if we hold one. The tokens go with the outbox
    /// row.
    pub(super) fn newcomers(
        &mut self,
        add: &[(KeyPackage, Address)],
        code: Option<&Token>,
        row: i64,
    ) -> Result<Vec<v1::Newcomer>> {
        let mut shown: Vec<(AccountId, Option<Token>)> = Vec::new();
        let mut newcomers = Vec::with_capacity(add.len());
        for (package, address) in add {
            let account = named_by(package.leaf_node().credential()).map(|(account, _)| account);
            let known = shown.iter().find(|(who, _)| Some(*who) == account).map(|(_, token)| *token);
            let token = match (code, known, account) {
                (Some(code), ..) => Some(*code),
                (None, Some(known), _) => known,
                (None, None, Some(account)) => {
                    let held = self.token_for(&account)?;
                    if let Some(held) = &held {
                        self.db.token_goes_with(&account, &held.token, row)?;
                    }
                    let token = held.map(|held| held.token);
                    shown.push((account, token));
                    token
                }
                (None, None, None) => None,
            };
            newcomers.push(v1::Newcomer {
                address: address.to_field(),
                token: token.map(|token| token.to_field()).unwrap_or_default(),
            });
        }
        Ok(newcomers)
    }

    /// Whether we could come to this person as no stranger.
    pub(crate) fn holds_token_of(&self, who: &AccountId) -> Result<bool> {
        Ok(self.token_for(who)?.is_some())
    }

    /// What we may show to come to this person. To whom we talk already we come with what they gave, or as we are: what
    /// somebody passed on may be good for nothing, and would then keep us from them.
    fn token_for(&self, who: &AccountId) -> Result<Option<HeldToken>> {
        let mut talk = false;
        for chat in self.db.direct_with(who)? {
            talk |= chat.state == ConversationState::Open && !self.is_unheard(&chat)?;
        }
        self.db.token_of(who, talk, self.today())
    }

    /// Passes one token that `friend` gave us on to `newcomer`; returns the outbox row.
    pub(crate) fn vouch(&mut self, friend: &str, newcomer: &str) -> Result<i64> {
        let doing = "vouching for somebody";
        let open_chat = |core: &Self, handle: &str| {
            let contact = core.db.contact_by_handle(handle)?;
            let chat = contact.map(|contact| core.direct_chat(&contact.account)).transpose()?.flatten();
            let chat = chat.filter(|chat| chat.state == ConversationState::Open);
            let none =
                || Error::usage(doing, format!("{handle} and you do not talk"), "it once both have accepted");
            chat.ok_or_else(none)
        };
        let (owner, chat) = (open_chat(self, friend)?.peer, open_chat(self, newcomer)?);
        let Some(owner) = owner.filter(|owner| chat.peer != Some(*owner)) else {
            return Err(Error::usage(doing, "those are the same person", "two people"));
        };
        self.step(|core| {
            // Only what came from its owner: a token is passed on once.
            let held = core.db.token_of(&owner, true, core.today())?.ok_or_else(|| {
                let most = core.policy().tokens.numbers.per_friend;
                let why = format!("you hold no ticket to {friend} now, and never more than {most}");
                Error::usage(
                    doing,
                    why,
                    "again in a day or two: their device gives new ones at most once a day",
                )
            })?;
            core.db.drop_token(&owner, &held.token)?;
            let content = core.tokens_content(&chat, owner.0, held.last_day, &[held.token])?;
            core.db.add_intent(chat.id, &Intent::App(content), 0, 0)
        })
    }
}
