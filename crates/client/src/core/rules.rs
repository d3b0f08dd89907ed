//! The safety rules on this device: those of the service as it last gave them out, our own age band, and what we are told
//! about who comes to us.

use zegel_proto::{AccountId, v1};
use zegel_safety::{Language, Notice, Policy};

use super::Core;
use crate::{
    Result,
    db::{Conversation, ConversationState, Db, Intro, ItemKind, Kind, NewItem},
};

const POLICY: &str = "policy";
const BAND: &str = "age band";
const LANGUAGE: &str = "language";

/// Keeps the language (BCP 47) of what the person is told.
pub(crate) fn keep_language(db: &Db, tag: &str) -> Result<()> {
    db.set_meta(LANGUAGE, tag.as_bytes())
}

/// The rules that a profile holds, or those that ship with Zegel.
pub(super) fn kept_policy(db: &Db) -> Policy {
    let kept = db.meta(POLICY).ok().flatten().and_then(|toml| String::from_utf8(toml).ok());
    kept.and_then(|toml| Policy::read(&toml).ok()).unwrap_or_else(Policy::shipped)
}

impl Core {
    /// The rules in force, as far as we know. All their numbers are within bounds.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the service's rules have to be fetched; it names them by their hash.
    pub(crate) fn wants_policy(&self, hash: &[u8]) -> Result<bool> {
        if hash.is_empty() {
            return Ok(false);
        }
        if hash == self.policy.hash() {
            // From now on a change is one, and is told.
            if self.db.meta(POLICY)?.is_none() {
                self.db.set_meta(POLICY, self.policy.to_toml().as_bytes())?;
            }
            return Ok(false);
        }
        Ok(true)
    }

    /// Takes the service's rules, and says what changed. Those that are unsound change nothing.
    pub(crate) fn take_policy(&mut self, toml: &str) -> Result<()> {
        let policy = match Policy::read(toml) {
            Ok(policy) => policy,
            Err(error) => {
                tracing::warn!(%error, event = "policy_refused");
                return Ok(());
            }
        };
        let language = self.language()?;
        self.step(|core| {
            let had = core.db.meta(POLICY)?.is_some();
            let changed = core.policy.changed(&policy);
            core.db.set_meta(POLICY, policy.to_toml().as_bytes())?;
            if had && !changed.is_empty() {
                let rules = policy.rules(language).into_iter().filter(|rule| changed.contains(&rule.name));
                let rules: Vec<_> = rules.map(|rule| format!("{}: {}", rule.name, rule.says)).collect();
                let text = match language {
                    Language::English => format!("The service's safety rules changed. {}", rules.join(" ")),
                    Language::Dutch => {
                        format!("De veiligheidsregels van de dienst zijn veranderd. {}", rules.join(" "))
                    }
                };
                core.db.add_item(&NewItem::line(0, ItemKind::Notice, &text))?;
            }
            Ok(())
        })?;
        self.policy = policy;
        Ok(())
    }

    /// Our own age band, as the service last said it. Whoever does not know is protected like a child.
    pub(crate) fn own_band(&self) -> Result<v1::AgeBand> {
        let kept = self.db.meta(BAND)?.and_then(|kept| kept.first().copied()).unwrap_or_default();
        Ok(v1::AgeBand::try_from(i32::from(kept)).unwrap_or_default())
    }

    pub(crate) fn set_own_band(&self, band: v1::AgeBand) -> Result<()> {
        self.db.set_meta(BAND, &[band as u8])
    }

    /// Whether we are or may be a minor.
    pub(crate) fn is_minor(&self) -> bool {
        self.own_band().map_or(true, zegel_safety::is_minor)
    }

    /// Keeps what the service says of our own account. Another band than before is told: only we change it.
    pub(crate) fn note_own_age(&mut self, answer: &v1::Authenticated) -> Result<()> {
        let band = answer.age_band();
        let known = self.db.meta(BAND)?.is_some();
        let before = self.own_band()?;
        self.step(|core| {
            if known && before != band {
                let word = band.as_str_name().to_lowercase();
                let text = format!("The service keeps another age for this account now: {word}.");
                core.db.add_item(&NewItem::line(0, ItemKind::Notice, &text))?;
            }
            core.set_own_band(band)?;
            core.age_is(band, answer.guarded)
        })
    }

