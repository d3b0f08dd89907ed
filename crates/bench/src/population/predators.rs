//! What predators do in a day, each by the plan of their style. They know every handle: nothing here rests on not
//! being found.

mod takeover;

use rand::{Rng, seq::SliceRandom};
use zegel_safety::Signal;

use self::takeover::Taken;
use super::{
    day::Answers,
    people::{Account, Role},
    service::{Came, Shown},
    styles::{Plan, Style},
    world::World,
};

/// Of those to whom a predator introduces themself, so many turn out to be adults.
const MISTAKEN: f64 = 0.2;
/// How an adult takes it.
const ADULT: Answers = Answers { accept: 0.1, decline: 0.35, block: 0.12 };
/// How a minor takes it who does not accept. (How many accept is an assumption with a range.)
const DECLINES: f64 = 0.3;
const BLOCKS: f64 = 0.15;
/// Minors who report a request that they did not want.
const REPORTS_REQUEST: f64 = 0.02;
/// Friends of one minor who are written to at most: whom a coerced one passes on, or whom a usual service lists.
const PASSES_ON: usize = 5;

/// A predator, with all accounts.
pub struct Actor {
    person: usize,
    plan: Plan,
    begins: u32,
    accounts: Vec<Place>,
    replaced: u32,
    /// Whom they are after, in order; it begins anew at its end.
    list: Vec<usize>,
    next: usize,
    /// A minor in contact, over which account, and the day on which it becomes bad.
    contacts: Vec<(usize, usize, u32)>,
    taken: Taken,
}

/// An account in use.
struct Place {
    account: usize,
    since: u32,
    burnt: bool,
}

impl Actor {
    pub fn new(world: &mut World<'_>, person: usize, style: Style) -> Self {
        let plan = style.plan();
        let begins = world.random.random_range(0..20);
        let minors = |who: &usize| world.people.accounts[*who].minor;
        let mut list: Vec<usize> = match plan.in_groups {
            true => {
                let groups = world.people.groups.len();
                let two = [world.random.random_range(0..groups), world.random.random_range(0..groups)];
                two.iter().flat_map(|group| world.people.groups[*group].clone()).collect()
            }
            false => (0..world.people.roles.len()).filter(minors).collect(),
        };
        list.shuffle(&mut world.random);
        let mut actor = Self {
            person,
            begins,
            accounts: Vec::new(),
            replaced: 0,
            list,
            next: 0,
            contacts: Vec::new(),
            taken: Taken::default(),
            plan,
        };
        let count = world.random.random_range(actor.plan.accounts.0..=actor.plan.accounts.1);
        (0..count).for_each(|_| actor.open_account(world, begins));
        actor
    }

    /// A fresh account, or one that is as old as the plan says.
    fn open_account(&mut self, world: &mut World<'_>, today: u32) {
        let age = world.random.random_range(self.plan.age_days.0..=self.plan.age_days.1);
        let age_at_start = i64::from(age) - i64::from(today);
        let account = Account::new(self.person, false, world.about, &mut world.random);
        world.people.accounts.push(Account { age_at_start, ..account });
        self.accounts.push(Place { account: world.people.accounts.len() - 1, since: today, burnt: false });
    }

    pub fn day(&mut self, world: &mut World<'_>) {
        let today = world.service.today;
        if today < self.begins {
            return;
        }
        if today == self.begins {
            self.take_position(world);
        }
        self.renew(world);
        for place in 0..self.accounts.len() {
            let account = self.accounts[place].account;
            let a_day = world.random.random_range(self.plan.a_day.0..=self.plan.a_day.1);
            for _ in 0..a_day {
                let target = self.target(world);
                self.write(world, account, target, Shown::Nothing);
            }
            if world.chance(self.plan.codes) {
                let target = self.target(world);
                self.write(world, account, target, Shown::Word);
            }
        }
        self.take_over(world);
        self.lure(world);
        self.harm(world);
    }

    /// Leaves what is suspended, blocked or old, if the plan says so.
    fn renew(&mut self, world: &mut World<'_>) {
        let today = world.service.today;
        let hops = self.plan.hops;
        let before = self.accounts.len();
        let suspended = |place: &Place| world.service.is_suspended(place.account);
        self.accounts.retain(|place| {
            let old = hops.is_some_and(|days| place.burnt || today >= place.since + days);
            !suspended(place) && !old
        });
        for _ in self.accounts.len()..before {
            if self.replaced < self.plan.replaces {
                self.replaced += 1;
                self.open_account(world, today);
            }
        }
    }

