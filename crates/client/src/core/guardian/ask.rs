//! What a child's device asks the guardian before somebody new comes, and what their answer does.

use zegel_content::{Asked, Guardian, MAX_NAMES};
use zegel_proto::{AccountId, Token, v1::AgeBand};
use zegel_safety::guardian_may;

use super::{Core, Heard, contacts::clean, words::Word, words::band_name};
use crate::{
    Error, Result,
    db::{Ask, Conversation, ConversationState, Errand, Kind, Link, Role},
};

const ASKING: &str = "asking your guardian";

/// What lets the service take another age, if that was asked.
#[derive(Default)]
pub(super) struct Permit {
    pub secret: Option<[u8; 32]>,
    /// The hash of the secret that takes its place.
    pub next: Option<[u8; 32]>,
}

pub(super) fn kind(what: &Asked) -> &'static str {
    match what {
        Asked::Contact { .. } => "contact",
        Asked::Group { .. } => "group",
        Asked::Age { .. } => "age",
    }
}

pub(super) fn name(what: &Asked) -> &str {
    match what {
        Asked::Contact { handle } => handle,
        Asked::Group { name, .. } => name,
        Asked::Age { band } => band_name(*band),
    }
}

/// As it is kept: in the form that it is sent in.
pub(super) fn to_bytes(what: &Asked) -> Result<Vec<u8>> {
    let ask = Guardian::Ask { id: [0; 16], what: what.clone() };
    ask.encode().map_err(|e| Error::usage(ASKING, e.to_string(), "someone else"))
}

pub(super) fn from_bytes(bytes: &[u8]) -> Option<Asked> {
    match Guardian::decode(bytes) {
        Ok(Guardian::Ask { what, .. }) => Some(what),
        _ => None,
    }
}

impl Core {
    /// Whether a request may be accepted without asking a guardian: there is none, or they allowed it, or it comes from
    /// them or from ourselves.
    pub(in crate::core) fn may_open(&self, conversation: &Conversation) -> Result<bool> {
        let Some(link) = self.db.our_guardian()? else { return Ok(true) };
        let ours = [Some(link.account), Some(self.me.account)].contains(&conversation.introducer);
        Ok(match (conversation.kind, conversation.peer) {
            _ if ours => true,
            (Kind::Direct, Some(peer)) => self.db.is_allowed(&peer)?,
            _ => false,
        })
    }

    /// Within a step: asks the guardian whether this request may be accepted, unless it may already. The guardian's
    /// handle, if it has to wait; it is then accepted by itself when they allow it.
    pub(in crate::core) fn ask_to_open(&mut self, conversation: &Conversation) -> Result<Option<String>> {
        let Some(link) = self.db.our_guardian()? else { return Ok(None) };
        if self.may_open(conversation)? {
            return Ok(None);
        }
        let what = match (conversation.kind, conversation.peer) {
            (Kind::Direct, Some(peer)) => Asked::Contact { handle: self.name_of(&peer)? },
            _ => self.group_asked(conversation)?,
        };
        self.ask(&link, &what, conversation.peer, conversation.id).map(Some)
    }

    /// Within a step: asks the guardian whether we may write to, connect with or add this person, unless we may already.
    /// The guardian's handle, if we have to wait.
    pub(crate) fn ask_to_meet(&mut self, who: &AccountId) -> Result<Option<String>> {
        let Some(link) = self.db.our_guardian()? else { return Ok(None) };
        if *who == link.account || *who == self.me.account || self.db.is_allowed(who)? {
            return Ok(None);
        }
        let what = Asked::Contact { handle: self.name_of(who)? };
        self.ask(&link, &what, Some(*who), 0).map(Some)
    }

    /// Asks the guardian for an older age band. Their handle; `None` without a guardian, or for what none can allow.
    pub(crate) fn ask_for_age(&mut self, wanted: AgeBand) -> Result<Option<String>> {
        let band = match wanted {
            AgeBand::Teen => 2,
            AgeBand::Adult => 3,
            AgeBand::Unknown | AgeBand::Child => return Ok(None),
        };
        let step = guardian_may(self.own_band()?, wanted);
        self.step(|core| match core.db.our_guardian()? {
            Some(_) if !step => {
                let why =
                    "a guardian allows one step at a time, and a child's account becomes a teen's first";
                Err(Error::usage(ASKING, why, "`age teen`"))
            }
            Some(link) => core.ask(&link, &Asked::Age { band }, None, 0).map(Some),
            None => Ok(None),
        })
    }