    /// The language of what we are told.
    pub(crate) fn language(&self) -> Result<Language> {
        let tag = self.db.meta(LANGUAGE)?.and_then(|tag| String::from_utf8(tag).ok());
        Ok(Language::of(&tag.unwrap_or_default()))
    }

    /// Whether somebody is connected to us: we accepted them, or wrote to them first.
    pub(crate) fn is_connected(&self, who: &AccountId) -> Result<bool> {
        Ok(*who == self.me.account || self.db.is_accepted(who)?)
    }

    /// Handles of those of these people who are not connected to us.
    pub(crate) fn unconnected(&self, people: &[AccountId]) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for who in people {
            if !self.is_connected(who)? {
                names.push(self.name_of(who)?);
            }
        }
        names.sort();
        Ok(names)
    }

    /// What we are told about a request, or about somebody whom a code connected us with at once.
    pub(crate) fn notices(&mut self, conversation: &Conversation) -> Result<Vec<Notice>> {
        let Some(who) = conversation.introducer else { return Ok(Vec::new()) };
        let Intro { age, declined, reported, minors, via } = conversation.intro;
        let mut notices = Vec::new();
        if !self.is_connected(&who)? {
            let via = via.map(|friend| self.name_of(&friend)).transpose()?;
            let new = is_new(age, self.policy.notices.numbers.new_days);
            let alone = via.is_none() && self.shared_groups(&who)?.is_empty();
            notices.extend(via.map(Notice::Via));
            notices.extend(new.then_some(Notice::NewAccount));
            notices.extend(alone.then_some(Notice::NobodyInCommon));
        }
        notices.extend(declined.then_some(Notice::DeclinedByMany));
        notices.extend(reported.then_some(Notice::ReportedByMany));
        notices.extend(minors.then_some(Notice::ManyMinors));
        if conversation.kind == Kind::Group && self.is_minor() {
            let unconnected = self.unconnected_in(conversation)?;
            notices.extend((!unconnected.is_empty()).then_some(Notice::Unconnected(unconnected)));
        }
        Ok(notices)
    }

    /// Who is in a group and not connected to us.
    pub(crate) fn unconnected_in(&mut self, conversation: &Conversation) -> Result<Vec<String>> {
        let people = self.people(conversation)?;
        self.unconnected(&people)
    }

    /// What a minor is told about people whom somebody brought into a group later.
    pub(super) fn warn_of(
        &self,
        conversation: &Conversation,
        by: &AccountId,
        added: &[AccountId],
    ) -> Result<Vec<String>> {
        let concerns = conversation.kind == Kind::Group && *by != self.me.account && self.is_minor();
        let unconnected = if concerns { self.unconnected(added)? } else { Vec::new() };
        let notice = (!unconnected.is_empty()).then_some(Notice::Unconnected(unconnected));
        self.in_words(notice.as_slice())
    }

    /// Notices in words.
    pub(crate) fn in_words(&self, notices: &[Notice]) -> Result<Vec<String>> {
        let language = self.language()?;
        Ok(notices.iter().map(|notice| notice.says(&self.policy, language)).collect())
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

/// Whether an account of this coarse age is younger than so many days. Where the step of age does not tell, it is not
/// called new.
fn is_new(age: i32, days: u32) -> bool {
    let below = match v1::AccountAge::try_from(age) {
        Ok(v1::AccountAge::NewToday) => 1,
        Ok(v1::AccountAge::ThisWeek) => 7,
        Ok(v1::AccountAge::ThisMonth) => 30,
        Ok(v1::AccountAge::ThisYear) => 365,
        _ => return false,
    };
    below <= days
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_called_new_only_where_its_age_says_so() {
        use v1::AccountAge::{NewToday, Older, ThisMonth, ThisWeek};
        for (age, days, new) in [
            (NewToday, 1, true),
            (ThisWeek, 7, true),
            (ThisWeek, 6, false),
            (ThisMonth, 7, false),
            (ThisMonth, 30, true),
            (Older, 90, false),
        ] {
            assert_eq!(is_new(age.into(), days), new, "{age:?} at {days} days");
        }
        assert!(!is_new(99, 90), "an age of a later release");
    }
}
