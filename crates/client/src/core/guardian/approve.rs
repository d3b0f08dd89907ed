//! What a child asks their guardian, and the guardian's answer.

use zegel_content::{Asked, Fact, Facts, Guardian};
use zegel_proto::AccountId;

use super::{
    Core, Heard,
    ask::Permit,
    link::{hash, secret},
    words::Word,
};
use crate::{
    Error, Result,
    db::{Ask, Guardianship, OfChild, Role, With},
};

const ANSWERING: &str = "answering a child";
/// How many questions of one child wait at most: a changed client could ask without end.
const MAX_WAITING: usize = 100;

impl Core {
    /// A child of ours asks. Whoever is none of ours is not heard.
    pub(super) fn child_asks(
        &mut self,
        heard: &Heard<'_>,
        id: [u8; 16],
        what: &Asked,
        facts: Facts,
    ) -> Result<()> {
        if !self.is_linked(heard.from, Role::Child)? || !is_sound(what, &facts) {
            return Ok(());
        }
        let ask = Ask {
            id,
            account: *heard.from,
            what: what.clone(),
            facts,
            subject: None,
            conversation: None,
            chat: heard.chat.id,
        };
        // The newest of its name counts, so that a name always means one question.
        let mut is_known = false;
        for old in self.db.asks_of(heard.from)? {
            if old.full_name() == ask.full_name() && old.id != id {
                self.db.take_ask(heard.from, &old.id)?;
                is_known = (&old.what, &old.facts) == (&ask.what, &ask.facts);
            }
        }
        if self.db.asks_of(heard.from)?.len() >= MAX_WAITING {
            return Ok(());
        }
        if !self.db.add_ask(&ask)? || is_known {
            return Ok(());
        }
        let (child, told) = (self.name_of(heard.from)?, self.told(&ask.facts)?);
        self.note(heard.from, &Word::Asks(&child, what, (ask.facts.of(), &told)))
    }

    /// What our children ask, oldest first for each.
    pub(crate) fn waiting(&self) -> Result<Vec<Ask>> {
        let mut all = Vec::new();
        for link in self.db.links_all()?.into_iter().filter(|link| link.role() == Role::Child) {
            all.extend(self.db.asks_of(&link.account)?);
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
            let mut found = core.db.asks_of(child)?;
            // With its kind a name means one question, whatever others call their groups.
            let exactly = found.iter().any(|it| it.full_name() == wanted);
            found.retain(|it| if exactly { it.full_name() == wanted } else { it.name() == wanted });
            if found.len() > 1 {
                let names: Vec<_> = found.iter().map(|it| format!("`{}`", it.full_name())).collect();
                let why = format!("{handle} asks more than one thing called {wanted}");
                return Err(Error::usage(ANSWERING, why, names.join(" or ")));
            }
            let fix = match allow {
                true => "`guardian requests`".to_owned(),
                false => format!(
                    "`guardian requests`; what you allowed before only {handle} can end, with `block` or `group leave`"
                ),
            };
            let none = || Error::usage(ANSWERING, format!("{handle} asks for no {wanted}"), fix);
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
        let With::Child(kept) = link.with else { return Ok(Permit::default()) };
        let (given, next) = (kept.secret, kept.next_secret.unwrap_or_else(secret));
        let kept = OfChild { next_secret: Some(next), ..kept };
        self.db.put_link(&Guardianship::new(*child, link.state, kept))?;
        Ok(Permit { secret: given, next: Some(hash(&next)) })
    }
}

/// Whether it names only what can be shown, and knows something only of whoever comes.
fn is_sound(what: &Asked, facts: &Facts) -> bool {
    let handle = |handle: &str| zegel_proto::check_handle(handle).is_ok();
    let is_odd = |fact: &Fact| matches!(fact, Fact::Via(friend) if !handle(friend));
    if facts.iter().any(is_odd) {
        return false;
    }
    let nothing = facts.of().is_empty();
    match what {
        Asked::Contact { handle: who } => handle(who) && (nothing || facts.of() == who),
        Asked::Group { people, .. } => {
            people.iter().all(|who| handle(who)) && (nothing || handle(facts.of()))
        }
        Asked::Age { .. } => nothing,
    }
}
