//! With whom a child is in contact, as their device tells the guardian: names, and nothing of what is said.

use sha2::{Digest, Sha256};
use zegel_content::{Contacts, Guardian, MAX_NAME, MAX_NAMES, is_plain_name};
use zegel_proto::AccountId;

use super::{Core, Heard};
use crate::{
    Error, Result,
    db::{ChildContacts, Guardianship, LinkState, OfChild, OfGuardian, With},
};

/// Most bytes of names in one list, so that it fits into a message; what is over is only counted.
const MOST_BYTES: usize = 40 * 1024;
/// What a name takes beside its bytes, at most.
const EACH: usize = 3;

impl Core {
    /// At the end of each step: tells our guardian with whom we are in contact, if that changed.
    pub(in crate::core) fn tell_contacts(&mut self) -> Result<()> {
        let Some(link) = self.db.our_guardian()? else { return Ok(()) };
        let people = self.db.people_in_contact([&self.me.account, &link.account])?;
        let groups = self.db.groups_in_use()?;
        let With::Guardian(known) = link.with else { return Ok(()) };
        let told = Some(named(&people, groups.iter().map(|(id, _)| *id)));
        if known.told == told {
            return Ok(());
        }
        let mut names: Vec<String> = groups.into_iter().map(|(_, name)| name).collect();
        names.sort();
        let said = Guardian::Contacts(bounded(people, names));
        match self.tell(&link.account, &said) {
            Ok(Some(_)) => {
                let known = OfGuardian { told, ..known };
                self.db.put_link(&Guardianship::new(link.account, link.state, known))
            }
            // Without a chat in use it waits until there is one.
            Ok(None) => Ok(()),
            Err(error @ Error::Database(_)) => Err(error),
            // What a step does, above all a block, must not fail because it cannot be told.
            Err(error) => {
                tracing::warn!(%error, event = "contacts_not_told");
                Ok(())
            }
        }
    }

    /// A child's device tells. Whoever is none of ours is not heard.
    pub(super) fn child_told(&mut self, heard: &Heard<'_>, contacts: Contacts) -> Result<()> {
        let Some(link) = self.db.link_with(heard.from)? else { return Ok(()) };
        let (LinkState::Linked, With::Child(kept)) = (link.state, link.with) else { return Ok(()) };
        let Contacts { people, groups, more } = contacts;
        let contacts = ChildContacts { people, groups, more, at_ms: heard.at_ms };
        let kept = OfChild { contacts: Some(contacts), ..kept };
        self.db.put_link(&Guardianship::new(link.account, link.state, kept))
    }

    /// What a child of ours told last; `None` if it is none of ours, or told nothing yet.
    pub(crate) fn told_by(&self, child: &AccountId) -> Result<Option<ChildContacts>> {
        Ok(self.db.link_with(child)?.and_then(|link| match link.with {
            With::Child(kept) => kept.contacts,
            With::Guardian(_) => None,
        }))
    }
}

/// Who and which groups it is. A group is told of once, however often somebody renames it: others choose its name, and
/// could fill the guardian's screen.
fn named(people: &[String], groups: impl Iterator<Item = i64>) -> [u8; 32] {
    let mut hash = Sha256::new();
    people.iter().for_each(|who| hash.update([who.as_bytes(), b"\n"].concat()));
    groups.for_each(|id| hash.update(id.to_be_bytes()));
    hash.finalize().into()
}

/// As many names as fit: people first.
fn bounded(people: Vec<String>, groups: Vec<String>) -> Contacts {
    let (mut contacts, mut left) = (Contacts::default(), MOST_BYTES);
    for (names, list) in [(people, &mut contacts.people), (groups, &mut contacts.groups)] {
        for name in names.iter().map(|name| clean(name)) {
            let size = name.len() + EACH;
            if size > left || list.len() >= MAX_NAMES {
                contacts.more = contacts.more.saturating_add(1);
                continue;
            }
            left -= size;
            list.push(name);
        }
    }
    contacts
}

/// A name as it may be sent: others choose the names of groups.
pub(super) fn clean(name: &str) -> String {
    let plain = |c: char| if is_plain_name(&format!("x{c}")) { c } else { '\u{fffd}' };
    let mut clean = String::new();
    for c in name.chars().map(plain) {
        if clean.len() + c.len_utf8() > MAX_NAME {
            break;
        }
        clean.push(c);
    }
    if is_plain_name(&clean) { clean } else { "?".into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_is_counted() {
        let names = |count: usize, name: &str| -> Vec<String> {
            (0..count).map(|number| format!("{name}{number:04}")).collect()
        };
        let few = bounded(names(3, "kim"), names(2, "club"));
        assert_eq!((few.people.len(), few.groups.len(), few.more), (3, 2, 0));
        let many = bounded(names(1200, &"k".repeat(28)), names(500, &"c".repeat(120)));
        assert_eq!(many.people.len(), MAX_NAMES);
        assert_eq!(many.people.len() + many.groups.len() + many.more as usize, 1700);
        assert!(many.groups.len() > 10, "{}", many.groups.len());
        assert!(Guardian::Contacts(many).encode().is_ok());
    }

    #[test]
    fn a_name_is_made_fit_to_be_sent() {
        for (name, sent) in [
            ("chess club", "chess club"),
            ("a\u{202e}b\nc\u{1b}[2J", "a\u{fffd}b\u{fffd}c\u{fffd}[2J"),
            ("", "?"),
            (" \t", " \u{fffd}"),
            ("  ", "?"),
        ] {
            assert_eq!(clean(name), sent);
        }
        let long = clean(&"é".repeat(100));
        assert_eq!(long.len(), 128);
        assert!(is_plain_name(&long));
    }
}
