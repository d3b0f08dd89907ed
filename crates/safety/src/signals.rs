//! What rules rest on: how many different people declined, blocked or reported an account lately, and how many people it
//! came to. Sketches with a short life, in memory; never who.

use std::collections::HashMap;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use crate::{
    Introduction, Policy, Shown, Then, Verdict, WatchedRule, is_minor,
    sketch::{Filter, Sketch},
};

/// What happened to or through an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Signal {
    /// Somebody declined its introduction.
    Declined,
    /// Somebody blocked it. Counts only by whom it came to in the days before: a crowd that it never wrote to can say
    /// nothing against it.
    Blocked,
    /// Somebody reported it, and something of it was proven.
    Reported,
    /// It tried to introduce itself to somebody who is or may be a minor, and was dropped.
    MinorTried,
    /// An introduction of it was delivered to somebody who is or may be a minor, and gave it a code or token. No rule
    /// counts it; receivers are told if it is many.
    MinorReached,
    /// An introduction of it was delivered to an adult. Nobody counts it: it is only asked whom it came to at all.
    AdultReached,
}

impl Signal {
    /// What an introduction counts as, by what became of it. Whoever comes to minors with nothing to show is counted for
    /// whatever it was dropped: a block or a restriction hides nobody from the desk. Who shows something that is not valid
    /// may have been given it by somebody else, who would choose what it counts as.
    pub fn of(it: &Introduction, verdict: Verdict) -> Option<Self> {
        match verdict {
            Verdict::Drop(_) if it.shown != Shown::Nothing => None,
            Verdict::Drop(_) => is_minor(it.receiver_band).then_some(Self::MinorTried),
            Verdict::Deliver if is_minor(it.receiver_band) => Some(Self::MinorReached),
            Verdict::Deliver => Some(Self::AdultReached),
            Verdict::Accept => None,
        }
    }
}

/// The longest that any rule may look back, in days.
pub const MOST_DAYS: u32 = 28;
/// Sketches that are kept at most, some 140 bytes each.
const MOST_SKETCHES: usize = 500_000;

/// What a filter takes of that.
const FILTER: usize = 4;

/// Who did one thing to one account on one day.
struct OfDay {
    day: u32,
    signal: Signal,
    people: Sketch,
}

/// Whom an account came to in the week that begins with this day.
struct OfWeek {
    day: u32,
    reached: Filter,
}

/// How much more than its number one notice or rule takes, until it was reached once. If that stayed, somebody with enough
/// accounts could find it out with their own, and then what one other person did.
struct Round {
    what: &'static str,
    /// The day that its secret is of.
    drawn: u32,
    /// Since when it is reached. It stays so for as long as it looks back, whatever is counted meanwhile: when exactly it falls
    /// again would tell as much.
    since: Option<u32>,
}

/// All of one account.
#[derive(Default)]
struct Record {
    days: Vec<OfDay>,
    weeks: Vec<OfWeek>,
    rounds: Vec<Round>,
}

impl Record {
    fn size(&self) -> usize {
        self.days.len() + self.weeks.len() * FILTER
    }

    fn forget_old(&mut self, today: u32) {
        let recent = |day: u32| today < day.saturating_add(MOST_DAYS);
        self.days.retain(|known| recent(known.day));
        self.weeks.retain(|known| recent(known.day));
        self.days.shrink_to_fit();
        self.weeks.shrink_to_fit();
        if self.size() == 0 {
            self.rounds.retain(|round| round.since.is_some_and(recent));
        }
    }
}

/// All signals. A restart forgets them.
pub struct Signals {
    salt: [u8; 32],
    by_account: HashMap<[u8; 16], Record>,
    /// How many sketches there are, and may be.
    sketches: usize,
    most: usize,
}

/// A rule whose number was reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fired {
    /// Which.
    pub rule: WatchedRule,
    /// The number of people that it says.
    pub least: u32,
    /// At least so many were counted.
    pub counted: u32,
    /// Within so many days.
    pub days: u32,
    /// What follows.
    pub then: Then,
    /// How long that lasts, in days.
    pub for_days: u32,
}

