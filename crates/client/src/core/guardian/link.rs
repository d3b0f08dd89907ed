//! Linking a child and a guardian: both say so, the guardian's device makes a secret, the child's device leaves its hash at
//! the service; and the ways in which it ends.

use sha2::{Digest, Sha256};
use zegel_content::Guardian;
use zegel_proto::{AccountId, v1::AgeBand};
use zegel_safety::is_past;

use super::{Core, Heard, words::Word};
use crate::{
    Error, Result,
    db::{Errand, Guardianship, LinkState, OfChild, OfGuardian, Role, With},
};

const LINKING: &str = "linking child and guardian";
const UNLINKING: &str = "ending the link of child and guardian";
const OPERATOR: &str = "if they are gone or no longer to be trusted, the operator of the service can end it \
     (`zegel-server release-guardian`)";

pub(super) fn secret() -> [u8; 32] {
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).expect("the operating system gives random bytes");
    secret
}

pub(super) fn hash(secret: &[u8; 32]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

impl Guardianship {
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

    /// The link with somebody in this role, or one that never began; what is of another role is from before our age
    /// changed.
    fn link_as(&self, who: &AccountId, role: Role) -> Result<Guardianship> {
        let known = self.db.link_with(who)?.filter(|link| link.role() == role);
        let nothing = || match role {
            Role::Guardian => With::Guardian(OfGuardian::default()),
            Role::Child => With::Child(OfChild::default()),
        };
        Ok(known.unwrap_or_else(|| Guardianship::new(*who, LinkState::Over, nothing())))
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
                let fix = format!(
                    "to ask {other} to end it; `guardian unlink {other}` if they have not agreed; {OPERATOR}"
                );
                return Err(Error::usage(LINKING, format!("{why}, and yours is or will be {other}"), fix));
            }
            let link = core.link_as(who, role)?;
            match (&link.with, link.state) {
                (_, state @ (LinkState::Linked | LinkState::Keyed)) => Ok((state, None)),
                (With::Child(kept), LinkState::TheyAsk) => {
                    let row = core.send_key(who, kept.clone())?;
                    Ok((LinkState::Keyed, Some(row)))
                }
                _ => {
                    let proposal = Guardian::Link { as_child: role == Role::Guardian };
                    let (row, _) = core.must_tell(LINKING, who, &proposal)?;
                    if role == Role::Guardian && link.state != LinkState::WeAsk {
                        core.note(who, &Word::YouAsked(&core.name_of(who)?))?;
                    }
                    core.db.put_link(&Guardianship { state: LinkState::WeAsk, ..link })?;
                    Ok((LinkState::WeAsk, Some(row)))
                }
            }
        })
    }

    /// Another guardian of ours, or one whom we asked.
    fn other_guardian(&self, but: &AccountId) -> Result<Option<Guardianship>> {
        let wanted = |link: &Guardianship| link.is_agreed() || link.state == LinkState::WeAsk;
        let mut links = self.db.links_all()?;
        links.retain(|link| link.role() == Role::Guardian && link.account != *but && wanted(link));
        Ok(links.pop())
    }

    /// Both want it: the child's device gets the hash of a secret. If they were linked before it is the one of then, for
    /// the service may still have that; but none that the child's device knows.
    fn send_key(&mut self, child: &AccountId, kept: OfChild) -> Result<i64> {
        let key = kept.next_secret.or(kept.secret).unwrap_or_else(secret);
        let (row, _) = self.must_tell(LINKING, child, &Guardian::Key { hash: hash(&key) })?;
        let kept = OfChild { secret: Some(key), next_secret: None, ..kept };
        self.db.put_link(&Guardianship::new(*child, LinkState::Keyed, kept))?;
        Ok(row)
    }

    /// Somebody wants to be linked with us. By itself this does nothing.
    pub(super) fn link_proposed(&mut self, heard: &Heard<'_>, as_child: bool) -> Result<()> {
        let role = if as_child { Role::Child } else { Role::Guardian };
        if self.their_role()? != Some(role) {
            return Ok(());
        }
        let link = self.link_as(heard.from, role)?;
        let handle = self.name_of(heard.from)?;
        match (&link.with, link.state) {
            (_, LinkState::Over) => {
                self.db.put_link(&Guardianship { state: LinkState::TheyAsk, ..link })?;
                self.note(heard.from, &Word::Proposed(role, &handle))
            }
            // Both asked at once, or they ask again because they did not get it.
            (With::Child(kept), LinkState::WeAsk | LinkState::Keyed) => {
                self.send_key(heard.from, kept.clone()).map(|_| ())
            }
            // Their device no longer has us as guardian.
            (With::Child(kept), LinkState::Linked) => {
                self.db.drop_asks(heard.from)?;
                let kept = OfChild { contacts: None, ..kept.clone() };
                self.db.put_link(&Guardianship::new(*heard.from, LinkState::TheyAsk, kept))?;
                self.note(heard.from, &Word::Ended(role, &handle))?;
                self.note(heard.from, &Word::Proposed(role, &handle))
            }
            (_, LinkState::TheyAsk) | (With::Guardian(_), _) => Ok(()),
        }
    }

    /// Whom we asked to be our guardian agrees.
    pub(super) fn key_came(&mut self, heard: &Heard<'_>, hash: [u8; 32]) -> Result<()> {
        let link = self.link_as(heard.from, Role::Guardian)?;
        let (LinkState::WeAsk, With::Guardian(known)) = (link.state, link.with) else { return Ok(()) };
        if self.their_role()? != Some(Role::Guardian) {
            return Ok(());
        }
        self.db.add_errand(&Errand::Key { guardian: link.account, hash, old: None })?;
        let known = OfGuardian { hash: Some(hash), ..known };
        self.db.put_link(&Guardianship::new(link.account, LinkState::Keyed, known))
    }

    /// A child's device says that the service has the hash of our newest secret.
    pub(super) fn link_confirmed(&mut self, heard: &Heard<'_>) -> Result<()> {
        let link = self.link_as(heard.from, Role::Child)?;
        let With::Child(kept) = link.with else { return Ok(()) };
        match (link.state, kept.next_secret) {
            (LinkState::Keyed, _) => {
                let kept = OfChild { next_secret: None, ..kept };
                self.db.put_link(&Guardianship::new(link.account, LinkState::Linked, kept))?;
                let handle = self.name_of(heard.from)?;
                self.note(heard.from, &Word::Linked(Role::Child, &handle))
            }
            (LinkState::Linked, Some(next)) => {
                let kept = OfChild { secret: Some(next), next_secret: None, ..kept };
                self.db.put_link(&Guardianship::new(link.account, LinkState::Linked, kept))
            }
            _ => Ok(()),
        }
    }

    /// The other side ended the link, or takes back what they asked.
    pub(super) fn link_ended(&mut self, heard: &Heard<'_>, secret: Option<[u8; 32]>) -> Result<()> {
        let Some(link) = self.db.link_with(heard.from)? else { return Ok(()) };
        // Only what opens something at the service is brought there.
        if let (With::Guardian(known), Some(secret)) = (&link.with, secret)
            && known.has(&hash(&secret))
        {
            self.db.add_errand(&Errand::Release { secret })?;
        }
        let handle = self.name_of(heard.from)?;
        let word = match link.state {
            LinkState::Over => return Ok(()),
            LinkState::Keyed | LinkState::Linked => Word::Ended(link.role(), &handle),
            LinkState::TheyAsk | LinkState::WeAsk => Word::Withdrawn(&handle),
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
            let (role, was_agreed) = (link.role(), link.is_agreed());
            if role == Role::Guardian && link.state == LinkState::Over {
                return Err(none());
            }
            if role == Role::Guardian && was_agreed {
                let why = format!("{name} is your guardian, and a child cannot end that");
                let fix =
                    format!("to ask {name}; you may always `block {name}` or `report {name}`; {OPERATOR}");
                return Err(Error::usage(UNLINKING, why, fix));
            }
            let (link, rows) = core.say_end(link)?;
            core.close_link(link)?;
            if was_agreed {
                core.note(who, &Word::Ended(role, &name))?;
            }
            Ok(rows)
        })
    }

    /// Says that it is over; a guardian gives what lets the service forget it, and no longer keeps that as a secret. What is
    /// to be sent. Whoever only asked hears nothing: no answer of ours may tell that they could have asked somebody else's
    /// age, or that they were turned down or blocked.
    fn say_end(&mut self, mut link: Guardianship) -> Result<(Guardianship, Vec<i64>)> {
        // Which of the two the service has, only the child's device knows.
        let mut secrets = match &link.with {
            With::Child(kept) => vec![kept.secret, kept.next_secret],
            With::Guardian(_) => Vec::new(),
        };
        secrets.retain(Option::is_some);
        if secrets.is_empty() {
            if link.state == LinkState::TheyAsk {
                return Ok((link, Vec::new()));
            }
            secrets.push(None);
        }
        let mut rows = Vec::new();
        for secret in secrets {
            rows.extend(self.tell(&link.account, &Guardian::End { secret })?.map(|(row, _)| row));
        }
        if let With::Child(kept) = &mut link.with
            && !rows.is_empty()
        {
            (kept.secret, kept.next_secret) = (None, None);
            self.db.put_link(&link)?;
        }
        Ok((link, rows))
    }

    /// The link is over on this side. Secrets and hashes are kept: the service may still have the hash.
    fn close_link(&mut self, link: Guardianship) -> Result<()> {
        self.db.drop_asks(&link.account)?;
        let kept = match link.with {
            With::Child(kept) => kept.secret.map(|_| With::Child(OfChild { contacts: None, ..kept })),
            With::Guardian(known) => {
                self.db.drop_keys(&link.account)?;
                if link.state == LinkState::Linked {
                    self.db.drop_allowed()?;
                }
                known.hash.map(|_| With::Guardian(OfGuardian { told: None, ..known }))
            }
        };
        match kept {
            Some(with) => self.db.put_link(&Guardianship::new(link.account, LinkState::Over, with)),
            None => self.db.drop_link(&link.account),
        }
    }

    /// Within a step: we block somebody, or their account ended. A link with them is over, and nothing is told.
    pub(in crate::core) fn part_from(&mut self, who: &AccountId) -> Result<()> {
        let Some(link) = self.db.link_with(who)? else { return Ok(()) };
        let (role, agreed) = (link.role(), link.is_agreed());
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
            Some(link) if link.state != LinkState::Over => Ok(core.say_end(link)?.1),
            _ => Ok(Vec::new()),
        })
    }

    /// Within a step: our age is another one, by an act of ours. A link that it ends is over, on both sides.
    pub(in crate::core) fn end_links_by_age(&mut self, band: AgeBand) -> Result<()> {
        let past = is_past(&self.policy().guardians.numbers, band);
        for link in self.db.links_all()? {
            let holds = match (link.role(), link.state) {
                (_, LinkState::Over) => continue,
                (Role::Guardian, LinkState::Linked) => !past,
                (Role::Guardian, _) => band == AgeBand::Child,
                (Role::Child, _) => band == AgeBand::Adult,
            };
            if !holds {
                let (who, role, agreed) = (link.account, link.role(), link.is_agreed());
                let (link, _) = self.say_end(link)?;
                self.close_link(link)?;
                if agreed {
                    self.note(&who, &Word::EndedByAge(role, &self.name_of(&who)?))?;
                }
            }
        }
        Ok(())
    }

    /// Within a step: the service says whether it knows of a guardian. One that it forgot, while the link holds, it is told
    /// again.
    pub(in crate::core) fn is_guarded(&mut self, guarded: bool) -> Result<()> {
        let Some(link) = self.db.our_guardian()?.filter(|_| !guarded) else { return Ok(()) };
        if let With::Guardian(OfGuardian { hash: Some(hash), .. }) = link.with
            && self.db.first_errand()?.is_none()
        {
            self.db.add_errand(&Errand::Key { guardian: link.account, hash, old: None })?;
        }
        Ok(())
    }
}
