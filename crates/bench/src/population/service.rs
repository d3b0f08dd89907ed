//! What stands between people: Zegel's rules, decided by the code that ships, or a service with usual settings.

use std::collections::{HashMap, HashSet};

use rand::{Rng, rngs::StdRng};
use zegel_proto::v1::AgeBand;
use zegel_safety::{Introduction, Policy, Signal, Signals, Then, Verdict, judge};

use super::{
    assumptions::Assumptions,
    people::{Account, People, Role},
    score::Tally,
};

/// 1 January 2026, in days since 1970.
const FIRST_DAY: u32 = 20_454;
/// How long the desk takes, in days.
const DESK_TAKES: std::ops::RangeInclusive<u32> = 1..=3;
/// How much less often a report of a mere request is decided against its sender: it proves a greeting.
const MERE_REQUEST: f64 = 0.2;

/// Which service it is.
#[derive(Clone, Debug)]
pub enum Rules {
    /// Ours.
    Zegel {
        policy: Box<Policy>,
        /// Off only to show what the rule is worth.
        first_contact: bool,
        /// On only to show what `many-minors` would find and trouble if minors who gave a word counted too.
        counts_reached: bool,
    },
    /// Strangers may write to minors, as on services that are usual.
    Usual,
}

impl Rules {
    pub fn zegel(policy: &Policy) -> Self {
        Self::Zegel { policy: Box::new(policy.clone()), first_contact: true, counts_reached: false }
    }
}

/// What somebody shows who introduces themself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Nothing,
    /// A code or connection token that the receiver gave.
    Word,
    /// A token that the receiver gave to a friend, who passed it on.
    Passed,
}

/// What becomes of an introduction; whoever sent it learns of the first only.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Came {
    /// Refused: enough for today.
    Refused,
    Dropped,
    /// With a notice, or without.
    Delivered {
        notice: bool,
    },
}

/// The service, and what it did.
pub struct Service {
    rules: Rules,
    about: Assumptions,
    signals: Signals,
    pub today: u32,
    spent: HashMap<usize, (u32, u32)>,
    restricted_until: HashMap<usize, u32>,
    suspended: HashSet<usize>,
    blocks: HashSet<(usize, usize)>,
    /// Since when an account waits for the desk, and how likely it is decided against it.
    at_desk: Vec<(u32, usize, f64)>,
    waiting: HashSet<usize>,
    pub tallies: Vec<Tally>,
}

impl Service {
    pub fn new(rules: &Rules, about: &Assumptions, people: &People, random: &mut StdRng) -> Self {
        let persons = people.roles.iter().zip(&people.accounts);
        Self {
            rules: rules.clone(),
            about: *about,
            signals: Signals::new(random.random()),
            today: 0,
            spent: HashMap::new(),
            restricted_until: HashMap::new(),
            suspended: HashSet::new(),
            blocks: HashSet::new(),
            at_desk: Vec::new(),
            waiting: HashSet::new(),
            tallies: persons.map(|(role, account)| Tally::new(*role, account)).collect(),
        }
    }

    pub fn is_suspended(&self, account: usize) -> bool {
        self.suspended.contains(&account)
    }

    /// An account that was taken over is its owner's again.
    pub fn free(&mut self, account: usize) {
        self.suspended.remove(&account);
    }