    /// The guardian's handle, if they are asked about this request; else empty.
    pub(crate) fn waits_for(&self, conversation: &Conversation) -> Result<String> {
        let Some(link) = self.db.our_guardian()? else { return Ok(String::new()) };
        let asked = self.db.asks_of(&link.account)?.iter().any(|ask| ask.conversation == conversation.id);
        if asked { self.name_of(&link.account) } else { Ok(String::new()) }
    }

    fn group_asked(&mut self, conversation: &Conversation) -> Result<Asked> {
        let me = self.me.account;
        let mut people = Vec::new();
        for who in self.people(conversation)?.into_iter().filter(|who| *who != me) {
            people.extend(self.db.handle_of(&who.0)?);
        }
        people.sort();
        people.truncate(MAX_NAMES);
        Ok(Asked::Group { name: clean(&conversation.name), people })
    }

    /// Asks once: what is asked already is asked again only where the chat that it was asked in is gone. The guardian's
    /// handle.
    fn ask(
        &mut self,
        guardian: &Link,
        what: &Asked,
        subject: Option<AccountId>,
        conversation: i64,
    ) -> Result<String> {
        let bytes = to_bytes(what)?;
        let open = self.db.asks_of(&guardian.account)?.into_iter().find(|ask| ask.what == bytes);
        let chat = self.direct_chat(&guardian.account)?.map(|chat| chat.id);
        let (id, conversation) = match &open {
            Some(ask) => (ask.id, if conversation == 0 { ask.conversation } else { conversation }),
            None => (Token::random().0, conversation),
        };
        let chat = match &open {
            Some(ask) if Some(ask.chat) == chat => ask.chat,
            _ => {
                let said = Guardian::Ask { id, what: what.clone() };
                self.must_tell(ASKING, &guardian.account, &said)?.1
            }
        };
        self.db.take_ask(&guardian.account, &id)?;
        let (account, what) = (guardian.account, bytes);
        self.db.add_ask(&Ask { id, account, what, subject, conversation, chat })?;
        self.name_of(&guardian.account)
    }

    /// Our guardian answers. What was not asked, or is answered
    /// already, changes nothing.
    pub(super) fn guardian_answers(
        &mut self,
        heard: &Heard<'_>,
        id: &[u8; 16],
        allowed: Option<Permit>,
    ) -> Result<()> {
        if !self.is_linked(heard.from, Role::Guardian)? {
            return Ok(());
        }
        let Some(ask) = self.db.take_ask(heard.from, id)? else { return Ok(()) };
        let Some(what) = from_bytes(&ask.what) else { return Ok(()) };
        let guardian = self.name_of(heard.from)?;
        match (allowed, &what) {
            (Some(_), Asked::Contact { handle }) => self.contact_allowed(heard, &ask, &guardian, handle),
            (Some(_), Asked::Group { name, people }) => {
                self.group_allowed(heard, &ask, &guardian, (name, people))
            }
            (Some(Permit { secret: Some(secret), next }), Asked::Age { band }) => {
                self.db.add_errand(&Errand::Age { guardian: *heard.from, band: *band, secret, next })
            }
            (None | Some(Permit { secret: None, .. }), _) => {
                self.note(heard.from, &Word::Refused(&guardian, kind(&what), name(&what)))
            }
        }
    }

    fn contact_allowed(&mut self, heard: &Heard<'_>, ask: &Ask, guardian: &str, handle: &str) -> Result<()> {
        let Some(who) = ask.subject else { return Ok(()) };
        self.db.allow(&who)?;
        let mut accepted = false;
        // What the child accepted meanwhile waits for nothing more.
        if ask.conversation != 0 && !self.db.is_blocked(&who)? {
            for request in self.db.direct_with(&who)? {
                if request.state == ConversationState::Request {
                    self.accept_now(&request)?;
                    accepted = true;
                }
            }
        }
        self.note(heard.from, &Word::AllowedContact(guardian, handle, accepted))
    }

    /// Whoever came into the group after the guardian was asked was not allowed.
    fn group_allowed(
        &mut self,
        heard: &Heard<'_>,
        ask: &Ask,
        guardian: &str,
        (name, people): (&str, &[String]),
    ) -> Result<()> {
        let request = self.db.conversation(ask.conversation)?;
        let Some(request) = request.filter(|now| now.state == ConversationState::Request) else {
            return Ok(());
        };
        let now = self.group_asked(&request)?;
        if let Asked::Group { people: there, .. } = &now
            && there.iter().any(|who| !people.contains(who))
            && let Some(link) = self.db.our_guardian()?
        {
            self.note(heard.from, &Word::OthersCame(guardian, name))?;
            self.ask(&link, &now, None, request.id)?;
            return Ok(());
        }
        self.accept_now(&request)?;
        self.note(heard.from, &Word::AllowedGroup(guardian, name))
    }
}