/// What a receiver may be told about a sender: each only that it is many.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lately {
    /// Declined or blocked by many.
    pub declined: bool,
    /// Reported by many, with proof.
    pub reported: bool,
    /// Came to many minors.
    pub minors: bool,
}

impl Signals {
    /// None yet. `salt` is random and secret: with it one could ask who.
    pub fn new(salt: [u8; 32]) -> Self {
        Self { salt, by_account: HashMap::new(), sketches: 0, most: MOST_SKETCHES }
    }

    /// Notes that `by` did this to `about`, or was come to by it, today (days since 1970). Whatever one person does,
    /// in a rule they count once.
    pub fn note(&mut self, about: &[u8; 16], signal: Signal, by: &[u8; 16], today: u32) {
        // The same for all signals: who declines and blocks is one person.
        let hash = self.hash(&[b"person", about, by]);
        if signal == Signal::Blocked && !self.reached(about, hash, today) {
            return;
        }
        let record = self.by_account.entry(*about).or_default();
        let before = record.size();
        if let Signal::AdultReached | Signal::MinorReached = signal {
            let day = today - today % 7;
            match record.weeks.iter_mut().find(|known| known.day == day) {
                Some(known) => known.reached.note(hash),
                None => {
                    let mut reached = Filter::new();
                    reached.note(hash);
                    record.weeks.push(OfWeek { day, reached });
                }
            }
        }
        if signal != Signal::AdultReached {
            match record.days.iter_mut().find(|known| known.day == today && known.signal == signal) {
                Some(known) => known.people.note(hash),
                None => {
                    let mut people = Sketch::default();
                    people.note(hash);
                    record.days.push(OfDay { day: today, signal, people });
                }
            }
        }
        self.sketches += record.size() - before;
        if self.sketches > self.most {
            self.forget_some(today);
        }
    }

    /// At least how many different people, today and the days before, `days` in all; who gave several of these signals
    /// counts once.
    pub fn people(&self, about: &[u8; 16], signals: &[Signal], today: u32, days: u32) -> u32 {
        self.sketch(about, signals, today, days).people()
    }

    /// Forgets what no rule looks at any more.
    pub fn forget_old(&mut self, today: u32) {
        self.by_account.retain(|_, record| {
            record.forget_old(today);
            record.size() > 0 || !record.rounds.is_empty()
        });
        self.sketches = self.by_account.values().map(Record::size).sum();
    }

    /// What receivers may be told: what is many, or was within the days that are looked back.
    pub fn lately(&mut self, policy: &Policy, about: &[u8; 16], today: u32) -> Lately {
        let notice = policy.notices.numbers;
        let mut many = |what, signals: &[Signal], least: u32| {
            let counted = self.people(about, signals, today, notice.days);
            self.is_on(about, what, [counted, least, notice.days], today)
        };
        Lately {
            declined: many("declined", &[Signal::Declined, Signal::Blocked], notice.declined_people),
            reported: many("reported", &[Signal::Reported], notice.reported_people),
            minors: many("minors", &[Signal::MinorReached], notice.minors),
        }
    }

    /// The rules whose number this account has reached. Of what the desk alone sees there is no secret to guard.
    pub fn fired(&mut self, policy: &Policy, about: &[u8; 16], today: u32) -> Vec<Fired> {
        let watched = policy.watched();
        let fired = watched.into_iter().filter_map(|(rule, signals, numbers)| {
            let counted = self.people(about, signals, today, numbers.days);
            let (least, days, then, for_days) =
                (numbers.people, numbers.days, numbers.then, numbers.for_days);
            // Never on fewer than the rule says.
            let reached = counted >= least
                && (then == Then::Desk || self.is_on(about, rule.name(), [counted, least, days], today));
            reached.then_some(Fired { rule, least, counted, days, then, for_days })
        });
        fired.collect()
    }

