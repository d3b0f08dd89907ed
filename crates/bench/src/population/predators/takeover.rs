//! Accounts of minors in a predator's hands: friends hear from a friend, give away theirs too, and are brought to an account
//! that stays. On both services as many accounts are lost: that here it takes a device or a recovery phrase, and not a code
//! that comes by text, is not credited.

use std::ops::RangeInclusive;

use rand::Rng;

use super::Actor;
use crate::population::{service::Shown, world::World};

/// Friends who answer what comes in a friend's name (a guess).
const ANSWERS: f64 = 0.5;
/// Of those, who give theirs away too (Svara: 571 codes for 4500 messages, in the service's name).
const GIVES: f64 = 0.13;
/// Days until the owner has it back (Insider 2020: five).
const BACK: RangeInclusive<u32> = 1..=5;

/// What is in a predator's hands.
#[derive(Default)]
pub struct Taken {
    /// An account, and the day on which its owner has it back.
    held: Vec<(usize, u32)>,
    /// Whose owners gave it away, and is entered today.
    given: Vec<usize>,
    /// All that were ever; nobody falls for it twice.
    ever: Vec<usize>,
}

impl Actor {
    /// A day of it.
    pub fn take_over(&mut self, world: &mut World<'_>) {
        self.give_back(world);
        let mut today = std::mem::take(&mut self.taken.given);
        if world.chance(self.plan.taken) {
            today.push(self.list[world.random.random_range(0..self.list.len())]);
        }
        today.into_iter().for_each(|minor| self.seize(world, minor));
    }

    fn give_back(&mut self, world: &mut World<'_>) {
        let today = world.service.today;
        for (account, _) in self.taken.held.extract_if(.., |(_, back)| *back <= today) {
            world.people.accounts[account].person = account;
            world.service.free(account);
        }
    }

    /// All friends are written to at once.
    fn seize(&mut self, world: &mut World<'_>, minor: usize) {
        if !world.is_here(minor) || world.service.is_suspended(minor) || self.taken.ever.contains(&minor) {
            return;
        }
        let today = world.service.today;
        world.service.tallies[self.person].begun.get_or_insert(today);
        world.people.accounts[minor].person = self.person;
        self.taken.held.push((minor, today + world.random.random_range(BACK)));
        self.taken.ever.push(minor);
        let friends: Vec<usize> = world.people.friends[minor].iter().copied().collect();
        for friend in friends {
            if !world.people.accounts[friend].minor || !world.is_here(friend) || !world.chance(ANSWERS) {
                continue;
            }
            // With a ticket that the friend gave the owner; else it ends with the account.
            if let Some(own) = self.accounts.first().map(|place| place.account) {
                self.write(world, own, friend, Shown::Passed);
            }
            if !self.contacts.iter().any(|(known, ..)| *known == friend) {
                self.contact(world, friend, minor);
            }
            if world.chance(GIVES) {
                self.taken.given.push(friend);
            }
        }
    }
}
