//! A population: who is who, how old they say they are, who knows whom.

use std::collections::BTreeSet;

use rand::{Rng, rngs::StdRng, seq::SliceRandom};
use zegel_proto::v1::AgeBand;

use super::{assumptions::Assumptions, styles::Style};

/// What somebody is in the figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    Minor,
    Adult,
    /// Joins while it runs, and looks for those they know.
    Newcomer,
    Teacher,
    Coach,
    /// Introduces themself to many, for a street, a union, a charity.
    Organiser,
    /// Blocked and declined by a crowd that agreed on it.
    PiledOn,
    Spammer,
    Predator(Style),
}

impl Role {
    /// Those who do nothing that a rule is against.
    pub const HONEST: [Self; 7] = [
        Self::Minor,
        Self::Adult,
        Self::Newcomer,
        Self::Teacher,
        Self::Coach,
        Self::Organiser,
        Self::PiledOn,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Minor => "other minors",
            Self::Adult => "other adults",
            Self::Newcomer => "new members",
            Self::Teacher => "teachers",
            Self::Coach => "coaches",
            Self::Organiser => "organisers",
            Self::PiledOn => "minors whom a crowd blocks",
            Self::Spammer => "spammers",
            Self::Predator(style) => style.plan().name,
        }
    }
}

/// An account, and who has it. A predator may have several.
#[derive(Clone, Debug)]
pub struct Account {
    pub id: [u8; 16],
    /// Whose deeds are counted with it: an index of a person. While it is taken over, whoever has it.
    pub person: usize,
    /// The truth.
    pub minor: bool,
    /// What they say.
    pub band: AgeBand,
    pub guarded: bool,
    /// Days of its life before the first day of the simulation, or the day (negative) on which it comes.
    pub age_at_start: i64,
}

/// Everybody, and how they know each other.
pub struct People {
    /// The first are one a person, with the same index.
    pub accounts: Vec<Account>,
    pub roles: Vec<Role>,
    pub friends: Vec<BTreeSet<usize>>,
    /// Classes and clubs, of minors.
    pub groups: Vec<Vec<usize>>,
    /// Who leads which of them.
    pub leads: Vec<(usize, Vec<usize>)>,
}

impl People {
    /// So many people, of whom so many of each style are predators.
    pub fn new(
        people: usize,
        styles: &[(Style, usize)],
        about: &Assumptions,
        days: u32,
        random: &mut StdRng,
    ) -> Self {
        let part = |of_thousand: usize| (people * of_thousand / 1000).max(1);
        let mut roles = vec![Role::Minor; part(280)];
        let minors = roles.len();
        let few = [(Role::Teacher, 16), (Role::Coach, 10), (Role::Organiser, 10), (Role::Spammer, 6)];
        for (role, count) in few {
            roles.extend(std::iter::repeat_n(role, part(count)));
        }
        for (style, count) in styles {
            roles.extend(std::iter::repeat_n(Role::Predator(*style), *count));
        }
        roles.extend(std::iter::repeat_n(Role::Adult, people.saturating_sub(roles.len())));
        let accounts = (0..roles.len()).map(|who| {
            let minor = who < minors;
            let age = match roles[who] {
                Role::Organiser | Role::Spammer if random.random_bool(0.4) => random.random_range(0..7),
                _ => random.random_range(20..600),
            };
            Account { age_at_start: age, ..Account::new(who, minor, about, random) }
        });
        let accounts: Vec<Account> = accounts.collect();
        let friends = vec![BTreeSet::new(); roles.len()];
        let mut all = Self { accounts, roles, friends, groups: Vec::new(), leads: Vec::new() };
        all.gather(minors, random);
        all.befriend(minors, random);
        all.draw_roles(minors, days, part(4), random);
        all
    }

    /// Classes of about 25 and clubs of 12 to 40; popular teachers have several classes.
    fn gather(&mut self, minors: usize, random: &mut StdRng) {
        let mut all: Vec<usize> = (0..minors).collect();
        all.shuffle(random);
        self.groups = all.chunks(25).map(<[usize]>::to_vec).collect();
        let classes = self.groups.len();
        for who in 0..self.roles.len() {
            let led = match self.roles[who] {
                Role::Teacher => {
                    let most = [1, 1, 3, 6][random.random_range(0..4)].min(classes);
                    let count = random.random_range(1..=most);
                    rand::seq::index::sample(random, classes, count).into_vec()
                }
                Role::Coach => {
                    all.shuffle(random);
                    let size = random.random_range(12..=40).min(all.len());
                    self.groups.push(all[..size].to_vec());
                    vec![self.groups.len() - 1]
                }
                _ => continue,
            };
            self.leads.push((who, led));
        }
    }

    /// Some of one's class and club, two adults of the family, and adults among each other.
    fn befriend(&mut self, minors: usize, random: &mut StdRng) {
        for group in self.groups.clone() {
            for &who in &group {
                for _ in 0..4 {
                    self.connect(who, group[random.random_range(0..group.len())]);
                }
            }
        }
        let people = self.roles.len();
        for who in 0..people {
            for _ in 0..if who < minors { 2 } else { 4 } {
                let other = random.random_range(minors..people);
                // Nobody knows a predator from before.
                let honest = |who: usize| !matches!(self.roles[who], Role::Predator(_) | Role::Spammer);
                if honest(who) && honest(other) {
                    self.connect(who, other);
                }
            }
        }
    }

    /// New members come within the first half; a few minors are piled on.
    fn draw_roles(&mut self, minors: usize, days: u32, piled_on: usize, random: &mut StdRng) {
        let young = (0..minors).filter(|_| random.random_bool(0.08)).collect::<Vec<_>>();
        let adults = (minors..self.roles.len()).filter(|who| self.roles[*who] == Role::Adult);
        let grown = adults.filter(|_| random.random_bool(0.05)).collect::<Vec<_>>();
        for who in young.into_iter().chain(grown) {
            self.roles[who] = Role::Newcomer;
            self.accounts[who].age_at_start = -random.random_range(0..i64::from(days.max(2) / 2));
            for friend in std::mem::take(&mut self.friends[who]) {
                self.friends[friend].remove(&who);
            }
        }
        let others: Vec<usize> = (0..minors).filter(|who| self.roles[*who] == Role::Minor).collect();
        for &who in others.iter().take(piled_on) {
            self.roles[who] = Role::PiledOn;
        }
    }

    pub fn connect(&mut self, a: usize, b: usize) {
        let (a, b) = (self.accounts[a].person, self.accounts[b].person);
        if a != b {
            self.friends[a].insert(b);
            self.friends[b].insert(a);
        }
    }

    /// Members of the classes and clubs that somebody is in.
    pub fn mates(&self, who: usize) -> Vec<usize> {
        let groups = self.groups.iter().filter(|group| group.contains(&who));
        groups.flatten().copied().filter(|mate| *mate != who).collect()
    }
}

impl Account {
    /// What a new account of somebody says.
    pub fn new(person: usize, minor: bool, about: &Assumptions, random: &mut StdRng) -> Self {
        let true_band = match minor {
            true if random.random_bool(0.45) => AgeBand::Child,
            true => AgeBand::Teen,
            false => AgeBand::Adult,
        };
        let band = match () {
            () if random.random_bool(about.silent) => AgeBand::Unknown,
            () if minor && random.random_bool(about.says_adult) => AgeBand::Adult,
            () => true_band,
        };
        let guarded = band == AgeBand::Child && random.random_bool(about.guarded);
        Self { id: random.random(), person, minor, band, guarded, age_at_start: 0 }
    }
}