    fn target(&mut self, world: &mut World<'_>) -> usize {
        if !self.plan.in_groups && world.chance(MISTAKEN) {
            return loop {
                let who = world.random.random_range(0..world.people.roles.len());
                if !world.people.accounts[who].minor && !matches!(world.people.roles[who], Role::Predator(_))
                {
                    break who;
                }
            };
        }
        self.next += 1;
        self.list[(self.next - 1) % self.list.len()]
    }

    fn write(&mut self, world: &mut World<'_>, account: usize, to: usize, shown: Shown) {
        let known = self.contacts.iter().any(|(minor, ..)| *minor == to);
        if known
            || !world.is_here(to)
            || self.contacts.len() >= self.plan.enough
            || world.service.is_suspended(account)
        {
            return;
        }
        let came = world.service.introduce(&world.people.accounts, account, to, shown);
        let Came::Delivered { notice } = came else { return };
        if !world.people.accounts[to].minor {
            world.answer(account, to, &ADULT, notice);
            return;
        }
        let accept = match shown {
            Shown::Nothing => world.about.accepts_stranger,
            Shown::Passed => world.about.accepts_friends_friend,
            // Connected at once, unless a guardian is asked.
            Shown::Word => 1.0,
        };
        let notice = notice && shown != Shown::Word;
        if world.answer(account, to, &Answers { accept, decline: DECLINES, block: BLOCKS }, notice) {
            self.contact(world, to, account);
        } else if world.chance(REPORTS_REQUEST) {
            world.service.report(&world.people.accounts, account, to, false);
        }
    }

    fn contact(&mut self, world: &mut World<'_>, minor: usize, account: usize) {
        let (least, most) = self.plan.harm_days;
        let bad = world.service.today + world.random.random_range(least..=most);
        self.contacts.push((minor, account, bad));
        world.service.tallies[self.person].in_contact.insert(minor);
        world.service.tallies[minor].met += 1;
    }

    /// Minors who write first. On whichever service, this is asked of nobody but a guardian.
    fn lure(&mut self, world: &mut World<'_>) {
        if self.accounts.is_empty() || self.contacts.len() >= self.plan.enough {
            return;
        }
        if world.chance(self.plan.lured * world.about.lured) {
            let minor = self.list[world.random.random_range(0..self.list.len())];
            let stopped = world.is_guarded(minor) && !world.chance(world.about.guardian_allows);
            let known = self.contacts.iter().any(|(other, ..)| *other == minor);
            if !stopped && !known {
                world.service.tallies[self.person].begun.get_or_insert(world.service.today);
                world.service.tallies[self.person].lured += 1;
                world.service.tallies[minor].met_first += 1;
                let account = self.accounts[0].account;
                self.contact(world, minor, account);
            }
        }
    }

    /// A coach's or teacher's own minors: by code, as with the honest.
    fn take_position(&mut self, world: &mut World<'_>) {
        let (least, most) = self.plan.position;
        let count = world.random.random_range(least..=most).min(self.list.len() as u32);
        let account = self.accounts[0].account;
        for place in 0..count as usize {
            let minor = self.list[place];
            let by_handle = world.chance(world.about.by_handle);
            let shown = if by_handle { Shown::Nothing } else { Shown::Word };
            world.service.introduce(&world.people.accounts, account, minor, shown);
        }
        // One of them is the one.
        if count > 0 {
            let minor = self.list[0];
            self.contact(world, minor, account);
        }
    }

    /// What was a contact becomes bad: some block, some report, some are made to pass on friends.
    fn harm(&mut self, world: &mut World<'_>) {
        let today = world.service.today;
        let bad: Vec<_> = self.contacts.iter().copied().filter(|(.., day)| *day == today).collect();
        for (minor, account, _) in bad {
            // Or its owner has it back.
            let lost = world.people.accounts[account].person != self.person;
            if lost || world.service.is_suspended(account) {
                continue;
            }
            world.service.tallies[self.person].harmed += 1;
            world.service.scan(&world.people.accounts, account, &mut world.random);
            if self.plan.bridges && (!world.ours || world.chance(world.about.bridges)) {
                let mut friends: Vec<usize> = world.people.friends[minor].iter().copied().collect();
                friends.retain(|friend| world.people.accounts[*friend].minor);
                friends.shuffle(&mut world.random);
                for friend in friends.into_iter().take(PASSES_ON) {
                    self.write(world, account, friend, Shown::Passed);
                }
            }
            if world.chance(world.about.blocks) {
                world.service.note(&world.people.accounts, account, Signal::Blocked, minor);
                let place = self.accounts.iter_mut().find(|place| place.account == account);
                place.into_iter().for_each(|place| place.burnt = true);
            }
            if world.chance(world.about.reports) {
                world.service.report(&world.people.accounts, account, minor, true);
            }
        }
    }
}
