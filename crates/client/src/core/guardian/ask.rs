//! What a child's device asks the guardian before somebody new comes, and what their answer does.

use serde::Serialize;
use zegel_content::{Asked, Facts, Guardian, MAX_NAMES, Older};
use zegel_proto::{AccountId, Token, v1::AgeBand};
use zegel_safety::{Language, band_word, guardian_may};

use super::{Core, Heard, contacts::clean, words::Word};
use crate::{
    Error, Result,
    db::{Ask, Conversation, ConversationState, Errand, Guardianship, Kind, Role},
};

pub(super) const ASKING: &str = "asking your guardian";

/// What lets the service take another age, if that was asked.
#[derive(Default)]
pub(super) struct Permit {
    pub secret: Option<[u8; 32]>,
    /// The hash of the secret that takes its place.
    pub next: Option<[u8; 32]>,
}

/// What a child can ask for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum AskKind {
    /// To be in contact with somebody.
    Contact,
    /// To be in a group.
    Group,
    /// To have another age band.
    Age,
}

impl AskKind {
    /// In one word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Group => "group",
            Self::Age => "age",
        }
    }
}

impl Ask {
    /// What it is about.
    pub(crate) fn kind(&self) -> AskKind {
        match self.what {
            Asked::Contact { .. } => AskKind::Contact,
            Asked::Group { .. } => AskKind::Group,
            Asked::Age { .. } => AskKind::Age,
        }
    }

    /// The handle, the group's name, or the age band.
    pub(crate) fn name(&self) -> &str {
        match &self.what {
            Asked::Contact { handle } => handle,
            Asked::Group { name, .. } => name,
            Asked::Age { band } => band_word((*band).into(), Language::English),
        }
    }

    /// `KIND:NAME`
    pub(super) fn full_name(&self) -> String {
        format!("{}:{}", self.kind().word(), self.name())
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
        let what = self.asked_about(conversation)?;
        self.may_ask(&link.account, &what)?;
        let facts = self.facts_of(conversation)?;
        self.ask(&link, (what, facts), conversation.peer, Some(conversation.id)).map(Some)
    }

    /// Within a step: asks the guardian whether we may write to, connect with or add this person, unless we may already.
    /// The guardian's handle, if we have to wait.
    pub(crate) fn ask_to_meet(&mut self, who: &AccountId) -> Result<Option<String>> {
        let Some(link) = self.db.our_guardian()? else { return Ok(None) };
        if *who == link.account || *who == self.me.account || self.db.is_allowed(who)? {
            return Ok(None);
        }
        let what = Asked::Contact { handle: self.name_of(who)? };
        self.may_ask(&link.account, &what)?;
        let facts = self.facts_about(who)?;
        self.ask(&link, (what, facts), Some(*who), None).map(Some)
    }

    /// Asks the guardian for an older age band. Their handle; `None` without a guardian, or for what none can allow.
    pub(crate) fn ask_for_age(&mut self, wanted: AgeBand) -> Result<Option<String>> {
        let Ok(band) = Older::try_from(wanted) else { return Ok(None) };
        let step = guardian_may(self.own_band()?, wanted);
        self.step(|core| match core.db.our_guardian()? {
            Some(_) if !step => {
                let why =
                    "a guardian allows one step at a time, and a child's account becomes a teen's first";
                Err(Error::usage(ASKING, why, "`age teen`"))
            }
            Some(link) => {
                core.may_ask(&link.account, &Asked::Age { band })?;
                core.ask(&link, (Asked::Age { band }, Facts::default()), None, None).map(Some)
            }
            None => Ok(None),
        })
    }

    /// The guardian's handle, if they are asked about this request; else empty.
    pub(crate) fn waits_for(&self, conversation: &Conversation) -> Result<String> {
        let Some(link) = self.db.our_guardian()? else { return Ok(String::new()) };
        let asked =
            self.db.asks_of(&link.account)?.iter().any(|ask| ask.conversation == Some(conversation.id));
        if asked { self.name_of(&link.account) } else { Ok(String::new()) }
    }

    /// What the guardian is asked about a request.
    pub(super) fn asked_about(&mut self, request: &Conversation) -> Result<Asked> {
        match (request.kind, request.peer) {
            (Kind::Direct, Some(peer)) => Ok(Asked::Contact { handle: self.name_of(&peer)? }),
            _ => self.group_asked(request),
        }
    }