    /// Whether as many were counted as its number and its secret ask for, today or lately. The secret is another for each
    /// account and rule, and drawn anew each time.
    fn is_on(
        &mut self,
        about: &[u8; 16],
        what: &'static str,
        [counted, least, days]: [u32; 3],
        today: u32,
    ) -> bool {
        let rounds = self.by_account.get(about).map_or(&[][..], |record| &record.rounds);
        let drawn = match rounds.iter().find(|round| round.what == what) {
            Some(Round { since: Some(since), .. }) if today < since.saturating_add(days) => return true,
            // Nothing to draw for.
            _ if counted < least => return false,
            Some(Round { since: None, drawn, .. }) => *drawn,
            _ => today,
        };
        let reached = counted >= least.saturating_add(self.secret(about, what, drawn, least));
        let rounds = &mut self.by_account.entry(*about).or_default().rounds;
        rounds.retain(|round| round.what != what);
        rounds.push(Round { what, drawn, since: reached.then_some(today) });
        reached
    }

    /// How much more than the number that is said it takes: from 0 to `below` - 1. Else somebody with an account fewer than
    /// that number would learn what one other person did; so they do once in `below` times.
    fn secret(&self, about: &[u8; 16], what: &str, drawn: u32, below: u32) -> u32 {
        let hash = self.hash(&[b"secret", about, what.as_bytes(), &drawn.to_be_bytes()]);
        (hash % u64::from(below.max(1))) as u32
    }

    fn reached(&self, about: &[u8; 16], hash: u64, today: u32) -> bool {
        let weeks = self.by_account.get(about).into_iter().flat_map(|record| &record.weeks);
        let recent = |known: &&OfWeek| known.day <= today && today < known.day.saturating_add(MOST_DAYS);
        weeks.filter(recent).any(|known| known.reached.may_hold(hash))
    }

    fn sketch(&self, about: &[u8; 16], signals: &[Signal], today: u32, days: u32) -> Sketch {
        let known = self.by_account.get(about).into_iter().flat_map(|record| &record.days);
        let recent = |known: &&OfDay| known.day <= today && today < known.day.saturating_add(days);
        let asked = known.filter(|known| signals.contains(&known.signal)).filter(recent);
        asked.fold(Sketch::default(), |sum, known| sum.or(known.people))
    }

    fn hash(&self, parts: &[&[u8]]) -> u64 {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.salt).expect("a key of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        let hash = mac.finalize().into_bytes();
        u64::from_be_bytes(hash[..8].try_into().expect("a hash has 32 bytes"))
    }

    /// Makes room: what is old goes, then whom the fewest people said something about, so that a flood of accounts that
    /// nobody complains of washes nobody's record away.
    fn forget_some(&mut self, today: u32) {
        self.forget_old(today);
        let said = |record: &Record| -> u32 { record.days.iter().map(|known| known.people.people()).sum() };
        let mut all: Vec<_> = self.by_account.iter().map(|(who, record)| (said(record), *who)).collect();
        all.sort_unstable();
        for (_, who) in all {
            // More than one at once: to look at all is dear.
            if self.sketches <= self.most / 8 * 7 {
                return;
            }
            self.sketches -= self.by_account.remove(&who).map_or(0, |record| record.size());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_others_washes_nobodys_record_away() {
        let mut signals = Signals { most: 64, ..Signals::new([7; 32]) };
        let predator = [1; 16];
        for by in 0..5 {
            signals.note(&predator, Signal::Declined, &[by; 16], 100);
        }
        for n in 0..1000_u16 {
            let mut about = [9; 16];
            about[..2].copy_from_slice(&n.to_be_bytes());
            signals.note(&about, Signal::AdultReached, &[1; 16], 101);
            signals.note(&about, Signal::Declined, &[1; 16], 101);
            assert!(signals.sketches <= 64);
            assert_eq!(signals.sketches, signals.by_account.values().map(Record::size).sum());
        }
        assert_eq!(signals.people(&predator, &[Signal::Declined], 101, 7), 5);
    }

    #[test]
    fn nothing_is_left_of_what_no_rule_looks_at() {
        let mut signals = Signals::new([7; 32]);
        signals.note(&[1; 16], Signal::Declined, &[2; 16], 100);
        signals.note(&[1; 16], Signal::Reported, &[2; 16], 101);
        signals.forget_old(100 + MOST_DAYS - 1);
        assert_eq!(signals.sketches, 2);
        signals.forget_old(100 + MOST_DAYS);
        assert_eq!(signals.sketches, 1);
        signals.forget_old(101 + MOST_DAYS);
        assert!(signals.by_account.is_empty() && signals.sketches == 0);
    }
}
