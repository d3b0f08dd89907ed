//! Linking a child and a guardian: both say so, the guardian's device makes a secret, the child's device leaves its hash at
//! the service; and the ways in which it ends.

use sha2::{Digest, Sha256};
use zegel_content::Guardian;
use zegel_proto::{AccountId, v1::AgeBand};
use zegel_safety::is_past;

use super::{Core, Heard, words::Word};
use crate::{
    Error, Result,
    db::{Errand, Link, LinkState, Role},
};

const LINKING: &str = "linking child and guardian";
const UNLINKING: &str = "ending the link of child and guardian";

pub(super) fn secret() -> [u8; 32] {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).expect("the operating system gives random bytes");
    secret
}

pub(super) fn hash(secret: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

impl Link {
    fn new(account: AccountId, role: Role, state: LinkState) -> Self {
        Self { account, role, state, secret: None, next: None, told: Vec::new(), told_ms: 0 }
    }

    /// Whether both sides want it.
    fn is_agreed(&self) -> bool {
        matches!(self.state, LinkState::Keyed | LinkState::Linked)
    }
}

impl Core {
    /// What somebody would be to us, by our own age.
    fn their_role(&self) -> Result<Option<Role>> {
        Ok(match self.own_band()? {
            AgeBand::Child => Some(Role::Guardian),
            AgeBand::Adult => Some(Role::Child),
            AgeBand::Unknown | AgeBand::Teen => None,
        })
    }

    /// The link with somebody, if it is of this role; what is of another role is from before our age changed.
    fn link_as(&self, who: &AccountId, role: Role) -> Result<Option<Link>> {
        Ok(self.db.link_with(who)?.filter(|link| link.role == role))
    }

    /// We want to be linked with somebody. How far it is now, and what is to be sent.
    pub(crate) fn link(&mut self, who: &AccountId) -> Result<(LinkState, Option<i64>)> {
        let Some(role) = self.their_role()? else {
            let why =
                "a guardian looks after a child: one account has to be a child's and the other an adult's";
            return Err(Error::usage(LINKING, why, "`age` to see which yours is"));
        };
        self.step(|core| {
            if role == Role::Guardian
                && let Some(other) = core.other_guardian(who)?
            {
                let (other, why) = (core.name_of(&other.account)?, "a child has one guardian");
                let fix =
                    format!("to ask {other} to end it; `guardian unlink {other}` if they have not agreed");
                return Err(Error::usage(LINKING, format!("{why}, and yours is or will be {other}"), fix));
            }
            let known = core.link_as(who, role)?;
            let link = known.unwrap_or_else(|| Link::new(*who, role, LinkState::Over));
            match (link.role, link.state) {
                (_, state @ (LinkState::Linked | LinkState::Keyed)) => Ok((state, None)),
                (Role::Child, LinkState::Asks) => {
                    let row = core.send_key(link)?;
                    Ok((LinkState::Keyed, Some(row)))
                }
                _ => {
                    let proposal = Guardian::Link { as_child: role == Role::Guardian };
                    let (row, _) = core.must_tell(LINKING, who, &proposal)?;
                    if role == Role::Guardian && link.state != LinkState::Asked {
                        core.note(who, &Word::YouAsked(&core.name_of(who)?))?;
                    }
                    core.db.put_link(&Link { state: LinkState::Asked, ..link })?;
                    Ok((LinkState::Asked, Some(row)))
                }
            }
        })
    }

    /// Another guardian of ours, or one whom we asked.
    fn other_guardian(&self, but: &AccountId) -> Result<Option<Link>> {
        let wanted = |link: &Link| link.is_agreed() || link.state == LinkState::Asked;
        let mut links = self.db.links_all()?;
        links.retain(|link| link.role == Role::Guardian && link.account != *but && wanted(link));
        Ok(links.pop())
    }

    /// Both want it: the child's device gets the hash of a secret. If they were linked before it is the one of then, for
    /// the service may still have that; but none that the child's device knows.
    fn send_key(&mut self, link: Link) -> Result<i64> {
        let key = link.next.or(link.secret).unwrap_or_else(secret);
        let (row, _) = self.must_tell(LINKING, &link.account, &Guardian::Key { hash: hash(&key) })?;
        self.db.put_link(&Link { state: LinkState::Keyed, secret: Some(key), next: None, ..link })?;
        Ok(row)
    }

    /// Somebody wants to be linked with us. By itself this does nothing.
    pub(super) fn link_proposed(&mut self, heard: &Heard<'_>, as_child: bool) -> Result<()> {
        let role = if as_child { Role::Child } else { Role::Guardian };
        if self.their_role()? != Some(role) {
            return Ok(());
        }
        let known = self.link_as(heard.from, role)?;
        let link = known.unwrap_or_else(|| Link::new(*heard.from, role, LinkState::Over));
        let handle = self.name_of(heard.from)?;
        match (role, link.state) {
            (_, LinkState::Over) => {
                self.db.put_link(&Link { state: LinkState::Asks, ..link })?;
                self.note(heard.from, &Word::Proposed(role, &handle))
            }
            // Both asked at once, or they ask again because they did not get it.
            (Role::Child, LinkState::Asked | LinkState::Keyed) => self.send_key(link).map(|_| ()),
            // Their device no longer has us as guardian.
            (Role::Child, LinkState::Linked) => {
                self.forget_child(&link)?;
                self.db.put_link(&Link { state: LinkState::Asks, told: Vec::new(), ..link })?;
                self.note(heard.from, &Word::Ended(role, &handle))?;
                self.note(heard.from, &Word::Proposed(role, &handle))
            }
            (_, LinkState::Asks) | (Role::Guardian, _) => Ok(()),
        }
    }

    /// Whom we asked to be our guardian agrees.
    pub(super) fn key_came(&mut self, heard: &Heard<'_>, hash: [u8; 32]) -> Result<()> {
        let link = self.link_as(heard.from, Role::Guardian)?;
        let Some(link) = link.filter(|link| link.state == LinkState::Asked) else { return Ok(()) };
        if self.their_role()? != Some(Role::Guardian) {
            return Ok(());
        }
        self.db.add_errand(&Errand::Key { guardian: link.account, hash, old: None })?;
        self.db.put_link(&Link { state: LinkState::Keyed, secret: Some(hash), ..link })
    }

    /// A child's device says that the service has the hash of our newest secret.
    pub(super) fn link_confirmed(&mut self, heard: &Heard<'_>) -> Result<()> {
        let Some(link) = self.link_as(heard.from, Role::Child)? else { return Ok(()) };
        match (link.state, link.next) {
            (LinkState::Keyed, _) => {
                self.db.put_link(&Link { state: LinkState::Linked, next: None, ..link })?;
                let handle = self.name_of(heard.from)?;
                self.note(heard.from, &Word::Linked(Role::Child, &handle))
            }
            (LinkState::Linked, Some(next)) => {
                self.db.put_link(&Link { secret: Some(next), next: None, ..link })
            }
            _ => Ok(()),
        }
    }

    /// The other side ended the link, or takes back what they asked.
    pub(super) fn link_ended(&mut self, heard: &Heard<'_>, secret: Option<[u8; 32]>) -> Result<()> {
        let Some(link) = self.db.link_with(heard.from)? else { return Ok(()) };
        // Only what opens something at the service is brought there.
        if let (Role::Guardian, Some(secret)) = (link.role, secret)
            && [link.secret, link.next].contains(&Some(hash(&secret)))
        {
            self.db.add_errand(&Errand::Release { secret })?;
        }
        let handle = self.name_of(heard.from)?;
        let word = match link.state {
            LinkState::Over => return Ok(()),
            LinkState::Keyed | LinkState::Linked => Word::Ended(link.role, &handle),
            LinkState::Asks | LinkState::Asked => Word::Withdrawn(&handle),
        };
        self.close_link(link)?;
        self.note(heard.from, &word)
    }

    /// We end a link with a child, or take back or turn down what was only asked. What is to be sent.
    pub(crate) fn unlink(&mut self, who: &AccountId) -> Result<Vec<i64>> {
        self.step(|core| {
            let name = core.name_of(who)?;
            let none = || Error::usage(UNLINKING, format!("there is none with {name}"), "`guardian`");
            let link = core.db.link_with(who)?.ok_or_else(none)?;
            if link.role == Role::Guardian && link.state == LinkState::Over {
                return Err(none());
            }
            if link.role == Role::Guardian && link.is_agreed() {
                let why = format!("{name} is your guardian, and a child cannot end that");
                let fix = format!("to ask {name}; you may always `block {name}` or `report {name}`");
                return Err(Error::usage(UNLINKING, why, fix));
            }
            let was_agreed = link.is_agreed();
            let role = link.role;
            let rows = core.say_end(&link)?;
            core.close_link(link)?;
            if was_agreed {
                core.note(who, &Word::Ended(role, &name))?;
            }
            Ok(rows)
        })
    }

    /// Says that it is over; a guardian gives what lets the service forget it.
    fn say_end(&mut self, link: &Link) -> Result<Vec<i64>> {
        let mut secrets = vec![None];
        if link.role == Role::Child && (link.secret.is_some() || link.next.is_some()) {
            // Which of the two the service has, only the child's device knows.
            secrets = [link.secret, link.next].into_iter().filter(Option::is_some).collect();
        }
        let mut rows = Vec::new();
        for secret in secrets {
            rows.extend(self.tell(&link.account, &Guardian::End { secret })?.map(|(row, _)| row));
        }
        Ok(rows)
    }

    /// The link is over on this side. Secrets are kept: the service may still have the hash.
    fn close_link(&mut self, link: Link) -> Result<()> {
        match link.role {
            Role::Child => self.forget_child(&link)?,
            Role::Guardian => {
                self.db.drop_asks(&link.account)?;
                self.db.drop_keys(&link.account)?;
                if link.state == LinkState::Linked {
                    self.db.drop_allowed()?;
                }
            }
        }
        match link.secret {
            Some(_) => self.db.put_link(&Link { state: LinkState::Over, told: Vec::new(), ..link }),
            None => self.db.drop_link(&link.account),
        }
    }

    /// What a child asked and told is no longer our business.
    fn forget_child(&mut self, link: &Link) -> Result<()> {
        self.db.drop_asks(&link.account)
    }

    /// Within a step: we block somebody, or their account ended. A link with them is over, and nothing is told.
    pub(in crate::core) fn part_from(&mut self, who: &AccountId) -> Result<()> {
        let Some(link) = self.db.link_with(who)? else { return Ok(()) };
        let (role, agreed) = (link.role, link.is_agreed());
        if link.state == LinkState::Over {
            return Ok(());
        }
        self.close_link(link)?;
        match agreed {
            true => self.note(who, &Word::Ended(role, &self.name_of(who)?)),
            false => Ok(()),
        }
    }

    /// We are about to block somebody: if we are linked, their screen shows that it is over. What is to be sent.
    pub(crate) fn say_goodbye(&mut self, who: &AccountId) -> Result<Vec<i64>> {
        self.step(|core| match core.db.link_with(who)? {
            Some(link) if link.state != LinkState::Over => core.say_end(&link),
            _ => Ok(Vec::new()),
        })
    }

    /// Within a step: what the service says of our age. A link that our age ends is over, on both sides; one that the
    /// service forgot, while it holds, it is told again.
    pub(in crate::core) fn age_is(&mut self, band: AgeBand, guarded: bool) -> Result<()> {
        let past = is_past(&self.policy().guardians.numbers, band);
        for link in self.db.links_all()? {
            let holds = match (link.role, link.state) {
                (_, LinkState::Over) => continue,
                (Role::Guardian, LinkState::Linked) => !past,
                (Role::Guardian, _) => band == AgeBand::Child,
                (Role::Child, _) => band == AgeBand::Adult,
            };
            if !holds {
                let (who, role, agreed) = (link.account, link.role, link.is_agreed());
                self.say_end(&link)?;
                self.close_link(link)?;
                if agreed {
                    self.note(&who, &Word::EndedByAge(role, &self.name_of(&who)?))?;
                }
            } else if let (Role::Guardian, LinkState::Linked, false) = (link.role, link.state, guarded)
                && let (Some(hash), None) = (link.secret, self.db.first_errand()?)
            {
                self.db.add_errand(&Errand::Key { guardian: link.account, hash, old: None })?;
            }
        }
        Ok(())
    }
}