    /// One introduction.
    pub fn introduce(&mut self, all: &[Account], from: usize, to: usize, shown: Shown) -> Came {
        let (sender, receiver) = (&all[from], &all[to]);
        let today = self.today;
        let age_days = u32::try_from(i64::from(today) + sender.age_at_start).unwrap_or(0);
        let limit = match &self.rules {
            Rules::Usual => self.about.usual_a_day as u32,
            Rules::Zegel { policy, .. } => policy.strangers.numbers.most(age_days, sender.band),
        };
        let tally = &mut self.tallies[sender.person];
        tally.begun.get_or_insert(today);
        if shown == Shown::Nothing {
            let spent = self.spent.entry(from).or_default();
            *spent = if spent.0 == today { *spent } else { (today, 0) };
            if spent.1 >= limit {
                tally.refused += 1;
                return Came::Refused;
            }
            spent.1 += 1;
        }
        tally.tried += u32::from(receiver.minor);
        let blocked = self.blocks.contains(&(to, from));
        let Rules::Zegel { policy, first_contact, counts_reached } = &self.rules else {
            return match blocked {
                true => Came::Dropped,
                false => self.deliver(sender, receiver, shown, false),
            };
        };
        let introduction = Introduction {
            receiver_band: if *first_contact { receiver.band } else { AgeBand::Adult },
            sender_is_free: self.restricted_until.get(&from).is_none_or(|until| today >= *until),
            same_app: true,
            blocked,
            shown: if shown == Shown::Nothing {
                zegel_safety::Shown::Nothing
            } else {
                zegel_safety::Shown::Valid
            },
            own_account: false,
        };
        let verdict = judge(&introduction);
        let day = FIRST_DAY + today;
        let signal = Signal::of(&introduction, verdict);
        let also_tried = *counts_reached && signal == Some(Signal::MinorReached);
        let told = self.signals.lately(policy, &sender.id, day);
        let new = age_days < policy.notices.numbers.new_days;
        let notice = new || told.declined || told.reported || told.minors;
        let came = match verdict {
            Verdict::Deliver => {
                self.tallies[sender.person].told(told);
                self.deliver(sender, receiver, shown, notice || shown == Shown::Passed)
            }
            _ => Came::Dropped,
        };
        for signal in signal.into_iter().chain(also_tried.then_some(Signal::MinorTried)) {
            self.note(all, from, signal, to);
        }
        came
    }

    fn deliver(&mut self, sender: &Account, receiver: &Account, shown: Shown, notice: bool) -> Came {
        let tally = &mut self.tallies[sender.person];
        if receiver.minor {
            tally.delivered += 1;
            tally.unasked += u32::from(shown == Shown::Nothing);
            tally.came_to.insert(receiver.person);
        }
        Came::Delivered { notice }
    }

    /// Somebody declined, blocked or reported an account.
    pub fn note(&mut self, all: &[Account], about: usize, signal: Signal, by: usize) {
        if signal == Signal::Blocked {
            self.blocks.insert((by, about));
        }
        let Rules::Zegel { policy, .. } = &self.rules else { return };
        let day = FIRST_DAY + self.today;
        self.signals.note(&all[about].id, signal, &all[by].id, day);
        for fired in self.signals.fired(policy, &all[about].id, day) {
            self.tallies[all[about].person].fired(fired.rule.name(), self.today);
            match fired.then {
                Then::Restrict => {
                    let until = self.restricted_until.entry(about).or_default();
                    if *until <= self.today {
                        *until = self.today + fired.for_days;
                    }
                }
                Then::Desk if self.waiting.insert(about) => {
                    self.at_desk.push((self.today, about, self.about.desk_acts));
                }
                Then::Desk => {}
            }
        }
    }

    /// A minor reports what was done to them, or a mere request, with the words themselves.
    pub fn report(&mut self, all: &[Account], about: usize, by: usize, bad: bool) {
        self.note(all, about, Signal::Reported, by);
        self.tallies[all[about].person].reported.get_or_insert(self.today);
        let convinces = self.about.report_acts * if bad { 1.0 } else { MERE_REQUEST };
        self.at_desk.push((self.today, about, convinces));
    }

    /// What a service that reads along may find once a contact becomes bad.
    pub fn scan(&mut self, all: &[Account], about: usize, random: &mut StdRng) {
        if matches!(self.rules, Rules::Usual) && random.random_bool(self.about.scanned) {
            self.tallies[all[about].person].reported.get_or_insert(self.today);
            self.suspended.insert(about);
        }
    }

    /// The desk looks at what rules and reports brought. It leaves the honest alone: what it gets wrong is not simulated.
    pub fn tend(&mut self, all: &[Account], roles: &[Role], random: &mut StdRng) {
        let today = self.today;
        let is_due = |(since, ..): &mut (u32, usize, f64)| today >= *since + random.random_range(DESK_TAKES);
        let due: Vec<_> = self.at_desk.extract_if(.., is_due).collect();
        for (_, account, convinces) in due {
            let bad = matches!(roles[all[account].person], Role::Predator(_) | Role::Spammer);
            if bad && random.random_bool(convinces) {
                self.suspended.insert(account);
            }
        }
    }
}