    /// What the guardian is told beside that.
    fn facts_of(&mut self, request: &Conversation) -> Result<Facts> {
        match (request.kind, request.peer) {
            (Kind::Direct, Some(peer)) => self.facts_about(&peer),
            _ => self.known_facts(request),
        }
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

    /// Asks once: what is asked already is asked again only where the chat that it was asked in is gone, or where more is
    /// known by now of who comes. The guardian's handle.
    fn ask(
        &mut self,
        guardian: &Guardianship,
        (what, facts): (Asked, Facts),
        subject: Option<AccountId>,
        conversation: Option<i64>,
    ) -> Result<String> {
        let open = self.db.asks_of(&guardian.account)?.into_iter().find(|ask| ask.what == what);
        // Nothing that was known of them is forgotten by that.
        let facts = match &open {
            Some(ask) if [ask.facts.of(), ""].contains(&facts.of()) => facts.with(ask.facts.clone()),
            _ => facts,
        };
        let conversation = conversation.or(open.as_ref().and_then(|ask| ask.conversation));
        let chat = self.direct_chat(&guardian.account)?.map(|chat| chat.id);
        let (id, chat) = match &open {
            Some(ask) if Some(ask.chat) == chat && ask.facts == facts => (ask.id, ask.chat),
            // Under another name: the guardian's device takes each name once.
            _ => {
                let id = Token::random().0;
                let said = Guardian::Ask { id, what: what.clone(), facts: facts.clone() };
                (id, self.must_tell(ASKING, &guardian.account, &said)?.1)
            }
        };
        if let Some(ask) = open {
            self.db.take_ask(&guardian.account, &ask.id)?;
        }
        let account = guardian.account;
        self.db.add_ask(&Ask { id, account, what, facts, subject, conversation, chat })?;
        self.name_of(&account)
    }

    /// Our guardian answers. What was not asked, or is answered already, changes nothing.
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
        let guardian = self.name_of(heard.from)?;
        match allowed {
            Some(_) => self.drop_refusal(heard.from, &ask.what)?,
            None => self.keep_refusal(heard.from, &ask.what)?,
        }
        match (allowed, &ask.what) {
            (Some(_), Asked::Contact { handle }) => self.contact_allowed(heard, &ask, &guardian, handle),
            (Some(_), Asked::Group { name, people }) => {
                self.group_allowed(heard, &ask, &guardian, (name, people))
            }
            (Some(Permit { secret: Some(secret), next }), Asked::Age { band }) => {
                let band = (*band).into();
                self.db.add_errand(&Errand::Age { guardian: *heard.from, band, secret, next })
            }
            (None | Some(Permit { secret: None, .. }), what) => {
                self.note(heard.from, &Word::Refused(&guardian, what))
            }
        }
    }

    fn contact_allowed(&mut self, heard: &Heard<'_>, ask: &Ask, guardian: &str, handle: &str) -> Result<()> {
        let Some(who) = ask.subject else { return Ok(()) };
        let facts = self.facts_about(&who)?;
        if facts.say_more_than(&ask.facts)
            && let Some(link) = self.db.our_guardian()?
        {
            self.note(heard.from, &Word::MoreIsKnown(guardian, handle))?;
            self.ask(&link, (ask.what.clone(), facts), Some(who), ask.conversation)?;
            return Ok(());
        }
        self.db.allow(&who)?;
        let mut accepted = false;
        // What the child accepted meanwhile waits for nothing more.
        if ask.conversation.is_some() && !self.db.is_blocked(&who)? {
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
        let request = ask.conversation.map(|id| self.db.conversation(id)).transpose()?.flatten();
        let Some(request) = request.filter(|now| now.state == ConversationState::Request) else {
            return Ok(());
        };
        let (now, facts) = (self.group_asked(&request)?, self.known_facts(&request)?);
        let others = matches!(&now, Asked::Group { people: there, .. } if there.iter().any(|who| !people.contains(who)));
        if (others || facts.say_more_than(&ask.facts))
            && let Some(link) = self.db.our_guardian()?
        {
            let word =
                if others { Word::OthersCame(guardian, name) } else { Word::MoreIsKnown(guardian, name) };
            self.note(heard.from, &word)?;
            self.ask(&link, (now, facts), None, Some(request.id))?;
            return Ok(());
        }
        self.accept_now(&request)?;
        self.note(heard.from, &Word::AllowedGroup(guardian, name))
    }
}
