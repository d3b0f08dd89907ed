//! Reporting: what exactly is disclosed, chosen before anything is sent.
//!
//! *Invariant:* a report discloses the content of what was picked and of nothing else; of what stands between, only
//! what the service stamped itself.

use zegel_cases::{Category, MAX_DISCLOSED, MAX_NOTE, MAX_RUN};
use zegel_content::{Body, Content};
use zegel_franking::Context;
use zegel_proto::{AccountId, Token, v1};

use super::Core;
use crate::{
    Error, Result,
    db::{Conversation, Evidence, Kind, Place},
    view::{Disclosure, Draft, Named},
};

const DOING: &str = "reporting";
/// The shortest beginning that a message id is known by, digits.
pub(crate) const SHORTEST_ID: usize = 6;

/// What a report is about.
pub(crate) enum Subject {
    /// A person, by what they said last.
    Person(AccountId),
    /// A group, by what was said there last.
    Group(Box<Conversation>),
    /// Whoever said exactly this.
    Messages(Vec<Evidence>),
}

/// Whether a word can be a message id or the beginning of one.
fn is_id(word: &str) -> bool {
    (SHORTEST_ID..=64).contains(&word.len()) && word.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Whether a word may be meant as the beginning of a message id, and is too short for one.
pub(crate) fn short_id(word: &str) -> bool {
    (1..SHORTEST_ID).contains(&word.len()) && word.bytes().all(|digit| digit.is_ascii_hexdigit())
}

/// Whether a text is all that a content says.
fn is_all(text: &str, content: &[u8]) -> bool {
    Content::decode(content).is_ok_and(|content| match &content.part.body {
        Body::Single { content, .. } => content == text.as_bytes(),
        _ => false,
    })
}

impl Core {
    /// What these words mean, as far as this device knows. `None`: it may be the handle of somebody new.
    pub(crate) fn subject(&self, words: &[String]) -> Result<Option<Subject>> {
        if let [name] = words {
            let contact = self.db.contact_by_handle(name)?;
            // Of groups under one name, the newest; they and people are never called the same.
            if let Some(group) = self.db.groups_named(name)?.into_iter().next() {
                return match contact {
                    None => Ok(Some(Subject::Group(Box::new(group)))),
                    Some(_) => Err(Error::usage(
                        DOING,
                        format!("a person and a group are called {name}"),
                        "the ids of messages, as `read --json` shows them",
                    )),
                };
            }
            if let Some(contact) = contact {
                return Ok(Some(Subject::Person(contact.account)));
            }
            let is_handle = zegel_proto::check_handle(name).is_ok();
            if !is_id(name) || is_handle && self.db.messages_beginning(&name.to_lowercase())?.is_empty() {
                return Ok(None);
            }
        }
        self.messages_of(words).map(|picked| Some(Subject::Messages(picked)))
    }

    fn messages_of(&self, ids: &[String]) -> Result<Vec<Evidence>> {
        let mut picked: Vec<Evidence> = Vec::new();
        for id in ids {
            if !is_id(id) {
                let why = format!("{id:?} is no message id: at least {SHORTEST_ID} of its digits are needed");
                return Err(Error::usage(DOING, why, "one person, one group, or ids from `read --json`"));
            }
            let mut found = self.db.messages_beginning(&id.to_lowercase())?;
            let Some(message) = found.pop() else {
                let why = format!("there is no message {id} that the service has stamped");
                return Err(Error::usage(DOING, why, "an id from `read --json`"));
            };
            if !found.is_empty() {
                let why = format!("more than one message's id begins with {id}");
                return Err(Error::usage(DOING, why, "more of its digits"));
            }
            if picked.iter().all(|other| other.id != message.id) {
                picked.push(message);
            }
        }
        if picked.len() > MAX_DISCLOSED {
            let why = format!("a report discloses at most {MAX_DISCLOSED} messages");
            return Err(Error::usage(DOING, why, "fewer"));
        }
        if picked.iter().any(|message| message.conversation != picked[0].conversation) {
            return Err(Error::usage(
                DOING,
                "the messages are from different conversations",
                "one report for each",
            ));
        }
        Ok(picked)
    }

    /// What a report would disclose; of a person or group the last `last` messages.
    pub(crate) fn draft(&self, subject: Subject, last: usize) -> Result<Draft> {
        let last = last.clamp(1, MAX_DISCLOSED);
        let mut elsewhere = 0;
        let (about, conversation, mut picked) = match subject {
            Subject::Person(who) if who == self.me.account => {
                return Err(Error::usage(DOING, "that is you", "someone else's handle"));
            }
            Subject::Person(who) => {
                let (conversation, picked) = self.last_of(&who, last)?;
                let heard_in = self.db.heard_in(&who)?;
                elsewhere = heard_in.saturating_sub(usize::from(!picked.is_empty()));
                (Some(who), conversation, picked)
            }
            Subject::Group(group) => {
                let picked = self.db.last_said(group.id, None, last)?;
                (None, Some(*group), picked)
            }
            Subject::Messages(picked) => {
                let first = picked.first().map_or(0, |message| message.conversation);
                let conversation = self.db.conversation(first)?;
                (self.said_by(&picked, conversation.as_ref())?, conversation, picked)
            }
        };
        picked.sort_by_key(|message| message.place.seq);
        let run = self.run_around(&picked)?;
        let messages = self.disclosures(&picked, &run)?;
        let group = conversation.as_ref().filter(|it| it.kind == Kind::Group);
        let disclosed = |place: &Place| {
            let content = picked.iter().find(|message| message.place.context == place.context);
            v1::Disclosed {
                stamped: Some(v1::Stamped {
                    context: place.context.clone().into(),
                    stamp: place.stamp.clone().into(),
                }),
                content: content.map(|message| message.content.clone().into()).unwrap_or_default(),
            }
        };
        Ok(Draft {
            to: self.me.domain.clone(),
            about: about.map(|who| self.name_of(&who)).transpose()?.unwrap_or_default(),
            group: group.map(|group| group.name.clone()).unwrap_or_default(),
            withheld: run.iter().filter(|it| it.is_message()).count().saturating_sub(picked.len()),
            elsewhere,
            messages,
            report: v1::Report {
                about: about.map(|who| who.to_field()).unwrap_or_default(),
                room: conversation.map(|it| it.room.to_field()).unwrap_or_default(),
                run: run.iter().map(disclosed).collect(),
                ..Default::default()
            },
        })
    }

    /// What somebody said last in the newest conversation with them: a chat of the two, whatever became of it, else a
    /// group.
    fn last_of(&self, who: &AccountId, last: usize) -> Result<(Option<Conversation>, Vec<Evidence>)> {
        for chat in self.db.direct_with(who)? {
            let said = self.db.last_said(chat.id, Some(who), last)?;
            if !said.is_empty() {
                return Ok((Some(chat), said));
            }
        }
        let Some(group) = self.db.last_heard_in(who)? else { return Ok((None, Vec::new())) };
        Ok((self.db.conversation(group)?, self.db.last_said(group, Some(who), last)?))
    }

    /// Who a report of these messages is about: the one other person who sent them; in a group, if it is several, the
    /// group.
    fn said_by(&self, picked: &[Evidence], conversation: Option<&Conversation>) -> Result<Option<AccountId>> {
        let mut others: Vec<_> = picked.iter().map(|message| message.sender.as_slice()).collect();
        others.retain(|sender| *sender != self.me.account.0);
        others.sort_unstable();
        others.dedup();
        match (others.as_slice(), conversation.and_then(|it| it.peer)) {
            ([], _) => Err(Error::usage(
                DOING,
                "these messages are all your own, and prove nothing about anybody else",
                "ids of what others wrote; yours may stand beside those",
            )),
            (_, Some(peer)) => Ok(Some(peer)),
            ([who], None) => Ok(AccountId::from_slice(who).ok()),
            (_, None) => Ok(None),
        }
    }

    /// The places from the first picked message to the last. Where they are more than a report takes, the oldest of
    /// those that are not disclosed are left out: the service shows that as a gap.
    fn run_around(&self, picked: &[Evidence]) -> Result<Vec<Place>> {
        let (Some(first), Some(last)) = (picked.first(), picked.last()) else { return Ok(Vec::new()) };
        let mut run: Vec<Place> = picked.iter().map(|message| message.place.clone()).collect();
        let room = MAX_RUN.saturating_sub(run.len());
        let mut between = self.db.places(first.conversation, first.place.seq, last.place.seq, MAX_RUN)?;
        between.retain(|place| picked.iter().all(|message| message.place.seq != place.seq));
        between.dedup_by_key(|place| place.seq);
        run.extend(between.split_off(between.len().saturating_sub(room)));
        run.sort_by_key(|place| place.seq);
        Ok(run)
    }

    fn disclosures(&self, picked: &[Evidence], run: &[Place]) -> Result<Vec<Disclosure>> {
        let mut before: Option<u64> = None;
        let mut shown = Vec::new();
        for message in picked {
            let seq = message.place.seq;
            // Of the first nothing is said.
            let since = before.replace(seq).unwrap_or(seq);
            let named = run.iter().filter(|it| since < it.seq && it.seq < seq);
            let withheld_before = named.clone().filter(|it| it.is_message()).count();
            let between = seq.saturating_sub(since).saturating_sub(1);
            shown.push(Disclosure {
                id: hex::encode(&message.id),
                from: self.db.handle_of(&message.sender)?.unwrap_or_default(),
                text: message.text.clone(),
                whole: is_all(&message.text, &message.content),
                bytes: message.content.len(),
                sent_at: message.sent_ms,
                accepted_at: message.accepted_ms,
                withheld_before,
                missing_before: between.saturating_sub(named.clone().count() as u64),
                named_before: named.map(|place| self.named(place)).collect::<Result<_>>()?,
            });
        }
        Ok(shown)
    }

    fn named(&self, place: &Place) -> Result<Named> {
        let Ok(context) = Context::from_bytes(&place.context) else {
            return Ok(Named { from: String::new(), accepted_at: 0, said: place.is_message() });
        };
        Ok(Named {
            from: self.db.handle_of(&context.sender_account)?.unwrap_or_default(),
            accepted_at: context.accepted_ms,
            said: place.is_message(),
        })
    }

    /// Makes a draft the report that is sent, and keeps it until the answer came. One that was sent before and never
    /// answered is the same report again.
    pub(crate) fn begin_report(
        &mut self,
        draft: &Draft,
        category: Category,
        note: &str,
    ) -> Result<v1::Report> {
        if note.len() > MAX_NOTE {
            let why = format!("the note's {} bytes are more than {MAX_NOTE}", note.len());
            return Err(Error::usage(DOING, why, "a shorter one"));
        }
        let report = v1::Report {
            category: v1::ReportCategory::from(category).into(),
            note: note.to_owned(),
            ..draft.report.clone()
        };
        self.step(|core| {
            for (_, kept) in core.db.kept_reports()? {
                if (v1::Report { id: kept.id.clone(), ..report.clone() }) == kept {
                    return Ok(kept);
                }
            }
            let report = v1::Report { id: Token::random().to_field(), ..report.clone() };
            let about = if draft.about.is_empty() { &draft.group } else { &draft.about };
            core.db.add_report(&report, about)?;
            Ok(report)
        })
    }
}
