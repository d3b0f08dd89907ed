//! What we are told about who comes to us, and what it rests on here: who is connected to us, and in which groups we meet.

use std::collections::BTreeSet;

use zegel_content::{Fact, Facts};
use zegel_proto::AccountId;
use zegel_safety::{Language, Notice};

use super::Core;
use crate::{
    Result,
    db::{Conversation, ConversationState, Intro, Kind},
};

impl Core {
    /// What we are told about a request, or about somebody whom a code connected us with at once.
    pub(crate) fn notices(&mut self, conversation: &Conversation) -> Result<Vec<Notice>> {
        let Some(who) = conversation.introducer else { return Ok(Vec::new()) };
        let Intro { age: _, new, declined, reported, minors, via } = conversation.intro;
        let mut notices = Vec::new();
        if !self.is_connected(&who)? {
            let by_code = via == Some(self.me.account);
            let via = via.filter(|_| !by_code).map(|friend| self.name_of(&friend)).transpose()?;
            let in_this = self.came_later(conversation)?.is_some();
            let alone = via.is_none() && !by_code && !in_this && self.shared_groups(&who)?.is_empty();
            notices.extend(via.map(Notice::Via));
            notices.extend(by_code.then_some(Notice::ByCode));
            notices.extend(new.then_some(Notice::NewAccount));
            notices.extend(alone.then_some(Notice::NobodyInCommon));
        }
        notices.extend(declined.then_some(Notice::DeclinedByMany));
        notices.extend(reported.then_some(Notice::ReportedByMany));
        notices.extend(minors.then_some(Notice::ManyMinors));
        if conversation.kind == Kind::Group && self.is_minor() {
            let notice = match self.came_later(conversation)? {
                Some(people) => Notice::Joined(self.unconnected(&people, conversation.id)?),
                None => Notice::Unconnected(self.unconnected_in(conversation)?),
            };
            let is_empty =
                matches!(&notice, Notice::Joined(people) | Notice::Unconnected(people) if people.is_empty());
            notices.extend((!is_empty).then_some(notice));
        }
        Ok(notices)
    }

    /// What a minor is told about people whom somebody brought into a group later.
    pub(super) fn warn_of(
        &mut self,
        conversation: &Conversation,
        by: &AccountId,
        added: &[AccountId],
    ) -> Result<Vec<String>> {
        let concerns = conversation.kind == Kind::Group && *by != self.me.account && self.is_minor();
        let unconnected = if concerns { self.unconnected(added, conversation.id)? } else { Vec::new() };
        let notice = (!unconnected.is_empty()).then_some(Notice::Joined(unconnected));
        self.in_words(notice.as_slice())
    }

    /// Notices in words.
    pub(crate) fn in_words(&self, notices: &[Notice]) -> Result<Vec<String>> {
        let language = self.language()?;
        Ok(notices.iter().map(|notice| notice.says(&self.policy, language)).collect())
    }

    /// What our guardian is told beside a question about this request. (Who is in a group stands in the question.)
    pub(super) fn known_facts(&mut self, request: &Conversation) -> Result<Facts> {
        let fact = |notice| match notice {
            Notice::NewAccount => Some(Fact::NewAccount),
            Notice::NobodyInCommon => Some(Fact::NobodyInCommon),
            Notice::DeclinedByMany => Some(Fact::DeclinedByMany),
            Notice::ReportedByMany => Some(Fact::ReportedByMany),
            Notice::ManyMinors => Some(Fact::ManyMinors),
            Notice::ByCode => Some(Fact::ByCode),
            Notice::Via(friend) => Some(Fact::Via(friend)),
            Notice::Unconnected(_) | Notice::Joined(_) => None,
        };
        let known = self.notices(request)?.into_iter().filter_map(fact);
        let of = request.introducer.map(|who| self.name_of(&who)).transpose()?;
        Ok(Facts::new(of.unwrap_or_default(), known))
    }

    /// What is known of a person from all that they ever asked: nobody is rid of it by asking twice, or once more.
    pub(super) fn facts_about(&mut self, who: &AccountId) -> Result<Facts> {
        let mut facts = Facts::default();
        for chat in self.db.direct_with(who)? {
            if chat.introducer.as_ref() == Some(who) {
                facts = facts.with(self.known_facts(&chat)?);
            }
        }
        Ok(facts)
    }

    /// What a child is told, in the guardian's words.
    pub(crate) fn told(&self, facts: &Facts) -> Result<Vec<String>> {
        let language = self.language()?;
        let notice = |fact: &Fact| match fact {
            Fact::NewAccount => Notice::NewAccount,
            Fact::NobodyInCommon => Notice::NobodyInCommon,
            Fact::DeclinedByMany => Notice::DeclinedByMany,
            Fact::ReportedByMany => Notice::ReportedByMany,
            Fact::ManyMinors => Notice::ManyMinors,
            Fact::ByCode => Notice::ByCode,
            Fact::Via(friend) => Notice::Via(friend.clone()),
        };
        Ok(facts.iter().map(|fact| notice(fact).what_is_known(&self.policy, language)).collect())
    }

    /// Whether somebody is connected to us: we accepted them, or wrote to them first.
    pub(crate) fn is_connected(&self, who: &AccountId) -> Result<bool> {
        Ok(*who == self.me.account || self.db.is_accepted(who)?)
    }

    /// Handles of those of these people who are not connected to us. First who is in no other group with us than this one:
    /// where not all are shown, those are.
    fn unconnected(&mut self, people: &[AccountId], this: i64) -> Result<Vec<String>> {
        let mut strangers = Vec::new();
        for who in people {
            if !self.is_connected(who)? {
                strangers.push(*who);
            }
        }
        let mut met = BTreeSet::new();
        for group in if strangers.is_empty() { Vec::new() } else { self.db.conversations()? } {
            let open = group.kind == Kind::Group && group.state == ConversationState::Open;
            if open && group.id != this {
                met.extend(self.people(&group)?);
            }
        }
        let name = |who: &AccountId| Ok((met.contains(who), self.name_of(who)?));
        let mut names = strangers.iter().map(name).collect::<Result<Vec<_>>>()?;
        names.sort();
        Ok(names.into_iter().map(|(_, name)| name).collect())
    }

    /// Who is in a group and not connected to us.
    pub(crate) fn unconnected_in(&mut self, conversation: &Conversation) -> Result<Vec<String>> {
        let people = self.people(conversation)?;
        self.unconnected(&people, conversation.id)
    }

    /// The groups in use that somebody is in too.
    pub(crate) fn shared_groups(&mut self, who: &AccountId) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for group in self.db.conversations()? {
            let open = group.kind == Kind::Group && group.state == ConversationState::Open;
            if open && self.people(&group)?.contains(who) {
                names.push(group.name);
            }
        }
        Ok(names)
    }

    /// What a group is told about somebody whom we blocked.
    pub(crate) fn warning(&self, handle: &str) -> String {
        match self.language() {
            Ok(Language::Dutch) => format!("Ik heb {handle} geblokkeerd. Wees voorzichtig."),
            _ => format!("I blocked {handle}. Be careful."),
        }
    }
}
