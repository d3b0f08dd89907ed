//! What honest people do in a day, mistakes and quarrels included.

use rand::{Rng, seq::IteratorRandom};
use zegel_safety::Signal;

use super::{
    people::Role,
    service::{Came, Shown},
    world::World,
};

/// What becomes of a delivered request, in parts; the rest waits unanswered.
pub struct Answers {
    pub accept: f64,
    pub decline: f64,
    pub block: f64,
}

/// From somebody who is known.
const KNOWN: Answers = Answers { accept: 0.9, decline: 0.03, block: 0.005 };
/// From somebody who is not (a guess, but for the first: Boshmaf 2011).
const UNKNOWN: Answers = Answers { accept: 0.2, decline: 0.3, block: 0.04 };
/// From a spammer.
const SPAM: Answers = Answers { accept: 0.03, decline: 0.4, block: 0.12 };

impl World<'_> {
    /// A day of everybody but predators.
    pub fn honest_day(&mut self) {
        for who in 0..self.people.roles.len() {
            if !self.is_here(who) {
                continue;
            }
            match self.people.roles[who] {
                Role::Minor => self.minor(who),
                Role::PiledOn => {
                    self.minor(who);
                    self.crowd(who);
                }
                Role::Adult => self.adult(who),
                Role::Newcomer => self.newcomer(who),
                Role::Teacher | Role::Coach => {
                    self.adult(who);
                    self.leader(who);
                }
                Role::Organiser => self.organiser(who),
                Role::Spammer => self.spammer(who),
                Role::Predator(_) => continue,
            }
            self.quarrel(who);
        }
    }

    /// Finds classmates: half by handle, as elsewhere, half by a code or a friend.
    fn minor(&mut self, who: usize) {
        if self.chance(0.08) {
            let Some(mate) = self.people.mates(who).into_iter().choose(&mut self.random) else { return };
            self.meet(who, mate);
        }
        if self.chance(0.02) {
            let stranger = self.random.random_range(0..self.people.roles.len());
            self.write(who, stranger, Shown::Nothing, &UNKNOWN);
        }
        if self.chance(0.02) {
            let friend = self.people.friends[who].iter().copied().choose(&mut self.random);
            let theirs = friend.and_then(|f| self.people.friends[f].iter().copied().choose(&mut self.random));
            if let Some(theirs) = theirs {
                self.write(who, theirs, Shown::Passed, &KNOWN);
            }
        }
        if self.chance(0.01) {
            self.found_group(who);
        }
    }

    /// A group of one's friends in the class or club, or of all of it. To be added is an introduction too.
    fn found_group(&mut self, who: usize) {
        let mine = self.people.groups.iter().filter(|group| group.contains(&who)).cloned();
        let Some(group) = mine.choose(&mut self.random) else { return };
        let all = self.chance(0.3);
        for mate in group.into_iter().filter(|mate| *mate != who) {
            match self.people.friends[who].contains(&mate) {
                // Friends hold tokens of each other.
                true => _ = self.service.introduce(&self.people.accounts, who, mate, Shown::Word),
                false if all => _ = self.write(who, mate, Shown::Nothing, &KNOWN),
                false => {}
            }
        }
    }

    /// By handle, and if that does not come through, by a code when they meet.
    fn meet(&mut self, who: usize, other: usize) {
        let by_code = self.chance(0.5);
        let shown = if by_code { Shown::Word } else { Shown::Nothing };
        if self.write(who, other, shown, &KNOWN) != Came::Dropped || by_code {
            return;
        }
        self.service.tallies[who].put_off += 1;
        if self.chance(0.5) {
            self.write(who, other, Shown::Word, &KNOWN);
        }
    }

    fn adult(&mut self, who: usize) {
        if self.chance(0.05) {
            let other = self.random.random_range(0..self.people.roles.len());
            // Mostly adults whom they know; now and then a niece, who has to be met.
            if !self.people.accounts[other].minor {
                self.write(who, other, Shown::Nothing, &KNOWN);
            } else if self.chance(0.2) {
                self.meet(who, other);
            }
        }
        if self.chance(0.03) {
            let stranger = self.random.random_range(0..self.people.roles.len());
            self.write(who, stranger, Shown::Nothing, &UNKNOWN);
        }
    }

    /// Looks for everybody they know in the first days.
    fn newcomer(&mut self, who: usize) {
        let since = self.people.accounts[who].age_at_start + i64::from(self.service.today);
        if since > 7 {
            return if self.people.accounts[who].minor { self.minor(who) } else { self.adult(who) };
        }
        for _ in 0..self.random.random_range(0..=4) {
            let known = match self.people.accounts[who].minor {
                true => self.people.mates(who).into_iter().choose(&mut self.random),
                false => Some(self.random.random_range(0..self.people.roles.len())),
            };
            known.into_iter().for_each(|known| self.meet(who, known));
        }
    }

    /// Brings a class or club together within three days of its start, then a new one now and then.
    fn leader(&mut self, who: usize) {
        let today = self.service.today;
        let led = self.people.leads.iter().find(|(leader, _)| *leader == who).map(|(_, led)| led.clone());
        for group in led.unwrap_or_default() {
            // All of one leader begin in the same week: the worst case.
            let start = (who as u32 * 7) % 20 + group as u32 % 5;
            let members = self.people.groups[group].clone();
            for member in members {
                let joins = (start..start + 3).contains(&today) && self.chance(0.5);
                if (joins || self.chance(0.001)) && !self.people.friends[who].contains(&member) {
                    let by_handle = self.chance(self.about.by_handle);
                    let shown = if by_handle { Shown::Nothing } else { Shown::Word };
                    self.write(who, member, shown, &KNOWN);
                }
            }
        }
    }

    /// Campaigns of ten days: 5 to 25 introductions a day, to whoever lives there.
    fn organiser(&mut self, who: usize) {
        let today = self.service.today;
        let start = (who as u32 * 5) % 30;
        if !(start..start + 10).contains(&today) {
            return self.adult(who);
        }
        let declined = self.about.organiser_declined;
        let answers = Answers { accept: 0.4, decline: declined, block: declined / 4.0 };
        let most = 5 + (who % 5) as u32 * 5;
        for _ in 0..self.random.random_range(1..=most) {
            let stranger = self.random.random_range(0..self.people.roles.len());
            // Knows most children by sight, and does not write to them.
            if !self.people.accounts[stranger].minor || self.chance(0.2) {
                self.write(who, stranger, Shown::Nothing, &answers);
            }
        }
    }

    fn spammer(&mut self, who: usize) {
        for _ in 0..60 {
            if self.service.is_suspended(who) {
                return;
            }
            let stranger = self.random.random_range(0..self.people.roles.len());
            self.write(who, stranger, Shown::Nothing, &SPAM);
        }
    }

    /// Writes to the whole class; a week later eight to twenty of it agree to block, and half report something harmless.
    fn crowd(&mut self, who: usize) {
        let today = self.service.today;
        let agreed = 7 + (who as u32 * 3) % 30;
        if today + 5 == agreed {
            for mate in self.people.mates(who) {
                self.write(who, mate, Shown::Word, &KNOWN);
            }
        }
        if today != agreed {
            return;
        }
        let size = self.random.random_range(8..=20);
        let crowd = self.people.mates(who).into_iter().choose_multiple(&mut self.random, size);
        for by in crowd {
            self.service.note(&self.people.accounts, who, Signal::Blocked, by);
            if self.chance(0.5) {
                self.service.note(&self.people.accounts, who, Signal::Reported, by);
            }
        }
    }

    /// Friends block each other at times, or report by mistake.
    fn quarrel(&mut self, who: usize) {
        for (often, signal) in [(0.002, Signal::Blocked), (0.0005, Signal::Reported)] {
            if self.chance(often) {
                let friend = self.people.friends[who].iter().copied().choose(&mut self.random);
                if let Some(friend) = friend {
                    self.service.note(&self.people.accounts, friend, signal, who);
                }
            }
        }
    }

    /// An introduction of somebody honest, and the answer.
    fn write(&mut self, from: usize, to: usize, shown: Shown, answers: &Answers) -> Came {
        if from == to || !self.is_here(to) || self.people.friends[from].contains(&to) {
            return Came::Refused;
        }
        let came = self.service.introduce(&self.people.accounts, from, to, shown);
        if let Came::Delivered { notice } = came {
            // With somebody's code one is connected at once.
            let accept = if shown == Shown::Word { 0.98 } else { answers.accept };
            self.answer(from, to, &Answers { accept, ..*answers }, notice);
        }
        came
    }

    /// The receiver's answer; whether they accepted.
    pub fn answer(&mut self, from: usize, to: usize, answers: &Answers, notice: bool) -> bool {
        let careful = if notice { self.about.after_notice } else { 1.0 };
        let guarded = if self.is_guarded(to) { self.about.guardian_allows } else { 1.0 };
        let accept = answers.accept * careful * guarded;
        if self.chance(accept) {
            self.people.connect(from, to);
            return true;
        }
        // Of those who do not accept, as many decline and block as without notice.
        let rest = (1.0 - accept).max(0.001);
        if self.chance((answers.decline / rest).min(1.0)) {
            self.service.note(&self.people.accounts, from, Signal::Declined, to);
        } else if self.chance((answers.block / rest).min(1.0)) {
            self.service.note(&self.people.accounts, from, Signal::Blocked, to);
        }
        false
    }
}
