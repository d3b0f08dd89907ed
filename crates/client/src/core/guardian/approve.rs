//! What a child asks their guardian, and the guardian's answer.

use zegel_content::{Asked, Guardian};
use zegel_proto::AccountId;

use super::{
    Core, Heard,
    ask::{Permit, from_bytes, kind, name, to_bytes},
    link::{hash, secret},
    words::Word,
};
use crate::{
    Error, Result,
    db::{Ask, Link, Role},
};

const ANSWERING: &str = "answering a child";
/// How many questions of one child wait at most: a changed client could ask without end.
const MAX_WAITING: usize = 100;

/// A child's question that waits for us.
#[derive(Clone)]
pub(crate) struct Waiting {
    /// Who asks.
    pub child: AccountId,
    id: [u8; 16],
    /// What.
    pub what: Asked,
}

impl Waiting {
    /// `contact`, `group` or `age`.
    pub(crate) fn kind(&self) -> &'static str {
        kind(&self.what)
    }

    /// The handle, the group's name, or the age band.
    pub(crate) fn name(&self) -> &str {
        name(&self.what)
    }

    /// Whether it is called so, kind included.
    fn is_exactly(&self, wanted: &str) -> bool {
        wanted.split_once(':') == Some((self.kind(), self.name()))
    }
}

impl Core {
    /// A child of ours asks. Whoever is none of ours is not heard.
    pub(super) fn child_asks(&mut self, heard: &Heard<'_>, id: [u8; 16], what: &Asked) -> Result<()> {
        if !self.is_linked(heard.from, Role::Child)? || !is_sound(what) {
            return Ok(());
        }
        // The newest of its name counts, so that a name always means one question.
        for ask in self.db.asks_of(heard.from)? {
            let same =
                from_bytes(&ask.what).is_some_and(|old| (kind(&old), name(&old)) == (kind(what), name(what)));
            if same && ask.id != id {
                self.db.take_ask(heard.from, &ask.id)?;
            }
        }
        if self.db.asks_of(heard.from)?.len() >= MAX_WAITING {
            return Ok(());
        }
        let ask = Ask {
            id,
            account: *heard.from,
            what: to_bytes(what)?,
            subject: None,
            conversation: 0,
            chat: heard.chat.id,
        };
        match self.db.add_ask(&ask)? {
            true => self.note(heard.from, &Word::Asks(&self.name_of(heard.from)?, what)),
            false => Ok(()),
        }
    }

    /// What our children ask, oldest first for each.
    pub(crate) fn waiting(&self) -> Result<Vec<Waiting>> {
        let mut all = Vec::new();
        for link in self.db.links_all()?.into_iter().filter(|link| link.role == Role::Child) {
            for ask in self.db.asks_of(&link.account)? {
                let waiting = |what| Waiting { child: ask.account, id: ask.id, what };
                all.extend(from_bytes(&ask.what).map(waiting));
            }
        }
        Ok(all)
    }

    /// Answers a child's question, by its name or `KIND:NAME`. What is to be sent.
    pub(crate) fn answer_child(&mut self, child: &AccountId, wanted: &str, allow: bool) -> Result<i64> {
        self.step(|core| {
            let handle = core.name_of(child)?;
            if !core.is_linked(child, Role::Child)? {
                let why = format!("you are not the guardian of {handle}");
                return Err(Error::usage(ANSWERING, why, "`guardian` to see whose you are"));
            }
            let mut found = core.waiting()?;
            found.retain(|waiting| waiting.child == *child);
            // With its kind a name means one question, whatever others call their groups.
            let exactly = found.iter().any(|waiting| waiting.is_exactly(wanted));
            found.retain(|it| if exactly { it.is_exactly(wanted) } else { it.name() == wanted });
            if found.len() > 1 {
                let names: Vec<_> = found.iter().map(|it| format!("`{}:{}`", it.kind(), it.name())).collect();
                let why = format!("{handle} asks more than one thing called {wanted}");
                return Err(Error::usage(ANSWERING, why, names.join(" or ")));
            }
            let none =
                || Error::usage(ANSWERING, format!("{handle} asks for no {wanted}"), "`guardian requests`");
            let waiting = found.pop().ok_or_else(none)?;
            let Permit { secret, next } = match (&waiting.what, allow) {
                (Asked::Age { .. }, true) => core.give_secret(child)?,
                _ => Permit::default(),
            };
            let answer = Guardian::Answer { id: waiting.id, allow, secret, next };
            let (row, _) = core.must_tell(ANSWERING, child, &answer)?;
            core.db.take_ask(child, &waiting.id)?;
            Ok(row)
        })
    }

    /// The secret that allows a child another age, and the hash of the one that takes its place if they stay a child of
    /// ours: the child's device knows this one now.
    fn give_secret(&mut self, child: &AccountId) -> Result<Permit> {
        let Some(link) = self.db.link_with(child)? else { return Ok(Permit::default()) };
        let next = link.next.unwrap_or_else(secret);
        let given = link.secret;
        self.db.put_link(&Link { next: Some(next), ..link })?;
        Ok(Permit { secret: given, next: Some(hash(&next)) })
    }
}

/// Whether it names only what can be shown.
fn is_sound(what: &Asked) -> bool {
    let handle = |handle: &String| zegel_proto::check_handle(handle).is_ok();
    match what {
        Asked::Contact { handle: who } => handle(who),
        Asked::Group { people, .. } => people.iter().all(handle),
        Asked::Age { .. } => true,
    }
}
